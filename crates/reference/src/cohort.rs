//! Who is in a cohort: every rule as the set of persons for whom it is true, out of all there are.

use crate::calendar::{day_end, day_start};
use crate::expression::{Evaluated, evaluate};
use crate::history::{Row, rows};
use crate::surroundings::Surroundings;
use crate::{ReferenceError, zone};
use jiff::tz::TimeZone;
use model::cohort::{Cohort, CohortRule, Count, When};
use model::report::{EventSelector, TIE_MS};
use model::{Event, EventTime, Expression, PersonNumber};
use std::collections::BTreeSet;

type Persons = BTreeSet<PersonNumber>;

pub(crate) fn members(around: &Surroundings<'_>, cohort: &Cohort) -> Result<Persons, ReferenceError> {
    if let Some(frozen) = &cohort.frozen {
        return Ok(there(around, frozen.members()));
    }
    let rows = rows(around);
    let mut everybody: Persons = rows.iter().map(|row| row.person).collect();
    everybody.extend(around.history.profiles.keys());
    name(around, &cohort.rule, &mut everybody)?;
    everybody.remove(&PersonNumber::NOBODY);
    let deciding = Deciding {
        around,
        zone: zone(around.timezone)?,
        rows,
        everybody,
    };
    deciding.rule(&cohort.rule)
}

/// Those of some persons who count: canonical, not erased, somebody.
fn there(around: &Surroundings<'_>, persons: impl Iterator<Item = PersonNumber>) -> Persons {
    let history = around.history;
    let canonical = persons.map(|person| history.canonical(person));
    canonical
        .filter(|person| !person.is_nobody() && !history.erased.contains(person))
        .collect()
}

/// Adds whoever a definition names.
fn name(around: &Surroundings<'_>, rule: &CohortRule, named: &mut Persons) -> Result<(), ReferenceError> {
    match rule {
        CohortRule::All { rules } | CohortRule::Any { rules } => {
            for rule in rules {
                name(around, rule, named)?;
            }
        }
        CohortRule::Not { rule } => name(around, rule, named)?,
        CohortRule::Persons { persons } => named.extend(there(around, persons.iter().copied())),
        CohortRule::Cohort { cohort } => named.extend(around.cohort(*cohort)?.iter()),
        _ => {}
    }
    Ok(())
}

struct Deciding<'a> {
    around: &'a Surroundings<'a>,
    /// The project's time zone.
    zone: TimeZone,
    rows: Vec<Row<'a>>,
    everybody: Persons,
}

impl Deciding<'_> {
    fn rule(&self, rule: &CohortRule) -> Result<Persons, ReferenceError> {
        Ok(match rule {
            CohortRule::All { rules } => {
                let mut kept = self.everybody.clone();
                for rule in rules {
                    let true_for = self.rule(rule)?;
                    kept.retain(|person| true_for.contains(person));
                }
                kept
            }
            CohortRule::Any { rules } => {
                let mut kept = Persons::new();
                for rule in rules {
                    kept.extend(self.rule(rule)?);
                }
                kept
            }
            CohortRule::Not { rule } => {
                let true_for = self.rule(rule)?;
                let others = self.everybody.iter().filter(|person| !true_for.contains(person));
                others.copied().collect()
            }
            CohortRule::Did { events, count, when } => self.did(events, *count, *when)?,
            CohortRule::Sequence { steps, window_ms, when } => self.sequence(steps, *window_ms, *when)?,
            CohortRule::Profile { filter } => self.profile(filter)?,
            CohortRule::Cell { report, cell } => crate::members_among(self.around, report, cell)?,
            CohortRule::Persons { persons } => there(self.around, persons.iter().copied()),
            CohortRule::Cohort { cohort } => (*self.around.cohort(*cohort)?).clone(),
        })
    }

    fn did(&self, events: &EventSelector, count: Count, when: When) -> Result<Persons, ReferenceError> {
        let mut selected: Vec<PersonNumber> = Vec::new();
        for row in &self.rows {
            if self.is_within(row.event.time, when)? && self.selects(events, row)? {
                selected.push(row.person);
            }
        }
        let did_so = |person: &&PersonNumber| {
            let events = selected.iter().filter(|did| did == person).count();
            count.holds(events as u64)
        };
        Ok(self.everybody.iter().filter(did_so).copied().collect())
    }

    fn sequence(&self, steps: &[EventSelector], window_ms: i64, when: When) -> Result<Persons, ReferenceError> {
        let mut through = Persons::new();
        for person in &self.everybody {
            let mut events: Vec<&Row<'_>> = self.rows.iter().filter(|row| row.person == *person).collect();
            events.sort_by_key(|row| (row.event.time, row.seq));
            for start in &events {
                if self.is_within(start.event.time, when)?
                    && self.selects(&steps[0], start)?
                    && self.completes(&events, start, steps, window_ms)?
                {
                    through.insert(*person);
                }
            }
        }
        self.check_steps(steps, window_ms, when)?;
        Ok(through)
    }

    /// Each further step takes the earliest event that may be it.
    fn completes(
        &self,
        events: &[&Row<'_>],
        start: &Row<'_>,
        steps: &[EventSelector],
        window_ms: i64,
    ) -> Result<bool, ReferenceError> {
        let start_ms = start.event.time.0;
        let mut used = vec![start.seq];
        let mut before_ms = start_ms;
        for step in &steps[1..] {
            let mut taken = None;
            for event in events {
                let time_ms = event.event.time.0;
                let may_be = !used.contains(&event.seq)
                    && time_ms >= before_ms - TIE_MS
                    && time_ms >= start_ms - TIE_MS
                    && time_ms <= start_ms + window_ms;
                if taken.is_none() && may_be && self.selects(step, event)? {
                    taken = Some(event);
                }
            }
            let Some(event) = taken else { return Ok(false) };
            used.push(event.seq);
            before_ms = event.event.time.0;
        }
        Ok(true)
    }

    /// Every step's filter is evaluated on every event that it could be about, whoever's.
    fn check_steps(&self, steps: &[EventSelector], window_ms: i64, when: When) -> Result<(), ReferenceError> {
        let (from_ms, to_ms) = self.times_ms(when)?;
        for row in &self.rows {
            let time_ms = row.event.time.0;
            if time_ms >= from_ms.saturating_sub(TIE_MS) && time_ms < to_ms.saturating_add(window_ms) {
                for step in steps {
                    self.selects(step, row)?;
                }
            }
        }
        Ok(())
    }

    fn profile(&self, filter: &Expression) -> Result<Persons, ReferenceError> {
        let no_event = Event {
            name: String::new(),
            person: PersonNumber::NOBODY,
            time: EventTime(0),
            insert_id: None,
            properties: Vec::new(),
            groups: Vec::new(),
        };
        let passes = |person: PersonNumber| -> Result<bool, ReferenceError> {
            let row = Row {
                event: &no_event,
                seq: 0,
                person,
                profile: self.around.history.profiles.get(&person),
                is_profile: true,
                around: self.around,
            };
            Ok(evaluate(filter, &row, &self.zone)? == Evaluated::Bool(true))
        };
        // The empty profile is evaluated even where everybody has one.
        passes(PersonNumber::NOBODY)?;
        let mut kept = Persons::new();
        for person in &self.everybody {
            if passes(*person)? {
                kept.insert(*person);
            }
        }
        Ok(kept)
    }

    fn selects(&self, events: &EventSelector, row: &Row<'_>) -> Result<bool, ReferenceError> {
        if events.event.as_ref().is_some_and(|name| *name != row.event.name) {
            return Ok(false);
        }
        match &events.filter {
            None => Ok(true),
            Some(filter) => Ok(evaluate(filter, row, &self.zone)? == Evaluated::Bool(true)),
        }
    }

    fn is_within(&self, time: EventTime, when: When) -> Result<bool, ReferenceError> {
        let (from_ms, to_ms) = self.times_ms(when)?;
        Ok(from_ms <= time.0 && time.0 < to_ms)
    }

    /// From, and to before.
    fn times_ms(&self, when: When) -> Result<(i64, i64), ReferenceError> {
        Ok(match when {
            When::Ever => (i64::MIN, i64::MAX),
            When::LastDays(days) => {
                let minutes = self.around.now.0.div_euclid(60_000) + 1;
                ((minutes - i64::from(days) * 24 * 60) * 60_000, minutes * 60_000)
            }
            When::Range(range) => (day_start(range.from, &self.zone)?, day_end(range.to, &self.zone)?),
        })
    }
}
