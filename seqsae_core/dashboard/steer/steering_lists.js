// The two lists of Steer, their rows and links, and the mix of genres; steering.js follows in the same module.

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

// ---- rows

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

// ---- drawing the lists

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
  if (parts.row.className !== `row ${kind}`) parts.row.className = `row ${kind}`;
  if (parts.row.dataset.at !== String(at)) {
    parts.row.style.transform = `translateY(calc(${at} * var(--row)))`;
    parts.row.dataset.at = at;
  }
  write(parts.rank, at + 1);
  const badge = { up: `▲ ${by}`, down: `▼ ${by}`, same: "=", new: "new" };
  write(parts.badge, badge[kind]);
  const place = was === undefined ? `below ${before.items.length}` : `${was + 1}`;
  parts.badge.title = kind === "new" ? `was ${place} before, outside the first ${shown}` : `was ${place} before`;
  write(parts.change, change === null ? `was >${before.items.length}` : signed(change, 2));
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
    if (path.dataset.end !== String(end)) {
      path.dataset.end = end;
      path.setAttribute("d", `M 0 ${from} C 45 ${from} 55 ${end} 100 ${end}`);
    }
    const fate = !(to < shown) ? "gone" : to < i ? "up" : to > i ? "down" : "same";
    if (path.getAttribute("class") !== fate) path.setAttribute("class", fate);
    write(live.fates[i], to < shown ? "" : to === undefined ? `below ${depth}` : `now ${to + 1}`);
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
    write(b.count, `${was[i]} → ${now[i]}`);
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

