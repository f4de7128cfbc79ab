// Cutouts: pixels come once, stretches are made here.
const BLANK = 65535;
const SOFTENING = 0.1; // fraction of the range where asinh turns from linear to logarithmic

export async function drawCutouts(box, controls) {
  let cutouts;
  try {
    const answer = await fetch(box.dataset.source);
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    cutouts = await answer.json();
  } catch (error) {
    const message = document.createElement("p");
    message.className = "trouble";
    message.textContent = `The cutouts could not be loaded: ${error.message}.`;
    box.after(message);
    return;
  }
  const canvases = [...box.querySelectorAll("canvas")];
  const pixels = Object.fromEntries(canvases.map((c) => [c.dataset.kind, decode(cutouts[c.dataset.kind])]));
  const redraw = () => {
    const chosen = new FormData(controls);
    for (const canvas of canvases) {
      const kind = canvas.dataset.kind;
      const stretch = kind === "difference" ? "linear" : chosen.get("stretch"); // a difference has no bright end
      draw(canvas, cutouts[kind], pixels[kind], stretch, chosen.has("invert"));
    }
  };
  controls.hidden = false;
  controls.addEventListener("change", redraw);
  document.addEventListener("themechange", redraw);
  redraw();
  box.dataset.drawn = canvases.length;
}

function decode(cutout) {
  if (!cutout) return null;
  const bytes = Uint8Array.from(atob(cutout.pixels), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Uint16Array.from({ length: bytes.length / 2 }, (_, i) => view.getUint16(2 * i, true));
}

function draw(canvas, cutout, pixels, stretch, invert) {
  if (!pixels) {
    canvas.classList.add("unreadable");
    canvas.setAttribute("aria-label", `${canvas.dataset.kind} cutout: it cannot be read`);
    return;
  }
  const { width, height } = cutout;
  const grey = table(stretch, invert);
  const isRed = document.documentElement.dataset.theme === "night";
  const image = new ImageData(width, height);
  for (let i = 0; i < pixels.length; i++) {
    const row = height - 1 - Math.floor(i / width); // the first row is the lowest
    const at = 4 * (row * width + (i % width));
    const value = pixels[i] === BLANK ? 128 : grey[pixels[i] >> 4];
    image.data[at] = value;
    image.data[at + 1] = image.data[at + 2] = isRed ? 0 : value;
    image.data[at + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Grey of each of 4096 levels. */
function table(stretch, invert) {
  return Uint8ClampedArray.from({ length: 4096 }, (_, level) => {
    const linear = level / 4095;
    const value = stretch === "asinh" ? Math.asinh(linear / SOFTENING) / Math.asinh(1 / SOFTENING) : linear;
    return 255 * (invert ? 1 - value : value);
  });
}
