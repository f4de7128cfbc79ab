// Points on a canvas: shape and colour stand for the band, filling for the kind.
const LIMIT = new Path2D("m-3.6-2h7.2l-3.6 5.4z");
const OTHER = "m-3.5 0h7m-3.5-3.5v7";

/** Colours as the style sheet resolves them now, for what is not an element. */
export function coloursOf(names) {
  const probe = document.createElement("span");
  document.body.append(probe);
  const colours = {};
  for (const name of names) {
    probe.className = name;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colours;
}

/**
 * Draw points: `points` are {x, y, low, high, band, style} in canvas pixels, low and high the ends of the error bar.
 * Upper limits and forced points go below detections.
 */
export function drawPoints(context, points, shapes, colours, ratio) {
  const paths = Object.fromEntries(Object.entries(shapes).map(([band, shape]) => [band, new Path2D(shape)]));
  const other = new Path2D(OTHER);
  const order = ["limit", "forced", "faded", "low_quality", "detection"];
  context.save();
  context.lineJoin = "round";
  for (const style of order) {
    for (const point of points) {
      if (point.style === style) drawPoint(context, point, paths[point.band] ?? other, colours, ratio);
    }
  }
  context.restore();
}

function drawPoint(context, point, path, colours, ratio) {
  const colour = colours[`band-${point.band}`];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.strokeStyle = context.fillStyle = colour;
  context.globalAlpha = point.style === "limit" || point.style === "low_quality" ? 0.5 : 1;
  if (point.high !== undefined) {
    context.lineWidth = 1.2 * ratio;
    context.beginPath();
    context.moveTo(point.x, point.low);
    context.lineTo(point.x, point.high);
    context.stroke();
  }
  context.setTransform(ratio, 0, 0, ratio, point.x, point.y);
  context.lineWidth = 1.3;
  if (point.style === "limit") {
    context.stroke(LIMIT);
    return;
  }
  context.fillStyle = point.style === "detection" ? colour : colours.surface;
  context.fill(path);
  context.stroke(path);
}
