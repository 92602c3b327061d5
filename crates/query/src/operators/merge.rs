//! The end of every operator: the cells of all partitions added up.
//!
//! Persons are disjoint over partitions, so counts of distinct persons add like any other count.

use super::Operator;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;
use std::fmt::{self, Formatter};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct MergeExec {
    operator: Arc<dyn Operator>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

/// The same answer with less memory: one partition after the other instead of all at once. Only one state is held at a
/// time; the cells of the partitions before it are small beside it. `None` for a plan that is no operator's.
pub(crate) fn one_by_one(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let merge = plan.downcast_ref::<MergeExec>()?;
    let at_once = merge.input.downcast_ref::<CoalescePartitionsExec>()?;
    Some(Arc::new(MergeExec {
        operator: merge.operator.clone(),
        input: at_once.input().clone(),
        properties: merge.properties.clone(),
    }))
}

impl MergeExec {
    pub fn new(operator: Arc<dyn Operator>, input: Arc<dyn ExecutionPlan>) -> MergeExec {
        let input: Arc<dyn ExecutionPlan> = match input.output_partitioning().partition_count() {
            1 => input,
            _ => Arc::new(CoalescePartitionsExec::new(input)),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(operator.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        MergeExec {
            operator,
            input,
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for MergeExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "MergeCells")
    }
}

impl ExecutionPlan for MergeExec {
    fn name(&self) -> &str {
        "MergeCells"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) => Ok(Arc::new(MergeExec::new(self.operator.clone(), input))),
            None => internal_err!("MergeCells has one input"),
        }
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.clone();
        let reservation = MemoryConsumer::new("MergeCells").register(context.memory_pool());
        let operator = self.operator.clone();
        let schema = operator.schema();
        let merged = async move {
            // Partitions finish in any order; sums of floats must not depend on it.
            let mut batches = Vec::new();
            for partition in 0..input.output_partitioning().partition_count() {
                let mut partition = input.execute(partition, context.clone())?;
                while let Some(batch) = partition.next().await {
                    let batch = batch?;
                    reservation.try_grow(2 * batch.get_array_memory_size())?;
                    batches.push(batch);
                }
            }
            operator.merge(&batches, &|bytes| reservation.try_grow(bytes))
        };
        let stream = futures::stream::once(merged);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }
}
