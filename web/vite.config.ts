import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** What others wrote and the build ships, with the files that hold their licences. */
const THIRD_PARTY = [
  { name: 'mixpanel-browser (lib.js)', licence: 'mixpanel-browser/LICENSE' },
  { name: 'Geist (the font)', licence: '@fontsource-variable/geist/LICENSE' },
  { name: 'Svelte (its runtime)', licence: 'svelte/LICENSE.md' },
];

/**
 * The stock browser SDK, served first-party as `/lib.js`, byte for byte as its makers published it; and all licences.
 *
 * `mixpanel.min.js` (104 KB) and not `mixpanel.umd.js` (1.29 MB): the latter carries the session recorder, which this
 * product does not have. The former expects `window.mixpanel` to be prepared; the snippet on the setup page does that.
 */
function browserSdk(): Plugin {
  // By path: not every package exports its licence.
  const file = (name: string) => readFileSync(fileURLToPath(new URL(`node_modules/${name}`, import.meta.url)));
  return {
    name: 'frostpane-browser-sdk',
    apply: 'build',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'lib.js', source: file('mixpanel-browser/dist/mixpanel.min.js') });
      const licences = THIRD_PARTY.map(({ name, licence }) => `${name}\n\n${file(licence).toString()}`).join('\n\n');
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: licences });
    },
  };
}

export default defineConfig({
  plugins: [svelte(), browserSdk()],
  build: {
    target: 'es2023',
    cssTarget: ['chrome125', 'firefox128', 'safari18'],
    // The content security policy allows fonts and scripts from this origin only, so nothing may become a `data:` URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:7700' } },
  test: { include: ['src/**/*.test.ts'] },
});
