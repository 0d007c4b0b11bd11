// Scripts of the exported site: theme, figures from JSON in the page, a filter for long lists.
(function () {
  var root = document.documentElement;

  function parseFigure(text, dark) {
    if (!dark) { return JSON.parse(text); }
    window.PAPERTIDE.swaps.forEach(function (pair) {
      text = text.split('"' + pair[0] + '"').join('"' + pair[1] + '"');
    });
    return JSON.parse(text);
  }

  function draw() {
    if (!window.Plotly) { return; }
    var name = root.dataset.theme === "dark" ? "dark" : "light";
    document.querySelectorAll(".plot").forEach(function (plot) {
      var data = plot.parentNode.querySelector("script[type='application/json']").textContent;
      var figure = parseFigure(data, name === "dark");
      figure.layout.template = window.PAPERTIDE.templates[name];
      window.Plotly.react(plot, figure.data, figure.layout, {
        displayModeBar: false, responsive: true, showTips: false
      });
    });
  }

  document.getElementById("theme-toggle").addEventListener("click", function () {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { window.localStorage.setItem("papertide-theme", root.dataset.theme); } catch (e) { /* storage is blocked */ }
    draw();
  });

  document.querySelectorAll(".site-search").forEach(function (input) {
    var items = Array.prototype.slice.call(input.closest(".figure").querySelectorAll(".papers > li"));
    input.addEventListener("input", function () {
      var text = input.value.trim().toLowerCase();
      items.forEach(function (item) {
        item.hidden = text !== "" && item.textContent.toLowerCase().indexOf(text) < 0;
      });
    });
  });

  draw();
})();
