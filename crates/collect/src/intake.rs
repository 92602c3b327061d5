//! The items of one request: read, judged, and gathered into one batch for each project.

use crate::access::TokenMemo;
use crate::batch::Batch;
use crate::collector::Inner;
use crate::decode::Parameters;
use crate::firewall::Tally;
use crate::identity::IdentityFault;
use crate::json::{Document, Json};
use crate::pipeline::{DedupKey, Sender};
use crate::raw_event::{self, RawEvent, Rules};
use crate::raw_update;
use crate::replays::Replay;
use crate::reply::{FailedRecord, Outcome, Rejection};
use crate::request::{Endpoint, IngestRequest};
use crate::turns::Turn;
use model::EventTime;
use store::Project;
use vault_client::FieldOp;

/// One request on its way.
pub(crate) struct Intake<'a> {
    pub inner: &'a Inner,
    pub request: &'a IngestRequest<'a>,
    pub parameters: &'a Parameters,
    pub received: EventTime,
    /// The authenticated project of an import.
    pub import: Option<Project>,
}

/// What is gathered for one project of the request.
struct Gathered {
    project: Project,
    batch: Batch,
    tally: Tally,
    dedup: Option<DedupKey>,
    /// Updates that are taken note of once they are durable.
    replays: Vec<Replay>,
}

impl Intake<'_> {
    /// `turn` is given back when the work is done and only vault and disk are waited for.
    pub fn run(&self, document: Document, turn: Option<Turn<'_>>) -> Result<Outcome, Rejection> {
        let mut gathered: Vec<Gathered> = Vec::new();
        let outcome = match self.request.endpoint {
            Endpoint::Track | Endpoint::Import => self.events(document, &mut gathered)?,
            Endpoint::Engage | Endpoint::Groups => self.updates(document, &mut gathered),
        };
        drop(turn);
        // A request for several projects is stored project by project; if the second fails the client sends the first
        // again, which deduplication takes out where the SDK sends ids.
        for Gathered {
            project,
            batch,
            tally,
            replays,
            ..
        } in gathered
        {
            if !batch.is_empty() {
                self.inner.commit(batch, self.received)?;
            }
            self.inner.replays.remember(replays);
            self.inner.counters.removed(project.id, tally);
        }
        for record in &outcome.failed {
            self.inner.counters.refused(if record.field.is_empty() {
                "invalid"
            } else {
                record.field
            });
        }
        Ok(outcome)
    }

    fn events(&self, document: Document, gathered: &mut Vec<Gathered>) -> Result<Outcome, Rejection> {
        let rules = Rules {
            received: self.received,
            strict: self.import.is_some() && self.parameters.strict,
            is_import: self.import.is_some(),
            invalid_utf8: document.invalid_utf8,
        };
        let mut outcome = Outcome::default();
        let mut tokens = TokenMemo::default();
        // A server that imports is not where its users are, nor what they use.
        let mut sender = match self.import {
            Some(_) => Sender::new(&self.inner.pipeline.firewall, None, None),
            None => Sender::new(
                &self.inner.pipeline.firewall,
                self.located_by(),
                self.request.user_agent,
            ),
        };
        for (index, (item, bytes)) in document.items.into_iter().enumerate() {
            let event = match raw_event::read(item, index, bytes, &rules) {
                Ok(event) => event,
                Err(failed) => {
                    outcome.failed.push(failed);
                    continue;
                }
            };
            match self.project_of(&event, index, &mut tokens) {
                Ok(Some(project)) => self.take_event(event, project, gathered, &mut sender)?,
                Ok(None) => self.dropped("unknown_token"),
                Err(failed) => {
                    outcome.failed.push(failed);
                    continue;
                }
            }
            outcome.good += 1;
        }
        Ok(outcome)
    }

    /// `None`: a token that is nobody's, which the client is not told (G12).
    fn project_of<'p>(
        &'p self,
        event: &RawEvent,
        index: usize,
        tokens: &'p mut TokenMemo,
    ) -> Result<Option<&'p Project>, FailedRecord> {
        let failed = |field, message: &str| FailedRecord {
            index,
            insert_id: String::new(),
            field,
            message: message.into(),
        };
        let catalog = self.inner.store.catalog();
        match (&self.import, &event.token) {
            (Some(project), None) => Ok(Some(project)),
            (Some(project), Some(token)) if tokens.project(catalog, token).is_some_and(|of| of.id == project.id) => {
                Ok(Some(project))
            }
            (Some(_), Some(_)) => Err(failed(
                "properties.token",
                "'properties.token' is invalid: must match the credentials",
            )),
            (None, Some(token)) => Ok(tokens.project(catalog, token)),
            (None, None) => Err(failed("properties.token", "token, missing or empty")),
        }
    }

    fn take_event(
        &self,
        mut event: RawEvent,
        project: &Project,
        gathered: &mut Vec<Gathered>,
        sender: &mut Sender,
    ) -> Result<(), Rejection> {
        self.count_faults(&event.faults);
        if event.ignored {
            self.dropped("ignored");
            return Ok(());
        }
        if self.is_opted_out(project) {
            self.dropped("opted_out");
            return Ok(());
        }
        let gathered = gathered_for(gathered, project);
        if event.insert_id.is_some() && gathered.dedup.is_none() {
            gathered.dedup = Some(self.inner.dedup_key(project.id)?);
        }
        if self.import.is_some() {
            event.properties.push(("$import".to_owned(), Json::Bool(true)));
        }
        let Gathered {
            project,
            batch,
            tally,
            dedup,
            ..
        } = gathered;
        self.inner
            .pipeline
            .take_event(event, &project.settings, sender, dedup.as_ref(), batch, tally);
        Ok(())
    }

    fn updates(&self, document: Document, gathered: &mut Vec<Gathered>) -> Outcome {
        let mut outcome = Outcome::default();
        let mut tokens = TokenMemo::default();
        let sender = Sender::new(&self.inner.pipeline.firewall, self.located_by(), None);
        for (index, (item, bytes)) in document.items.into_iter().enumerate() {
            let update = if bytes > raw_event::EVENT_BYTES_MAX {
                let message = format!("update is {bytes} bytes; the limit is {}", raw_event::EVENT_BYTES_MAX);
                Err(FailedRecord {
                    index,
                    insert_id: String::new(),
                    field: "",
                    message,
                })
            } else {
                raw_update::read(item, index, self.request.endpoint, self.received)
            };
            let mut update = match update {
                Ok(update) => update,
                Err(failed) => {
                    outcome.failed.push(failed);
                    continue;
                }
            };
            outcome.good += 1;
            self.count_faults(&update.faults);
            let Some(project) = tokens.project(self.inner.store.catalog(), &update.token) else {
                self.dropped("unknown_token");
                continue;
            };
            // Who opts out may still delete: the SDK's own opt-out sends exactly that (D8).
            if self.is_opted_out(project) {
                update.operations.retain(|(op, _)| *op == FieldOp::Delete);
                if update.operations.is_empty() {
                    self.dropped("opted_out");
                    continue;
                }
            }
            let Gathered {
                project,
                batch,
                tally,
                replays,
                ..
            } = gathered_for(gathered, project);
            if let Some(id) = &update.event_id {
                let replay = Replay::of(project.id, id);
                if replays.contains(&replay) || self.inner.replays.has(&replay) {
                    self.dropped("replayed");
                    continue;
                }
                replays.push(replay);
            }
            if !self
                .inner
                .pipeline
                .take_update(update, &project.settings, &sender, batch, tally)
            {
                self.dropped("nobody");
            }
        }
        outcome
    }

    /// The request's address, where `ip=1` asks for it.
    fn located_by(&self) -> Option<std::net::IpAddr> {
        self.request.peer.filter(|_| self.parameters.ip)
    }

    fn is_opted_out(&self, project: &Project) -> bool {
        self.request.opted_out && self.import.is_none() && project.settings.honour_opt_out
    }

    fn dropped(&self, reason: &'static str) {
        self.inner
            .counters
            .add(|metrics| *metrics.dropped.entry(reason).or_default() += 1);
    }

    fn count_faults(&self, faults: &[IdentityFault]) {
        for fault in faults {
            self.inner
                .counters
                .add(|metrics| *metrics.identities.entry(fault.as_str()).or_default() += 1);
        }
    }
}

fn gathered_for<'g>(gathered: &'g mut Vec<Gathered>, project: &Project) -> &'g mut Gathered {
    let at = gathered
        .iter()
        .position(|gathered| gathered.project.id == project.id)
        .unwrap_or_else(|| {
            let batch = Batch::new(project.id);
            gathered.push(Gathered {
                project: project.clone(),
                batch,
                tally: Tally::default(),
                dedup: None,
                replays: Vec::new(),
            });
            gathered.len() - 1
        });
    &mut gathered[at]
}
