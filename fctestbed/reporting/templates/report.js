(() => {
  "use strict";
  const root = document.documentElement;
  const status = document.getElementById("status");
  const theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = isDark() ? "Light colours" : "Dark colours"; };
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); });
  system.addEventListener("change", name);
  name();

  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.previousElementSibling;
      try {
        await navigator.clipboard.writeText(code.textContent);
        status.textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren(code);
        status.textContent = "The command is selected.";
      }
    });
  }

  // A cell's value: a number where its text begins with one, else the text; empty cells are last.
  const value = (row, place) => {
    const text = row.cells[place].textContent.trim();
    const number = parseFloat(text.replace("\u2212", "-").replace("\u221e", "Infinity"));
    return [text === "" ? 2 : isNaN(number) ? 1 : 0, number, text];
  };
  const order = (a, b) => (a[0] === 1 && b[0] === 1 ? a[2].localeCompare(b[2], "en", { numeric: true }) : a[1] - b[1]);
  const sort = (table, place, descending) => {
    const body = table.tBodies[table.tBodies.length - 1];
    const rows = Array.from(body.rows, (row) => [value(row, place), row]);
    rows.sort(([a], [b]) => a[0] - b[0] || (descending ? order(b, a) : order(a, b)));
    body.append(...rows.map(([, row]) => row));
  };
  for (const table of document.querySelectorAll("table[data-sort]")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const descending = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        sort(table, place, descending);
        status.textContent = `Sorted by ${button.textContent}, ${descending ? "descending" : "ascending"}.`;
      });
    });
  }

  for (const table of document.querySelectorAll("table[data-filter]")) {
    const rows = Array.from(table.tBodies[table.tBodies.length - 1].rows);
    const form = document.createElement("div");
    form.className = "filters";
    form.setAttribute("role", "group");
    form.setAttribute("aria-label", "Choose rows");
    const labelled = (text, control) => {
      const label = document.createElement("label");
      label.append(text, control);
      form.append(label);
      return control;
    };
    const search = labelled("any text", document.createElement("input"));
    search.type = "search";
    const choices = [];
    Array.from(table.tHead.rows[0].cells).forEach((head, place) => {
      if (!head.hasAttribute("data-choice")) return;
      const select = labelled(head.textContent.trim(), document.createElement("select"));
      select.add(new Option("all", ""));
      for (const text of new Set(rows.map((row) => row.cells[place].textContent))) select.add(new Option(text, text));
      choices.push([place, select]);
    });
    const count = document.createElement("p");
    count.className = "note";
    count.setAttribute("role", "status");
    const apply = () => {
      const wanted = search.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden = !(
          choices.every(([place, select]) => !select.value || row.cells[place].textContent === select.value) &&
          (!wanted || row.textContent.toLowerCase().includes(wanted))
        );
        shown += !row.hidden;
      }
      count.textContent = `${shown} of ${rows.length} rows`;
    };
    search.addEventListener("input", apply);
    for (const [, select] of choices) select.addEventListener("change", apply);
    count.textContent = `${rows.length} rows`;
    form.append(count);
    table.parentElement.before(form);
  }
})();
