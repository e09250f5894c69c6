// Searches and filters the texts of the page, and shows a few of them at a time; without it all errors are shown.
(() => {
  const FIRST = 6;
  const MORE = 50;
  const list = document.getElementById("rows");
  if (!list) return;
  const rows = [...list.children];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const controls = document.getElementById("filters");
  const query = document.getElementById("query");
  const more = document.getElementById("more");
  const selects = [...controls.querySelectorAll("select")];
  const cells = [...document.querySelectorAll(".cell")];
  let limit = FIRST;

  // A row has a list of values for each select, which bears the name of its data; nothing selected fits every row.
  const fits = (row, number) =>
    selects.every((select) => !select.value || (row.dataset[select.id] || "").split(" ").includes(select.value)) &&
    query.value.toLowerCase().split(/\s+/).every((word) => texts[number].includes(word));

  const apply = () => {
    const found = rows.filter(fits);
    const shown = new Set(found.slice(0, limit));
    rows.forEach((row) => (row.hidden = !shown.has(row)));
    shorten(list.querySelectorAll("li:not([hidden]) .text"));
    document.getElementById("shown").textContent = found.length;
    document.getElementById("nothing").hidden = found.length > 0;
    more.hidden = found.length <= limit;
    cells.forEach((cell) => {
      const chosen = selects.every((select) => !(select.id in cell.dataset) || select.value === cell.dataset[select.id]);
      cell.setAttribute("aria-pressed", chosen);
    });
  };
  const anew = () => {
    limit = FIRST;
    apply();
  };

  controls.hidden = false;
  controls.addEventListener("input", anew);
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("reset", () => setTimeout(anew));
  more.addEventListener("click", () => {
    const next = rows.filter(fits)[limit];
    limit += MORE;
    apply();
    next.setAttribute("tabindex", "-1");
    next.focus({ preventScroll: true });
  });
  cells.forEach((cell) => {
    cell.addEventListener("click", () => {
      selects.forEach((select) => (select.value = cell.dataset[select.id] || ""));
      query.value = "";
      anew();
      list.closest("section").scrollIntoView();
    });
  });
  apply();
})();
