// How pages look and sound: applied at once, kept by the server for every browser; a visitor's theme in a cookie.
const root = document.documentElement;

export const looks = { sounds: () => root.dataset.sounds === "on", notices: () => root.dataset.notices === "on" };

export function watchLook() {
  for (const form of document.querySelectorAll("[data-look]")) form.addEventListener("change", () => chosen(form));
  document.body.addEventListener("look", ({ detail }) => apply(detail));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) turn();
    const one = event.target.closest("[data-look-set]");
    if (one) keep({ [one.dataset.lookSet]: one.value });
  });
}

async function chosen(form) {
  const wanted = new FormData(form);
  for (const box of form.querySelectorAll("[type=checkbox]")) wanted.set(box.name, box.checked);
  // Browsers only ask a person for permission after a click of theirs, so here and not at the first alarm.
  if (wanted.get("desktop_notices") === "true" && "Notification" in window) await Notification.requestPermission();
  keep(wanted);
}

export function keep(values) {
  const body = values instanceof FormData ? values : Object.entries(values).reduce(add, new FormData());
  apply(Object.fromEntries(body));
  htmx.ajax("POST", "/settings/look/", { values: Object.fromEntries(body), swap: "none" });
}

function add(form, [name, value]) {
  form.set(name, value);
  return form;
}

function apply(look) {
  const on = (value) => value === true || value === "true" || value === "on";
  if (look.theme) {
    root.dataset.theme = look.theme;
    remember(look.theme);
  }
  if (look.colours) root.dataset.colours = look.colours;
  if ("hide_values" in look) root.dataset.values = on(look.hide_values) ? "hidden" : "shown";
  if ("sounds" in look) root.dataset.sounds = on(look.sounds) ? "on" : "off";
  if ("desktop_notices" in look) root.dataset.notices = on(look.desktop_notices) ? "on" : "off";
  for (const form of document.querySelectorAll("[data-look]")) show(form);
  document.dispatchEvent(new CustomEvent("looked"));
}

function show(form) {
  const { theme, colours, values, sounds, notices } = root.dataset;
  for (const radio of form.querySelectorAll("[type=radio]")) radio.checked = radio.value === { theme, colours }[radio.name];
  const ticks = { hide_values: values === "hidden", sounds: sounds === "on", desktop_notices: notices === "on" };
  for (const box of form.querySelectorAll("[type=checkbox]")) box.checked = ticks[box.name];
}

function turn() {
  const light = root.dataset.theme === "light" || (root.dataset.theme === "system" && matchMedia("(prefers-color-scheme: light)").matches);
  apply({ theme: light ? "dark" : "light" });
}

function remember(theme) {
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
}
