//! What is arriving right now.

use super::questions::release;
use crate::app_state::{Shared, now};
use crate::auth::InProject;
use crate::error::ApiResult;
use axum::Json;
use axum::extract::{Query, State};
use query::{EventRow, EventsQuery};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

const ROWS_MAX: usize = 200;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LiveParams {
    /// Only events received after this one; 0 or absent for the newest.
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct LiveView {
    /// Newest first.
    pub events: Vec<EventRowView>,
    /// What to send as `after` next time.
    pub next: u64,
}

#[derive(Serialize, ToSchema)]
pub struct EventRowView {
    /// Place in the order of arrival.
    pub seq: u64,
    pub event: String,
    /// 0: nobody.
    pub person: u64,
    pub time_ms: i64,
    #[schema(value_type = Object)]
    pub properties: Map<String, Value>,
}

pub fn row_view(row: EventRow) -> EventRowView {
    EventRowView {
        seq: row.seq,
        event: row.event,
        person: row.person.0,
        time_ms: row.time.0,
        properties: row
            .properties
            .into_iter()
            .map(|(name, value)| (name, value.to_json()))
            .collect(),
    }
}

/// The newest events. Recorded as a disclosure of the persons in them; nothing new records nothing.
#[utoipa::path(get, operation_id = "live", path = "/api/v1/projects/{project}/live", tag = "people", params(("project" = u32, Path), LiveParams),
    responses((status = 200, body = LiveView)))]
pub async fn show(
    State(app): State<Shared>,
    place: InProject,
    Query(params): Query<LiveParams>,
) -> ApiResult<Json<LiveView>> {
    let watermark = app.store.snapshot(place.project.id).watermark();
    if params.after >= watermark {
        return Ok(Json(LiveView {
            events: Vec::new(),
            next: watermark,
        }));
    }
    let limit = params.limit.unwrap_or(50).clamp(1, ROWS_MAX);
    let _permit = app.permits.question(place.project.id).await?;
    let question = EventsQuery {
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        events: None,
        filter: None,
        persons: None,
        // A page that opens wants the newest rows, not history from the first row on.
        after_seq: Some(params.after.max(watermark.saturating_sub(10 * limit as u64))),
        behind: None,
        limit,
        newest_first: true,
    };
    let rows = app.engine.events(&place.project, &question, now()).await?;
    let (rows, _) = release(&app, rows, place.caller.asker(place.project.id, "live")).await?;
    let next = rows.iter().map(|row| row.seq).max().unwrap_or(watermark).max(watermark);
    Ok(Json(LiveView {
        events: rows.into_iter().map(row_view).collect(),
        next,
    }))
}
