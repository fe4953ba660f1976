// The cockpit's socket: envelopes in, cells and parts changed in place. A gap in the numbers asks for everything;
// a lost connection greys the figures, says how old they are, and is tried again with growing patience.
import { alarm } from "./alarm.js";
import { say } from "./toasts.js";
import { morph } from "./morph.js";

const UNAUTHORIZED = 4401;
const PATIENCE = { first: 500, most: 15000 };
const PART = { overview_state: "overview", account_state: "accounts", group_state: "groups", activity_state: "activity" };

export function watchLive() {
  const live = document.getElementById("live");
  if (!live) {
    document.body.addEventListener("changed", () => {
      if (!document.querySelector("[hx-trigger*='changed']")) location.reload();
    });
    return;
  }
  const page = new Page(live);
  page.connect();
  document.addEventListener("looked", () => page.want());
  document.addEventListener("click", (event) => fold(event.target.closest("[data-fold]")));
  document.addEventListener("visibilitychange", () => document.hidden || page.wake());
  addEventListener("online", () => page.wake());
  folded(live);
}

class Page {
  number = 0;
  heardAt = null;
  tries = 0;
  socket = null;
  timer = null;

  constructor(live) {
    this.live = live;
    this.banner = document.getElementById("link-banner");
    setInterval(() => this.age(), 1000);
  }

  connect() {
    clearTimeout(this.timer);
    const address = new URL(this.live.dataset.socket, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = (this.socket = new WebSocket(address));
    this.number = 0;
    socket.addEventListener("message", ({ data }) => this.take(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => socket === this.socket && this.lost(code));
  }

  // The machine slept or the network came back: do not wait for the next try.
  wake() {
    if (this.socket.readyState > WebSocket.OPEN) this.connect();
  }

  want() {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send('{"want":"everything"}');
  }

  lost(code) {
    if (code === UNAUTHORIZED) {
      location.assign(`/accounts/login/?next=${encodeURIComponent(location.pathname)}`);
      return;
    }
    const wait = Math.min(PATIENCE.most, PATIENCE.first * 2 ** this.tries++) * (0.7 + 0.6 * Math.random());
    this.nextAt = Date.now() + wait;
    this.timer = setTimeout(() => this.connect(), wait);
    this.live.classList.add("unlinked");
    this.age();
    this.banner.hidden = false;
  }

  age() {
    if (!this.live.classList.contains("unlinked")) return;
    const seconds = this.heardAt ? Math.round((Date.now() - this.heardAt) / 1000) : null;
    this.banner.querySelector("[data-since]").textContent = seconds === null ? "the page's loading" : `${seconds} s ago`;
    const next = Math.max(0, Math.round((this.nextAt - Date.now()) / 1000));
    this.banner.querySelector("[data-next]").textContent = next ? ` in ${next} s` : "";
  }

  take(envelope) {
    const whole = envelope.frames.some((frame) => frame.kind === "snapshot");
    if (!whole && envelope.since !== this.number) {
      this.want();
      return;
    }
    this.number = envelope.number;
    this.heardAt = Date.now();
    this.tries = 0;
    this.live.classList.remove("unlinked");
    this.banner.hidden = true;
    for (const frame of envelope.frames) this.show(frame);
    this.live.dataset.number = envelope.number;
  }

  show(frame) {
    switch (frame.kind) {
      case "snapshot":
        for (const [name, html] of Object.entries(frame.parts)) this.part(name, html);
        break;
      case "tick_update":
        for (const [name, cell] of Object.entries(frame.cells)) patch(name, cell);
        this.live.dispatchEvent(new CustomEvent("ticked"));
        break;
      case "order_event":
        break; // its line comes with the log; nothing else is to be done
      case "risk_alert":
        alarm(frame);
        say(frame.text, frame.severity);
        break;
      default:
        this.part(PART[frame.kind], frame.html);
    }
  }

  part(name, html) {
    const old = document.getElementById(name);
    const wanted = document.createElement("template");
    wanted.innerHTML = html.trim();
    if (!old || !wanted.content.firstElementChild) return;
    morph(old, wanted.content.firstElementChild);
    const fresh = document.getElementById(name);
    htmx.process(fresh);
    folded(fresh);
    this.live.dispatchEvent(new CustomEvent("shown", { detail: name }));
  }
}

function patch(name, [text, classes]) {
  for (const cell of document.querySelectorAll(`[data-live="${CSS.escape(name)}"]`)) {
    if (cell.textContent !== text) cell.textContent = text;
    const wanted = cell.classList.contains("money") ? `money ${classes}` : classes;
    if (cell.className !== wanted) cell.className = wanted;
  }
}

// Which logins are folded is this browser's business.
const KEY = "folded";

function fold(button) {
  if (!button) return;
  const shut = new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]"));
  const name = button.dataset.fold;
  shut.has(name) ? shut.delete(name) : shut.add(name);
  localStorage.setItem(KEY, JSON.stringify([...shut]));
  folded(document);
}

function folded(where) {
  const shut = new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]"));
  for (const button of where.querySelectorAll("[data-fold]")) {
    const isShut = shut.has(button.dataset.fold);
    button.setAttribute("aria-expanded", !isShut);
    button.closest("[data-login]").classList.toggle("folded", isShut);
  }
}
