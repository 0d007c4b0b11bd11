// Runs before the page is painted: the remembered theme, or what the system prefers.
(function () {
  var saved = null;
  try { saved = window.localStorage.getItem("papertide-theme"); } catch (e) { /* not allowed */ }
  var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  var known = saved === "dark" || saved === "light";
  document.documentElement.dataset.theme = known ? saved : dark ? "dark" : "light";
})();
