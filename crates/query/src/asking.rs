//! How plans are run: DataFusion with our operators, within the limits of a question.

use crate::answer::Computed;
use crate::definitions::Setting;
use crate::engine::EngineOptions;
use crate::error::{QueryError, sort_out};
use crate::limits::{Activity, QuestionMemory, QuestionsMemory, Stop};
use crate::operators;
use crate::operators::cells::Cells;
use crate::operators::merge::one_by_one;
use crate::operators::node::OperatorPlanner;
use crate::operators::persons_who::Who;
use crate::plan::{self, Planned, Source};
use crate::scan::ScanCounters;
use crate::sql::NotePlanner;
use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::Session;
use datafusion::error::DataFusionError;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, execute_stream};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;
use model::EventTime;
use model::report::{DateRange, Question, Report, ReportCell};
use roaring::RoaringTreemap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Memory, Project, Snapshot, Store};

/// What to do about too large a report.
pub(crate) const NARROW_REPORT: &str = "the range, or ask for fewer breakdowns, a longer unit or particular events";

pub(crate) fn session_state(options: &EngineOptions, process: &Memory) -> SessionState {
    let mut config = SessionConfig::new().with_target_partitions(options.threads.max(1));
    // Rows of a person must stay in their partition; see `scan::table`.
    config.options_mut().optimizer.enable_round_robin_repartition = false;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(QuestionsMemory::new(options.memory_bytes, process)))
        // Rows about persons must not lie in a directory for temporary files that nobody watches.
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()
        .expect("a runtime with defaults but for its pool cannot fail");
    SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_query_planner(Arc::new(Planner))
        .build()
}

/// DataFusion's planner, with our operators.
#[derive(Debug)]
struct Planner;

#[async_trait::async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(OperatorPlanner), Arc::new(NotePlanner)])
            .create_physical_plan(plan, session)
            .await
    }
}

/// What running a plan needs.
#[derive(Clone)]
pub(crate) struct Asking {
    pub store: Store,
    pub state: SessionState,
    /// What this question may hold.
    pub memory_bytes: usize,
    pub activity: Arc<Activity>,
    /// What this question has read, all of its parts together.
    pub counters: Arc<ScanCounters>,
    /// When this question has to end.
    pub stop: Arc<Stop>,
    /// Whom the definitions that this question is built on name (see [`crate::named`]).
    pub named: Arc<Mutex<RoaringTreemap>>,
}

impl Asking {
    pub async fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>, QueryError> {
        let planned = self.state.create_physical_plan(plan).await;
        planned.map_err(|error| self.sort_out(error, NARROW_REPORT))
    }

    /// The plan as DataFusion would run it.
    pub fn optimized(&self, plan: &LogicalPlan) -> datafusion::common::Result<LogicalPlan> {
        self.state.optimize(plan)
    }

    /// Runs a plan that is optimised already to its end.
    pub async fn collect_optimized(
        &self,
        plan: &LogicalPlan,
        narrow: &'static str,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let planned = self.state.query_planner().create_physical_plan(plan, &self.state).await;
        let physical = planned.map_err(|error| self.sort_out(error, narrow))?;
        self.execute(physical, narrow).await
    }

    /// Runs a plan to its end: shard by shard where all at once need too much memory. `narrow` says what to do about
    /// too large a question.
    pub async fn collect(&self, plan: &LogicalPlan, narrow: &'static str) -> Result<Vec<RecordBatch>, QueryError> {
        let memory = self.memory();
        match self.execute_in(&memory, self.physical(plan).await?, narrow).await {
            Err(too_large @ (QueryError::TooLarge { .. } | QueryError::MemoryShort { .. })) => {
                // Planned anew: a plan that ran may remember it.
                let Some(split) = one_by_one(&self.physical(plan).await?) else {
                    return Err(too_large);
                };
                // The first attempt's other partitions end a moment later, and what they hold is needed now.
                while memory.reserved() > 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                self.activity.split.fetch_add(1, Ordering::Relaxed);
                self.execute_in(&memory, split, narrow).await
            }
            other => other,
        }
    }

    async fn execute(
        &self,
        physical: Arc<dyn ExecutionPlan>,
        narrow: &'static str,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        self.execute_in(&self.memory(), physical, narrow).await
    }

    async fn execute_in(
        &self,
        memory: &Arc<dyn MemoryPool>,
        physical: Arc<dyn ExecutionPlan>,
        narrow: &'static str,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let stream = execute_stream(physical, self.context(memory)).map_err(|error| self.sort_out(error, narrow))?;
        stream.try_collect().await.map_err(|error| self.sort_out(error, narrow))
    }

    fn context(&self, memory: &Arc<dyn MemoryPool>) -> Arc<TaskContext> {
        let runtime = RuntimeEnv {
            memory_pool: memory.clone(),
            ..RuntimeEnv::clone(self.state.runtime_env())
        };
        Arc::new(TaskContext::from(&self.state).with_runtime(Arc::new(runtime)))
    }

    /// Whom an accumulator finds in the partitions of a plan, each of which holds whole persons.
    pub async fn persons_who(
        &self,
        plan: &LogicalPlan,
        who: impl Who,
        narrow: &'static str,
    ) -> Result<RoaringTreemap, QueryError> {
        let physical = self.physical(plan).await?;
        let context = self.context(&self.memory());
        // Dropping the set ends its tasks, and with them the question.
        let mut running = tokio::task::JoinSet::new();
        for partition in 0..physical.output_partitioning().partition_count() {
            let mut input = physical
                .execute(partition, context.clone())
                .map_err(|error| self.sort_out(error, narrow))?;
            let mut state = who.accumulate(&physical.schema());
            let reservation = MemoryConsumer::new("PersonsWho").register(context.memory_pool());
            running.spawn(async move {
                while let Some(batch) = input.try_next().await? {
                    state.push(&batch)?;
                    reservation.try_resize(state.size_bytes())?;
                }
                Ok::<_, DataFusionError>(state.finish())
            });
        }
        let mut found = RoaringTreemap::new();
        while let Some(ended) = running.join_next().await {
            let ended = ended.unwrap_or_else(|failed| Err(DataFusionError::External(Box::new(failed))));
            found |= ended.map_err(|error| self.sort_out(error, narrow))?;
        }
        Ok(found)
    }

    /// The cells of a report, or of one of its numbers.
    pub async fn compute(
        &self,
        source: &Source,
        report: &Report,
        range: DateRange,
        cell: Option<&ReportCell>,
    ) -> Result<Computed, QueryError> {
        let planned = plan::plan(source, report, range, cell)?;
        if cell.is_some() || !matches!(report.question, Question::Flow(_)) {
            return self.run_plan(planned).await;
        }
        let batches = self.collect(&planned.plan, NARROW_REPORT).await?;
        let flow = operators::flow::read(&batches).map_err(|error| self.sort_out(error, NARROW_REPORT))?;
        Ok(Computed {
            cells: Cells::default(),
            buckets: planned.buckets,
            flow: Some(flow),
        })
    }

    /// Runs a plan whose operator ends in cells.
    pub async fn run_plan(&self, planned: Planned) -> Result<Computed, QueryError> {
        let mut cells = Cells::default();
        for batch in self.collect(&planned.plan, NARROW_REPORT).await? {
            cells.add(&batch).map_err(|error| self.sort_out(error, NARROW_REPORT))?;
        }
        Ok(Computed {
            cells,
            buckets: planned.buckets,
            flow: None,
        })
    }

    pub fn name(&self, persons: RoaringTreemap) {
        *self.named.lock().unwrap_or_else(PoisonError::into_inner) |= persons;
    }

    /// Whom definitions named so far.
    pub fn named(&self) -> RoaringTreemap {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn setting<'a>(&'a self, project: &'a Project, snapshot: &'a Snapshot, now: EventTime) -> Setting<'a> {
        Setting {
            asking: self,
            project,
            snapshot,
            now,
        }
    }

    /// Memory of the engine, but only up to a question's share.
    fn memory(&self) -> Arc<dyn MemoryPool> {
        let all = self.state.runtime_env().memory_pool.clone();
        Arc::new(QuestionMemory::of(all, self.memory_bytes))
    }

    pub fn sort_out(&self, error: DataFusionError, narrow: &'static str) -> QueryError {
        sort_out(error, self.memory_bytes, narrow)
    }
}
