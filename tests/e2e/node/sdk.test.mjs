// Mixpanel's own package for Node, unmodified, pointed here (contract 9).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import Mixpanel from 'mixpanel';
import { Installation } from './installation.mjs';

let server;
let client;

before(async () => {
  server = await Installation.create();
  client = Mixpanel.init(server.token, { host: server.host, protocol: 'http' });
});
after(() => server?.stop());

test('single events by GET, batches by POST', async () => {
  const track = promisify(client.track.bind(client));
  for (let at = 0; at < 5; at++) await track('Node single', { distinct_id: `n-${at % 2}`, at });
  const events = Array.from({ length: 120 }, (_, at) => ({
    event: 'Node batch',
    properties: { distinct_id: `n-${at % 3}`, at, text: 'a>?~ + ü' },
  }));
  await promisify(client.track_batch.bind(client))(events);
  assert.equal(await server.total('Node single'), 5);
  assert.equal(await server.uniques('Node single'), 2);
  assert.equal(await server.total('Node batch'), 120);
  assert.equal(await server.uniques('Node batch'), 3);
  assert.deepEqual(await server.insight('total', 'Node batch', 'properties["text"]'), { 'a>?~ + ü': 120 });
  assert.deepEqual(await server.funnel('Node single', 'Node batch'), [2, 2]);
});

test('profiles: every operation', async () => {
  const people = (operation, ...words) => promisify(client.people[operation].bind(client.people))(...words);
  await people('set', 'p-1', { $name: 'Noda Jess', $email: 'noda@example.com', plan: 'free', age: 30, tags: ['a'] });
  await people('set', 'p-1', 'plan', 'pro');
  await people('set_once', 'p-1', { plan: 'never', first: 'yes' });
  await people('increment', 'p-1', { age: 2, orders: 1 });
  await people('append', 'p-1', { tags: 'b' });
  await people('union', 'p-1', { tags: ['b', 'c'] });
  await people('remove', 'p-1', { tags: 'a' });
  await people('unset', 'p-1', ['first']);
  await people('track_charge', 'p-1', 25, { $time: new Date().toISOString() });
  await people('clear_charges', 'p-1');
  const shown = await server.reveal('p-1');
  assert.deepEqual(shown.fields, { $name: 'Noda Jess', $email: 'noda@example.com' });
  const { people: rows } = await server.post('/api/v1/projects/1/people', { filter: 'properties["plan"] == "pro"' });
  assert.deepEqual(rows.map((row) => row.properties), [{ plan: 'pro', age: 32, orders: 1, tags: ['b', 'c'], $transactions: [] }]);
  await people('delete_user', 'p-1');
  const gone = await server.post('/api/v1/projects/1/people', { filter: 'properties["plan"] == "pro"' });
  assert.equal(gone.people.length, 0);
  assert.deepEqual((await server.reveal('p-1')).fields, {});
});

test('groups', async () => {
  const groups = (operation, ...words) => promisify(client.groups[operation].bind(client.groups))(...words);
  await groups('set', 'company_id', 'acme', { $name: 'Acme SA', size: 'large' });
  await groups('set_once', 'company_id', 'acme', { size: 'small', founded: 1999 });
  await groups('union', 'company_id', 'acme', { tags: ['x', 'x'] });
  await groups('unset', 'company_id', 'acme', ['founded']);
  await promisify(client.track.bind(client))('In group', { distinct_id: 'g-1', company_id: 'acme' });
  const schema = await (await fetch(`${server.url}/api/v1/projects/1/schema`, { headers: { Authorization: server.authorization } })).json();
  assert.ok(schema.groups.includes('company_id'), JSON.stringify(schema.groups));
  assert.ok(!JSON.stringify(schema).includes('acme'));
});

test('import, single and batch, with the secret and with a service account, counted once when sent twice', async () => {
  const tls = await tlsInFront(server.url);
  // The SDK has no option for an authority of its own; the certificate is one minute old and ours.
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    const host = `localhost:${tls.address().port}`;
    const { username, secret } = server.account;
    const credentials = new Mixpanel.ServiceAccountCredentials(username, secret, String(server.project));
    const importers = [
      Mixpanel.init(server.token, { host, protocol: 'https', secret: server.apiSecret }),
      Mixpanel.init(server.token, { host, protocol: 'https', credentials }),
    ];
    const yesterday = Date.now() - 86_400_000;
    for (const importer of importers) {
      await promisify(importer.import.bind(importer))('Imported', new Date(yesterday), { distinct_id: 'i-0', $insert_id: 'single' });
      const events = Array.from({ length: 75 }, (_, at) => ({
        event: 'Imported',
        properties: { distinct_id: `i-${at % 5}`, time: new Date(yesterday + at), $insert_id: `i-${at}` },
      }));
      await promisify(importer.import_batch.bind(importer))(events);
    }
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    tls.closeAllConnections();
    tls.close();
  }
  assert.equal(await server.total('Imported'), 76);
  assert.equal(await server.uniques('Imported'), 5);
});

/** A proxy that ends TLS, as in front of any real installation: this SDK speaks https alone once it has a secret. */
async function tlsInFront(url) {
  const key = join(server.root, 'key.pem');
  const cert = join(server.root, 'cert.pem');
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=localhost',
    '-keyout', key, '-out', cert,
  ], { stdio: 'ignore' });
  const proxy = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    const { method, headers } = request;
    const onward = http.request(new URL(request.url, url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return proxy;
}

test('an error reaches the callback', async () => {
  const wrong = Mixpanel.init(server.token, { host: server.host, protocol: 'http' });
  await assert.rejects(promisify(wrong.track_batch.bind(wrong))([{ event: '', properties: {} }]));
});
