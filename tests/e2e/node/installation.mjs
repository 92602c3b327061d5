// A real installation for the tests in JavaScript: `frostpane init`, then the server's process. The Python tests have
// their own, which also kills.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const BINARY = process.env.FROSTPANE_BINARY ?? join(REPOSITORY, 'target/debug/frostpane');
const START_MS = 120_000;

/** A running server; ends with `stop()`. */
export class Installation {
  /** A fresh project, for SDKs to send to. */
  static async create() {
    const root = mkdtempSync(join(tmpdir(), 'frostpane-e2e-'));
    const [data, vault] = [join(root, 'data'), join(root, 'vault')];
    const made = JSON.parse(execFileSync(BINARY, ['init', '--data', data, '--vault', vault, '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }));
    const server = new Installation(root);
    server.token = made.project.token;
    server.project = made.project.id;
    server.apiSecret = made.project.api_secret;
    server.account = made.service_account;
    await server.#start(['serve', '--data', data, '--vault', vault, '--listen', '127.0.0.1:0']);
    return server;
  }

  /** The demo, as somebody who tries the product starts it. */
  static async demo(persons, days) {
    const root = mkdtempSync(join(tmpdir(), 'frostpane-e2e-'));
    const server = new Installation(root);
    await server.#start([
      'demo', '--persons', String(persons), '--days', String(days), '--keep', join(root, 'demo'), '--listen', '127.0.0.1:0',
    ]);
    server.project = 1;
    return server;
  }

  constructor(root) {
    this.root = root;
    this.log = join(root, 'server.log');
  }

  async #start(words) {
    this.process = spawn(BINARY, words, {
      cwd: this.root,
      env: { PATH: process.env.PATH, HOME: this.root, TMPDIR: this.root, FROSTPANE_LOG: 'info' },
      stdio: ['ignore', 'pipe', openSync(this.log, 'a')],
    });
    const timer = setTimeout(() => this.process.kill('SIGKILL'), START_MS);
    for await (const line of createInterface({ input: this.process.stdout })) {
      this.loginUrl ??= /https?:\/\/\S+\/login#\S+/.exec(line)?.[0];
      this.url = /listening on (\S+)/.exec(line)?.[1];
      if (this.url) break;
    }
    clearTimeout(timer);
    if (!this.url) throw new Error(`the server did not start: ${readFileSync(this.log, 'utf8').slice(-2000)}`);
    this.process.stdout.resume();
    this.host = new URL(this.url).host;
  }

  async stop() {
    if (this.process.exitCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      const [code] = await ended;
      if (code !== 0) throw new Error(`the server ended with ${code}: ${readFileSync(this.log, 'utf8').slice(-2000)}`);
    }
    rmSync(this.root, { recursive: true, force: true });
  }

  get authorization() {
    return `Basic ${Buffer.from(`${this.account.username}:${this.account.secret}`).toString('base64')}`;
  }

  async post(path, body) {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: this.authorization },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async report(question, days = 30) {
    const day = (offset) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
    const range = { from: day(-days), to: day(1) };
    return (await this.post(`/api/v1/projects/${this.project}/query`, { range, question })).answer;
  }

  /** Totals over the range by the text of the segment; `''` without a breakdown. */
  async insight(measure, event, breakdown) {
    const answer = await this.report({
      kind: 'insights',
      metrics: [{ measure, ...(event ? { event } : {}) }],
      unit: 'quarter',
      ...(breakdown ? { breakdown: [breakdown] } : {}),
    });
    return Object.fromEntries(answer.series.map(({ segment, total }) => [segment.join('|'), total]));
  }

  async total(event) {
    return (await this.insight('total', event))[''] ?? 0;
  }

  async uniques(event) {
    return (await this.insight('unique', event))[''] ?? 0;
  }

  async funnel(...events) {
    const steps = events.map((event) => ({ event }));
    const answer = await this.report({ kind: 'funnel', steps, window_ms: 86_400_000 });
    return answer.overall[0].steps.map(({ count }) => count);
  }

  async lookup(identifier) {
    return (await this.post(`/api/v1/projects/${this.project}/lookup`, { identifier, purpose: PURPOSE })).person;
  }

  async reveal(identifier) {
    const person = await this.lookup(identifier);
    return this.post(`/api/v1/projects/${this.project}/people/${person}/reveal`, { purpose: PURPOSE });
  }
}

export const PURPOSE = { code: 'support', text: 'A customer asked us to look at their account.' };

/** Waits until `look` answers `expected`, then checks that it still does a moment later: late copies would show. */
export async function settles(look, expected, { seconds = 15, still = 1500 } = {}) {
  const wanted = JSON.stringify(expected);
  const until = Date.now() + seconds * 1000;
  let seen;
  do {
    seen = JSON.stringify(await look());
    if (seen === wanted) break;
    await new Promise((resolve) => setTimeout(resolve, 150));
  } while (Date.now() < until);
  await new Promise((resolve) => setTimeout(resolve, still));
  seen = JSON.stringify(await look());
  if (seen !== wanted) throw new Error(`expected ${wanted}, got ${seen}`);
}
