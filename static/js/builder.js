// The builder: choosing what an account does moves its row to that part of the page, by mouse, finger or key.
// Without this every row stays where it is, and the form is the same form.
const form = document.getElementById("builder");

const roleOf = (member) => member.querySelector(".member-role input:checked")?.value ?? "";
const radioOf = (member, role) =>
  [...member.querySelectorAll(".member-role input")].find((radio) => radio.value === role);

function settle(member) {
  const zone = form.querySelector(`[data-zone="${roleOf(member)}"]`);
  if (member.parentElement === zone) return;
  const focused = member.contains(document.activeElement) ? document.activeElement : null;
  if (zone.dataset.zone === "leader") for (const other of [...zone.children]) choose(other, "");
  zone.append(member);
  focused?.focus(); // moving a row in the page takes the focus from it
}

function choose(member, role) {
  const radio = radioOf(member, role);
  if (!radio || radio.checked) return;
  radio.checked = true;
  settle(member);
}

function changed() {
  form.dispatchEvent(new Event("preview"));
}

form.addEventListener("change", (event) => {
  if (event.target.closest(".member-role")) settle(event.target.closest(".member"));
  changed();
});
form.addEventListener("input", (event) => {
  if (event.target.matches("input:not([type=radio], [type=checkbox])")) changed();
});
form.addEventListener("keydown", (event) => {
  // Enter in a field of the imagined order looks again and saves nothing.
  if (event.key === "Enter" && event.target.closest(".imagined")) {
    event.preventDefault();
    changed();
  }
});

for (const button of form.querySelectorAll("[data-add-rule]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const rules = button.parentElement.querySelector("[data-rules]");
    const row = button.parentElement.querySelector("template").content.firstElementChild.cloneNode(true);
    for (const field of row.querySelectorAll("[name]")) field.name = field.name.replace("-pN-", `-p${rules.children.length}-`);
    rules.append(row);
    row.querySelector("[name$='-product']").focus();
  });
}

let dragged = null;
form.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".member") ?? null;
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.account);
  dragged.classList.add("dragged");
});
form.addEventListener("dragend", () => {
  dragged?.classList.remove("dragged");
  for (const zone of form.querySelectorAll(".zone.over")) zone.classList.remove("over");
  dragged = null;
});
for (const zone of form.querySelectorAll("[data-zone]")) {
  zone.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!dragged) return;
    choose(dragged, zone.dataset.zone);
    changed();
  });
}
// Text in a field is selected with the mouse: the row must not be dragged by it.
for (const field of form.querySelectorAll(".member input, .member select, .member textarea")) {
  field.addEventListener("pointerdown", () => field.closest(".member").removeAttribute("draggable"));
  field.addEventListener("blur", () => field.closest(".member").setAttribute("draggable", "true"));
}
