//! How long a project's events are kept.

use super::JsonBody;
use crate::app_state::{Shared, blocking};
use crate::auth::InProject;
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::State;
use model::{ErrorCode, ProjectId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Retention;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionBody {
    /// Days that events are kept, 1 to 36,500; absent for ever.
    #[serde(default)]
    days: Option<u32>,
    /// Events that are kept for another number of days, by name.
    #[serde(default)]
    events: BTreeMap<String, u32>,
}

#[derive(Serialize, ToSchema)]
pub struct RetentionView {
    /// Days that events are kept; absent for ever.
    pub days: Option<u32>,
    /// Events that are kept for another number of days, by name.
    pub events: BTreeMap<String, u32>,
    /// Rows past retention could not be removed from the disk when that was last tried. They are in no answer all the same.
    pub overdue: bool,
}

/// How long events are kept. Older ones are in no answer from the next UTC day on, and leave the disk within a week.
#[utoipa::path(get, operation_id = "retention", path = "/api/v1/projects/{project}/retention", tag = "setup",
    params(("project" = u32, Path)), responses((status = 200, body = RetentionView)))]
pub async fn show(State(app): State<Shared>, place: InProject) -> ApiResult<Json<RetentionView>> {
    place.caller.require_reader()?;
    Ok(Json(view(&app, place.project.id, place.project.settings.retention)))
}

/// Changes how long events are kept. What falls out of it is gone for good: a longer time later brings nothing back.
#[utoipa::path(put, operation_id = "change_retention", path = "/api/v1/projects/{project}/retention", tag = "setup",
    request_body = RetentionBody, params(("project" = u32, Path)),
    responses((status = 200, body = RetentionView), (status = 403, description = "not an owner, admin or privacy officer")))]
pub async fn replace(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<RetentionBody>,
) -> ApiResult<Json<RetentionView>> {
    let actor = place.caller.require_manager()?;
    let retention = Retention {
        days: body.days,
        events: body.events,
    };
    if let Some(fault) = retention.fault() {
        return Err(ApiError::new(ErrorCode::InvalidRequest, fault));
    }
    let mut project = place.project;
    project.settings.retention = retention.clone();
    tracing::info!(project = project.id.0, %actor, days = retention.days, events = retention.events.len(), "Retention was changed");
    let (changing, id) = (app.clone(), project.id);
    blocking(move || Ok(changing.store.catalog().update_project(&project)?)).await?;
    Ok(Json(view(&app, id, retention)))
}

fn view(app: &Shared, project: ProjectId, retention: Retention) -> RetentionView {
    RetentionView {
        days: retention.days,
        events: retention.events,
        overdue: app.store.retention_is_overdue(project),
    }
}
