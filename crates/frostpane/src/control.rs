//! Commands to the running server from its own machine and user: one JSON line in, one out, over a Unix socket.
//!
//! Whoever may enter the data directory may give them; that is who could read the directory anyway.

use crate::places::Places;
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use store::Store;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Copy the data directory, ledger included, to a new directory.
    Backup { to: PathBuf },
}

#[derive(Serialize, Deserialize)]
struct Reply {
    error: Option<String>,
}

/// Removes the socket when the server ends.
pub struct Control {
    socket: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Takes commands on a thread of its own until the process ends.
pub fn listen(places: &Places, store: Store) -> anyhow::Result<Control> {
    let socket = places.control_socket();
    let directory = socket.parent().context("the socket has a directory")?;
    std::fs::create_dir_all(directory)?;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))?;
    // The store's lock is ours, so a socket that is there belongs to a server that was killed.
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).context("cannot open the control socket")?;
    let ledger = places.ledger();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            if let Err(error) = answer(connection, &store, &ledger) {
                tracing::warn!(cause = %format!("{error:#}"), "A control command was cut short");
            }
        }
    });
    Ok(Control { socket })
}

fn answer(mut connection: UnixStream, store: &Store, ledger: &Path) -> anyhow::Result<()> {
    let mut line = String::new();
    BufReader::new(connection.try_clone()?).read_line(&mut line)?;
    let done = match serde_json::from_str(&line)? {
        Command::Backup { to } => backup(store, ledger, &to),
    };
    let reply = Reply {
        error: done.err().map(|error| format!("{error:#}")),
    };
    writeln!(connection, "{}", serde_json::to_string(&reply)?)?;
    Ok(())
}

/// Copies the store and its ledger.
pub fn backup(store: &Store, ledger: &Path, to: &Path) -> anyhow::Result<()> {
    store.backup(to).context("cannot copy the event store")?;
    let target = to.join("ledger");
    std::fs::create_dir_all(&target)?;
    // Entries first: the set that an entry names was on disk before the entry, so it is in the later copy.
    for name in ["entries.log", "persons.log"] {
        let from = ledger.join(name);
        if from.exists() {
            std::fs::copy(&from, target.join(name)).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}

/// Gives a command to the running server; `None` if no server runs on this directory.
pub fn send(places_socket: &Path, command: &Command) -> anyhow::Result<Option<()>> {
    let Ok(mut connection) = UnixStream::connect(places_socket) else {
        return Ok(None);
    };
    writeln!(connection, "{}", serde_json::to_string(command)?)?;
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line)?;
    let reply: Reply = serde_json::from_str(&line).context("the server ended before it answered")?;
    match reply.error {
        Some(error) => bail!("{error}"),
        None => Ok(Some(())),
    }
}
