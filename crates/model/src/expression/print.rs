//! An expression as text that parses back to the same tree.

use super::{BinaryOp, Expression, Function, Scope};
use crate::Value;
use crate::value::number_text;
use std::fmt::{Display, Formatter, Result};

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Expression::Property { scope, name } => {
                write!(f, "{}[{}]", scope.keyword(), Quoted(name))
            }
            Expression::Literal(value) => print_literal(f, value),
            Expression::Not(inner) => write!(f, "not ({inner})"),
            Expression::Negate(inner) => write!(f, "-({inner})"),
            // A chain of one operator prints flat: parentheses would make a long `and` too deep to read back.
            Expression::Binary { op, left, right } if op.is_chain() && is_binary(left, *op) => {
                write!(f, "{left} {} ({right})", op.symbol())
            }
            Expression::Binary { op, left, right } => {
                write!(f, "({left}) {} ({right})", op.symbol())
            }
            Expression::Call { function, arguments } => {
                write!(f, "{}(", function.name())?;
                for (index, argument) in arguments.iter().enumerate() {
                    write!(f, "{}{argument}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

fn is_binary(expression: &Expression, expected: BinaryOp) -> bool {
    matches!(expression, Expression::Binary { op, .. } if *op == expected)
}

fn print_literal(f: &mut Formatter<'_>, value: &Value) -> Result {
    match value {
        Value::Bool(flag) => write!(f, "{flag}"),
        Value::Number(number) => f.write_str(&number_text(*number)),
        Value::String(text) => Quoted(text).fmt(f),
        Value::List(items) => {
            f.write_str("[")?;
            for (index, item) in items.iter().enumerate() {
                f.write_str(if index > 0 { ", " } else { "" })?;
                print_literal(f, item)?;
            }
            f.write_str("]")
        }
        // The grammar has neither; they print as what cannot be parsed, so that such a tree is refused.
        Value::Null | Value::Object(_) => f.write_str("null"),
    }
}

struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl Scope {
    pub(super) fn keyword(self) -> &'static str {
        match self {
            Scope::Properties => "properties",
            Scope::User => "user",
            Scope::Event => "event",
        }
    }
}

impl BinaryOp {
    /// Whether `a op b op c` means `(a op b) op c`.
    fn is_chain(self) -> bool {
        use BinaryOp::*;
        matches!(self, Or | And | Add | Subtract | Multiply | Divide | Remainder)
    }

    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterOrEqual => ">=",
            BinaryOp::In => "in",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Remainder => "%",
        }
    }
}

impl Function {
    pub fn name(self) -> &'static str {
        match self {
            Function::Defined => "defined",
            Function::Floor => "floor",
            Function::Round => "round",
            Function::Ceil => "ceil",
            Function::Boolean => "boolean",
            Function::Number => "number",
            Function::String => "string",
            Function::Datetime => "datetime",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Function> {
        use Function::*;
        [Defined, Floor, Round, Ceil, Boolean, Number, String, Datetime]
            .into_iter()
            .find(|function| function.name().eq_ignore_ascii_case(name))
    }
}
