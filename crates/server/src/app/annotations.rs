//! Notes at a time, which charts over time show.

use super::JsonBody;
use super::documents::{self, DOCUMENTS_MAX, IfMatch, Kind, RecordView, Search, Versioned};
use crate::app_state::Shared;
use crate::auth::InProject;
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use model::ErrorCode;
use model::saved::{Annotation, AnnotationBody};
use serde::{Deserialize, Serialize};
use store::Document;
use utoipa::{IntoParams, ToSchema};

pub const ANNOTATIONS: Kind = Kind {
    name: "annotation",
    what: "the annotation",
    count_max: DOCUMENTS_MAX,
};

#[derive(Serialize, ToSchema)]
pub struct AnnotationView {
    #[serde(flatten)]
    pub record: RecordView,
    pub annotation: Annotation,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Period {
    /// Only annotations at or after this instant.
    from_ms: Option<i64>,
    /// Only annotations before this instant.
    to_ms: Option<i64>,
}

fn from_document(document: &Document) -> Option<AnnotationView> {
    Some(AnnotationView {
        record: document.into(),
        annotation: serde_json::from_str(&document.json).ok()?,
    })
}

fn versioned(status: StatusCode, document: &Document) -> ApiResult<Versioned<AnnotationView>> {
    let view = from_document(document).ok_or_else(|| ApiError::not_found("an annotation that this build can read"))?;
    Ok(Versioned {
        status,
        version: document.version,
        view,
    })
}

fn zone(place: &InProject) -> ApiResult<TimeZone> {
    TimeZone::get(&place.project.timezone)
        .map_err(|_| ApiError::new(ErrorCode::Internal, "the project's time zone is not known here"))
}

/// Annotations of the project, by their time.
#[utoipa::path(get, operation_id = "annotations", path = "/api/v1/projects/{project}/annotations", tag = "saved",
    params(("project" = u32, Path), Search, Period), responses((status = 200, body = Vec<AnnotationView>)))]
pub async fn list(
    State(app): State<Shared>,
    place: InProject,
    Query(search): Query<Search>,
    Query(period): Query<Period>,
) -> ApiResult<Json<Vec<AnnotationView>>> {
    let documents = documents::list(&app, &place, &ANNOTATIONS).await?;
    let lies_in =
        |time_ms| period.from_ms.is_none_or(|from| from <= time_ms) && period.to_ms.is_none_or(|to| time_ms < to);
    let mut found: Vec<AnnotationView> = documents
        .iter()
        .filter_map(from_document)
        .filter(|view| lies_in(view.annotation.time_ms))
        .filter(|view| search.finds(&[&view.annotation.description, &view.annotation.tags.join("\n")]))
        .collect();
    found.sort_by_key(|view| (view.annotation.time_ms, view.record.id));
    Ok(Json(found))
}

/// Writes an annotation.
#[utoipa::path(post, operation_id = "annotate", path = "/api/v1/projects/{project}/annotations", tag = "saved", request_body = AnnotationBody,
    params(("project" = u32, Path)), responses((status = 201, body = AnnotationView)))]
pub async fn save(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<AnnotationBody>,
) -> ApiResult<Versioned<AnnotationView>> {
    let annotation = body.placed(&zone(&place)?)?;
    let document = documents::add(&app, &place, &ANNOTATIONS, annotation.title(), &annotation).await?;
    versioned(StatusCode::CREATED, &document)
}

/// One annotation.
#[utoipa::path(get, operation_id = "annotation", path = "/api/v1/projects/{project}/annotations/{annotation}", tag = "saved",
    params(("project" = u32, Path), ("annotation" = u64, Path)), responses((status = 200, body = AnnotationView)))]
pub async fn show(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<Versioned<AnnotationView>> {
    let document = documents::find(&app, &place, &ANNOTATIONS, id).await?;
    versioned(StatusCode::OK, &document)
}

/// Changes an annotation: all of it, from the version named in `If-Match`.
#[utoipa::path(put, operation_id = "change_annotation", path = "/api/v1/projects/{project}/annotations/{annotation}", tag = "saved",
    request_body = AnnotationBody,
    params(("project" = u32, Path), ("annotation" = u64, Path), ("If-Match" = String, Header, description = "the version that was changed, as `\"3\"`")),
    responses((status = 200, body = AnnotationView), (status = 409, description = "`conflict`: somebody else was faster")))]
pub async fn replace(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
    version: IfMatch,
    JsonBody(body): JsonBody<AnnotationBody>,
) -> ApiResult<Versioned<AnnotationView>> {
    let annotation = body.placed(&zone(&place)?)?;
    let document = documents::replace(
        &app,
        &place,
        &ANNOTATIONS,
        (id, version),
        annotation.title(),
        &annotation,
    )
    .await?;
    versioned(StatusCode::OK, &document)
}

/// Deletes an annotation.
#[utoipa::path(delete, operation_id = "delete_annotation", path = "/api/v1/projects/{project}/annotations/{annotation}", tag = "saved",
    params(("project" = u32, Path), ("annotation" = u64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<StatusCode> {
    documents::delete(&app, &place, &ANNOTATIONS, id).await
}
