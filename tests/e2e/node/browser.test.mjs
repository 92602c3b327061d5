// The browser SDK, unmodified, in a real browser, from another origin: what visitors do must come out as exact numbers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, USER_AGENT, Watch } from './chromium.mjs';
import { Installation, settles } from './installation.mjs';
import { startSite } from './site.mjs';

const PAGE_VIEW = '$mp_web_page_view';
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A browser of its own with nothing in its storage, on a page of the site. */
async function visitor(site, server) {
  const context = await browser.newContext({ userAgent: USER_AGENT });
  const watch = new Watch(context, [site.host, server.host]);
  return { context, watch, page: await context.newPage() };
}

async function visit(page, url) {
  await page.goto(url);
  // The real SDK has taken over from the snippet's stub, and its page view is queued.
  await page.waitForFunction(() => window.site && typeof window.mixpanel.get_distinct_id === 'function');
}

// The second site is another *site* to the browser too, not only another origin: no cookie of ours may matter.
for (const [variant, name] of [['snippet', '127.0.0.1'], ['bundle', 'localhost']]) {
  test(`visitors by ${variant} from ${name}`, async () => {
    const server = await Installation.create();
    const site = await startSite(server, name);
    const url = (path) => `${site.url}/${variant}/${path}`;
    try {
      const laptop = await visitor(site, server);
      await visit(laptop.page, url('pricing'));
      await visit(laptop.page, url('docs'));
      const ann = { id: 'user-1', name: 'Ann Lee', email: 'ann@example.com', plan: 'pro', company: 'acme' };
      await laptop.page.evaluate((who) => window.site.signUp(who), ann);
      await laptop.page.evaluate(() => window.site.order(25));
      await settles(() => server.total(), 2 + 1 + 1 + 1);
      assert.equal(await server.uniques(), 1, 'the anonymous past and the sign-up are one person');

      // A second device with a past of its own signs in as the same person.
      const phone = await visitor(site, server);
      await visit(phone.page, url('landing'));
      await settles(() => server.uniques(), 2);
      await phone.page.evaluate((who) => window.site.signUp(who), ann);
      await settles(() => server.uniques(), 1);

      // Somebody else takes over the laptop, and closes the page at the end.
      await laptop.page.evaluate(() => window.site.signOut());
      await visit(laptop.page, url('home'));
      const bob = { id: 'user-2', name: 'Bob Ray', email: 'bob@example.com', plan: 'free', company: 'bolt' };
      await laptop.page.evaluate((who) => window.site.signUp(who), bob);
      await settles(() => server.total('Signed up'), 3);
      await laptop.page.evaluate(() => window.site.sayGoodbye());
      await laptop.page.close({ runBeforeUnload: true });
      // A third one only looks. What the beacon left in the queue is sent again with the next visit, and counts once.
      const third = await visitor(site, server);
      await visit(third.page, url('pricing'));
      const again = await laptop.context.newPage();
      await visit(again, url('docs'));

      const numbers = async () => ({
        views: await server.total(PAGE_VIEW),
        viewers: await server.uniques(PAGE_VIEW),
        signUps: await server.total('Signed up'),
        signedUp: await server.uniques('Signed up'),
        orders: await server.total('Order placed'),
        identified: await server.total('$identify'),
        goodbyes: await server.total('Left'),
        persons: await server.uniques(),
        funnel: await server.funnel(PAGE_VIEW, 'Signed up', 'Order placed'),
        byPlan: await server.insight('unique', 'Signed up', 'user["plan"]'),
      });
      await settles(numbers, {
        views: 6, viewers: 3, signUps: 3, signedUp: 2, orders: 1, identified: 3, goodbyes: 1, persons: 3,
        funnel: [3, 2, 1], byPlan: { free: 1, pro: 1 },
      });
      for (const who of [ann, bob]) {
        const { fields, identifiers } = await server.reveal(who.id);
        assert.equal(fields.$name, who.name);
        assert.equal(fields.$email, who.email);
        const devices = identifiers.filter(({ kind }) => kind === 'device').length;
        assert.equal(devices, who === ann ? 2 : 1);
      }
      const stored = JSON.stringify(await server.post(`/api/v1/projects/${server.project}/people`, { limit: 100 }));
      assert.doesNotMatch(stored, /ann|bob|acme|bolt/i);
      for (const { watch, context } of [laptop, phone, third]) {
        watch.check();
        await context.close();
      }
    } finally {
      site.stop();
      await server.stop();
    }
  });
}

test('a page of another origin may send with credentials, and may not read the app', async () => {
  const server = await Installation.create();
  const site = await startSite(server, 'localhost');
  try {
    const { page, watch, context } = await visitor(site, server);
    await visit(page, `${site.url}/snippet/home`);
    const sent = await page.evaluate(async ({ server: url, token }) => {
      const event = { event: 'By fetch', properties: { token, distinct_id: 'f' } };
      const body = `data=${encodeURIComponent(btoa(JSON.stringify([event])))}`;
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const simple = await fetch(`${url}/track/?verbose=1`, { method: 'POST', credentials: 'include', headers, body });
      const json = await fetch(`${url}/track?verbose=1`, {
        method: 'POST',
        credentials: 'include',
        headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'a preflight' },
        body: JSON.stringify([event]),
      });
      const refused = await fetch(`${url}/import?strict=1`, { method: 'POST', credentials: 'include', headers, body });
      return { simple: await simple.json(), json: await json.json(), refused: refused.status };
    }, { server: server.url, token: server.token });
    assert.deepEqual(sent, { simple: { error: null, status: 1 }, json: { error: null, status: 1 }, refused: 401 });
    watch.expect(/401/);
    watch.check();
    const read = await page.evaluate(
      (url) => fetch(`${url}/api/v1/session`, { credentials: 'include' }).then(() => 'read', () => 'refused'),
      server.url,
    );
    assert.equal(read, 'refused');
    await context.close();
  } finally {
    site.stop();
    await server.stop();
  }
});

test('/lib.js is the stock SDK, byte for byte', async () => {
  const server = await Installation.create();
  try {
    const response = await fetch(`${server.url}/lib.js`);
    const stock = readFileSync(createRequire(import.meta.url).resolve('mixpanel-browser/dist/mixpanel.min.js'));
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(stock));
    assert.match(response.headers.get('content-type'), /^text\/javascript/);
  } finally {
    await server.stop();
  }
});
