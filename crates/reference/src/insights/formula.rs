//! Formulas, as `model::report::Formula` describes them.

use model::report::{Arithmetic, FormulaFunction, Term};

/// The value of a term, given those of the metrics.
pub(super) fn value(term: &Term, metric: &dyn Fn(usize) -> f64) -> Option<f64> {
    let result = match term {
        Term::Number(number) => *number,
        Term::Metric(letter) => metric(*letter),
        Term::Negate(inner) => 0.0 - value(inner, metric)?,
        Term::Binary { op, left, right } => {
            let left = value(left, metric)?;
            let right = value(right, metric)?;
            match op {
                Arithmetic::Add => left + right,
                Arithmetic::Subtract => left - right,
                Arithmetic::Multiply => left * right,
                Arithmetic::Divide if right == 0.0 => return None,
                Arithmetic::Remainder if right == 0.0 => return None,
                Arithmetic::Divide => left / right,
                Arithmetic::Remainder => left % right,
            }
        }
        Term::Call { function, arguments } => {
            let mut values = Vec::new();
            for argument in arguments {
                match (value(argument, metric), function) {
                    (Some(found), FormulaFunction::Coalesce) => return Some(found),
                    (Some(found), _) => values.push(found),
                    (None, FormulaFunction::Coalesce) => {}
                    (None, _) => return None,
                }
            }
            let first = *values.first()?;
            match function {
                FormulaFunction::Abs => first.abs(),
                FormulaFunction::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
                FormulaFunction::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                // From the middle away from zero.
                FormulaFunction::Round if first < 0.0 => (first - 0.5).ceil(),
                FormulaFunction::Round => (first + 0.5).floor(),
                FormulaFunction::Floor => first.floor(),
                FormulaFunction::Ceil => first.ceil(),
                FormulaFunction::Sqrt if first < 0.0 => return None,
                FormulaFunction::Sqrt => first.sqrt(),
                FormulaFunction::Ln | FormulaFunction::Log10 if first <= 0.0 => return None,
                FormulaFunction::Ln => first.ln(),
                FormulaFunction::Log10 => first.log10(),
                FormulaFunction::Pow => first.powf(values[1]),
                FormulaFunction::Coalesce => first,
            }
        }
    };
    result.is_finite().then_some(result)
}
