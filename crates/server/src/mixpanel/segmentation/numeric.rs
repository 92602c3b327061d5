//! `/segmentation/numeric`: events by ranges of a number (contract SG5).
//!
//! A first question finds the smallest and the largest number; about ten ranges of a round width cover them; a second
//! question counts each range. A range holds its lower end and not its upper one.

use super::{SEGMENTS_DEFAULT, SEGMENTS_MAX, ask, insights, measure, single_event};
use crate::app_state::now;
use crate::error::{ApiError, ApiResult};
use crate::mixpanel::Query;
use crate::mixpanel::table::{self, Counts};
use axum::response::Response;
use model::expression::{BinaryOp, Expression, Function};
use model::report::{Insights, Measure, Metric, Question, Report, Unit, VERSION};
use model::{ErrorCode, Value};

/// Ranges are as wide as makes about so many.
const RANGES: f64 = 10.0;

pub async fn numeric(query: Query) -> Response {
    let answered = counts(&query).await;
    table::respond(&query, answered)
}

async fn counts(query: &Query) -> ApiResult<Counts> {
    let event = single_event(query)?;
    let on = query
        .expression("on")
        .await?
        .ok_or_else(|| ApiError::invalid("this parameter is required").at("on"))?;
    let limit = query.params.number("limit", SEGMENTS_DEFAULT, SEGMENTS_MAX)?.max(1);
    let metric = Metric::new(Some(event.clone()), measure(query.params.text("type"))?);
    let width = match bounds(query, &event, &on).await? {
        Some((least, most)) => Width::covering(least, most),
        None => Width::ONE,
    };
    let answer = ask(query, vec![metric], Some(width.index_of(on)), limit, Unit::Day).await?;
    let ranges = answer.series.into_iter().filter_map(|series| {
        // Events without a number are in no range.
        let index = series.segment.first()?.as_ref()?.as_f64()?;
        Some((index, (width.range(index), series)))
    });
    let mut ranges: Vec<_> = ranges.collect();
    ranges.sort_by(|left, right| left.0.total_cmp(&right.0));
    Ok(Counts::of(
        answer.buckets,
        ranges.into_iter().map(|(_, named)| named).collect(),
    ))
}

/// The smallest and the largest number of the events; `None` where none has one.
async fn bounds(query: &Query, event: &str, on: &Expression) -> ApiResult<Option<(f64, f64)>> {
    let number = Expression::Call {
        function: Function::Defined,
        arguments: vec![binary(BinaryOp::Subtract, on.clone(), 0.0)],
    };
    let metric = |measure: Measure| Metric {
        filter: Some(number.clone()),
        ..Metric::new(Some(event.to_owned()), measure)
    };
    let property = || on.clone();
    let metrics = vec![
        metric(Measure::Total),
        metric(Measure::Min { property: property() }),
        metric(Measure::Max { property: property() }),
    ];
    let unit = query.params.unit(Unit::Day)?;
    let report = Report {
        version: VERSION,
        range: query.params.range(&query.project.timezone, unit, now().0)?,
        timezone: None,
        filter: query.expression("where").await?,
        question: Question::Insights(Insights {
            limit: 1,
            ..Insights::new(metrics, Unit::Quarter)
        }),
    };
    let totals: Vec<f64> = insights(query, &report)
        .await?
        .series
        .iter()
        .map(|series| series.total.unwrap_or(0.0))
        .collect();
    match totals.as_slice() {
        [count, least, most] if *count > 0.0 => Ok(Some((*least, *most))),
        [] | [..] if totals.len() <= 3 => Ok(None),
        _ => Err(ApiError::new(ErrorCode::Internal, "three metrics have three series")),
    }
}

/// A round width: `digit` × 10^`power`, the digit 1, 2 or 5.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Width {
    digit: f64,
    power: i32,
}

impl Width {
    const ONE: Width = Width { digit: 1.0, power: 0 };

    /// The smallest round width of which ten cover the span.
    fn covering(least: f64, most: f64) -> Width {
        let wanted = (most - least) / RANGES;
        if !wanted.is_finite() || wanted <= 0.0 {
            return Width::ONE;
        }
        let power = wanted.log10().floor() as i32;
        let candidates = [power, power + 1]
            .into_iter()
            .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| Width { digit, power }));
        candidates
            .into_iter()
            .find(|width| width.value() >= wanted * (1.0 - 1e-12))
            .unwrap_or(Width::ONE)
    }

    fn value(self) -> f64 {
        self.digit * 10f64.powi(self.power)
    }

    /// The number of the range that a number is in, as an expression. A width below one is no exact double, so there the
    /// quotient is rounded first: 0.3 belongs to the range that begins with 0.3.
    fn index_of(self, on: Expression) -> Expression {
        if self.power >= 0 {
            return call(Function::Floor, binary(BinaryOp::Divide, on, self.value()));
        }
        let scaled = binary(BinaryOp::Multiply, on, 10f64.powi(-self.power));
        let quotient = binary(BinaryOp::Divide, scaled, self.digit);
        let rounded = call(Function::Round, binary(BinaryOp::Multiply, quotient, 1e6));
        call(Function::Floor, binary(BinaryOp::Divide, rounded, 1e6))
    }

    /// `"2,000 - 2,100"`.
    fn range(self, index: f64) -> String {
        let decimals = usize::try_from(-self.power).unwrap_or(0);
        let end = |index: f64| match self.power {
            0.. => with_separators(index * self.value(), 0),
            _ => with_separators(index * self.digit / 10f64.powi(-self.power), decimals),
        };
        format!("{} - {}", end(index), end(index + 1.0))
    }
}

fn with_separators(number: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", number.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut shown = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    if !fraction.is_empty() {
        shown.push('.');
        shown.push_str(fraction);
    }
    if number < 0.0 { format!("-{shown}") } else { shown }
}

fn binary(op: BinaryOp, left: Expression, right: f64) -> Expression {
    Expression::Binary {
        op,
        left: Box::new(left),
        right: Box::new(Expression::Literal(Value::Number(right))),
    }
}

fn call(function: Function, argument: Expression) -> Expression {
    Expression::Call {
        function,
        arguments: vec![argument],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_round_and_ten_of_them_cover_the_span() {
        let width = |least: f64, most: f64| Width::covering(least, most).value();
        assert_eq!(width(0.0, 1_000.0), 100.0);
        assert_eq!(width(0.0, 1_001.0), 200.0);
        assert_eq!(width(2_000.0, 2_999.0), 100.0);
        assert_eq!(width(-30.0, 20.0), 5.0);
        assert_eq!(width(0.0, 1.0), 0.1);
        assert_eq!(width(7.0, 7.0), 1.0);
        assert_eq!(width(0.0, 9e15), 1e15);
        assert_eq!(width(-f64::MAX, f64::MAX), 1.0, "a span that is no number");
    }

    #[test]
    fn ranges_read_as_mixpanel_writes_them() {
        let range = |least: f64, most: f64, index: f64| Width::covering(least, most).range(index);
        assert_eq!(range(2_000.0, 3_000.0, 20.0), "2,000 - 2,100");
        assert_eq!(range(0.0, 1e7, 1.0), "1,000,000 - 2,000,000");
        assert_eq!(range(0.0, 1.0, 3.0), "0.3 - 0.4");
        assert_eq!(range(0.0, 0.02, 9.0), "0.018 - 0.020");
        assert_eq!(range(-3_000.0, 0.0, -6.0), "-3,000 - -2,500");
        assert_eq!(range(0.0, 9.0, 0.0), "0 - 1");
    }
}
