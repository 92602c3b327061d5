//! `frostpane serve`: all three roles. The vault runs as a child process; collection and questions run in this one.

use crate::console::{init_logs, say};
use crate::control;
use crate::memory_limit::{self, Size};
use crate::places::Places;
use crate::scrub;
use crate::vault_process::VaultProcess;
use anyhow::Context;
use clap::Args;
use collect::{Collector, CollectorOptions};
use ledger::{Gate, Ledger};
use model::{BatchId, EventTime, Record};
use query::{Engine, EngineOptions};
use server::{App, ServerOptions};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use store::{Memory, Store, StoreOptions};
use tokio::net::TcpListener;
use vault_client::{Client, Tier};

#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    settings: Settings,
}

/// What `serve` and `demo` share.
#[derive(Args, Clone)]
pub struct Settings {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7700")]
    pub listen: SocketAddr,
    /// A proxy whose X-Forwarded-For and X-Forwarded-Proto are believed; may be given several times.
    #[arg(long = "trusted-proxy", value_name = "IP")]
    pub trusted_proxies: Vec<IpAddr>,
    /// Connections open at once; with all of them taken, the one that has waited longest for a request makes room.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub connections: usize,
    /// Threads that answer questions.
    #[arg(long, value_name = "N", default_value_t = std::thread::available_parallelism().map_or(2, usize::from))]
    pub threads: usize,
    /// Memory of the server and its vault together, like 2GiB; half of the machine's or container's when absent.
    #[arg(long, value_name = "SIZE", env = "FROSTPANE_MEMORY")]
    pub memory: Option<Size>,
    /// Of this, what running questions may use together, in MiB; half when absent.
    #[arg(long, value_name = "MIB")]
    pub query_memory: Option<usize>,
    /// Of this, what one question may use, in MiB; half when absent.
    #[arg(long, value_name = "MIB")]
    pub question_memory: Option<usize>,
    /// How long a question may run.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub question_timeout: u64,
    /// Questions that one project asks at once; more wait for a moment, then are refused.
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub questions_per_project: usize,
    /// Of this, what may be spent on answers that are kept until something changes, in MiB; 0 keeps none; a sixteenth, at
    /// most 128, when absent.
    #[arg(long, value_name = "MIB")]
    pub answer_memory: Option<usize>,
    /// Hours between two verifications of everything on disk; 0 for none.
    #[arg(long, value_name = "HOURS", default_value_t = 168)]
    pub verify_every: u64,
    /// MiB a second that such a verification reads.
    #[arg(long, value_name = "MIB", default_value_t = 20)]
    pub verify_rate: u64,
    /// Write logs as JSON lines.
    #[arg(long)]
    pub log_json: bool,
}

impl Settings {
    fn engine_options(&self, memory: &Memory) -> EngineOptions {
        let mebibytes = |given: Option<usize>, otherwise: usize| given.map_or(otherwise, |given| given << 20);
        let memory_bytes = mebibytes(self.query_memory, memory.part(2, usize::MAX));
        EngineOptions {
            threads: self.threads.max(1),
            memory_bytes,
            question_memory_bytes: mebibytes(self.question_memory, memory_bytes / 2),
            timeout: Duration::from_secs(self.question_timeout.max(1)),
            cache_bytes: mebibytes(self.answer_memory, memory.part(16, usize::MAX).min(128 << 20)),
        }
    }
}

impl Serve {
    pub fn run(self) -> anyhow::Result<()> {
        init_logs(self.settings.log_json);
        let running = Running::start(self.places, self.settings)?;
        running.until_stopped()
    }
}

/// An opened installation: the store, the vault's process, and a bound address. Nothing is served yet.
pub struct Running {
    runtime: tokio::runtime::Runtime,
    listener: TcpListener,
    app: Arc<App>,
    vault: VaultProcess,
    store: Store,
    places: Places,
    connections: usize,
    /// Hours between verifications, and their MiB a second.
    verify: (u64, u64),
}

impl Running {
    pub fn start(places: Places, settings: Settings) -> anyhow::Result<Running> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        // The address first: a second server must fail before it touches anything.
        let listener = runtime
            .block_on(TcpListener::bind(settings.listen))
            .with_context(|| format!("cannot listen on {}; is another server running there?", settings.listen))?;
        let shares = memory_limit::divide(settings.memory)?;
        let store = Store::open(StoreOptions::new(&places.data).within(&shares.server))
            .with_context(|| format!("cannot open the data directory {}", places.data.display()))?;
        let vault = VaultProcess::start(&places.vault, Some(shares.vault_bytes))?;
        let hello = vault.client().hello().context("the vault does not answer")?;
        catch_up(&store, vault.client())?;
        announce(hello.tier);
        let ledger = Arc::new(Ledger::open(&places.ledger())?);
        let collector = Arc::new(Collector::new(
            store.clone(),
            vault.client().clone(),
            CollectorOptions::default(),
        ));
        let engine_options = settings.engine_options(&shares.server);
        let options = ServerOptions {
            plain_public_listener: !settings.listen.ip().is_loopback(),
            trusted_proxies: settings.trusted_proxies,
            questions_per_project: settings.questions_per_project,
        };
        let app = App::new(
            store.clone(),
            vault.client().clone(),
            collector,
            Engine::new(store.clone(), engine_options),
            Gate::new(ledger),
            hello.tier,
            options,
        );
        Ok(Running {
            runtime,
            listener,
            app: Arc::new(app),
            vault,
            store,
            places,
            connections: settings.connections,
            verify: (settings.verify_every, settings.verify_rate),
        })
    }

    pub fn vault(&self) -> &Client {
        self.vault.client()
    }

    pub fn collector(&self) -> &Arc<Collector> {
        &self.app.collector
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until SIGTERM or SIGINT, then drains and closes.
    pub fn until_stopped(self) -> anyhow::Result<()> {
        let Running {
            runtime,
            listener,
            app,
            vault,
            store,
            places,
            connections,
            verify,
        } = self;
        let _control = control::listen(&places, &app)?;
        scrub::start(&places, &app, verify.0, verify.1);
        say(format!("listening on http://{}", listener.local_addr()?));
        let router = server::router(app);
        runtime.block_on(server::serve(listener, router, connections, stop_signal()));
        tracing::info!("Draining");
        drop(runtime);
        store.close();
        vault.stop();
        tracing::info!("Stopped");
        Ok(())
    }
}

/// Resolves on SIGTERM or SIGINT.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without handlers the signals' default action ends the process, and recovery does the rest.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Appends what the vault decided and the log has not seen (secrecy contract, ID-11), so that no answer misses a merge.
fn catch_up(store: &Store, vault: &Client) -> anyhow::Result<()> {
    for project in store.catalog().projects() {
        vault.create_project(project.id)?;
        let feed = vault.feed_since(project.id, store.feed_position(project.id))?;
        if feed.is_empty() {
            continue;
        }
        tracing::info!(
            project = project.id.0,
            entries = feed.len(),
            "Caught up with the identity feed"
        );
        store.append(Record {
            project: project.id,
            batch_id: BatchId::default(),
            received: EventTime(jiff::Timestamp::now().as_millisecond()),
            feed,
            profiles: Vec::new(),
            events: Vec::new(),
        })?;
    }
    Ok(())
}

fn announce(tier: Tier) {
    match tier.warning() {
        Some(warning) => tracing::warn!(tier = tier.code(), "{warning}"),
        None => tracing::info!(tier = tier.code(), "Tier {}: {}", tier.code(), tier.label()),
    }
}
