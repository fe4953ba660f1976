// Places the why and the remedy of a status beside it, inside the window; Escape puts it away.
export function watchTips() {
  for (const name of ["pointerover", "focusin"]) {
    document.addEventListener(name, ({ target }) => {
      const host = target.closest?.("[data-tip]");
      if (host) place(host);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const host of document.querySelectorAll("[data-tip]:hover, [data-tip]:focus-within")) host.classList.add("told");
  });
  addEventListener("scroll", () => document.activeElement?.closest?.("[data-tip]") && place(document.activeElement.closest("[data-tip]")), { passive: true, capture: true });
}

function place(host) {
  const tip = host.querySelector(":scope > .tip");
  host.classList.remove("told");
  const around = host.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = tip;
  const below = around.bottom + height + 6 < innerHeight;
  tip.style.left = `${Math.max(6, Math.min(around.left, innerWidth - width - 6))}px`;
  tip.style.top = `${below ? around.bottom + 4 : Math.max(6, around.top - height - 4)}px`;
}
