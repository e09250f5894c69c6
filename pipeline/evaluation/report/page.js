// Filters the texts of the page; without it all of its errors are shown.
"use strict";
(() => {
  const list = document.getElementById("rows");
  if (!list) return;
  const rows = [...list.children];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const controls = document.getElementById("filters");
  const query = document.getElementById("query");
  const selects = [...controls.querySelectorAll("select")];
  const cells = [...document.querySelectorAll(".cell")];

  // A row has a list of values for each select, which bears the name of its data; nothing selected fits every row.
  const fits = (row, number) =>
    selects.every((select) => !select.value || (row.dataset[select.id] || "").split(" ").includes(select.value)) &&
    query.value.toLowerCase().split(/\s+/).every((word) => texts[number].includes(word));

  const apply = () => {
    let shown = 0;
    rows.forEach((row, number) => {
      row.hidden = !fits(row, number);
      shown += !row.hidden;
    });
    document.getElementById("shown").textContent = shown;
    document.getElementById("nothing").hidden = shown > 0;
    cells.forEach((cell) => {
      const chosen = selects.every((select) => !(select.id in cell.dataset) || select.value === cell.dataset[select.id]);
      cell.setAttribute("aria-pressed", chosen);
    });
  };

  controls.hidden = false;
  controls.addEventListener("input", apply);
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("reset", () => setTimeout(apply));
  cells.forEach((cell) => {
    cell.addEventListener("click", () => {
      selects.forEach((select) => (select.value = cell.dataset[select.id] || ""));
      query.value = "";
      apply();
      document.getElementById("texts").scrollIntoView();
    });
  });
  apply();
})();
