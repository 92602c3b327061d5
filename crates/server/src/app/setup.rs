//! What a developer needs to point an SDK here.

use crate::app_state::{Shared, blocking};
use crate::auth::InProject;
use crate::error::ApiResult;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use serde::Serialize;
use utoipa::ToSchema;

/// Name under which the vault keeps the write token.
pub const WRITE_TOKEN_SECRET: &str = "write_token";

#[derive(Serialize, ToSchema)]
pub struct SetupView {
    /// Public by nature: it goes into pages.
    pub token: Option<String>,
    /// Where SDKs send to: this server as the caller reached it.
    pub endpoint: String,
    /// The stock browser SDK, served from here.
    pub script: &'static str,
    /// When the first event came; absent while none has.
    pub first_event_ms: Option<i64>,
}

/// Token, endpoint, and whether anything has arrived yet.
#[utoipa::path(get, operation_id = "setup", path = "/api/v1/projects/{project}/setup", tag = "setup", params(("project" = u32, Path)),
    responses((status = 200, body = SetupView)))]
pub async fn show(State(app): State<Shared>, place: InProject, headers: HeaderMap) -> ApiResult<Json<SetupView>> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("127.0.0.1:7700");
    let scheme = headers
        .get("x-forwarded-proto")
        .and_then(|proto| proto.to_str().ok())
        .unwrap_or("http");
    let endpoint = format!("{scheme}://{host}");
    blocking(move || {
        let token = app.vault.secret(place.project.id, WRITE_TOKEN_SECRET)?;
        let first = app
            .store
            .snapshot(place.project.id)
            .events()
            .iter()
            .map(|event| event.first_ms)
            .min();
        let token = token.map(|token| token.expose().to_owned());
        Ok(Json(SetupView {
            token,
            endpoint,
            script: "/lib.js",
            first_event_ms: first,
        }))
    })
    .await
}
