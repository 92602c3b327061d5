//! What every handler works with. Built once at start; nothing in here is a global.

use crate::auth::SessionCache;
use crate::error::{ApiError, ApiResult};
use crate::http_metrics::HttpMetrics;
use crate::integrity::Integrity;
use crate::mixpanel::EngageSessions;
use crate::permits::Permits;
use crate::pseudonym::Pseudonyms;
use collect::Collector;
use ledger::Gate;
use model::{ErrorCode, EventTime, ProjectId};
use query::Engine;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use store::Store;
use tokio::sync::Semaphore;
use vault_client::{Client, Tier};

/// Requests that may be in the collector at once; more wait for a moment, then get 429.
const INGEST_CONCURRENCY: usize = 64;
/// The same for imports, which have places of their own: a few of them keep all cores busy, and live requests must not
/// queue up behind a migration.
const IMPORT_CONCURRENCY: usize = 8;
/// Questions that one project asks at once, where the operator does not say.
const QUESTIONS_PER_PROJECT: usize = 6;

/// What the operator decides about the HTTP side.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The listener can be reached from other machines, in clear: sign-in is refused (secrecy contract, LG-6).
    pub plain_public_listener: bool,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Questions that one project asks at once; more wait for a moment, then get 429.
    pub questions_per_project: usize,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions {
            plain_public_listener: false,
            trusted_proxies: Vec::new(),
            questions_per_project: QUESTIONS_PER_PROJECT,
        }
    }
}

pub struct App {
    pub store: Store,
    pub vault: Client,
    pub collector: Arc<Collector>,
    pub engine: Engine,
    pub gate: Gate,
    pub tier: Tier,
    pub options: ServerOptions,
    pub sessions: SessionCache,
    pub engage_sessions: EngageSessions,
    pub metrics: HttpMetrics,
    pub integrity: Integrity,
    pub started: Instant,
    pub ingest_permits: Semaphore,
    pub import_permits: Semaphore,
    pub permits: Permits,
    pseudonyms: Mutex<HashMap<(ProjectId, String), Arc<Pseudonyms>>>,
}

pub type Shared = Arc<App>;

impl App {
    pub fn new(
        store: Store,
        vault: Client,
        collector: Arc<Collector>,
        engine: Engine,
        gate: Gate,
        tier: Tier,
        options: ServerOptions,
    ) -> App {
        App {
            store,
            vault,
            collector,
            engine,
            gate,
            tier,
            permits: Permits::new(options.questions_per_project),
            options,
            sessions: SessionCache::default(),
            engage_sessions: EngageSessions::default(),
            metrics: HttpMetrics::default(),
            integrity: Integrity::default(),
            started: Instant::now(),
            ingest_permits: Semaphore::new(INGEST_CONCURRENCY),
            import_permits: Semaphore::new(IMPORT_CONCURRENCY),
            pseudonyms: Mutex::default(),
        }
    }

    /// The tokens of a stream; the key comes from the vault once and stays in memory.
    pub async fn pseudonyms(self: &Arc<Self>, project: ProjectId, stream: &str) -> ApiResult<Arc<Pseudonyms>> {
        let name = (project, stream.to_owned());
        if let Some(known) = lock(&self.pseudonyms).get(&name) {
            return Ok(known.clone());
        }
        let app = self.clone();
        let stream = stream.to_owned();
        let key = blocking(move || Ok(zeroize::Zeroizing::new(app.vault.pseudonym_key(project, &stream)?))).await?;
        let digest = crate::credentials::digest(&name.1);
        let stream_number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        let made = Arc::new(Pseudonyms::new(key, project, stream_number));
        lock(&self.pseudonyms).insert(name, made.clone());
        Ok(made)
    }
}

/// Runs what blocks (the vault's socket, the log's fsync, SQLite) off the threads that serve connections.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> ApiResult<T> + Send + 'static) -> ApiResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::new(
            ErrorCode::Internal,
            "the request failed; the server's log has the cause",
        )),
    }
}

/// The state behind these locks is replaced whole, so a panic elsewhere cannot leave it half changed.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Wall-clock time of the server.
pub fn now() -> EventTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EventTime(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
