// What the pages of the test site do: the calls that any customer's site makes. `mixpanel` is there before this runs.

/* global mixpanel, SITE */

mixpanel.init(SITE.token, {
  api_host: SITE.server,
  persistence: 'localStorage',
  track_pageview: true,
  batch_flush_interval_ms: 300,
});

window.site = {
  signUp({ id, name, email, plan, company }) {
    mixpanel.identify(id);
    mixpanel.people.set({ $name: name, $email: email, plan });
    mixpanel.set_group('company_id', company);
    mixpanel.track('Signed up', { plan });
  },
  order(total) {
    mixpanel.track('Order placed', { total, currency: 'EUR' });
  },
  signOut() {
    mixpanel.reset();
  },
  /** The last thing a page says, while it is going away. */
  sayGoodbye() {
    addEventListener('pagehide', () => mixpanel.track('Left', {}, { transport: 'sendBeacon' }));
  },
};
