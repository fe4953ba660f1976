// Short notices: those of the page load, and those that an answer carries in its trigger.
const STAY = 6000;

export function watchToasts() {
  for (const toast of document.querySelectorAll("#toasts .toast")) fade(toast);
  document.body.addEventListener("toast", ({ detail }) => say(detail.text, detail.level));
  document.body.addEventListener("htmx:sendError", () => say("No connection to the server.", "danger"));
  document.body.addEventListener("htmx:responseError", ({ detail }) => {
    const offered = detail.xhr.status >= 500 && detail.elt.closest("[data-panic]"); // another way is on offer
    if (!offered && !detail.xhr.getResponseHeader("HX-Trigger")) say("That did not work. Reload the page.", "danger");
  });
}

export function say(text, level) {
  const toast = document.createElement("p");
  toast.className = `toast ${level}`;
  toast.textContent = text;
  document.getElementById("toasts").append(toast);
  fade(toast);
}

function fade(toast) {
  toast.addEventListener("click", () => toast.remove());
  setTimeout(() => toast.remove(), toast.classList.contains("danger") || toast.classList.contains("error") ? STAY * 2 : STAY);
}
