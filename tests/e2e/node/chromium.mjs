// Headless Chromium from Debian, watched: what it says on its console and whom it talks to.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });
}

/** A user agent that does not say "Headless": SDKs keep silent for robots. */
export const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36';

/** Notes everything that must not happen in a context's pages. */
export class Watch {
  constructor(context, hosts) {
    this.hosts = new Set(hosts);
    this.faults = [];
    this.requests = 0;
    context.on('page', (page) => {
      page.on('pageerror', (error) => this.faults.push(`uncaught: ${error.message}`));
      page.on('crash', () => this.faults.push('the page crashed'));
    });
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.faults.push(`console: ${message.text()} (${message.location().url})`);
    });
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (!url.protocol.startsWith('http')) return;
      this.requests += 1;
      if (!this.hosts.has(url.host)) this.faults.push(`a request to ${url.host}`);
    });
  }

  /** Faults that a step is meant to cause, taken out. */
  expect(pattern) {
    const before = this.faults.length;
    this.faults = this.faults.filter((fault) => !pattern.test(fault));
    assert.notEqual(this.faults.length, before, `${pattern} was meant to happen`);
  }

  check() {
    assert.deepEqual(this.faults, []);
    assert.ok(this.requests > 0, 'the watch saw no request at all');
  }
}
