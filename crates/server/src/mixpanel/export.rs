//! Raw export and activity streams: rows under the pseudonyms of the caller's own stream (contract 7, CH2).

mod body;

use super::Query;
use super::tokens::Tokens;
use crate::app::questions::release;
use crate::app_state::now;
use crate::auth::SCOPE_EXPORT;
use crate::error::{ApiError, ApiResult};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use model::report::{DateRange, Unit};
use model::{EventTime, Expression};
use query::{EventRow, EventsQuery};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const ROWS_MAX: usize = 100_000;
/// Rows that an export holds in memory at once, whatever the day.
const PIECE_ROWS: usize = 10_000;

/// Events of whole UTC days as NDJSON, oldest first, without copies. Each piece is recorded before it is sent.
pub async fn export(headers: HeaderMap, query: Query) -> Response {
    match Pull::prepare(&query).await {
        Ok(pull) => match body::respond(pull, accepts_gzip(&headers)).await {
            Ok(response) => response,
            Err(error) => query.refuse(error),
        },
        Err(error) => query.refuse(error),
    }
}

/// An export under way: what is still to be read, and how rows are written.
struct Pull {
    query: Query,
    /// Still to be read, the first of them perhaps in part.
    days: std::collections::VecDeque<Date>,
    /// The last row that was read of the first day.
    behind: Option<(EventTime, u64)>,
    events: Option<Vec<String>>,
    filter: Option<Expression>,
    rows_left: usize,
    time_in_ms: bool,
    tokens: Arc<Tokens>,
}

impl Pull {
    async fn prepare(query: &Query) -> ApiResult<Pull> {
        query.caller.require_scope(SCOPE_EXPORT)?;
        query.params.required("from_date")?;
        query.params.required("to_date")?;
        let asked = query.params.range("UTC", Unit::Day, now().0)?;
        Ok(Pull {
            days: days_with_events(query, asked).into(),
            behind: None,
            events: query.params.list("event")?,
            filter: query.expression("where").await?,
            rows_left: query.params.number("limit", usize::MAX, ROWS_MAX)?,
            time_in_ms: query.params.flag("time_in_ms"),
            tokens: query.tokens().await?,
            query: query.clone(),
        })
    }

    /// The next lines; `None` at the end. A day without events has none.
    async fn piece(&mut self) -> ApiResult<Option<Vec<u8>>> {
        let (Some(day), 1..) = (self.days.front().copied(), self.rows_left) else {
            return Ok(None);
        };
        let query = &self.query;
        let question = EventsQuery {
            from_ms: self.behind.map_or_else(|| midnight_ms(day), |(time, _)| time.0),
            to_ms: midnight_ms(day.saturating_add(1.day())),
            events: self.events.clone(),
            filter: self.filter.clone(),
            persons: None,
            after_seq: None,
            behind: self.behind,
            limit: self.rows_left.min(PIECE_ROWS),
            newest_first: false,
        };
        let _permit = query.app.permits.question(query.project.id).await?;
        let rows = query.app.engine.events(&query.project, &question, now()).await?;
        let (rows, _) = release(&query.app, rows, query.caller.asker(query.project.id, "export")).await?;
        self.rows_left -= rows.len();
        self.behind = rows.last().map(|row| (row.time, row.seq));
        if rows.len() < question.limit {
            self.days.pop_front();
            self.behind = None;
        }
        lines(rows, &self.tokens, self.time_in_ms).map(Some)
    }
}

fn midnight_ms(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC)
        .map_or(i64::MAX, |midnight| midnight.timestamp().as_millisecond())
}

/// The days of the range between the project's first and last event: a question each for years of nothing would cost
/// seconds and fill the ledger with entries about nobody.
fn days_with_events(query: &Query, asked: DateRange) -> Vec<Date> {
    let snapshot = query.app.store.snapshot(query.project.id);
    let day_of = |ms: i64| {
        Timestamp::from_millisecond(ms)
            .map(|time| time.to_zoned(TimeZone::UTC).date())
            .ok()
    };
    let first = snapshot.first_time_ms().and_then(day_of);
    let last = snapshot.last_time_ms().and_then(day_of);
    let (Some(first), Some(last)) = (first, last) else {
        return Vec::new();
    };
    let end = asked.to.min(last);
    let mut days = Vec::new();
    let mut next = Some(asked.from.max(first));
    while let Some(day) = next.filter(|day| *day <= end) {
        days.push(day);
        next = day.tomorrow().ok();
    }
    days
}

fn lines(rows: Vec<EventRow>, tokens: &Tokens, time_in_ms: bool) -> ApiResult<Vec<u8>> {
    let mut lines = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut lines, &event(row, tokens, time_in_ms))
            .map_err(|_| ApiError::new(model::ErrorCode::Internal, "a row has no JSON form"))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// An event as Mixpanel exports it; whole seconds unless milliseconds were asked for (contract EX4).
fn event(row: EventRow, tokens: &Tokens, time_in_ms: bool) -> Value {
    let time = if time_in_ms {
        row.time.0
    } else {
        row.time.0.div_euclid(1000)
    };
    let mut properties = Map::new();
    properties.insert("time".into(), time.into());
    properties.insert("distinct_id".into(), tokens.person(row.person).into());
    properties.insert("$insert_id".into(), tokens.insert_id(&row).into());
    let groups = row.groups.iter();
    properties.extend(groups.map(|(key, groups)| (key.clone(), tokens.groups(key, groups))));
    properties.extend(row.properties.into_iter().map(|(name, value)| (name, value.to_json())));
    json!({ "event": row.event, "properties": properties })
}

/// The events of given people, oldest first.
pub async fn stream(query: Query) -> Response {
    let answered = activity(&query).await;
    query.respond(answered)
}

async fn activity(query: &Query) -> ApiResult<Value> {
    let tokens = query.tokens().await?;
    let ids = query
        .params
        .list("distinct_ids")?
        .ok_or_else(|| ApiError::invalid("this parameter is required").at("distinct_ids"))?;
    let range = query.params.range(&query.project.timezone, Unit::Day, now().0)?;
    let zone = TimeZone::get(&query.project.timezone).unwrap_or(TimeZone::UTC);
    let start_ms = |day: Date| {
        day.to_zoned(zone.clone())
            .map_or(i64::MAX, |start| Timestamp::from(start).as_millisecond())
    };
    let question = EventsQuery {
        from_ms: start_ms(range.from),
        to_ms: start_ms(range.to.saturating_add(1.day())),
        events: None,
        filter: None,
        persons: Some(tokens.persons(&ids)),
        after_seq: None,
        behind: None,
        limit: ROWS_MAX,
        newest_first: false,
    };
    let _permit = query.app.permits.question(query.project.id).await?;
    let rows = query.app.engine.events(&query.project, &question, now()).await?;
    let (rows, _) = release(&query.app, rows, query.caller.asker(query.project.id, "stream")).await?;
    let events: Vec<Value> = rows.into_iter().map(|row| event(row, &tokens, false)).collect();
    Ok(json!({ "status": "ok", "results": { "events": events } }))
}

/// Whether gzip is among the codings that the client takes; `gzip;q=0` says that it is not.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok());
        named && weight.is_none_or(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_only_where_it_is_taken() {
        let accepts = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, header::HeaderValue::from_static(value));
            accepts_gzip(&headers)
        };
        assert!(accepts("gzip") && accepts("br, GZIP;q=0.5") && accepts("deflate, gzip ; q=1"));
        assert!(!accepts("identity") && !accepts("br, zstd") && !accepts("gzip;q=0") && !accepts("*"));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
