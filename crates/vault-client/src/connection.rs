//! One connection, and the pool of idle ones.

use crate::VaultError;
use crate::protocol::{self, Frame, FrameType, Reply, VERSION};
use rustix::net::RecvFlags;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use zeroize::Zeroizing;

/// Idle connections kept: the collector's window (ID-19) and as many for everything else.
const IDLE_MAX: usize = 16;

pub(crate) struct Pool {
    socket: PathBuf,
    idle: Mutex<Vec<UnixStream>>,
    next_call: AtomicU64,
}

impl Pool {
    pub(crate) fn new(socket: PathBuf) -> Pool {
        Pool {
            socket,
            idle: Mutex::new(Vec::new()),
            next_call: AtomicU64::new(1),
        }
    }

    /// One call. A connection that broke or fell out of step is dropped, never returned to the pool.
    ///
    /// `repeatable` calls are tried once more on a new connection when the first broke before it answered: the vault
    /// may have been restarted between two calls. Others are not, because the first try may have had its effect.
    pub(crate) fn call(
        &self,
        body: Zeroizing<Vec<u8>>,
        timeout: Duration,
        repeatable: bool,
    ) -> Result<Reply, VaultError> {
        let call = self.next_call.fetch_add(1, Ordering::Relaxed);
        let frame = Frame::new(FrameType::Request, call, body);
        let stream = self.connection()?;
        let outcome = exchange(&stream, &frame, timeout);
        let (stream, outcome) = match outcome {
            Err(ref error) if repeatable && is_broken(error) => {
                let fresh = connect(&self.socket)?;
                let outcome = exchange(&fresh, &frame, timeout);
                (fresh, outcome)
            }
            outcome => (stream, outcome),
        };
        let answer = outcome.map_err(|error| unavailable(&error))?;
        let reply = read_answer(&answer, call)?;
        self.give_back(stream);
        reply
    }

    /// An idle connection that is still open, or a new one.
    fn connection(&self) -> Result<UnixStream, VaultError> {
        loop {
            let Some(stream) = self.idle.lock().expect("no panic while the pool is locked").pop() else {
                return connect(&self.socket);
            };
            if is_open(&stream) {
                return Ok(stream);
            }
        }
    }

    fn give_back(&self, stream: UnixStream) {
        let mut idle = self.idle.lock().expect("no panic while the pool is locked");
        if idle.len() < IDLE_MAX {
            idle.push(stream);
        }
    }
}

fn connect(socket: &Path) -> Result<UnixStream, VaultError> {
    UnixStream::connect(socket).map_err(|error| unavailable(&error))
}

fn exchange(mut stream: &UnixStream, frame: &Frame, timeout: Duration) -> io::Result<Frame> {
    stream.set_write_timeout(Some(timeout))?;
    stream.set_read_timeout(Some(timeout))?;
    protocol::write_frame(&mut stream, frame)?;
    protocol::read_frame(&mut stream)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Outer error: the connection cannot be trusted further. Inner: the vault's own answer.
fn read_answer(frame: &Frame, call: u64) -> Result<Result<Reply, VaultError>, VaultError> {
    if frame.version != VERSION || frame.call != call {
        return Err(VaultError::Protocol(
            "an answer to another call or of another version".to_owned(),
        ));
    }
    match frame.frame_type {
        FrameType::Reply => protocol::decode_reply(&frame.body).map(Ok),
        FrameType::Refusal => Ok(Err(protocol::decode_refusal(&frame.body))),
        FrameType::Request => Err(VaultError::Protocol("the vault asked instead of answering".to_owned())),
    }
}

/// Whether the peer still has its end open. Between calls nothing may lie in the buffer either.
fn is_open(stream: &UnixStream) -> bool {
    let mut byte = [0u8; 1];
    matches!(
        rustix::net::recv(stream, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT),
        Err(rustix::io::Errno::AGAIN)
    )
}

fn is_broken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
    )
}

fn unavailable(error: &io::Error) -> VaultError {
    VaultError::Unavailable(match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no reply in time".to_owned(),
        _ => error.to_string(),
    })
}
