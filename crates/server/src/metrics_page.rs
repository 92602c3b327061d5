//! The page that Prometheus reads: every metric of the process, named in this one file, with its reason.
//!
//! Labels are route templates, reasons from closed lists, project numbers and property names that the firewall let pass.
//! No value of a property, no identity, no address.

use crate::app_state::App;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProjectLabel {
    project: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MemoryLabel {
    r#use: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RemovedLabels {
    project: u32,
    property: String,
    reason: String,
}

pub fn render(app: &App) -> String {
    let mut registry = Registry::with_prefix("frostpane");
    app.metrics.register(&mut registry);
    collection(app, &mut registry);
    storage(app, &mut registry);
    integrity(app, &mut registry);
    questions(app, &mut registry);
    memory(app, &mut registry);
    gauge(
        &mut registry,
        "uptime_seconds",
        "Time since the process started",
        app.started.elapsed().as_secs(),
    );
    gauge(
        &mut registry,
        "ledger_entries",
        "Entries in the disclosure ledger",
        app.gate.ledger().len(),
    );
    let mut text = String::new();
    // Encoding into a String fails only if a metric's own encoder does, and these are the library's.
    let _ = encode(&mut text, &registry);
    text
}

fn collection(app: &App, registry: &mut Registry) {
    let metrics = app.collector.metrics();
    counter(
        registry,
        "ingest_requests",
        "Ingestion requests handled",
        metrics.requests,
    );
    counter(registry, "ingest_events", "Events durable in the log", metrics.events);
    counter(
        registry,
        "ingest_profile_updates",
        "Profile operations durable in vault and log",
        metrics.updates,
    );
    counter(
        registry,
        "identity_cache_hits",
        "Identities whose number the collector knew",
        metrics.cache_hits,
    );
    counter(
        registry,
        "identity_cache_misses",
        "Identities the vault was asked for",
        metrics.cache_misses,
    );
    reasons(
        registry,
        "ingest_dropped",
        "Items accepted and not stored, on purpose",
        &metrics.dropped,
    );
    reasons(
        registry,
        "ingest_refused",
        "Items and requests turned away",
        &metrics.refused,
    );
    reasons(
        registry,
        "identities_unused",
        "Identities that were not used",
        &metrics.identities,
    );
    let removed: Family<RemovedLabels, Counter> = Family::default();
    for ((project, property, reason), count) in metrics.removed {
        let labels = RemovedLabels {
            project: project.0,
            property,
            reason: reason.to_owned(),
        };
        removed.get_or_create(&labels).inc_by(count);
    }
    registry.register("firewall_removed", "Values that the firewall took out", removed);
}

fn storage(app: &App, registry: &mut Registry) {
    let metrics = app.store.metrics();
    gauge(
        registry,
        "store_fresh_rows",
        "Rows in memory that no segment has yet",
        metrics.fresh_rows,
    );
    gauge(
        registry,
        "store_fresh_bytes",
        "Estimated memory of fresh rows",
        metrics.fresh_bytes,
    );
    gauge(registry, "store_segments", "Segment files in use", metrics.segments);
    gauge(
        registry,
        "store_segment_rows",
        "Rows in segments, deleted ones included",
        metrics.segment_rows,
    );
    gauge(
        registry,
        "store_segment_bytes",
        "Bytes of segment files",
        metrics.segment_bytes,
    );
    gauge(
        registry,
        "store_deleted_rows",
        "Rows marked as deleted that wait for compaction",
        metrics.deleted_rows,
    );
    gauge(registry, "store_log_bytes", "Bytes of log files", metrics.log_bytes);
    gauge(
        registry,
        "store_entangled_persons",
        "Persons of merges that compaction has not made physical",
        metrics.entangled_persons,
    );
    gauge(
        registry,
        "store_profiles",
        "Persons with an ordinary profile",
        metrics.profiles,
    );
    gauge(
        registry,
        "store_log_stopped",
        "1 after a failed sync: appends are refused until a restart",
        metrics.log_stopped,
    );
    gauge(
        registry,
        "store_damaged_segments",
        "Segments known to be damaged and set aside, also from before the last start",
        metrics.damaged_segments,
    );
    gauge(
        registry,
        "store_maintenance_stopped",
        "1 after a commit of unknown outcome: flush and compaction wait for a restart",
        metrics.maintenance_stopped,
    );
    counter(
        registry,
        "store_maintenance_failures",
        "Flushes and compactions that failed",
        metrics.maintenance_failures,
    );
    let overdue: Family<ProjectLabel, Gauge> = Family::default();
    for project in app.store.catalog().projects() {
        let label = ProjectLabel { project: project.id.0 };
        let is_overdue = app.store.retention_is_overdue(project.id);
        overdue.get_or_create(&label).set(i64::from(is_overdue));
    }
    registry.register(
        "store_retention_overdue",
        "Whether rows past retention could not be removed from the disk when that was last tried",
        overdue,
    );
}

/// What reading everything again has found. `damaged_files` above 0 wants an operator: restore that file from a backup.
fn integrity(app: &App, registry: &mut Registry) {
    gauge(
        registry,
        "damaged_files",
        "Damage that the last verification of the files on disk found",
        app.integrity.damaged_files(),
    );
    counter(
        registry,
        "verified_bytes",
        "Bytes on disk that verifications read and compared",
        app.integrity.bytes(),
    );
    gauge(
        registry,
        "verification_finished_seconds",
        "When the last verification ended, in seconds since 1970; 0 for none since the start",
        app.integrity.finished_s(),
    );
}

fn questions(app: &App, registry: &mut Registry) {
    let metrics = app.engine.metrics();
    gauge(registry, "questions_running", "Questions that run now", metrics.running);
    gauge(
        registry,
        "questions_memory_bytes",
        "Memory that running questions hold now",
        metrics.memory_bytes,
    );
    counter(
        registry,
        "questions_timed_out",
        "Questions that ran into their time limit",
        metrics.timeouts,
    );
    counter(
        registry,
        "questions_split",
        "Questions that ran shard by shard because memory was short",
        metrics.split,
    );
    counter(
        registry,
        "questions_shared",
        "Questions that waited for the same one of somebody else",
        metrics.shared,
    );
    counter(
        registry,
        "answers_kept_hits",
        "Answers that were kept from an earlier question",
        metrics.cache_hits,
    );
    counter(
        registry,
        "answers_kept_misses",
        "Answers that were not kept",
        metrics.cache_misses,
    );
    gauge(
        registry,
        "answers_kept_bytes",
        "Memory of kept answers, about",
        metrics.cache_bytes,
    );
}

/// Who holds how much of what `--memory` allows. The uses and `other` add up to what the process has, as far as estimates go.
fn memory(app: &App, registry: &mut Registry) {
    let figures = app.store.memory().figures();
    let held: Family<MemoryLabel, Gauge> = Family::default();
    let uses = figures.used_bytes.iter().map(|(of, bytes)| (of.name(), *bytes));
    for (of, bytes) in uses.chain([("other", figures.other_bytes)]) {
        let label = MemoryLabel { r#use: of };
        held.get_or_create(&label).set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
    registry.register("memory_bytes", "Memory of the server by who holds it", held);
    gauge(
        registry,
        "memory_limit_bytes",
        "What the server may hold of --memory; the vault has the rest",
        figures.limit_bytes.unwrap_or(u64::MAX),
    );
    gauge(
        registry,
        "memory_resident_bytes",
        "What the server has by the operating system's figure",
        store::resident_bytes().unwrap_or(0) as u64,
    );
    counter(
        registry,
        "memory_refused",
        "How often a question, a request or a scan did not get the memory it asked for",
        figures.refused,
    );
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: u64) {
    registry.register(
        name,
        help,
        ConstGauge::<i64>::new(i64::try_from(value).unwrap_or(i64::MAX)),
    );
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    registry.register(name, help, ConstCounter::<u64>::new(value));
}

fn reasons(registry: &mut Registry, name: &str, help: &str, counts: &BTreeMap<&'static str, u64>) {
    let family: Family<ReasonLabel, Counter> = Family::default();
    for (reason, count) in counts {
        family
            .get_or_create(&ReasonLabel {
                reason: (*reason).to_owned(),
            })
            .inc_by(*count);
    }
    registry.register(name, help, family);
}
