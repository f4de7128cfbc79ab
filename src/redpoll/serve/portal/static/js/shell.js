// What every page does: colours before the first paint, keys, copying. A classic script, so that it runs in time.
"use strict";

(() => {
  const root = document.documentElement;
  const THEMES = ["auto", "light", "dark", "night"];

  function remembered() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is switched off: the theme lasts for this page
    }
  }

  function apply(theme) {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
  }

  function choose(theme) {
    apply(theme);
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // see remembered()
    }
    show(theme);
    document.dispatchEvent(new Event("themechange"));
  }

  function show(theme) {
    for (const button of document.querySelectorAll(".themes button")) {
      button.setAttribute("aria-pressed", String(button.dataset.theme === theme));
    }
  }

  const saved = remembered();
  const theme = THEMES.includes(saved) ? saved : "auto";
  apply(theme);

  document.addEventListener("DOMContentLoaded", () => {
    const group = document.querySelector(".themes");
    group.hidden = false;
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) choose(button.dataset.theme);
    });
    show(theme);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      document.dispatchEvent(new Event("themechange"));
    });
    for (const button of document.querySelectorAll("button[data-copy]")) {
      button.hidden = !navigator.clipboard;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.textContent = "copied";
        setTimeout(() => (button.textContent = "copy"), 1500);
      });
    }
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    document.getElementById("q").focus();
  });
})();
