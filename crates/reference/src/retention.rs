//! How many persons come back.

use crate::calendar::{Bucket, bucket_of, buckets, day_end, day_start, names};
use crate::expression::evaluate;
use crate::segment::{largest_first, values_of};
use crate::{Asked, ReferenceError};
use jiff::ToSpan;
use jiff::civil::Date;
use model::PersonNumber;
use model::report::{
    Cohort, Cohorts, Intervals, InvalidReport, Retention, RetentionAnswer, RetentionSegment, Segment, Unit,
};

/// A person's first `born` event in a cohort's bucket, or in the range.
struct Birth {
    person: PersonNumber,
    bucket: usize,
    segments: Vec<Segment>,
    /// Intervals with a return, each once.
    intervals: Vec<u32>,
}

struct BornEvent {
    person: PersonNumber,
    time_ms: i64,
    seq: u64,
    segments: Vec<Segment>,
}

pub(crate) fn answer(asked: &Asked<'_>, retention: &Retention) -> Result<RetentionAnswer, ReferenceError> {
    let range = asked.report.range;
    let cohorts = buckets(range.from, range.to, retention.unit, asked.zone)?;
    let calendar = buckets(range.from, last_day(retention, range.to)?, retention.unit, asked.zone)?;
    let (born, returned) = events(asked, retention)?;

    let mut births: Vec<Birth> = Vec::new();
    for event in &born {
        let bucket = bucket_of(&cohorts, event.time_ms);
        let again = births.iter().any(|birth| {
            birth.person == event.person && (retention.cohorts == Cohorts::Birth || birth.bucket == bucket)
        });
        if again {
            continue;
        }
        let mut intervals: Vec<u32> = Vec::new();
        for (person, time_ms) in &returned {
            if *person == event.person && *time_ms > event.time_ms {
                let interval = interval(retention, &calendar, event.time_ms, *time_ms);
                let first = if retention.on_or_after { 0 } else { interval };
                for interval in first..=interval.min(retention.intervals) {
                    if !intervals.contains(&interval) {
                        intervals.push(interval);
                    }
                }
            }
        }
        births.push(Birth {
            person: event.person,
            bucket,
            segments: event.segments.clone(),
            intervals,
        });
    }

    let mut sizes: Vec<(Segment, f64)> = Vec::new();
    for segment in births.iter().flat_map(|birth| &birth.segments) {
        match sizes.iter_mut().find(|(known, _)| known == segment) {
            Some((_, size)) => *size += 1.0,
            None => sizes.push((segment.clone(), 1.0)),
        }
    }
    let segments_total = sizes.len();
    let mut shown = largest_first(sizes);
    shown.truncate(retention.limit);

    let cohorts_of = |belongs: &dyn Fn(&Birth) -> bool| {
        (0..cohorts.len())
            .map(|bucket| {
                let of_cohort: Vec<&Birth> = births
                    .iter()
                    .filter(|birth| birth.bucket == bucket && belongs(birth))
                    .collect();
                cohort(asked, retention, &calendar, bucket, &of_cohort)
            })
            .collect()
    };
    let mut segments = vec![RetentionSegment {
        segment: Vec::new(),
        cohorts: cohorts_of(&|_| true),
    }];
    for segment in shown {
        segments.push(RetentionSegment {
            cohorts: cohorts_of(&|birth| birth.segments.contains(&segment)),
            segment,
        });
    }
    Ok(RetentionAnswer {
        buckets: names(&cohorts),
        segments,
        segments_total,
    })
}

/// Births in the range in order of time and reception, and returns at any time.
type Events = (Vec<BornEvent>, Vec<(PersonNumber, i64)>);

fn events(asked: &Asked<'_>, retention: &Retention) -> Result<Events, ReferenceError> {
    let range = asked.report.range;
    let from_ms = day_start(range.from, asked.zone)?;
    let to_ms = day_end(range.to, asked.zone)?;
    let last_ms = if retention.on_or_after {
        i64::MAX
    } else {
        day_end(last_day(retention, range.to)?, asked.zone)?
    };
    let names = [&retention.born.event, &retention.returning.event].into_iter();
    let mut born = Vec::new();
    let mut returned = Vec::new();
    for row in asked.rows_between(from_ms, last_ms, names)? {
        let is_born = asked.selects(&retention.born.event, &retention.born.filter, row)?;
        let is_return = asked.selects(&retention.returning.event, &retention.returning.filter, row)?;
        let segments = match &retention.breakdown {
            Some(breakdown) if is_born => values_of(&evaluate(breakdown, row, asked.zone)?, asked.zone)
                .into_iter()
                .map(|value| vec![value])
                .collect(),
            _ => Vec::new(),
        };
        if row.person.is_nobody() {
            continue;
        }
        if is_born && row.event.time.0 < to_ms {
            born.push(BornEvent {
                person: row.person,
                time_ms: row.event.time.0,
                seq: row.seq,
                segments,
            });
        }
        if is_return {
            returned.push((row.person, row.event.time.0));
        }
    }
    born.sort_by_key(|event| (event.time_ms, event.seq));
    Ok((born, returned))
}

/// A day after which no return can fall into the last interval.
fn last_day(retention: &Retention, to: Date) -> Result<Date, InvalidReport> {
    let unit_days_max = if retention.unit == Unit::Month {
        31
    } else {
        unit_days(retention.unit)
    };
    let days = (i64::from(retention.intervals) + 2) * unit_days_max;
    to.checked_add(days.days()).map_err(|_| InvalidReport {
        at: "/range",
        message: "the range leaves the calendar".into(),
    })
}

fn unit_days(unit: Unit) -> i64 {
    match unit {
        Unit::Week => 7,
        Unit::Month => 30,
        _ => 1,
    }
}

fn unit_ms(unit: Unit) -> i64 {
    unit_days(unit) * 86_400_000
}

fn interval(retention: &Retention, calendar: &[Bucket], birth_ms: i64, return_ms: i64) -> u32 {
    let interval = match retention.rule {
        Intervals::Rolling => (return_ms - birth_ms) / unit_ms(retention.unit),
        Intervals::Calendar => (bucket_of(calendar, return_ms) - bucket_of(calendar, birth_ms)) as i64,
    };
    u32::try_from(interval).unwrap_or(u32::MAX)
}

fn cohort(asked: &Asked<'_>, retention: &Retention, calendar: &[Bucket], bucket: usize, births: &[&Birth]) -> Cohort {
    let begun = |interval: u32| {
        let start_ms = match retention.rule {
            Intervals::Rolling => calendar[bucket].start_ms + i64::from(interval) * unit_ms(retention.unit),
            Intervals::Calendar => calendar[bucket + interval as usize].start_ms,
        };
        start_ms <= asked.now.0
    };
    Cohort {
        born: births.len() as u64,
        returned: (0..=retention.intervals)
            .take_while(|interval| begun(*interval))
            .map(|interval| {
                births
                    .iter()
                    .filter(|birth| birth.intervals.contains(&interval))
                    .count() as u64
            })
            .collect(),
    }
}
