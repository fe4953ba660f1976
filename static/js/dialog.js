// The one dialog: opens when something is loaded into it, closes when that is done.
export function watchDialog() {
  const dialog = document.getElementById("dialog");
  document.body.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id === "dialog-body" && !dialog.open) dialog.showModal();
  });
  document.body.addEventListener("changed", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    const outside = event.target === dialog;
    if (!outside && !event.target.closest("[data-close]")) return;
    event.preventDefault();
    dialog.close();
  });
  document.addEventListener("click", ({ target }) => {
    const opens = target.closest("[data-open-dialog]");
    if (opens) document.getElementById(opens.dataset.openDialog).showModal();
  });
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });
}
