//! Cells of insights as series.

use super::{Reading, formula, largest_first};
use crate::operators::cells::{Cell, Cells};
use crate::operators::extremes::Extreme;
use crate::persons::Crowd;
use crate::plan::{figure, series};
use crate::windows::{Timeline, Windows};
use model::report::{Aggregate, Insights, InsightsAnswer, Measure, Segment, Series};
use std::collections::BTreeSet;

/// Everything that one answer is read from.
pub(crate) struct Parts {
    /// With fixed edges.
    pub insights: Insights,
    /// Of the ranges that automatic edges begin and end with: the edges tell of these persons, shown or not.
    pub outermost: Vec<Crowd>,
    pub main: Part,
    pub compared: Option<Part>,
    /// Segments of the answer, in their order.
    pub shown: Vec<Segment>,
    pub segments_total: usize,
}

/// The cells over one range.
pub(crate) struct Part {
    pub timeline: Timeline,
    pub cells: Cells,
    /// Of all segments beyond the limit, as the empty segment.
    pub rest: Option<Cells>,
}

/// The segments within the limit, largest first, and how many there are.
pub(crate) fn segments(insights: &Insights, timeline: &Timeline, cells: &Cells) -> (Vec<Segment>, usize) {
    if insights.breakdown.is_empty() {
        // There is one segment, even where nothing happened.
        return (vec![Vec::new()], 1);
    }
    let places = 0..cells.segments().len() as u32;
    let series = series(insights);
    let total = places.len();
    let sized = places.map(|place| {
        let totals = insights.metrics.iter().enumerate().map(|(metric, definition)| {
            let numbers = Numbers {
                measure: &definition.measure,
                windows: &timeline.windows[metric],
                cells,
                series: series[metric],
                place: Some(place),
            };
            measured(&definition.measure, numbers.whole().as_ref())
        });
        (place, totals.sum::<f64>())
    });
    let mut shown = largest_first(cells, sized.collect());
    shown.truncate(insights.limit);
    let shown = shown.into_iter().map(|place| cells.segments()[place as usize].clone());
    (shown.collect(), total)
}

impl Reading<'_> {
    pub fn insights(&mut self, parts: &Parts) -> InsightsAnswer {
        for crowd in &parts.outermost {
            self.show_crowd(crowd);
        }
        let mut answer = self.part(parts, &parts.main);
        let compared = parts.compared.as_ref().map(|part| self.part(parts, part));
        answer.previous = compared.map(Box::new);
        answer
    }

    fn part(&mut self, parts: &Parts, part: &Part) -> InsightsAnswer {
        let insights = &parts.insights;
        let places = parts
            .shown
            .iter()
            .map(|segment| (&part.cells, part.cells.find_place(segment)));
        let rest = part.rest.iter().map(|cells| (cells, cells.find_place(&Vec::new())));
        let lines: Vec<Line> = places
            .chain(rest)
            .map(|(cells, place)| self.line(insights, &part.timeline, cells, place))
            .collect();

        let shown = insights.metrics.iter().enumerate().filter(|(_, metric)| !metric.hidden);
        let formulas = insights.metrics.len()..insights.metrics.len() + insights.formulas.len();
        let mut series = Vec::new();
        for metric in shown.map(|(metric, _)| metric).chain(formulas) {
            for (index, line) in lines.iter().enumerate() {
                let numbers = line.numbers(insights, metric);
                series.push(Series {
                    metric,
                    segment: parts.shown.get(index).cloned().unwrap_or_default(),
                    other: index >= parts.shown.len(),
                    total: numbers.0,
                    values: numbers.1,
                });
            }
        }
        InsightsAnswer {
            buckets: part.timeline.buckets.names.clone(),
            partial: part.timeline.partial(self.now),
            series,
            segments_total: parts.segments_total,
            previous: None,
        }
    }

    /// Measures every metric of a segment; notes whom the ones that the answer shows are about.
    fn line(&mut self, insights: &Insights, timeline: &Timeline, cells: &Cells, place: Option<u32>) -> Line {
        let in_formulas: BTreeSet<usize> = insights.formulas.iter().flat_map(|f| f.formula.metrics()).collect();
        let series = series(insights);
        let mut line = Line::default();
        for (metric, definition) in insights.metrics.iter().enumerate() {
            let numbers = Numbers {
                measure: &definition.measure,
                windows: &timeline.windows[metric],
                cells,
                series: series[metric],
                place,
            };
            let is_shown = !definition.hidden || in_formulas.contains(&metric);
            let mut value = |cell: Option<&Cell>| {
                if is_shown
                    && let Some(cell) = self.show(cell)
                    && let Some(end) = end_of(&definition.measure, cell)
                {
                    self.show_crowd(&end.whose);
                }
                measured(&definition.measure, cell)
            };
            line.totals.push(value(numbers.whole().as_ref()));
            let mut values = Vec::with_capacity(timeline.buckets.len());
            numbers.of_buckets(|cell| values.push(value(cell)));
            line.values.push(values);
        }
        line
    }
}

/// The numbers of one segment, by metric.
#[derive(Default)]
struct Line {
    totals: Vec<f64>,
    values: Vec<Vec<f64>>,
}

impl Line {
    /// Total and values of a metric or, behind these, of a formula.
    fn numbers(&self, insights: &Insights, metric: usize) -> (Option<f64>, Vec<Option<f64>>) {
        let Some(place) = metric.checked_sub(insights.metrics.len()) else {
            let values = self.values[metric].iter().copied().map(Some);
            return (Some(self.totals[metric]), values.collect());
        };
        let term = insights.formulas[place].formula.term();
        let buckets = self.values.first().map_or(0, Vec::len);
        let values = (0..buckets).map(|bucket| {
            let of_bucket: Vec<f64> = self.values.iter().map(|values| values[bucket]).collect();
            formula::evaluate(term, &of_bucket)
        });
        (formula::evaluate(term, &self.totals), values.collect())
    }
}

/// Where the cells of one metric and segment are.
struct Numbers<'a> {
    measure: &'a Measure,
    windows: &'a Windows,
    cells: &'a Cells,
    series: usize,
    place: Option<u32>,
}

impl Numbers<'_> {
    fn find(&self, bucket: Option<usize>) -> Option<&Cell> {
        self.cells.find(self.series, bucket, self.place?)
    }

    fn whole(&self) -> Option<Cell> {
        if figure(self.measure).is_of_windows() {
            return self.find(None).cloned();
        }
        let mut merged = None;
        self.merge(&mut merged, self.windows.whole.clone());
        merged
    }

    /// Hands on the cell of each bucket in turn.
    fn of_buckets(&self, mut found: impl FnMut(Option<&Cell>)) {
        if figure(self.measure).is_of_windows() {
            let buckets = 0..self.windows.of_buckets.len();
            return buckets.for_each(|bucket| found(self.find(Some(bucket))));
        }
        let (mut merged, mut done) = (None, 0..0);
        for window in &self.windows.of_buckets {
            // Cumulative windows grow; what is merged already stays.
            if done.start != window.start || done.end > window.end {
                (merged, done) = (None, window.start..window.start);
            }
            self.merge(&mut merged, done.end..window.end);
            done.end = done.end.max(window.end);
            found(merged.as_ref());
        }
    }

    fn merge(&self, merged: &mut Option<Cell>, slots: std::ops::Range<usize>) {
        for cell in slots.filter_map(|slot| self.find(Some(slot))) {
            merged.get_or_insert_default().merge(cell);
        }
    }
}

/// The extreme that a measure shows, if it is one: that number is single persons', however many others have one.
fn end_of<'c>(measure: &Measure, cell: &'c Cell) -> Option<&'c Extreme> {
    let extremes = cell.extremes.as_ref()?;
    match measure {
        Measure::Min { .. } => Some(&extremes.least),
        Measure::Max { .. } => Some(&extremes.most),
        Measure::Percentile { percentile, .. }
        | Measure::Frequency {
            aggregate: Aggregate::Percentile(percentile),
        } => match percentile {
            0.0 => Some(&extremes.least),
            100.0 => Some(&extremes.most),
            _ => None,
        },
        Measure::Frequency {
            aggregate: Aggregate::Min,
        } => Some(&extremes.least),
        Measure::Frequency {
            aggregate: Aggregate::Max,
        } => Some(&extremes.most),
        _ => None,
    }
}

fn measured(measure: &Measure, cell: Option<&Cell>) -> f64 {
    let Some(cell) = cell else { return 0.0 };
    if let Some(end) = end_of(measure, cell) {
        return end.number;
    }
    let ratio = |part: f64, whole: u64| if whole == 0 { 0.0 } else { part / whole as f64 };
    match measure {
        Measure::Total | Measure::Sessions => cell.events as f64,
        Measure::Unique | Measure::Active { .. } => cell.persons as f64,
        Measure::PerPerson => ratio(cell.person_events as f64, cell.persons),
        Measure::Frequency { aggregate } => cell.spread.aggregate(*aggregate),
        Measure::Sum { .. } => cell.sum,
        Measure::Mean { .. } => ratio(cell.sum, cell.numbers),
        Measure::Median { .. } => cell.spread.percentile(50.0),
        Measure::Percentile { percentile, .. } => cell.spread.percentile(*percentile),
        // There is no number.
        Measure::Min { .. } | Measure::Max { .. } => 0.0,
        Measure::Distinct { .. } => cell.values.len() as f64,
    }
}
