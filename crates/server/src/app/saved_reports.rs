//! Reports that somebody gave a name.

use super::JsonBody;
use super::documents::{self, DOCUMENTS_MAX, IfMatch, Kind, RecordView, Search, Versioned};
use crate::app_state::Shared;
use crate::auth::InProject;
use crate::error::ApiResult;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use model::report::Report;
use model::saved::{SavedReportBody, checked_name};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Document;
use utoipa::ToSchema;

/// Kind of these documents in the catalog.
pub const KIND: &str = REPORTS.name;
pub const REPORTS: Kind = Kind {
    name: "report",
    what: "the report",
    count_max: DOCUMENTS_MAX,
};

#[derive(Serialize, ToSchema)]
pub struct SavedReport {
    #[serde(flatten)]
    pub record: RecordView,
    pub description: String,
    pub report: Report,
    /// Asks for the last so many days, today included, instead of the range in `report`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_days: Option<u32>,
    /// How the app shows the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Weekly visitors",
    "description": "People who viewed a page.",
    "last_days": 90,
    "report": {
        "range": {"from": "2026-06-01", "to": "2026-08-31"},
        "question": {"kind": "insights", "metrics": [{"event": "Page viewed", "measure": "unique"}], "unit": "week"},
    },
}))]
pub struct SaveBody {
    name: String,
    #[serde(default)]
    description: String,
    report: Report,
    last_days: Option<u32>,
    chart: Option<String>,
}

impl SaveBody {
    fn checked(self) -> ApiResult<(String, SavedReportBody)> {
        let name = checked_name(&self.name)?;
        let body = SavedReportBody {
            description: self.description.trim().to_owned(),
            report: self.report,
            last_days: self.last_days,
            chart: self.chart,
        };
        body.check()?;
        body.report.check()?;
        Ok((name, body))
    }
}

/// Reads a stored document; one that this build cannot read is skipped, not an error for all others.
pub fn from_document(document: &Document) -> Option<SavedReport> {
    let body = body_of(document)?;
    Some(SavedReport {
        record: document.into(),
        description: body.description,
        report: body.report,
        last_days: body.last_days,
        chart: body.chart,
    })
}

/// The stored definition. Before reports had a description, the question alone was stored.
pub fn body_of(document: &Document) -> Option<SavedReportBody> {
    let bare = || {
        Some(SavedReportBody {
            description: String::new(),
            report: serde_json::from_str(&document.json).ok()?,
            last_days: None,
            chart: None,
        })
    };
    serde_json::from_str(&document.json).ok().or_else(bare)
}

/// Whether a question is that of a saved report, over whatever days. Refuses who may not look at those.
pub async fn is_saved(app: &Shared, place: &InProject, report: &Report) -> ApiResult<bool> {
    let documents = documents::list(app, place, &REPORTS).await?;
    let mut saved = documents.iter().filter_map(body_of);
    Ok(saved.any(|saved| {
        let over_the_same_days = Report {
            range: report.range,
            ..saved.report
        };
        over_the_same_days == *report
    }))
}

fn versioned(status: StatusCode, document: &Document) -> ApiResult<Versioned<SavedReport>> {
    let view = from_document(document).ok_or_else(|| {
        crate::error::ApiError::not_found("a report that this build can read")
            .fix("it was saved by a later version; delete it or use that version")
    })?;
    Ok(Versioned {
        status,
        version: document.version,
        view,
    })
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportKind {
    /// Only reports whose question is of this kind, like `insights` or `funnel`.
    kind: Option<String>,
}

/// Saved reports of the project, by number.
#[utoipa::path(get, operation_id = "saved_reports", path = "/api/v1/projects/{project}/reports", tag = "saved",
    params(("project" = u32, Path), Search, ReportKind), responses((status = 200, body = Vec<SavedReport>)))]
pub async fn list(
    State(app): State<Shared>,
    place: InProject,
    Query(search): Query<Search>,
    Query(ReportKind { kind }): Query<ReportKind>,
) -> ApiResult<Json<Vec<SavedReport>>> {
    let documents = documents::list(&app, &place, &REPORTS).await?;
    let found = documents.iter().filter_map(from_document).filter(|saved| {
        let is_kind = |kind: &String| json!(saved.report.question)["kind"] == **kind;
        kind.as_ref().is_none_or(is_kind) && search.finds(&[&saved.record.name, &saved.description])
    });
    Ok(Json(found.collect()))
}

/// Saves a report under a name.
#[utoipa::path(post, operation_id = "save_report", path = "/api/v1/projects/{project}/reports", tag = "saved", request_body = SaveBody,
    params(("project" = u32, Path)), responses((status = 201, body = SavedReport)))]
pub async fn save(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<SaveBody>,
) -> ApiResult<Versioned<SavedReport>> {
    let (name, body) = body.checked()?;
    let document = documents::add(&app, &place, &REPORTS, name, &body).await?;
    versioned(StatusCode::CREATED, &document)
}

/// One saved report.
#[utoipa::path(get, operation_id = "saved_report", path = "/api/v1/projects/{project}/reports/{report}", tag = "saved",
    params(("project" = u32, Path), ("report" = u64, Path)), responses((status = 200, body = SavedReport)))]
pub async fn show(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<Versioned<SavedReport>> {
    let document = documents::find(&app, &place, &REPORTS, id).await?;
    versioned(StatusCode::OK, &document)
}

/// Changes a saved report: all of it, from the version named in `If-Match`.
#[utoipa::path(put, operation_id = "change_report", path = "/api/v1/projects/{project}/reports/{report}", tag = "saved", request_body = SaveBody,
    params(("project" = u32, Path), ("report" = u64, Path), ("If-Match" = String, Header, description = "the version that was changed, as `\"3\"`")),
    responses((status = 200, body = SavedReport), (status = 409, description = "`conflict`: somebody else was faster")))]
pub async fn replace(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
    version: IfMatch,
    JsonBody(body): JsonBody<SaveBody>,
) -> ApiResult<Versioned<SavedReport>> {
    let (name, body) = body.checked()?;
    let document = documents::replace(&app, &place, &REPORTS, (id, version), name, &body).await?;
    versioned(StatusCode::OK, &document)
}

/// Forgets a saved report. Cards of boards that show it then say that it was deleted.
#[utoipa::path(delete, operation_id = "delete_report", path = "/api/v1/projects/{project}/reports/{report}", tag = "saved",
    params(("project" = u32, Path), ("report" = u64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<StatusCode> {
    documents::delete(&app, &place, &REPORTS, id).await
}
