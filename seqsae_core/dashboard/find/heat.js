// Latents × positions of a history, shaded by activation; every cell opens its latent. Text by textContent only.
//
// data: columns [{place, title, meta}], rows [{latent, name, cells: [activation or 0]}], peak, colour.
// Sends the trigger `opened` (a latent). One cell is in the order of Tab; arrow keys go on from it.

const ARROWS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -999], End: [0, 999] };

function element(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

function head(columns) {
  const row = element("tr");
  row.append(element("td", "corner"));
  for (const column of columns) {
    const cell = element("th", "place");
    cell.scope = "col";
    cell.title = [`${column.place}. ${column.title}`, column.meta].filter(Boolean).join("\n");
    const title = element("bdi", "title", column.title);
    cell.append(title, element("span", "number", column.place));
    row.append(cell);
  }
  const whole = element("thead");
  whole.append(row);
  return whole;
}

function line(row, data, open) {
  const node = element("tr");
  const label = element("th", "latent");
  label.scope = "row";
  const name = element("button", "name", `${row.latent} · ${row.name}`);
  name.type = "button";
  name.title = `Open latent ${row.latent}`;
  name.addEventListener("click", () => open(row.latent));
  label.append(name);
  node.append(label, ...row.cells.map((activation, at) => cell(row, activation, data.columns[at], data.peak, open)));
  return node;
}

function cell(row, activation, column, peak, open) {
  const box = element("td");
  const button = element("button", activation > 0 ? "cell on" : "cell");
  button.type = "button";
  button.tabIndex = -1;
  button.style.setProperty("--share", `${activation > 0 ? Math.round(14 + 86 * (activation / peak)) : 0}%`);
  const said = activation > 0 ? `activation ${activation.toFixed(3)}` : "does not fire here";
  button.title = `${column.place}. ${column.title}\nlatent ${row.latent} · ${row.name}\n${said}`;
  button.setAttribute("aria-label", `Latent ${row.latent}, ${row.name}, at ${column.title}: ${said}. Open it.`);
  button.addEventListener("click", () => open(row.latent));
  box.append(button);
  return box;
}

// What the shades mean: from a cell that does not fire to the strongest one shown.
function legend(peak) {
  const line = element("p", "legend");
  const cells = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const box = element("span", share ? "cell on" : "cell");
    box.style.setProperty("--share", `${share ? Math.round(14 + 86 * share) : 0}%`);
    return box;
  });
  line.append(element("span", "", "activation 0"), ...cells, element("span", "", peak.toFixed(2)));
  return line;
}

function walk(event, grid) {
  const move = ARROWS[event.key];
  const at = event.target.closest?.(".cell");
  if (!move || !at || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const y = grid.findIndex((cells) => cells.includes(at));
  const x = grid[y].indexOf(at);
  const clamp = (value, most) => Math.max(0, Math.min(most, value));
  const next = grid[clamp(y + move[0], grid.length - 1)][clamp(x + move[1], grid[0].length - 1)];
  at.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".heat");
  const there = JSON.stringify(data);
  if (root.dataset.there === there) return;
  root.dataset.there = there;
  root.style.setProperty("--meaning", data.colour);
  const table = element("table");
  table.append(element("caption", "spoken", "Latents by items of the history, shaded by activation"), head(data.columns));
  const body = element("tbody");
  body.append(...data.rows.map((row) => line(row, data, (latent) => setTriggerValue("opened", latent))));
  table.append(body);
  root.replaceChildren(table, legend(data.peak));
  const grid = [...body.rows].map((row) => [...row.querySelectorAll(".cell")]);
  if (grid.length && grid[0].length) grid[0][0].tabIndex = 0;
  body.addEventListener("keydown", (event) => walk(event, grid));
}
