//! Who is behind a number of a report.

use super::JsonBody;
use super::people::{PAGE_MAX, PeopleView, page_default, person_view};
use super::questions::release;
use crate::app_state::{Shared, now};
use crate::auth::InProject;
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::State;
use model::report::{Report, ReportCell};
use query::Page;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "report": {
        "range": {"from": "2026-08-01", "to": "2026-08-31"},
        "question": {
            "kind": "funnel", "window_ms": 86_400_000,
            "steps": [{"event": "Sign up"}, {"event": "Upgrade"}]
        }
    },
    "cell": {"kind": "funnel", "step": 0, "side": "dropped_off"},
    "limit": 50
}))]
pub struct MembersBody {
    report: Report,
    cell: ReportCell,
    #[serde(default = "page_default")]
    limit: usize,
    #[serde(default)]
    offset: usize,
}

/// The persons that one number of a report's answer counts. Recorded as a disclosure of everyone in the page.
#[utoipa::path(post, operation_id = "members", path = "/api/v1/projects/{project}/query/members", tag = "questions", request_body = MembersBody,
    params(("project" = u32, Path)),
    responses((status = 200, body = PeopleView), (status = 400, description = "the report has no such number, or is refused")))]
pub async fn list(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<MembersBody>,
) -> ApiResult<Json<PeopleView>> {
    if body.limit == 0 || body.limit > PAGE_MAX {
        return Err(ApiError::invalid(format!("give a limit of 1 to {PAGE_MAX}")).at("/limit"));
    }
    let _permit = app.permits.question(place.project.id).await?;
    let page = Page {
        limit: body.limit,
        offset: body.offset,
    };
    let page = app
        .engine
        .member_rows(&place.project, &body.report, &body.cell, page, now())
        .await?;
    let (page, _) = release(&app, page, place.caller.asker(place.project.id, "members")).await?;
    Ok(Json(PeopleView {
        total: page.total,
        people: page.people.into_iter().map(person_view).collect(),
    }))
}
