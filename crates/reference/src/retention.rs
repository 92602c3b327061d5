//! How many persons come back.

use crate::calendar::{Bucket, bucket_of, buckets, day_end, day_start, names};
use crate::expression::evaluate;
use crate::segment::{largest_first, values_of};
use crate::{Asked, ReferenceError};
use jiff::ToSpan;
use jiff::civil::Date;
use model::PersonNumber;
use model::report::{
    Cohort, Cohorts, CurvePoint, Intervals, InvalidReport, Retention, RetentionAnswer, RetentionCell, RetentionSegment,
    RetentionSide, Segment, Unit,
};
use std::collections::BTreeSet;

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
    let (cohorts, calendar) = calendars(asked, retention)?;
    let births = births(asked, retention, &cohorts, &calendar)?;

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

    shown.insert(0, Vec::new());

    let mut segments = Vec::new();
    for segment in shown {
        let mut of_segment = Vec::new();
        for bucket in 0..cohorts.len() {
            let of_cohort: Vec<&Birth> = births
                .iter()
                .filter(|birth| birth.bucket == bucket && (segment.is_empty() || birth.segments.contains(&segment)))
                .collect();
            of_segment.push(cohort(asked, retention, &calendar, bucket, &of_cohort)?);
        }
        segments.push(RetentionSegment {
            segment,
            curve: curve(retention, &of_segment),
            cohorts: of_segment,
        });
    }
    Ok(RetentionAnswer {
        buckets: names(&cohorts),
        segments,
        segments_total,
    })
}

/// Who is behind one number.
pub(crate) fn members(
    asked: &Asked<'_>,
    retention: &Retention,
    cell: &RetentionCell,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    let (cohorts, calendar) = calendars(asked, retention)?;
    let births = births(asked, retention, &cohorts, &calendar)?;
    let behind = births
        .iter()
        .filter(|birth| birth.bucket == cell.bucket)
        .filter(|birth| match (cell.interval, cell.side) {
            (None, _) => true,
            (Some(interval), RetentionSide::Returned) => birth.intervals.contains(&interval),
            (Some(interval), RetentionSide::NotReturned) => !birth.intervals.contains(&interval),
        })
        .filter(|birth| cell.segment.is_empty() || birth.segments.contains(&cell.segment));
    Ok(behind.map(|birth| birth.person).collect())
}

/// Buckets of the cohorts, and all that returns can fall into.
fn calendars(asked: &Asked<'_>, retention: &Retention) -> Result<(Vec<Bucket>, Vec<Bucket>), InvalidReport> {
    let range = asked.report.range;
    let cohorts = buckets(range.from, range.to, retention.unit, asked.zone)?;
    let calendar = buckets(range.from, last_day(retention, range.to)?, retention.unit, asked.zone)?;
    Ok((cohorts, calendar))
}

fn births(
    asked: &Asked<'_>,
    retention: &Retention,
    cohorts: &[Bucket],
    calendar: &[Bucket],
) -> Result<Vec<Birth>, ReferenceError> {
    let Events { before, born, returned } = events(asked, retention)?;
    let mut births: Vec<Birth> = Vec::new();
    for event in &born {
        let bucket = bucket_of(cohorts, event.time_ms);
        let again = births.iter().any(|birth| {
            birth.person == event.person && (retention.cohorts != Cohorts::Recurring || birth.bucket == bucket)
        });
        let lived_before = retention.cohorts == Cohorts::FirstEver && before.contains(&event.person);
        if again || lived_before {
            continue;
        }
        let mut intervals: Vec<u32> = Vec::new();
        for (person, time_ms) in &returned {
            if *person == event.person && *time_ms > event.time_ms {
                let interval = interval(retention, calendar, event.time_ms, *time_ms);
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
    Ok(births)
}

struct Events {
    /// Who had such an event before the range, if that matters.
    before: BTreeSet<PersonNumber>,
    /// Births in the range in order of time and reception.
    born: Vec<BornEvent>,
    /// Returns at any time.
    returned: Vec<(PersonNumber, i64)>,
}

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
    let read_from_ms = match retention.cohorts {
        Cohorts::FirstEver => i64::MIN,
        Cohorts::Birth | Cohorts::Recurring => from_ms,
    };
    let mut before = BTreeSet::new();
    let mut born = Vec::new();
    let mut returned = Vec::new();
    for row in asked.rows_between(read_from_ms, last_ms, names)? {
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
        if is_born && row.event.time.0 < from_ms {
            before.insert(row.person);
        } else if is_born && row.event.time.0 < to_ms {
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
    Ok(Events { before, born, returned })
}

/// A day after which no return can fall into the last interval.
fn last_day(retention: &Retention, to: Date) -> Result<Date, InvalidReport> {
    let unit_days_max = if retention.unit == Unit::Month {
        31
    } else {
        unit_days(retention.unit)
    };
    let days = (units_until_end(retention, retention.intervals) + 1) * unit_days_max;
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

/// Units from a birth until the end of an interval.
fn units_until_end(retention: &Retention, interval: u32) -> i64 {
    let mut units = 0;
    for interval in 0..=interval as usize {
        units += retention.brackets.get(interval).map_or(1, |length| i64::from(*length));
    }
    units
}

/// The interval of a return; one beyond the last where it falls into none.
fn interval(retention: &Retention, calendar: &[Bucket], birth_ms: i64, return_ms: i64) -> u32 {
    let unit = match retention.rule {
        Intervals::Rolling => (return_ms - birth_ms) / unit_ms(retention.unit),
        Intervals::Calendar => (bucket_of(calendar, return_ms) - bucket_of(calendar, birth_ms)) as i64,
    };
    (0..=retention.intervals)
        .find(|interval| unit < units_until_end(retention, *interval))
        .unwrap_or(retention.intervals + 1)
}

fn cohort(
    asked: &Asked<'_>,
    retention: &Retention,
    calendar: &[Bucket],
    bucket: usize,
    births: &[&Birth],
) -> Result<Cohort, InvalidReport> {
    let range_end_ms = day_end(asked.report.range.to, asked.zone)?;
    let birth_first_ms = calendar[bucket].start_ms;
    let birth_last_ms = calendar[bucket + 1].start_ms.min(range_end_ms);
    let later = |birth_ms: i64, units: i64| match retention.rule {
        Intervals::Rolling => birth_ms + units * unit_ms(retention.unit),
        Intervals::Calendar => calendar[bucket + units as usize].start_ms,
    };
    let mut cohort = Cohort {
        born: births.len() as u64,
        ..Cohort::default()
    };
    for interval in 0..=retention.intervals {
        let units_before = if interval == 0 {
            0
        } else {
            units_until_end(retention, interval - 1)
        };
        if later(birth_first_ms, units_before) > asked.now.0 {
            break;
        }
        let returned = births.iter().filter(|birth| birth.intervals.contains(&interval));
        cohort.returned.push(returned.count() as u64);
        if later(birth_last_ms, units_until_end(retention, interval)) <= asked.now.0 {
            cohort.complete += 1;
        }
    }
    Ok(cohort)
}

/// Per interval, the cohorts in which it is complete.
fn curve(retention: &Retention, cohorts: &[Cohort]) -> Vec<CurvePoint> {
    let mut curve = Vec::new();
    for interval in 0..=retention.intervals {
        let mut point = CurvePoint::default();
        for cohort in cohorts.iter().filter(|cohort| cohort.complete > interval) {
            point.born += cohort.born;
            point.returned += cohort.returned[interval as usize];
        }
        curve.push(point);
    }
    curve
}
