//! The frame that every operator of ours has in DataFusion: logical node, planner, physical plan, stream.

use super::cells;
use super::merge::MergeExec;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use futures::StreamExt;
use std::cmp::Ordering;
use std::fmt::{self, Debug, Formatter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What an operator computes. Everything it needs besides rows lies in it.
pub(crate) trait Operator: Debug + Send + Sync {
    fn name(&self) -> &'static str;

    /// Parameters, as plans show them. Two operators of one name and description are the same.
    fn describe(&self) -> String;

    /// A fresh state for one partition, over batches of `input`.
    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>>;

    /// How often the rows are read; after each pass but the last comes [`Accumulate::next_pass`].
    fn passes(&self) -> usize {
        1
    }

    /// What [`Accumulate::finish`] ends with.
    fn partial_schema(&self) -> SchemaRef {
        cells::schema()
    }

    /// What [`Operator::merge`] ends with.
    fn schema(&self) -> SchemaRef {
        cells::schema()
    }

    /// What all partitions ended with, as one.
    fn merge(&self, partials: &[RecordBatch], _memory: Memory<'_>) -> Result<RecordBatch> {
        let mut cells = cells::Cells::default();
        for partial in partials {
            cells.add(partial)?;
        }
        cells.into_batch()
    }
}

/// Asks for more bytes, or refuses the question.
pub(crate) type Memory<'a> = &'a dyn Fn(usize) -> Result<()>;

/// The state of an operator over one partition.
pub(crate) trait Accumulate: Send {
    fn push(&mut self, batch: &RecordBatch) -> Result<()>;

    /// The rows come again, in the same order.
    fn next_pass(&mut self) {}

    /// Bytes held now, about.
    fn size_bytes(&self) -> usize;

    /// Bytes that [`Accumulate::finish`] needs besides.
    fn finish_bytes(&self) -> usize {
        0
    }

    /// The partition's cells.
    fn finish(self: Box<Self>) -> Result<RecordBatch>;

    /// [`Accumulate::finish`], for states that only then learn how much they need.
    fn finish_within(self: Box<Self>, _memory: Memory<'_>) -> Result<RecordBatch> {
        self.finish()
    }
}

/// An operator over a plan.
#[derive(Debug)]
pub(crate) struct OperatorNode {
    operator: Arc<dyn Operator>,
    input: LogicalPlan,
    schema: DFSchemaRef,
}

impl OperatorNode {
    pub fn over(operator: Arc<dyn Operator>, input: LogicalPlan) -> Result<LogicalPlan> {
        let node = Arc::new(OperatorNode::new(operator, input)?);
        Ok(LogicalPlan::Extension(Extension { node }))
    }

    fn new(operator: Arc<dyn Operator>, input: LogicalPlan) -> Result<OperatorNode> {
        let schema = Arc::new(DFSchema::try_from(operator.schema())?);
        Ok(OperatorNode {
            operator,
            input,
            schema,
        })
    }

    fn identity(&self) -> (&'static str, String, &LogicalPlan) {
        (self.operator.name(), self.operator.describe(), &self.input)
    }
}

impl PartialEq for OperatorNode {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for OperatorNode {}

impl PartialOrd for OperatorNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.identity().partial_cmp(&other.identity())
    }
}

impl Hash for OperatorNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl UserDefinedLogicalNodeCore for OperatorNode {
    fn name(&self) -> &str {
        self.operator.name()
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operator.name(), self.operator.describe())
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.pop() {
            Some(input) if inputs.is_empty() => OperatorNode::new(self.operator.clone(), input),
            _ => internal_err!("{} has one input", self.operator.name()),
        }
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![(0..self.input.schema().fields().len()).collect()])
    }
}

/// Plans an [`OperatorNode`] as one partial operator per partition and one merge.
#[derive(Debug)]
pub(crate) struct OperatorPlanner;

#[async_trait::async_trait]
impl ExtensionPlanner for OperatorPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<OperatorNode>() else {
            return Ok(None);
        };
        let [input] = physical_inputs else {
            return internal_err!("{} has one input", node.operator.name());
        };
        let partial = Arc::new(OperatorExec::new(node.operator.clone(), input.clone()));
        Ok(Some(Arc::new(MergeExec::new(node.operator.clone(), partial))))
    }
}

/// An operator over each partition of its input alone.
#[derive(Debug)]
pub(crate) struct OperatorExec {
    operator: Arc<dyn Operator>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl OperatorExec {
    fn new(operator: Arc<dyn Operator>, input: Arc<dyn ExecutionPlan>) -> OperatorExec {
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(operator.partial_schema()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        OperatorExec {
            operator,
            input,
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for OperatorExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operator.name(), self.operator.describe())
    }
}

impl ExecutionPlan for OperatorExec {
    fn name(&self) -> &str {
        self.operator.name()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// Rows must stay in the partition they came from: it holds whole persons.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) => Ok(Arc::new(OperatorExec::new(self.operator.clone(), input))),
            None => internal_err!("{} has one input", self.operator.name()),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (input, passes) = (self.input.clone(), self.operator.passes());
        let mut state = self.operator.accumulate(&self.input.schema())?;
        let reservation = MemoryConsumer::new(self.operator.name()).register(context.memory_pool());
        let cells = async move {
            for pass in 0..passes {
                if pass > 0 {
                    state.next_pass();
                }
                // The input may hold blocks of the store; the end does not need them.
                let mut rows = input.execute(partition, context.clone())?;
                while let Some(batch) = rows.next().await {
                    state.push(&batch?)?;
                    reservation.try_resize(state.size_bytes())?;
                }
            }
            reservation.try_resize(state.size_bytes() + state.finish_bytes())?;
            state.finish_within(&|bytes| reservation.try_grow(bytes))
        };
        let stream = futures::stream::once(cells);
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.operator.partial_schema(),
            stream,
        )))
    }
}
