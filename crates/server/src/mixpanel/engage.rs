//! `/engage`: profiles in pages (contract 6.7).
//!
//! The first request fixes the set of matching profiles and names it with a `session_id`; every page of that session is
//! a slice of that set, so that pages asked for in parallel are disjoint and `total` is the same in each (EN3, EN5).

mod asked;
mod properties;
mod sessions;

pub use properties::properties;
pub use sessions::EngageSessions;

use super::Query;
use super::tokens::Tokens;
use crate::app::questions::release;
use crate::app_state::now;
use crate::error::{ApiError, ApiResult};
use asked::Asked;
use axum::response::Response;
use model::EventTime;
use query::{PeopleFilter, PeopleQuery, PeopleSet};
use serde_json::{Map, Value, json};
use sessions::{Matching, Session};
use std::collections::BTreeMap;

/// Highest page number that is looked at; with full pages, ten thousand million profiles.
const PAGE_MAX: usize = 10_000_000;

pub async fn engage(query: Query) -> Response {
    let answered = page(&query).await;
    query.respond(answered)
}

async fn page(query: &Query) -> ApiResult<Value> {
    let tokens = query.tokens().await?;
    let _permit = query.app.permits.question(query.project.id).await?;
    let page = query.params.number("page", 0, PAGE_MAX)?;
    let (session_id, session) = session(query, &tokens, page).await?;
    let wanted = query.params.list("output_properties")?;
    let offset = page * session.page_size;
    let rows = rows(query, &tokens, &session, offset, wanted.as_deref()).await?;
    Ok(json!({
        "page": page,
        "page_size": session.page_size,
        "results": rows,
        "session_id": session_id,
        "status": "ok",
        "total": session.matching.len(),
    }))
}

/// The session that the request continues, or a new one for what it matches.
async fn session(query: &Query, tokens: &Tokens, page: usize) -> ApiResult<(String, Session)> {
    if let Some(id) = query.params.text("session_id") {
        if let Some(session) = query.app.engage_sessions.find(query.project.id, id) {
            return Ok((id.to_owned(), session));
        }
        if page > 0 {
            return Err(ApiError::invalid("request for page in uncached query for params"));
        }
    }
    let asked = Asked::read(query, tokens).await?;
    let session = Session {
        matching: matching(query, tokens, &asked).await?.first(asked.limit),
        order: asked.order,
        page_size: asked.page_size,
    };
    let id = query.app.engage_sessions.start(query.project.id, session.clone())?;
    Ok((id, session))
}

async fn matching(query: &Query, tokens: &Tokens, asked: &Asked) -> ApiResult<Matching> {
    let (engine, project) = (&query.app.engine, &query.project);
    let (filter, order) = (&asked.filter, asked.order.as_ref());
    if let Some(key) = &asked.group_key {
        let groups = engine.matching_groups(project, key, filter, order, now()).await?;
        let groups = match &asked.ids {
            Some(ids) => groups.retain(&tokens.groups_behind(key, ids)),
            None => groups,
        };
        return Ok(Matching::Groups(key.clone(), groups));
    }
    let people = of_cohort(query, asked).await?;
    Ok(Matching::People(match &asked.ids {
        Some(ids) => people.retain(&tokens.persons(ids)),
        None => people,
    }))
}

async fn rows(
    query: &Query,
    tokens: &Tokens,
    session: &Session,
    offset: usize,
    wanted: Option<&[String]>,
) -> ApiResult<Vec<Value>> {
    let asker = query.caller.asker(query.project.id, "engage");
    let rows = match &session.matching {
        Matching::People(people) => {
            let question = PeopleQuery {
                filter: None,
                persons: Some(people.slice(offset, session.page_size)),
                // A page is ordered by itself: profiles may have changed since the session began.
                sort: session.order.clone(),
                limit: session.page_size,
                offset: 0,
            };
            let rows = query.app.engine.people(&query.project, &question, now()).await?;
            let (rows, _) = release(&query.app, rows, asker).await?;
            let row = |row: query::PersonRow| {
                let shown = shown(tokens, &row.properties, row.last_seen, wanted);
                json!({ "$distinct_id": tokens.person(row.person), "$properties": shown })
            };
            rows.people.into_iter().map(row).collect()
        }
        Matching::Groups(key, groups) => {
            let groups = groups.slice(offset, session.page_size);
            let rows = query.app.engine.groups(&query.project, key, &groups);
            let (rows, _) = release(&query.app, rows, asker).await?;
            let row = |row: query::GroupRow| {
                let shown = shown(tokens, &row.properties, row.last_seen, wanted);
                json!({ "$distinct_id": tokens.group(key, row.group), "$properties": shown })
            };
            rows.into_iter().map(row).collect()
        }
    };
    Ok(rows)
}

/// The people that the filters keep: everybody with a profile, or the members of a cohort, with those who have no profile
/// unless `include_all_users` is false (EN1). A filter over profiles keeps nobody who has none.
async fn of_cohort(query: &Query, asked: &Asked) -> ApiResult<PeopleSet> {
    let (engine, project) = (&query.app.engine, &query.project);
    let with_profile = || engine.matching_people(project, &asked.filter, asked.order.as_ref(), now());
    let Some(cohort) = super::cohorts::filtered_by(query).await? else {
        return Ok(with_profile().await?);
    };
    let members = engine.cohort(project, &cohort, now()).await?;
    let all_users = !matches!(query.params.text("include_all_users"), Some("0" | "false" | "False"));
    let is_plain = asked.filter == PeopleFilter::default() && asked.order.is_none();
    if all_users && is_plain {
        return Ok(members);
    }
    let members = members.slice(0, members.len());
    Ok(with_profile().await?.retain(&members))
}

/// A profile's properties, or those of them that are wanted.
fn shown(
    tokens: &Tokens,
    properties: &BTreeMap<String, model::Value>,
    last_seen: Option<EventTime>,
    wanted: Option<&[String]>,
) -> Map<String, Value> {
    let mut shown: Map<String, Value> = properties
        .iter()
        .map(|(name, value)| (name.clone(), tokens.property(name, value)))
        .collect();
    if let Some(seen) = last_seen.and_then(|time| jiff::Timestamp::from_millisecond(time.0).ok()) {
        shown.insert(
            query::LAST_SEEN.into(),
            seen.strftime("%Y-%m-%dT%H:%M:%S").to_string().into(),
        );
    }
    if let Some(wanted) = wanted {
        shown.retain(|name, _| wanted.contains(name));
    }
    shown
}
