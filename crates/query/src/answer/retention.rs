//! Cells of retention as cohorts.

use super::{Computed, Reading, largest_first};
use crate::QueryError;
use crate::calendar::Buckets;
use crate::operators::cells::Cells;
use crate::operators::retention::BORN;
use crate::plan::unit_ms;
use model::report::{Cohort, Intervals, Retention, RetentionAnswer, RetentionSegment};

impl Reading<'_> {
    pub(super) fn retention(
        &mut self,
        retention: &Retention,
        computed: Computed,
    ) -> Result<RetentionAnswer, QueryError> {
        let Computed { mut cells, buckets } = computed;
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
        let segments = shown.iter().map(|place| RetentionSegment {
            segment: cells.segments()[*place as usize].clone(),
            cohorts: (0..cohorts.len())
                .map(|bucket| self.cohort(retention, &cells, all, bucket, *place))
                .collect(),
        });
        Ok(RetentionAnswer {
            segments: segments.collect(),
            buckets: cohorts.names,
            segments_total,
        })
    }

    fn cohort(&mut self, retention: &Retention, cells: &Cells, all: &Buckets, bucket: usize, place: u32) -> Cohort {
        let begins_ms = |interval: usize| match retention.rule {
            Intervals::Rolling => all.start_ms(bucket) + interval as i64 * unit_ms(retention.unit),
            Intervals::Calendar => all.start_ms(bucket + interval),
        };
        let now_ms = self.now.0;
        let mut persons = |series: usize| {
            let cell = self.show(cells.find(series, Some(bucket), place));
            cell.map_or(0, |cell| cell.persons)
        };
        Cohort {
            born: persons(BORN as usize),
            returned: (0..=retention.intervals as usize)
                .take_while(|interval| begins_ms(*interval) <= now_ms)
                .map(|interval| persons(interval + 1))
                .collect(),
        }
    }
}
