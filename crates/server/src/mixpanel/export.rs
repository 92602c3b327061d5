//! Raw export and activity streams: rows under the pseudonyms of the caller's own stream (contract 7, CH2).

use super::Query;
use super::engage::persons;
use crate::app::questions::{permit, release};
use crate::app_state::now;
use crate::auth::SCOPE_EXPORT;
use crate::error::{ApiError, ApiResult};
use crate::pseudonym::Pseudonyms;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use model::Expression;
use model::report::{DateRange, Unit};
use query::{EventRow, EventsQuery};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::sync::Arc;
use tokio::sync::mpsc;

const ROWS_MAX: usize = 100_000;
/// Answers up to this size are sent as they are (contract EX5).
const GZIP_BYTES_MIN: usize = 1400;

/// Events of whole UTC days as NDJSON, oldest first, without copies. Each chunk is recorded before it is sent.
pub async fn export(headers: HeaderMap, query: Query) -> Response {
    let prepared = prepare(&query).await;
    match prepared {
        Ok(pull) => stream_rows(query, pull, accepts_gzip(&headers)).await,
        Err(error) => query.refuse(error),
    }
}

/// What to pull: the days one after the other, and how rows are written.
struct Pull {
    days: Vec<Date>,
    events: Option<Vec<String>>,
    filter: Option<Expression>,
    rows_left: usize,
    time_in_ms: bool,
    pseudonyms: Arc<Pseudonyms>,
}

async fn prepare(query: &Query) -> ApiResult<Pull> {
    query.caller.require_scope(SCOPE_EXPORT)?;
    query.params.required("from_date")?;
    query.params.required("to_date")?;
    let asked = query.params.range("UTC", Unit::Day, now().0)?;
    let days = days_with_events(query, asked);
    Ok(Pull {
        days,
        events: query.params.list("event")?,
        filter: query.params.expression("where")?,
        rows_left: query.params.number("limit", usize::MAX, ROWS_MAX)?,
        time_in_ms: query.params.flag("time_in_ms"),
        pseudonyms: query.app.pseudonyms(query.project.id, &query.caller.stream()).await?,
    })
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

/// Answers with a stream that a task fills day by day. A failure midway cuts the connection, so that the client sees
/// an error and not a short file (contract EX7).
async fn stream_rows(query: Query, mut pull: Pull, gzip: bool) -> Response {
    let days = std::mem::take(&mut pull.days);
    let mut days = days.into_iter();
    let mut head = Vec::new();
    while head.len() <= GZIP_BYTES_MIN
        && let Some(day) = days.next()
    {
        match one_day(&query, &mut pull, day).await {
            Ok(lines) => head.extend(lines),
            Err(error) => return query.refuse(error),
        }
    }
    let gzip = gzip && head.len() > GZIP_BYTES_MIN;
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    tokio::spawn(async move {
        let mut encoder = Chunks::new(gzip);
        let mut next = Some(Ok(head));
        while let Some(lines) = next {
            let chunk = match lines {
                Ok(lines) => encoder.chunk(&lines),
                Err(_) => Err(std::io::Error::other("the export failed midway")),
            };
            let failed = chunk.is_err();
            if sender.send(chunk).await.is_err() || failed {
                return;
            }
            next = match days.next() {
                Some(day) => Some(one_day(&query, &mut pull, day).await),
                None => None,
            };
        }
        // A receiver that is gone needs no end.
        let _ = sender.send(encoder.finish()).await;
    });
    let chunks = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    let mut response = Body::from_stream(chunks).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    if gzip {
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

async fn one_day(query: &Query, pull: &mut Pull, day: Date) -> ApiResult<Vec<u8>> {
    if pull.rows_left == 0 {
        return Ok(Vec::new());
    }
    let midnight_ms = |day: Date| {
        day.to_zoned(TimeZone::UTC)
            .map_or(i64::MAX, |midnight| midnight.timestamp().as_millisecond())
    };
    let question = EventsQuery {
        from_ms: midnight_ms(day),
        to_ms: midnight_ms(day.saturating_add(1.day())),
        events: pull.events.clone(),
        filter: pull.filter.clone(),
        persons: None,
        after_seq: None,
        limit: pull.rows_left,
        newest_first: false,
    };
    let _permit = permit(&query.app).await?;
    let rows = query.app.engine.events(&query.project, &question).await?;
    let (rows, _) = release(&query.app, rows, query.caller.asker(query.project.id, "export")).await?;
    pull.rows_left -= rows.len();
    let mut lines = Vec::new();
    for row in rows {
        let line =
            json!({ "event": row.event.clone(), "properties": properties(row, &pull.pseudonyms, pull.time_in_ms) });
        serde_json::to_writer(&mut lines, &line)
            .map_err(|_| ApiError::new(model::ErrorCode::Internal, "a row has no JSON form"))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Properties as Mixpanel exports them; whole seconds unless milliseconds were asked for.
fn properties(row: EventRow, pseudonyms: &Pseudonyms, time_in_ms: bool) -> Map<String, Value> {
    let mut properties = Map::new();
    let time = if time_in_ms {
        row.time.0
    } else {
        row.time.0.div_euclid(1000)
    };
    properties.insert("time".into(), time.into());
    let distinct_id = if row.person.is_nobody() {
        String::new()
    } else {
        pseudonyms.token(row.person)
    };
    properties.insert("distinct_id".into(), distinct_id.into());
    if let Some(id) = row.insert_id {
        properties.insert("$insert_id".into(), pseudonyms.insert_id(id).into());
    }
    properties.extend(row.properties.into_iter().map(|(name, value)| (name, value.to_json())));
    properties
}

/// The events of given people, oldest first.
pub async fn stream(query: Query) -> Response {
    let answered = activity(&query).await;
    query.respond(answered)
}

async fn activity(query: &Query) -> ApiResult<Value> {
    let pseudonyms = query.app.pseudonyms(query.project.id, &query.caller.stream()).await?;
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
        persons: Some(persons(query, &pseudonyms, &ids)),
        after_seq: None,
        limit: ROWS_MAX,
        newest_first: false,
    };
    let _permit = permit(&query.app).await?;
    let rows = query.app.engine.events(&query.project, &question).await?;
    let (rows, _) = release(&query.app, rows, query.caller.asker(query.project.id, "stream")).await?;
    let event =
        |row: EventRow| json!({ "event": row.event.clone(), "properties": properties(row, &pseudonyms, false) });
    Ok(json!({ "status": "ok", "results": { "events": rows.into_iter().map(event).collect::<Vec<_>>() } }))
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    accepted.split(',').any(|coding| {
        coding
            .split(';')
            .next()
            .is_some_and(|name| name.trim().eq_ignore_ascii_case("gzip"))
    })
}

/// Lines as they are, or gzip of them.
enum Chunks {
    Plain,
    Gzip(GzEncoder<Vec<u8>>),
}

impl Chunks {
    fn new(gzip: bool) -> Chunks {
        if gzip {
            Chunks::Gzip(GzEncoder::new(Vec::new(), Compression::fast()))
        } else {
            Chunks::Plain
        }
    }

    fn chunk(&mut self, lines: &[u8]) -> std::io::Result<Bytes> {
        match self {
            Chunks::Plain => Ok(Bytes::copy_from_slice(lines)),
            Chunks::Gzip(encoder) => {
                encoder.write_all(lines)?;
                Ok(std::mem::take(encoder.get_mut()).into())
            }
        }
    }

    fn finish(self) -> std::io::Result<Bytes> {
        match self {
            Chunks::Plain => Ok(Bytes::new()),
            Chunks::Gzip(encoder) => encoder.finish().map(Bytes::from),
        }
    }
}
