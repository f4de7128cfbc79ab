// The object's page: an interactive light curve and the cutouts.
import { drawCurve } from "./curve.js";
import { drawCutouts } from "./cutouts.js";

const data = document.getElementById("curve-data");
if (data && globalThis.uPlot) drawCurve(document.getElementById("curve"), JSON.parse(data.textContent));

const cutouts = document.querySelector(".cutouts");
if (cutouts) drawCutouts(cutouts, document.getElementById("cutout-controls"));
