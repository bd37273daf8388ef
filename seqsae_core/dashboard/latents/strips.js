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
  node.style.setProperty("--share", `${Math.round(share * 55)}%`);
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
  if (example.recommended.length) row.append(recommended(example));
  return row;
}

function recommended(example) {
  const line = element("p", "recommended");
  line.append(element("span", "said", "The model's list after the outlined item:"));
  example.recommended.forEach((item, at) => {
    const entry = element("span", item.hit ? "entry hit" : "entry");
    const title = element("bdi", "", item.title);
    entry.append(element("b", "", at + 1), title);
    if (item.hit) entry.append(element("i", "", "watched next"));
    entry.title = [item.title, item.meta].filter(Boolean).join("\n");
    line.append(entry);
  });
  return line;
}

// One screenful at first; the rest behind a button, which stays where it is when the strips are drawn anew.
function folded(strips, fold, root) {
  const rest = strips.slice(fold);
  if (!rest.length) return strips;
  const unfold = element("button", "unfold");
  unfold.type = "button";
  const draw = () => {
    const open = root.dataset.open === "yes";
    for (const node of rest) node.hidden = !open;
    unfold.textContent = open ? "Show fewer" : `Show ${rest.length} more`;
    unfold.setAttribute("aria-expanded", open);
  };
  unfold.addEventListener("click", () => { root.dataset.open = root.dataset.open === "yes" ? "no" : "yes"; draw(); });
  draw();
  return [...strips, unfold];
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".strips");
  root.style.setProperty("--meaning", data.colour);
  root.replaceChildren(...folded(data.examples.map((example) => strip(example, data.peak)), data.fold, root));
  for (const list of root.querySelectorAll(".tiles")) {
    const firing = list.querySelector(".firing");
    if (firing) list.scrollLeft = firing.offsetLeft - list.offsetLeft - (list.clientWidth - firing.clientWidth) * 0.7;
  }
}
