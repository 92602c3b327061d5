//! Filters that a scan applies itself: on the event's name and its time.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use std::collections::BTreeSet;

/// A conjunction of such filters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pushed {
    /// Names that may occur; any when absent.
    pub events: Option<Vec<String>>,
    pub from_ms: i64,
    /// Exclusive.
    pub to_ms: i64,
}

impl Default for Pushed {
    fn default() -> Self {
        Pushed {
            events: None,
            from_ms: i64::MIN,
            to_ms: i64::MAX,
        }
    }
}

impl Pushed {
    pub fn and(self, other: Pushed) -> Pushed {
        let events = match (self.events, other.events) {
            (Some(left), Some(right)) => Some(left.into_iter().filter(|event| right.contains(event)).collect()),
            (left, right) => left.or(right),
        };
        Pushed {
            events,
            from_ms: self.from_ms.max(other.from_ms),
            to_ms: self.to_ms.min(other.to_ms),
        }
    }

    fn events(events: BTreeSet<String>) -> Pushed {
        Pushed {
            events: Some(events.into_iter().collect()),
            ..Pushed::default()
        }
    }
}

/// The filter as one of a scan; `None` when it is of another form.
pub(crate) fn push(filter: &Expr) -> Option<Pushed> {
    if let Some(events) = event_names(filter) {
        return Some(Pushed::events(events));
    }
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else {
        return None;
    };
    if *op == Operator::And {
        return Some(push(left)?.and(push(right)?));
    }
    let (true, Expr::Literal(ScalarValue::Int64(Some(bound)), _)) = (is_column(left, "time"), strip(right)) else {
        return None;
    };
    let (from_ms, to_ms) = match op {
        Operator::GtEq => (*bound, i64::MAX),
        Operator::Gt => (bound.checked_add(1)?, i64::MAX),
        Operator::Lt => (i64::MIN, *bound),
        Operator::LtEq => (i64::MIN, bound.checked_add(1)?),
        _ => return None,
    };
    Some(Pushed {
        events: None,
        from_ms,
        to_ms,
    })
}

/// The names of `event = 'a'`, `event IN (…)` and alternatives of these.
fn event_names(filter: &Expr) -> Option<BTreeSet<String>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Eq if is_column(left, "event") => Some(BTreeSet::from([text(right)?])),
            Operator::Or => {
                let mut names = event_names(left)?;
                names.append(&mut event_names(right)?);
                Some(names)
            }
            _ => None,
        },
        Expr::InList(list) if !list.negated && is_column(&list.expr, "event") => list.list.iter().map(text).collect(),
        _ => None,
    }
}

/// Without the casts that type coercion adds around dictionaries.
fn strip(expression: &Expr) -> &Expr {
    match expression {
        Expr::Cast(cast) => strip(&cast.expr),
        other => other,
    }
}

fn is_column(expression: &Expr, name: &str) -> bool {
    matches!(strip(expression), Expr::Column(column) if column.name == name)
}

fn text(expression: &Expr) -> Option<String> {
    let Expr::Literal(scalar, _) = strip(expression) else {
        return None;
    };
    let scalar = match scalar {
        ScalarValue::Dictionary(_, inner) => inner,
        scalar => scalar,
    };
    scalar.try_as_str().flatten().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::{col, lit};

    #[test]
    fn names_and_times_are_pushed_and_nothing_else() {
        let pushed = push(&col("time").gt_eq(lit(5_i64)).and(col("time").lt(lit(9_i64)))).unwrap();
        assert_eq!((pushed.from_ms, pushed.to_ms), (5, 9));
        let either = col("event").eq(lit("a")).or(col("event").eq(lit("b")));
        assert_eq!(push(&either).unwrap().events, Some(vec!["a".into(), "b".into()]));
        let both = push(&either)
            .unwrap()
            .and(push(&col("event").in_list(vec![lit("b"), lit("c")], false)).unwrap());
        assert_eq!(both.events, Some(vec!["b".into()]));
        assert_eq!(push(&col("event").in_list(vec![lit("b")], true)), None);
        assert_eq!(push(&col("plan:string").eq(lit("a"))), None);
        assert_eq!(push(&col("time").eq(lit(5_i64))), None);
    }
}
