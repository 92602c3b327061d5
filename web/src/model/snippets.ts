/** What a site or a server needs to send events here, with the stock SDKs. */

export interface Target {
  endpoint: string;
  token: string;
  script: string;
}

export interface Snippet {
  id: string;
  label: string;
  note: string;
  code: string;
}

export function snippets({ endpoint, token, script }: Target): Snippet[] {
  const url = new URL(endpoint);
  const src = new URL(script, endpoint).href;
  return [
    {
      id: 'browser',
      label: 'Browser',
      note: 'Into the head of every page. The SDK comes from this server, nothing from anybody else’s.',
      // The stock library looks for a prepared `window.mixpanel`; this is the least of it, and every call after it is real.
      code: `<script>
  window.mixpanel = Object.assign([], { __SV: 1.2, _i: [] });
</script>
<script src="${src}"></script>
<script>
  mixpanel.init("${token}", {
    api_host: "${endpoint}",
    persistence: "localStorage",
    track_pageview: "url-with-path"
  });
</script>`,
    },
    {
      id: 'npm',
      label: 'npm',
      note: 'For sites that are built with a bundler.',
      code: `// npm install mixpanel-browser
import mixpanel from "mixpanel-browser/src/loaders/loader-module-core";

mixpanel.init("${token}", {
  api_host: "${endpoint}",
  persistence: "localStorage",
  track_pageview: "url-with-path"
});

mixpanel.track("Signed Up", { plan: "team" });
mixpanel.identify("your own user id");`,
    },
    {
      id: 'node',
      label: 'Node',
      note: 'From a server.',
      code: `// npm install mixpanel
import Mixpanel from "mixpanel";

const mixpanel = Mixpanel.init("${token}", {
  host: "${url.host}",
  protocol: "${url.protocol.replace(':', '')}"
});

mixpanel.track("Signed Up", { distinct_id: "your own user id", plan: "team" });`,
    },
    {
      id: 'python',
      label: 'Python',
      note: 'From a server.',
      code: `# pip install mixpanel
from mixpanel import Consumer, Mixpanel

mixpanel = Mixpanel("${token}", consumer=Consumer(
    events_url="${endpoint}/track",
    people_url="${endpoint}/engage",
    groups_url="${endpoint}/groups",
    import_url="${endpoint}/import",
))

mixpanel.track("your own user id", "Signed Up", {"plan": "team"})`,
    },
    {
      id: 'curl',
      label: 'curl',
      note: 'To see whether anything arrives at all.',
      code: `curl -s ${endpoint}/track -H 'content-type: application/json' \\
  -d '[{"event":"Hello","properties":{"token":"${token}","distinct_id":"test"}}]'`,
    },
  ];
}
