// Keeps the live page usable while it is replaced under the reader's hands: focus survives a swap, nothing
// is swapped between press and release, and a lost connection is shown instead of old figures.
const UNAUTHORIZED = 4401;

export function watchLive() {
  const live = document.getElementById("live");
  if (!live) {
    document.body.addEventListener("changed", () => {
      if (!document.querySelector("[hx-trigger*='changed']")) location.reload();
    });
    return;
  }
  let socket = null;
  let pressed = false;
  let missed = false;
  let focused = null;

  live.addEventListener("htmx:wsOpen", ({ detail }) => {
    socket = detail.socketWrapper;
    live.classList.remove("stale");
  });
  live.addEventListener("htmx:wsClose", ({ detail }) => {
    socket = null;
    if (detail.event.code === UNAUTHORIZED) location.assign("/accounts/login/?next=/");
    else live.classList.add("stale");
  });
  addEventListener("pointerdown", () => (pressed = true), true);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(release), true);

  function release() {
    pressed = false;
    if (missed && socket) socket.sendImmediately('{"want":"everything"}', live);
    missed = false;
  }

  live.addEventListener("htmx:wsBeforeMessage", (event) => {
    if (pressed) {
      missed = true;
      event.preventDefault();
    }
    focused = document.activeElement?.id;
  });
  live.addEventListener("htmx:wsAfterMessage", () => {
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
  });
}
