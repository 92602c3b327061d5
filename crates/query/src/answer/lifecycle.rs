//! Cells of lifecycle as buckets.

use super::{Computed, Reading, largest_first};
use crate::QueryError;
use crate::calendar::{Buckets, range_ms, whole};
use crate::operators::cells::Cells;
use crate::operators::lifecycle::{DORMANT, NEW, RESURRECTED, RETURNING};
use model::report::{Lifecycle, LifecycleAnswer, LifecycleBucket, LifecycleSegment};

impl Reading<'_> {
    pub(super) fn lifecycle(
        &mut self,
        lifecycle: &Lifecycle,
        computed: Computed,
    ) -> Result<LifecycleAnswer, QueryError> {
        let Computed { mut cells, .. } = computed;
        let range = whole(self.report.range, lifecycle.unit)?;
        let (_, end_ms) = range_ms(range, self.zone)?;
        let all = Buckets::new(range, lifecycle.unit, self.zone)?;
        let ends_ms = (1..all.len()).map(|bucket| all.start_ms(bucket)).chain([end_ms]);
        let partial: Vec<bool> = ends_ms
            .zip(0..)
            .take_while(|(_, bucket)| all.start_ms(*bucket) <= self.now.0)
            .map(|(bucket_end_ms, _)| bucket_end_ms > self.now.0)
            .collect();
        let begun = partial.len();

        let everybody = cells.place(Vec::new());
        let sized = (0..cells.segments().len() as u32)
            .filter(|place| *place != everybody)
            .filter_map(|place| Some((place, active_sum(&cells, begun, place)?)));
        let mut shown = largest_first(&cells, sized.collect());
        let segments_total = shown.len();
        shown.truncate(lifecycle.limit);
        shown.insert(0, everybody);
        let segments = shown.iter().map(|place| LifecycleSegment {
            segment: cells.segments()[*place as usize].clone(),
            buckets: (0..begun).map(|bucket| self.life(&cells, bucket, *place)).collect(),
        });
        Ok(LifecycleAnswer {
            segments: segments.collect(),
            buckets: all.names.into_iter().take(begun).collect(),
            partial,
            segments_total,
        })
    }

    fn life(&mut self, cells: &Cells, bucket: usize, place: u32) -> LifecycleBucket {
        let mut persons = |series: u32| {
            let cell = self.show(cells.find(series as usize, Some(operators_bucket(bucket)), place));
            cell.map_or(0, |cell| cell.persons)
        };
        LifecycleBucket {
            new: persons(NEW),
            returning: persons(RETURNING),
            resurrected: persons(RESURRECTED),
            dormant: persons(DORMANT),
        }
    }
}

/// The operator's buckets begin with the one before the range's first.
fn operators_bucket(bucket: usize) -> usize {
    bucket + 1
}

/// Persons active in the shown buckets, added up; none where nobody is in any number of the segment.
fn active_sum(cells: &Cells, buckets: usize, place: u32) -> Option<f64> {
    let numbers = (0..buckets)
        .flat_map(|bucket| [NEW, RETURNING, RESURRECTED, DORMANT].map(|series| (series, operators_bucket(bucket))));
    let found: Vec<(u32, u64)> = numbers
        .filter_map(|(series, bucket)| Some((series, cells.find(series as usize, Some(bucket), place)?.persons)))
        .collect();
    let active = found.iter().filter(|(series, _)| *series != DORMANT);
    (!found.is_empty()).then(|| active.map(|(_, persons)| *persons as f64).sum())
}
