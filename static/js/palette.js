// The palette: every page, group and account, by a few letters. Fetched when it is first opened, kept after.
const dialog = () => document.getElementById("palette");

function options() {
  return [...dialog().querySelectorAll("[role=option]")];
}

function shown() {
  return options().filter((option) => !option.hidden);
}

function choose(option) {
  const input = dialog().querySelector("input");
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  if (option) {
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    input.removeAttribute("aria-activedescendant");
  }
}

function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const option of options()) {
    const name = option.textContent.toLowerCase();
    option.hidden = !words.every((word) => name.includes(word));
  }
  for (const group of dialog().querySelectorAll("[role=group]")) {
    group.hidden = !group.querySelector("[role=option]:not([hidden])");
  }
  const found = shown();
  dialog().querySelector("[data-none]").hidden = found.length > 0;
  choose(found[0]);
}

function visit(option) {
  if (!option) return;
  dialog().close();
  location.assign(option.dataset.url);
}

function move(step) {
  const found = shown();
  if (!found.length) return;
  const now = found.findIndex((option) => option.getAttribute("aria-selected") === "true");
  choose(found[(now + step + found.length) % found.length]);
}

async function fill() {
  const list = dialog().querySelector("[data-palette]");
  if (list.childElementCount) return;
  const answer = await fetch(list.dataset.palette, { headers: { "X-Requested-With": "fetch" } });
  if (answer.redirected || !answer.ok) {
    location.reload(); // the log-in has ended: the page itself says so
    return;
  }
  list.innerHTML = await answer.text();
}

export async function openPalette() {
  const found = dialog();
  if (!found || found.open) return;
  found.showModal();
  const input = found.querySelector("input");
  input.value = "";
  try {
    await fill();
    filter(input.value);
  } catch {
    found.querySelector("[data-away]").hidden = false;
  }
}

export function watchPalette() {
  const found = dialog();
  if (!found) return;
  const input = found.querySelector("input");
  input.addEventListener("input", () => filter(input.value));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      visit(shown().find((option) => option.getAttribute("aria-selected") === "true"));
    }
  });
  found.addEventListener("click", (event) => {
    if (event.target === found) found.close();
    visit(event.target.closest("[role=option]"));
  });
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-open-palette]")) openPalette();
  });
}
