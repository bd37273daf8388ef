// The live slider: lists of a grid of strengths, replayed under the hand. Text reaches the page through textContent only.
//
// data: sliders [{key, latent, name, kind, levels, strength, low, high, whole, step, strengths (its grid)}], kinds, grids [slider][strength] and before/after as
// {items, scores} (best first, deeper than the list shown), items {id: {title, year, genres}}, genres, shown, serial, colours,
// target (the item that came next, or null), asked (the item that a reason was asked for, or null).
// Sends `released` {serial, edits [[key, strength]]} when the hand lets go, and the triggers `changed` {place, kind, levels},
// `removed` (a place), `opened` (a latent) and `asked` (an item).

const KEYBOARD_PAUSE = 140;
const LEAVING = 220;
const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
const LIVE = new WeakMap();

function element(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

function button(name, text, spoken, act) {
  const node = element("button", name, text);
  node.type = "button";
  node.title = spoken;
  node.setAttribute("aria-label", spoken);
  node.addEventListener("click", act);
  return node;
}

function signed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : (value < 0 ? "−" : "+") + text;
}

function nearest(grid, value) {
  let best = 0;
  for (let i = 1; i < grid.length; i++) if (Math.abs(grid[i] - value) < Math.abs(grid[best] - value)) best = i;
  return best;
}

// ---- what a pair of lists says, without any DOM

function compare(before, after, shown) {
  const was = new Map(before.items.map((id, i) => [id, i]));
  const now = new Map(after.items.map((id, i) => [id, i]));
  const rows = after.items.slice(0, shown).map((id, at) => ({ id, at, ...movement(was.get(id), at, shown),
    change: was.has(id) ? after.scores[at] - before.scores[was.get(id)] : null, was: was.get(id) }));
  const dropped = before.items.slice(0, shown).filter((id) => !(now.get(id) < shown));
  return { rows, dropped, now };
}

function movement(was, at, shown) {
  if (was === undefined || was >= shown) return { kind: "new", by: 0 };
  return { kind: was > at ? "up" : was < at ? "down" : "same", by: Math.abs(was - at) };
}

function sentence({ rows, dropped }, items) {
  const count = (kind) => rows.filter((row) => row.kind === kind).length;
  const exact = rows.every((row) => row.kind === "same" && row.change === 0);
  if (exact) return ["Both lists are identical.", ""];
  if (!dropped.length && !count("up")) return ["The same list in the same order; only the scores moved.", ""];
  const parts = [`${dropped.length} of ${rows.length} replaced`, `${count("up")} up`, `${count("down")} down`];
  return [parts.join(" · "), dropped.length ? `Dropped: ${dropped.map((id) => items[id].title).join("; ")}` : "Nothing dropped."];
}

function mix(list, genres, items, shown) {
  const top = list.items.slice(0, shown);
  return genres.map((genre) => top.filter((id) => items[id].genres.includes(genre)).length);
}

// ---- the parts

function slider(live, place) {
  const { data } = live;
  const { latent, name, low, high, step, whole, rule } = data.sliders[place];
  const box = element("div", "slider");
  const head = element("div", "head");
  const open = button("name", name, `Open latent ${latent}`, () => live.send.trigger("opened", latent));
  const value = element("output", "value");
  const zero = button("quiet", "0", `Set latent ${latent} to 0`, () => { set(live, place, 0); commit(live, 0); });
  const remove = button("quiet", "×", `Remove latent ${latent}`, () => live.send.trigger("removed", place));
  remove.hidden = data.sliders.length < 2;
  head.append(open, ...kindOf(live, place), value, zero, remove);
  const track = element("div", "track");
  const input = element("input");
  Object.assign(input, { type: "range", min: low, max: high, step, title: rule });
  input.setAttribute("aria-label", `Strength of latent ${latent}, ${name}`);
  listen(live, input, place);
  track.append(element("div", "rail"), element("div", "fill"), element("div", "zero"), input);
  const scale = element("div", "scale");
  const ends = low === -high ? [low, 0, high] : [low, high];
  const said = (tick) => (step < 0.1 ? `× ${(1 + tick).toFixed(1)}` : whole && tick === high ? "all the way" : signed(tick, 0));
  scale.append(...ends.map((tick) => element("span", "", said(tick))));
  box.style.setProperty("--origin", -low / (high - low));
  box.append(head, track, scale);
  return { box, input, value };
}

function kindOf(live, place) {
  const { latent, kind, levels } = live.data.sliders[place];
  const choice = element("select", "kind");
  choice.setAttribute("aria-label", `Kind of edit of latent ${latent}`);
  for (const [value, text] of live.data.kinds) choice.append(Object.assign(element("option", "", text), { value }));
  choice.value = kind;
  choice.addEventListener("change", () => live.send.trigger("changed", { place, kind: choice.value, levels }));
  const wanted = { set: [1], clamp: [0, 1] }[kind] ?? [];
  const boxes = wanted.map((end) => {
    const box = element("input", "level");
    Object.assign(box, { type: "number", step: 0.5, min: -100, max: 100, value: levels[end] ?? "" });
    box.setAttribute("aria-label", `${["Lower", kind === "set" ? "The" : "Upper"][end]} level of latent ${latent}`);
    return box;
  });
  const send = () => {
    const typed = boxes.map((box) => (box.value === "" ? null : Number(box.value)));
    live.send.trigger("changed", { place, kind, levels: kind === "set" ? [typed[0] ?? 0, typed[0] ?? 0] : typed });
  };
  boxes.forEach((box) => box.addEventListener("change", send));
  return [choice, ...boxes];
}

function listen(live, input, place) {
  const letGo = () => setTimeout(() => { live.held = null; });
  input.addEventListener("pointerdown", () => Object.assign(live, { held: place, keyboard: false }));
  input.addEventListener("keydown", () => { live.keyboard = true; });
  input.addEventListener("input", () => set(live, place, Number(input.value)));
  input.addEventListener("change", () => commit(live, live.keyboard ? KEYBOARD_PAUSE : 0));
  for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, letGo);
}

function beforeRow({ data }, id, at) {
  const row = element("li", "row");
  row.append(element("span", "rank", at + 1), label(data.items[id], id === data.target), element("span", "fate"));
  return row;
}

function label(item, awaited) {
  const box = element("div", "label");
  const title = element("div", "title");
  const name = element("bdi", "", item.title);
  title.append(name);
  if (item.year) title.append(element("span", "year", ` ${item.year}`));
  title.title = item.title;
  const genres = element("div", "genres");
  if (awaited) genres.append(element("span", "chip awaited", "came next"));
  genres.append(...item.genres.map((genre) => element("span", "chip", genre)));
  box.append(title, genres);
  return box;
}

function afterRow(live, id) {
  const row = element("li", "row");
  const parts = { rank: element("span", "rank"), badge: element("span", "badge"), change: element("span", "change") };
  const side = element("div", "side");
  side.append(parts.badge, parts.change);
  const text = label(live.data.items[id], id === live.data.target);
  const why = button("why", "why?", `Why ${live.data.items[id].title}?`, () => live.send.trigger("asked", id));
  row.addEventListener("click", (event) => { if (event.target !== why) live.send.trigger("asked", id); });
  side.prepend(why);
  row.append(parts.rank, text, side);
  return { row, ...parts };
}

function column(heading, name) {
  const box = element("section", `column ${name}`);
  const list = element("ol", "list");
  list.setAttribute("aria-label", `${heading}: list of recommendations`);
  const title = element("h4", "", heading);
  box.append(title, list);
  return { box, list, title };
}

function build(live, root) {
  const before = column("Before", "before");
  const after = column("After", "after");
  const links = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  links.setAttribute("class", "links");
  links.setAttribute("preserveAspectRatio", "none");
  links.setAttribute("aria-hidden", "true");
  const lists = element("div", "lists");
  lists.append(before.box, links, after.box);
  const said = { now: element("p", "said"), dropped: element("p", "dropped") };
  said.now.setAttribute("role", "status");
  const sliders = element("div", "sliders");
  const genres = element("div", "mix");
  const words = element("div", "words");
  words.append(said.now, said.dropped);
  root.replaceChildren(sliders, words, lists, genres);
  Object.assign(live, { root, sliders, before, after, links, said, genres, rows: new Map(), bars: [], handles: [] });
}

// ---- drawing

function drawSliders(live) {
  const latents = live.data.sliders.map((s) => `${s.key} ${s.low} ${s.high} ${s.name}`).join("\n");
  if (latents !== live.latents) {
    live.latents = latents;
    Object.assign(live, { values: live.data.sliders.map((s) => s.strength), moved: null, held: null });
    live.handles = live.data.sliders.map((_, place) => slider(live, place));
    live.sliders.replaceChildren(...live.handles.map((handle) => handle.box));
  }
  live.handles.forEach((_, place) => drawValue(live, place));
}

function drawValue(live, place) {
  const { input, value, box } = live.handles[place];
  const at = live.values[place];
  if (Number(input.value) !== at) input.value = at;
  const { kind, low, high, whole } = live.data.sliders[place];
  const end = whole && at >= high;
  value.textContent = end ? "all the way" : kind === "scale" ? `× ${(1 + at).toFixed(2)}` : `${signed(at, 1)} sd`;
  input.setAttribute("aria-valuetext", kind === "scale" || end ? value.textContent : `${signed(at, 1)} standard deviations`);
  box.style.setProperty("--at", (at - low) / (high - low));
  box.classList.toggle("negative", at < 0);
}

function drawBefore(live) {
  const { data } = live;
  const key = `${data.target}:${data.before.items.slice(0, data.shown).join()}`;
  if (key === live.beforeKey) return;
  live.beforeKey = key;
  live.rows.clear();
  live.after.list.replaceChildren();
  const ids = data.before.items.slice(0, data.shown);
  const rows = ids.map((id, at) => beforeRow(live, id, at));
  live.before.list.replaceChildren(...rows);
  live.fates = rows.map((row) => row.lastChild);
  live.paths = ids.map(() => document.createElementNS("http://www.w3.org/2000/svg", "path"));
  live.links.replaceChildren(...live.paths);
  live.links.setAttribute("viewBox", `0 0 100 ${data.shown * 100}`);
}

function drawAfter(live, found) {
  const { rows } = live;
  const there = new Set(found.rows.map((row) => row.id));
  for (const [id, parts] of rows) if (!there.has(id)) leave(rows, id, parts);
  for (const state of found.rows) {
    if (!rows.has(state.id)) {
      rows.set(state.id, afterRow(live, state.id));
      live.after.list.append(rows.get(state.id).row);
      if (!CALM.matches) rows.get(state.id).row.animate([{ opacity: 0 }, { opacity: 1 }], LEAVING);
    }
    drawRow(rows.get(state.id), state, live.data);
  }
  clearTimeout(live.settling);
  live.settling = setTimeout(() => settle(live), 2 * LEAVING);
}

// Rows are placed by transforms; once they rest, their order in the document follows, for screen readers.
function settle({ after, rows }) {
  const parts = [...rows.values()].sort((a, b) => a.row.dataset.at - b.row.dataset.at);
  after.list.append(...parts.map(({ row }) => row));
}

function drawRow(parts, { at, kind, by, change, was }, { before, shown }) {
  clearTimeout(parts.timer);
  parts.timer = null;
  parts.row.className = `row ${kind}`;
  parts.row.style.transform = `translateY(calc(${at} * var(--row)))`;
  parts.row.dataset.at = at;
  parts.rank.textContent = at + 1;
  const badge = { up: `▲ ${by}`, down: `▼ ${by}`, same: "=", new: "new" };
  parts.badge.textContent = badge[kind];
  const place = was === undefined ? `below ${before.items.length}` : `${was + 1}`;
  parts.badge.title = kind === "new" ? `was ${place} before, outside the first ${shown}` : `was ${place} before`;
  parts.change.textContent = change === null ? `was >${before.items.length}` : signed(change, 2);
  parts.change.title = change === null ? `Not among the first ${before.items.length} before` : "change of score";
}

function leave(rows, id, parts) {
  if (parts.timer) return;
  parts.row.className = "row leaving";
  parts.timer = setTimeout(() => { parts.row.remove(); rows.delete(id); }, LEAVING);
}

function drawLinks(live, found, depth) {
  const { before, shown } = live.data;
  live.paths.forEach((path, i) => {
    const to = found.now.get(before.items[i]);
    const [from, end] = [i * 100 + 50, (to < shown ? to : shown) * 100 + 50];
    path.setAttribute("d", `M 0 ${from} C 45 ${from} 55 ${end} 100 ${end}`);
    path.setAttribute("class", !(to < shown) ? "gone" : to < i ? "up" : to > i ? "down" : "same");
    live.fates[i].textContent = to < shown ? "" : to === undefined ? `below ${depth}` : `now ${to + 1}`;
    live.fates[i].parentNode.classList.toggle("gone", !(to < shown));
  });
}

function drawMix(live, after) {
  const { data } = live;
  const key = data.genres.join("\n");
  if (key !== live.mixKey) {
    live.mixKey = key;
    live.bars = data.genres.map(bar);
    live.genres.replaceChildren(element("h4", "", `Genres among the ${data.shown}`), ...live.bars.map((b) => b.box));
  }
  const was = mix(data.before, data.genres, data.items, data.shown);
  const now = mix(after, data.genres, data.items, data.shown);
  live.bars.forEach((b, i) => {
    b.was.style.transform = `scaleX(${was[i] / data.shown})`;
    b.now.style.transform = `scaleX(${now[i] / data.shown})`;
    b.count.textContent = `${was[i]} → ${now[i]}`;
    b.box.className = `bar ${now[i] > was[i] ? "up" : now[i] < was[i] ? "down" : "same"}`;
  });
}

function bar(genre) {
  const parts = { box: element("div", "bar"), was: element("div", "was"), now: element("div", "now"), count: element("span", "count") };
  const pair = element("div", "pair");
  pair.append(parts.was, parts.now);
  parts.box.append(element("span", "genre", genre), pair, parts.count);
  return parts;
}

function draw(live, moved) {
  const { data } = live;
  const near = moved === null ? -1 : nearest(data.sliders[moved].strengths, live.values[moved]);
  const after = moved === null ? data.after : data.grids[moved][near];
  const key = moved === null ? "exact" : `${moved}:${near}`;
  if (moved !== null) drawValue(live, moved);
  if (key === live.drawn) return;
  live.drawn = key;
  const found = compare(data.before, after, data.shown);
  drawAfter(live, found);
  drawLinks(live, found, after.items.length);
  drawMix(live, after);
  const [now, dropped] = sentence(found, data.items);
  live.said.now.textContent = now;
  live.said.dropped.textContent = dropped;
}

// ---- the hand

function set(live, place, value) {
  live.values[place] = value;
  live.moved = place;
  if (live.frame) cancelAnimationFrame(live.frame);
  live.frame = requestAnimationFrame(() => { live.frame = null; draw(live, place); });
}

function commit(live, wait) {
  live.held = null;
  clearTimeout(live.timer);
  live.timer = setTimeout(() => {
    live.serial += 1;
    const edits = live.data.sliders.map((s, i) => [s.key, live.values[i]]);
    live.send.state("released", { serial: live.serial, edits });
  }, wait);
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  if (!data) return undefined;
  let live = LIVE.get(parentElement);
  const root = parentElement.querySelector(".steer");
  if (!live || live.root !== root) {
    live = { data, serial: data.serial, held: null, moved: null, frame: null, timer: null, latents: null };
    LIVE.set(parentElement, live);
    build(live, root);
  }
  live.data = data;
  live.send = { state: setStateValue, trigger: setTriggerValue };
  for (const [name, colour] of Object.entries(data.colours)) root.style.setProperty(`--${name}`, colour);
  const mine = live.held === null && data.serial === live.serial;
  if (mine) Object.assign(live, { values: data.sliders.map((s) => s.strength), moved: null });
  root.style.setProperty("--shown", data.shown);
  drawSliders(live);
  drawBefore(live);
  live.drawn = null;
  draw(live, live.moved);
  root.dataset.serial = data.serial; // which release this list answers
  return () => { clearTimeout(live.timer); LIVE.delete(parentElement); };
}
