//! Random cohorts, computed properties and lookup tables.

use super::*;
use model::cohort::{Cohort, CohortRule, Count, Frozen, When};
use model::definitions::{Definitions, LookupTable};
use model::report::{Flow, FlowCell, FlowNumber, FlowSide, InsightsCell, NodeKind, NodeName, PathStep, RetentionSide};

/// Every world has cohorts of these numbers.
pub const COHORTS: u64 = 4;
/// Every world has computed properties of these names; each uses only those before it.
pub const COMPUTED: [&str; 3] = ["c0", "c1", "c2"];

pub fn definitions(rng: &mut Rng, persons: u64) -> Definitions {
    let mut definitions = Definitions::default();
    for (place, name) in COMPUTED.iter().enumerate() {
        let formula = without(rng, &|expression| match expression {
            Expression::Cohort(_) => true,
            Expression::Computed(other) => COMPUTED[place..].contains(&other.as_str()),
            _ => false,
        });
        definitions.computed.insert((*name).to_owned(), formula);
    }
    for number in 1..=COHORTS {
        definitions.cohorts.insert(number, cohort(rng, persons, number - 1));
    }
    let keys = ["x", "12", "true", "-3", "2.5", "2026-03-10T00:00:00", "[1]"];
    let mut csv = "k,number,flag,text\n".to_owned();
    for key in keys {
        if chance(rng, 20) {
            continue;
        }
        let cell = |rng: &mut Rng, cells: &[&str]| (*pick(rng, cells)).to_owned();
        let number = cell(rng, &["", "1", "-2.5", "12"]);
        let flag = cell(rng, &["", "true", "false"]);
        csv.push_str(&format!("{key},{number},{flag},{}\n", cell(rng, &["", "x", "y", "12"])));
    }
    definitions
        .lookups
        .insert("t".into(), LookupTable::from_csv(&csv).unwrap());
    definitions
}

/// A cohort that is built on others up to a number at most.
pub fn cohort(rng: &mut Rng, persons: u64, others: u64) -> Cohort {
    let mut cohort = Cohort::live(rule(rng, persons, others, 2));
    if chance(rng, 10) {
        let mut members: Vec<PersonNumber> = listed(rng, persons);
        members.sort();
        members.dedup();
        cohort.frozen = Some(Frozen::new(EventTime(0), members.into_iter()));
    }
    cohort
}

fn rule(rng: &mut Rng, persons: u64, others: u64, depth: u32) -> CohortRule {
    if depth > 0 && chance(rng, 50) {
        let count = rng.usize(1..=3);
        let inner = |rng: &mut Rng| rule(rng, persons, others, depth - 1);
        return match rng.u32(0..3) {
            0 => CohortRule::Not {
                rule: Box::new(inner(rng)),
            },
            1 => CohortRule::All {
                rules: (0..count).map(|_| inner(rng)).collect(),
            },
            _ => CohortRule::Any {
                rules: (0..count).map(|_| inner(rng)).collect(),
            },
        };
    }
    match rng.u32(0..12) {
        0..4 => CohortRule::Did {
            events: selected(rng),
            count: match rng.u32(0..4) {
                0 => Count::Exactly(rng.u64(0..3)),
                1 => Count::AtMost(rng.u64(0..4)),
                _ => Count::AtLeast(rng.u64(0..4)),
            },
            when: when(rng),
        },
        4..6 => CohortRule::Sequence {
            steps: (0..rng.usize(2..=3)).map(|_| selected(rng)).collect(),
            window_ms: *pick(rng, &[500, 86_400_000, 30 * 86_400_000]),
            when: when(rng),
        },
        6..8 => CohortRule::Profile {
            filter: without(rng, &|expression| matches!(expression, Expression::Cohort(_))),
        },
        8..10 => CohortRule::Persons {
            persons: listed(rng, persons),
        },
        10 if others > 0 => CohortRule::Cohort {
            cohort: rng.u64(1..=others),
        },
        _ => cell_rule(rng, others),
    }
}

/// A number of a report, the filters of which may name other cohorts.
fn cell_rule(rng: &mut Rng, others: u64) -> CohortRule {
    let allowed = |expression: &Expression| match expression {
        Expression::Cohort(number) => *number <= others,
        _ => true,
    };
    loop {
        let asked = report(rng);
        let json = serde_json::to_string(&asked).unwrap();
        let numbers = (others + 1..=COHORTS).map(|number| format!("cohort({number})"));
        if numbers.into_iter().any(|number| json.contains(&number)) || !asked.filter.iter().all(allowed) {
            continue;
        }
        return CohortRule::Cell {
            cell: number(rng, &asked.question),
            report: Box::new(asked),
        };
    }
}

/// A number that a report has, whatever its answer is.
fn number(rng: &mut Rng, question: &Question) -> ReportCell {
    let bucket = rng.usize(0..4);
    let segment = Segment::new();
    match question {
        Question::Insights(asked) => {
            let other = asked.other && !asked.breakdown.is_empty() && rng.bool();
            ReportCell::Insights(InsightsCell {
                metric: rng.usize(0..asked.metrics.len()),
                bucket: rng.bool().then_some(bucket),
                segment: if other {
                    segment
                } else {
                    vec![None; asked.breakdown.len()]
                },
                other,
                previous: (asked.compare_previous || asked.compare.is_some()) && rng.bool(),
            })
        }
        Question::Funnel(_) => ReportCell::Funnel(FunnelCell {
            step: 0,
            side: *pick(rng, &[FunnelSide::Reached, FunnelSide::DroppedOff]),
            bucket: None,
            segment,
        }),
        Question::Retention(asked) => {
            let interval = rng.bool().then(|| rng.u32(0..=asked.intervals));
            let side = match interval {
                Some(_) => *pick(rng, &[RetentionSide::Returned, RetentionSide::NotReturned]),
                None => RetentionSide::Returned,
            };
            ReportCell::Retention(RetentionCell {
                bucket,
                interval,
                side,
                segment,
            })
        }
        Question::Frequency(_) => ReportCell::Frequency(FrequencyCell {
            bucket,
            at_least: rng.usize(1..=2),
            segment,
        }),
        Question::Stickiness(_) => ReportCell::Stickiness(StickinessCell {
            bucket,
            days: rng.usize(1..=2),
            count: *pick(rng, &[DayCount::Exactly, DayCount::AtLeast]),
            segment,
        }),
        Question::Lifecycle(_) => ReportCell::Lifecycle(LifecycleCell {
            bucket,
            stage: *pick(
                rng,
                &[LifecycleStage::New, LifecycleStage::Returning, LifecycleStage::Dormant],
            ),
            segment,
        }),
        Question::Flow(asked) => ReportCell::Flow(FlowCell {
            number: flow_number(rng, asked),
            segment,
        }),
    }
}

fn flow_number(rng: &mut Rng, asked: &Flow) -> FlowNumber {
    let anchor = asked.before as usize;
    let name = NodeName::event((*pick(rng, &EVENTS)).to_owned(), Vec::new());
    let at = PathStep { column: anchor, name };
    match rng.u32(0..5) {
        0 => FlowNumber::Complete,
        1 => FlowNumber::Incomplete,
        2 => FlowNumber::Reached { column: anchor },
        3 => FlowNumber::Node {
            at: PathStep {
                column: anchor,
                name: NodeName::of_kind(NodeKind::Other),
            },
            side: FlowSide::Through,
        },
        _ => FlowNumber::Node {
            at,
            side: FlowSide::Through,
        },
    }
}

fn listed(rng: &mut Rng, persons: u64) -> Vec<PersonNumber> {
    let count = rng.usize(0..5);
    (0..count)
        .map(|_| {
            PersonNumber(if chance(rng, 10) {
                1 << 47
            } else {
                rng.u64(0..=persons + 2)
            })
        })
        .collect()
}

fn when(rng: &mut Rng) -> When {
    match rng.u32(0..3) {
        0 => When::Ever,
        1 => When::LastDays(rng.u32(1..250)),
        _ => {
            let from = FIRST_DAY + rng.i64(-2..DAYS).days();
            When::Range(DateRange {
                from,
                to: from + rng.i64(0..20).days(),
            })
        }
    }
}

fn selected(rng: &mut Rng) -> EventSelector {
    EventSelector {
        filter: chance(rng, 35).then(|| without(rng, &|expression| matches!(expression, Expression::Cohort(_)))),
        event: chance(rng, 80).then(|| (*pick(rng, &EVENTS)).to_owned()),
    }
}

/// A condition or a value without some parts.
fn without(rng: &mut Rng, unwanted: &dyn Fn(&Expression) -> bool) -> Expression {
    loop {
        let expression = if chance(rng, 70) {
            condition(rng, 2)
        } else {
            any_value(rng, 2)
        };
        let mut found = false;
        expression.walk(&mut |part| found |= unwanted(part));
        if !found {
            return expression;
        }
    }
}
