//! The vault as a process of its own: the parent's handle on it, and the child's command.

use crate::console::init_logs;
use crate::memory_limit::Size;
use crate::places::vault_socket;
use crate::serve::stop_signal;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vault::{RootSource, Stop, VaultOptions};
use vault_client::Client;

/// Environment variable with the vault's passphrase. Without it the root key is a file: tier T0, for trials.
const PASSPHRASE_VARIABLE: &str = "FROSTPANE_VAULT_PASSPHRASE";
/// How long the vault may take to answer after its start; a passphrase costs about a second by design.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the vault of a server that was killed may take to notice.
const PREDECESSOR_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the vault gets to finish after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the child is looked after.
const WATCH_INTERVAL: Duration = Duration::from_millis(100);
/// Pause before a vault that died is started again, so that one that dies at once does not spin.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

#[derive(Subcommand)]
pub enum VaultCommand {
    /// Serve the vault on a socket in its directory, until SIGTERM or until the parent is gone.
    Serve(VaultServe),
}

#[derive(Args)]
pub struct VaultServe {
    /// Directory of identities and keys.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_VAULT")]
    vault: PathBuf,
    /// Stop when the process that started this one is gone.
    #[arg(long)]
    with_parent: bool,
    /// What the vault may hold in memory, about: its index of identities and the pages of its databases.
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
}

impl VaultCommand {
    pub fn run(self) -> anyhow::Result<()> {
        let VaultCommand::Serve(serve) = self;
        init_logs(false);
        let mut options = VaultOptions::new(&serve.vault, vault_socket(&serve.vault), root_source());
        options.stop_with_parent = serve.with_parent;
        if let Some(memory) = serve.memory {
            options = options.within(memory.0);
        }
        stop_on_signal(options.stop.clone())?;
        vault::serve(options).context("the vault stopped")
    }
}

/// Ends the server on SIGTERM or SIGINT, from a thread that waits for nothing else.
fn stop_on_signal(stop: Stop) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(stop_signal());
        stop.stop();
    });
    Ok(())
}

fn root_source() -> RootSource {
    match std::env::var_os(PASSPHRASE_VARIABLE) {
        Some(_) => RootSource::PassphraseVariable(PASSPHRASE_VARIABLE.to_owned()),
        None => RootSource::File(None),
    }
}

/// Creates the vault's directory and keys.
pub fn create(directory: &Path) -> anyhow::Result<()> {
    vault::init(directory, &root_source()).context("cannot create the vault")
}

/// The running vault, watched: if it dies it is started again, and until then callers get 503.
pub struct VaultProcess {
    client: Client,
    child: Arc<Mutex<Child>>,
    stopping: Arc<AtomicBool>,
    watcher: JoinHandle<()>,
}

impl VaultProcess {
    /// `memory_bytes`: about what the process may hold; its own measure when absent.
    pub fn start(directory: &Path, memory_bytes: Option<usize>) -> anyhow::Result<VaultProcess> {
        wait_for_predecessor(directory)?;
        let client = Client::new(vault_socket(directory));
        let mut child = spawn(directory, memory_bytes)?;
        let started = Instant::now();
        while client.hello().is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("the vault ended at its start ({status}); its messages are above");
            }
            if started.elapsed() > START_TIMEOUT {
                let _ = child.kill();
                bail!("the vault did not answer within {} s", START_TIMEOUT.as_secs());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let child = Arc::new(Mutex::new(child));
        let stopping = Arc::new(AtomicBool::new(false));
        let watcher = std::thread::spawn({
            let (directory, child, stopping) = (directory.to_owned(), child.clone(), stopping.clone());
            move || watch(&directory, memory_bytes, &child, &stopping)
        });
        Ok(VaultProcess {
            client,
            child,
            stopping,
            watcher,
        })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Asks the vault to finish and waits for it.
    pub fn stop(self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = self.watcher.join();
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let asked = Instant::now();
        while matches!(child.try_wait(), Ok(None)) {
            if asked.elapsed() > STOP_TIMEOUT {
                // Every commit is durable by then; recovery needs no goodbye.
                let _ = child.kill();
                let _ = child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Waits until no vault holds the directory. After a server was killed its vault lives on for a moment, until it sees
/// that its parent is gone; a server that starts at once must not mistake that one for its own.
fn wait_for_predecessor(directory: &Path) -> anyhow::Result<()> {
    let path = directory.join("vault.lock");
    let Ok(lock) = File::open(&path) else { return Ok(()) };
    let started = Instant::now();
    while lock.try_lock().is_err() {
        if started.elapsed() > PREDECESSOR_TIMEOUT {
            bail!("a vault is already running for {}; stop it first", directory.display());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn spawn(directory: &Path, memory_bytes: Option<usize>) -> anyhow::Result<Child> {
    let this = std::env::current_exe().context("cannot find this program again")?;
    Command::new(this)
        .args(["vault", "serve", "--with-parent", "--vault"])
        .arg(directory)
        .args(memory_bytes.map(|bytes| format!("--memory={bytes}")))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // A signal to the terminal's process group must reach the parent first, which drains and then stops the vault.
        .process_group(0)
        .spawn()
        .context("cannot start the vault")
}

fn watch(directory: &Path, memory_bytes: Option<usize>, child: &Mutex<Child>, stopping: &AtomicBool) {
    while !stopping.load(Ordering::SeqCst) {
        std::thread::sleep(WATCH_INTERVAL);
        let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(Some(status)) = child.try_wait() else { continue };
        tracing::error!(%status, "The vault ended; starting it again");
        std::thread::sleep(RESTART_PAUSE);
        match spawn(directory, memory_bytes) {
            Ok(started) => *child = started,
            Err(error) => tracing::error!(cause = %format!("{error:#}"), "The vault could not be started"),
        }
    }
}
