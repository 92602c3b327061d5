//! How many go through steps.

mod attempt;
mod durations;
mod events;

use crate::calendar::{Bucket, bucket_of, buckets, day_end, day_start, names};
use crate::segment::largest_first;
use crate::{Asked, ReferenceError};
use attempt::{Run, attempt, may_start, next_start};
use durations::durations;
use events::{Seen, events_of_persons};
use model::PersonNumber;
use model::report::{
    Attempt, Attribution, Funnel, FunnelAnswer, FunnelCell, FunnelCount, FunnelSegment, FunnelSide, FunnelStep,
    InvalidReport, Segment,
};
use std::collections::BTreeSet;

pub(crate) fn answer(asked: &Asked<'_>, funnel: &Funnel) -> Result<FunnelAnswer, ReferenceError> {
    let buckets = trend_buckets(asked, funnel)?;
    let persons = events_of_persons(asked, funnel)?;
    let counted = counted_runs(asked, funnel, &persons, &buckets)?;

    let overall = in_bucket(&counted, None);
    let mut sizes: Vec<(Segment, f64)> = Vec::new();
    for run in &overall {
        for segment in segments_of(funnel, run) {
            match sizes.iter_mut().find(|(known, _)| *known == segment) {
                Some((_, size)) => *size += 1.0,
                None => sizes.push((segment, 1.0)),
            }
        }
    }
    let segments_total = sizes.len();
    let mut shown = largest_first(sizes);
    shown.truncate(funnel.limit);

    let trend = (0..buckets.len())
        .map(|bucket| segments(funnel, &in_bucket(&counted, Some(bucket)), &shown, false))
        .collect();
    Ok(FunnelAnswer {
        overall: segments(funnel, &overall, &shown, funnel.times.is_some()),
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
    let buckets = trend_buckets(asked, funnel)?;
    let persons = events_of_persons(asked, funnel)?;
    let counted = counted_runs(asked, funnel, &persons, &buckets)?;
    let behind = in_bucket(&counted, cell.bucket)
        .into_iter()
        .filter(|run| match cell.side {
            FunnelSide::Reached => run.taken.len() > cell.step,
            FunnelSide::DroppedOff => run.taken.len() == cell.step + 1,
        })
        .filter(|run| cell.segment.is_empty() || segments_of(funnel, run).contains(&cell.segment));
    Ok(behind.map(|run| run.start().person).collect())
}

fn trend_buckets(asked: &Asked<'_>, funnel: &Funnel) -> Result<Vec<Bucket>, InvalidReport> {
    let range = asked.report.range;
    match funnel.unit {
        Some(unit) => buckets(range.from, range.to, unit, asked.zone),
        None => Ok(Vec::new()),
    }
}

/// An attempt with the bucket for which it is counted; `None` for the whole range.
type Counted<'a> = (Option<usize>, Run<'a>);

fn in_bucket<'c, 'a>(counted: &'c [Counted<'a>], bucket: Option<usize>) -> Vec<&'c Run<'a>> {
    let of_bucket = counted.iter().filter(|(counted_for, _)| *counted_for == bucket);
    of_bucket.map(|(_, run)| run).collect()
}

/// All attempts that count.
fn counted_runs<'a>(
    asked: &Asked<'_>,
    funnel: &Funnel,
    persons: &'a [Vec<Seen>],
    buckets: &[Bucket],
) -> Result<Vec<Counted<'a>>, InvalidReport> {
    let from_ms = day_start(asked.report.range.from, asked.zone)?;
    let to_ms = day_end(asked.report.range.to, asked.zone)?;
    let bucket_of_start = |run: &Run<'_>| bucket_of(buckets, run.start().time_ms);
    let mut counted: Vec<Counted<'a>> = Vec::new();
    for events in persons {
        let starts = events
            .iter()
            .filter(|event| from_ms <= event.time_ms && event.time_ms < to_ms && may_start(funnel, event));
        match funnel.count {
            FunnelCount::Uniques => {
                let runs: Vec<Run<'a>> = starts.map(|start| attempt(funnel, events, start)).collect();
                counted.extend(chosen(funnel, runs.iter()).map(|run| (None, run)));
                for bucket in 0..buckets.len() {
                    let of_bucket = runs.iter().filter(|run| bucket_of_start(run) == bucket);
                    counted.extend(chosen(funnel, of_bucket).map(|run| (Some(bucket), run)));
                }
            }
            FunnelCount::Totals => {
                let mut over: Option<Run<'a>> = None;
                for start in starts {
                    if over.as_ref().is_some_and(|run| !next_start(funnel, run, start)) {
                        continue;
                    }
                    let run = attempt(funnel, events, start);
                    counted.push((None, run.clone()));
                    if !buckets.is_empty() {
                        counted.push((Some(bucket_of_start(&run)), run.clone()));
                    }
                    over = Some(run);
                }
            }
            FunnelCount::Sessions => {
                let runs: Vec<Run<'a>> = starts.map(|start| attempt(funnel, events, start)).collect();
                let sessions: BTreeSet<Option<usize>> = runs.iter().map(|run| run.start().session).collect();
                for session in sessions {
                    let of_session = runs.iter().filter(|run| run.start().session == session);
                    if let Some(run) = chosen(funnel, of_session) {
                        if !buckets.is_empty() {
                            counted.push((Some(bucket_of_start(&run)), run.clone()));
                        }
                        counted.push((None, run));
                    }
                }
            }
        }
    }
    Ok(counted)
}

/// The attempt that counts among several, given in order of their starts.
fn chosen<'r, 'a: 'r>(funnel: &Funnel, mut runs: impl Iterator<Item = &'r Run<'a>>) -> Option<Run<'a>> {
    let mut best = runs.next()?;
    if funnel.attempt == Attempt::Furthest {
        for run in runs {
            if run.taken.len() > best.taken.len() {
                best = run;
            }
        }
    }
    Some(best.clone())
}

/// The segments that an attempt belongs to.
fn segments_of(funnel: &Funnel, run: &Run<'_>) -> Vec<Segment> {
    if funnel.breakdown.is_none() {
        return Vec::new();
    }
    let not_set = vec![vec![None]];
    let mut set = run
        .taken
        .iter()
        .map(|(_, event)| &event.segments)
        .filter(|segments| **segments != not_set);
    match funnel.attribution {
        Attribution::First => set.next().cloned().unwrap_or(not_set),
        Attribution::Last => set.next_back().cloned().unwrap_or(not_set),
        Attribution::Step(wanted) => {
            let event = run.taken.iter().find(|(step, _)| *step == wanted);
            event.map_or(not_set, |(_, event)| event.segments.clone())
        }
        Attribution::Any => {
            let mut all: Vec<Segment> = Vec::new();
            for segment in set.flatten() {
                if !all.contains(segment) {
                    all.push(segment.clone());
                }
            }
            if all.is_empty() { not_set } else { all }
        }
    }
}

/// Everybody, then each shown segment.
fn segments(funnel: &Funnel, runs: &[&Run<'_>], shown: &[Segment], with_times: bool) -> Vec<FunnelSegment> {
    let mut segments = vec![FunnelSegment {
        segment: Vec::new(),
        steps: steps(funnel, runs, with_times),
    }];
    for segment in shown {
        let of_segment: Vec<&Run<'_>> = runs
            .iter()
            .copied()
            .filter(|run| segments_of(funnel, run).contains(segment))
            .collect();
        segments.push(FunnelSegment {
            segment: segment.clone(),
            steps: steps(funnel, &of_segment, with_times),
        });
    }
    segments
}

fn steps(funnel: &Funnel, runs: &[&Run<'_>], with_times: bool) -> Vec<FunnelStep> {
    (0..funnel.steps.len())
        .map(|step| {
            let reached: Vec<&Run<'_>> = runs.iter().copied().filter(|run| run.taken.len() > step).collect();
            let mut answer = FunnelStep {
                count: reached.len() as u64,
                ..FunnelStep::default()
            };
            if step == 0 || reached.is_empty() {
                return answer;
            }
            let took_from = |earlier: usize| -> Vec<i64> {
                let took = |run: &&Run<'_>| run.taken[step].1.time_ms - run.taken[earlier].1.time_ms;
                reached.iter().map(took).map(|took_ms| took_ms.max(0)).collect()
            };
            let mean = |took_ms: &[i64]| took_ms.iter().sum::<i64>() as f64 / took_ms.len() as f64;
            let (from_previous, from_start) = (took_from(step - 1), took_from(0));
            answer.mean_ms_from_previous = Some(mean(&from_previous));
            answer.mean_ms_from_start = Some(mean(&from_start));
            if let Some(times) = funnel.times.as_ref().filter(|_| with_times) {
                answer.times_from_previous = Some(durations(times, from_previous));
                answer.times_from_start = Some(durations(times, from_start));
            }
            answer
        })
        .collect()
}
