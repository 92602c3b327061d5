//! The engine: threads, memory, and the way from a question to an undisclosed answer.

mod cohorts;
pub(crate) mod insights;

use crate::answer::{Reading, fields_behind};
use crate::answers::{AnswerKey, Answers, Came, Made};
use crate::asking::{Asking, session_state};
use crate::cohorts::behind;
use crate::definition;
use crate::definitions::Resolved;
use crate::error::{QueryError, SqlFault};
use crate::explanation::{Answering, Explanation};
use crate::limits::{Activity, EngineMetrics, STOP, Stop};
use crate::moment;
use crate::named::named_persons;
use crate::people::{self, GroupRow, GroupSet, Page, PeopleFilter, PeoplePage, PeopleQuery, PeopleSet};
use crate::plan::functions::Zone;
use crate::plan::{self, Source};
use crate::rows::{self, EventRow, EventsQuery};
use crate::sql::{self, SqlQuestion, SqlView};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use jiff::tz::TimeZone;
use ledger::{Class, Disclosure, Undisclosed, digest_of};
use model::report::{Answer, InvalidReport, Question, Report, ReportCell};
use model::{EventTime, Expression, GroupNumber, PersonNumber};
use roaring::RoaringTreemap;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::{Project, Snapshot, Store};

/// How much of the machine questions may use.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    pub threads: usize,
    /// Memory for the state of all running questions together.
    pub memory_bytes: usize,
    /// Of this, what one question may hold.
    pub question_memory_bytes: usize,
    /// How long a question may run.
    pub timeout: Duration,
    /// Memory for answers that are kept, besides.
    pub cache_bytes: usize,
}

impl EngineOptions {
    /// All the memory for any one question, two minutes, and a sixteenth of the memory more for answers.
    pub fn new(threads: usize, memory_bytes: usize) -> EngineOptions {
        EngineOptions {
            threads,
            memory_bytes,
            question_memory_bytes: memory_bytes,
            timeout: Duration::from_secs(120),
            cache_bytes: memory_bytes / 16,
        }
    }
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
    options: EngineOptions,
    state: SessionState,
    answers: Arc<Answers>,
    activity: Arc<Activity>,
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

/// Rows with how they came about.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ExplainedRows {
    #[serde(flatten)]
    pub rows: sql::SqlRows,
    pub explanation: Explanation,
}

/// How a statement ended: with rows, or with a fault that it met while it ran.
pub type SqlOutcome = Result<ExplainedRows, SqlFault>;

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
            .enable_time()
            .build()
            .expect("a process that cannot start threads cannot answer questions");
        let shared = Shared {
            state: session_state(&options, store.memory()),
            answers: Answers::new(options.cache_bytes, store.memory()),
            store,
            activity: Arc::default(),
            options,
            runtime: Some(runtime),
        };
        Engine {
            shared: Arc::new(shared),
        }
    }

    /// What questions did since the start, and do now.
    pub fn metrics(&self) -> EngineMetrics {
        let Shared {
            activity,
            answers,
            state,
            ..
        } = &*self.shared;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EngineMetrics {
            running: read(&activity.running),
            memory_bytes: state.runtime_env().memory_pool.reserved() as u64,
            timeouts: read(&activity.timeouts),
            split: read(&activity.split),
            cache_hits: read(&answers.hits),
            cache_misses: read(&answers.misses),
            shared: read(&answers.shared),
            cache_bytes: answers.bytes(),
        }
    }

    /// Refuses a definition for what no data could mend: a rule of its kind, or types that cannot fit.
    pub async fn check(&self, report: &Report) -> Result<(), QueryError> {
        let report = report.clone();
        self.run(async move {
            report.check()?;
            named_persons(plan::expressions(&report))?;
            let mut faults = plan::expressions(&report)
                .into_iter()
                .filter_map(Expression::certain_fault);
            match faults.next() {
                Some(fault) => Err(QueryError::Expression {
                    message: fault.to_string(),
                }),
                None => Ok(()),
            }
        })
        .await
    }

    /// Answers a report definition. `now` decides which retention intervals have begun.
    ///
    /// The same question over the same data is computed once, whether it is asked again at the same time or later
    /// (`answers`). Dropping the future cancels the question, unless somebody else waits for it too.
    pub async fn report(
        &self,
        project: &Project,
        report: &Report,
        now: EventTime,
    ) -> Result<Undisclosed<Explained>, QueryError> {
        let started = Instant::now();
        let (shared, asked, project) = (self.shared.clone(), report.clone(), project.clone());
        // Not here: the engine's threads have the stack that tall filters need.
        let asked_of = project.clone();
        let key = self.run(async move { shared.key(&asked_of, &asked, now) });
        let (over, key) = key.await?;
        let (engine, report) = (self.clone(), report.clone());
        let computing = async move {
            let shared = engine.shared.clone();
            let question = async move { shared.report(&project, over, &report, now).await };
            engine.run(question).await
        };
        let (made, came) = self.shared.answers.ask(key, computing).await;
        let made = made.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(QueryError::Shared))?;
        let mut explained = made.explained.clone();
        explained.explanation.from_cache = came == Came::Kept;
        explained.explanation.shared = came == Came::Shared;
        explained.explanation.took(started);
        Ok(Undisclosed::new(explained, made.disclosure.clone()))
    }

    /// Who is behind one number of a report's answer: exactly the persons that it counts. Handing the set out discloses
    /// them all, like a list of rows (class D2).
    pub async fn members(
        &self,
        project: &Project,
        report: &Report,
        cell: &ReportCell,
        now: EventTime,
    ) -> Result<Undisclosed<PeopleSet>, QueryError> {
        let (shared, project, report, cell) = (self.shared.clone(), project.clone(), report.clone(), cell.clone());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let persons = shared.members(&snapshot, &project, &report, &cell, now).await?;
            let disclosure = Disclosure {
                class: Class::D2,
                persons: persons.clone(),
                fields: fields_behind(&report, &cell),
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
        now: EventTime,
    ) -> Result<Undisclosed<PeoplePage>, QueryError> {
        let (shared, project, report, cell) = (self.shared.clone(), project.clone(), report.clone(), cell.clone());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let members = shared.members(&snapshot, &project, &report, &cell, now).await?;
            let digest = digest_of(&(&report, &cell));
            Ok(people::page_of_members(
                &snapshot,
                members,
                page,
                fields_behind(&report, &cell),
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
        now: EventTime,
    ) -> Result<Undisclosed<Vec<EventRow>>, QueryError> {
        let (shared, project, question) = (self.shared.clone(), project.clone(), question.clone());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let asking = shared.asking();
            rows::answer(
                asking.setting(&project, &snapshot, now),
                zone(&project.timezone)?,
                question,
            )
            .await
        })
        .await
    }

    /// Profiles with persons, as rows. Every row is a disclosure.
    pub async fn people(
        &self,
        project: &Project,
        question: &PeopleQuery,
        now: EventTime,
    ) -> Result<Undisclosed<PeoplePage>, QueryError> {
        let (shared, project, question) = (self.shared.clone(), project.clone(), question.clone());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let asking = shared.asking();
            people::answer(
                asking.setting(&project, &snapshot, now),
                zone(&project.timezone)?,
                question,
            )
            .await
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
        now: EventTime,
    ) -> Result<PeopleSet, QueryError> {
        let (shared, project, filter, order) = (self.shared.clone(), project.clone(), filter.clone(), order.cloned());
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let zone = zone(&project.timezone)?;
            let asking = shared.asking();
            let setting = asking.setting(&project, &snapshot, now);
            people::matching(setting, zone, &filter, order.as_ref()).await
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
        now: EventTime,
    ) -> Result<GroupSet, QueryError> {
        let (shared, project, filter, order) = (self.shared.clone(), project.clone(), filter.clone(), order.cloned());
        let key = key.to_owned();
        self.run(async move {
            let snapshot = shared.store.snapshot(project.id);
            let zone = zone(&project.timezone)?;
            let asking = shared.asking();
            let setting = asking.setting(&project, &snapshot, now);
            people::groups::matching(setting, zone, &key, &filter, order.as_ref()).await
        })
        .await
    }

    /// Answers a statement. `clearance` is the closest class that the asker may get; a statement that needs a closer one
    /// is not run.
    pub async fn sql(
        &self,
        project: &Project,
        question: &SqlQuestion,
        clearance: Class,
        now: EventTime,
    ) -> Result<Undisclosed<SqlOutcome>, QueryError> {
        let (shared, project, question) = (self.shared.clone(), project.clone(), question.clone());
        self.run(async move {
            let started = Instant::now();
            let snapshot = shared.store.snapshot(project.id);
            let asking = shared.asking();
            let setting = asking.setting(&project, &snapshot, now);
            let answered = sql::answer(setting, &question, clearance).await?;
            let disclosure = answered.disclosure;
            let explanation = Explanation::new(Answering {
                definition: definition::statement(&question, disclosure.class),
                watermark: snapshot.watermark(),
                counters: &asking.counters,
                started,
                digest: disclosure.question_digest,
                class: disclosure.class,
                time_limit: shared.options.timeout,
            });
            let outcome = answered.outcome.map(|rows| ExplainedRows { rows, explanation });
            Ok(Undisclosed::new(outcome, disclosure))
        })
        .await
    }

    /// The profiles of groups, as rows in the order given. Every row is a disclosure.
    pub fn groups(&self, project: &Project, key: &str, groups: &[GroupNumber]) -> Undisclosed<Vec<GroupRow>> {
        people::groups::rows(&self.shared.store.snapshot(project.id), key, groups)
    }

    /// What statements can ask about: views with their columns.
    pub fn sql_views(&self, project: &Project) -> Vec<SqlView> {
        let (asking, snapshot) = (self.shared.asking(), self.shared.store.snapshot(project.id));
        sql::views(asking.setting(project, &snapshot, EventTime(0)))
    }

    /// The plan of a report as text, optimised, as the engine would run it.
    pub async fn plan_text(&self, project: &Project, report: &Report, now: EventTime) -> Result<String, QueryError> {
        let (shared, project, report) = (self.shared.clone(), project.clone(), report.clone());
        self.run(async move {
            report.check()?;
            let snapshot = shared.store.snapshot(project.id);
            let zone = zone(report.timezone.as_deref().unwrap_or(&project.timezone))?;
            let asking = shared.asking();
            let setting = asking.setting(&project, &snapshot, now);
            let expressions = plan::expressions(&report);
            let mut resolved = Resolved::load(setting, expressions.iter().copied())?;
            resolved.evaluate(setting, &report, &expressions).await?;
            let resolved = Arc::new(resolved);
            let source = Source::new(&snapshot, zone, expressions.into_iter(), None, Arc::default(), resolved)?;
            let planned = plan::plan(&source, &report, report.range, None)?;
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
        let (activity, timeout) = (self.shared.activity.clone(), self.shared.options.timeout);
        let limit_ms = timeout.as_millis() as u64;
        let stop = Arc::new(Stop::after(timeout));
        let question = STOP.scope(stop.clone(), question);
        let task = handle.spawn(async move {
            let _running = activity.begin();
            let answer = tokio::time::timeout(timeout, question).await;
            let answer = answer.unwrap_or(Err(QueryError::TimedOut { limit_ms }));
            if matches!(answer, Err(QueryError::TimedOut { .. })) {
                activity.timeouts.fetch_add(1, Ordering::Relaxed);
            }
            answer
        });
        let mut task = AbortOnDrop { task, stop };
        match (&mut task.task).await {
            Ok(answer) => answer,
            Err(failed) => Err(QueryError::Internal(DataFusionError::External(Box::new(failed)))),
        }
    }
}

/// What one question is asked over.
struct Over {
    snapshot: Snapshot,
    zone: Zone,
    /// Without the members of cohorts yet.
    resolved: Resolved,
}

struct AbortOnDrop<T> {
    task: tokio::task::JoinHandle<T>,
    stop: Arc<Stop>,
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}

impl Shared {
    fn asking(&self) -> Asking {
        Asking {
            store: self.store.clone(),
            state: self.state.clone(),
            memory_bytes: self.options.question_memory_bytes.min(self.options.memory_bytes),
            activity: self.activity.clone(),
            counters: Arc::default(),
            stop: STOP
                .try_with(Arc::clone)
                .unwrap_or_else(|_| Arc::new(Stop::after(self.options.timeout))),
            named: Arc::default(),
        }
    }

    /// What a report is asked over, and what its answer depends on.
    fn key(&self, project: &Project, report: &Report, now: EventTime) -> Result<(Over, AnswerKey), QueryError> {
        report.check()?;
        let zone = zone(report.timezone.as_deref().unwrap_or(&project.timezone))?;
        let snapshot = self.store.snapshot(project.id);
        let asking = self.asking();
        let setting = asking.setting(project, &snapshot, now);
        let resolved = Resolved::load(setting, plan::expressions(report).into_iter())?;
        let key = AnswerKey {
            project: project.id,
            version: snapshot.version(),
            question: digest_of(report),
            zone: zone.name.clone(),
            now_ms: moment::of(report, now),
            definitions: resolved.digest(project, now),
        };
        let over = Over {
            snapshot,
            zone,
            resolved,
        };
        Ok((over, key))
    }

    async fn report(&self, project: &Project, over: Over, report: &Report, now: EventTime) -> Result<Made, QueryError> {
        let started = Instant::now();
        let Over {
            snapshot,
            zone,
            mut resolved,
        } = over;
        let asking = self.asking();
        let expressions = plan::expressions(report);
        let setting = asking.setting(project, &snapshot, now);
        resolved.evaluate(setting, report, &expressions).await?;
        let resolved = Arc::new(resolved);
        let words = resolved.words();
        resolved.name_persons(setting, &expressions)?;
        let source = Source::new(
            &snapshot,
            zone,
            expressions.into_iter(),
            None,
            asking.counters.clone(),
            resolved,
        )?;

        let mut reading = Reading::new(report, &source.zone().rules, now);
        for person in asking.named() {
            reading.show_person(PersonNumber(person));
        }
        let answer = match &report.question {
            Question::Insights(asked) => {
                let computed = insights::compute(&asking, &source, report, asked).await?;
                Answer::Insights(reading.insights(&computed))
            }
            _ => reading.answer(asking.compute(&source, report, report.range, None).await?)?,
        };
        let digest = digest_of(report);
        let disclosure = reading.disclosure(digest);
        let explanation = Explanation::new(Answering {
            definition: definition::words(report, &source.zone().name) + &words,
            watermark: snapshot.watermark(),
            counters: &asking.counters,
            started,
            digest,
            class: disclosure.class,
            time_limit: self.options.timeout,
        });
        Ok(Made {
            explained: Explained { answer, explanation },
            disclosure,
        })
    }

    /// The persons behind one number. To keep in the engine: what leaves it is wrapped as a disclosure.
    async fn members(
        &self,
        snapshot: &Snapshot,
        project: &Project,
        report: &Report,
        cell: &ReportCell,
        now: EventTime,
    ) -> Result<RoaringTreemap, QueryError> {
        report.check()?;
        cell.check(report)?;
        let asking = self.asking();
        let setting = asking.setting(project, snapshot, now);
        let expressions = plan::expressions(report);
        let mut resolved = Resolved::load(setting, expressions.iter().copied())?;
        resolved.evaluate(setting, report, &expressions).await?;
        behind(setting, report, cell, resolved).await
    }
}

pub(crate) fn zone(name: &str) -> Result<Zone, InvalidReport> {
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
