//! The engine: threads, memory, and the way from a question to an undisclosed answer.

mod insights;

use crate::answer::{Computed, Reading, fields_of};
use crate::definition;
use crate::error::{QueryError, sort_out};
use crate::operators;
use crate::operators::cells::Cells;
use crate::operators::node::OperatorPlanner;
use crate::people::{self, GroupRow, GroupSet, Page, PeopleFilter, PeoplePage, PeopleQuery, PeopleSet};
use crate::plan::functions::Zone;
use crate::plan::{self, Planned, Source};
use crate::rows::{self, EventRow, EventsQuery};
use crate::scan::ScanCounters;
use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::Session;
use datafusion::error::DataFusionError;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;
use jiff::tz::TimeZone;
use ledger::{Class, Disclosure, Undisclosed, digest_of};
use model::report::{Answer, DateRange, InvalidReport, Question, Report, ReportCell};
use model::{EventTime, GroupNumber};
use roaring::RoaringTreemap;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use store::{Project, Snapshot, Store};

/// How much of the machine questions may use.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    pub threads: usize,
    /// Memory for the state of all running questions together.
    pub memory_bytes: usize,
}

/// Stack of the engine's threads. Filters are trees as high as [`model::expression::HEIGHT_MAX`], and planning walks them
/// by recursion with large frames. Memory that is not touched is not taken.
const STACK_BYTES: usize = 128 << 20;

/// Answers questions over a store. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    memory_bytes: usize,
    state: SessionState,
    /// Threads of its own, so that a long scan does not hold up those that serve connections.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Waiting for the threads here could block a thread that must not be; running questions end by themselves.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An answer with how it came about.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Explained {
    pub answer: Answer,
    pub explanation: Explanation,
}

/// What a number means, how fresh it is and what it took.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// The question in words.
    pub definition: String,
    /// Sequence number of the last event that the answer can include.
    pub watermark: u64,
    pub rows_read: u64,
    pub bytes_read: u64,
    pub took_ms: f64,
    /// SHA-256 of the question's canonical JSON, in hexadecimal.
    pub digest: String,
    pub class: Class,
}

impl Engine {
    /// An engine with its own threads.
    ///
    /// # Panics
    /// When the operating system gives no threads.
    pub fn new(store: Store, options: EngineOptions) -> Engine {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .build()
            .expect("a process that cannot start threads cannot answer questions");
        let shared = Shared {
            store,
            memory_bytes: options.memory_bytes,
            state: session_state(&options),
            runtime: Some(runtime),
        };
        Engine {
            shared: Arc::new(shared),
        }
    }

    /// Answers a report definition. `now` decides which retention intervals have begun.
    ///
    /// Dropping the future cancels the question.
    pub async fn report(
        &self,
        project: &Project,
        report: &Report,
        now: EventTime,
    ) -> Result<Undisclosed<Explained>, QueryError> {
        let (shared, project, report) = (self.shared.clone(), project.clone(), report.clone());
        self.run(async move { shared.report(&project, &report, now).await })
            .await
    }

    /// Who is behind one number of a report's answer: exactly the persons that it counts. Handing the set out discloses
    /// them all, like a list of rows (class D2).
    pub async fn members(
        &self,
        project: &Project,
        report: &Report,
        cell: &ReportCell,
    ) -> Result<Undisclosed<PeopleSet>, QueryError> {
        let (shared, project, report, cell) = (self.shared.clone(), project.clone(), report.clone(), cell.clone());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let persons = shared.members(&snapshot, &project, &report, &cell).await?;
            let disclosure = Disclosure {
                class: Class::D2,
                persons: persons.clone(),
                fields: fields_of(&report),
                question_digest: digest_of(&(&report, &cell)),
            };
            Ok(Undisclosed::new(PeopleSet::of(persons), disclosure))
        })
        .await
    }

    /// A page of those behind one number, in order of person number, with their ordinary properties. Discloses the page.
    pub async fn member_rows(
        &self,
        project: &Project,
        report: &Report,
        cell: &ReportCell,
        page: Page,
    ) -> Result<Undisclosed<PeoplePage>, QueryError> {
        let (shared, project, report, cell) = (self.shared.clone(), project.clone(), report.clone(), cell.clone());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let members = shared.members(&snapshot, &project, &report, &cell).await?;
            let digest = digest_of(&(&report, &cell));
            Ok(people::page_of_members(
                &snapshot,
                members,
                page,
                fields_of(&report),
                digest,
            ))
        })
        .await
    }

    /// Events with persons, as rows. Every row is a disclosure.
    pub async fn events(
        &self,
        project: &Project,
        question: &EventsQuery,
    ) -> Result<Undisclosed<Vec<EventRow>>, QueryError> {
        let (shared, project, question) = (self.shared.clone(), project.clone(), question.clone());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            rows::answer(&shared.asking(), &snapshot, zone(&project.timezone)?, question).await
        })
        .await
    }

    /// Profiles with persons, as rows. Every row is a disclosure.
    pub async fn people(
        &self,
        project: &Project,
        question: &PeopleQuery,
    ) -> Result<Undisclosed<PeoplePage>, QueryError> {
        let (shared, project, question) = (self.shared.clone(), project.clone(), question.clone());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            people::answer(&shared.asking(), &snapshot, zone(&project.timezone)?, question).await
        })
        .await
    }

    /// Who has a profile that passes a filter, for asking for their rows page by page: by number, or by a property
    /// (whether the largest come first), those without it last.
    pub async fn matching_people(
        &self,
        project: &Project,
        filter: &PeopleFilter,
        order: Option<&(String, bool)>,
    ) -> Result<PeopleSet, QueryError> {
        let (shared, project, filter, order) = (self.shared.clone(), project.clone(), filter.clone(), order.cloned());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let zone = zone(&project.timezone)?;
            people::matching(&shared.asking(), &snapshot, zone, &filter, order.as_ref()).await
        })
        .await
    }

    /// Groups of a key with a profile that passes a filter. Like [`Engine::matching_people`].
    pub async fn matching_groups(
        &self,
        project: &Project,
        key: &str,
        filter: &PeopleFilter,
        order: Option<&(String, bool)>,
    ) -> Result<GroupSet, QueryError> {
        let (shared, project, filter, order) = (self.shared.clone(), project.clone(), filter.clone(), order.cloned());
        let key = key.to_owned();
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let zone = zone(&project.timezone)?;
            people::groups::matching(&shared.asking(), &snapshot, zone, &key, &filter, order.as_ref()).await
        })
        .await
    }

    /// The profiles of groups, as rows in the order given. Every row is a disclosure.
    pub fn groups(&self, project: &Project, key: &str, groups: &[GroupNumber]) -> Undisclosed<Vec<GroupRow>> {
        people::groups::rows(&self.shared.store.snapshot(project.id), key, groups)
    }

    /// The plan of a report as text, optimised, as the engine would run it.
    pub async fn plan_text(&self, project: &Project, report: &Report) -> Result<String, QueryError> {
        let (shared, project, report) = (self.shared.clone(), project.clone(), report.clone());
        self.run(async move {
            report.check()?;
            let snapshot = shared.store.snapshot(project.id);
            let zone = zone(report.timezone.as_deref().unwrap_or(&project.timezone))?;
            let expressions = plan::expressions(&report).into_iter();
            let source = Source::new(&snapshot, zone, expressions, None, Arc::default());
            let planned = plan::plan(&source, &report, report.range, None)?;
            let asking = shared.asking();
            let physical = asking.physical(&planned.plan).await?;
            let text = datafusion::physical_plan::displayable(physical.as_ref()).indent(false);
            Ok(text.to_string())
        })
        .await
    }

    /// Runs a question on the engine's threads, for as long as the caller waits.
    async fn run<T: Send + 'static>(
        &self,
        question: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        let runtime = self.shared.runtime.as_ref();
        let handle = runtime.expect("only dropping the engine takes its threads").handle();
        let mut task = AbortOnDrop(handle.spawn(question));
        match (&mut task.0).await {
            Ok(answer) => answer,
            Err(failed) => Err(QueryError::Internal(DataFusionError::External(Box::new(failed)))),
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn session_state(options: &EngineOptions) -> SessionState {
    let mut config = SessionConfig::new().with_target_partitions(options.threads.max(1));
    // Rows of a person must stay in their partition; see `scan::table`.
    config.options_mut().optimizer.enable_round_robin_repartition = false;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(options.memory_bytes)))
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
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(OperatorPlanner)])
            .create_physical_plan(plan, session)
            .await
    }
}

/// What running a plan needs.
pub(crate) struct Asking {
    state: SessionState,
    memory_bytes: usize,
}

impl Asking {
    async fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>, QueryError> {
        let planned = self.state.create_physical_plan(plan).await;
        planned.map_err(|error| self.sort_out(error, NARROW_REPORT))
    }

    /// Runs a plan to its end. `narrow` says what to do about too large a question.
    pub async fn collect(&self, plan: &LogicalPlan, narrow: &'static str) -> Result<Vec<RecordBatch>, QueryError> {
        let physical = self.physical(plan).await?;
        let stream = execute_stream(physical, self.state.task_ctx()).map_err(|error| self.sort_out(error, narrow))?;
        stream.try_collect().await.map_err(|error| self.sort_out(error, narrow))
    }

    pub fn sort_out(&self, error: DataFusionError, narrow: &'static str) -> QueryError {
        sort_out(error, self.memory_bytes, narrow)
    }
}

const NARROW_REPORT: &str = "the range, or ask for fewer breakdowns, a longer unit or particular events";

impl Shared {
    fn asking(&self) -> Asking {
        Asking {
            state: self.state.clone(),
            memory_bytes: self.memory_bytes,
        }
    }

    async fn report(
        &self,
        project: &Project,
        report: &Report,
        now: EventTime,
    ) -> Result<Undisclosed<Explained>, QueryError> {
        let started = Instant::now();
        report.check()?;
        let zone = zone(report.timezone.as_deref().unwrap_or(&project.timezone))?;
        let snapshot = self.store.snapshot(project.id);
        let counters = Arc::new(ScanCounters::default());
        let expressions = plan::expressions(report).into_iter();
        let source = Source::new(&snapshot, zone, expressions, None, counters.clone());

        let mut reading = Reading::new(report, &source.zone().rules, now);
        let answer = match &report.question {
            Question::Insights(asked) => {
                let computed = insights::compute(self, &source, report, asked).await?;
                Answer::Insights(reading.insights(&computed))
            }
            _ => reading.answer(self.compute(&source, report, report.range, None).await?)?,
        };
        let digest = digest_of(report);
        let disclosure = reading.disclosure(digest);
        let explanation = Explanation {
            definition: definition::words(report, &source.zone().name),
            watermark: snapshot.watermark(),
            rows_read: counters.rows.load(Ordering::Relaxed),
            bytes_read: counters.bytes.load(Ordering::Relaxed),
            took_ms: started.elapsed().as_secs_f64() * 1000.0,
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            class: disclosure.class,
        };
        Ok(Undisclosed::new(Explained { answer, explanation }, disclosure))
    }

    /// The persons behind one number. To keep in the engine: what leaves it is wrapped as a disclosure.
    async fn members(
        &self,
        snapshot: &Snapshot,
        project: &Project,
        report: &Report,
        cell: &ReportCell,
    ) -> Result<RoaringTreemap, QueryError> {
        report.check()?;
        cell.check(report)?;
        let zone = zone(report.timezone.as_deref().unwrap_or(&project.timezone))?;
        let expressions = plan::expressions(report).into_iter();
        let source = Source::new(snapshot, zone, expressions, None, Arc::default());
        let mut computed = self.compute(&source, report, report.range, Some(cell)).await?;
        Ok(computed.cells.take_members(&plan::wanted(cell)))
    }

    async fn compute(
        &self,
        source: &Source,
        report: &Report,
        range: DateRange,
        cell: Option<&ReportCell>,
    ) -> Result<Computed, QueryError> {
        let planned = plan::plan(source, report, range, cell)?;
        let Question::Flow(_) = &report.question else {
            return self.run_plan(planned).await;
        };
        let asking = self.asking();
        let batches = asking.collect(&planned.plan, NARROW_REPORT).await?;
        let flow = operators::flow::read(&batches).map_err(|error| asking.sort_out(error, NARROW_REPORT))?;
        Ok(Computed {
            cells: Cells::default(),
            buckets: planned.buckets,
            flow: Some(flow),
        })
    }

    /// Runs a plan whose operator ends in cells.
    async fn run_plan(&self, planned: Planned) -> Result<Computed, QueryError> {
        let asking = self.asking();
        let mut cells = Cells::default();
        for batch in asking.collect(&planned.plan, NARROW_REPORT).await? {
            cells
                .add(&batch)
                .map_err(|error| asking.sort_out(error, NARROW_REPORT))?;
        }
        Ok(Computed {
            cells,
            buckets: planned.buckets,
            flow: None,
        })
    }
}

fn zone(name: &str) -> Result<Zone, InvalidReport> {
    let rules = TimeZone::get(name).map_err(|_| InvalidReport {
        at: "/timezone",
        message: "no such time zone".into(),
    })?;
    Ok(Zone {
        name: name.to_owned(),
        rules,
    })
}

/// The columns of a snapshot, for questions about all of a row.
pub(crate) fn all_columns(snapshot: &Snapshot) -> Vec<String> {
    snapshot
        .columns()
        .iter()
        .map(|column| column.physical.clone())
        .collect()
}
