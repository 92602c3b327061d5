//! The accept loop: HTTP/1.1 with limits on slow clients, and a drain at the end.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tower::{Service, ServiceExt};

/// Time for the request line and headers to arrive (secrecy contract, R11).
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest head of a request: Node's SDK puts whole events into the query string (contract G15).
const HEAD_BYTES_MAX: usize = 256 << 10;
/// How long running requests get to finish after the stop signal.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// The other end of the connection. Never logged, never stored.
#[derive(Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Serves until `stop` resolves, then lets running requests finish.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
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
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            let mut router = router.clone();
            async move {
                let ready = ServiceExt::<Request<Body>>::ready(&mut router).await?;
                ready.call(request.map(Body::new)).await
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let watched = graceful.watch(connection);
        // A connection that ends badly is the client's affair; there is nothing to mend and nothing to log.
        tokio::spawn(async move { drop(watched.await) });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("Some requests did not finish before the drain ended");
    }
}
