//! `any(X, list, condition)` and `all(…)`, as scripts send them (contract X15), in terms of the rest of the language.
//!
//! Comparing a list with `==` asks whether any element is equal (X6), so a condition that only compares the element with
//! literals needs no form of its own: `any(X, L, X == "a" or X in ["b", "c"])` is `L == "a" or L == "b" or L == "c"`, and
//! `all(X, L, c)` is `not any(X, L, not c)`. A list that is not set has no element: `any` is false and `all` is true.
//! Other conditions are refused by name of what can be asked.

use super::{BinaryOp, DEPTH_MAX, Expression, HEIGHT_MAX};
use crate::Value;

/// Stands for the element while the condition is read. The grammar has no null, so nothing else is one.
pub(super) const ELEMENT: Expression = Expression::Literal(Value::Null);

const ASKABLE: &str = "any() can ask X == literal, X in [literals], and 'or' of those; \
                       all() can ask X != literal, not X in [literals], and 'and' of those";

/// What `any` or `all` means with the height of its tree, or why it cannot be asked. `depth` is how deep it stands.
pub(super) fn expression(
    all: bool,
    list: &Expression,
    condition: Expression,
    depth: usize,
) -> Result<(Expression, usize), &'static str> {
    if !matches!(list, Expression::Property { .. }) {
        return Err("any() and all() look at a property: any(X, properties[\"tags\"], X == \"new\")");
    }
    // What it becomes nests up to three deeper: 'not', a parenthesis and a comparison.
    if depth + 3 > DEPTH_MAX {
        return Err("any() and all() stand too deep in the expression");
    }
    let condition = if all { negated(condition)? } else { condition };
    let mut wanted = Vec::new();
    alternatives(&condition, &mut wanted)?;
    let height = wanted.len() + 3;
    if height > HEIGHT_MAX {
        return Err("any() and all() compare with too many literals");
    }
    let equal = |literal: Value| Expression::Binary {
        op: BinaryOp::Equal,
        left: Box::new(list.clone()),
        right: Box::new(Expression::Literal(literal)),
    };
    // Chains lean to the left, which is how they print without parentheses.
    let any = wanted.into_iter().map(equal).reduce(or);
    let any = any.unwrap_or(Expression::Literal(Value::Bool(false)));
    Ok((if all { Expression::Not(Box::new(any)) } else { any }, height))
}

/// The literals that an element may be equal to.
fn alternatives(condition: &Expression, wanted: &mut Vec<Value>) -> Result<(), &'static str> {
    let Expression::Binary { op, left, right } = condition else {
        return Err(ASKABLE);
    };
    match (op, &**left, &**right) {
        (BinaryOp::Or, left, right) => {
            alternatives(left, wanted)?;
            alternatives(right, wanted)
        }
        (BinaryOp::Equal, element, Expression::Literal(literal))
        | (BinaryOp::Equal, Expression::Literal(literal), element)
            if *element == ELEMENT && is_scalar(literal) =>
        {
            wanted.push(literal.clone());
            Ok(())
        }
        (BinaryOp::In, element, Expression::Literal(Value::List(items))) if *element == ELEMENT => {
            wanted.extend(items.iter().cloned());
            Ok(())
        }
        _ => Err(ASKABLE),
    }
}

/// The condition under which `condition` does not hold for an element, which always has a value.
fn negated(condition: Expression) -> Result<Expression, &'static str> {
    Ok(match condition {
        Expression::Not(inner) => *inner,
        Expression::Binary { op, left, right } => match op {
            BinaryOp::And => or(negated(*left)?, negated(*right)?),
            BinaryOp::NotEqual => Expression::Binary {
                op: BinaryOp::Equal,
                left,
                right,
            },
            _ => return Err(ASKABLE),
        },
        _ => return Err(ASKABLE),
    })
}

fn is_scalar(literal: &Value) -> bool {
    matches!(literal, Value::Bool(_) | Value::Number(_) | Value::String(_))
}

fn or(left: Expression, right: Expression) -> Expression {
    Expression::Binary {
        op: BinaryOp::Or,
        left: Box::new(left),
        right: Box::new(right),
    }
}
