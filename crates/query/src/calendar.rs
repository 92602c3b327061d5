//! Time buckets as a table of boundaries, so that no row needs calendar arithmetic.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use model::report::{DateRange, InvalidReport, ShiftUnit, Unit};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// Consecutive buckets in one time zone. A bucket ends where the next begins.
///
/// A day begins at its first instant, whatever the clock shows then; a day that the zone skipped has no length. An
/// hour (minute) is a span in which the local clock shows one hour (minute), so the hour repeated in autumn is one
/// bucket of two hours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Buckets {
    pub names: Vec<String>,
    starts_ms: Vec<i64>,
    /// Where the last bucket ends, which may be after the range.
    end_ms: i64,
    /// Buckets per millisecond, for the first guess of [`Buckets::find`].
    density: f64,
    guess: Guess,
}

impl Buckets {
    /// Every bucket that holds a part of the range's days. The first may begin before `from`.
    pub fn new(range: DateRange, unit: Unit, zone: &TimeZone) -> Result<Buckets, InvalidReport> {
        let mut names = Vec::new();
        let mut starts_ms = Vec::new();
        let end_ms;
        if matches!(unit, Unit::Minute | Unit::Hour) {
            for date in days(range.from, range.to) {
                clock_day(date?, unit, zone, &mut names, &mut starts_ms)?;
            }
            end_ms = range_ms(range, zone)?.1;
        } else {
            let mut date = bucket_start(range.from, unit)?;
            while date <= range.to {
                names.push(date.to_string());
                starts_ms.push(day_start_ms(date, zone)?);
                date = next_start(date, unit)?;
            }
            end_ms = day_start_ms(date, zone)?;
        }
        let span_ms = starts_ms.last().unwrap_or(&0) - starts_ms.first().unwrap_or(&0);
        let density = (starts_ms.len().saturating_sub(1)) as f64 / span_ms.max(1) as f64;
        Ok(Buckets {
            names,
            end_ms,
            density,
            guess: Guess::new(&starts_ms),
            starts_ms,
        })
    }

    pub fn len(&self) -> usize {
        self.starts_ms.len()
    }

    pub fn start_ms(&self, bucket: usize) -> i64 {
        self.starts_ms[bucket]
    }

    pub fn end_ms(&self, bucket: usize) -> i64 {
        self.starts_ms.get(bucket + 1).copied().unwrap_or(self.end_ms)
    }

    /// The first bucket that begins at an instant or later.
    pub fn first_from(&self, time_ms: i64) -> usize {
        self.starts_ms.partition_point(|start_ms| *start_ms < time_ms)
    }

    /// The bucket that holds an instant; the first or last one for instants outside.
    ///
    /// Buckets are nearly of one length, so a division lands at most a step or two beside the right one.
    #[inline]
    pub fn find(&self, time_ms: i64) -> usize {
        let guess = (time_ms - self.starts_ms[0]) as f64 * self.density;
        // A float becomes an index by saturating: what lies before the table becomes 0.
        let mut bucket = (guess as usize).min(self.starts_ms.len() - 1);
        while bucket > 0 && self.starts_ms[bucket] > time_ms {
            bucket -= 1;
        }
        while bucket + 1 < self.starts_ms.len() && self.starts_ms[bucket + 1] <= time_ms {
            bucket += 1;
        }
        bucket
    }
}

impl Buckets {
    /// The bucket of each of a batch's instants, as [`Buckets::find`] gives it.
    pub fn find_all(&self, times_ms: &[i64], buckets: &mut Vec<u32>) {
        buckets.clear();
        match self.guess.at_most_one_beside {
            true => buckets.extend(times_ms.iter().map(|time_ms| self.guess.find(*time_ms))),
            false => buckets.extend(times_ms.iter().map(|time_ms| self.find(*time_ms) as u32)),
        }
    }
}

/// [`Buckets::find`] without branches, for calendars that are even enough.
///
/// Of a person's neighbouring rows about every other lies in the bucket of the one before, which no processor can
/// predict; so comparing with the bucket before would cost more than finding each anew.
#[derive(Clone, Debug, PartialEq)]
struct Guess {
    first_ms: i64,
    span_ms: i64,
    /// Buckets per millisecond, times 2 to the power of [`GUESS_SHIFT`].
    density: u64,
    /// Where each bucket begins, and the last one ends: never, as the first one began ever.
    bounds_ms: Vec<i64>,
    at_most_one_beside: bool,
}

const GUESS_SHIFT: u32 = 40;

impl Guess {
    fn new(starts_ms: &[i64]) -> Guess {
        let (first_ms, last_ms) = match starts_ms {
            [first, .., last] => (*first, *last),
            _ => (0, 0),
        };
        let span_ms = last_ms - first_ms;
        let even = (1..1 << GUESS_SHIFT).contains(&span_ms) && starts_ms.len() < 1 << (63 - GUESS_SHIFT);
        let mut bounds_ms = starts_ms.to_vec();
        bounds_ms.push(i64::MAX);
        bounds_ms[0] = i64::MIN;
        let mut guess = Guess {
            first_ms,
            span_ms,
            density: match even {
                true => ((starts_ms.len() as u64 - 1) << GUESS_SHIFT) / span_ms as u64,
                false => 0,
            },
            bounds_ms,
            at_most_one_beside: false,
        };
        // Guesses grow with time: where both ends of a bucket are found, everything between is.
        let found = |time_ms: i64, bucket: usize| guess.find(time_ms) as usize == bucket;
        let mut buckets = starts_ms.iter().enumerate();
        guess.at_most_one_beside = even
            && buckets
                .all(|(bucket, start_ms)| found(*start_ms, bucket) && (bucket == 0 || found(start_ms - 1, bucket - 1)));
        guess
    }

    #[inline]
    fn find(&self, time_ms: i64) -> u32 {
        let offset_ms = time_ms
            .clamp(self.first_ms, self.first_ms + self.span_ms)
            .wrapping_sub(self.first_ms);
        let guess = ((offset_ms as u64).wrapping_mul(self.density) >> GUESS_SHIFT) as usize;
        let [begin_ms, end_ms] = self.bounds_ms[guess..guess + 2] else {
            return 0;
        };
        (guess as u32)
            .wrapping_sub(u32::from(time_ms < begin_ms))
            .wrapping_add(u32::from(time_ms >= end_ms))
    }
}

/// The instants of a range: its first, and the first after it.
pub(crate) fn range_ms(range: DateRange, zone: &TimeZone) -> Result<(i64, i64), InvalidReport> {
    let after = range.to.tomorrow().map_err(outside)?;
    Ok((day_start_ms(range.from, zone)?, day_start_ms(after, zone)?))
}

/// The range of equal length that ends the day before.
pub(crate) fn range_before(range: DateRange) -> Result<DateRange, InvalidReport> {
    let days_between = i64::from((range.to - range.from).get_days());
    let to = range.from.yesterday().map_err(outside)?;
    let from = to.checked_sub(days_between.days()).map_err(outside)?;
    Ok(DateRange { from, to })
}

/// The days of the range's buckets, whole.
pub(crate) fn whole(range: DateRange, unit: Unit) -> Result<DateRange, InvalidReport> {
    let last = bucket_start(range.to, unit)?;
    Ok(DateRange {
        from: bucket_start(range.from, unit)?,
        to: next_start(last, unit)?.yesterday().map_err(outside)?,
    })
}

/// The range with both ends moved back.
pub(crate) fn range_shifted(range: DateRange, count: u32, unit: ShiftUnit) -> Result<DateRange, InvalidReport> {
    let count = i64::from(count);
    let span = match unit {
        ShiftUnit::Day => count.days(),
        ShiftUnit::Week => count.weeks(),
        ShiftUnit::Month => count.months(),
        ShiftUnit::Quarter => (3 * count).months(),
        ShiftUnit::Year => count.years(),
    };
    let back = |date: Date| date.checked_sub(span).map_err(outside);
    Ok(DateRange {
        from: back(range.from)?,
        to: back(range.to)?,
    })
}

/// The first day of the bucket `units` before the one that holds a date.
pub(crate) fn bucket_before(date: Date, unit: Unit, units: u32) -> Result<Date, InvalidReport> {
    let units = i64::from(units);
    let span = match unit {
        Unit::Week => units.weeks(),
        Unit::Month => units.months(),
        Unit::Quarter => (3 * units).months(),
        Unit::Minute | Unit::Hour | Unit::Day => units.days(),
    };
    bucket_start(date, unit)?.checked_sub(span).map_err(outside)
}

/// The date `days` after.
pub(crate) fn days_after(date: Date, days: i64) -> Result<Date, InvalidReport> {
    date.checked_add(days.days()).map_err(outside)
}

fn day_start_ms(date: Date, zone: &TimeZone) -> Result<i64, InvalidReport> {
    let zoned = date
        .to_zoned(zone.clone())
        .and_then(|zoned| zoned.start_of_day())
        .map_err(outside)?;
    Ok(zoned.timestamp().as_millisecond())
}

fn days(from: Date, to: Date) -> impl Iterator<Item = Result<Date, InvalidReport>> {
    let mut next = Some(from);
    std::iter::from_fn(move || {
        let date = next.filter(|date| *date <= to)?;
        next = date.tomorrow().ok();
        Some(Ok(date))
    })
}

fn bucket_start(date: Date, unit: Unit) -> Result<Date, InvalidReport> {
    match unit {
        Unit::Week => {
            let days_since_monday = i64::from(date.weekday().since(Weekday::Monday));
            date.checked_sub(days_since_monday.days()).map_err(outside)
        }
        Unit::Month => Ok(date.first_of_month()),
        Unit::Quarter => {
            let month = (date.month() - 1) / 3 * 3 + 1;
            Date::new(date.year(), month, 1).map_err(outside)
        }
        Unit::Minute | Unit::Hour | Unit::Day => Ok(date),
    }
}

pub(crate) fn next_start(date: Date, unit: Unit) -> Result<Date, InvalidReport> {
    let span = match unit {
        Unit::Week => 7.days(),
        Unit::Month => 1.month(),
        Unit::Quarter => 3.months(),
        Unit::Minute | Unit::Hour | Unit::Day => 1.day(),
    };
    date.checked_add(span).map_err(outside)
}

/// Adds the hours (minutes) of one day. Only a day on which the clock was changed is walked minute by minute.
fn clock_day(
    date: Date,
    unit: Unit,
    zone: &TimeZone,
    names: &mut Vec<String>,
    starts_ms: &mut Vec<i64>,
) -> Result<(), InvalidReport> {
    let start_ms = day_start_ms(date, zone)?;
    let end_ms = day_start_ms(date.tomorrow().map_err(outside)?, zone)?;
    if is_plain(start_ms, end_ms, zone)? {
        let (step_ms, steps_per_hour) = if unit == Unit::Hour {
            (HOUR_MS, 1)
        } else {
            (MINUTE_MS, 60)
        };
        for step in 0..24 * steps_per_hour {
            let (hour, minute) = (step / steps_per_hour, step % steps_per_hour);
            names.push(format!("{date} {hour:02}:{minute:02}:00"));
            starts_ms.push(start_ms + step * step_ms);
        }
        return Ok(());
    }
    let mut at_ms = start_ms;
    while at_ms < end_ms {
        let shown = zone.to_datetime(instant(at_ms)?);
        let minute = if unit == Unit::Hour { 0 } else { shown.minute() };
        let name = format!("{} {:02}:{minute:02}:00", shown.date(), shown.hour());
        if names.last() != Some(&name) {
            names.push(name);
            starts_ms.push(at_ms);
        }
        at_ms += MINUTE_MS;
    }
    Ok(())
}

/// Whether a day has 24 hours that begin at 00:00 and no change of the clock.
fn is_plain(start_ms: i64, end_ms: i64, zone: &TimeZone) -> Result<bool, InvalidReport> {
    let start = instant(start_ms)?;
    let changes = zone
        .following(start)
        .next()
        .is_some_and(|transition| transition.timestamp().as_millisecond() < end_ms);
    let at_midnight = zone.to_datetime(start).time() == jiff::civil::Time::midnight();
    Ok(!changes && at_midnight && end_ms - start_ms == 24 * HOUR_MS)
}

fn instant(time_ms: i64) -> Result<Timestamp, InvalidReport> {
    Timestamp::from_millisecond(time_ms).map_err(outside)
}

fn outside(_: jiff::Error) -> InvalidReport {
    InvalidReport {
        at: "/range",
        message: "the range leaves the calendar".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(from: &str, to: &str, unit: Unit, zone: &str) -> Buckets {
        let range = DateRange {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        Buckets::new(range, unit, &TimeZone::get(zone).unwrap()).unwrap()
    }

    #[test]
    fn a_day_with_a_change_of_the_clock_is_longer_or_shorter() {
        let spring = buckets("2026-03-28", "2026-03-30", Unit::Day, "Europe/Paris");
        assert_eq!(spring.start_ms(2) - spring.start_ms(1), 23 * HOUR_MS);
        let hours = buckets("2026-10-25", "2026-10-25", Unit::Hour, "Europe/Paris");
        assert_eq!(hours.len(), 24);
        assert_eq!(hours.names[2], "2026-10-25 02:00:00");
        assert_eq!(hours.start_ms(3) - hours.start_ms(2), 2 * HOUR_MS);
        let minutes = buckets("2026-10-25", "2026-10-25", Unit::Minute, "Europe/Paris");
        assert_eq!(minutes.len(), 25 * 60);
    }

    #[test]
    fn buckets_begin_where_the_calendar_says() {
        let names = |unit| buckets("2026-08-12", "2026-10-02", unit, "UTC").names;
        assert_eq!(names(Unit::Week)[0], "2026-08-10");
        assert_eq!(names(Unit::Month), ["2026-08-01", "2026-09-01", "2026-10-01"]);
        assert_eq!(names(Unit::Quarter), ["2026-07-01", "2026-10-01"]);
    }

    #[test]
    fn every_instant_is_found_in_its_bucket() {
        for unit in [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Quarter] {
            let buckets = buckets("2026-01-05", "2026-12-20", unit, "America/New_York");
            for bucket in 0..buckets.len() {
                assert_eq!(buckets.find(buckets.start_ms(bucket)), bucket);
                if bucket > 0 {
                    assert_eq!(buckets.find(buckets.start_ms(bucket) - 1), bucket - 1);
                }
            }
            let around = |start_ms: i64| [-1, 0, 1, 3_600_001].map(|beside| start_ms + beside);
            let mut instants: Vec<i64> = (0..buckets.len()).flat_map(|b| around(buckets.start_ms(b))).collect();
            instants.extend([i64::MIN / 4, i64::MAX / 4]);
            let mut found = Vec::new();
            buckets.find_all(&instants, &mut found);
            let one_by_one: Vec<u32> = instants.iter().map(|time_ms| buckets.find(*time_ms) as u32).collect();
            assert_eq!(found, one_by_one);
            assert_eq!(buckets.find(i64::MIN / 4), 0);
            assert_eq!(buckets.find(i64::MAX / 4), buckets.len() - 1);
        }
    }

    #[test]
    fn a_skipped_day_has_no_length() {
        let samoa = buckets("2011-12-29", "2011-12-31", Unit::Day, "Pacific/Apia");
        assert_eq!(samoa.names, ["2011-12-29", "2011-12-30", "2011-12-31"]);
        assert_eq!(samoa.start_ms(1), samoa.start_ms(2));
        assert_eq!(samoa.find(samoa.start_ms(2)), 2);
    }
}
