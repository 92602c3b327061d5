//! Cells of frequency and stickiness as lists of "at least" and "exactly".

use super::{Computed, Reading, largest_first};
use crate::QueryError;
use crate::calendar::{Buckets, range_ms, whole};
use crate::operators::cells::Cells;
use crate::operators::frequency::{at_least, exactly};
use crate::plan::{Activity, parts_max};
use model::report::{
    Frequency, FrequencyAnswer, FrequencySegment, Segment, Stickiness, StickinessAnswer, StickinessBucket,
    StickinessSegment,
};

/// Cells with what the calendar says about them.
struct Activities {
    cells: Cells,
    buckets: Buckets,
    parts_max: usize,
    partial: Vec<bool>,
    /// Parts of each bucket that have begun.
    begun: Vec<u64>,
    /// Places of everybody and the largest segments.
    shown: Vec<u32>,
    segments_total: usize,
}

impl Activities {
    fn segment(&self, place: u32) -> Segment {
        self.cells.segments()[place as usize].clone()
    }
}

impl Reading<'_> {
    pub(super) fn frequency(
        &mut self,
        frequency: &Frequency,
        computed: Computed,
    ) -> Result<FrequencyAnswer, QueryError> {
        let activities = self.activities(&frequency.into(), frequency.limit, computed)?;
        let segments = activities.shown.iter().map(|place| FrequencySegment {
            segment: activities.segment(*place),
            at_least: (0..activities.buckets.len())
                .map(|bucket| self.persons(&activities, |parts| at_least(parts, false), bucket, *place))
                .collect(),
        });
        Ok(FrequencyAnswer {
            segments: segments.collect(),
            segments_total: activities.segments_total,
            buckets: activities.buckets.names,
            partial: activities.partial,
        })
    }

    pub(super) fn stickiness(
        &mut self,
        stickiness: &Stickiness,
        computed: Computed,
    ) -> Result<StickinessAnswer, QueryError> {
        let activities = self.activities(&stickiness.into(), stickiness.limit, computed)?;
        let segments = activities.shown.iter().map(|place| StickinessSegment {
            segment: activities.segment(*place),
            buckets: (0..activities.buckets.len())
                .map(|bucket| self.sticky(&activities, bucket, *place))
                .collect(),
        });
        Ok(StickinessAnswer {
            segments: segments.collect(),
            segments_total: activities.segments_total,
            buckets: activities.buckets.names,
            partial: activities.partial,
            days: activities.begun,
        })
    }

    fn sticky(&mut self, activities: &Activities, bucket: usize, place: u32) -> StickinessBucket {
        let at_least = self.persons(activities, |days| at_least(days, true), bucket, place);
        let days_of_persons: u64 = at_least.iter().sum();
        let persons_days = at_least[0] * activities.begun[bucket];
        StickinessBucket {
            exactly: self.persons(activities, exactly, bucket, place),
            at_least,
            ratio: (persons_days > 0).then(|| days_of_persons as f64 / persons_days as f64),
        }
    }

    /// The persons of 1, 2, … parts, in the series that `series` says.
    fn persons(
        &mut self,
        activities: &Activities,
        series: impl Fn(usize) -> usize,
        bucket: usize,
        place: u32,
    ) -> Vec<u64> {
        (1..=activities.parts_max)
            .map(|parts| {
                let cell = self.show(activities.cells.find(series(parts), Some(bucket), place));
                cell.map_or(0, |cell| cell.persons)
            })
            .collect()
    }

    fn activities(&self, activity: &Activity<'_>, limit: usize, computed: Computed) -> Result<Activities, QueryError> {
        let Computed { mut cells, .. } = computed;
        let range = self.report.range;
        let buckets = Buckets::new(range, activity.unit, self.zone)?;
        let parts = Buckets::new(range, activity.part, self.zone)?;
        let mut begun = vec![0; buckets.len()];
        for start_ms in (0..parts.len()).map(|part| parts.start_ms(part)) {
            begun[buckets.find(start_ms)] += u64::from(start_ms <= self.now.0);
        }
        let everybody = cells.place(Vec::new());
        let active = |place: u32| {
            let cells =
                (0..buckets.len()).filter_map(|bucket| cells.find(at_least(1, activity.exactly), Some(bucket), place));
            cells.map(|cell| cell.persons as f64).sum::<f64>()
        };
        let sized = (0..cells.segments().len() as u32)
            .filter(|place| *place != everybody)
            .map(|place| (place, active(place)));
        let mut shown = largest_first(&cells, sized.collect());
        let segments_total = shown.len();
        shown.truncate(limit);
        shown.insert(0, everybody);
        Ok(Activities {
            partial: self.partial(activity, &buckets)?,
            parts_max: parts_max(activity.parts_nominal, &buckets, &parts),
            cells,
            buckets,
            begun,
            shown,
            segments_total,
        })
    }

    /// Whether each bucket is cut by the range or not over yet.
    fn partial(&self, activity: &Activity<'_>, buckets: &Buckets) -> Result<Vec<bool>, QueryError> {
        let range = self.report.range;
        let whole = whole(range, activity.unit)?;
        let (_, end_ms) = range_ms(range, self.zone)?;
        let last = buckets.len() - 1;
        let partial = (0..=last).map(|bucket| {
            let cut = (bucket == 0 && whole.from < range.from) || (bucket == last && whole.to > range.to);
            let bucket_end_ms = if bucket == last {
                end_ms
            } else {
                buckets.start_ms(bucket + 1)
            };
            cut || bucket_end_ms > self.now.0
        });
        Ok(partial.collect())
    }
}
