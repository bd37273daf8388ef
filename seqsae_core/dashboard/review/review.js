// The panel of a review: one question, answered by keys or by mouse. Text reaches the page through textContent only.
//
// data: step (who, verdict, reading, compare, end), token (which question this is), serial, latent, automatic, evidence, own,
// confidences, progress, share, saved, error. Sends the triggers `named`, `decided`, `skipped` and `undone`.

const LIVE = new WeakMap();
const ASKED = {
  verdict: "Is this what it means?",
  reading: "You review blind: what does it mean?",
  compare: "Does the automatic name say the same as yours?",
};
const ACTIONS = {
  verdict: [["y", "Confirm", "confirm"], ["n", "New name", "name"], ["x", "Reject", "reject"], ["u", "Unsure", "unsure"]],
  reading: [["n", "Name it", "name"], ["x", "No one meaning", "reject"], ["u", "Unsure", "unsure"]],
  compare: [["y", "The same", "confirm"], ["n", "Mine is another", "rename"], ["u", "Unsure", "unsure"]],
};
const FIELDS = [["name", "New name", "n"], ["note", "Note", "o"], ["tags", "Tags, separated by commas", "t"]];

function element(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

function typing(event) {
  const node = event.composedPath()[0];
  return node instanceof HTMLElement && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName));
}

function button(name, key, text, act) {
  const node = element("button", name);
  node.type = "button";
  if (key) node.append(element("kbd", "", key.toUpperCase()));
  node.append(element("span", "", text));
  node.addEventListener("click", act);
  return node;
}

function field(live, name, label, key) {
  const box = element("label", `field ${name}`);
  const head = element("span", "label");
  head.append(element("kbd", "", key.toUpperCase()), element("span", "", label));
  const input = element(name === "note" ? "textarea" : "input");
  input.maxLength = { name: 200, note: 4000, tags: 400 }[name];
  if (name === "note") input.rows = 1;
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey)) {
      event.preventDefault();
      input.blur();
      if (event.key === "Enter" && name === "name") decide(live, "rename");
    }
  });
  box.append(head, input);
  live.inputs[name] = input;
  return box;
}

// ---- what is sent

function once(live) {
  if (live.sent === live.data.serial) return false;
  live.sent = live.data.serial;
  live.root.classList.add("sending");
  return true;
}

function decide(live, verdict) {
  const { name, note, tags } = live.inputs;
  if (verdict === "rename" && live.data.step !== "compare" && !name.value.trim()) {
    say(live, "A new name is missing. Write it, or choose reject where there is none.", true);
    name.focus();
    return;
  }
  if (!once(live)) return;
  live.send("decided", { token: live.data.token, verdict, name: name.value, note: note.value, tags: tags.value,
    confidence: live.confidence });
}

function act(live, what) {
  if (what === "name") live.inputs.name.focus();
  else decide(live, what);
}

function pressed(live, event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event)) return;
  const key = event.key.toLowerCase();
  const action = (ACTIONS[live.data.step] || []).find(([its]) => its === key);
  const place = ["1", "2", "3"].indexOf(key);
  const asked = Boolean(ACTIONS[live.data.step]);
  if (action) act(live, action[2]);
  else if (asked && place >= 0) choose(live, place + 1);
  else if (asked && key === "o") live.inputs.note.focus();
  else if (asked && key === "t") live.inputs.tags.focus();
  else if (asked && key === "s") { if (once(live)) live.send("skipped", { token: live.data.token }); }
  else if (key === "z" && live.data.step !== "who") { if (once(live)) live.send("undone", { token: live.data.token }); }
  else return;
  event.preventDefault();
  event.stopPropagation();
}

// ---- what is shown

function choose(live, value) {
  live.confidence = value;
  live.root.querySelectorAll(".confidence button").forEach((node, i) => {
    node.setAttribute("aria-pressed", String(i + 1 === value));
  });
}

function say(live, text, wrong) {
  const node = live.root.querySelector(".status");
  node.textContent = text;
  node.classList.toggle("wrong", Boolean(wrong));
}

function whoPanel(live) {
  const form = element("form", "who");
  const input = element("input");
  const label = element("label", "field");
  label.append(element("span", "label", "Your name"), input);
  input.maxLength = 80;
  input.autocomplete = "off";
  form.append(element("h3", "", "Who is reviewing?"), label,
    element("p", "evidence", "It stands beside what you decide, and is asked once a session."),
    button("primary", "", "Begin", () => form.requestSubmit()), element("p", "status"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input.value.trim()) say(live, "Write a name first: it stands beside what you decide.", true);
    else if (once(live)) live.send("named", input.value.trim());
  });
  live.root.replaceChildren(form);
  requestAnimationFrame(() => input.focus({ preventScroll: true }));
}

function questionPanel(live) {
  const { data, root } = live;
  live.inputs = {};
  const progress = element("div", "progress");
  const bar = element("div", "bar");
  bar.append(element("div", "done"));
  progress.append(element("span", "count"), bar);
  const confidence = element("div", "confidence");
  confidence.setAttribute("aria-label", "How sure");
  (data.confidences || []).forEach((word, i) => {
    confidence.append(button("", String(i + 1), word, () => choose(live, i + 1)));
  });
  const actions = element("div", "actions");
  for (const [key, text, what] of ACTIONS[data.step] || []) {
    actions.append(button(what, key, text, () => act(live, what)));
  }
  const more = element("div", "more");
  more.append(button("quiet", "s", "Skip", () => { if (once(live)) live.send("skipped", { token: data.token }); }));
  more.append(button("quiet", "z", "Undo", () => { if (once(live)) live.send("undone", { token: data.token }); }));
  const status = element("p", "status");
  status.setAttribute("role", "status");
  const head = [progress, element("p", "asked", ASKED[data.step] || "Nothing is left in this queue.")];
  if (data.automatic !== null && data.automatic !== undefined) {
    const name = element("h3", "automatic", data.automatic);
    name.dir = "auto";
    head.push(name, element("p", "evidence", data.evidence));
  }
  if (data.own) head.push(element("p", "own", `Yours: ${data.own}`));
  const fields = data.step === "end" ? [] : FIELDS.map((f) => field(live, ...f));
  if (data.step === "compare") fields[0].hidden = true;
  root.replaceChildren(...head, actions, confidence, status, ...fields, more);
  confidence.hidden = data.step === "end";
  choose(live, 2);
}

function draw(live) {
  const { data, root } = live;
  root.classList.remove("sending");
  if (live.token !== data.token) {
    const note = live.inputs?.note?.value, tags = live.inputs?.tags?.value;
    const same = data.step === "compare" && live.latent === data.latent;
    data.step === "who" ? whoPanel(live) : questionPanel(live);
    if (same) Object.assign(live.inputs.note, { value: note || "" }), Object.assign(live.inputs.tags, { value: tags || "" });
    Object.assign(live, { token: data.token, latent: data.latent });
  }
  const count = root.querySelector(".count");
  if (count) count.textContent = data.progress;
  const done = root.querySelector(".done");
  if (done) done.style.width = `${Math.round((data.share ?? 1) * 100)}%`;
  say(live, data.error || data.saved, Boolean(data.error));
  root.dataset.token = data.token;
  root.dataset.latent = data.latent ?? "";
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!data) return undefined;
  const root = parentElement.querySelector(".review");
  let live = LIVE.get(parentElement);
  if (!live || live.root !== root) {
    live = { root, data, inputs: {}, token: null, sent: null, confidence: 2 };
    LIVE.set(parentElement, live);
  }
  live.data = data;
  live.send = setTriggerValue;
  const listen = (event) => pressed(live, event);
  window.addEventListener("keydown", listen, true);
  draw(live);
  return () => window.removeEventListener("keydown", listen, true);
}
