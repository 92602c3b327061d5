//! The expression language of filters and breakdowns: one tree, parsed from text or from JSON.
//!
//! The text form is Mixpanel's (contract 6.9), with four forms of our own for what a project has saved: `cohort(12)`,
//! `computed["margin"]`, `lookup("plans", "price", key)` and `group["company"]["industry"]`. The JSON form is what our own app sends. Both give an [`Expression`],
//! which prints back as text that parses to the same tree. Only the form lives here. What an expression *means* is
//! written twice, in `query` and in `reference`, on purpose.

mod parse;
mod print;
mod quantifier;
mod types;

use crate::Value;
use serde::{Deserialize, Serialize};

pub use parse::ParseError;
pub use types::CertainFault;

/// Longest expression text, in bytes (contract X19).
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Longest text that an expression prints as. Spaces, full names and long numbers make it longer than what was read.
pub const PRINTED_BYTES_MAX: usize = 8 * TEXT_BYTES_MAX;
/// Deepest nesting (contract X19).
pub const DEPTH_MAX: usize = 64;
/// Highest tree: a chain of one operator is as high as it is long, and everything that walks a tree goes as deep.
pub const HEIGHT_MAX: usize = 400;
/// Most literals in one list (contract X19).
pub const LIST_LITERALS_MAX: usize = 10_000;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub enum Expression {
    Property {
        scope: Scope,
        name: String,
    },
    Literal(Value),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    Binary {
        op: BinaryOp,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    Call {
        function: Function,
        arguments: Vec<Expression>,
    },
    /// `cohort(12)`: whether the row's person is in a saved cohort.
    Cohort(u64),
    /// `computed["margin"]`: the value of a saved formula.
    Computed(String),
    /// `lookup("plans", "price", key)`: a cell of an uploaded table, in the row of the key.
    Lookup {
        table: String,
        column: String,
        key: Box<Expression>,
    },
    /// `group["company"]["industry"]`: a property of the profiles of the event's groups.
    Group {
        key: String,
        property: String,
    },
}

/// Where a property is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// `properties["x"]`: of the event in questions about events, of the profile in questions about people. In both
    /// `properties["$distinct_id"]` is the person's canonical number, not set for nobody. A report can only compare it with
    /// numbers (`==`, `!=`, `in`) or ask whether it is `defined`, and its answer discloses the persons that it names.
    Properties,
    /// `user["x"]`: of the profile of the event's person.
    User,
    /// `event["$time"]`: what every event has.
    Event,
    /// `behaviors["x"]`: how many events of a person match a behaviour that came with a question about people
    /// (contract EN9). Not set in every other question.
    Behaviors,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BinaryOp {
    #[serde(rename = "or")]
    Or,
    #[serde(rename = "and")]
    And,
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    LessOrEqual,
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    GreaterOrEqual,
    #[serde(rename = "in")]
    In,
    #[serde(rename = "+")]
    Add,
    #[serde(rename = "-")]
    Subtract,
    #[serde(rename = "*")]
    Multiply,
    #[serde(rename = "/")]
    Divide,
    #[serde(rename = "%")]
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    Defined,
    Floor,
    Round,
    Ceil,
    Boolean,
    Number,
    /// One argument, or two: `string(x, "text if x is not set")` (contract X15).
    String,
    Datetime,
}

impl Expression {
    /// Parses the text form. A bare identifier (`$browser`) means `properties["$browser"]` (contract SG4).
    pub fn parse(text: &str) -> Result<Expression, ParseError> {
        parse::parse(text)
    }

    /// `properties["name"]`.
    pub fn property(name: impl Into<String>) -> Expression {
        Expression::Property {
            scope: Scope::Properties,
            name: name.into(),
        }
    }

    pub fn and(self, other: Expression) -> Expression {
        Expression::Binary {
            op: BinaryOp::And,
            left: Box::new(self),
            right: Box::new(other),
        }
    }

    /// Visits this expression and everything inside it, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expression)) {
        visit(self);
        match self {
            Expression::Property { .. }
            | Expression::Literal(_)
            | Expression::Cohort(_)
            | Expression::Computed(_)
            | Expression::Group { .. } => {}
            Expression::Lookup { key, .. } => key.walk(visit),
            Expression::Not(inner) | Expression::Negate(inner) => inner.walk(visit),
            Expression::Binary { left, right, .. } => {
                left.walk(visit);
                right.walk(visit);
            }
            Expression::Call { arguments, .. } => arguments.iter().for_each(|argument| argument.walk(visit)),
        }
    }
}

/// The two JSON forms an expression is accepted in; text is what it is written as.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Tree(Tree),
}

/// The JSON tree form, as the app builds it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tree {
    Property {
        #[serde(default = "scope_default")]
        scope: Scope,
        name: String,
    },
    Literal(serde_json::Value),
    Not(Box<Tree>),
    Negate(Box<Tree>),
    Binary {
        op: BinaryOp,
        left: Box<Tree>,
        right: Box<Tree>,
    },
    Call {
        function: Function,
        arguments: Vec<Tree>,
    },
    Cohort(u64),
    Computed(String),
    Lookup {
        table: String,
        column: String,
        key: Box<Tree>,
    },
    Group {
        key: String,
        property: String,
    },
}

fn scope_default() -> Scope {
    Scope::Properties
}

impl TryFrom<Form> for Expression {
    type Error = ParseError;

    fn try_from(form: Form) -> Result<Self, ParseError> {
        let tree = match form {
            Form::Text(text) => return parse::parse_printed(&text),
            Form::Tree(tree) => tree,
        };
        // Printing and parsing again puts a tree under every limit and check that the text form has.
        parse::parse_printed(&from_tree(tree, 0)?.to_string())
    }
}

impl From<Expression> for Form {
    fn from(expression: Expression) -> Form {
        Form::Text(expression.to_string())
    }
}

fn from_tree(tree: Tree, depth: usize) -> Result<Expression, ParseError> {
    if depth > DEPTH_MAX {
        return Err(ParseError::too_deep(0));
    }
    let boxed = |tree: Box<Tree>| from_tree(*tree, depth + 1).map(Box::new);
    Ok(match tree {
        Tree::Property { scope, name } => Expression::Property { scope, name },
        Tree::Literal(json) => Expression::Literal(Value::from_json(&json)),
        Tree::Not(inner) => Expression::Not(boxed(inner)?),
        Tree::Negate(inner) => Expression::Negate(boxed(inner)?),
        Tree::Binary { op, left, right } => Expression::Binary {
            op,
            left: boxed(left)?,
            right: boxed(right)?,
        },
        Tree::Call { function, arguments } => Expression::Call {
            function,
            arguments: arguments
                .into_iter()
                .map(|argument| from_tree(argument, depth + 1))
                .collect::<Result<_, _>>()?,
        },
        Tree::Cohort(number) => Expression::Cohort(number),
        Tree::Computed(name) => Expression::Computed(name),
        Tree::Lookup { table, column, key } => Expression::Lookup {
            table,
            column,
            key: boxed(key)?,
        },
        Tree::Group { key, property } => Expression::Group { key, property },
    })
}
