//! What can be said about types without looking at any data.

use super::{BinaryOp, Expression};
use crate::Value;

/// `and` or `or` over something that can be no boolean, whatever the data (contract X9).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'and' and 'or' join booleans; {operand} is {kind}")]
pub struct CertainFault {
    /// The operand as it is written.
    pub operand: String,
    /// `a number`, `a text` or `a list or object`.
    pub kind: &'static str,
}

impl Expression {
    /// The first type error that any row would raise. Rows can raise more: most types are known only from values.
    pub fn certain_fault(&self) -> Option<CertainFault> {
        let mut fault = None;
        self.walk(&mut |part| {
            let Expression::Binary {
                op: BinaryOp::And | BinaryOp::Or,
                left,
                right,
            } = part
            else {
                return;
            };
            for operand in [left, right] {
                if let (None, Some(kind)) = (&fault, operand.certain_kind()) {
                    let operand = operand.to_string();
                    fault = Some(CertainFault { operand, kind });
                }
            }
        });
        fault
    }

    /// What the value is in every row, where that is neither a boolean nor unset.
    fn certain_kind(&self) -> Option<&'static str> {
        match self {
            Expression::Literal(Value::Number(_)) => Some("a number"),
            Expression::Literal(Value::String(_)) => Some("a text"),
            Expression::Literal(Value::List(_) | Value::Object(_)) => Some("a list or object"),
            Expression::Negate(inner) => inner.certain_kind().filter(|kind| *kind == "a number"),
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn faults_that_no_data_can_mend_are_found() {
        let fault = |text: &str| {
            Expression::parse(text)
                .unwrap()
                .certain_fault()
                .map(|fault| fault.to_string())
        };
        assert_eq!(fault("1 and 2").unwrap(), "'and' and 'or' join booleans; 1 is a number");
        assert_eq!(
            fault("properties[\"a\"] == 1 and not (true or \"x\")").unwrap(),
            "'and' and 'or' join booleans; \"x\" is a text"
        );
        assert!(fault("-3 or true").unwrap().ends_with("is a number"));
        for fine in [
            "true and false",
            "properties[\"a\"] and not 1",
            "1 == 2 or properties[\"b\"] in [\"x\"]",
        ] {
            assert_eq!(fault(fine), None, "{fine}");
        }
    }
}
