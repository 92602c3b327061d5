//! Health, readiness, metrics and the status line.

use super::session::{TierView, tier_view};
use crate::app_state::{Shared, blocking};
use crate::auth::Staff;
use crate::error::ApiResult;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct StatusView {
    pub version: &'static str,
    pub tier: TierView,
    /// Events stored, over all projects.
    pub events: u64,
    pub uptime_s: u64,
}

/// What runs here.
#[utoipa::path(get, operation_id = "status", path = "/api/v1/status", tag = "setup", responses((status = 200, body = StatusView)))]
pub async fn show(State(app): State<Shared>, _: Staff) -> ApiResult<Json<StatusView>> {
    let projects = app.store.catalog().projects();
    let events = projects
        .iter()
        .flat_map(|project| app.store.snapshot(project.id).events())
        .map(|event| event.rows)
        .sum();
    let uptime_s = app.started.elapsed().as_secs();
    Ok(Json(StatusView {
        version: env!("CARGO_PKG_VERSION"),
        tier: tier_view(&app),
        events,
        uptime_s,
    }))
}

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok"
}

/// The process can take events and answer questions: the vault answers and the log takes writes.
pub async fn readyz(State(app): State<Shared>) -> Response {
    let vault = app.vault.clone();
    let vault_ok = blocking(move || Ok(vault.hello()?)).await.is_ok();
    let storage_ok = app.store.metrics().log_stopped == 0;
    let ready = vault_ok && storage_ok;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(json!({ "ready": ready, "vault": vault_ok, "storage": storage_ok, "tier": app.tier.code() })),
    )
        .into_response()
}

/// Prometheus text. Numbers only, with route templates, property names and detector names as labels.
pub async fn metrics(State(app): State<Shared>) -> Response {
    let text = crate::metrics_page::render(&app);
    (
        [(
            header::CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        text,
    )
        .into_response()
}
