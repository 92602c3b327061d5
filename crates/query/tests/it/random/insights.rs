//! Random insights.

use super::*;

pub fn insights(rng: &mut Rng, unit: Unit) -> Insights {
    let metrics = rng.usize(1..=3);
    let breakdowns = *pick(rng, &[0, 0, 1, 1, 1, 2, 3]);
    Insights {
        metrics: (0..metrics).map(|_| metric(rng)).collect(),
        unit,
        breakdown: (0..breakdowns).map(|_| broken_down(rng)).collect(),
        limit: *pick(rng, &[1, 3, 50]),
        compare_previous: chance(rng, 20),
    }
}

fn metric(rng: &mut Rng) -> Metric {
    let EventSelector { event, filter } = selector(rng);
    let property = measured(rng);
    let measure = match rng.u32(0..7) {
        0 => Measure::Total,
        1 => Measure::Unique,
        2 => Measure::PerPerson,
        3 => Measure::Sum { property },
        4 => Measure::Mean { property },
        5 => Measure::Min { property },
        _ => Measure::Max { property },
    };
    Metric { event, filter, measure }
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
