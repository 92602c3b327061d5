//! Stopping joins. One that looks at pair after pair hands on rows rarely, or never, and only there would anybody ask
//! whether it should go on. So its condition asks, with every batch of pairs.

use crate::error::QueryError;
use crate::limits::Stop;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, Join, JoinType, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The plan, which is optimised already, with conditions that ask.
pub(super) fn stoppable(plan: LogicalPlan, stop: &Arc<Stop>) -> Result<LogicalPlan> {
    let goes_on = Arc::new(ScalarUDF::from(GoesOn {
        signature: Signature::any(2, Volatility::Volatile),
        stop: stop.clone(),
    }));
    let asking = plan.transform_up_with_subqueries(|node| {
        Ok(match node {
            LogicalPlan::Join(join) => match asks(&join, &goes_on) {
                Some(filter) => Transformed::yes(LogicalPlan::Join(Join {
                    filter: Some(filter),
                    ..join
                })),
                None => Transformed::no(LogicalPlan::Join(join)),
            },
            other => Transformed::no(other),
        })
    });
    asking.map(|asking| asking.data)
}

/// The condition of a join with the question before it. Joins by equality alone that are not inner hand on a row for every
/// row of a side, and some of them take no condition.
fn asks(join: &Join, goes_on: &Arc<ScalarUDF>) -> Option<Expr> {
    if join.filter.is_none() && join.join_type != JoinType::Inner {
        return None;
    }
    // A column of each side, so that nobody decides the condition before there are pairs.
    let of = |side: &LogicalPlan| side.schema().columns().into_iter().next().map(Expr::Column);
    let asks = goes_on.call(vec![of(&join.left)?, of(&join.right)?]);
    Some(match &join.filter {
        Some(filter) => asks.and(filter.clone()),
        None => asks,
    })
}

/// True as long as the question should go on, else an error.
#[derive(Debug)]
struct GoesOn {
    signature: Signature,
    stop: Arc<Stop>,
}

impl PartialEq for GoesOn {
    fn eq(&self, other: &GoesOn) -> bool {
        Arc::ptr_eq(&self.stop, &other.stop)
    }
}

impl Eq for GoesOn {}

impl Hash for GoesOn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.stop).hash(state);
    }
}

impl ScalarUDFImpl for GoesOn {
    fn name(&self) -> &str {
        "goes_on"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.stop.is_due() {
            let limit_ms = self.stop.limit_ms();
            return Err(DataFusionError::External(Box::new(QueryError::TimedOut { limit_ms })));
        }
        Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))))
    }
}
