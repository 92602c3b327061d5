import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);

/**
 * The stock browser SDK, served first-party as `/lib.js`, byte for byte as its makers published it, with its licence.
 *
 * `mixpanel.min.js` (104 KB) and not `mixpanel.umd.js` (1.29 MB): the latter carries the session recorder, which this
 * product does not have. The former expects `window.mixpanel` to be prepared; the snippet on the setup page does that.
 */
function browserSdk(): Plugin {
  const file = (name: string) => readFileSync(require.resolve(`mixpanel-browser/${name}`));
  return {
    name: 'frostpane-browser-sdk',
    apply: 'build',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'lib.js', source: file('dist/mixpanel.min.js') });
      this.emitFile({ type: 'asset', fileName: 'lib.LICENSE.txt', source: file('LICENSE') });
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
