// A history in order, the newest at the right end; in a composed one every item can be taken out. Text by textContent only.
//
// data: items [{title, year, genres}], first (the number of the first one), removable. Sends the trigger `taken_out` (an index).

function element(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

function card(item, place, data, send) {
  const node = element("li", "card");
  const title = element("span", "title", item.title);
  title.dir = "auto";
  node.title = [item.title, item.year, item.genres.join(", ")].filter(Boolean).join("\n");
  node.append(element("span", "place", data.first + place), title, element("span", "year", item.year ?? ""));
  if (data.removable) {
    const out = element("button", "out", "×");
    out.type = "button";
    out.setAttribute("aria-label", `Take out ${item.title}`);
    out.addEventListener("click", () => send("taken_out", place));
    node.append(out);
  }
  return node;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".history");
  const there = JSON.stringify(data);
  if (list.dataset.there === there) return;
  list.dataset.there = there;
  list.replaceChildren(...data.items.map((item, place) => card(item, place, data, setTriggerValue)));
  list.scrollLeft = list.scrollWidth;
}
