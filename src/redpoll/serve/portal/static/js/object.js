// The object's page: an interactive light curve and the cutouts.
import { drawCurve } from "./curve.js";
import { drawCutouts } from "./cutouts.js";

const data = document.getElementById("curve-data");
if (data && globalThis.uPlot) drawCurve(document.getElementById("curve"), JSON.parse(data.textContent));

const images = document.querySelector(".cutouts .images");
if (images) drawCutouts(images, document.getElementById("cutout-controls"));
