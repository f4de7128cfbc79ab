// The light curve: uPlot gives axes, zoom and cursor; points, error bars and upper limits are drawn in its hooks.
import { coloursOf, drawPoints } from "./marks.js";
import { describe, pointsOf, timeRange, valueRange, visible } from "./points.js";

const NEAR = 28; // CSS pixels within which a point answers the pointer
const MJD_UNIX = 40587;
const LABEL = { mag: "AB magnitude", flux: "Difference flux (µJy)" };

export function drawCurve(figure, data) {
  const controls = document.getElementById("curve-controls");
  const chips = document.getElementById("curve-chips");
  const zoomOut = controls.querySelector("[data-zoom-out]");
  const points = pointsOf(data);
  const state = { unit: remembered() === "flux" ? "flux" : "mag", zoom: null, chart: null };

  function redraw() {
    const off = new Set([...chips.querySelectorAll("input:not(:checked)")].map((input) => `${input.name}:${input.value}`));
    const shown = visible(points, state.unit, off);
    state.chart?.destroy();
    state.chart = chart(figure, shown, state, data.shapes, zoomTo);
    zoomTo(state.zoom);
    report(figure, shown, points.length, state.unit);
  }

  function zoomTo(range) {
    state.zoom = range;
    zoomOut.disabled = range === null;
    const [min, max] = range ?? state.chart.full;
    const [low, high] = valueRange(state.chart.shown, state.unit, min, max);
    state.chart.batch(() => {
      state.chart.setScale("x", { min, max });
      state.chart.setScale("y", { min: low, max: high });
    });
    const isUp = state.unit === "mag"; // brighter up
    figure.dataset.top = isUp ? low : high;
    figure.dataset.bottom = isUp ? high : low;
  }

  for (const input of chips.querySelectorAll("input")) input.disabled = false;
  controls.hidden = false;
  controls.querySelector(`input[value=${state.unit}]`).checked = true;
  controls.addEventListener("change", () => {
    state.unit = new FormData(controls).get("unit");
    remember(state.unit);
    redraw();
  });
  chips.addEventListener("change", redraw);
  zoomOut.addEventListener("click", () => zoomTo(null));
  document.addEventListener("themechange", redraw);
  figure.querySelector("svg.plot").remove();
  redraw();
  new ResizeObserver(() => state.chart.setSize(sizeOf(figure))).observe(figure);
  performance.mark("curve-drawn");
}

function chart(figure, shown, state, shapes, zoomTo) {
  const unit = state.unit;
  const bands = [...Object.keys(shapes), "unknown"].map((band) => `band-${band}`);
  const colours = coloursOf([...bands, "surface", "muted", "line"]);
  const font = `12px ${getComputedStyle(figure).fontFamily}`;
  const axis = { stroke: colours.muted, font, labelFont: font, grid: { stroke: colours.line, width: 1 }, ticks: { show: false } };
  const made = new uPlot(
    {
      ...sizeOf(figure),
      padding: [null, 34, 0, 0],
      legend: { show: false },
      cursor: {
        points: { show: false },
        y: false,
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => zoomTo(null) },
      },
      scales: { x: { time: false, auto: false }, y: { auto: false, dir: unit === "mag" ? -1 : 1 } },
      axes: [
        { ...axis, label: "MJD (TAI, days)", labelSize: 20, size: 28, space: 72, values: (_, ticks) => ticks.map(plainNumber) },
        { ...axis, label: LABEL[unit], labelSize: 20, size: 52, values: (_, ticks) => ticks.map(plainNumber) },
        { ...axis, scale: "x", side: 0, size: 26, space: 92, grid: { show: false }, values: (_, ticks) => ticks.map(date) },
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        draw: [(u) => drawAll(u, shown, unit, shapes, colours)],
        setCursor: [(u) => showTip(u, shown, unit)],
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width < 4) return;
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            zoomTo([u.posToVal(left, "x"), u.posToVal(left + width, "x")]);
          },
        ],
      },
    },
    [shown.map((p) => p.mjd), shown.map((p) => p[unit].y)],
    figure,
  );
  made.shown = shown;
  made.full = timeRange(shown);
  made.tip = document.createElement("div");
  made.tip.className = "tip";
  made.tip.hidden = true;
  made.over.append(made.tip);
  return made;
}

function drawAll(u, shown, unit, shapes, colours) {
  const { left, top, width, height } = u.bbox;
  const placed = shown.map((p) => {
    const { y, err } = p[unit];
    const at = { x: u.valToPos(p.mjd, "x", true), y: u.valToPos(y, "y", true), band: p.band, style: p.style[unit] };
    return err ? { ...at, low: u.valToPos(y - err, "y", true), high: u.valToPos(y + err, "y", true) } : at;
  });
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
  drawPoints(u.ctx, placed, shapes, colours, devicePixelRatio);
  u.ctx.restore();
}

function showTip(u, shown, unit) {
  const { left, top } = u.cursor;
  const near = left < 0 ? null : nearest(u, shown, unit, left, top);
  u.tip.hidden = near === null;
  if (near === null) return;
  const x = u.valToPos(near.mjd, "x");
  u.tip.textContent = `${describe(near, unit)} · ${near.kind.replace("_", " ")}\nMJD ${near.mjd.toFixed(4)} · ${date(near.mjd)}`;
  u.tip.classList.toggle("leftward", x > u.over.clientWidth / 2);
  u.tip.style.left = `${x}px`;
  u.tip.style.top = `${u.valToPos(near[unit].y, "y")}px`;
}

function nearest(u, shown, unit, left, top) {
  let best = null;
  let minSquared = NEAR ** 2;
  for (const p of shown) {
    const d = (u.valToPos(p.mjd, "x") - left) ** 2 + (u.valToPos(p[unit].y, "y") - top) ** 2;
    if (d < minSquared) [best, minSquared] = [p, d];
  }
  return best;
}

function report(figure, shown, total, unit) {
  const upperLimits = shown.filter((p) => p.style[unit] === "limit").length;
  figure.dataset.shown = shown.length;
  figure.dataset.upperLimits = upperLimits;
  document.getElementById("curve-status").textContent = `${shown.length} of ${total} points shown${upperLimits ? `, ${upperLimits} of them upper limits` : ""}.`;
}

function sizeOf(figure) {
  return { width: figure.clientWidth, height: figure.clientHeight };
}

function date(mjd) {
  const when = new Date((mjd - MJD_UNIX) * 86_400_000);
  return Number.isNaN(when.getTime()) ? "" : when.toISOString().slice(0, mjd % 1 ? 16 : 10).replace("T", " ");
}

function plainNumber(value) {
  return String(Number(value.toPrecision(10))).replace("-", "−");
}

function remembered() {
  try {
    return localStorage.getItem("unit");
  } catch {
    return null; // storage is switched off
  }
}

function remember(unit) {
  try {
    localStorage.setItem("unit", unit);
  } catch {
    // see remembered()
  }
}
