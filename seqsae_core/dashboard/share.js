// A button that copies the address of what is seen. The address is the page's whole state.

function said(button, text) {
  const plain = button.dataset.label;
  button.querySelector(".words").textContent = text;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { button.querySelector(".words").textContent = plain; }, 1800);
}

// Only secure addresses (https, localhost) have a clipboard; elsewhere the address is shown, to be copied by hand.
async function copy(button) {
  try {
    await navigator.clipboard.writeText(window.location.href);
    said(button, "Copied");
  } catch {
    window.prompt("The link of this view:", window.location.href);
  }
}

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".share");
  button.dataset.label = data.label;
  if (!button.querySelector(".words").textContent) button.querySelector(".words").textContent = data.label;
  button.title = "Copy the link of this view";
  button.onclick = () => copy(button);
}
