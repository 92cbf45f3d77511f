// Opens a report in Chromium: accessibility (axe-core), requests, keyboard, screenshots.
// Usage: node check_report.js REPORT.html DIRECTORY_OF_SCREENSHOTS
"use strict";
const fs = require("fs");
const os = require("os");
const path = require("path");
const { pathToFileURL } = require("url");
const { chromium } = require("playwright-core");

const [report, shots] = process.argv.slice(2);
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const faults = [];
const expect = (holds, text) => { if (!holds) faults.push(text); };

const open = async (scheme, width, height) => {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "report-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    headless: true,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    viewport: { width, height },
    colorScheme: scheme,
    bypassCSP: true,
  });
  const page = await context.newPage();
  const close = async () => { await context.close(); fs.rmSync(profile, { recursive: true, force: true }); };
  return { page, close };
};

const keyboard = async (page, where) => {
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement.className) === "skip", `${where}: the first stop skips`);
  const head = page.locator("table[data-sort] thead th").nth(1);
  await head.locator("button").focus();
  for (const order of ["ascending", "descending"]) {
    await page.keyboard.press("Enter");
    expect(await head.getAttribute("aria-sort") === order, `${where}: sorted ${order}`);
    const column = await page.evaluate(() => Array.from(document.querySelector("table[data-sort] tbody.rows").rows,
      (row) => parseFloat(row.cells[1].textContent.replace("\u2212", "-"))));
    const sorted = [...column].sort((a, b) => (order === "ascending" ? a - b : b - a));
    expect(JSON.stringify(column) === JSON.stringify(sorted), `${where}: rows are ${order}`);
  }
  const select = page.locator(".filters select").first();
  if (await select.count()) {
    await select.focus();
    await page.keyboard.press("ArrowDown");
    const chosen = await select.inputValue();
    const left = await page.evaluate(() => Array.from(document.querySelectorAll("table[data-filter] tbody.rows tr:not([hidden])"),
      (row) => row.cells[0].textContent));
    expect(left.length > 0 && left.every((text) => text === chosen), `${where}: rows of ${chosen} alone are left`);
  }
};

const check = async (scheme, width, height) => {
  const where = `${scheme} ${width}`;
  const { page, close } = await open(scheme, width, height);
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => faults.push(`${where}: ${error.message}`));
  await page.goto(pathToFileURL(path.resolve(report)).href);
  const loaded = await page.evaluate(() => Math.round(performance.getEntriesByType("navigation")[0].loadEventEnd));
  expect(requests.length === 1, `${where}: ${requests.length} requests`);
  expect(await page.evaluate(() => document.documentElement.scrollWidth) <= width, `${where}: wider than the screen`);
  await page.screenshot({ path: path.join(shots, `report-${scheme}-${width}.png`) });
  await keyboard(page, where);
  await page.evaluate(() => { for (const one of document.querySelectorAll("details")) one.open = true; });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document));
  for (const one of violations) faults.push(`${where}: ${one.id}: ${one.help} (${one.nodes[0].target.join(" ")})`);
  console.log(`${where}: open in ${loaded} ms, ${requests.length} request, ${violations.length} violations`);
  await close();
};

(async () => {
  fs.mkdirSync(shots, { recursive: true });
  for (const scheme of ["light", "dark"]) {
    for (const [width, height] of [[390, 844], [1280, 1500]]) await check(scheme, width, height);
  }
  for (const fault of faults) console.error(fault);
  process.exit(faults.length ? 1 : 0);
})();
