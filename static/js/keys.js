// Keys for those who never touch the mouse: the palette, search, places, and the list of these keys.
import { openPalette } from "./palette.js";

const WAIT = 1500; // milliseconds between the two letters of a place, as they were pressed: a busy page is late
let waiting = -WAIT;

function isTyping(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function search() {
  const field = document.querySelector("main input[type=search]");
  if (field) field.focus();
  else openPalette();
}

function go(letter) {
  const place = document.querySelector(`[data-key="${CSS.escape(letter)}"]`);
  if (place) place.click();
}

export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.timeStamp - waiting < WAIT) {
      waiting = -WAIT;
      go(event.key);
    } else if (event.key === "g") {
      waiting = event.timeStamp;
    } else if (event.key === "/") {
      event.preventDefault();
      search();
    } else if (event.key === "?") {
      document.getElementById("keys")?.showModal();
    }
  });
}
