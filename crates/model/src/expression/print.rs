//! An expression as text that parses back to the same tree.

use super::{BinaryOp, Expression, Function, Scope};
use crate::Value;
use crate::value::number_text;
use std::fmt::{Display, Formatter, Result};

/// How tightly each form binds, as the parser reads it; a part that binds less than its place wants parentheses.
///
/// None are printed that the text it came from did not need: each would count as one level of nesting when it is read
/// back.
mod binding {
    pub const LOOSEST: u8 = 0;
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const COMPARISON: u8 = 4;
    pub const SUM: u8 = 5;
    pub const PRODUCT: u8 = 6;
    pub const UNARY: u8 = 7;
    pub const TIGHTEST: u8 = 8;
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        print(f, self, binding::LOOSEST)
    }
}

/// Prints an expression where nothing looser than `place` may stand bare.
fn print(f: &mut Formatter<'_>, expression: &Expression, place: u8) -> Result {
    if binding_of(expression) < place {
        f.write_str("(")?;
        print_bare(f, expression)?;
        return f.write_str(")");
    }
    print_bare(f, expression)
}

fn print_bare(f: &mut Formatter<'_>, expression: &Expression) -> Result {
    match expression {
        Expression::Property { scope, name } => write!(f, "{}[{}]", scope.keyword(), Quoted(name)),
        Expression::Literal(value) => print_literal(f, value),
        Expression::Not(inner) => {
            f.write_str("not ")?;
            print(f, inner, binding::NOT)
        }
        Expression::Negate(inner) => {
            f.write_str("-")?;
            print(f, inner, binding::UNARY)
        }
        Expression::Binary { op, left, right } => {
            let own = op.binding();
            // Chains lean to the left; comparisons do not chain.
            print(f, left, if own == binding::COMPARISON { own + 1 } else { own })?;
            write!(f, " {} ", op.symbol())?;
            print(f, right, own + 1)
        }
        Expression::Call { function, arguments } => {
            write!(f, "{}(", function.name())?;
            for (index, argument) in arguments.iter().enumerate() {
                f.write_str(if index > 0 { ", " } else { "" })?;
                print(f, argument, binding::LOOSEST)?;
            }
            f.write_str(")")
        }
        Expression::Cohort(number) => write!(f, "cohort({number})"),
        Expression::Computed(name) => write!(f, "computed[{}]", Quoted(name)),
        Expression::Lookup { table, column, key } => {
            write!(f, "lookup({}, {}, ", Quoted(table), Quoted(column))?;
            print(f, key, binding::LOOSEST)?;
            f.write_str(")")
        }
        Expression::Group { key, property } => write!(f, "group[{}][{}]", Quoted(key), Quoted(property)),
    }
}

fn binding_of(expression: &Expression) -> u8 {
    match expression {
        Expression::Not(_) => binding::NOT,
        Expression::Negate(_) => binding::UNARY,
        Expression::Binary { op, .. } => op.binding(),
        _ => binding::TIGHTEST,
    }
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
            Scope::Behaviors => "behaviors",
        }
    }
}

impl BinaryOp {
    fn binding(self) -> u8 {
        use BinaryOp::*;
        match self {
            Or => binding::OR,
            And => binding::AND,
            Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual | In => binding::COMPARISON,
            Add | Subtract => binding::SUM,
            Multiply | Divide | Remainder => binding::PRODUCT,
        }
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
