// The live slider: lists of a grid of strengths, replayed under the hand. Text reaches the page through textContent only.
// steering_lists.js, which stands in front of this in one module, has the lists; this has the sliders and the hand.
//
// data: sliders [{key, latent, name, kind, levels, strength, low, high, whole, step, strengths (its grid)}], kinds, grids [slider][strength] and before/after as
// {items, scores} (best first, deeper than the list shown), items {id: {title, year, genres}}, genres, shown, serial, colours,
// target (the item that came next, or null), asked (the item that a reason was asked for, or null).
// Sends `released` {serial, edits [[key, strength]]} when the hand lets go, and the triggers `changed` {place, kind, levels},
// `removed` (a place), `opened` (a latent), `asked` (an item) and `settled` (the number of the release whose list is painted).

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

// Only what changes is written: a text that is written anew is laid out anew.
function write(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

function nearest(grid, value) {
  let best = 0;
  for (let i = 1; i < grid.length; i++) if (Math.abs(grid[i] - value) < Math.abs(grid[best] - value)) best = i;
  return best;
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
  const letGo = () => setTimeout(() => { live.held = null; settled(live); });
  input.addEventListener("pointerdown", () => Object.assign(live, { held: place, keyboard: false }));
  input.addEventListener("keydown", () => { live.keyboard = true; });
  input.addEventListener("input", () => set(live, place, Number(input.value)));
  input.addEventListener("change", () => commit(live, live.keyboard ? KEYBOARD_PAUSE : 0));
  for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, letGo);
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
  write(live.said.now, now);
  write(live.said.dropped, dropped);
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
  if (wait) live.timer = setTimeout(() => send(live), wait);
  else send(live);
}

function send(live) {
  live.serial += 1;
  const edits = live.data.sliders.map((s, i) => [s.key, live.values[i]]);
  live.send.state("released", { serial: live.serial, edits });
}

// The rest of the page follows when the list is on the screen and the hand is off the slider.
function settled(live) {
  const { serial } = live.data;
  if (live.held !== null || serial !== live.serial || serial === live.settled) return;
  live.settled = serial;
  live.send.trigger("settled", serial);
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  if (!data) return undefined;
  let live = LIVE.get(parentElement);
  const root = parentElement.querySelector(".steer");
  if (!live || live.root !== root) {
    live = { data, serial: data.serial, settled: data.serial, held: null, moved: null, frame: null, timer: null, latents: null };
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
  requestAnimationFrame(() => setTimeout(() => settled(live)));
  return () => { clearTimeout(live.timer); LIVE.delete(parentElement); };
}
