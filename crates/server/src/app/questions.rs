//! Asking a report definition.

use super::JsonBody;
use super::format::{Format, FormatParam};
use super::saved_reports;
use crate::app_state::{App, Shared, now};
use crate::auth::{Caller, InProject};
use crate::error::ApiResult;
use axum::extract::State;
use axum::response::Response;
use model::report::Report;
use query::Explained;
use store::Project;

/// Answers a report definition, exactly, with how the number came about. Who only looks at what others saved may ask a
/// saved report's question, over any days.
#[utoipa::path(post, operation_id = "ask", path = "/api/v1/projects/{project}/query", tag = "questions", request_body = Report,
    params(("project" = u32, Path), FormatParam),
    responses((status = 200, content((Explained = "application/json"), (String = "text/csv"))), (status = 400, description = "the definition is refused, with where and why")))]
pub async fn ask(
    State(app): State<Shared>,
    place: InProject,
    format: Format,
    JsonBody(report): JsonBody<Report>,
) -> ApiResult<Response> {
    if let Err(refused) = place.caller.require_analyst()
        && !saved_reports::is_saved(&app, &place, &report).await?
    {
        return Err(refused);
    }
    let explained = answer(&app, &place.project, &place.caller, &report).await?;
    Ok(format.response(&report, explained))
}

/// Runs a report and passes its answer through the gate. Every route that shows aggregates comes through here.
pub async fn answer(app: &App, project: &Project, caller: &Caller, report: &Report) -> ApiResult<Explained> {
    app.engine.check(report).await?;
    let _permit = app.permits.question(project.id).await?;
    let undisclosed = app.engine.report(project, report, now()).await?;
    let (explained, _) = release(app, undisclosed, caller.asker(project.id, "report")).await?;
    Ok(explained)
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
