//! Boards: saved reports and text side by side, each card answered by itself.

use super::JsonBody;
use super::documents::{self, DOCUMENTS_MAX, IfMatch, Kind, RecordView, Search, Versioned};
use super::questions;
use super::saved_reports::{self, REPORTS, SavedReport};
use crate::app_state::{Shared, now};
use crate::auth::InProject;
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use model::ErrorCode;
use model::report::Report;
use model::saved::{Board, BoardRange, checked_name};
use query::Explained;
use serde::{Deserialize, Serialize};
use store::Document;
use utoipa::ToSchema;

pub const BOARDS: Kind = Kind {
    name: "board",
    what: "the board",
    count_max: DOCUMENTS_MAX,
};

#[derive(Serialize, ToSchema)]
pub struct BoardView {
    #[serde(flatten)]
    pub record: RecordView,
    pub board: Board,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoardBody {
    name: String,
    board: Board,
}

impl BoardBody {
    fn checked(self) -> ApiResult<(String, Board)> {
        let name = checked_name(&self.name)?;
        self.board.check().map_err(|mut error| {
            error.at = format!("/board{}", error.at);
            error
        })?;
        Ok((name, self.board))
    }
}

/// What is asked of a card beside what the board says.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"range": {"last_days": 7}}))]
pub struct CardQuestion {
    /// Takes the place of the board's range, for this answer only.
    #[serde(default)]
    range: Option<BoardRange>,
}

/// A card's report, the question that was asked of it, and the answer.
#[derive(Serialize, ToSchema)]
pub struct CardAnswer {
    pub saved: SavedReport,
    /// The report's question with the board's range and filter in it.
    pub report: Report,
    pub explained: Explained,
}

fn from_document(document: &Document) -> Option<BoardView> {
    Some(BoardView {
        record: document.into(),
        board: serde_json::from_str(&document.json).ok()?,
    })
}

fn versioned(status: StatusCode, document: &Document) -> ApiResult<Versioned<BoardView>> {
    let view = from_document(document).ok_or_else(|| ApiError::not_found("a board that this build can read"))?;
    Ok(Versioned {
        status,
        version: document.version,
        view,
    })
}

/// Boards of the project, by number.
#[utoipa::path(get, operation_id = "boards", path = "/api/v1/projects/{project}/boards", tag = "saved",
    params(("project" = u32, Path), Search), responses((status = 200, body = Vec<BoardView>)))]
pub async fn list(
    State(app): State<Shared>,
    place: InProject,
    Query(search): Query<Search>,
) -> ApiResult<Json<Vec<BoardView>>> {
    let documents = documents::list(&app, &place, &BOARDS).await?;
    let boards = documents.iter().filter_map(from_document);
    let found = boards.filter(|view| search.finds(&[&view.record.name, &view.board.description]));
    Ok(Json(found.collect()))
}

/// Makes a board.
#[utoipa::path(post, operation_id = "make_board", path = "/api/v1/projects/{project}/boards", tag = "saved", request_body = BoardBody,
    params(("project" = u32, Path)), responses((status = 201, body = BoardView)))]
pub async fn save(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<BoardBody>,
) -> ApiResult<Versioned<BoardView>> {
    let (name, board) = body.checked()?;
    let document = documents::add(&app, &place, &BOARDS, name, &board).await?;
    versioned(StatusCode::CREATED, &document)
}

/// One board.
#[utoipa::path(get, operation_id = "board", path = "/api/v1/projects/{project}/boards/{board}", tag = "saved",
    params(("project" = u32, Path), ("board" = u64, Path)), responses((status = 200, body = BoardView)))]
pub async fn show(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<Versioned<BoardView>> {
    let document = documents::find(&app, &place, &BOARDS, id).await?;
    versioned(StatusCode::OK, &document)
}

/// Changes a board: all of it, from the version named in `If-Match`.
#[utoipa::path(put, operation_id = "change_board", path = "/api/v1/projects/{project}/boards/{board}", tag = "saved", request_body = BoardBody,
    params(("project" = u32, Path), ("board" = u64, Path), ("If-Match" = String, Header, description = "the version that was changed, as `\"3\"`")),
    responses((status = 200, body = BoardView), (status = 409, description = "`conflict`: somebody else was faster")))]
pub async fn replace(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
    version: IfMatch,
    JsonBody(body): JsonBody<BoardBody>,
) -> ApiResult<Versioned<BoardView>> {
    let (name, board) = body.checked()?;
    let document = documents::replace(&app, &place, &BOARDS, (id, version), name, &board).await?;
    versioned(StatusCode::OK, &document)
}

/// Deletes a board; the reports on it stay.
#[utoipa::path(delete, operation_id = "delete_board", path = "/api/v1/projects/{project}/boards/{board}", tag = "saved",
    params(("project" = u32, Path), ("board" = u64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<StatusCode> {
    documents::delete(&app, &place, &BOARDS, id).await
}

/// Answers one card: its saved report, with the board's range and filter.
#[utoipa::path(post, operation_id = "ask_card", path = "/api/v1/projects/{project}/boards/{board}/cards/{card}/query", tag = "saved",
    request_body = CardQuestion, params(("project" = u32, Path), ("board" = u64, Path), ("card" = u32, Path)),
    responses((status = 200, body = CardAnswer),
        (status = 404, description = "there is no such board or card (any more), or, with `at` = `/report`, the card's report was deleted")))]
pub async fn ask_card(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id, card)): Path<(u32, u64, u32)>,
    JsonBody(CardQuestion { range }): JsonBody<CardQuestion>,
) -> ApiResult<Json<CardAnswer>> {
    if let Some(range) = range {
        range.check("/range")?;
    }
    let document = documents::find(&app, &place, &BOARDS, id).await?;
    let board = from_document(&document).ok_or_else(|| ApiError::not_found("a board that this build can read"))?;
    let card = board.board.cards.iter().find(|known| known.id == card);
    let number = card.and_then(|card| card.report);
    let number = number.ok_or_else(|| ApiError::not_found("a card with a report and this number"))?;
    let document = documents::find(&app, &place, &REPORTS, number)
        .await
        .map_err(|error| match error.code {
            ErrorCode::NotFound => {
                ApiError::new(ErrorCode::NotFound, "the report of this card was deleted").at("/report")
            }
            _ => error,
        })?;
    let saved = saved_reports::from_document(&document)
        .zip(saved_reports::body_of(&document))
        .ok_or_else(|| ApiError::not_found("a report that this build can read"))?;
    let (saved, body) = saved;
    let zone = saved.report.timezone.as_deref().unwrap_or(&place.project.timezone);
    let report = board.board.question(&body, range, today(zone));
    let explained = questions::answer(&app, &place.project, &place.caller, &report).await?;
    Ok(Json(CardAnswer {
        saved,
        report,
        explained,
    }))
}

/// The day it is in a zone; an unknown one counts as UTC, and the question then says what is wrong with it.
fn today(zone: &str) -> jiff::civil::Date {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let instant = jiff::Timestamp::from_millisecond(now().0).unwrap_or_default();
    zone.to_datetime(instant).date()
}
