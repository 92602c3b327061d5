//! `frostpane retention`: how long a project's events are kept, from the server's own machine.

use crate::console::say;
use crate::control::{self, Command};
use anyhow::{Context, bail};
use clap::Args;
use model::ProjectId;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use store::{Retention, Store, StoreOptions};

#[derive(Args)]
pub struct RetentionCommand {
    /// Directory of events, profiles and the disclosure ledger.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_DATA")]
    data: PathBuf,
    /// Number of the project.
    #[arg(long, value_name = "ID", default_value_t = 1)]
    project: u32,
    /// Days that events are kept.
    #[arg(long, value_name = "DAYS", conflicts_with = "forever")]
    days: Option<u32>,
    /// Keep events for ever.
    #[arg(long)]
    forever: bool,
    /// Keep one event for another number of days; may be given several times.
    #[arg(long = "event", value_name = "NAME=DAYS", value_parser = parse_event)]
    events: Vec<(String, u32)>,
    /// Keep an event as long as the others again.
    #[arg(long = "as-others", value_name = "NAME")]
    as_others: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn parse_event(text: &str) -> Result<(String, u32), String> {
    // Names may hold the sign, numbers do not.
    let (name, days) = text.rsplit_once('=').ok_or("an event is given as NAME=DAYS")?;
    let days = days.parse().map_err(|_| format!("{days:?} is not a number of days"))?;
    Ok((name.to_owned(), days))
}

/// What is to be changed; nothing, if all is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Outer `None`: as it is. Inner `None`: for ever.
    days: Option<Option<u32>>,
    events: Vec<(String, u32)>,
    as_others: Vec<String>,
}

impl Change {
    /// Carries it out, and returns what holds then.
    pub fn apply(self, store: &Store, project: u32) -> anyhow::Result<Retention> {
        let mut project = store
            .catalog()
            .project(ProjectId(project))
            .with_context(|| format!("project {project} does not exist"))?;
        if self == Change::default() {
            return Ok(project.settings.retention);
        }
        let retention = &mut project.settings.retention;
        retention.days = self.days.unwrap_or(retention.days);
        retention.events.extend(self.events);
        for name in &self.as_others {
            if retention.events.remove(name).is_none() {
                bail!("{name:?} is kept as long as the others already");
            }
        }
        store.catalog().update_project(&project)?;
        Ok(project.settings.retention)
    }
}

impl RetentionCommand {
    pub fn run(self) -> anyhow::Result<()> {
        let change = Change {
            days: self.forever.then_some(None).or(self.days.map(Some)),
            events: self.events.clone(),
            as_others: self.as_others.clone(),
        };
        let project = self.project;
        let command = Command::Retention {
            project,
            change: change.clone(),
        };
        let retention = match control::send(&control::socket(&self.data), &command)? {
            Some(done) => serde_json::from_value(done)?,
            None => {
                let mut options = StoreOptions::new(&self.data);
                options.background = false;
                let store = Store::open(options).context("cannot open the data directory")?;
                let applied = change.apply(&store, project);
                store.close();
                applied?
            }
        };
        self.tell(&retention);
        Ok(())
    }

    fn tell(&self, retention: &Retention) {
        if self.json {
            return say(serde_json::to_string(retention).expect("names and numbers are JSON"));
        }
        say(match retention.days {
            Some(days) => format!("Events are kept for {days} days."),
            None => "Events are kept for ever.".to_owned(),
        });
        for (event, days) in &retention.events {
            say(format!("  {event}: {days} days"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_named_with_their_days() {
        assert_eq!(parse_event("Sign up=30"), Ok(("Sign up".into(), 30)));
        assert_eq!(parse_event("a=b=7"), Ok(("a=b".into(), 7)));
        for text in ["", "Sign up", "Sign up=", "Sign up=-1", "Sign up=many"] {
            assert!(parse_event(text).is_err(), "{text}");
        }
    }
}
