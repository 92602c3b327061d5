//! Questions about profiles.

mod filter;
pub(crate) mod groups;

pub use filter::{Behavior, DISTINCT_ID, LAST_SEEN, PeopleFilter};
pub use groups::{GroupRow, GroupSet};

use crate::QueryError;
use crate::definitions::Setting;
use crate::plan::functions::Zone;
use filter::passing;
pub(crate) use filter::{Candidate, passing_resolved};
use ledger::{Class, Disclosure, Undisclosed, digest_of};
use model::{EventTime, Expression, PersonNumber, Value};
use roaring::RoaringTreemap;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use store::{Profile, Snapshot};

/// Which profiles, in which order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeopleQuery {
    /// `properties[…]` means the profile here.
    pub filter: Option<Expression>,
    /// These persons only, profile or not; everybody with a profile when absent.
    pub persons: Option<Vec<PersonNumber>>,
    /// Property and whether the largest come first; persons without it come last. By number when absent.
    pub sort: Option<(String, bool)>,
    pub limit: usize,
    pub offset: usize,
}

/// Which of many.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub limit: usize,
    pub offset: usize,
}

/// One page of people.
#[derive(Clone, Debug, PartialEq)]
pub struct PeoplePage {
    /// How many match, over all pages.
    pub total: u64,
    pub people: Vec<PersonRow>,
}

/// A person's ordinary properties.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonRow {
    pub person: PersonNumber,
    pub properties: BTreeMap<String, Value>,
    pub last_seen: Option<EventTime>,
}

/// Persons that match a filter, in the order asked for. It can be counted and cut into pages; what a page is about has
/// to be asked for, and is disclosed then.
#[derive(Clone, PartialEq)]
pub struct PeopleSet {
    persons: Vec<PersonNumber>,
}

impl PeopleSet {
    pub(crate) fn of(persons: RoaringTreemap) -> PeopleSet {
        PeopleSet {
            persons: persons.into_iter().map(PersonNumber).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.persons.len()
    }

    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    /// Up to `limit` persons from `offset` on.
    pub fn slice(&self, offset: usize, limit: usize) -> Vec<PersonNumber> {
        let rest = self.persons.iter().skip(offset);
        rest.take(limit).copied().collect()
    }

    /// The first persons in the order asked for, and no more.
    pub fn first(mut self, limit: usize) -> PeopleSet {
        self.persons.truncate(limit);
        self
    }

    /// The persons that are among `wanted` too.
    pub fn retain(&self, wanted: &[PersonNumber]) -> PeopleSet {
        let wanted: std::collections::HashSet<&PersonNumber> = wanted.iter().collect();
        let kept = self.persons.iter().filter(|person| wanted.contains(person));
        PeopleSet {
            persons: kept.copied().collect(),
        }
    }
}

const NARROW: &str = "the filter";

pub(crate) async fn matching(
    setting: Setting<'_>,
    zone: Zone,
    filter: &PeopleFilter,
    order: Option<&(String, bool)>,
) -> Result<PeopleSet, QueryError> {
    let profiles = setting.snapshot.profiles();
    let candidates = profiles.iter().map(with_profile).collect();
    let mut people = passing(setting, zone, candidates, filter, true).await?;
    sort(&mut people, order);
    Ok(PeopleSet {
        persons: people.into_iter().map(|(number, _)| PersonNumber(number)).collect(),
    })
}

pub(crate) fn with_profile<'a>((person, profile): (PersonNumber, &'a Profile)) -> Candidate<'a> {
    (person.0, Some(profile))
}

pub(crate) async fn answer(
    setting: Setting<'_>,
    zone: Zone,
    question: PeopleQuery,
) -> Result<Undisclosed<PeoplePage>, QueryError> {
    let digest = digest_of(&question);
    let snapshot = setting.snapshot;
    let profiles = snapshot.profiles();
    let candidates: Vec<Candidate<'_>> = match &question.persons {
        None => profiles.iter().map(with_profile).collect(),
        Some(persons) => {
            let mut persons: Vec<PersonNumber> = persons.iter().map(|person| snapshot.canonical(*person)).collect();
            persons.sort_unstable();
            persons.dedup();
            persons.retain(|person| !snapshot.is_erased(*person) && !person.is_nobody());
            persons
                .into_iter()
                .map(|person| (person.0, profiles.get(person)))
                .collect()
        }
    };
    let filter = PeopleFilter {
        expression: question.filter,
        ..PeopleFilter::default()
    };
    let mut people = passing(setting, zone, candidates, &filter, true).await?;
    sort(&mut people, question.sort.as_ref());
    let total = people.len() as u64;
    let page = people.into_iter().skip(question.offset).take(question.limit);
    let people: Vec<PersonRow> = page
        .map(|(number, profile)| row(PersonNumber(number), profile))
        .collect();
    let disclosure = Disclosure {
        class: Class::D2,
        persons: people.iter().map(|row| row.person.0).collect(),
        fields: people.iter().flat_map(|row| row.properties.keys().cloned()).collect(),
        question_digest: digest,
    };
    Ok(Undisclosed::new(PeoplePage { total, people }, disclosure))
}

/// A page of the persons behind a number, with their ordinary properties. `fields` is what being behind it says.
pub(crate) fn page_of_members(
    snapshot: &Snapshot,
    members: RoaringTreemap,
    page: Page,
    mut fields: BTreeSet<String>,
    question_digest: [u8; 32],
) -> Undisclosed<PeoplePage> {
    let profiles = snapshot.profiles();
    let sent = members.iter().skip(page.offset).take(page.limit).map(PersonNumber);
    let people: Vec<PersonRow> = sent.map(|person| row(person, profiles.get(person))).collect();
    fields.extend(people.iter().flat_map(|row| row.properties.keys().cloned()));
    let total = members.len();
    let disclosure = Disclosure {
        class: Class::D2,
        // How many there are is a number of the answer too, and about them where they are few.
        persons: if total < Class::CROWD_MIN as u64 {
            members
        } else {
            people.iter().map(|row| row.person.0).collect()
        },
        fields,
        question_digest,
    };
    Undisclosed::new(PeoplePage { total, people }, disclosure)
}

fn row(person: PersonNumber, profile: Option<&Profile>) -> PersonRow {
    PersonRow {
        person,
        properties: profile.map(|profile| profile.properties.clone()).unwrap_or_default(),
        last_seen: profile.and_then(|profile| profile.last_seen),
    }
}

fn sort(people: &mut [Candidate<'_>], by: Option<&(String, bool)>) {
    people.sort_by_key(|(number, _)| *number);
    let Some((property, descending)) = by else { return };
    let value = |candidate: &Candidate<'_>| {
        let profile = candidate.1?;
        match property.as_str() {
            LAST_SEEN => profile.last_seen.map(|seen| Value::Number(seen.0 as f64)),
            _ => profile
                .properties
                .get(property)
                .filter(|value| !value.is_null())
                .cloned(),
        }
    };
    people.sort_by(|left, right| match (value(left), value(right)) {
        (Some(left), Some(right)) => {
            let order = compare(&left, &right);
            if *descending { order.reverse() } else { order }
        }
        (left, right) => left.is_none().cmp(&right.is_none()),
    });
}

/// Booleans, then numbers, then texts, then the rest by its JSON text.
fn compare(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::List(_) | Value::Object(_) => 4,
    };
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => left.total_cmp(right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (left, right) if rank(left) == 4 && rank(right) == 4 => {
            left.to_json().to_string().cmp(&right.to_json().to_string())
        }
        (left, right) => rank(left).cmp(&rank(right)),
    }
}
