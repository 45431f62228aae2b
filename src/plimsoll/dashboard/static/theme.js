// Dark or light, before anything is drawn: what was chosen here last, else what the system says.
"use strict";
(function () {
  let chosen = null;
  try { chosen = localStorage.getItem("plimsoll-theme"); } catch { /* storage may be closed to this page */ }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
