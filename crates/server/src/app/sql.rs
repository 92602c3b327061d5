//! Read-only SQL over the views of a project.

use super::JsonBody;
use super::questions::release;
use crate::app_state::{Shared, now};
use crate::auth::InProject;
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::State;
use query::{ExplainedRows, QueryError, SQL_ROWS_DEFAULT, SQL_ROWS_MAX, SqlQuestion, SqlView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A statement to answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "sql": "select event, count(*) as events, count(distinct person) as persons\nfrom events\nwhere time >= '2026-03-01'\ngroup by event\nhaving count(distinct person) >= 10\norder by events desc",
    "limit": 100
}))]
pub struct SqlBody {
    /// One SELECT over `events`, `persons` and `groups`.
    sql: String,
    /// Most rows wanted, 1 to 10,000. The answer says whether there are more.
    #[serde(default = "limit_default")]
    limit: usize,
}

fn limit_default() -> usize {
    SQL_ROWS_DEFAULT
}

/// Answers one SELECT. Numbers over ten or more persons each are aggregates; everything else is recorded as a disclosure
/// of the persons it is about.
#[utoipa::path(post, operation_id = "sql", path = "/api/v1/projects/{project}/sql", tag = "questions", request_body = SqlBody,
    params(("project" = u32, Path)),
    responses((status = 200, body = ExplainedRows, example = json!({
        "columns": [{"name": "event", "type": "text"}, {"name": "persons", "type": "number"}],
        "rows": [["Page viewed", 1204], ["Sign up", 86]],
        "cut": false, "limit": 100,
        "explanation": {"definition": "Numbers over ten or more persons each; at most 100 rows of the statement.",
            "watermark": 48211, "rows_read": 50000, "bytes_read": 1000000, "took_ms": 32.0,
            "digest": "5f7c…", "class": "D0"}
    })), (status = 400, description = "the statement is refused, with line and column")))]
pub async fn ask(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<SqlBody>,
) -> ApiResult<Json<ExplainedRows>> {
    place.caller.require_analyst()?;
    if body.limit == 0 || body.limit > SQL_ROWS_MAX {
        return Err(ApiError::invalid(format!("give a limit of 1 to {SQL_ROWS_MAX}")).at("/limit"));
    }
    let _permit = app.permits.question(place.project.id).await?;
    let question = SqlQuestion {
        sql: body.sql,
        limit: body.limit,
    };
    let asker = place.caller.asker(place.project.id, "sql");
    let answered = app
        .engine
        .sql(&place.project, &question, asker.clearance, now())
        .await?;
    let (outcome, _) = release(&app, answered, asker).await.map_err(with_remedy)?;
    let explained = outcome.map_err(QueryError::Sql)?;
    Ok(Json(explained))
}

/// What there is to ask about.
#[derive(Serialize, ToSchema)]
pub struct SqlViews {
    pub views: Vec<SqlView>,
}

/// The views with their columns, as they are now.
#[utoipa::path(get, operation_id = "sql_views", path = "/api/v1/projects/{project}/sql", tag = "questions",
    params(("project" = u32, Path)), responses((status = 200, body = SqlViews)))]
pub async fn views(State(app): State<Shared>, place: InProject) -> ApiResult<Json<SqlViews>> {
    place.caller.require_analyst()?;
    let listed = tokio::task::spawn_blocking(move || app.engine.sql_views(&place.project));
    let views = listed.await.map_err(|_| ApiError::not_found("the list of views"))?;
    Ok(Json(SqlViews { views }))
}

fn with_remedy(error: ApiError) -> ApiError {
    if error.code != model::ErrorCode::Forbidden {
        return error;
    }
    error.fix(
        "count, sum or average over groups, without `person` but in count(distinct person), \
         and add: having count(distinct person) >= 10",
    )
}
