//! How often persons are active within a time: frequency, and by days of a week or month, stickiness.

use crate::calendar::{Bucket, bucket_of, buckets, day_end, day_start, names};
use crate::expression::evaluate;
use crate::segment::{largest_first, values_of};
use crate::{Asked, ReferenceError};
use model::report::{
    DayCount, EventSelector, Frequency, FrequencyAnswer, FrequencyCell, FrequencySegment, Segment, Stickiness,
    StickinessAnswer, StickinessBucket, StickinessCell, StickinessSegment, Unit,
};
use model::{Expression, PersonNumber};
use std::collections::BTreeSet;

/// An event that makes its person active.
struct Active {
    person: PersonNumber,
    bucket: usize,
    part: usize,
    segments: Vec<Segment>,
}

/// The events with the calendar that they fall into.
struct Activity {
    buckets: Vec<Bucket>,
    parts: Vec<Bucket>,
    events: Vec<Active>,
}

pub(crate) fn frequency(asked: &Asked<'_>, frequency: &Frequency) -> Result<FrequencyAnswer, ReferenceError> {
    let Frequency { active, breakdown, .. } = frequency;
    let activity = activity(asked, active, breakdown, frequency.unit, frequency.part)?;
    let (shown, segments_total) = activity.shown(frequency.limit);
    let longest = activity.parts_max(frequency.parts_max());
    let mut segments = Vec::new();
    for segment in shown {
        let mut at_least = Vec::new();
        for bucket in 0..activity.buckets.len() {
            let counts = activity.parts_of_persons(bucket, &segment);
            at_least.push(
                (1..=longest)
                    .map(|parts| how_many(&counts, |count| count >= parts))
                    .collect(),
            );
        }
        segments.push(FrequencySegment { segment, at_least });
    }
    Ok(FrequencyAnswer {
        buckets: names(&activity.buckets),
        partial: activity.partial(asked, frequency.unit)?,
        segments,
        segments_total,
    })
}

pub(crate) fn stickiness(asked: &Asked<'_>, stickiness: &Stickiness) -> Result<StickinessAnswer, ReferenceError> {
    let Stickiness { active, breakdown, .. } = stickiness;
    let activity = activity(asked, active, breakdown, stickiness.unit, Unit::Day)?;
    let (shown, segments_total) = activity.shown(stickiness.limit);
    let longest = activity.parts_max(stickiness.days_max());
    let mut days = Vec::new();
    for bucket in 0..activity.buckets.len() {
        let begun = activity
            .parts
            .iter()
            .filter(|day| bucket_of(&activity.buckets, day.start_ms) == bucket && day.start_ms <= asked.now.0);
        days.push(begun.count() as u64);
    }
    let mut segments = Vec::new();
    for segment in shown {
        let mut of_buckets = Vec::new();
        for (bucket, days) in days.iter().enumerate() {
            let counts = activity.parts_of_persons(bucket, &segment);
            let persons_days = counts.len() as u64 * days;
            let active_days: usize = counts.iter().sum();
            of_buckets.push(StickinessBucket {
                exactly: (1..=longest)
                    .map(|parts| how_many(&counts, |count| count == parts))
                    .collect(),
                at_least: (1..=longest)
                    .map(|parts| how_many(&counts, |count| count >= parts))
                    .collect(),
                ratio: (persons_days > 0).then(|| active_days as f64 / persons_days as f64),
            });
        }
        segments.push(StickinessSegment {
            segment,
            buckets: of_buckets,
        });
    }
    Ok(StickinessAnswer {
        buckets: names(&activity.buckets),
        partial: activity.partial(asked, stickiness.unit)?,
        days,
        segments,
        segments_total,
    })
}

/// Who is behind one number of frequency.
pub(crate) fn members(
    asked: &Asked<'_>,
    frequency: &Frequency,
    cell: &FrequencyCell,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    let Frequency { active, breakdown, .. } = frequency;
    let activity = activity(asked, active, breakdown, frequency.unit, frequency.part)?;
    let persons = activity.persons(cell.bucket, &cell.segment).into_iter();
    Ok(persons
        .filter(|(_, parts)| *parts >= cell.at_least)
        .map(|(person, _)| person)
        .collect())
}

/// Who is behind one number of stickiness.
pub(crate) fn sticky_members(
    asked: &Asked<'_>,
    stickiness: &Stickiness,
    cell: &StickinessCell,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    let Stickiness { active, breakdown, .. } = stickiness;
    let activity = activity(asked, active, breakdown, stickiness.unit, Unit::Day)?;
    let counts = |days: usize| match cell.count {
        DayCount::Exactly => days == cell.days,
        DayCount::AtLeast => days >= cell.days,
    };
    let persons = activity.persons(cell.bucket, &cell.segment).into_iter();
    Ok(persons
        .filter(|(_, days)| counts(*days))
        .map(|(person, _)| person)
        .collect())
}

fn how_many(counts: &[usize], matches: impl Fn(usize) -> bool) -> u64 {
    counts.iter().filter(|count| matches(**count)).count() as u64
}

fn activity(
    asked: &Asked<'_>,
    selector: &EventSelector,
    breakdown: &Option<Expression>,
    unit: Unit,
    part: Unit,
) -> Result<Activity, ReferenceError> {
    let range = asked.report.range;
    let buckets_of = |unit| buckets(range.from, range.to, unit, asked.zone);
    let mut activity = Activity {
        buckets: buckets_of(unit)?,
        parts: buckets_of(part)?,
        events: Vec::new(),
    };
    let from_ms = day_start(range.from, asked.zone)?;
    let to_ms = day_end(range.to, asked.zone)?;
    for row in asked.rows_between(from_ms, to_ms, std::iter::once(&selector.event))? {
        if !asked.selects(&selector.event, &selector.filter, row)? {
            continue;
        }
        let mut segments = vec![Vec::new()];
        if let Some(breakdown) = breakdown {
            let values = values_of(&evaluate(breakdown, row, asked.zone)?, asked.zone);
            segments.extend(values.into_iter().map(|value| vec![value]));
        }
        if !row.person.is_nobody() {
            activity.events.push(Active {
                person: row.person,
                bucket: bucket_of(&activity.buckets, row.event.time.0),
                part: bucket_of(&activity.parts, row.event.time.0),
                segments,
            });
        }
    }
    Ok(activity)
}

impl Activity {
    /// For each person active in a bucket and segment, in how many distinct parts.
    fn parts_of_persons(&self, bucket: usize, segment: &Segment) -> Vec<usize> {
        let persons = self.persons(bucket, segment).into_iter();
        persons.map(|(_, parts)| parts).collect()
    }

    /// The persons active in a bucket and segment, and in how many distinct parts.
    fn persons(&self, bucket: usize, segment: &Segment) -> Vec<(PersonNumber, usize)> {
        let of_cell = |event: &&Active| event.bucket == bucket && event.segments.contains(segment);
        let persons: BTreeSet<PersonNumber> = self.events.iter().filter(of_cell).map(|event| event.person).collect();
        let mut counts = Vec::new();
        for person in persons {
            let theirs = self
                .events
                .iter()
                .filter(of_cell)
                .filter(|event| event.person == person);
            let parts: BTreeSet<usize> = theirs.map(|event| event.part).collect();
            counts.push((person, parts.len()));
        }
        counts
    }

    /// Everybody, then the largest segments; and how many segments there are.
    fn shown(&self, limit: usize) -> (Vec<Segment>, usize) {
        let mut segments: Vec<Segment> = Vec::new();
        for segment in self.events.iter().flat_map(|event| &event.segments) {
            if !segment.is_empty() && !segments.contains(segment) {
                segments.push(segment.clone());
            }
        }
        let total = segments.len();
        let sized = segments.into_iter().map(|segment| {
            let buckets = 0..self.buckets.len();
            let active: usize = buckets
                .map(|bucket| self.parts_of_persons(bucket, &segment).len())
                .sum();
            (segment, active as f64)
        });
        let mut shown = largest_first(sized.collect());
        shown.truncate(limit);
        shown.insert(0, Vec::new());
        (shown, total)
    }

    /// Parts of the longest bucket.
    fn parts_max(&self, nominal: usize) -> usize {
        let mut longest = nominal;
        for bucket in 0..self.buckets.len() {
            let parts = self.parts.iter();
            let of_bucket = parts.filter(|part| bucket_of(&self.buckets, part.start_ms) == bucket);
            longest = longest.max(of_bucket.count());
        }
        longest
    }

    fn partial(&self, asked: &Asked<'_>, unit: Unit) -> Result<Vec<bool>, ReferenceError> {
        let range = asked.report.range;
        let mut partial = Vec::new();
        for bucket in 0..self.buckets.len() {
            // The whole bucket, whatever the range leaves of it.
            let first: jiff::civil::Date = self.buckets[bucket].name[..10].parse().unwrap_or(range.from);
            let mut last = first;
            while last
                .tomorrow()
                .is_ok_and(|next| !crate::calendar::begins_bucket(next, unit))
            {
                last = last.tomorrow().unwrap_or(last);
            }
            let cut = first < range.from || last > range.to;
            partial.push(cut || day_end(last.min(range.to), asked.zone)? > asked.now.0);
        }
        Ok(partial)
    }
}
