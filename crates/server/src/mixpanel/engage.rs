//! `/engage`: profiles in pages (contract 6.7).
//!
//! The first request fixes the set of matching people and names it with a `session_id`; every page of that session is a
//! slice of that set, so that pages asked for in parallel are disjoint and `total` is the same in each (EN3, EN5).

use super::Query;
use crate::app::questions::{permit, release};
use crate::app_state::lock;
use crate::error::{ApiError, ApiResult};
use crate::pseudonym::Pseudonyms;
use axum::response::Response;
use model::{PersonNumber, ProjectId};
use query::{PeopleQuery, PeopleSet, PersonRow};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const PAGE_SIZE_DEFAULT: usize = 1000;
/// How long a session lives after its last page.
const SESSION_AGE: Duration = Duration::from_secs(15 * 60);
/// Sessions kept at once; the oldest goes first.
const SESSIONS_MAX: usize = 256;

struct EngageSession {
    project: ProjectId,
    people: PeopleSet,
    page_size: usize,
    used: Instant,
}

/// The open paging sessions, by id.
#[derive(Default)]
pub struct EngageSessions {
    open: Mutex<HashMap<String, EngageSession>>,
}

impl EngageSessions {
    fn start(&self, project: ProjectId, people: PeopleSet, page_size: usize) -> ApiResult<String> {
        let id = crate::credentials::random_base62(22)
            .map_err(|_| ApiError::new(model::ErrorCode::Unavailable, "no randomness for a session id"))?;
        let mut open = lock(&self.open);
        open.retain(|_, session| session.used.elapsed() < SESSION_AGE);
        if open.len() >= SESSIONS_MAX
            && let Some(oldest) = open
                .iter()
                .min_by_key(|(_, session)| session.used)
                .map(|(id, _)| id.clone())
        {
            open.remove(&oldest);
        }
        open.insert(
            id.clone(),
            EngageSession {
                project,
                people,
                page_size,
                used: Instant::now(),
            },
        );
        Ok(id)
    }

    fn find(&self, project: ProjectId, id: &str) -> Option<(PeopleSet, usize)> {
        let mut open = lock(&self.open);
        let session = open
            .get_mut(id)
            .filter(|session| session.project == project && session.used.elapsed() < SESSION_AGE)?;
        session.used = Instant::now();
        Some((session.people.clone(), session.page_size))
    }
}

pub async fn engage(query: Query) -> Response {
    let answered = page(&query).await;
    query.respond(answered)
}

async fn page(query: &Query) -> ApiResult<Value> {
    let pseudonyms = query.app.pseudonyms(query.project.id, &query.caller.stream()).await?;
    let _permit = permit(&query.app).await?;
    let page = query.params.number("page", 0, 10_000_000)?;
    let (session_id, people, page_size) = session(query, &pseudonyms, page).await?;
    let wanted = query.params.list("output_properties")?;
    let question = PeopleQuery {
        filter: None,
        persons: Some(people.slice(page * page_size, page_size)),
        sort: None,
        limit: page_size,
        offset: 0,
    };
    let rows = query.app.engine.people(&query.project, &question).await?;
    let (rows, _) = release(&query.app, rows, query.caller.asker(query.project.id, "engage")).await?;
    let results: Vec<Value> = rows
        .people
        .into_iter()
        .map(|row| result(row, &pseudonyms, wanted.as_deref()))
        .collect();
    Ok(json!({
        "page": page,
        "page_size": page_size,
        "results": results,
        "session_id": session_id,
        "status": "ok",
        "total": people.len(),
    }))
}

/// The session that the request continues, or a new one for the people it matches.
async fn session(query: &Query, pseudonyms: &Pseudonyms, page: usize) -> ApiResult<(String, PeopleSet, usize)> {
    if let Some(id) = query.params.text("session_id") {
        if let Some((people, page_size)) = query.app.engage_sessions.find(query.project.id, id) {
            return Ok((id.to_owned(), people, page_size));
        }
        if page > 0 {
            return Err(ApiError::invalid("request for page in uncached query for params"));
        }
    }
    let page_size = query
        .params
        .number("page_size", PAGE_SIZE_DEFAULT, 1_000_000)?
        .clamp(100, PAGE_SIZE_DEFAULT);
    let filter = match query.params.expression("where")? {
        Some(filter) => Some(filter),
        None => query.params.expression("selector")?,
    };
    let named = match (query.params.text("distinct_id"), query.params.list("distinct_ids")?) {
        (Some(one), _) => Some(vec![one.to_owned()]),
        (None, many) => many,
    };
    let people = query
        .app
        .engine
        .matching_people(&query.project, filter.as_ref())
        .await?;
    let people = match named {
        Some(ids) => people.retain(&persons(query, pseudonyms, &ids)),
        None => people,
    };
    let id = query
        .app
        .engage_sessions
        .start(query.project.id, people.clone(), page_size)?;
    Ok((id, people, page_size))
}

/// The persons behind tokens of the caller's stream. An id in clear would be a look-up of an identity, which this
/// route does not do; it matches nobody.
pub fn persons(query: &Query, pseudonyms: &Pseudonyms, ids: &[String]) -> Vec<PersonNumber> {
    let snapshot = query.app.store.snapshot(query.project.id);
    ids.iter()
        .filter_map(|id| pseudonyms.person(id))
        .map(|person| snapshot.canonical(person))
        .collect()
}

fn result(row: PersonRow, pseudonyms: &Pseudonyms, wanted: Option<&[String]>) -> Value {
    let mut properties: Map<String, Value> = row
        .properties
        .into_iter()
        .map(|(name, value)| (name, value.to_json()))
        .collect();
    if let Some(seen) = row
        .last_seen
        .and_then(|time| jiff::Timestamp::from_millisecond(time.0).ok())
    {
        properties.insert(
            "$last_seen".into(),
            seen.strftime("%Y-%m-%dT%H:%M:%S").to_string().into(),
        );
    }
    if let Some(wanted) = wanted {
        properties.retain(|name, _| wanted.contains(name));
    }
    json!({ "$distinct_id": pseudonyms.token(row.person), "$properties": properties })
}
