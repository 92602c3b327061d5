//! Edges of automatic ranges, and whom they tell of.

use crate::QueryError;
use crate::answer::Computed;
use crate::asking::Asking;
use crate::persons::Crowd;
use crate::plan::Source;
use crate::segments::round_edges;
use model::Expression;
use model::report::{Breakdown, Edges, Insights, Measure, Metric, Question, Report, Unit, range_name};

/// The same question with fixed edges instead of automatic ones, and the crowds of the ranges at either end of these.
pub(super) async fn with_edges(
    asking: &Asking,
    source: &Source,
    report: &Report,
    insights: &Insights,
) -> Result<(Insights, Vec<Crowd>), QueryError> {
    let mut fixed = insights.clone();
    let mut outermost = Vec::new();
    for breakdown in &mut fixed.breakdown {
        if let Breakdown::Ranges {
            value,
            edges: edges @ Edges::Auto,
        } = breakdown
        {
            let looking = Looking {
                asking,
                source,
                report,
                insights,
                value,
            };
            let found = match looking.extent().await? {
                None => Vec::new(),
                Some((smallest, largest)) => {
                    let found = round_edges(smallest, largest);
                    outermost.extend(looking.crowds(&found, [smallest, largest]).await?);
                    found
                }
            };
            *edges = Edges::At(found);
        }
    }
    Ok((fixed, outermost))
}

/// The numbers that an expression has on the events that some metric looks at.
struct Looking<'a> {
    asking: &'a Asking,
    source: &'a Source,
    report: &'a Report,
    insights: &'a Insights,
    value: &'a Expression,
}

impl Looking<'_> {
    /// The smallest and the largest.
    async fn extent(&self) -> Result<Option<(f64, f64)>, QueryError> {
        let property = self.value.clone();
        let mut computed = self.measure(Measure::Max { property }, None).await?;
        let everybody = computed.cells.place(Vec::new());
        let buckets = computed.buckets.map_or(0, |buckets| buckets.len());
        let cells = self
            .metrics()
            .flat_map(|metric| (0..buckets).map(move |bucket| (metric, bucket)));
        let ends = cells
            .filter_map(|(metric, bucket)| computed.cells.find(metric, Some(bucket), everybody)?.extremes.as_ref())
            .map(|extremes| (extremes.least.number, extremes.most.number));
        Ok(ends.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1))))
    }

    /// Whose numbers are in the ranges of these numbers.
    async fn crowds(&self, edges: &[f64], numbers: [f64; 2]) -> Result<[Crowd; 2], QueryError> {
        let ranges = Breakdown::Ranges {
            value: self.value.clone(),
            edges: Edges::At(edges.to_vec()),
        };
        let mut computed = self.measure(Measure::Unique, Some(ranges)).await?;
        Ok(numbers.map(|number| {
            let range = edges.partition_point(|edge| *edge <= number);
            let place = computed.cells.place(vec![Some(range_name(edges, range).into())]);
            let mut crowd = Crowd::default();
            for cell in self
                .metrics()
                .filter_map(|metric| computed.cells.find(metric, None, place))
            {
                crowd.merge(&cell.crowd);
            }
            crowd
        }))
    }

    /// Every metric's events, measured otherwise.
    async fn measure(&self, measure: Measure, breakdown: Option<Breakdown>) -> Result<Computed, QueryError> {
        let metrics = self.insights.metrics.iter().map(|metric| Metric {
            filter: metric.filter.clone(),
            ..Metric::new(metric.event.clone(), measure.clone())
        });
        let insights = Insights {
            breakdown: breakdown.into_iter().collect(),
            ..Insights::new(metrics.collect(), Unit::Quarter)
        };
        let report = Report {
            question: Question::Insights(insights),
            ..self.report.clone()
        };
        self.asking.compute(self.source, &report, report.range, None).await
    }

    fn metrics(&self) -> std::ops::Range<usize> {
        0..self.insights.metrics.len()
    }
}
