//! Filters that a scan applies itself: on the event's name and its time.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
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

/// A comparison of a column of instants with one, or a conjunction of such; `None` when it is of another form.
pub(crate) fn push_instant(filter: &Expr, column: &str) -> Option<Pushed> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else {
        return None;
    };
    if *op == Operator::And {
        return Some(push_instant(left, column)?.and(push_instant(right, column)?));
    }
    let (op, instant) = match (is_instant(left, column), is_instant(right, column)) {
        (true, false) => (*op, right),
        (false, true) => (op.swap()?, left),
        _ => return None,
    };
    let Expr::Literal(instant, _) = instant.as_ref() else {
        return None;
    };
    // The first millisecond that is not before the instant, and the first one after it.
    let (first_ms, after_ms) = match instant {
        ScalarValue::TimestampMillisecond(Some(at), _) => (*at, at.checked_add(1)?),
        ScalarValue::TimestampMicrosecond(Some(at), _) => (ceiling(*at, 1_000), at.div_euclid(1_000).checked_add(1)?),
        ScalarValue::TimestampNanosecond(Some(at), _) => {
            (ceiling(*at, 1_000_000), at.div_euclid(1_000_000).checked_add(1)?)
        }
        _ => return None,
    };
    let (from_ms, to_ms) = match op {
        Operator::GtEq => (first_ms, i64::MAX),
        Operator::Gt => (after_ms, i64::MAX),
        Operator::Lt => (i64::MIN, first_ms),
        Operator::LtEq => (i64::MIN, after_ms),
        _ => return None,
    };
    Some(Pushed {
        events: None,
        from_ms,
        to_ms,
    })
}

/// The column itself, or in a type that keeps its milliseconds. One cast only: two can move an instant to another zone.
fn is_instant(expression: &Expr, column: &str) -> bool {
    let fine = |to: &DataType| matches!(to, DataType::Timestamp(unit, _) if !matches!(unit, TimeUnit::Second));
    match expression {
        Expr::Column(named) => named.name == column,
        Expr::Cast(cast) => {
            fine(cast.field.data_type()) && matches!(cast.expr.as_ref(), Expr::Column(named) if named.name == column)
        }
        _ => false,
    }
}

fn ceiling(at: i64, unit: i64) -> i64 {
    at.div_euclid(unit) + i64::from(at.rem_euclid(unit) > 0)
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
    fn instants_are_pushed_to_the_millisecond() {
        let time = |op, instant: ScalarValue| {
            let filter = Expr::BinaryExpr(BinaryExpr::new(Box::new(col("time")), op, Box::new(lit(instant))));
            push_instant(&filter, "time").map(|pushed| (pushed.from_ms, pushed.to_ms))
        };
        let nanos = |at| ScalarValue::TimestampNanosecond(Some(at), None);
        let (min, max) = (i64::MIN, i64::MAX);
        assert_eq!(time(Operator::GtEq, nanos(5_000_000)), Some((5, max)));
        assert_eq!(time(Operator::GtEq, nanos(5_000_001)), Some((6, max)));
        assert_eq!(time(Operator::Gt, nanos(5_000_000)), Some((6, max)));
        assert_eq!(time(Operator::Gt, nanos(-1)), Some((0, max)));
        assert_eq!(time(Operator::Lt, nanos(5_000_001)), Some((min, 6)));
        assert_eq!(time(Operator::LtEq, nanos(5_999_999)), Some((min, 6)));
        let utc = Some("UTC".into());
        assert_eq!(
            time(Operator::LtEq, ScalarValue::TimestampMillisecond(Some(5), utc)),
            Some((min, 6))
        );
        assert_eq!(time(Operator::Eq, nanos(5_000_000)), None);
        let turned = lit(nanos(7_000_000)).lt_eq(col("time"));
        assert_eq!(push_instant(&turned, "time").map(|pushed| pushed.from_ms), Some(7));
        assert_eq!(push_instant(&turned, "person"), None);
    }

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
