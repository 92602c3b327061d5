//! `/engage/properties`: which properties profiles have, how many of them, and of what type (contract EN10).

use super::super::tokens::Tokens;
use super::Query;
use crate::app::questions::release;
use crate::app_state::blocking;
use crate::error::ApiResult;
use axum::response::Response;
use jiff::civil::DateTime;
use ledger::{Class, Disclosure, Undisclosed, digest_of};
use model::{PersonNumber, Value as PropertyValue};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const LIMIT_DEFAULT: usize = 255;
const LIMIT_MAX: usize = 10_000;

pub async fn properties(query: Query) -> Response {
    let answered = counted(&query).await;
    query.respond(answered)
}

/// The profiles that have a property.
#[derive(Default)]
struct Having {
    by_type: BTreeMap<&'static str, u64>,
    /// Who they are while they are few: a count of so few persons is about them.
    few: Vec<u64>,
}

impl Having {
    fn add(&mut self, person: PersonNumber, of_type: &'static str) {
        *self.by_type.entry(of_type).or_default() += 1;
        if self.few.len() < Class::CROWD_MIN {
            self.few.push(person.0);
        }
    }

    fn count(&self) -> u64 {
        self.by_type.values().sum()
    }

    fn usual_type(&self) -> &'static str {
        let most = self.by_type.iter().max_by_key(|(_, count)| **count);
        most.map_or("string", |(of_type, _)| of_type)
    }
}

type Counts = BTreeMap<String, Having>;

async fn counted(query: &Query) -> ApiResult<Value> {
    let limit = query.params.number("limit", LIMIT_DEFAULT, LIMIT_MAX)?;
    let tokens = query.tokens().await?;
    let snapshot = query.app.store.snapshot(query.project.id);
    let counts = blocking(move || {
        let mut counts = Counts::new();
        for (person, profile) in snapshot.profiles().iter() {
            for (name, value) in &profile.properties {
                let of_type = type_of(&tokens, name, value);
                match counts.get_mut(name) {
                    Some(having) => having.add(person, of_type),
                    None => counts.entry(name.clone()).or_default().add(person, of_type),
                }
            }
            if profile.last_seen.is_some() {
                counts
                    .entry(query::LAST_SEEN.into())
                    .or_default()
                    .add(person, "datetime");
            }
        }
        Ok(counts)
    });
    let shown = most_frequent(counts.await?, limit);
    let disclosure = disclosure(&shown);
    let asker = query.caller.asker(query.project.id, "engage");
    let (shown, _) = release(&query.app, Undisclosed::new(shown, disclosure), asker).await?;
    let shaped = |(name, having): (String, Having)| {
        let view = json!({ "count": having.count(), "type": having.usual_type() });
        (name, view)
    };
    let results: Map<String, Value> = shown.into_iter().map(shaped).collect();
    Ok(json!({ "status": "ok", "results": results }))
}

fn most_frequent(counts: Counts, limit: usize) -> Vec<(String, Having)> {
    let mut properties: Vec<(String, Having)> = counts.into_iter().collect();
    // They are in order of name, which a stable sort keeps.
    properties.sort_by_key(|(_, having)| std::cmp::Reverse(having.count()));
    properties.truncate(limit);
    properties
}

fn disclosure(shown: &[(String, Having)]) -> Disclosure {
    let few = || shown.iter().filter(|(_, having)| having.few.len() < Class::CROWD_MIN);
    let names: Vec<&String> = shown.iter().map(|(name, _)| name).collect();
    Disclosure {
        class: if few().next().is_some() { Class::D1 } else { Class::D0 },
        persons: few().flat_map(|(_, having)| having.few.iter().copied()).collect(),
        question_digest: digest_of(&("properties of profiles", &names)),
        fields: names.into_iter().cloned().collect(),
    }
}

fn type_of(tokens: &Tokens, name: &str, value: &PropertyValue) -> &'static str {
    match value {
        // A token outside.
        PropertyValue::Number(_) if tokens.is_group_key(name) => "string",
        PropertyValue::Number(_) => "number",
        PropertyValue::Bool(_) => "boolean",
        PropertyValue::String(text) if is_datetime(text) => "datetime",
        PropertyValue::String(_) | PropertyValue::Null => "string",
        PropertyValue::List(_) => "list",
        PropertyValue::Object(_) => "object",
    }
}

/// `2026-08-01` or `2026-08-01T13:05:00`, with or without an offset.
fn is_datetime(text: &str) -> bool {
    let dashed = text.len() >= 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    dashed && (text.parse::<DateTime>().is_ok() || text.parse::<jiff::Timestamp>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_frequent_first_and_few_are_disclosed() {
        let mut counts = Counts::new();
        for person in 1..=12 {
            counts
                .entry("seats".into())
                .or_default()
                .add(PersonNumber(person), "number");
        }
        for (person, of_type) in [(1, "string"), (2, "number"), (3, "string")] {
            counts
                .entry("plan".into())
                .or_default()
                .add(PersonNumber(person), of_type);
        }
        counts.entry("once".into()).or_default().add(PersonNumber(9), "list");
        let shown = most_frequent(counts, 2);
        let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["seats", "plan"]);
        assert_eq!((shown[1].1.count(), shown[1].1.usual_type()), (3, "string"));
        let disclosure = disclosure(&shown);
        assert_eq!(disclosure.class, Class::D1);
        assert_eq!(
            disclosure.persons.iter().collect::<Vec<_>>(),
            [1, 2, 3],
            "twelve are a crowd, what is not shown is not told"
        );
    }

    #[test]
    fn dates_are_dates() {
        assert!(is_datetime("2026-08-01T13:05:00") && is_datetime("2026-08-01T13:05:00.5Z"));
        assert!(is_datetime("2026-08-01") && !is_datetime("20260801") && !is_datetime("a text of many characters"));
    }
}
