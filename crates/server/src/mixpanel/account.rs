//! `/api/app/me`: who a credential is, and of which projects (contract CH5).

use crate::app_state::Shared;
use crate::auth::mixpanel_machine;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// What clients ask before anything else, to see whether their credential works.
pub async fn me(State(app): State<Shared>, headers: HeaderMap) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = authorization.and_then(|text| mixpanel_machine(&app, text));
    let Some(credential) = credential else {
        let refusal = json!({ "status": "error", "error": "Invalid service account credentials" });
        return (StatusCode::UNAUTHORIZED, Json(refusal)).into_response();
    };
    let mut projects = Map::new();
    if let Some(project) = app.store.catalog().project(credential.project) {
        let view = json!({ "id": project.id.0, "name": project.name, "timezone": project.timezone });
        projects.insert(project.id.0.to_string(), view);
    }
    let user: Value = credential.username.map_or(Value::Null, Value::String);
    let results = json!({ "user_id": user, "user_name": user, "projects": projects });
    Json(json!({ "status": "ok", "results": results })).into_response()
}
