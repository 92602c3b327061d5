//! The socket: who may connect, how many, and how it ends.
//!
//! One thread a connection, because a call is a few microseconds of work or a wait for one commit, and connections are
//! the few of a collector's and a query process's pools. Calls in flight are counted; the 65th is told to come back
//! (ID-19) rather than to wait.

use crate::clock::{Clock, SystemClock};
use crate::error::{Fault, VaultServeError};
use crate::process;
use crate::root::RootSource;
use crate::vault::Vault;
use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io::BufReader;
use std::net::Shutdown;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use vault_client::VaultError;
use vault_client::protocol::{self, Frame, FrameType, VERSION};

/// Calls being answered at one moment.
const IN_FLIGHT_MAX: usize = 64;
/// Connections open at one moment.
const CONNECTIONS_MAX: usize = 256;
/// About 64 MiB of index for the default number of identities.
const INDEX_ENTRIES_DEFAULT: usize = 2_000_000;
/// Fewer would make every batch ask the database.
const INDEX_ENTRIES_LEAST: usize = 50_000;
const PAGE_CACHE_DEFAULT: usize = 32 << 20;
/// What a process has before it holds anybody: code, stacks, connections' pages, frames under way.
const BASE_BYTES: usize = 48 << 20;
/// What an entry of the index takes when its table has just doubled, the old half still there.
const BYTES_PER_ENTRY: usize = 80;

#[derive(Clone)]
pub struct VaultOptions {
    /// The vault directory, made by [`crate::init`].
    pub directory: PathBuf,
    /// Where to listen. Its folder is made with mode 0750, or must be as closed.
    pub socket: PathBuf,
    pub root: RootSource,
    /// User ids that may connect besides the vault's own.
    pub peer_uids: Vec<u32>,
    /// Identities kept in RAM, per project; 24 bytes each and the table's slack.
    pub index_entries_max: usize,
    /// Pages of `vault.db` that its writer keeps.
    pub page_cache_bytes: usize,
    /// Opens a `vault.db` that is older than `keys.db` remembers, under a new lineage.
    pub accept_restore: bool,
    /// Ends when the process that started this one is gone.
    pub stop_with_parent: bool,
    /// Shared by whoever may end the server.
    pub stop: Stop,
    pub clock: Arc<dyn Clock>,
}

impl VaultOptions {
    /// Divides so much memory: an eighth for pages, the rest for the index, as far as it is more than the process needs anyway.
    pub fn within(self, memory_bytes: usize) -> VaultOptions {
        let page_cache_bytes = (memory_bytes / 8).min(PAGE_CACHE_DEFAULT);
        let index_bytes = memory_bytes.saturating_sub(BASE_BYTES + page_cache_bytes);
        VaultOptions {
            page_cache_bytes,
            // Two generations of a table each hold half of them.
            index_entries_max: (index_bytes / BYTES_PER_ENTRY).max(INDEX_ENTRIES_LEAST),
            ..self
        }
    }

    pub fn new(directory: impl Into<PathBuf>, socket: impl Into<PathBuf>, root: RootSource) -> VaultOptions {
        VaultOptions {
            directory: directory.into(),
            socket: socket.into(),
            root,
            peer_uids: Vec::new(),
            index_entries_max: INDEX_ENTRIES_DEFAULT,
            page_cache_bytes: PAGE_CACHE_DEFAULT,
            accept_restore: false,
            stop_with_parent: false,
            stop: Stop::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Ends a server: calls that are being answered get their answers, then all connections and files are closed.
///
/// May be called from any thread, before the server runs or after; wire it to SIGTERM.
#[derive(Clone, Default)]
pub struct Stop {
    shared: Arc<StopState>,
}

#[derive(Default)]
struct StopState {
    stopped: AtomicBool,
    socket: Mutex<Option<PathBuf>>,
}

impl Stop {
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Whoever waits in `accept` is woken by a connection.
        let socket = self.shared.socket.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = socket.as_ref() {
            let _ = UnixStream::connect(socket);
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::SeqCst)
    }
}

/// Opens the vault, listens, and answers until stopped. Hardens the process first, so it is for a process of its own.
pub fn serve(mut options: VaultOptions) -> Result<(), VaultServeError> {
    options.root = options.root.fetched()?;
    process::harden();
    let server = Server::bind(options)?;
    tracing::info!(tier = server.vault.tier().code(), "The vault is open");
    server.run()
}

/// A vault that listens. Connections are accepted from [`Server::bind`] on and answered once it runs.
pub struct Server {
    vault: Arc<Vault>,
    listener: UnixListener,
    options: VaultOptions,
}

/// What connection threads share.
struct Serving {
    vault: Arc<Vault>,
    in_flight: AtomicUsize,
    open: Mutex<HashMap<u64, UnixStream>>,
    stop: Stop,
}

impl Server {
    pub fn bind(options: VaultOptions) -> Result<Server, VaultServeError> {
        let vault = Arc::new(Vault::open(&options)?);
        prepare_folder(&options.socket)?;
        // The vault's lock is held, so a socket that is there was left by a process that is gone.
        match std::fs::remove_file(&options.socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(VaultServeError::io(&options.socket)(error));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&options.socket).map_err(VaultServeError::io(&options.socket))?;
        std::fs::set_permissions(&options.socket, std::fs::Permissions::from_mode(0o660))
            .map_err(VaultServeError::io(&options.socket))?;
        let socket = Some(options.socket.clone());
        *options
            .stop
            .shared
            .socket
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = socket;
        Ok(Server {
            vault,
            listener,
            options,
        })
    }

    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// Answers until stopped, then waits for the calls being answered, closes the files and removes the socket.
    pub fn run(self) -> Result<(), VaultServeError> {
        let stop = self.options.stop.clone();
        if self.options.stop_with_parent {
            process::watch_parent(stop.clone());
        }
        let serving = Arc::new(Serving {
            vault: self.vault,
            in_flight: AtomicUsize::new(0),
            open: Mutex::new(HashMap::new()),
            stop: stop.clone(),
        });
        let uids = PeerUids::new(&self.options.peer_uids);
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        let mut number = 0;
        while !stop.is_stopped() {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: those in use are worth more than this one.
                    tracing::warn!(%error, "The vault could not accept a connection");
                    std::thread::sleep(std::time::Duration::from_millis(10));
                    continue;
                }
            };
            threads.retain(|thread| !thread.is_finished());
            if stop.is_stopped() || threads.len() >= CONNECTIONS_MAX || !uids.admit(&stream) {
                continue;
            }
            number += 1;
            threads.extend(serving.start(number, stream));
        }
        serving.close_all();
        for thread in threads {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.options.socket);
        Ok(())
    }
}

impl Serving {
    fn start(self: &Arc<Serving>, number: u64, stream: UnixStream) -> Option<JoinHandle<()>> {
        let registered = stream.try_clone().ok()?;
        self.open().insert(number, registered);
        let serving = Arc::clone(self);
        std::thread::Builder::new()
            .name(format!("vault-{number}"))
            .spawn(move || {
                // Removed also when answering panics: the guard runs on the way out.
                let _registered = Registered {
                    serving: &serving,
                    number,
                };
                if !serving.stop.is_stopped() {
                    serving.converse(&stream);
                }
            })
            .ok()
    }

    /// Answers one connection's calls in order until it is closed or falls out of step.
    fn converse(&self, stream: &UnixStream) {
        let mut reader = BufReader::with_capacity(64 << 10, stream);
        let mut writer = stream;
        while let Ok(Some(frame)) = protocol::read_frame(&mut reader) {
            if frame.frame_type != FrameType::Request {
                return;
            }
            let answer = self.answer(&frame);
            if protocol::write_frame(&mut writer, &protocol::answer_frame(frame.call, &answer)).is_err() {
                return;
            }
            if self.stop.is_stopped() {
                return;
            }
        }
    }

    fn answer(&self, frame: &Frame) -> Result<protocol::Reply, VaultError> {
        if frame.version != VERSION {
            return Err(VaultError::Protocol(format!("version {VERSION} is spoken here")));
        }
        let _counted = Counted::new(&self.in_flight).ok_or(Fault::Overloaded)?;
        self.vault.answer(protocol::decode_request(&frame.body)?)
    }

    /// Ends reading on every connection: a waiting one ends at once, one that is being answered after its answer.
    fn close_all(&self) {
        for stream in self.open().values() {
            let _ = stream.shutdown(Shutdown::Read);
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, UnixStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Registered<'a> {
    serving: &'a Serving,
    number: u64,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.serving.open().remove(&self.number);
    }
}

/// One call in flight.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Option<Counted<'a>> {
        let before = count.fetch_add(1, Ordering::SeqCst);
        let counted = Counted(count);
        (before < IN_FLIGHT_MAX).then_some(counted)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The user ids whose processes may connect: the kernel says which one is at the other end.
struct PeerUids(Vec<u32>);

impl PeerUids {
    fn new(others: &[u32]) -> PeerUids {
        let own = rustix::process::geteuid().as_raw();
        PeerUids(std::iter::once(own).chain(others.iter().copied()).collect())
    }

    fn admit(&self, stream: &UnixStream) -> bool {
        match rustix::net::sockopt::socket_peercred(stream) {
            Ok(peer) if self.0.contains(&peer.uid.as_raw()) => true,
            Ok(peer) => {
                tracing::warn!(
                    uid = peer.uid.as_raw(),
                    "A process of another user tried the vault's socket"
                );
                false
            }
            Err(error) => {
                tracing::warn!(%error, "The kernel did not say who connected to the vault's socket");
                false
            }
        }
    }
}

/// Makes the socket's folder, or checks that others have no way into the one that is there.
fn prepare_folder(socket: &Path) -> Result<(), VaultServeError> {
    let folder = socket
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder.exists() {
        return DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(folder)
            .map_err(VaultServeError::io(folder));
    }
    let mode = std::fs::metadata(folder).map_err(VaultServeError::io(folder))?.mode();
    match mode & 0o027 {
        0 => Ok(()),
        _ => Err(VaultServeError::OpenFolder(folder.to_owned())),
    }
}
