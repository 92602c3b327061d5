//! Commands to the running server from its own machine and user: one JSON line in, one out, over a Unix socket.
//!
//! Whoever may enter the data directory may give them; that is who could read the directory anyway. Each connection has a
//! thread of its own, so that a backup that takes an hour keeps nobody waiting.

use crate::backup_command::{Order, back_up_events};
use crate::places::Places;
use crate::retention::Change;
use crate::verify;
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use server::App;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Copy the data directory, ledger included, into a backup set. Answers with a [`crate::backup_command::Done`].
    Backup(Order),
    /// Change, or only tell, how long a project's events are kept. Answers with a [`store::Retention`].
    Retention { project: u32, change: Change },
    /// Verify both directories, reading so many MiB a second. Answers with a [`verify::Report`].
    Verify { rate: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Done(Value),
    Error(String),
}

/// Where the server over a data directory takes commands.
pub fn socket(data: &Path) -> PathBuf {
    data.join("run").join("control.sock")
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

/// Takes commands on threads of its own until the process ends.
pub fn listen(places: &Places, app: &Arc<App>) -> anyhow::Result<Control> {
    let socket = socket(&places.data);
    let directory = socket.parent().context("the socket has a directory")?;
    std::fs::create_dir_all(directory)?;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))?;
    // The store's lock is ours, so a socket that is there belongs to a server that was killed.
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).context("cannot open the control socket")?;
    let (places, app) = (places.clone(), app.clone());
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (places, app) = (places.clone(), app.clone());
            std::thread::spawn(move || {
                if let Err(error) = answer(connection, &places, &app) {
                    tracing::warn!(cause = %format!("{error:#}"), "A control command was cut short");
                }
            });
        }
    });
    Ok(Control { socket })
}

fn answer(mut connection: UnixStream, places: &Places, app: &App) -> anyhow::Result<()> {
    let mut line = String::new();
    BufReader::new(connection.try_clone()?).read_line(&mut line)?;
    let reply = match carry_out(&line, places, app) {
        Ok(done) => Reply::Done(done),
        Err(error) => Reply::Error(format!("{error:#}")),
    };
    writeln!(connection, "{}", serde_json::to_string(&reply)?)?;
    Ok(())
}

fn carry_out(line: &str, places: &Places, app: &App) -> anyhow::Result<Value> {
    Ok(match serde_json::from_str(line)? {
        Command::Backup(order) => serde_json::to_value(back_up_events(&app.store, &places.data, &order)?)?,
        Command::Retention { project, change } => serde_json::to_value(change.apply(&app.store, project)?)?,
        Command::Verify { rate } => serde_json::to_value(verify::verify_running(places, app, rate)?)?,
    })
}

/// Gives a command to the running server; `None` if no server runs on this directory.
pub fn send(socket: &Path, command: &Command) -> anyhow::Result<Option<Value>> {
    let Ok(mut connection) = UnixStream::connect(socket) else {
        return Ok(None);
    };
    writeln!(connection, "{}", serde_json::to_string(command)?)?;
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line)?;
    match serde_json::from_str(&line).context("the server ended before it answered")? {
        Reply::Done(done) => Ok(Some(done)),
        Reply::Error(error) => bail!("{error}"),
    }
}
