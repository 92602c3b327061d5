//! Cells of a funnel as steps.

use super::{Computed, Reading, largest_first, names};
use crate::operators::cells::Cells;
use model::report::{Funnel, FunnelAnswer, FunnelSegment, FunnelStep};

impl Reading<'_> {
    pub(super) fn funnel(&mut self, funnel: &Funnel, computed: Computed) -> FunnelAnswer {
        let Computed { mut cells, buckets, .. } = computed;
        let everybody = cells.place(Vec::new());
        let sized = (0..cells.segments().len() as u32)
            .filter(|place| *place != everybody)
            .filter_map(|place| Some((place, cells.find(0, None, place)?.persons as f64)));
        let mut shown = largest_first(&cells, sized.collect());
        let segments_total = shown.len();
        shown.truncate(funnel.limit);
        shown.insert(0, everybody);

        let names = names(buckets.as_deref());
        let overall = self.steps_of(funnel, &cells, None, &shown);
        let trend = (0..names.len())
            .map(|bucket| self.steps_of(funnel, &cells, Some(bucket), &shown))
            .collect();
        FunnelAnswer {
            overall,
            buckets: names,
            trend,
            segments_total,
        }
    }

    fn steps_of(&mut self, funnel: &Funnel, cells: &Cells, bucket: Option<usize>, shown: &[u32]) -> Vec<FunnelSegment> {
        let segments = shown.iter().map(|place| FunnelSegment {
            segment: cells.segments()[*place as usize].clone(),
            steps: (0..funnel.steps.len())
                .map(|step| self.step(cells, step, bucket, *place))
                .collect(),
        });
        segments.collect()
    }

    fn step(&mut self, cells: &Cells, step: usize, bucket: Option<usize>, place: u32) -> FunnelStep {
        let Some(cell) = self.show(cells.find(step, bucket, place)) else {
            return FunnelStep::default();
        };
        let mean = |sum_ms: f64| (step > 0).then(|| sum_ms / cell.persons as f64);
        FunnelStep {
            count: cell.persons,
            mean_ms_from_previous: mean(cell.from_previous_ms),
            mean_ms_from_start: mean(cell.from_start_ms),
        }
    }
}
