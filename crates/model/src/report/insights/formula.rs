//! Formulas over metrics: their form, and the parser of it.
//!
//! `round(100 * A / (A + B))`. Letters are metrics, by position. `+ -` bind less than `* / %`, these less than the sign;
//! what binds alike goes from left to right.
//!
//! Numbers are doubles. A result that is none has *no value*: a division by 0, a remainder of a division by 0, the root of
//! a negative number, the logarithm of one that is not positive, or anything beyond the largest double. A formula of
//! something without value has no value either, except in `coalesce`. `%` has the sign of the number that is divided;
//! `round` goes to the nearest whole number, from the middle away from 0.

mod parse;

pub use parse::FormulaError;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest text of a formula, in bytes.
pub const FORMULA_BYTES_MAX: usize = 1_000;
/// Deepest nesting of a formula.
pub const FORMULA_DEPTH_MAX: usize = 50;

/// A formula with the name it is shown by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedFormula {
    /// The formula itself when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[schema(value_type = String, example = "round(100 * A / (A + B))")]
    pub formula: Formula,
}

/// A parsed formula, with the text it was parsed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Formula {
    text: String,
    term: Term,
}

/// A part of a formula.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Number(f64),
    /// Index in [`super::Insights::metrics`].
    Metric(usize),
    Negate(Box<Term>),
    Binary {
        op: Arithmetic,
        left: Box<Term>,
        right: Box<Term>,
    },
    Call {
        function: FormulaFunction,
        arguments: Vec<Term>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormulaFunction {
    Abs,
    /// Smallest of one or more.
    Min,
    /// Largest of one or more.
    Max,
    Round,
    Floor,
    Ceil,
    Sqrt,
    Ln,
    Log10,
    /// `pow(base, exponent)`.
    Pow,
    /// The first of its arguments that has a value.
    Coalesce,
}

impl FormulaFunction {
    pub const ALL: [(&'static str, FormulaFunction); 11] = [
        ("abs", FormulaFunction::Abs),
        ("min", FormulaFunction::Min),
        ("max", FormulaFunction::Max),
        ("round", FormulaFunction::Round),
        ("floor", FormulaFunction::Floor),
        ("ceil", FormulaFunction::Ceil),
        ("sqrt", FormulaFunction::Sqrt),
        ("ln", FormulaFunction::Ln),
        ("log10", FormulaFunction::Log10),
        ("pow", FormulaFunction::Pow),
        ("coalesce", FormulaFunction::Coalesce),
    ];

    /// How many arguments it takes: at least and at most.
    fn arguments(self) -> (usize, usize) {
        match self {
            FormulaFunction::Min | FormulaFunction::Max | FormulaFunction::Coalesce => (1, usize::MAX),
            FormulaFunction::Pow => (2, 2),
            _ => (1, 1),
        }
    }
}

impl Formula {
    pub fn parse(text: &str) -> Result<Formula, FormulaError> {
        let term = parse::parse(text)?;
        Ok(Formula {
            text: text.to_owned(),
            term,
        })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn term(&self) -> &Term {
        &self.term
    }

    /// Indexes of the metrics it names.
    pub fn metrics(&self) -> Vec<usize> {
        let mut metrics = Vec::new();
        self.term.list_metrics(&mut metrics);
        metrics
    }
}

impl Term {
    fn list_metrics(&self, metrics: &mut Vec<usize>) {
        match self {
            Term::Number(_) => {}
            Term::Metric(metric) => metrics.push(*metric),
            Term::Negate(inner) => inner.list_metrics(metrics),
            Term::Binary { left, right, .. } => {
                left.list_metrics(metrics);
                right.list_metrics(metrics);
            }
            Term::Call { arguments, .. } => arguments.iter().for_each(|argument| argument.list_metrics(metrics)),
        }
    }
}

impl TryFrom<String> for Formula {
    type Error = FormulaError;

    fn try_from(text: String) -> Result<Formula, FormulaError> {
        Formula::parse(&text)
    }
}

impl From<Formula> for String {
    fn from(formula: Formula) -> String {
        formula.text
    }
}
