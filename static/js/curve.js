// The session's equity curve: realized in the colour of its sign, with open positions dashed. The chart comes after
// the first paint, and anew when a fill was added; without it the page's table says the same.
const LEAST = 2000;

export function watchCurve() {
  const room = document.getElementById("curve");
  const live = document.getElementById("live");
  if (!room?.dataset.chart) {
    if (room) room.querySelector(".curve-empty").textContent = "The chart's script is not installed: see all fills.";
    return;
  }
  const curve = new Curve(room);
  requestIdleCallback(() => curve.load(), { timeout: 1500 });
  live.addEventListener("shown", ({ detail }) => detail === "overview" && curve.load());
  live.addEventListener("ticked", () => curve.tail());
  document.addEventListener("looked", () => curve.draw());
  new ResizeObserver(() => curve.fit()).observe(room);
}

class Curve {
  points = null;
  chart = null;
  fill = null;
  busy = false;

  constructor(room) {
    this.room = room;
  }

  async load() {
    const newest = document.getElementById("overview").dataset.fill;
    if (this.busy || newest === this.fill || newest === "0") return;
    this.busy = true;
    try {
      await script(this.room.dataset.chart);
      const answer = await fetch(this.room.dataset.points, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      this.points = await answer.json();
      this.fill = newest;
      this.draw();
    } finally {
      setTimeout(() => {
        this.busy = false;
        if (this.fill !== document.getElementById("overview").dataset.fill) this.load();
      }, LEAST);
    }
  }

  draw() {
    if (!this.points?.at.length) return;
    this.chart?.destroy();
    this.room.querySelector(".curve-tip")?.remove();
    this.room.querySelector(".curve-empty")?.remove();
    const { at, realized, total } = this.points;
    const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const colour = resolved(this.room, (realized.at(-1) ?? 0) < 0 ? "--down" : "--up");
    const text = resolved(this.room, "--muted");
    const line = resolved(this.room, "--line");
    const zone = document.documentElement.dataset.zone;
    const clock = (_, ticks) => ticks.map((tick) => time(tick, zone).slice(0, 5));
    const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: `11px ${ink("--font")}` };
    const hidden = document.documentElement.dataset.values === "hidden";
    this.chart = new uPlot(
      {
        width: this.room.clientWidth,
        height: this.room.clientHeight,
        legend: { show: false },
        cursor: { y: false, points: { size: 6 } },
        scales: { x: { time: true } },
        axes: [{ ...axis, space: 80, values: clock }, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => (hidden ? "•••" : dollars(tick))) }],
        series: [
          {},
          { stroke: colour, width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: at.length < 60, size: 4 } },
          { stroke: text, width: 1.5, dash: [5, 4], points: { show: false } },
        ],
        hooks: { setCursor: [(chart) => this.tell(chart.cursor.idx, chart.cursor.left)] },
      },
      [[...at, Math.max(Date.now() / 1000, at.at(-1))], [...realized, realized.at(-1)], [...total, this.now() ?? total.at(-1)]],
      this.room,
    );
    this.room.append(this.tip());
  }

  // What open positions are worth now, from the page's own cells.
  now() {
    const open = amount(document.querySelector("[data-live='sum.open']"));
    return open === null ? null : this.points.realized.at(-1) + open;
  }

  tail() {
    if (!this.chart) return;
    const data = this.chart.data.map((column) => [...column]);
    data[0][data[0].length - 1] = Date.now() / 1000;
    data[2][data[2].length - 1] = this.now() ?? data[2].at(-2);
    this.chart.setData(data);
  }

  tip() {
    const tip = document.createElement("div");
    tip.className = "curve-tip";
    tip.hidden = true;
    return tip;
  }

  tell(index, left) {
    const tip = this.room.querySelector(".curve-tip");
    if (!tip) return;
    tip.hidden = index === null || index === undefined || left < 0;
    if (tip.hidden) return;
    const fill = this.points.fills[index];
    const at = time(this.chart.data[0][index], document.documentElement.dataset.zone);
    const [account, side, qty, symbol, price] = fill ?? [];
    const head = document.createElement("strong");
    head.textContent = fill ? `${at}  ${side} ${qty} ${symbol} at ${price}` : `${at}  now`;
    const sums = document.createElement("span");
    sums.className = "money";
    sums.textContent = `realized ${signed(this.chart.data[1][index])}, with open ${signed(this.chart.data[2][index])}`;
    tip.replaceChildren(head, ...(account ? [`${account} · `] : []), sums);
    tip.style.left = `${Math.min(Math.max(left - 40, 66), this.room.clientWidth - tip.offsetWidth - 4)}px`;
  }

  fit() {
    this.chart?.setSize({ width: this.room.clientWidth, height: this.room.clientHeight });
  }
}

function resolved(room, name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  room.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function amount(cell) {
  if (!cell) return null;
  const number = Number(cell.textContent.replace("−", "-").replace(/[^\d.-]/g, ""));
  return Number.isFinite(number) ? number : null;
}

// In the reader's own zone, as all times of the page.
const time = (seconds, zone) => new Date(seconds * 1000).toLocaleTimeString("en-GB", { timeZone: zone || undefined });
const dollars = (value) => `${value < 0 ? "−" : ""}$${Math.abs(value).toLocaleString("en-US")}`;
const signed = (value) => `${value > 0 ? "+" : ""}${dollars(Math.round(value * 100) / 100)}`;

function script(address) {
  if (window.uPlot) return Promise.resolve();
  return new Promise((done, failed) => {
    const tag = document.createElement("script");
    tag.src = address;
    tag.onload = done;
    tag.onerror = failed;
    document.head.append(tag);
  });
}
