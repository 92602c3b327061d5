//! The ingestion routes: HTTP taken off, CORS put on. What the bytes mean is `collect`'s business.

use crate::app_state::{Shared, blocking};
use crate::connection::Peer;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use collect::{Endpoint, IngestReply, IngestRequest};
use futures::StreamExt;
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;
use store::{MemoryUse, Reservation};

/// Largest body as it comes over the wire; what it unpacks to has a limit of its own in `collect`.
const BODY_BYTES_MAX: usize = 10 << 20;
/// A client that has not finished its body by then is gone or hostile.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request waits for its turn before it is told to come back.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(1);

pub async fn track(state: State<Shared>, peer: Extension<Peer>, request: Request) -> Response {
    ingest(Endpoint::Track, state, peer, request).await
}

pub async fn engage(state: State<Shared>, peer: Extension<Peer>, request: Request) -> Response {
    ingest(Endpoint::Engage, state, peer, request).await
}

pub async fn groups(state: State<Shared>, peer: Extension<Peer>, request: Request) -> Response {
    ingest(Endpoint::Groups, state, peer, request).await
}

pub async fn import(state: State<Shared>, peer: Extension<Peer>, request: Request) -> Response {
    ingest(Endpoint::Import, state, peer, request).await
}

async fn ingest(
    endpoint: Endpoint,
    State(app): State<Shared>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut memory = app.store.memory().nothing(MemoryUse::Ingestion);
    let bytes = match read_body(body, &mut memory).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    let permits = match endpoint {
        Endpoint::Import => &app.import_permits,
        Endpoint::Track | Endpoint::Engage | Endpoint::Groups => &app.ingest_permits,
    };
    let Ok(Ok(_permit)) = tokio::time::timeout(PERMIT_TIMEOUT, permits.acquire()).await else {
        return come_back();
    };
    let collector = app.collector.clone();
    let client = client_address(&parts.headers, peer, &app.options.trusted_proxies);
    let handled = blocking(move || {
        let text = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        Ok(collector.handle(&IngestRequest {
            endpoint,
            method: if parts.method == Method::GET {
                collect::Method::Get
            } else {
                collect::Method::Post
            },
            query: parts.uri.query().unwrap_or(""),
            content_type: text(header::CONTENT_TYPE),
            content_encoding: text(header::CONTENT_ENCODING),
            authorization: text(header::AUTHORIZATION),
            user_agent: text(header::USER_AGENT),
            opted_out: opted_out(&parts.headers),
            peer: client,
            body: &bytes,
        }))
    });
    match handled.await {
        Ok(reply) => encode(reply),
        Err(_) => dialect_error(StatusCode::SERVICE_UNAVAILABLE, "a temporary failure occurred"),
    }
}

/// The body, as far as there is memory for it. `memory` grows with what has arrived.
async fn read_body(body: Body, memory: &mut Reservation) -> Result<Bytes, Response> {
    match tokio::time::timeout(BODY_TIMEOUT, collect_body(body, memory)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(BodyRefused::TooLarge)) => Err(dialect_error(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("request exceeds max limit of {BODY_BYTES_MAX} bytes"),
        )),
        Ok(Err(BodyRefused::MemoryShort)) => Err(come_back()),
        Err(_) => Err(dialect_error(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time",
        )),
    }
}

enum BodyRefused {
    /// Or cut off by the client, which does not read the answer then.
    TooLarge,
    MemoryShort,
}

async fn collect_body(body: Body, memory: &mut Reservation) -> Result<Bytes, BodyRefused> {
    let mut pieces = body.into_data_stream();
    let mut whole: Vec<Bytes> = Vec::new();
    let mut length = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| BodyRefused::TooLarge)?;
        length += piece.len();
        if length > BODY_BYTES_MAX {
            return Err(BodyRefused::TooLarge);
        }
        if !memory.grow(piece.len()) {
            return Err(BodyRefused::MemoryShort);
        }
        whole.push(piece);
    }
    match whole.len() {
        // Most bodies come in one piece, and need no copy.
        1 => Ok(whole.remove(0)),
        _ => Ok(whole.concat().into()),
    }
}

fn come_back() -> Response {
    dialect_error(
        StatusCode::TOO_MANY_REQUESTS,
        "Project exceeded rate limits. Please retry the request with exponential backoff.",
    )
}

fn encode(reply: IngestReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, reply.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    if let Some(seconds) = reply.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An error in the shape that `/import` clients parse (contract I8); `/track` clients look at the status only.
fn dialect_error(status: StatusCode, error: &str) -> Response {
    let body = json!({ "code": status.as_u16(), "error": error, "status": status.canonical_reason() });
    let mut response = (status, axum::Json(body)).into_response();
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}

/// `Sec-GPC` and `DNT`: the person asked not to be tracked.
fn opted_out(headers: &HeaderMap) -> bool {
    ["sec-gpc", "dnt"]
        .iter()
        .any(|name| headers.get(*name).is_some_and(|value| value.as_bytes() == b"1"))
}

/// The address of the client, in memory only: the peer's, or what a trusted proxy says.
fn client_address(headers: &HeaderMap, peer: Peer, trusted: &[IpAddr]) -> Option<IpAddr> {
    if !trusted.contains(&peer.0.ip()) {
        return Some(peer.0.ip());
    }
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    // The rightmost address that is not itself a trusted proxy: everything left of it is the client's own claim.
    forwarded
        .into_iter()
        .flat_map(|list| list.rsplit(','))
        .filter_map(|address| address.trim().parse().ok())
        .find(|address| !trusted.contains(address))
        .or(Some(peer.0.ip()))
}

/// CORS as browsers with credentials need it: the origin echoed, on errors too (contract G18–G23).
pub async fn cors(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let asked_headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = match *request.method() {
        Method::OPTIONS => preflight(asked_headers),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("Retry-After"),
        );
    }
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    response
}

fn preflight(asked_headers: Option<HeaderValue>) -> Response {
    const USUAL: &str = "Authorization, Content-Type, Content-Encoding, X-Requested-With, traceparent";
    let allowed = asked_headers
        .and_then(|asked| HeaderValue::from_str(&format!("{USUAL}, {}", asked.to_str().ok()?)).ok())
        .unwrap_or(HeaderValue::from_static(USUAL));
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, OPTIONS"),
    );
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

/// Endpoints that SDKs call and that store nothing here: replay, flags, remote settings (contract 1.6, 1.7).
pub mod neutral {
    use axum::Json;
    use axum::extract::Request;
    use serde_json::{Value, json};

    /// Session replay is refused by storing nothing; the body is not even read.
    pub async fn record(_: Request) -> Json<Value> {
        Json(json!({ "code": 200, "status": "OK" }))
    }

    pub async fn flags() -> Json<Value> {
        Json(json!({ "code": 200, "flags": {} }))
    }

    pub async fn flag_definitions() -> Json<Value> {
        Json(json!({ "code": 200, "flags": [] }))
    }

    pub async fn first_time_event() -> Json<Value> {
        Json(json!({ "code": 200, "status": "OK" }))
    }

    pub async fn settings() -> Json<Value> {
        Json(json!({ "sdk_config": { "config": {} }, "recording": { "is_enabled": false } }))
    }

    pub async fn decide() -> Json<Value> {
        Json(
            json!({ "notifications": [], "event_bindings": [], "variants": [], "automatic_events": false, "integrations": [] }),
        )
    }
}
