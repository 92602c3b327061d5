// The web app over the demo, as its owner walks through it: by labels and roles, as a person or a screen reader finds
// things. No page may complain, or talk to anybody but its server.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { launch, Watch } from './chromium.mjs';
import { Installation, PURPOSE } from './installation.mjs';

const SCREENS = fileURLToPath(new URL('../../../.cache/screens/', import.meta.url));
const PAGES = ['/', '/boards', '/reports', '/insights', '/funnels', '/flows', '/sql', '/retention', '/retention/lifecycle', '/retention/stickiness', '/retention/frequency', '/annotations', '/properties', '/live', '/people', '/cohorts', '/ledger', '/setup'];
const REASON = 'ticket 4812, asks why the invoice was sent twice';

describe('the app over the demo', { concurrency: false }, () => {
  let browser;
  let server;
  let context;
  let watch;
  let page;

  before(async () => {
    mkdirSync(SCREENS, { recursive: true });
    [browser, server] = await Promise.all([launch(), Installation.demo(300, 30)]);
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light', reducedMotion: 'reduce' });
    watch = new Watch(context, [server.host]);
    page = await context.newPage();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const main = () => page.getByRole('main');
  const answer = () => page.getByRole('region', { name: 'Answer' });

  async function open(path) {
    await page.goto(server.url + path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
  }

  async function shoot(name) {
    await page.screenshot({ path: `${SCREENS}${name}.png`, fullPage: true });
  }

  test('the printed link signs in', async () => {
    assert.match(server.loginUrl, /^http:\/\/127\.0\.0\.1:\d+\/login#.{43,}$/);
    await page.goto(server.loginUrl);
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    const code = server.loginUrl.split('#')[1];
    assert.ok(!page.url().includes(code), 'the code must not stay in the address');
    await page.getByRole('region', { name: 'Tier' }).getByText('T0').waitFor();
    watch.check();
  });

  test('a second use of it is refused', async () => {
    const stranger = await browser.newContext();
    const theirs = new Watch(stranger, [server.host]);
    const tab = await stranger.newPage();
    await tab.goto(server.loginUrl);
    await tab.getByText('This link no longer works').waitFor();
    await tab.goto(`${server.url}/people`);
    await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal(await tab.getByRole('navigation', { name: 'Pages' }).count(), 0);
    theirs.expect(/401/);
    theirs.check();
    await stranger.close();
  });

  test('overview shows numbers', async () => {
    await open('/');
    await page.waitForFunction(() => /\d/.test(document.querySelector('main')?.innerText ?? ''));
    const text = await main().innerText();
    assert.match(text, /\d/);
    assert.doesNotMatch(text, /NaN|undefined|\[object/);
    await main().locator('svg').first().waitFor();
    await shoot('overview-light');
    watch.check();
  });

  test('insights splits by a property', async () => {
    await open('/insights');
    await answer().getByRole('table').waitFor();
    const before = await answer().getByRole('table').getByRole('row').count();
    await choose('Add a breakdown', 'Browser', 'Breakdown 1');
    await page.waitForFunction(
      (rows) => document.querySelectorAll('[aria-label="Answer"] table tr').length > rows,
      before,
    );
    await answer().getByRole('table').getByText('Chrome').first().waitFor();
    await page.getByLabel('What is counted').selectOption({ index: 0 });
    await page.getByRole('button', { name: 'How it was counted' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // The address holds the report: opened again it is the same one.
    await page.waitForLoadState('networkidle');
    const shown = await answer().getByRole('table').innerText();
    await page.reload();
    await answer().getByRole('table').getByText('Chrome').first().waitFor();
    assert.equal(await answer().getByRole('table').innerText(), shown);
    await shoot('insights-light');
    watch.check();
  });

  test('the app and the API answer the same number', async () => {
    // Signed in by its cookie, the API takes the same question; the table must show its numbers.
    await open('/insights');
    const asked = page.waitForResponse((response) => response.url().endsWith('/query') && response.ok());
    await page.reload();
    const { answer: numbers } = await (await asked).json();
    await answer().getByRole('table').waitFor();
    const text = (await answer().getByRole('table').innerText()).replaceAll(/[\u202f\u00a0,. ]/g, '');
    const total = String(Math.round(numbers.series[0].total));
    assert.ok(text.includes(total), `${total} is not in the table`);
    watch.check();
  });

  test('a funnel of two steps', async () => {
    await open('/funnels');
    await choose('Event of step 1', 'Landing Viewed');
    await choose('Event of step 2', 'Signed Up');
    await page.getByRole('region', { name: 'Summary' }).getByText(/converted/).waitFor();
    const summary = await page.getByRole('region', { name: 'Summary' }).innerText();
    assert.match(summary, /\d+([.,]\d+)?\s?%/);
    await shoot('funnel-light');
    watch.check();
  });

  test('retention', async () => {
    await open('/retention');
    await page.getByText('Cohorts').first().waitFor();
    await answer().getByRole('table').first().waitFor();
    assert.match(await answer().innerText(), /%/);
    await shoot('retention-light');
    watch.check();
  });

  test('who came, stayed and left', async () => {
    await open('/retention');
    await page.getByRole('link', { name: 'Lifecycle' }).click();
    await page.getByText('Who came, stayed and left').waitFor();
    const columns = await answer().getByRole('columnheader').allInnerTexts();
    assert.deepEqual(columns, ['Segment', 'Time', 'New', 'Returning', 'Resurrected', 'Active', 'Dormant', 'Change']);
    await shoot('lifecycle-light');
    await page.getByRole('link', { name: 'Stickiness' }).click();
    await page.getByText('DAU / WAU over time').waitFor();
    await page.getByRole('link', { name: 'Frequency' }).click();
    await page.getByText('Active in so many hours of a day').waitFor();
    watch.check();
  });

  test('who is behind a number, by keyboard: who came back, and who did not', async () => {
    await open('/retention');
    const table = answer().getByRole('table').last();
    const stops = table.locator('td button[tabindex="0"]');
    await stops.waitFor();
    assert.equal(await stops.count(), 1, 'a table is one tab stop');
    await stops.focus();
    const born = Number(await stops.innerText());
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    const people = async () => Number(/([\d,]+) (?:person|people)/.exec(await dialog.innerText())[1].replaceAll(',', ''));
    await dialog.getByText('recorded in the ledger').waitFor();
    const returned = await people();
    const listed = page.waitForResponse((response) => response.url().endsWith('/query/members'));
    await dialog.getByText('Did not', { exact: true }).click();
    await listed;
    await page.waitForLoadState('networkidle');
    assert.equal(returned + (await people()), born, 'everybody born either came back or did not');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.ok(await page.evaluate(() => document.activeElement?.matches('td button')), 'back where it was opened');
    watch.check();
  });

  test('every kind of answer opens its people', async () => {
    for (const path of ['/insights', '/funnels', '/flows', '/retention/lifecycle', '/retention/stickiness', '/retention/frequency']) {
      await open(path);
      const number = answer().locator('td button').first();
      await number.click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('link').first().waitFor();
      const counted = Number((await number.innerText()).replaceAll(/\D/g, ''));
      assert.match(await dialog.innerText(), new RegExp(`\\b${counted.toLocaleString('en')} (person|people)`), path);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    }
    await open('/flows');
    await answer().locator('svg [role="button"]').first().press('Enter');
    await page.getByRole('button', { name: 'Who they are' }).click();
    await page.getByRole('dialog').getByRole('link').first().click();
    await page.getByRole('heading', { level: 1, name: /Person/ }).waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0, 'a link out of the drawer leaves it');
    watch.check();
  });

  test('who may not see people can keep them as a cohort, and asks for no list', async () => {
    const analyst = async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), role: 'analyst' } });
    };
    const lists = [];
    const note = (request) => request.url().endsWith('/query/members') && lists.push(request.url());
    await page.route('**/api/v1/session', analyst);
    page.on('request', note);
    for (const [place, path] of ['/retention', '/insights', '/funnels', '/flows', '/retention/lifecycle', '/retention/stickiness', '/retention/frequency'].entries()) {
      await open(path);
      await answer().locator('td button').first().click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name of the cohort').fill(`Behind ${path}`);
      await dialog.getByLabel('Who is in it later').selectOption({ index: place % 2 });
      await dialog.getByRole('button', { name: 'Save', exact: true }).click();
      await dialog.getByText(/Saved as cohort \d+/).waitFor();
      assert.equal(await dialog.getByRole('link').count(), 0, path);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    }
    assert.deepEqual(lists, []);
    page.off('request', note);
    await page.unroute('**/api/v1/session', analyst);
    await open('/cohorts');
    for (const words of ['Behind /retention', 'Behind /flows']) await main().getByText(words, { exact: true }).first().waitFor();
    await shoot('cohorts-light');
    watch.check();
  });

  test('live rows open to their properties', async () => {
    await open('/live');
    const row = main().getByRole('listitem').first().getByRole('button').first();
    await row.click();
    assert.equal(await row.getAttribute('aria-expanded'), 'true');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused').waitFor();
    await shoot('live-light');
    watch.check();
  });

  test('people, a profile, and a reveal that the ledger shows', async () => {
    await open('/people');
    await page.getByRole('table', { name: 'People by number' }).waitFor();
    const people = await main().innerText();
    assert.match(people, /\d+ people by number/);
    assert.doesNotMatch(people, /@/, 'no e-mail in the list of people');
    await shoot('people-light');

    const number = await knownPerson();
    await page.goto(`${server.url}/people/${number}`);
    const identity = page.getByRole('region', { name: 'Identity' });
    await identity.getByText('Sealed in the vault').waitFor();
    assert.doesNotMatch(await main().innerText(), /@/, 'no e-mail before the reveal');
    await shoot('profile-light');
    await identity.getByRole('button', { name: 'Reveal identity' }).click();
    const dialog = page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: 'Reveal, and record it' });
    assert.ok(await confirm.isDisabled(), 'no reveal without a reason');
    await dialog.getByLabel('Purpose').selectOption('support');
    await dialog.getByLabel('Reason').fill(REASON);
    await shoot('reveal-light');
    await confirm.click();
    await identity.getByText(/ledger entry \d+/).waitFor();
    const shown = await identity.innerText();
    assert.match(shown, /\S+@\S+\.\S+/, 'the e-mail address appears');
    assert.match(shown, /Name/, 'the name appears');
    await shoot('revealed-light');
    const entry = /ledger entry (\d+)/.exec(shown)[1];

    await identity.getByRole('link', { name: /ledger entry/ }).click();
    const ledger = page.getByRole('table', { name: /Disclosures/ });
    const row = ledger.getByRole('row').filter({ has: page.getByRole('rowheader', { name: entry, exact: true }) });
    await row.waitFor();
    const cells = await row.innerText();
    assert.match(cells, /reveal/);
    assert.match(cells, /D3/);
    assert.match(cells, new RegExp(`\\b${number}\\b`));
    assert.doesNotMatch(await main().innerText(), /@|4812/, 'the ledger repeats neither identity nor reason');
    await shoot('ledger-light');
    watch.check();
  });

  test('setup shows what to copy', async () => {
    await open('/setup');
    const text = await main().innerText();
    assert.match(text, /fpw_[0-9A-Za-z]{36}/);
    assert.match(text, /lib\.js/);
    assert.match(text, new RegExp(server.host.replaceAll('.', '\\.')));
    await page.getByText('Events arrive').waitFor();
    await shoot('setup-light');
    watch.check();
  });

  test('every page: labels, one heading, landmarks, reachable by tab', async () => {
    for (const path of PAGES) {
      await open(path);
      const problems = await page.evaluate(accessibilityProblems);
      assert.deepEqual(problems, [], path);
      const missed = await missedByTab();
      assert.deepEqual(missed, [], `${path}: not reached by Tab`);
    }
    watch.check();
  });

  test('every page in the dark, and on a phone without sideways scrolling', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    for (const path of PAGES) {
      await open(path);
      const name = path.slice(1) || 'overview';
      const [ground, ink] = await page.evaluate(() => {
        const light = (colour) => {
          const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
          canvas.fillStyle = colour;
          canvas.fillRect(0, 0, 1, 1);
          const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const style = getComputedStyle(document.body);
        return [light(style.backgroundColor), light(style.color)];
      });
      assert.ok(ground < 60 && ink > 180, `${path}: dark ground ${ground}, light ink ${ink}`);
      await shoot(`${name}-dark`);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of PAGES) {
      await open(path);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${path}: ${over} px too wide`);
      await shoot(`${path.slice(1) || 'overview'}-phone`);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    watch.check();
  });

  test('signing out closes the app', async () => {
    await open('/');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(`${server.url}/people`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    watch.expect(/401/);
    watch.check();
  });

  /** Opens a picker, types the wanted name and takes the first that fits, with the mouse. `then`: the button after it. */
  async function choose(label, wanted, then = label) {
    await page.getByRole('button', { name: label }).click();
    await page.getByRole('combobox', { name: `Search in ${label}` }).fill(wanted);
    await page.getByRole('option').filter({ hasText: wanted }).first().click();
    await page.getByRole('button', { name: then, exact: true }).filter({ hasText: wanted }).waitFor({ timeout: 5000 });
    await page.waitForLoadState('networkidle');
  }

  /** The number of somebody who has an e-mail address, found by the API: not everybody in the demo signed up. */
  async function knownPerson() {
    const rows = page.getByRole('table', { name: 'People by number' }).getByRole('rowheader');
    for (const number of await rows.allInnerTexts()) {
      const response = await context.request.post(`${server.url}/api/v1/projects/1/people/${number}/reveal`, {
        data: { purpose: PURPOSE },
        headers: { Origin: server.url },
      });
      assert.equal(response.status(), 200, await response.text());
      const { fields } = await response.json();
      if (fields.$email && fields.$name) return Number(number);
    }
    throw new Error('nobody in the first page of people has a name and an e-mail address');
  }

  /** Main controls that pressing Tab through the page does not reach. */
  async function missedByTab() {
    await page.evaluate(() => {
      document.activeElement?.blur();
      scrollTo(0, 0);
      const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('[inert]');
      const controls = [...document.querySelectorAll('a[href], button:not([disabled]), select, textarea, input:not([type=hidden])')];
      window.wanted = new Set(controls.filter((element) => shown(element) && !element.closest('table, ul[class]') && element.type !== 'radio'));
      document.addEventListener('focusin', ({ target }) => window.wanted.delete(target));
    });
    for (let presses = 0; presses < 150; presses++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => window.wanted.size === 0)) break;
    }
    return page.evaluate(() => [...window.wanted].map((element) => element.outerHTML.slice(0, 120)));
  }
});

/** Runs in the page: what a screen reader would stumble over. */
function accessibilityProblems() {
  const problems = [];
  const text = (id) => document.getElementById(id)?.textContent?.trim() ?? '';
  const nameOf = (element) =>
    element.getAttribute('aria-label')?.trim() ||
    (element.getAttribute('aria-labelledby') ?? '').split(' ').map(text).join(' ').trim() ||
    [...(element.labels ?? [])].map((label) => label.textContent.trim()).join(' ') ||
    (element.matches('button, a, summary') ? element.textContent.trim() : '') ||
    element.getAttribute('title') || '';
  for (const element of document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href], [role=button]')) {
    if (!nameOf(element)) problems.push(`no name: ${element.outerHTML.slice(0, 120)}`);
  }
  for (const image of document.querySelectorAll('img, svg[role=img]')) {
    if (!image.getAttribute('alt') && !image.getAttribute('aria-label') && !image.getAttribute('aria-labelledby')) {
      problems.push(`no alternative: ${image.outerHTML.slice(0, 120)}`);
    }
  }
  for (const svg of document.querySelectorAll('svg:not([role])')) {
    if (svg.closest('[aria-hidden=true]') === null) problems.push(`a drawing with neither role nor aria-hidden: ${svg.outerHTML.slice(0, 120)}`);
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) problems.push(`two elements are called ${id}`);
  if (document.querySelectorAll('h1').length !== 1) problems.push('not one h1');
  if (document.querySelectorAll('main').length !== 1) problems.push('not one main');
  if (!document.documentElement.lang) problems.push('no language');
  if (!document.title) problems.push('no title');
  for (const table of document.querySelectorAll('table')) {
    if (!table.querySelector('th')) problems.push('a table without header cells');
  }
  return problems;
}
