//! Formulas evaluated on the numbers of one cell.

use model::report::{Arithmetic, FormulaFunction, Term};

/// The value of a term given those of the metrics; none where it is not defined.
pub(super) fn evaluate(term: &Term, metrics: &[f64]) -> Option<f64> {
    let value = match term {
        Term::Number(number) => *number,
        Term::Metric(metric) => *metrics.get(*metric)?,
        Term::Negate(inner) => -evaluate(inner, metrics)?,
        Term::Binary { op, left, right } => {
            let (left, right) = (evaluate(left, metrics)?, evaluate(right, metrics)?);
            match op {
                Arithmetic::Add => left + right,
                Arithmetic::Subtract => left - right,
                Arithmetic::Multiply => left * right,
                Arithmetic::Divide => left / right,
                Arithmetic::Remainder => left % right,
            }
        }
        Term::Call {
            function: FormulaFunction::Coalesce,
            arguments,
        } => arguments.iter().find_map(|argument| evaluate(argument, metrics))?,
        Term::Call { function, arguments } => {
            let values = arguments.iter().map(|argument| evaluate(argument, metrics));
            call(*function, &values.collect::<Option<Vec<f64>>>()?)?
        }
    };
    // Zero has no sign in an answer.
    value.is_finite().then_some(value + 0.0)
}

fn call(function: FormulaFunction, values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    Some(match function {
        FormulaFunction::Abs => first.abs(),
        FormulaFunction::Min => values.iter().copied().fold(first, f64::min),
        FormulaFunction::Max => values.iter().copied().fold(first, f64::max),
        FormulaFunction::Round => first.round(),
        FormulaFunction::Floor => first.floor(),
        FormulaFunction::Ceil => first.ceil(),
        FormulaFunction::Sqrt => first.sqrt(),
        FormulaFunction::Ln => first.ln(),
        FormulaFunction::Log10 => first.log10(),
        FormulaFunction::Pow => first.powf(*values.get(1)?),
        FormulaFunction::Coalesce => first,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::report::Formula;

    #[test]
    fn what_is_not_defined_has_no_value() {
        let cases = [
            ("A / B", Some(2.5)),
            ("A % B", Some(2.0)),
            ("-A % B", Some(-2.0)),
            ("round(-A / B)", Some(-3.0)),
            ("A / C", None),
            ("A % C", None),
            ("C / C + 1", None),
            ("ln(C)", None),
            ("sqrt(-A)", None),
            ("pow(A, 1000)", None),
            ("coalesce(A / C, -C)", Some(0.0)),
            ("min(A, B, C) + max(A, B)", Some(10.0)),
            ("log10(100) * abs(-B)", Some(8.0)),
        ];
        for (text, expected) in cases {
            let formula = Formula::parse(text).unwrap();
            assert_eq!(evaluate(formula.term(), &[10.0, 4.0, 0.0]), expected, "{text}");
        }
    }
}
