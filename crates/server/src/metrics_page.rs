//! The page that Prometheus reads: every metric of the process, named in this one file, with unit and reason.

use crate::app_state::App;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub fn render(app: &App) -> String {
    let mut registry = Registry::with_prefix("frostpane");
    app.metrics.register(&mut registry);
    let mut gauge = |name: &str, help: &str, value: u64| {
        let metric = Gauge::<i64>::default();
        metric.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, metric);
    };
    gauge(
        "uptime_seconds",
        "Time since the process started",
        app.started.elapsed().as_secs(),
    );
    gauge(
        "ledger_entries",
        "Entries in the disclosure ledger",
        app.gate.ledger().len(),
    );
    let mut text = String::new();
    // Encoding into a String fails only if a metric's own encoder does, and these are the library's.
    let _ = encode(&mut text, &registry);
    text
}
