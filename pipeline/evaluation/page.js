// Filters the texts of the page; without it all of its errors are shown.
"use strict";
(() => {
  const list = document.getElementById("rows");
  if (!list) return;
  const rows = [...list.children];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const controls = document.getElementById("filters");
  const [query, kind, gold, predicted] = ["query", "kind", "gold", "predicted"].map((id) => document.getElementById(id));

  const fits = (row, number) =>
    (!kind.value || row.dataset.kind === kind.value) &&
    (!gold.value || row.dataset.gold === gold.value) &&
    (!predicted.value || row.dataset.predicted === predicted.value) &&
    query.value.toLowerCase().split(/\s+/).every((word) => texts[number].includes(word));

  const apply = () => {
    let shown = 0;
    rows.forEach((row, number) => {
      row.hidden = !fits(row, number);
      shown += !row.hidden;
    });
    document.getElementById("shown").textContent = shown;
    document.getElementById("nothing").hidden = shown > 0;
    document.querySelectorAll("[data-cell]").forEach((cell) => {
      cell.setAttribute("aria-pressed", cell.dataset.cell === gold.value + "," + predicted.value);
    });
  };

  controls.hidden = false;
  controls.addEventListener("input", apply);
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("reset", () => setTimeout(apply));
  document.querySelectorAll("[data-cell]").forEach((cell) => {
    cell.addEventListener("click", () => {
      [gold.value, predicted.value] = cell.dataset.cell.split(",");
      kind.value = "";
      query.value = "";
      apply();
      document.getElementById("texts").scrollIntoView();
    });
  });
  apply();
})();
