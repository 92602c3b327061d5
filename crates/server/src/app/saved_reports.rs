//! Reports that somebody gave a name.

use super::JsonBody;
use crate::app_state::{Shared, blocking};
use crate::auth::InProject;
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::report::Report;
use serde::{Deserialize, Serialize};
use store::Document;
use utoipa::ToSchema;

/// Kind of these documents in the catalog.
pub const KIND: &str = "report";
const NAME_CHARS_MAX: usize = 120;

#[derive(Serialize, ToSchema)]
pub struct SavedReport {
    pub id: u64,
    pub name: String,
    pub report: Report,
}

#[derive(Deserialize, ToSchema)]
pub struct SaveBody {
    name: String,
    report: Report,
}

/// Reads a stored document; one that this build cannot read is skipped, not an error for all others.
pub fn from_document(document: &Document) -> Option<SavedReport> {
    let report = serde_json::from_str(&document.json).ok()?;
    Some(SavedReport {
        id: document.id,
        name: document.name.clone(),
        report,
    })
}

/// All saved reports of the project.
#[utoipa::path(get, operation_id = "saved_reports", path = "/api/v1/projects/{project}/reports", tag = "questions", params(("project" = u32, Path)),
    responses((status = 200, body = Vec<SavedReport>)))]
pub async fn list(State(app): State<Shared>, place: InProject) -> ApiResult<Json<Vec<SavedReport>>> {
    blocking(move || {
        let documents = app.store.catalog().documents(place.project.id, KIND)?;
        Ok(Json(documents.iter().filter_map(from_document).collect()))
    })
    .await
}

/// Saves a report under a name.
#[utoipa::path(post, operation_id = "save_report", path = "/api/v1/projects/{project}/reports", tag = "questions", request_body = SaveBody,
    params(("project" = u32, Path)), responses((status = 201, body = SavedReport)))]
pub async fn save(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<SaveBody>,
) -> ApiResult<(StatusCode, Json<SavedReport>)> {
    body.report.check()?;
    let name = body.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(ApiError::invalid(format!("give a name of 1 to {NAME_CHARS_MAX} characters")).at("/name"));
    }
    blocking(move || {
        let json = serde_json::to_string(&body.report)
            .map_err(|_| ApiError::invalid("the report cannot be written as JSON"))?;
        let id = app
            .store
            .catalog()
            .save_document(place.project.id, KIND, None, &name, &json)?;
        Ok((
            StatusCode::CREATED,
            Json(SavedReport {
                id,
                name,
                report: body.report,
            }),
        ))
    })
    .await
}

/// One saved report.
#[utoipa::path(get, operation_id = "saved_report", path = "/api/v1/projects/{project}/reports/{report}", tag = "questions",
    params(("project" = u32, Path), ("report" = u64, Path)), responses((status = 200, body = SavedReport)))]
pub async fn show(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<Json<SavedReport>> {
    blocking(move || {
        let document = app.store.catalog().document(place.project.id, KIND, id)?;
        document
            .as_ref()
            .and_then(from_document)
            .map(Json)
            .ok_or_else(|| ApiError::not_found("the report"))
    })
    .await
}

/// Forgets a saved report.
#[utoipa::path(delete, operation_id = "delete_report", path = "/api/v1/projects/{project}/reports/{report}", tag = "questions",
    params(("project" = u32, Path), ("report" = u64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<StatusCode> {
    blocking(
        move || match app.store.catalog().delete_document(place.project.id, KIND, id)? {
            true => Ok(StatusCode::NO_CONTENT),
            false => Err(ApiError::not_found("the report")),
        },
    )
    .await
}
