/** Where the app is: a path and a fragment, kept in the browser's history. */

class Route {
  path = $state(location.pathname);
  fragment = $state(location.hash.slice(1));
  /** Counts arrivals by link or history, not the app's own edits of the fragment. */
  arrivals = $state(0);

  go(href: string): void {
    const url = new URL(href, location.origin);
    history.pushState(null, '', url.pathname + url.search + url.hash);
    this.arrive();
    window.scrollTo(0, 0);
  }

  /** Writes state into the address without a step in the history. */
  setFragment(fragment: string): void {
    if (fragment === this.fragment) return;
    history.replaceState(null, '', fragment === '' ? location.pathname : `#${fragment}`);
    this.fragment = fragment;
  }

  arrive(): void {
    this.path = location.pathname;
    this.fragment = location.hash.slice(1);
    this.arrivals += 1;
  }
}

export const route = new Route();

/** Turns clicks on our own links into navigation; anything with a modifier, a target or a download stays the browser's. */
function intercept(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest('a');
  if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.getAttribute('href')?.startsWith('#')) return;
  event.preventDefault();
  route.go(link.href);
}

export function startRouter(): void {
  window.addEventListener('popstate', () => route.arrive());
  document.addEventListener('click', intercept);
}
