//! Asking a report definition.

use super::JsonBody;
use super::format::{Format, FormatParam};
use crate::app_state::{App, Shared, now};
use crate::auth::{Caller, InProject};
use crate::error::{ApiError, ApiResult};
use axum::extract::State;
use axum::response::Response;
use model::ErrorCode;
use model::report::Report;
use query::Explained;
use std::time::Duration;
use store::Project;

/// How long a question waits for its turn.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a question may run. Closing the connection cancels it earlier.
pub const QUESTION_TIMEOUT: Duration = Duration::from_secs(120);

/// Answers a report definition, exactly, with how the number came about.
#[utoipa::path(post, operation_id = "ask", path = "/api/v1/projects/{project}/query", tag = "questions", request_body = Report,
    params(("project" = u32, Path), FormatParam),
    responses((status = 200, content((Explained = "application/json"), (String = "text/csv"))), (status = 400, description = "the definition is refused, with where and why")))]
pub async fn ask(
    State(app): State<Shared>,
    place: InProject,
    format: Format,
    JsonBody(report): JsonBody<Report>,
) -> ApiResult<Response> {
    let explained = answer(&app, &place.project, &place.caller, &report).await?;
    Ok(format.response(&report, explained))
}

/// Runs a report and passes its answer through the gate. Every route that shows aggregates comes through here.
pub async fn answer(app: &App, project: &Project, caller: &Caller, report: &Report) -> ApiResult<Explained> {
    report.check()?;
    let _permit = permit(app).await?;
    let question = app.engine.report(project, report, now());
    let undisclosed = tokio::time::timeout(QUESTION_TIMEOUT, question)
        .await
        .map_err(|_| too_slow())??;
    let (explained, _) = release(app, undisclosed, caller.asker(project.id, "report")).await?;
    Ok(explained)
}

/// A place among the questions that run at once.
pub async fn permit(app: &App) -> ApiResult<tokio::sync::SemaphorePermit<'_>> {
    match tokio::time::timeout(PERMIT_TIMEOUT, app.query_permits.acquire()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(ApiError::new(
            ErrorCode::RateLimited,
            "too many questions are running; try again in a moment",
        )),
    }
}

pub fn too_slow() -> ApiError {
    ApiError::new(ErrorCode::QueryTimeout, "the question took longer than its limit")
        .fix("ask for a shorter range, fewer breakdowns or fewer metrics")
}

/// The gate, off the threads that serve connections: it waits for the disk.
pub async fn release<T: Send + 'static>(
    app: &App,
    undisclosed: ledger::Undisclosed<T>,
    asker: ledger::Asker,
) -> ApiResult<(T, u64)> {
    let gate = app.gate.clone();
    crate::app_state::blocking(move || Ok(gate.release(undisclosed, &asker)?)).await
}
