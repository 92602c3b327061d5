// A small site of a customer, on an origin of its own.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const resolve = createRequire(import.meta.url).resolve;
const SNIPPET = readFileSync(resolve('mixpanel-browser/dist/mixpanel-jslib-snippet.min.js'), 'utf8');
const BUNDLE = readFileSync(resolve('mixpanel-browser/dist/mixpanel.module.js'), 'utf8');
const PAGE = readFileSync(new URL('../site/page.js', import.meta.url), 'utf8');

/** The stock loader, told where the stock SDK lies, as the setup page says. */
const BY_SNIPPET = `<script src="/config.js"></script><script src="/snippet.js"></script><script src="/page.js"></script>`;
/** The npm package, as a bundler would put it in. */
const BY_BUNDLE = `<script src="/config.js"></script><script type="module">
  import mixpanel from '/bundle.js';
  window.mixpanel = mixpanel;
  await new Promise((loaded) => {
    const script = Object.assign(document.createElement('script'), { src: '/page.js', onload: loaded });
    document.head.append(script);
  });
</script>`;

/** Serves pages at `http://<name>:<port>/<variant>/<anything>`. */
export async function startSite(server, name) {
  const config = `window.SITE = ${JSON.stringify({ server: server.url, token: server.token })};
    window.MIXPANEL_CUSTOM_LIB_URL = '${server.url}/lib.js';`;
  const scripts = { '/config.js': config, '/snippet.js': SNIPPET, '/bundle.js': BUNDLE, '/page.js': PAGE };
  const http = createServer((request, response) => {
    const path = request.url.split('?')[0];
    if (scripts[path]) return response.setHeader('Content-Type', 'text/javascript').end(scripts[path]);
    if (path === '/favicon.ico') return response.writeHead(204).end();
    const head = path.startsWith('/bundle/') ? BY_BUNDLE : BY_SNIPPET;
    return response
      .setHeader('Content-Type', 'text/html; charset=utf-8')
      .end(`<!doctype html><html lang="en"><title>${path}</title>${head}<h1>${path}</h1></html>`);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    host: `${name}:${http.address().port}`,
    url: `http://${name}:${http.address().port}`,
    stop: () => {
      http.closeAllConnections();
      http.close();
    },
  };
}
