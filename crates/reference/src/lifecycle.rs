//! Who is new, who stays, who comes back and who leaves.

use crate::calendar::{Bucket, begins_bucket, bucket_of, buckets, day_end, day_start, names};
use crate::expression::evaluate;
use crate::history::Row;
use crate::segment::{largest_first, values_of};
use crate::{Asked, ReferenceError};
use jiff::ToSpan;
use jiff::civil::Date;
use model::PersonNumber;
use model::report::{
    InvalidReport, Lifecycle, LifecycleAnswer, LifecycleBucket, LifecycleCell, LifecycleSegment, LifecycleStage,
    Segment,
};
use std::collections::{BTreeMap, BTreeSet};

/// The buckets that a person was active in, with the segments of their first event in each.
type Life = BTreeMap<usize, Vec<Segment>>;

pub(crate) fn answer(asked: &Asked<'_>, lifecycle: &Lifecycle) -> Result<LifecycleAnswer, ReferenceError> {
    let Told {
        of_range,
        end_ms,
        lives,
    } = told(asked, lifecycle)?;
    let begun = of_range.iter().filter(|bucket| bucket.start_ms <= asked.now.0).count();
    let mut stages: Vec<(usize, LifecycleStage, &Vec<Segment>)> = Vec::new();
    for (was_before, life) in lives.values() {
        for bucket in 1..=begun {
            if let Some((stage, segments)) = stage(*was_before, life, bucket) {
                stages.push((bucket - 1, stage, segments));
            }
        }
    }

    let mut sizes: Vec<(Segment, f64)> = Vec::new();
    for (_, stage, segments) in &stages {
        for segment in segments.iter() {
            let active = if *stage == LifecycleStage::Dormant { 0.0 } else { 1.0 };
            match sizes.iter_mut().find(|(known, _)| known == segment) {
                Some((_, size)) => *size += active,
                None => sizes.push((segment.clone(), active)),
            }
        }
    }
    let segments_total = sizes.len();
    let mut shown = largest_first(sizes);
    shown.truncate(lifecycle.limit);
    shown.insert(0, Vec::new());

    let mut segments = Vec::new();
    for segment in shown {
        let mut of_buckets = Vec::new();
        for bucket in 0..begun {
            let count = |wanted: LifecycleStage| {
                let in_segment = |segments: &[Segment]| segment.is_empty() || segments.contains(&segment);
                let counted = stages
                    .iter()
                    .filter(|(at, stage, segments)| *at == bucket && *stage == wanted && in_segment(segments));
                counted.count() as u64
            };
            of_buckets.push(LifecycleBucket {
                new: count(LifecycleStage::New),
                returning: count(LifecycleStage::Returning),
                resurrected: count(LifecycleStage::Resurrected),
                dormant: count(LifecycleStage::Dormant),
            });
        }
        segments.push(LifecycleSegment {
            segment,
            buckets: of_buckets,
        });
    }
    let partial = (0..begun).map(|bucket| {
        let bucket_end_ms = of_range.get(bucket + 1).map_or(end_ms, |next| next.start_ms);
        bucket_end_ms > asked.now.0
    });
    Ok(LifecycleAnswer {
        partial: partial.collect(),
        buckets: names(&of_range).into_iter().take(begun).collect(),
        segments,
        segments_total,
    })
}

/// Everybody's life over the buckets of the range.
struct Told {
    of_range: Vec<Bucket>,
    /// First instant after the last bucket.
    end_ms: i64,
    /// In lives, bucket 0 is the one before the range's first.
    lives: BTreeMap<PersonNumber, (bool, Life)>,
}

fn told(asked: &Asked<'_>, lifecycle: &Lifecycle) -> Result<Told, ReferenceError> {
    let range = asked.report.range;
    let mut last = range.to;
    while !begins_bucket(last.tomorrow().map_err(outside)?, lifecycle.unit) {
        last = last.tomorrow().map_err(outside)?;
    }
    let of_range = buckets(range.from, last, lifecycle.unit, asked.zone)?;
    let first: Date = of_range[0].name.parse().map_err(outside)?;
    let from_ms = match lifecycle.look_back_days {
        None => i64::MIN,
        Some(days) => day_start(first.checked_sub(i64::from(days).days()).map_err(outside)?, asked.zone)?,
    };
    let before = first.yesterday().map_err(outside)?;
    let calendar = buckets(before, last, lifecycle.unit, asked.zone)?;
    let end_ms = day_end(last, asked.zone)?;
    Ok(Told {
        lives: lives(asked, lifecycle, &calendar, from_ms, end_ms)?,
        of_range,
        end_ms,
    })
}

/// Who is behind one number.
pub(crate) fn members(
    asked: &Asked<'_>,
    lifecycle: &Lifecycle,
    cell: &LifecycleCell,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    let told = told(asked, lifecycle)?;
    let mut members = BTreeSet::new();
    for (person, (was_before, life)) in &told.lives {
        if cell.bucket >= told.of_range.len() {
            break;
        }
        if let Some((stage, segments)) = stage(*was_before, life, cell.bucket + 1)
            && stage == cell.stage
            && (cell.segment.is_empty() || segments.contains(&cell.segment))
        {
            members.insert(*person);
        }
    }
    Ok(members)
}

/// What a person is in a bucket, if anything, with the segments they are shown in.
fn stage(was_before: bool, life: &Life, bucket: usize) -> Option<(LifecycleStage, &Vec<Segment>)> {
    let earlier = was_before || life.keys().any(|active| *active < bucket);
    match (life.get(&bucket), life.get(&(bucket - 1))) {
        (Some(segments), Some(_)) => Some((LifecycleStage::Returning, segments)),
        (Some(segments), None) if earlier => Some((LifecycleStage::Resurrected, segments)),
        (Some(segments), None) => Some((LifecycleStage::New, segments)),
        (None, Some(segments)) => Some((LifecycleStage::Dormant, segments)),
        (None, None) => None,
    }
}

/// Per person whether they were active before all buckets, and their life in them.
fn lives(
    asked: &Asked<'_>,
    lifecycle: &Lifecycle,
    calendar: &[Bucket],
    from_ms: i64,
    end_ms: i64,
) -> Result<BTreeMap<PersonNumber, (bool, Life)>, ReferenceError> {
    let selector = &lifecycle.active;
    let mut selected: Vec<(&Row<'_>, Vec<Segment>)> = Vec::new();
    for row in asked.rows_between(from_ms, end_ms, std::iter::once(&selector.event))? {
        if !asked.selects(&selector.event, &selector.filter, row)? {
            continue;
        }
        let segments = match &lifecycle.breakdown {
            None => Vec::new(),
            Some(breakdown) => values_of(&evaluate(breakdown, row, asked.zone)?, asked.zone)
                .into_iter()
                .map(|value| vec![value])
                .collect(),
        };
        if !row.person.is_nobody() {
            selected.push((row, segments));
        }
    }
    selected.sort_by_key(|(row, _)| (row.event.time, row.seq));
    let mut lives: BTreeMap<PersonNumber, (bool, Life)> = BTreeMap::new();
    for (row, segments) in selected {
        let (was_before, life) = lives.entry(row.person).or_default();
        if row.event.time.0 < calendar[0].start_ms {
            *was_before = true;
        } else {
            life.entry(bucket_of(calendar, row.event.time.0)).or_insert(segments);
        }
    }
    Ok(lives)
}

fn outside(_: jiff::Error) -> InvalidReport {
    InvalidReport {
        at: "/range",
        message: "the range leaves the calendar".into(),
    }
}
