//! Random insights.

use super::*;
use model::report::{
    Aggregate, Breakdown, Compare, Edges, Formula, InsightsAnswer, InsightsCell, NamedFormula, SESSION_TIMEOUT_MS,
    ShiftUnit,
};

pub fn insights(rng: &mut Rng, unit: Unit) -> Insights {
    let metrics = rng.usize(1..=3);
    let breakdowns = *pick(rng, &[0, 0, 1, 1, 1, 2, 3]);
    let windowed = rng.u32(0..10);
    let rolling = (windowed < 2).then(|| *pick(rng, &[2, 3, 7, 30]));
    let cumulative = (2..4).contains(&windowed);
    let active = windowed >= 4 && unit != Unit::Minute;
    let compared = rng.u32(0..10);
    let mut insights = Insights {
        metrics: (0..metrics).map(|_| metric(rng, active.then_some(unit))).collect(),
        formulas: if chance(rng, 35) {
            formulas(rng, metrics)
        } else {
            Vec::new()
        },
        breakdown: (0..breakdowns).map(|_| breakdown(rng)).collect(),
        limit: *pick(rng, &[1, 3, 50]),
        other: rng.bool(),
        cumulative,
        rolling,
        compare_previous: compared < 2,
        compare: (2..5).contains(&compared).then(|| compare(rng)),
        session_timeout_ms: *pick(rng, &[SESSION_TIMEOUT_MS, 1_000, 3_600_000, 86_400_000]),
        ..Insights::new(Vec::new(), unit)
    };
    if !insights.formulas.is_empty() || metrics > 1 {
        let hidden = rng.usize(0..metrics);
        insights.metrics[hidden].hidden = rng.bool();
    }
    insights
}

fn metric(rng: &mut Rng, active: Option<Unit>) -> Metric {
    let EventSelector { event, filter } = selector(rng);
    let property = measured(rng);
    let percentile = *pick(rng, &[0.0, 10.0, 33.3, 50.0, 90.0, 100.0]);
    let aggregates = [
        Aggregate::Mean,
        Aggregate::Median,
        Aggregate::Percentile(percentile),
        Aggregate::Min,
        Aggregate::Max,
    ];
    let measure = match rng.u32(0..14) {
        0 => Measure::Total,
        1 => Measure::Unique,
        2 => Measure::PerPerson,
        3 => Measure::Sum { property },
        4 => Measure::Mean { property },
        5 => Measure::Min { property },
        6 => Measure::Max { property },
        7 => Measure::Median { property },
        8 => Measure::Percentile { property, percentile },
        9 | 10 => Measure::Sessions,
        11 => Measure::Frequency {
            aggregate: *pick(rng, &aggregates),
        },
        12 if active == Some(Unit::Hour) => Measure::Active { days: rng.u16(1..3) },
        12 if active.is_some() => Measure::Active {
            days: *pick(rng, &[1, 7, 30]),
        },
        _ => Measure::Distinct {
            property: broken_down(rng),
        },
    };
    Metric {
        filter,
        ..Metric::new(event, measure)
    }
}

/// A number of the answer, or one that might have been.
pub fn cell(rng: &mut Rng, insights: &Insights, answer: &InsightsAnswer) -> InsightsCell {
    let other = insights.other && !insights.breakdown.is_empty() && chance(rng, 40);
    let lines: Vec<&Segment> = answer
        .series
        .iter()
        .filter(|line| !line.other)
        .map(|line| &line.segment)
        .collect();
    let segment = match lines.as_slice() {
        _ if other || insights.breakdown.is_empty() => Vec::new(),
        [] => vec![None; insights.breakdown.len()],
        _ if chance(rng, 10) => vec![Some("never".into()); insights.breakdown.len()],
        lines => (*pick(rng, lines)).clone(),
    };
    let counted = |bucket: &usize| {
        answer
            .series
            .iter()
            .any(|line| !matches!(line.values[*bucket], None | Some(0.0)))
    };
    let busy: Vec<usize> = (0..answer.buckets.len()).filter(counted).collect();
    InsightsCell {
        metric: rng.usize(0..insights.metrics.len()),
        bucket: match rng.u32(0..10) {
            0..4 => None,
            4..8 if !busy.is_empty() => Some(*pick(rng, &busy)),
            _ => Some(rng.usize(0..=answer.buckets.len())),
        },
        segment,
        other,
        previous: answer.previous.is_some() && rng.bool(),
    }
}

/// A number whose sums are exact.
fn measured(rng: &mut Rng) -> Expression {
    let n = || Expression::property("n");
    match rng.u32(0..5) {
        0..3 => n(),
        3 => binary(BinaryOp::Multiply, n(), Expression::Literal(Value::Number(2.0))),
        _ => call(Function::Round, n()),
    }
}

fn breakdown(rng: &mut Rng) -> Breakdown {
    let value = broken_down(rng);
    match rng.u32(0..10) {
        0..2 => Breakdown::Ranges {
            value: measured(rng),
            edges: Edges::Auto,
        },
        2 => Breakdown::Ranges {
            value,
            edges: Edges::Auto,
        },
        3 => Breakdown::Ranges {
            value: measured(rng),
            edges: Edges::At(pick(rng, &[vec![0.0], vec![-3.25, 0.0, 10.0, 1_000.0]]).clone()),
        },
        _ => Breakdown::Values(value),
    }
}

fn compare(rng: &mut Rng) -> Compare {
    if rng.bool() {
        return Compare::Where {
            filter: condition(rng, 1),
        };
    }
    let units = [
        ShiftUnit::Day,
        ShiftUnit::Week,
        ShiftUnit::Month,
        ShiftUnit::Quarter,
        ShiftUnit::Year,
    ];
    Compare::Shift {
        count: rng.u32(1..4),
        unit: *pick(rng, &units),
    }
}

fn formulas(rng: &mut Rng, metrics: usize) -> Vec<NamedFormula> {
    let count = rng.usize(1..=2);
    let formula = |rng: &mut Rng| NamedFormula {
        name: String::new(),
        formula: Formula::parse(&term(rng, metrics, 3)).unwrap(),
    };
    (0..count).map(|_| formula(rng)).collect()
}

fn term(rng: &mut Rng, metrics: usize, depth: u32) -> String {
    if depth == 0 || chance(rng, 25) {
        let letter = char::from(b'A' + rng.usize(0..metrics) as u8);
        return match rng.u32(0..4) {
            0 => (*pick(rng, &["0", "1", "2.5", "100"])).to_owned(),
            _ => letter.to_string(),
        };
    }
    let inner = |rng: &mut Rng| term(rng, metrics, depth - 1);
    match rng.u32(0..6) {
        0 => format!("-{}", inner(rng)),
        1 => {
            let one = *pick(rng, &["abs", "round", "floor", "ceil", "sqrt", "ln", "log10"]);
            format!("{one}({})", inner(rng))
        }
        2 => {
            let two = *pick(rng, &["min", "max", "pow", "coalesce"]);
            format!("{two}({}, {})", inner(rng), inner(rng))
        }
        _ => {
            let op = *pick(rng, &["+", "-", "*", "/", "%"]);
            format!("({}) {op} ({})", inner(rng), inner(rng))
        }
    }
}
