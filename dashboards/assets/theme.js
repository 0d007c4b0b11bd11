// Sets the theme before the first paint: the saved one, or the system preference.
(function () {
  var saved = null;
  try { saved = window.localStorage.getItem("papertide-theme"); } catch (e) { /* storage is blocked */ }
  var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  var known = saved === "dark" || saved === "light";
  document.documentElement.dataset.theme = known ? saved : dark ? "dark" : "light";
})();
