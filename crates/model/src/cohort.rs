//! Cohorts: persons by what they did, what they are, or by name of number; alone or joined by and, or, not.
//!
//! Rules, for both engines:
//! - A *rule* is true or false for a person. The cohort holds the persons for whom its rule is true, out of all persons
//!   of the project: the canonical persons with an event or a profile, and those that a list, a frozen cohort or another
//!   cohort in the definition names. So `not` means everybody else. Nobody is in no cohort, and an erased person neither.
//! - Days of a range are days of the project's time zone, whatever zone the report that uses the cohort has.
//! - *Did*: the number of the person's events in the window that the selector looks at, copies counted once, is at
//!   least, at most or exactly so many. Somebody without any has 0.
//! - *Windows*: [`When::LastDays`] holds the times of so many times 24 hours that end with the minute of asking (see
//!   [`asked_until`]); [`When::Range`] the days from `from` to `to`, both included; [`When::Ever`] every time, later than now too.
//! - *Sequence*: one of the person's attempts that start in the window completes all steps, an attempt being what it is
//!   in a funnel (see [`crate::report::Funnel`]); steps after the first may lie behind the window.
//! - *Profile*: the filter is true for the person's profile, an empty one where there is none. `properties[…]` and
//!   `user[…]` both mean the profile, `event[…]` and `group[…]` are not set.
//! - *Cell*: the person is one of those whom a number of a report counts, the report asked at the same time.
//! - *Persons*: the canonical persons of the numbers listed.
//! - *Cohort*: the person is in that other cohort, at the same time of asking.
//! - Filters of these rules may use computed properties and lookup tables, but not `cohort(…)`: a cohort of a cohort is
//!   a rule of its own. Those inside the report of a cell may.
//! - A *frozen* cohort holds whoever it held when it was frozen, by canonical person: who was merged into another since
//!   counts as that other.

use crate::report::{DateRange, EventSelector, InvalidReport, Report, ReportCell, STEPS_MAX, STEPS_MIN};
use crate::{EventTime, Expression, PersonNumber};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Version of the format that this build reads and writes.
pub const COHORT_VERSION: u32 = 1;
/// Most rules in one definition, joins included.
pub const RULES_MAX: usize = 100;
/// Deepest nesting of rules.
const RULES_DEPTH_MAX: usize = 10;
/// Most persons that a list names.
pub const LISTED_MAX: usize = 100_000;
const DAYS_MAX: u32 = 3_660;
const MINUTE_MS: i64 = 60_000;

/// A cohort as it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CohortDefinition, example = json!({
    "rule": {"kind": "all", "rules": [
        {"kind": "did", "events": {"event": "Song played"}, "count": {"at_least": 3}, "when": {"last_days": 30}},
        {"kind": "not", "rule": {"kind": "profile", "filter": "properties[\"plan\"] == \"premium\""}}]}
}))]
pub struct Cohort {
    #[serde(default = "version")]
    pub version: u32,
    /// What it is for, in its owner's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    pub rule: CohortRule,
    /// Who was in it at a moment; a live cohort when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<Frozen>,
}

fn version() -> u32 {
    COHORT_VERSION
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CohortRule {
    /// All of them are true.
    All {
        #[schema(no_recursion)]
        rules: Vec<CohortRule>,
    },
    /// At least one of them is true.
    Any {
        #[schema(no_recursion)]
        rules: Vec<CohortRule>,
    },
    Not {
        #[schema(no_recursion)]
        rule: Box<CohortRule>,
    },
    /// Did, or did not do, something so often.
    Did {
        events: EventSelector,
        count: Count,
        when: When,
    },
    /// Went through steps in order.
    Sequence {
        steps: Vec<EventSelector>,
        /// Time from the first step within which the last must happen, in milliseconds.
        window_ms: i64,
        /// When the first step happened.
        when: When,
    },
    /// Has a profile like this.
    Profile {
        #[schema(value_type = Object)]
        filter: Expression,
    },
    /// Is behind one number of a report.
    Cell {
        #[schema(no_recursion)]
        report: Box<Report>,
        cell: ReportCell,
    },
    /// Is one of these numbers.
    Persons {
        #[schema(value_type = Vec<u64>)]
        persons: Vec<PersonNumber>,
    },
    /// Is in another saved cohort.
    Cohort { cohort: u64 },
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CohortCount)]
pub enum Count {
    AtLeast(u64),
    AtMost(u64),
    Exactly(u64),
}

impl Count {
    pub fn holds(self, count: u64) -> bool {
        match self {
            Count::AtLeast(least) => count >= least,
            Count::AtMost(most) => count <= most,
            Count::Exactly(exactly) => count == exactly,
        }
    }
}

/// When events count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CohortWindow)]
pub enum When {
    Ever,
    /// The last so many times 24 hours.
    LastDays(u32),
    Range(DateRange),
}

/// The last moment that "the last days" hold when asked at `now`: the end of its minute. So what arrives while one looks
/// is in, and everybody who asks within a minute gets one answer.
pub fn asked_until(now: EventTime) -> EventTime {
    EventTime(now.0.div_euclid(MINUTE_MS).saturating_add(1).saturating_mul(MINUTE_MS) - 1)
}

/// The members of a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    #[schema(value_type = i64)]
    pub at_ms: EventTime,
    /// Person numbers in order as lengths of runs, by turns of numbers left out and numbers in, from 0 on.
    runs: Vec<u64>,
}

impl Frozen {
    /// Members in ascending order.
    pub fn new(at_ms: EventTime, members: impl Iterator<Item = PersonNumber>) -> Frozen {
        let mut runs: Vec<u64> = Vec::new();
        let mut next = 0;
        for PersonNumber(person) in members {
            match runs.last_mut() {
                Some(run) if person == next => *run += 1,
                _ => runs.extend([person - next, 1]),
            }
            next = person + 1;
        }
        Frozen { at_ms, runs }
    }

    pub fn members(&self) -> impl Iterator<Item = PersonNumber> {
        let mut next = 0_u64;
        self.runs.chunks_exact(2).flat_map(move |run| {
            let first = next.saturating_add(run[0]);
            next = first.saturating_add(run[1]);
            (first..next).map(PersonNumber)
        })
    }
}

impl Cohort {
    pub fn live(rule: CohortRule) -> Cohort {
        Cohort {
            version: COHORT_VERSION,
            description: String::new(),
            rule,
            frozen: None,
        }
    }

    /// Whether its members change with time alone.
    pub fn moves(&self) -> bool {
        let mut moves = false;
        self.rule.walk(&mut |rule| {
            if let CohortRule::Did { when, .. } | CohortRule::Sequence { when, .. } = rule {
                moves |= matches!(when, When::LastDays(_));
            }
        });
        moves && self.frozen.is_none()
    }

    /// Checks the rules that the types cannot express. Both engines may assume them afterwards.
    pub fn check(&self) -> Result<(), InvalidReport> {
        if self.version != COHORT_VERSION {
            return refuse("/version", format!("this build reads version {COHORT_VERSION}"));
        }
        if self.description.chars().count() > 1_000 {
            return refuse("/description", "give at most 1000 characters".into());
        }
        let mut rules = 0;
        self.rule.check(0, &mut rules)
    }
}

impl CohortRule {
    fn check(&self, depth: usize, rules: &mut usize) -> Result<(), InvalidReport> {
        *rules += 1;
        if *rules > RULES_MAX || depth > RULES_DEPTH_MAX {
            return refuse(
                "/rule",
                format!("give at most {RULES_MAX} rules, nested at most {RULES_DEPTH_MAX} deep"),
            );
        }
        match self {
            CohortRule::All { rules: of } | CohortRule::Any { rules: of } => {
                if of.is_empty() {
                    return refuse("/rule/rules", "give at least one rule".into());
                }
                of.iter().try_for_each(|rule| rule.check(depth + 1, rules))
            }
            CohortRule::Not { rule } => rule.check(depth + 1, rules),
            CohortRule::Did { when, .. } => when.check(),
            CohortRule::Sequence { steps, window_ms, when } => {
                if !(STEPS_MIN..=STEPS_MAX).contains(&steps.len()) {
                    return refuse("/rule/steps", format!("give {STEPS_MIN} to {STEPS_MAX} steps"));
                }
                if *window_ms <= 0 || *window_ms > 367 * 86_400_000 {
                    return refuse("/rule/window_ms", "give a window of 1 ms to 367 days".into());
                }
                when.check()
            }
            CohortRule::Cell { report, cell } => {
                let checked = report.check().and_then(|()| cell.check(report));
                checked.map_err(|fault| InvalidReport {
                    at: "/rule/report",
                    message: fault.to_string(),
                })
            }
            CohortRule::Persons { persons } => {
                if persons.len() > LISTED_MAX {
                    return refuse("/rule/persons", format!("list at most {LISTED_MAX} persons"));
                }
                Ok(())
            }
            CohortRule::Profile { .. } | CohortRule::Cohort { .. } => Ok(()),
        }
    }

    /// Visits this rule and every rule inside it, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a CohortRule)) {
        visit(self);
        match self {
            CohortRule::All { rules } | CohortRule::Any { rules } => rules.iter().for_each(|rule| rule.walk(visit)),
            CohortRule::Not { rule } => rule.walk(visit),
            _ => {}
        }
    }

    /// The filters of this rule and those inside it.
    pub fn filters(&self) -> Vec<&Expression> {
        let mut filters = Vec::new();
        self.walk(&mut |rule| match rule {
            CohortRule::Did { events, .. } => filters.extend(&events.filter),
            CohortRule::Sequence { steps, .. } => filters.extend(steps.iter().filter_map(|step| step.filter.as_ref())),
            CohortRule::Profile { filter } => filters.push(filter),
            _ => {}
        });
        filters
    }

    /// The numbers of reports that this rule is built on.
    pub fn cells(&self) -> Vec<(&Report, &ReportCell)> {
        let mut cells = Vec::new();
        self.walk(&mut |rule| {
            if let CohortRule::Cell { report, cell } = rule {
                cells.push((&**report, cell));
            }
        });
        cells
    }

    /// The other cohorts that this rule is built on.
    pub fn cohorts(&self) -> Vec<u64> {
        let mut cohorts = Vec::new();
        self.walk(&mut |rule| {
            if let CohortRule::Cohort { cohort } = rule {
                cohorts.push(*cohort);
            }
        });
        cohorts
    }
}

impl When {
    fn check(&self) -> Result<(), InvalidReport> {
        match self {
            When::Ever => Ok(()),
            When::LastDays(days) if (1..=DAYS_MAX).contains(days) => Ok(()),
            When::LastDays(_) => refuse("/rule/when/last_days", format!("give 1 to {DAYS_MAX} days")),
            When::Range(range) if range.from > range.to => {
                refuse("/rule/when/range", "'from' is later than 'to'".into())
            }
            When::Range(_) => Ok(()),
        }
    }
}

fn refuse(at: &'static str, message: String) -> Result<(), InvalidReport> {
    Err(InvalidReport { at, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_of_a_moment_come_back() {
        for persons in [vec![], vec![0], vec![1, 2, 3, 7, 9, 10], vec![1 << 47, (1 << 47) + 1]] {
            let members: Vec<PersonNumber> = persons.into_iter().map(PersonNumber).collect();
            let frozen = Frozen::new(EventTime(5), members.iter().copied());
            let read: Frozen = serde_json::from_value(serde_json::to_value(&frozen).unwrap()).unwrap();
            assert_eq!(read.members().collect::<Vec<_>>(), members);
        }
        let dense = Frozen::new(EventTime(5), (1..1_000_000).map(PersonNumber));
        assert!(serde_json::to_string(&dense).unwrap().len() < 50);
    }

    #[test]
    fn definitions_are_checked() {
        let refused = |rule: serde_json::Value| {
            let cohort: Cohort = serde_json::from_value(json!({ "rule": rule })).unwrap();
            cohort.check().expect_err("an invalid cohort").at
        };
        let did = json!({"kind": "did", "events": {}, "count": {"at_least": 1}, "when": "ever"});
        let mut deep = did.clone();
        for _ in 0..11 {
            deep = json!({"kind": "not", "rule": deep});
        }
        assert_eq!(refused(deep), "/rule");
        assert_eq!(refused(json!({"kind": "any", "rules": vec![did; 100]})), "/rule");
        assert_eq!(refused(json!({"kind": "all", "rules": []})), "/rule/rules");
        assert_eq!(
            refused(json!({"kind": "did", "events": {}, "count": {"exactly": 0}, "when": {"last_days": 0}})),
            "/rule/when/last_days"
        );
        assert_eq!(
            refused(json!({"kind": "sequence", "steps": [{}], "window_ms": 1, "when": "ever"})),
            "/rule/steps"
        );
        let unknown = json!({"rule": {"kind": "did", "events": {}, "count": {"at_least": 1}, "when": "ever", "x": 1}});
        assert!(serde_json::from_value::<Cohort>(unknown).is_err());
    }
}
