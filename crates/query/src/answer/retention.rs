//! Cells of retention as cohorts.

use super::{Computed, Reading, largest_first};
use crate::QueryError;
use crate::calendar::{Buckets, range_ms};
use crate::operators::cells::Cells;
use crate::operators::retention::BORN;
use crate::plan::{unit_ms, units_until_end};
use model::report::{Cohort, CurvePoint, Intervals, Retention, RetentionAnswer, RetentionSegment};

impl Reading<'_> {
    pub(super) fn retention(
        &mut self,
        retention: &Retention,
        computed: Computed,
    ) -> Result<RetentionAnswer, QueryError> {
        let Computed { mut cells, buckets, .. } = computed;
        let cohorts = Buckets::new(self.report.range, retention.unit, self.zone)?;
        let everybody = cells.place(Vec::new());
        let births = |place: u32| {
            (0..cohorts.len())
                .filter_map(|bucket| cells.find(BORN as usize, Some(bucket), place))
                .map(|cell| cell.persons as f64)
                .sum::<f64>()
        };
        let sized = (0..cells.segments().len() as u32)
            .filter(|place| *place != everybody)
            .map(|place| (place, births(place)));
        let mut shown = largest_first(&cells, sized.collect());
        let segments_total = shown.len();
        shown.truncate(retention.limit);
        shown.insert(0, everybody);

        // The operator's buckets go on behind the range, as far as returns can fall.
        let all = buckets.as_deref().unwrap_or(&cohorts);
        let (_, born_before_ms) = range_ms(self.report.range, self.zone)?;
        let clock = Clock {
            retention,
            all,
            born_before_ms,
            now_ms: self.now.0,
        };
        let segments = shown.iter().map(|place| {
            let cohorts: Vec<Cohort> = (0..cohorts.len())
                .map(|bucket| self.cohort(&clock, &cells, bucket, *place))
                .collect();
            RetentionSegment {
                segment: cells.segments()[*place as usize].clone(),
                curve: curve(retention, &cohorts),
                cohorts,
            }
        });
        Ok(RetentionAnswer {
            segments: segments.collect(),
            buckets: cohorts.names,
            segments_total,
        })
    }

    fn cohort(&mut self, clock: &Clock<'_>, cells: &Cells, bucket: usize, place: u32) -> Cohort {
        let mut persons = |series: usize| {
            let cell = self.show(cells.find(series, Some(bucket), place));
            cell.map_or(0, |cell| cell.persons)
        };
        let intervals = 0..=clock.retention.intervals as usize;
        Cohort {
            born: persons(BORN as usize),
            returned: intervals
                .clone()
                .take_while(|interval| clock.has_begun(bucket, *interval))
                .map(|interval| persons(interval + 1))
                .collect(),
            complete: intervals
                .take_while(|interval| clock.is_over(bucket, *interval))
                .count() as u32,
        }
    }
}

/// Which intervals of a cohort have begun, and which are over for everybody in it.
struct Clock<'a> {
    retention: &'a Retention,
    all: &'a Buckets,
    born_before_ms: i64,
    now_ms: i64,
}

impl Clock<'_> {
    fn has_begun(&self, bucket: usize, interval: usize) -> bool {
        let units_before = match interval {
            0 => 0,
            _ => units_until_end(self.retention, interval - 1),
        };
        self.after(bucket, self.all.start_ms(bucket), units_before) <= self.now_ms
    }

    fn is_over(&self, bucket: usize, interval: usize) -> bool {
        let born_last_ms = self.all.start_ms(bucket + 1).min(self.born_before_ms);
        self.after(bucket, born_last_ms, units_until_end(self.retention, interval)) <= self.now_ms
    }

    /// So many units after an instant of a bucket's births.
    fn after(&self, bucket: usize, birth_ms: i64, units: usize) -> i64 {
        match self.retention.rule {
            Intervals::Rolling => birth_ms + units as i64 * unit_ms(self.retention.unit),
            Intervals::Calendar => self.all.start_ms(bucket + units),
        }
    }
}

fn curve(retention: &Retention, cohorts: &[Cohort]) -> Vec<CurvePoint> {
    (0..=retention.intervals)
        .map(|interval| {
            let complete = cohorts.iter().filter(|cohort| cohort.complete > interval);
            complete.fold(CurvePoint::default(), |sum, cohort| CurvePoint {
                born: sum.born + cohort.born,
                returned: sum.returned + cohort.returned[interval as usize],
            })
        })
        .collect()
}
