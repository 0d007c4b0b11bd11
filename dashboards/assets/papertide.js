// Client-side callbacks of the dashboard: theme, URL, title.
(function () {
  var root = document.documentElement;

  function savedTheme() {
    try { return window.localStorage.getItem("papertide-theme"); } catch (e) { return null; }
  }

  function saveTheme(name) {
    try { window.localStorage.setItem("papertide-theme", name); } catch (e) { /* storage is blocked */ }
  }

  // Follow the system preference unless the user has chosen a theme.
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function (event) {
    if (savedTheme()) { return; }
    root.dataset.theme = event.matches ? "dark" : "light";
    window.dash_clientside.set_props("theme", { data: root.dataset.theme });
  });

  function text(value) {
    if (Array.isArray(value)) { return value.join(","); }
    return value === null || value === undefined || value === "all" ? "" : String(value);
  }

  // Filters to reset when another filter changes.
  var dependents = {
    population: ["period", "from", "to"],
    grain: ["period", "from", "to"],
    kind: ["area", "topic", "topics"],
    area: ["topic"]
  };

  // Filters lose the focus when they are rendered again; give it back to the used last.
  var lastUsed = null;

  function refocus() {
    if (!lastUsed || (document.activeElement && document.activeElement !== document.body)) { return; }
    var filter = document.querySelector(".filter-" + lastUsed.name);
    if (!filter) { return; }
    var radio = Array.prototype.find.call(
      filter.querySelectorAll("input[type=radio]"), function (one) { return one.value === lastUsed.value; }
    );
    var target = radio || filter.querySelector("button, input");
    if (target) { target.focus({ preventScroll: true }); }
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.papertide = {
    theme: function (clicks) {
      if (clicks) {
        root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
        saveTheme(root.dataset.theme);
      }
      return root.dataset.theme;
    },

    navigate: function (values, ids, rendered, search) {
      var shown = (rendered && rendered.values) || {};
      var params = new URLSearchParams(search || "");
      var changed = false;
      ids.forEach(function (id, i) {
        if (!(id.name in shown) || text(values[i]) === text(shown[id.name])) { return; }
        changed = true;
        var value = text(values[i]);
        lastUsed = { name: id.name, value: value };
        if (value) { params.set(id.name, value); } else { params.delete(id.name); }
        (dependents[id.name] || []).forEach(function (name) { params.delete(name); });
      });
      if (!changed) { return window.dash_clientside.no_update; }
      params.delete("page");
      var query = params.toString();
      return query ? "?" + query : "";
    },

    announce: function (rendered) {
      if (!rendered) { return ""; }
      document.title = rendered.title;
      [0, 50, 200].forEach(function (wait) { window.setTimeout(refocus, wait); });
      return rendered.title;
    }
  };
})();
