//! How many persons go through steps in order.

use crate::calendar::{Bucket, bucket_of, buckets, day_end, day_start, names};
use crate::expression::evaluate;
use crate::history::Row;
use crate::segment::{largest_first, values_of};
use crate::{Asked, ReferenceError};
use model::PersonNumber;
use model::report::{
    Attempt, Funnel, FunnelAnswer, FunnelCell, FunnelSegment, FunnelSide, FunnelStep, InvalidReport, Segment,
};
use std::collections::BTreeSet;

/// An event of a person with the steps it can be.
struct StepEvent {
    person: PersonNumber,
    time_ms: i64,
    seq: u64,
    /// Per step of the definition.
    is_step: Vec<bool>,
    /// Segments that an attempt starting here belongs to.
    segments: Vec<Segment>,
}

/// How far a person came from one start.
struct Run<'a> {
    start: &'a StepEvent,
    times_ms: Vec<i64>,
}

pub(crate) fn answer(asked: &Asked<'_>, funnel: &Funnel) -> Result<FunnelAnswer, ReferenceError> {
    let buckets = trend_buckets(asked, funnel)?;
    let persons = persons(asked, funnel)?;
    let runs_of_persons = runs_of_persons(asked, funnel, &persons)?;

    let overall = counted_in(funnel, &runs_of_persons, &buckets, None);
    let mut sizes: Vec<(Segment, f64)> = Vec::new();
    for run in &overall {
        for segment in &run.start.segments {
            match sizes.iter_mut().find(|(known, _)| known == segment) {
                Some((_, size)) => *size += 1.0,
                None => sizes.push((segment.clone(), 1.0)),
            }
        }
    }
    let segments_total = sizes.len();
    let mut shown = largest_first(sizes);
    shown.truncate(funnel.limit);

    let mut trend = Vec::new();
    for bucket in 0..buckets.len() {
        let started_here = counted_in(funnel, &runs_of_persons, &buckets, Some(bucket));
        trend.push(segments(funnel, &started_here, &shown));
    }
    Ok(FunnelAnswer {
        overall: segments(funnel, &overall, &shown),
        buckets: names(&buckets),
        trend,
        segments_total,
    })
}

/// Who is behind one number.
pub(crate) fn members(
    asked: &Asked<'_>,
    funnel: &Funnel,
    cell: &FunnelCell,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    let persons = persons(asked, funnel)?;
    let runs_of_persons = runs_of_persons(asked, funnel, &persons)?;
    let buckets = trend_buckets(asked, funnel)?;
    let behind = counted_in(funnel, &runs_of_persons, &buckets, cell.bucket)
        .into_iter()
        .filter(|run| match cell.side {
            FunnelSide::Reached => run.times_ms.len() > cell.step,
            FunnelSide::DroppedOff => run.times_ms.len() == cell.step + 1,
        })
        .filter(|run| cell.segment.is_empty() || run.start.segments.contains(&cell.segment));
    Ok(behind.map(|run| run.start.person).collect())
}

fn trend_buckets(asked: &Asked<'_>, funnel: &Funnel) -> Result<Vec<Bucket>, InvalidReport> {
    let range = asked.report.range;
    match funnel.unit {
        Some(unit) => buckets(range.from, range.to, unit, asked.zone),
        None => Ok(Vec::new()),
    }
}

/// Every person's attempts, in order of their starts.
fn runs_of_persons<'a>(
    asked: &Asked<'_>,
    funnel: &Funnel,
    persons: &'a [Vec<StepEvent>],
) -> Result<Vec<Vec<Run<'a>>>, InvalidReport> {
    let from_ms = day_start(asked.report.range.from, asked.zone)?;
    let to_ms = day_end(asked.report.range.to, asked.zone)?;
    let mut runs_of_persons: Vec<Vec<Run<'_>>> = Vec::new();
    for events in persons {
        let mut runs = Vec::new();
        for start in events {
            if start.is_step[0] && from_ms <= start.time_ms && start.time_ms < to_ms {
                runs.push(attempt(funnel, events, start));
            }
        }
        runs_of_persons.push(runs);
    }
    Ok(runs_of_persons)
}

/// The counted attempts of a bucket, or of the range.
fn counted_in<'r, 'a>(
    funnel: &Funnel,
    runs_of_persons: &'r [Vec<Run<'a>>],
    buckets: &[Bucket],
    bucket: Option<usize>,
) -> Vec<&'r Run<'a>> {
    runs_of_persons
        .iter()
        .filter_map(|runs| {
            counted(
                funnel.attempt,
                runs.iter()
                    .filter(|run| bucket.is_none_or(|bucket| starts_in(buckets, bucket, run))),
            )
        })
        .collect()
}

fn starts_in(buckets: &[Bucket], bucket: usize, run: &Run<'_>) -> bool {
    bucket_of(buckets, run.start.time_ms) == bucket
}

/// The events of any step, by person, in order of time and reception.
fn persons(asked: &Asked<'_>, funnel: &Funnel) -> Result<Vec<Vec<StepEvent>>, ReferenceError> {
    let from_ms = day_start(asked.report.range.from, asked.zone)? - funnel.tie_ms;
    let to_ms = day_end(asked.report.range.to, asked.zone)? + funnel.window_ms;
    let events = funnel.steps.iter().map(|step| &step.event);
    let mut persons: Vec<(PersonNumber, Vec<StepEvent>)> = Vec::new();
    for row in asked.rows_between(from_ms, to_ms, events)? {
        let mut is_step = Vec::new();
        for step in &funnel.steps {
            is_step.push(asked.selects(&step.event, &step.filter, row)?);
        }
        let event = StepEvent {
            person: row.person,
            time_ms: row.event.time.0,
            seq: row.seq,
            segments: if is_step[0] {
                start_segments(asked, funnel, row)?
            } else {
                Vec::new()
            },
            is_step,
        };
        if row.person.is_nobody() {
            continue;
        }
        match persons.iter_mut().find(|(person, _)| *person == row.person) {
            Some((_, events)) => events.push(event),
            None => persons.push((row.person, vec![event])),
        }
    }
    for (_, events) in &mut persons {
        events.sort_by_key(|event| (event.time_ms, event.seq));
    }
    Ok(persons.into_iter().map(|(_, events)| events).collect())
}

fn start_segments(asked: &Asked<'_>, funnel: &Funnel, row: &Row<'_>) -> Result<Vec<Segment>, ReferenceError> {
    let Some(breakdown) = &funnel.breakdown else {
        return Ok(Vec::new());
    };
    let values = values_of(&evaluate(breakdown, row, asked.zone)?, asked.zone);
    Ok(values.into_iter().map(|value| vec![value]).collect())
}

/// Each further step takes the earliest event that may be it.
fn attempt<'a>(funnel: &Funnel, events: &'a [StepEvent], start: &'a StepEvent) -> Run<'a> {
    let mut used: Vec<u64> = vec![start.seq];
    let mut times_ms = vec![start.time_ms];
    for step in 1..funnel.steps.len() {
        let before_ms = times_ms[step - 1];
        let next = events.iter().find(|event| {
            event.is_step[step]
                && !used.contains(&event.seq)
                && event.time_ms >= before_ms - funnel.tie_ms
                && event.time_ms >= start.time_ms - funnel.tie_ms
                && event.time_ms <= start.time_ms + funnel.window_ms
        });
        match next {
            Some(event) => {
                used.push(event.seq);
                times_ms.push(event.time_ms);
            }
            None => break,
        }
    }
    Run { start, times_ms }
}

/// The attempt that counts among a person's, given in order of their starts.
fn counted<'r, 'a>(rule: Attempt, mut runs: impl Iterator<Item = &'r Run<'a>>) -> Option<&'r Run<'a>> {
    let mut best = runs.next()?;
    if rule == Attempt::Furthest {
        for run in runs {
            if run.times_ms.len() > best.times_ms.len() {
                best = run;
            }
        }
    }
    Some(best)
}

/// Everybody, then each shown segment.
fn segments(funnel: &Funnel, runs: &[&Run<'_>], shown: &[Segment]) -> Vec<FunnelSegment> {
    let mut segments = vec![FunnelSegment {
        segment: Vec::new(),
        steps: steps(funnel, runs),
    }];
    for segment in shown {
        let of_segment: Vec<&Run<'_>> = runs
            .iter()
            .copied()
            .filter(|run| run.start.segments.contains(segment))
            .collect();
        segments.push(FunnelSegment {
            segment: segment.clone(),
            steps: steps(funnel, &of_segment),
        });
    }
    segments
}

fn steps(funnel: &Funnel, runs: &[&Run<'_>]) -> Vec<FunnelStep> {
    (0..funnel.steps.len())
        .map(|step| {
            let reached: Vec<&Vec<i64>> = runs
                .iter()
                .map(|run| &run.times_ms)
                .filter(|times_ms| times_ms.len() > step)
                .collect();
            let mean_from = |earlier: usize| {
                if step == 0 || reached.is_empty() {
                    return None;
                }
                let sum_ms: i64 = reached
                    .iter()
                    .map(|times_ms| (times_ms[step] - times_ms[earlier]).max(0))
                    .sum();
                Some(sum_ms as f64 / reached.len() as f64)
            };
            FunnelStep {
                count: reached.len() as u64,
                mean_ms_from_previous: mean_from(step.saturating_sub(1)),
                mean_ms_from_start: mean_from(0),
            }
        })
        .collect()
}
