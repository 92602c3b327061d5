//! Every route, in one table.
//!
//! Three kinds: *ingestion* is open to the world under a write token, with CORS; the *Mixpanel query API* takes machine
//! credentials; the *app's own API* takes a sign-in or machine credentials. A handler is closed by what it extracts
//! (`InProject`, `Staff`, `MachineCaller`); those that extract none of them are public and listed as such.

use crate::app::{
    annotations, boards, cohorts, definitions, disclosures, live, members, openapi, people, questions, retention,
    saved_reports, schema, session, setup, sql, status,
};
use crate::app_state::Shared;
use crate::error::ApiError;
use crate::ingest::{self, neutral};
use crate::{assets, http_metrics, mixpanel};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post, put};
use model::ErrorCode;
use std::time::Duration;

pub fn router(app: Shared) -> Router {
    Router::new()
        .merge(ingestion())
        .merge(mixpanel_queries().layer(middleware::from_fn(read_small_body)))
        .merge(app_api().layer(middleware::from_fn(read_small_body)))
        .merge(public())
        .fallback(assets::serve)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), http_metrics::count))
        .layer(middleware::from_fn(security_headers))
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

/// What SDKs send to. Answers with and without a trailing slash, never with a redirect (contract G1).
fn ingestion() -> Router<Shared> {
    let mut router = Router::new();
    for (path, route) in [
        ("/track", any(ingest::track)),
        ("/engage", any(ingest::engage)),
        ("/groups", any(ingest::groups)),
        ("/import", any(ingest::import)),
        ("/record", any(neutral::record)),
        ("/flags", any(neutral::flags)),
        ("/flags/definitions", any(neutral::flag_definitions)),
        ("/flags/{flag}/first-time-events", any(neutral::first_time_event)),
        ("/settings", any(neutral::settings)),
        ("/decide", any(neutral::decide)),
    ] {
        router = both_slashes(router, path, route);
    }
    router.layer(middleware::from_fn(ingest::cors))
}

/// Mixpanel's query API under both of its prefixes, GET and POST alike (contract Q5).
fn mixpanel_queries() -> Router<Shared> {
    let routes: Vec<(&str, MethodRouter<Shared>)> = vec![
        ("/segmentation", any(mixpanel::segmentation::segmentation)),
        ("/segmentation/sum", any(mixpanel::segmentation::sum)),
        ("/segmentation/average", any(mixpanel::segmentation::average)),
        ("/segmentation/numeric", any(mixpanel::segmentation::numeric)),
        ("/insights", any(mixpanel::insights::saved)),
        ("/events", any(mixpanel::events::events)),
        ("/events/top", any(mixpanel::events::top)),
        ("/events/names", any(mixpanel::events::names)),
        ("/events/properties", any(mixpanel::events::properties)),
        ("/events/properties/top", any(mixpanel::events::top_properties)),
        ("/events/properties/values", any(mixpanel::events::property_values)),
        ("/funnels", any(mixpanel::funnels::funnel)),
        ("/funnels/list", any(mixpanel::funnels::list)),
        ("/retention", any(mixpanel::retention::retention)),
        ("/retention/addiction", any(mixpanel::retention::addiction)),
        ("/engage", any(mixpanel::engage::engage)),
        ("/engage/query", any(mixpanel::engage::engage)),
        ("/engage/properties", any(mixpanel::engage::properties)),
        ("/cohorts/list", any(mixpanel::cohorts::list)),
        ("/annotations", any(mixpanel::annotations::list)),
        ("/stream/query", any(mixpanel::export::stream)),
        ("/jql", any(mixpanel::jql)),
    ];
    let mut router = Router::new();
    for (path, route) in routes {
        for prefix in ["/api/query", "/api/2.0"] {
            router = both_slashes(router, &format!("{prefix}{path}"), route.clone());
        }
    }
    // Whatever else Mixpanel has below these prefixes is refused in its own shape.
    for prefix in ["/api/query", "/api/2.0"] {
        router = router.route(&format!("{prefix}/{{*endpoint}}"), any(mixpanel::unknown));
    }
    let router = both_slashes(router, "/api/app/me", any(mixpanel::account::me));
    both_slashes(router, "/api/2.0/export", any(mixpanel::export::export))
}

fn app_api() -> Router<Shared> {
    Router::new()
        .route("/api/v1/session", get(session::show).delete(session::sign_out))
        .route("/api/v1/status", get(status::show))
        .route("/api/v1/projects/{project}/query", post(questions::ask))
        .route("/api/v1/projects/{project}/query/members", post(members::list))
        .route("/api/v1/projects/{project}/sql", get(sql::views).post(sql::ask))
        .route("/api/v1/projects/{project}/schema", get(schema::show))
        .route("/api/v1/projects/{project}/values", get(schema::values))
        .route("/api/v1/projects/{project}/live", get(live::show))
        .route("/api/v1/projects/{project}/people", post(people::list))
        .route("/api/v1/projects/{project}/people/{person}", get(people::show))
        .route(
            "/api/v1/projects/{project}/people/{person}/reveal",
            post(people::reveal),
        )
        .route("/api/v1/projects/{project}/lookup", post(people::lookup))
        .route(
            "/api/v1/projects/{project}/cohorts",
            get(cohorts::list).post(cohorts::save),
        )
        .route("/api/v1/projects/{project}/cohorts/size", post(cohorts::size))
        .route("/api/v1/projects/{project}/cohorts/members", post(cohorts::members))
        .route("/api/v1/projects/{project}/cohorts/persons", post(cohorts::persons))
        .route(
            "/api/v1/projects/{project}/cohorts/{cohort}",
            get(cohorts::show).put(cohorts::replace).delete(cohorts::delete),
        )
        .route(
            "/api/v1/projects/{project}/cohorts/{cohort}/freeze",
            post(cohorts::freeze).delete(cohorts::thaw),
        )
        .route("/api/v1/projects/{project}/computed", get(definitions::list_computed))
        .route(
            "/api/v1/projects/{project}/computed/{name}",
            put(definitions::save_computed).delete(definitions::delete_computed),
        )
        .route(
            "/api/v1/projects/{project}/lookup-tables",
            get(definitions::list_tables),
        )
        .route(
            "/api/v1/projects/{project}/lookup-tables/{name}",
            put(definitions::save_table).delete(definitions::delete_table),
        )
        .route("/api/v1/projects/{project}/ledger", get(disclosures::list))
        .route("/api/v1/projects/{project}/setup", get(setup::show))
        .route(
            "/api/v1/projects/{project}/retention",
            get(retention::show).put(retention::replace),
        )
        .route(
            "/api/v1/projects/{project}/reports",
            get(saved_reports::list).post(saved_reports::save),
        )
        .route(
            "/api/v1/projects/{project}/reports/{report}",
            get(saved_reports::show)
                .put(saved_reports::replace)
                .delete(saved_reports::delete),
        )
        .route(
            "/api/v1/projects/{project}/boards",
            get(boards::list).post(boards::save),
        )
        .route(
            "/api/v1/projects/{project}/boards/{board}",
            get(boards::show).put(boards::replace).delete(boards::delete),
        )
        .route(
            "/api/v1/projects/{project}/boards/{board}/cards/{card}/query",
            post(boards::ask_card),
        )
        .route(
            "/api/v1/projects/{project}/annotations",
            get(annotations::list).post(annotations::save),
        )
        .route(
            "/api/v1/projects/{project}/annotations/{annotation}",
            get(annotations::show)
                .put(annotations::replace)
                .delete(annotations::delete),
        )
}

/// Routes that need no credential: they show nothing that is anybody's.
fn public() -> Router<Shared> {
    Router::new()
        .route("/api/v1/session", post(session::sign_in))
        .route("/api/v1/openapi.json", get(openapi::show))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
}

fn both_slashes(router: Router<Shared>, path: &str, route: MethodRouter<Shared>) -> Router<Shared> {
    router.route(path, route.clone()).route(&format!("{path}/"), route)
}

/// Largest body that is read before anybody asked for it.
const EARLY_BODY_BYTES_MAX: u64 = 64 << 10;
const EARLY_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads small bodies before the handler decides. A refusal that leaves a body unread costs the client its connection,
/// and pools of connections then fail the request after it.
async fn read_small_body(request: Request, next: Next) -> Response {
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if !length.is_some_and(|length| (1..=EARLY_BODY_BYTES_MAX).contains(&length)) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let reading = axum::body::to_bytes(body, EARLY_BODY_BYTES_MAX as usize);
    match tokio::time::timeout(EARLY_BODY_TIMEOUT, reading).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, bytes.into())).await,
        _ => ApiError::invalid("the body did not arrive whole").into_response(),
    }
}

async fn method_not_allowed() -> Response {
    ApiError::new(ErrorCode::MethodNotAllowed, "this address does not take that method").into_response()
}

/// Headers on every answer, errors too.
async fn security_headers(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    if is_api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
