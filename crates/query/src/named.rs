//! Persons that a question names: `properties["$distinct_id"] == 7`.
//!
//! The answer about everybody but one person differs from the one about everybody by that person, however large the
//! numbers of both are. So an answer discloses whom its question names, beside the persons of its small cells. That needs
//! names to be seen in the definition: a person's number is compared with literals, and nothing is computed from it.
//!
//! Lists in the definitions of cohorts, and cohorts themselves, name people in the same way: those of fewer than
//! [`ledger::Class::CROWD_MIN`] members are disclosed by whatever is asked by way of them.

use crate::QueryError;
use crate::people::DISTINCT_ID;
use model::expression::{BinaryOp, Function, Scope};
use model::{Expression, Value};
use std::collections::BTreeSet;

/// The numbers that expressions compare `$distinct_id` with. Refuses whatever else is made of it.
pub fn named_persons<'a>(expressions: impl IntoIterator<Item = &'a Expression>) -> Result<BTreeSet<u64>, QueryError> {
    let mut named = BTreeSet::new();
    let (mut mentions, mut comparisons) = (0, 0);
    for expression in expressions {
        expression.walk(&mut |part| {
            mentions += usize::from(is_person(part));
            if let Some(values) = compared(part) {
                comparisons += 1;
                note(values, &mut named);
            }
        });
    }
    match mentions == comparisons {
        true => Ok(named),
        false => Err(QueryError::Expression {
            message: format!("{DISTINCT_ID} can be compared with ids (==, !=, in) or be defined(…), and nothing else"),
        }),
    }
}

fn is_person(expression: &Expression) -> bool {
    // In questions about people, `user` is the profile too.
    matches!(expression, Expression::Property { scope: Scope::Properties | Scope::User, name } if name == DISTINCT_ID)
}

/// What a person's number is compared with, where a part is such a comparison.
fn compared(part: &Expression) -> Option<&Value> {
    match part {
        Expression::Binary { op, left, right } => match (op, left.as_ref(), right.as_ref()) {
            (BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In, person, Expression::Literal(value))
            | (BinaryOp::Equal | BinaryOp::NotEqual, Expression::Literal(value), person)
                if is_person(person) =>
            {
                Some(value)
            }
            _ => None,
        },
        Expression::Call {
            function: Function::Defined,
            arguments,
        } if arguments.iter().all(is_person) => Some(&Value::Null),
        _ => None,
    }
}

fn note(value: &Value, named: &mut BTreeSet<u64>) {
    match value {
        Value::Number(number) if *number >= 1.0 && number.fract() == 0.0 => {
            named.insert(*number as u64);
        }
        Value::List(items) => items.iter().for_each(|item| note(item, named)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_are_named_by_comparing_and_by_nothing_else() {
        let named = |text: &str| named_persons([&Expression::parse(text).unwrap()]).map(Vec::from_iter);
        for (text, expected) in [
            ("properties[\"a\"] == 5", vec![]),
            ("properties[\"$distinct_id\"] == 5", vec![5]),
            (
                "7 != properties[\"$distinct_id\"] and not properties[\"$distinct_id\"] in [3, 2, \"x\", 0, 1.5]",
                vec![2, 3, 7],
            ),
            ("defined(properties[\"$distinct_id\"])", vec![]),
        ] {
            assert_eq!(named(text).unwrap(), expected, "{text}");
        }
        for text in [
            "properties[\"$distinct_id\"]",
            "properties[\"$distinct_id\"] < 5",
            "user[\"$distinct_id\"] < 5",
            "properties[\"$distinct_id\"] % 2 == 0",
            "properties[\"$distinct_id\"] == properties[\"$distinct_id\"]",
            "string(properties[\"$distinct_id\"]) == \"5\"",
            "properties[\"$distinct_id\"] == properties[\"a\"]",
            "5 in properties[\"$distinct_id\"]",
        ] {
            assert!(named(text).is_err(), "{text}");
        }
    }
}
