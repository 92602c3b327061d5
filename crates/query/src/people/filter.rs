//! Which profiles pass a filter, be they people's or groups'.

use super::NARROW;
use crate::QueryError;
use crate::definitions::{Resolved, Setting};
use crate::plan::functions::Zone;
use crate::plan::{Source, behavior_counts, matching_rows, names_of};
use crate::scan::ProfileColumns;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Int64Type, UInt32Type, UInt64Type};
use model::report::EventSelector;
use model::{Expression, PersonNumber, Value};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use store::Profile;

/// Name under which a filter sees the number of the person or group itself.
pub const DISTINCT_ID: &str = "$distinct_id";
/// Name under which a filter and an order see when a profile was last touched.
pub const LAST_SEEN: &str = "$last_seen";

/// Which profiles.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PeopleFilter {
    /// `properties[…]` means the profile here; `$distinct_id` is its number and `$last_seen` a UTC text.
    pub expression: Option<Expression>,
    /// What `behaviors[…]` counts in the expression.
    pub behaviors: Vec<Behavior>,
    /// Only profiles that have this in one of their texts, in capitals or not.
    pub search: Option<String>,
}

/// Events of a person that count as a behaviour (contract EN9).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Behavior {
    pub name: String,
    /// An event counts once, however many of these select it.
    pub selectors: Vec<EventSelector>,
    pub from_ms: i64,
    /// Exclusive.
    pub to_ms: i64,
}

/// A person or group by number, with its profile where it has one.
pub(crate) type Candidate<'a> = (u64, Option<&'a Profile>);

/// The candidates that pass, in their order.
pub(super) async fn passing<'a>(
    setting: Setting<'_>,
    zone: Zone,
    candidates: Vec<Candidate<'a>>,
    filter: &PeopleFilter,
    are_persons: bool,
) -> Result<Vec<Candidate<'a>>, QueryError> {
    let selectors = filter.behaviors.iter().flat_map(|behavior| &behavior.selectors);
    let filters = selectors.filter_map(|selector| selector.filter.as_ref());
    let resolved = Resolved::of_question(setting, filter, filter.expression.iter().chain(filters)).await?;
    passing_resolved(setting, zone, Arc::new(resolved), candidates, filter, are_persons).await
}

/// The candidates that pass a filter whose names are known. Only persons can be in cohorts.
pub(crate) async fn passing_resolved<'a>(
    setting: Setting<'_>,
    zone: Zone,
    resolved: Arc<Resolved>,
    mut candidates: Vec<Candidate<'a>>,
    filter: &PeopleFilter,
    are_persons: bool,
) -> Result<Vec<Candidate<'a>>, QueryError> {
    if let Some(search) = &filter.search {
        let wanted = search.to_lowercase();
        candidates.retain(|(_, profile)| profile.is_some_and(|profile| has_text(profile, &wanted)));
    }
    let Some(expression) = &filter.expression else {
        return Ok(candidates);
    };
    let mut counts = Vec::new();
    for behavior in &filter.behaviors {
        let by_person = counted(setting, zone.clone(), resolved.clone(), behavior).await?;
        let of_candidates = candidates
            .iter()
            .map(|(number, _)| by_person.get(number).copied().unwrap_or(0));
        counts.push((behavior.name.clone(), of_candidates.collect::<Vec<u64>>()));
    }
    let plan = {
        let (mut names, user) = names_of(std::iter::once(&resolved.write_out(expression)?));
        names.extend(user);
        let columns = columns_of(&candidates, names);
        let person = |number: u64| {
            if are_persons {
                PersonNumber(number)
            } else {
                PersonNumber::NOBODY
            }
        };
        let persons: Vec<PersonNumber> = candidates.iter().map(|(number, _)| person(*number)).collect();
        matching_rows(&columns, &counts, &persons, expression, &zone, &resolved)?
    };
    let mut matching = Vec::new();
    for batch in setting.asking.collect(&plan, NARROW).await? {
        let rows = batch.column(0).as_primitive::<UInt32Type>().values();
        matching.extend(rows.iter().map(|row| candidates[*row as usize]));
    }
    Ok(matching)
}

/// How many events of each person a behaviour has; those without any are absent.
async fn counted(
    setting: Setting<'_>,
    zone: Zone,
    resolved: Arc<Resolved>,
    behavior: &Behavior,
) -> Result<HashMap<u64, u64>, QueryError> {
    let filters = behavior
        .selectors
        .iter()
        .filter_map(|selector| selector.filter.as_ref());
    let source = Source::new(setting.snapshot, zone, filters, None, Arc::default(), resolved)?;
    let plan = behavior_counts(&source, behavior)?;
    let mut counts = HashMap::new();
    for batch in setting.asking.collect(&plan, "the window of the behaviour").await? {
        let persons = batch.column(0).as_primitive::<UInt64Type>().values();
        let events = batch.column(1).as_primitive::<Int64Type>().values();
        counts.extend(
            persons
                .iter()
                .zip(events)
                .map(|(person, events)| (*person, *events as u64)),
        );
    }
    Ok(counts)
}

fn columns_of(candidates: &[Candidate<'_>], names: BTreeSet<String>) -> ProfileColumns {
    let listed: Vec<String> = names.iter().cloned().collect();
    let number = |number: u64| PersonNumber(number);
    if !names.contains(DISTINCT_ID) && !names.contains(LAST_SEEN) {
        let profiles = candidates
            .iter()
            .map(|(of, profile)| (number(*of), profile.map(|profile| &profile.properties)));
        return ProfileColumns::new(profiles, &listed);
    }
    let extended: Vec<(u64, BTreeMap<String, Value>)> = candidates
        .iter()
        .map(|(of, profile)| (*of, extended(*of, *profile, &names)))
        .collect();
    ProfileColumns::new(
        extended.iter().map(|(of, properties)| (number(*of), Some(properties))),
        &listed,
    )
}

/// The wanted properties with what a profile has besides them.
fn extended(number: u64, profile: Option<&Profile>, names: &BTreeSet<String>) -> BTreeMap<String, Value> {
    let properties = profile.into_iter().flat_map(|profile| &profile.properties);
    let mut wanted: BTreeMap<String, Value> = properties
        .filter(|(name, _)| names.contains(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    wanted.insert(DISTINCT_ID.to_owned(), Value::Number(number as f64));
    if let Some(seen) = profile.and_then(last_seen_text) {
        wanted.insert(LAST_SEEN.to_owned(), Value::String(seen));
    }
    wanted
}

/// When a profile was last touched, as UTC to the second, which is how Mixpanel writes it.
pub(super) fn last_seen_text(profile: &Profile) -> Option<String> {
    let seen = jiff::Timestamp::from_millisecond(profile.last_seen?.0).ok()?;
    Some(seen.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

fn has_text(profile: &Profile, wanted: &str) -> bool {
    profile.properties.values().any(|value| match value {
        Value::String(text) => text.to_lowercase().contains(wanted),
        _ => false,
    })
}
