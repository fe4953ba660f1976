// Starts the page's behaviours. Each lives in its own module and works without the others.
import { watchDialog } from "./dialog.js";
import { watchLive } from "./live.js";
import { watchPanic } from "./panic.js";
import { watchTheme } from "./switch.js";
import { watchToasts } from "./toasts.js";

watchTheme();
watchToasts();
watchDialog();
watchLive();
watchPanic();

for (const link of document.querySelectorAll("[data-nav]")) {
  const here = link.pathname === "/" ? location.pathname === "/" : location.pathname.startsWith(link.pathname);
  if (here) link.setAttribute("aria-current", "page");
}
