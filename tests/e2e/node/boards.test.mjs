// Saved reports, a board and annotations over the demo, as an analyst makes and reads them, with the keyboard alone where
// there is a way with the mouse.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { launch, Watch } from './chromium.mjs';
import { Installation } from './installation.mjs';

const SCREENS = fileURLToPath(new URL('../../../.cache/screens/', import.meta.url));

describe('boards over the demo', { concurrency: false }, () => {
  let browser;
  let server;
  let watch;
  let page;

  before(async () => {
    mkdirSync(SCREENS, { recursive: true });
    [browser, server] = await Promise.all([launch(), Installation.demo(200, 30)]);
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light', reducedMotion: 'reduce' });
    watch = new Watch(context, [server.host]);
    page = await context.newPage();
    await page.goto(server.loginUrl);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const card = (name) => page.getByRole('region', { name, exact: true });
  const names = () => page.locator('[data-card] h2').allInnerTexts();

  async function open(path) {
    await page.goto(server.url + path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
  }

  async function shoot(name) {
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: `${SCREENS}${name}.png`, fullPage: true });
  }

  async function saveAs(path, name) {
    await open(path);
    await page.getByRole('region', { name: 'Answer' }).getByRole('table').first().waitFor();
    await page.getByRole('button', { name: 'Saved reports' }).click();
    await page.getByLabel('Name for this report').fill(name);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    await page.keyboard.press('Escape');
  }

  test('an annotation is written', async () => {
    await open('/annotations');
    await page.getByRole('button', { name: 'Annotate' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What happened').fill('Release 2.0 <b>now</b>');
    await dialog.getByLabel('Tags, by commas').fill('release, web');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Release 2.0 <b>now</b>').waitFor();
    await shoot('annotations');
    watch.check();
  });

  test('reports are saved and have links that stay', async () => {
    await saveAs('/insights', 'Visitors');
    await saveAs('/funnels', 'Way in');
    await saveAs('/retention', 'Comes back');
    await open('/reports');
    await page.getByLabel('Search saved reports').fill('visit');
    await page.getByRole('link', { name: 'Visitors' }).click();
    await page.getByRole('heading', { level: 1, name: 'Visitors' }).waitFor();
    assert.match(page.url(), /\/reports\/1#/);
    // What is not saved lives in the address, behind the same link.
    await page.getByRole('radio', { name: 'Columns' }).check({ force: true });
    await page.waitForFunction(() => location.hash.includes('chart=columns'));
    await page.reload();
    await page.getByRole('radio', { name: 'Columns', checked: true }).waitFor({ state: 'attached' });
    await page.getByRole('button', { name: /^Annotation: .*Release 2\.0/ }).first().waitFor();
    watch.check();
  });

  test('a table leaves the app', async () => {
    await open('/reports/1');
    await page.getByRole('button', { name: 'Download Visitors' }).click();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /^CSV/ }).click()]);
    assert.match(file.suggestedFilename(), /^visitors_.*\.csv$/);
    const text = readFileSync(await file.path(), 'utf8');
    assert.ok(text.startsWith('\uFEFF') && text.includes('\r\n'), text.slice(0, 80));
    watch.check();
  });

  test('a board is made, filled and put in order by keyboard', async () => {
    await open('/boards');
    await page.getByRole('button', { name: 'New board' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Monday');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Monday' }).waitFor();
    await page.getByRole('button', { name: 'Add the first card' }).click();
    for (const name of ['Visitors', 'Way in', 'Comes back']) {
      await page.getByRole('button', { name: 'Add a report' }).click();
      await page.getByRole('dialog', { name: 'Add a report' }).getByRole('button', { name }).click();
      await card(name).waitFor();
    }
    await page.getByRole('button', { name: 'Text', exact: true }).click();
    const text = page.getByRole('textbox', { name: /^Text; a little Markdown/ });
    await text.fill('## Goal\nTwice as many, see [the reports](/reports). <script>alert(1)</script>');
    await text.blur();
    await page.waitForLoadState('networkidle');
    await page.getByRole('button', { name: 'Move Text: arrow keys' }).focus();
    for (let place = 3; place > 0; place -= 1) {
      await page.keyboard.press('ArrowUp');
      await page.waitForFunction((wanted) => [...document.querySelectorAll('[data-card] h2')].findIndex((h) => h.innerText === 'Text') === wanted, place - 1);
    }
    assert.deepEqual(await names(), ['Text', 'Visitors', 'Way in', 'Comes back']);
    await shoot('board-editing');
    await page.getByRole('button', { name: 'Move Comes back: arrow keys' }).dragTo(card('Visitors'));
    await page.waitForFunction(() => document.querySelectorAll('[data-card] h2')[1]?.innerText === 'Comes back');
    await page.getByRole('button', { name: 'Done' }).click();
    watch.check();
  });

  test('the board is read: days for all cards, links to the builders, dark and narrow', async () => {
    await open('/boards/1');
    await page.getByRole('heading', { level: 3, name: 'Goal' }).waitFor();
    await page.getByText('<script>alert(1)</script>').waitFor();
    await card('Visitors').locator('svg[role=group]').waitFor();
    await card('Visitors').getByRole('button', { name: /^Annotation/ }).waitFor();
    await page.getByRole('button', { name: /^Range of days/ }).click();
    await page.getByRole('button', { name: 'Last 7 days' }).click();
    await page.waitForFunction(() => location.hash === '#range=7d');
    await shoot('board-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await shoot('board-dark');
    await page.setViewportSize({ width: 390, height: 844 });
    await shoot('board-phone');
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, 'no sideways scrolling');
    await page.setViewportSize({ width: 1280, height: 900 });
    await card('Visitors').getByRole('link', { name: 'Visitors' }).click();
    await page.waitForURL(/\/reports\/1/);
    watch.check();
  });

  test('a card says that its report was deleted, and the others stay', async () => {
    await open('/reports');
    await page.getByRole('button', { name: 'Change Way in' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await open('/boards/1');
    await page.getByText('The report of this card was deleted.').waitFor();
    await card('Visitors').locator('svg[role=group]').waitFor();
    await shoot('board-deleted');
    watch.expect(/404/);
    watch.check();
  });

  test('the narrow menu works by keyboard', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await open('/boards');
    await page.getByRole('button', { name: 'Menu' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.getAttribute('href') === '/boards');
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Menu');
    watch.check();
  });
});
