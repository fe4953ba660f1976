// The kill switch's other way: when the usual one does not answer, offer the one that needs no database.
export function watchPanic() {
  const dialog = document.getElementById("panic");
  if (!dialog) return;
  const offer = ({ detail }) => {
    const source = detail.elt.closest("[data-panic]");
    const status = detail.xhr ? detail.xhr.status : 0;
    if (!source || (status >= 400 && status < 500)) return;
    document.getElementById("dialog").close();
    dialog.querySelector("[name=ticket]").value = source.dataset.panic;
    dialog.querySelector("[data-panic-subject]").textContent = source.dataset.subject;
    if (!dialog.open) dialog.showModal();
  };
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.body.addEventListener(name, offer);
  }
}
