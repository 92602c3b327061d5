//! The accept loop: HTTP/1.1 with limits on slow, silent and too many clients, and a drain at the end.
//!
//! | Who | What ends it |
//! |---|---|
//! | says nothing, or sends its head byte by byte | [`HEADER_TIMEOUT`], idle time between two requests included |
//! | sends its body byte by byte | the time that the route gives it |
//! | does not read its answer | [`WRITE_PATIENCE`] |
//! | opens connection after connection | [`Seats`]: the one that has waited longest |

mod seats;
mod stall;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seats::{Seat, Seats, Work};
use stall::Impatient;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tower::{Service, ServiceExt};

/// Time for the request line and headers to arrive (secrecy contract, R11).
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may leave an answer unread before it loses the connection.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// Largest head of a request: Node's SDK puts whole events into the query string (contract G15).
const HEAD_BYTES_MAX: usize = 256 << 10;
/// How long a connection that has to go may take to say so.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long running requests get to finish after the stop signal.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Open files left for segments, databases and the vault's connections; where few are allowed, half of them.
const OTHER_FILES: u64 = 512;

/// The other end of the connection. Never logged, never stored.
#[derive(Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Serves until `stop` resolves, then lets running requests finish. Of `connections_max` as many may be open as the system
/// lets this process have files.
pub async fn serve(listener: TcpListener, router: Router, connections_max: usize, stop: impl Future<Output = ()>) {
    let seats = Seats::new(seats_max(connections_max));
    let (stopping, stopped) = watch::channel(false);
    // Never sent on: it is closed when the last connection has dropped its end.
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly. Accepting again at once would spin.
                tracing::warn!(cause = %error, "Could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Without a seat the stream is dropped, which closes it.
        if let Some(seat) = seats.take() {
            let connection = converse(stream, Peer(peer), router.clone(), seat, stopped.clone());
            let open = open.clone();
            tokio::spawn(async move {
                connection.await;
                drop(open);
            });
        }
    }
    drop((listener, open));
    let _ = stopping.send(true);
    if tokio::time::timeout(DRAIN_TIMEOUT, all_closed.recv()).await.is_err() {
        tracing::warn!("Some requests did not finish before the drain ended");
    }
}

/// Answers a connection's requests until either side ends it. One that ends badly is the client's affair; there is nothing
/// to mend and nothing to log.
async fn converse(stream: TcpStream, peer: Peer, router: Router, seat: Seat, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let seat = Arc::new(seat);
    let served = seat.clone();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (mut router, seat) = (router.clone(), served.clone());
        async move {
            let work = seat.work();
            let ready = ServiceExt::<Request<Body>>::ready(&mut router).await?;
            let response = ready.call(request.map(Body::new)).await?;
            Ok::<_, Infallible>(response.map(|body| Answer { body, _work: work }))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Impatient::new(stream, WRITE_PATIENCE)), service);
    tokio::pin!(connection);
    let is_pushed_out = tokio::select! {
        _ = connection.as_mut() => return,
        () = seat.is_needed() => true,
        _ = stopped.wait_for(|stopped| *stopped) => false,
    };
    // An answer on its way is still given.
    connection.as_mut().graceful_shutdown();
    if is_pushed_out {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = tokio::time::sleep(FAREWELL) => {}
        }
        if seat.is_waiting() {
            // Half a head is all there is, and it is not waited for.
            return;
        }
    }
    let _ = connection.await;
}

/// The body of an answer, which is work until it is sent.
struct Answer {
    body: Body,
    _work: Work,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// For how many connections the limit on open files leaves room, once that is as high as this process may set it.
fn seats_max(wanted: usize) -> usize {
    let mut files = getrlimit(Resource::Nofile);
    if files.current != files.maximum {
        let raised = Rlimit {
            current: files.maximum,
            maximum: files.maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            files = raised;
        }
    }
    // No limit is `None`.
    let allowed = files.current.unwrap_or(u64::MAX);
    let room = allowed.saturating_sub(OTHER_FILES).max(allowed / 2);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(room, "The limit on open files leaves room for {room} connections");
    }
    wanted.min(room).max(1)
}
