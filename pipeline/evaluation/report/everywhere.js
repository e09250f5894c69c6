// On every page: what a mark of a chart stands for, on hover and focus; tables that sort by the heading chosen; long
// texts, shortened until they are asked for.
"use strict";

// Shortens those of `texts` that are on display and too long, once.
const shorten = (texts) => {
  for (const text of texts) {
    if (text.dataset.measured || !text.offsetHeight) continue;
    text.dataset.measured = "yes";
    text.classList.add("short");
    if (text.scrollHeight <= text.clientHeight + 2) {
      text.classList.remove("short");
      continue;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "whole";
    button.textContent = document.body.dataset.whole;
    button.addEventListener("click", () => {
      text.classList.remove("short");
      button.remove();
    });
    text.after(button);
  }
};

(() => {
  shorten(document.querySelectorAll(".texts:not(#rows) .text"));
  for (const folded of document.querySelectorAll("details")) {
    folded.addEventListener("toggle", () => shorten(folded.querySelectorAll(".texts .text")));
  }

  // Arrow keys go from mark to mark, so that a chart is one stop of the tab key; the pointer finds the nearest mark.
  for (const chart of document.querySelectorAll("figure svg")) {
    const marks = [...chart.querySelectorAll(".mark")];
    if (!marks.length) continue;
    const line = document.createElement("figcaption");
    line.className = "reading";
    line.setAttribute("aria-live", "polite");
    chart.after(line);
    let current;
    const choose = (mark) => {
      if (mark === current) return;
      current?.classList.remove("chosen");
      marks.forEach((one) => one.setAttribute("tabindex", one === mark ? "0" : "-1"));
      mark.classList.add("chosen");
      line.textContent = mark.textContent;
      current = mark;
    };
    marks[0].setAttribute("tabindex", "0");
    marks.forEach((mark, place) => {
      mark.setAttribute("aria-label", mark.textContent);
      mark.addEventListener("focus", () => choose(mark));
      mark.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        const next = step && marks[place + step];
        if (!step) return;
        event.preventDefault();
        next?.focus();
      });
    });
    chart.addEventListener("pointermove", (event) => {
      const away = (mark) => {
        const box = mark.getBoundingClientRect();
        return Math.hypot(box.x + box.width / 2 - event.clientX, box.y + box.height / 2 - event.clientY);
      };
      const nearest = marks.reduce((one, other) => (away(other) < away(one) ? other : one));
      if (away(nearest) < 60) choose(nearest);
    });
  }

  // A column of numbers sorts by the first number of each cell, from the highest on; others by their text.
  const number = (cell) => parseFloat(cell.textContent.replace(/,/g, "").replace("−", "-").replace("±", ""));
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const compare = (column) => (one, other) => {
      const [first, second] = [one.cells[column], other.cells[column]];
      const [left, right] = [number(first), number(second)];
      if (column && (isNaN(left) || isNaN(right))) return isNaN(left) - isNaN(right);
      return column ? right - left : first.textContent.localeCompare(second.textContent);
    };
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const turned = heading.getAttribute("aria-sort") === (column ? "descending" : "ascending");
        const rows = [...body.rows].sort(compare(column));
        body.append(...(turned ? rows.reverse() : rows));
        table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", (column > 0) !== turned ? "descending" : "ascending");
      });
    });
  }
})();
