//! Who is in a cohort (see [`model::cohort`] for the rules).
//!
//! A rule becomes a set of persons, or the rest of one: everybody but these. So `not` costs nothing until the end, and
//! everybody has to be found only where a whole definition is the rest of a set.

use crate::QueryError;
use crate::answer::fields_behind;
use crate::calendar::range_ms;
use crate::definitions::{Resolved, Setting, cohorts_in};
use crate::engine::{insights, zone};
use crate::named::named_persons;
use crate::operators::persons_who::{Count, Everybody, Sequence};
use crate::people::{self, Candidate, PeopleFilter, passing_resolved};
use crate::plan::functions::named::Members;
use crate::plan::{self, Source};
use futures::future::BoxFuture;
use ledger::{Class, Disclosure, Undisclosed, digest_of};
use model::cohort::{Cohort, CohortRule, When, asked_until};
use model::report::{EventSelector, Question, Report, ReportCell};
use model::{DefinitionError, Definitions, Expression, PersonNumber};
use roaring::RoaringTreemap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;
const NARROW: &str = "the cohort's rules to particular events or a shorter time";

/// Evaluates cohorts of one question, each once.
pub(crate) struct Evaluation<'a> {
    setting: Setting<'a>,
    definitions: Arc<Definitions>,
    known: BTreeMap<u64, RoaringTreemap>,
    /// Saved cohorts whose evaluation is under way.
    open: Vec<u64>,
}

/// The persons for whom a rule is true: these, or everybody but these.
struct Part {
    persons: RoaringTreemap,
    rest: bool,
}

impl Part {
    fn of(persons: RoaringTreemap) -> Part {
        Part { persons, rest: false }
    }

    fn not(self) -> Part {
        Part {
            rest: !self.rest,
            ..self
        }
    }

    fn and(self, other: Part) -> Part {
        let persons = match (self.rest, other.rest) {
            (false, false) => self.persons & other.persons,
            (false, true) => self.persons - other.persons,
            (true, false) => other.persons - self.persons,
            (true, true) => self.persons | other.persons,
        };
        Part {
            persons,
            rest: self.rest && other.rest,
        }
    }

    fn or(self, other: Part) -> Part {
        self.not().and(other.not()).not()
    }
}

impl<'a> Evaluation<'a> {
    pub fn new(setting: Setting<'a>, definitions: &Arc<Definitions>) -> Evaluation<'a> {
        Evaluation {
            setting,
            definitions: definitions.clone(),
            known: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    /// The members of a saved cohort.
    pub fn saved(&mut self, number: u64) -> BoxFuture<'_, Result<RoaringTreemap, QueryError>> {
        Box::pin(async move {
            if let Some(known) = self.known.get(&number) {
                return Ok(known.clone());
            }
            let definitions = self.definitions.clone();
            let Some(cohort) = definitions.cohorts.get(&number) else {
                return Err(DefinitionError::UnknownCohort(number).into());
            };
            if self.open.contains(&number) {
                self.open.push(number);
                let circle: Vec<String> = self.open.iter().map(u64::to_string).collect();
                return Err(DefinitionError::CohortCircle(circle.join(" → ")).into());
            }
            self.open.push(number);
            let members = self.members(cohort).await?;
            self.open.pop();
            self.known.insert(number, members.clone());
            Ok(members)
        })
    }

    /// The members of a definition.
    pub async fn members(&mut self, cohort: &Cohort) -> Result<RoaringTreemap, QueryError> {
        let members = match &cohort.frozen {
            Some(frozen) => self.canonical(frozen.members()),
            None => {
                let mut named = RoaringTreemap::new();
                let part = self.rule(&cohort.rule, &mut named).await?;
                match part.rest {
                    false => part.persons,
                    true => (self.everybody().await? | named) - part.persons,
                }
            }
        };
        self.name_few(&members);
        Ok(members)
    }

    /// Notes in `named` who is named by number or by way of another cohort.
    fn rule<'s>(
        &'s mut self,
        rule: &'s CohortRule,
        named: &'s mut RoaringTreemap,
    ) -> BoxFuture<'s, Result<Part, QueryError>> {
        Box::pin(async move {
            Ok(match rule {
                CohortRule::All { rules } | CohortRule::Any { rules } => {
                    let is_all = matches!(rule, CohortRule::All { .. });
                    let mut joined = Part {
                        persons: RoaringTreemap::new(),
                        rest: is_all,
                    };
                    for rule in rules {
                        let part = self.rule(rule, named).await?;
                        joined = if is_all { joined.and(part) } else { joined.or(part) };
                    }
                    joined
                }
                CohortRule::Not { rule } => self.rule(rule, named).await?.not(),
                CohortRule::Did { events, count, when } => self.did(events, *count, *when).await?,
                CohortRule::Sequence { steps, window_ms, when } => {
                    Part::of(self.sequence(steps, *window_ms, *when).await?)
                }
                CohortRule::Profile { filter } => self.profile(filter).await?,
                CohortRule::Persons { persons } => {
                    let persons = self.canonical(persons.iter().copied());
                    self.name_few(&persons);
                    *named |= &persons;
                    Part::of(persons)
                }
                CohortRule::Cell { report, cell } => Part::of(self.cell(report, cell).await?),
                CohortRule::Cohort { cohort } => {
                    let persons = self.saved(*cohort).await?;
                    *named |= &persons;
                    Part::of(persons)
                }
            })
        })
    }

    async fn did(&self, events: &EventSelector, count: model::cohort::Count, when: When) -> Result<Part, QueryError> {
        let times_ms = self.times_ms(when)?;
        let selectors = std::slice::from_ref(events);
        let source = self.source(selectors)?;
        let plan = plan::selected_rows(&source, selectors, times_ms, false)?;
        // Somebody without any such event is in no row: the rule is true for them or not, all alike.
        let rest = count.holds(0);
        let who = Count::new(selectors, move |events| count.holds(events) != rest);
        let persons = self.setting.asking.persons_who(&plan, who, NARROW).await?;
        Ok(Part { persons, rest })
    }

    async fn sequence(
        &self,
        steps: &[EventSelector],
        window_ms: i64,
        when: When,
    ) -> Result<RoaringTreemap, QueryError> {
        let starts_ms = self.times_ms(when)?;
        let who = Sequence::new(steps, starts_ms, window_ms);
        let source = self.source(steps)?;
        let plan = plan::selected_rows(&source, steps, who.times_ms(), true)?;
        self.setting.asking.persons_who(&plan, who, NARROW).await
    }

    async fn cell(&mut self, report: &Report, cell: &ReportCell) -> Result<RoaringTreemap, QueryError> {
        let mut members = BTreeMap::new();
        for expression in plan::expressions(report) {
            for number in cohorts_in(&self.definitions.resolve(expression)?) {
                let found = self.saved(number).await?;
                members
                    .entry(number)
                    .or_insert_with(|| Members::of_cohort(number, found));
            }
        }
        let resolved = Resolved::of_cell(self.setting, &self.definitions, members);
        resolved.name_persons(self.setting, &plan::expressions(report))?;
        behind(self.setting, report, cell, resolved).await
    }

    async fn everybody(&self) -> Result<RoaringTreemap, QueryError> {
        let any_event = [EventSelector::default()];
        let plan = plan::selected_rows(&self.source(&any_event)?, &any_event, (i64::MIN, i64::MAX), false)?;
        let mut everybody = self
            .setting
            .asking
            .persons_who(&plan, Everybody::default(), NARROW)
            .await?;
        everybody.extend(self.setting.snapshot.profiles().iter().map(|(person, _)| person.0));
        Ok(everybody)
    }

    /// Somebody without a profile is judged by an empty one.
    async fn profile(&self, filter: &Expression) -> Result<Part, QueryError> {
        let resolved = Resolved::of_filters(self.setting, &self.definitions, std::iter::once(filter))?;
        resolved.name_persons(self.setting, &[filter])?;
        let named = named_persons([&resolved.write_out(filter)?])?;
        let profiles = self.setting.snapshot.profiles();
        let with_profile: RoaringTreemap = profiles.iter().map(|(person, _)| person.0).collect();
        // Without a profile people differ by their number alone, and that only where the filter names it.
        let bare = named.iter().filter(|person| !with_profile.contains(**person));
        let stranger = (1_u64 << 53..)
            .find(|number| !named.contains(number))
            .unwrap_or_default();
        let candidates: Vec<Candidate<'_>> = profiles
            .iter()
            .map(people::with_profile)
            .chain(bare.chain([&stranger]).map(|person| (*person, None)))
            .collect();
        let told_apart: RoaringTreemap = candidates.iter().map(|(person, _)| *person).collect();
        let zone = zone(&self.setting.project.timezone)?;
        let filter = PeopleFilter {
            expression: Some(filter.clone()),
            ..PeopleFilter::default()
        };
        let passing = passing_resolved(self.setting, zone, Arc::new(resolved), candidates, &filter, true).await?;
        let mut persons: RoaringTreemap = passing.iter().map(|(person, _)| *person).collect();
        let rest = persons.remove(stranger);
        if rest {
            persons = told_apart - persons;
            persons.remove(stranger);
        } else if !persons.is_subset(&with_profile) {
            // Whoever is named may not be there at all.
            persons = (&persons & &with_profile) | (persons & self.everybody().await?);
        }
        Ok(Part { persons, rest })
    }

    /// Rows with the filters of some selectors.
    fn source(&self, selectors: &[EventSelector]) -> Result<Source, QueryError> {
        let filters = || selectors.iter().filter_map(|selector| selector.filter.as_ref());
        let resolved = Resolved::of_filters(self.setting, &self.definitions, filters())?;
        resolved.name_persons(self.setting, &filters().collect::<Vec<_>>())?;
        let zone = zone(&self.setting.project.timezone)?;
        Source::new(
            self.setting.snapshot,
            zone,
            filters(),
            None,
            self.setting.asking.counters.clone(),
            Arc::new(resolved),
        )
    }

    /// Few together are named one by one: what is asked about everybody else tells of them.
    fn name_few(&self, persons: &RoaringTreemap) {
        if persons.len() < Class::CROWD_MIN as u64 {
            self.setting.asking.name(persons.clone());
        }
    }

    fn canonical(&self, persons: impl Iterator<Item = PersonNumber>) -> RoaringTreemap {
        let snapshot = self.setting.snapshot;
        let there = persons.filter(|person| !person.is_nobody() && !snapshot.is_erased(*person));
        there.map(|person| snapshot.canonical(person).0).collect()
    }

    /// From, and to before.
    fn times_ms(&self, when: When) -> Result<(i64, i64), QueryError> {
        let until_ms = asked_until(self.setting.now).0;
        Ok(match when {
            When::Ever => (i64::MIN, i64::MAX),
            When::LastDays(days) => (until_ms + 1 - i64::from(days) * DAY_MS, until_ms + 1),
            When::Range(range) => range_ms(range, &zone(&self.setting.project.timezone)?.rules)?,
        })
    }
}

/// The persons behind one number of a report, both of which have been checked. To keep in the engine: what leaves it is
/// wrapped as a disclosure.
pub(crate) async fn behind(
    setting: Setting<'_>,
    report: &Report,
    cell: &ReportCell,
    resolved: Resolved,
) -> Result<RoaringTreemap, QueryError> {
    let zone = zone(report.timezone.as_deref().unwrap_or(&setting.project.timezone))?;
    let expressions = plan::expressions(report).into_iter();
    let source = Source::new(
        setting.snapshot,
        zone,
        expressions,
        None,
        setting.asking.counters.clone(),
        Arc::new(resolved),
    )?;
    let asking = setting.asking;
    if let (ReportCell::Insights(cell), Question::Insights(asked)) = (cell, &report.question) {
        return insights::members(asking, &source, report, asked, cell).await;
    }
    let mut computed = asking.compute(&source, report, report.range, Some(cell)).await?;
    Ok(computed.cells.take_members(&plan::wanted(cell)))
}

/// How many are in a cohort. Nine members or fewer are disclosed with their number, as is whom the definition names.
pub(crate) fn size(members: &RoaringTreemap, cohort: &Cohort, named: RoaringTreemap) -> Undisclosed<u64> {
    let mut disclosure = Disclosure {
        class: Class::D0,
        persons: RoaringTreemap::new(),
        fields: BTreeSet::new(),
        question_digest: digest_of(cohort),
    };
    if !named.is_empty() {
        disclosure.class = Class::D1;
        disclosure.persons = named;
        disclosure.fields = plan::fields_of(&cohort.rule.filters());
        cohort.rule.walk(&mut |rule| match rule {
            CohortRule::Did { events, .. } => disclosure.fields.extend(events.event.clone()),
            CohortRule::Sequence { steps, .. } => {
                disclosure
                    .fields
                    .extend(steps.iter().filter_map(|step| step.event.clone()));
            }
            CohortRule::Cell { report, cell } => disclosure.fields.extend(fields_behind(report, cell)),
            CohortRule::Cohort { cohort } => {
                disclosure.fields.insert(format!("cohort({cohort})"));
            }
            _ => {}
        });
    }
    Undisclosed::new(members.len(), disclosure)
}
