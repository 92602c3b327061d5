//! Cells of a funnel as steps.

use super::{Computed, Reading, largest_first, names};
use crate::operators::cells::{Cell, Cells};
use crate::persons::Crowd;
use model::report::{
    DurationBin, DurationPercentile, Durations, Funnel, FunnelAnswer, FunnelCount, FunnelSegment, FunnelStep,
    TimesToConvert,
};

impl Reading<'_> {
    pub(super) fn funnel(&mut self, funnel: &Funnel, computed: Computed) -> FunnelAnswer {
        let Computed { mut cells, buckets, .. } = computed;
        let everybody = cells.place(Vec::new());
        let sized = (0..cells.segments().len() as u32)
            .filter(|place| *place != everybody)
            .filter_map(|place| Some((place, counted(funnel, cells.find(0, None, place)?) as f64)));
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
                .map(|step| self.step(funnel, step, cells.find(step, bucket, *place)))
                .collect(),
        });
        segments.collect()
    }

    fn step(&mut self, funnel: &Funnel, step: usize, cell: Option<&Cell>) -> FunnelStep {
        let Some(cell) = self.show(cell) else {
            return FunnelStep::default();
        };
        let count = counted(funnel, cell);
        let mean = |sum_ms: f64| (step > 0).then(|| sum_ms / count as f64);
        let mut shown = FunnelStep {
            count,
            mean_ms_from_previous: mean(cell.from_previous_ms),
            mean_ms_from_start: mean(cell.from_start_ms),
            ..FunnelStep::default()
        };
        if let Some(times) = funnel.times.as_ref().filter(|_| !cell.times.is_empty()) {
            let from_previous = cell.times.iter().map(|took| (took.from_previous_ms, took.person));
            shown.times_from_previous = Some(self.durations(times, from_previous.collect()));
            let from_start = cell.times.iter().map(|took| (took.from_start_ms, took.person));
            shown.times_from_start = Some(self.durations(times, from_start.collect()));
        }
        shown
    }

    /// Of at least one duration, each with whose it is.
    fn durations(&mut self, times: &TimesToConvert, mut took_ms: Vec<(i64, u64)>) -> Durations {
        took_ms.sort_unstable();
        let percentiles = times.percentiles.iter().map(|percent| DurationPercentile {
            percent: *percent,
            ms: percentile(&took_ms, *percent),
        });
        Durations {
            median_ms: percentile(&took_ms, 50),
            percentiles: percentiles.collect(),
            histogram: if times.histogram {
                self.histogram(times.edges_ms(), &took_ms)
            } else {
                Vec::new()
            },
        }
    }

    /// A bin is a number of the answer like any other, so one of few persons discloses them.
    fn histogram(&mut self, edges_ms: &[i64], took_ms: &[(i64, u64)]) -> Vec<DurationBin> {
        let bin_of = |took_ms: i64| edges_ms.partition_point(|edge_ms| *edge_ms <= took_ms);
        let (Some(shortest), Some(longest)) = (took_ms.first(), took_ms.last()) else {
            return Vec::new();
        };
        let first = bin_of(shortest.0);
        let mut bins: Vec<DurationBin> = (first..=bin_of(longest.0))
            .map(|bin| DurationBin {
                from_ms: if bin == 0 { 0 } else { edges_ms[bin - 1] },
                to_ms: edges_ms.get(bin).copied(),
                count: 0,
            })
            .collect();
        let mut crowds = vec![Crowd::default(); bins.len()];
        for (took_ms, person) in took_ms {
            let bin = bin_of(*took_ms) - first;
            bins[bin].count += 1;
            crowds[bin].insert(*person);
        }
        crowds.iter().for_each(|crowd| self.show_crowd(crowd));
        bins
    }
}

/// What a cell counts.
fn counted(funnel: &Funnel, cell: &Cell) -> u64 {
    match funnel.count {
        FunnelCount::Uniques => cell.persons,
        FunnelCount::Totals | FunnelCount::Sessions => cell.events,
    }
}

fn percentile(took_ms: &[(i64, u64)], percent: u8) -> f64 {
    // Hundredths of places, so that a place that is whole is no fraction beside it.
    let hundredths = usize::from(percent) * (took_ms.len() - 1);
    let (below, above) = (took_ms[hundredths / 100].0, took_ms[hundredths.div_ceil(100)].0);
    below as f64 + (above - below) as f64 * (hundredths % 100) as f64 / 100.0
}
