//! Numbers over time.

mod formula;
mod measure;
mod members;
mod span;

use crate::calendar::{buckets, day_end, day_start, names};
use crate::expression::{Evaluated, evaluate};
use crate::segment::{combine, largest_first, values_of};
use crate::sessions::sessions;
use crate::{Asked, ReferenceError};
use jiff::ToSpan;
use measure::measured;
pub(crate) use members::members;
use model::PersonNumber;
use model::expression::Expression;
use model::report::{
    Breakdown, Compare, DateRange, Edges, Insights, InsightsAnswer, InvalidReport, Measure, Segment, Series, ShiftUnit,
    range_name,
};
use span::{Span, Spans, spans};
use std::collections::BTreeSet;

/// An event that a metric selects; or a session, at the time of its first event.
struct Counted {
    metric: usize,
    segments: Vec<Segment>,
    time_ms: i64,
    person: PersonNumber,
    number: Option<f64>,
    /// Distinct values, as JSON texts.
    values: Vec<String>,
}

pub(crate) fn answer(asked: &Asked<'_>, insights: &Insights) -> Result<InsightsAnswer, ReferenceError> {
    let range = asked.report.range;
    let question = Asking::new(asked, insights)?;
    let spans = spans(insights, range, asked.zone)?;
    let counted = question.counted(range, &spans, None)?;
    let (shown, segments_total) = question.segments(&counted, &spans);
    let mut answer = question.series(&counted, range, &spans, &shown, segments_total)?;
    if let Some((range, filter)) = compared(insights, range)? {
        let spans = span::spans(insights, range, asked.zone)?;
        let counted = question.counted(range, &spans, filter)?;
        let previous = question.series(&counted, range, &spans, &shown, segments_total)?;
        answer.previous = Some(Box::new(previous));
    }
    Ok(answer)
}

/// The range that the answer is compared to, and what its events pass besides.
fn compared(insights: &Insights, range: DateRange) -> Result<Option<(DateRange, Option<&Expression>)>, InvalidReport> {
    Ok(match (&insights.compare, insights.compare_previous) {
        (_, true) => Some((range_before(range)?, None)),
        (Some(Compare::Shift { count, unit }), _) => Some((range_shifted(range, *count, *unit)?, None)),
        (Some(Compare::Where { filter }), _) => Some((range, Some(filter))),
        (None, false) => None,
    })
}

fn outside<E>(_: E) -> InvalidReport {
    InvalidReport {
        at: "/range",
        message: "the range before leaves the calendar".into(),
    }
}

/// The range of equal length that ends the day before.
fn range_before(range: DateRange) -> Result<DateRange, InvalidReport> {
    let days_between = (range.to - range.from).get_days();
    let to = range.from.yesterday().map_err(outside)?;
    let from = to.checked_sub(days_between.days()).map_err(outside)?;
    Ok(DateRange { from, to })
}

fn range_shifted(range: DateRange, count: u32, unit: ShiftUnit) -> Result<DateRange, InvalidReport> {
    let count = i64::from(count);
    let span = match unit {
        ShiftUnit::Day => count.days(),
        ShiftUnit::Week => (7 * count).days(),
        ShiftUnit::Month => count.months(),
        ShiftUnit::Quarter => (3 * count).months(),
        ShiftUnit::Year => (12 * count).months(),
    };
    Ok(DateRange {
        from: range.from.checked_sub(span).map_err(outside)?,
        to: range.to.checked_sub(span).map_err(outside)?,
    })
}

/// Edges between the smallest and the largest number on the events in the range that some metric looks at.
fn automatic_edges(asked: &Asked<'_>, insights: &Insights, value: &Expression) -> Result<Vec<f64>, ReferenceError> {
    let range = asked.report.range;
    let (from_ms, to_ms) = (day_start(range.from, asked.zone)?, day_end(range.to, asked.zone)?);
    let events = insights.metrics.iter().map(|metric| &metric.event);
    let mut numbers = Vec::new();
    for row in asked.rows_between(from_ms, to_ms, events)? {
        for metric in &insights.metrics {
            if asked.selects(&metric.event, &metric.filter, row)?
                && let Evaluated::Number(number) = evaluate(value, row, asked.zone)?
            {
                numbers.push(number);
            }
        }
    }
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let smallest = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Ok(edges_between(smallest, largest))
}

fn edges_between(smallest: f64, largest: f64) -> Vec<f64> {
    // The width is `digit` times ten to the `power`; both for itself, because 0.1 is no double.
    let scaled = |number: f64, power: i32| match power {
        ..0 => number / 10_f64.powi(-power),
        _ => number * 10_f64.powi(power),
    };
    let (mut digit, mut power) = (1.0, 0);
    if smallest < largest {
        power = -300;
        while 10.0 * scaled(digit, power) < largest - smallest {
            (digit, power) = match digit {
                1.0 => (2.0, power),
                2.0 => (5.0, power),
                _ => (1.0, power + 1),
            };
        }
    }
    let width = scaled(digit, power);
    let mut place = (smallest / width).floor();
    let mut edges = vec![scaled(digit * place, power)];
    while place < (largest / width).floor() + 1.0 {
        place += 1.0;
        edges.push(scaled(digit * place, power));
    }
    edges
}

struct Asking<'a> {
    asked: &'a Asked<'a>,
    insights: &'a Insights,
    /// Edges of each breakdown that has any.
    edges: Vec<Option<Vec<f64>>>,
}

impl<'a> Asking<'a> {
    fn new(asked: &'a Asked<'a>, insights: &'a Insights) -> Result<Asking<'a>, ReferenceError> {
        let mut edges = Vec::new();
        for breakdown in &insights.breakdown {
            edges.push(match breakdown {
                Breakdown::Values(_) => None,
                Breakdown::Ranges { value, edges } => Some(match edges {
                    Edges::At(edges) => edges.clone(),
                    Edges::Auto => automatic_edges(asked, insights, value)?,
                }),
            });
        }
        Ok(Asking { asked, insights, edges })
    }

    /// Everything that the metrics count of a range, and before it where they read there.
    fn counted(
        &self,
        range: DateRange,
        spans: &[Spans],
        also: Option<&Expression>,
    ) -> Result<Vec<Counted>, ReferenceError> {
        let Asking { asked, insights, .. } = self;
        let to_ms = day_end(range.to, asked.zone)?;
        let begins_ms: Vec<i64> = spans.iter().map(Spans::begin_ms).collect();
        let from_ms = begins_ms.iter().copied().min().unwrap_or(to_ms);
        let events = insights.metrics.iter().map(|metric| &metric.event);
        let mut rows = asked.rows_between(from_ms, to_ms, events.clone())?;
        if let Some(filter) = also {
            // Both filters look at every event that is named, also where the other one does not keep it.
            let mut kept = Vec::new();
            for row in &asked.rows {
                let in_time = from_ms <= row.event.time.0 && row.event.time.0 < to_ms;
                let named = |event: &Option<String>| event.as_ref().is_none_or(|name| *name == row.event.name);
                if in_time && events.clone().any(named) && evaluate(filter, row, asked.zone)? == Evaluated::Bool(true) {
                    kept.push(row.seq);
                }
            }
            rows.retain(|row| kept.contains(&row.seq));
        }

        let mut counted: Vec<Counted> = Vec::new();
        for (metric, definition) in insights.metrics.iter().enumerate() {
            let begin_ms = begins_ms[metric];
            let all: Vec<&crate::history::Row<'_>> = asked
                .rows
                .iter()
                .filter(|row| begin_ms <= row.event.time.0 && row.event.time.0 < to_ms)
                .collect();
            let session_of_all = sessions(&all, insights.session_timeout_ms);
            let mut of_sessions: Vec<(usize, Counted)> = Vec::new();
            for row in &rows {
                if !asked.selects(&definition.event, &definition.filter, row)? {
                    continue;
                }
                let one = Counted {
                    metric,
                    segments: self.segments_of(row)?,
                    time_ms: row.event.time.0,
                    person: row.person,
                    number: self.number_of(&definition.measure, row)?,
                    values: self.values_of(&definition.measure, row)?,
                };
                if row.event.time.0 < begin_ms {
                    continue;
                }
                if matches!(definition.measure, Measure::Frequency { .. }) && row.person.is_nobody() {
                    continue;
                }
                if definition.measure != Measure::Sessions {
                    counted.push(one);
                    continue;
                }
                let place = all.iter().position(|other| other.seq == row.seq);
                let Some(session) = place.and_then(|place| session_of_all[place]) else {
                    continue;
                };
                match of_sessions.iter_mut().find(|(other, _)| *other == session) {
                    Some((_, known)) => known.segments.extend(one.segments),
                    None => of_sessions.push((session, one)),
                }
            }
            for (session, mut one) in of_sessions {
                let times = (0..all.len())
                    .filter(|place| session_of_all[*place] == Some(session))
                    .map(|place| all[place].event.time.0);
                one.time_ms = times.min().unwrap_or(one.time_ms);
                counted.push(one);
            }
        }
        Ok(counted)
    }

    fn segments_of(&self, row: &crate::history::Row<'_>) -> Result<Vec<Segment>, ReferenceError> {
        let zone = self.asked.zone;
        let mut values = Vec::new();
        for (breakdown, edges) in self.insights.breakdown.iter().zip(&self.edges) {
            let value = evaluate(breakdown.value(), row, zone)?;
            values.push(match (edges, value) {
                (None, value) => values_of(&value, zone),
                (Some(edges), Evaluated::Number(number)) => {
                    let range = edges.iter().filter(|edge| **edge <= number).count();
                    vec![Some(range_name(edges, range).into())]
                }
                (Some(_), _) => vec![None],
            });
        }
        Ok(combine(&values))
    }

    fn number_of(&self, measure: &Measure, row: &crate::history::Row<'_>) -> Result<Option<f64>, ReferenceError> {
        let Some(property) = measure.property() else {
            return Ok(None);
        };
        Ok(match evaluate(property, row, self.asked.zone)? {
            Evaluated::Number(number) => Some(number),
            _ => None,
        })
    }

    fn values_of(&self, measure: &Measure, row: &crate::history::Row<'_>) -> Result<Vec<String>, ReferenceError> {
        let Measure::Distinct { property } = measure else {
            return Ok(Vec::new());
        };
        let zone = self.asked.zone;
        let values = values_of(&evaluate(property, row, zone)?, zone);
        Ok(values.into_iter().flatten().map(|value| value.to_string()).collect())
    }

    /// The segments within the limit, and how many there are.
    fn segments(&self, counted: &[Counted], spans: &[Spans]) -> (Vec<Segment>, usize) {
        let mut segments: Vec<Segment> = Vec::new();
        if self.insights.breakdown.is_empty() {
            segments.push(Vec::new());
        }
        let measured = counted.iter().filter(|one| spans[one.metric].hold(one.time_ms));
        for segment in measured.flat_map(|one| &one.segments) {
            if !segments.contains(segment) {
                segments.push(segment.clone());
            }
        }
        let segments_total = segments.len();
        let mut sized = Vec::new();
        for segment in segments {
            let mut size = 0.0;
            for (metric, spans) in spans.iter().enumerate() {
                size += self.value(counted, metric, &spans.whole, |of| of.contains(&segment));
            }
            sized.push((segment, size));
        }
        let mut shown = largest_first(sized);
        shown.truncate(self.insights.limit);
        (shown, segments_total)
    }

    /// A metric over the events of a span whose segments are wanted.
    fn value(&self, counted: &[Counted], metric: usize, span: &Span, wanted: impl Fn(&[Segment]) -> bool) -> f64 {
        let selected = counted
            .iter()
            .filter(|one| one.metric == metric && span.holds(one.time_ms) && wanted(&one.segments));
        measured(&self.insights.metrics[metric].measure, selected)
    }

    fn series(
        &self,
        counted: &[Counted],
        range: DateRange,
        spans: &[Spans],
        shown: &[Segment],
        segments_total: usize,
    ) -> Result<InsightsAnswer, ReferenceError> {
        let Asking { asked, insights, .. } = self;
        let buckets = buckets(range.from, range.to, insights.unit, asked.zone)?;
        let mut lines: Vec<(Segment, bool)> = shown.iter().map(|segment| (segment.clone(), false)).collect();
        if insights.other && segments_total > shown.len() {
            lines.push((Vec::new(), true));
        }
        let value = |metric: usize, other: bool, segment: &Segment, place: usize| {
            self.value(counted, metric, spans[metric].at(place), |of| match other {
                true => of.iter().any(|one| !shown.contains(one)),
                false => of.contains(segment),
            })
        };
        let metrics = insights.metrics.len();
        let visible = (0..metrics).filter(|metric| !insights.metrics[*metric].hidden);
        let mut series = Vec::new();
        for metric in visible.chain(metrics..metrics + insights.formulas.len()) {
            for (segment, other) in &lines {
                let number = |place: usize| match insights.formulas.get(metric.wrapping_sub(metrics)) {
                    None => Some(value(metric, *other, segment, place)),
                    Some(formula) => {
                        formula::value(formula.formula.term(), &|letter| value(letter, *other, segment, place))
                    }
                };
                series.push(Series {
                    metric,
                    segment: segment.clone(),
                    other: *other,
                    values: (0..buckets.len()).map(number).collect(),
                    total: number(buckets.len()),
                });
            }
        }
        Ok(InsightsAnswer {
            buckets: names(&buckets),
            partial: span::partial(&buckets, insights.unit, range, asked)?,
            series,
            segments_total,
            previous: None,
        })
    }
}

/// Distinct persons, in the order in which they come.
fn persons_of(events: &[&Counted]) -> Vec<PersonNumber> {
    let known: BTreeSet<PersonNumber> = events.iter().map(|event| event.person).collect();
    known.into_iter().filter(|person| !person.is_nobody()).collect()
}
