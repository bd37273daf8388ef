// Sequences as strips of tiles. Data reaches the page through textContent and attributes only.

function element(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

function tile(item, peak) {
  const node = element("li", "tile");
  const share = peak > 0 ? Math.max(0, Math.min(1, item.activation / peak)) : 0;
  node.style.setProperty("--share", `${Math.round(share * 62)}%`);
  if (item.firing) node.classList.add("firing");
  if (item.activation > 0) node.classList.add("active");
  const said = item.activation > 0 ? `activation ${item.activation.toFixed(3)}` : "does not fire here";
  node.title = [item.title, item.meta, said].filter(Boolean).join("\n");
  const title = element("span", "title", item.title);
  title.dir = "auto";
  node.append(title, element("span", "meta", item.meta));
  node.append(element("span", "value", item.activation > 0 ? item.activation.toFixed(2) : ""));
  return node;
}

function strip(example, peak) {
  const row = element("figure", "strip");
  const caption = element("figcaption", "caption", example.label);
  const list = element("ol", "tiles");
  list.tabIndex = 0;
  list.setAttribute("aria-label", example.spoken);
  list.append(...example.items.map((item) => tile(item, peak)));
  if (example.next) {
    const next = tile({ ...example.next, activation: 0 }, 0);
    next.classList.add("next");
    next.title = `watched next: ${example.next.title}`;
    list.append(next);
  }
  row.append(caption, list);
  return row;
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".strips");
  root.style.setProperty("--meaning", data.colour);
  root.replaceChildren(...data.examples.map((example) => strip(example, data.peak)));
  for (const list of root.querySelectorAll(".tiles")) {
    const firing = list.querySelector(".firing");
    if (firing) list.scrollLeft = firing.offsetLeft - list.offsetLeft - (list.clientWidth - firing.clientWidth) * 0.7;
  }
}
