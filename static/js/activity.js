// Counts what is new above the log without moving what is being read. The socket only says that there is
// something; how much of it passes the filters, the page asks.
const UNAUTHORIZED = 4401;
const LONGEST_WAIT = 15000;

let wait = 1000;

function listen() {
  const place = document.getElementById("news");
  if (!place) return;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}${place.dataset.live}`);
  socket.addEventListener("open", () => {
    wait = 1000;
    document.body.classList.remove("log-stale");
    nudge(); // whatever happened while nobody listened
  });
  socket.addEventListener("message", nudge);
  socket.addEventListener("close", ({ code }) => {
    if (code === UNAUTHORIZED) {
      location.reload();
      return;
    }
    document.body.classList.add("log-stale");
    setTimeout(listen, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  });
}

function nudge() {
  const place = document.getElementById("news");
  if (place) window.htmx.trigger(place, "nudge");
}

// A link inside a summary opens its page and not the row.
document.addEventListener("click", (event) => {
  const link = event.target.closest("summary a");
  if (link) event.stopPropagation();
});

// Lists and dates apply at once; words are searched for with Enter.
document.querySelector(".log-filter")?.addEventListener("change", (event) => {
  if (event.target.name && event.target.type !== "search" && event.target.type !== "text") event.currentTarget.requestSubmit();
});

listen();
