//! The events that a funnel looks at, by person.

use crate::calendar::{day_end, day_start};
use crate::expression::evaluate;
use crate::history::Row;
use crate::segment::values_of;
use crate::sessions::sessions;
use crate::{Asked, ReferenceError};
use model::report::{Attribution, EventSelector, Funnel, Order, Segment};
use model::{Expression, PersonNumber};

/// An event of a person, as the funnel sees it.
pub(super) struct Seen {
    pub person: PersonNumber,
    pub time_ms: i64,
    pub seq: u64,
    /// Per step of the definition.
    pub is_step: Vec<bool>,
    /// Per exclusion.
    pub is_excluded: Vec<bool>,
    /// Values of the held properties, as segments.
    pub held: Vec<Vec<Segment>>,
    /// Segments of an attempt that takes its value from here.
    pub segments: Vec<Segment>,
    /// Where sessions matter.
    pub session: Option<usize>,
}

/// The events that pass the report's filter, by person, in order of time and reception.
pub(super) fn events_of_persons(asked: &Asked<'_>, funnel: &Funnel) -> Result<Vec<Vec<Seen>>, ReferenceError> {
    let from_ms = day_start(asked.report.range.from, asked.zone)? - funnel.tie_ms;
    let mut persons: Vec<(PersonNumber, Vec<Seen>)> = Vec::new();
    for event in seen(asked, funnel, from_ms)? {
        match persons.iter_mut().find(|(person, _)| *person == event.person) {
            Some((_, events)) => events.push(event),
            None => persons.push((event.person, vec![event])),
        }
    }
    for (_, events) in &mut persons {
        events.sort_by_key(|event| (event.time_ms, event.seq));
        keep_first_times(funnel, events);
        events.retain(|event| event.time_ms >= from_ms);
    }
    Ok(persons.into_iter().map(|(_, events)| events).collect())
}

/// Everything read: from the beginning of time if it matters what came first.
fn seen(asked: &Asked<'_>, funnel: &Funnel, from_ms: i64) -> Result<Vec<Seen>, ReferenceError> {
    let to_ms = day_end(asked.report.range.to, asked.zone)? + funnel.window_ms;
    let steps: Vec<Vec<EventSelector>> = funnel
        .steps
        .iter()
        .map(|step| step.selectors().map(own).collect())
        .collect();
    let exclusions: Vec<EventSelector> = funnel
        .exclusions
        .iter()
        .map(|exclusion| own(exclusion.selector()))
        .collect();
    let named = |row: &Row<'_>| {
        let mut selectors = steps.iter().flatten().chain(&exclusions);
        selectors.any(|selector| selector.event.as_ref().is_none_or(|name| *name == row.event.name))
    };
    let every_name = funnel.order == Order::Strict || funnel.needs_sessions();
    let first_time = funnel.steps.iter().any(|step| step.first_time);

    let in_interval = |row: &&Row<'_>| from_ms <= row.event.time.0 && row.event.time.0 < to_ms;
    let of_sessions: Vec<&Row<'_>> = asked.rows.iter().filter(in_interval).collect();
    let sessions = sessions(&of_sessions, funnel.session_timeout_ms);

    let mut seen = Vec::new();
    for row in &asked.rows {
        let read = row.event.time.0 < to_ms && (first_time || in_interval(&row)) && (every_name || named(row));
        if !read || !asked.passes(&asked.report.filter, row)? {
            continue;
        }
        let mut is_step = Vec::new();
        for selectors in &steps {
            is_step.push(selects_any(asked, selectors, row)?);
        }
        let mut is_excluded = Vec::new();
        for selector in &exclusions {
            is_excluded.push(asked.selects(&selector.event, &selector.filter, row)?);
        }
        let attributed = match funnel.attribution {
            Attribution::Step(step) => is_step[step],
            _ => is_step.contains(&true),
        };
        let segments = match &funnel.breakdown {
            Some(breakdown) if attributed && in_interval(&row) => segments_by(asked, breakdown, row)?,
            _ => Vec::new(),
        };
        let mut held = Vec::new();
        for property in &funnel.hold {
            let matters = in_interval(&row) && (is_step.contains(&true) || is_excluded.contains(&true));
            held.push(if matters {
                segments_by(asked, property, row)?
            } else {
                Vec::new()
            });
        }
        if row.person.is_nobody() {
            continue;
        }
        let place = of_sessions.iter().position(|of_session| of_session.seq == row.seq);
        seen.push(Seen {
            person: row.person,
            time_ms: row.event.time.0,
            seq: row.seq,
            is_step,
            is_excluded,
            held,
            segments,
            session: place.and_then(|place| sessions[place]),
        });
    }
    Ok(seen)
}

fn own((event, filter): (Option<&String>, Option<&Expression>)) -> EventSelector {
    EventSelector {
        event: event.cloned(),
        filter: filter.cloned(),
    }
}

/// Evaluates every selector, so that a type error does not depend on their order.
fn selects_any(asked: &Asked<'_>, selectors: &[EventSelector], row: &Row<'_>) -> Result<bool, ReferenceError> {
    let mut selected = false;
    for selector in selectors {
        selected |= asked.selects(&selector.event, &selector.filter, row)?;
    }
    Ok(selected)
}

fn segments_by(asked: &Asked<'_>, breakdown: &Expression, row: &Row<'_>) -> Result<Vec<Segment>, ReferenceError> {
    let values = values_of(&evaluate(breakdown, row, asked.zone)?, asked.zone);
    Ok(values.into_iter().map(|value| vec![value]).collect())
}

/// Of the events that are a step for first times, only the first one is.
fn keep_first_times(funnel: &Funnel, events: &mut [Seen]) {
    for (step, definition) in funnel.steps.iter().enumerate() {
        if definition.first_time {
            let steps = events.iter_mut().filter(|event| event.is_step[step]);
            steps.skip(1).for_each(|event| event.is_step[step] = false);
        }
    }
}
