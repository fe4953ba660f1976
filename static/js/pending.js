// A switch shows what was asked for at once, as pending, until the server's own word replaces it.
export function watchPending() {
  document.body.addEventListener("htmx:beforeRequest", ({ detail }) => {
    const asked = detail.elt.closest("[data-pending]");
    if (!asked) return;
    asked.classList.add("pending");
    asked.setAttribute("aria-busy", "true");
    if (asked.getAttribute("role") === "switch") turn(asked);
  });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(name, ({ detail }) => {
      const asked = detail.elt.closest("[data-pending]");
      if (!asked?.classList.contains("pending")) return;
      settle(asked);
      if (asked.getAttribute("role") === "switch") turn(asked);
    });
  }
}

function turn(asked) {
  asked.setAttribute("aria-checked", asked.getAttribute("aria-checked") === "true" ? "false" : "true");
}

export function settle(asked) {
  asked.classList.remove("pending");
  asked.removeAttribute("aria-busy");
}
