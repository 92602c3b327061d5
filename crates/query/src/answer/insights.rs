//! Cells of insights as series.

use super::{Computed, Reading, largest_first, names};
use crate::operators::cells::Cell;
use model::report::{Insights, InsightsAnswer, Measure, Series};

impl Reading<'_> {
    pub(super) fn insights(&mut self, insights: &Insights, computed: Computed) -> InsightsAnswer {
        let Computed { mut cells, buckets, .. } = computed;
        if insights.breakdown.is_empty() {
            // Without a breakdown there is one segment, even where nothing happened.
            cells.place(Vec::new());
        }
        let metrics = || insights.metrics.iter().map(|metric| &metric.measure).enumerate();
        let places = 0..cells.segments().len() as u32;
        let segments_total = places.len();
        let sized = places.map(|place| {
            let totals = metrics().map(|(metric, measure)| value(measure, cells.find(metric, None, place)));
            (place, totals.sum::<f64>())
        });
        let mut shown = largest_first(&cells, sized.collect());
        shown.truncate(insights.limit);

        let names = names(buckets.as_deref());
        let mut series = Vec::with_capacity(insights.metrics.len() * shown.len());
        for (metric, measure) in metrics() {
            for place in &shown {
                let mut cell = |bucket| value(measure, self.show(cells.find(metric, bucket, *place)));
                series.push(Series {
                    metric,
                    segment: cells.segments()[*place as usize].clone(),
                    total: cell(None),
                    values: (0..names.len()).map(|bucket| cell(Some(bucket))).collect(),
                });
            }
        }
        InsightsAnswer {
            buckets: names,
            series,
            segments_total,
            previous: None,
        }
    }
}

fn value(measure: &Measure, cell: Option<&Cell>) -> f64 {
    let Some(cell) = cell else { return 0.0 };
    let ratio = |part: f64, whole: u64| if whole == 0 { 0.0 } else { part / whole as f64 };
    match measure {
        Measure::Total => cell.events as f64,
        Measure::Unique => cell.persons as f64,
        Measure::PerPerson => ratio(cell.person_events as f64, cell.persons),
        Measure::Sum { .. } => cell.sum,
        Measure::Mean { .. } => ratio(cell.sum, cell.numbers),
        // Both are 0 where there is no number.
        Measure::Min { .. } => cell.min,
        Measure::Max { .. } => cell.max,
    }
}
