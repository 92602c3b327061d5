//! `frostpane demo`: a server over a project full of synthetic people.

use crate::console::{Progress, init_logs, say};
use crate::init::{Init, login_url};
use crate::places::Places;
use crate::serve::{Running, Settings};
use anyhow::{Context, ensure};
use clap::Args;
use collect::{Collector, Endpoint, IngestReply, IngestRequest, Method};
use data_encoding::BASE64;
use std::path::{Path, PathBuf};
use synthetic::{Generator, Options};

/// Objects in one batch.
const BATCH: usize = 2000;
/// Written into the directory when everything is loaded; holds the project's API secret for the next start.
const LOADED: &str = "loaded";

#[derive(Args)]
pub struct Demo {
    #[command(flatten)]
    settings: Settings,
    /// Synthetic people.
    #[arg(long, value_name = "N", default_value_t = 6000)]
    persons: u32,
    /// Days of history, up to now.
    #[arg(long, value_name = "N", default_value_t = 90)]
    days: u32,
    /// Keep the demo here and use it again at the next start; a temporary directory otherwise.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Demo {
    pub fn run(self) -> anyhow::Result<()> {
        init_logs(self.settings.log_json);
        let temporary = tempfile::tempdir()?;
        let directory = self.keep.as_deref().unwrap_or(temporary.path());
        let places = Places {
            data: directory.join("data"),
            vault: directory.join("vault"),
        };
        let loaded = directory.join(LOADED);
        let secrets = match loaded.exists() {
            true => None,
            false => Some(self.create(directory, &places)?),
        };
        let running = Running::start(places, self.settings.clone())?;
        if let Some((token, api_secret)) = secrets {
            self.load(&running, &token, &api_secret)?;
            std::fs::write(&loaded, "")?;
        }
        let owner = running
            .vault()
            .owner_account()?
            .context("the demo's vault has no owner")?;
        let code = running.vault().create_login_link(owner)?;
        say("");
        say("Frostpane is running with synthetic people. Sign in once, within an hour:");
        say(format!("  {}", login_url(&running.address()?.to_string(), &code)));
        say("");
        running.until_stopped()
    }

    /// A fresh installation, also over what an interrupted first start left behind.
    fn create(&self, directory: &Path, places: &Places) -> anyhow::Result<(String, String)> {
        for leftover in [&places.data, &places.vault] {
            if leftover.exists() {
                std::fs::remove_dir_all(leftover)?;
            }
        }
        std::fs::create_dir_all(directory)?;
        let init = Init {
            places: places.clone(),
            project: "Developer platform (demo)".into(),
            timezone: "Europe/Paris".into(),
            owner: "owner@frostpane.example".into(),
            listen: self.settings.listen.to_string(),
            json: false,
        };
        let made = init.make()?;
        let credentials = format!("{}\n{}:{}\n", made.api_secret, made.username, made.secret);
        write_private(&directory.join("credentials"), &credentials)?;
        Ok((made.token, made.api_secret))
    }

    /// Sends everything through the front door, in this process: decode, firewall, vault and log as for any client.
    fn load(&self, running: &Running, token: &str, api_secret: &str) -> anyhow::Result<()> {
        let end_ms = jiff::Timestamp::now().as_millisecond();
        let generator = Generator::new(Options {
            persons: self.persons,
            events: None,
            days: self.days,
            seed: 7,
            end_ms,
        });
        let collector = running.collector();
        let authorization = format!("Basic {}", BASE64.encode(format!("{api_secret}:").as_bytes()));
        let mut progress = Progress::new("Loading synthetic events");
        let mut sent = 0u64;
        let mut batch = Batch::new();
        for event in generator.events() {
            batch.push(|out| event.write_import(out));
            if batch.objects == BATCH {
                sent += send(collector, Endpoint::Import, &mut batch, Some(&authorization))?;
                progress.at(sent);
            }
        }
        sent += send(collector, Endpoint::Import, &mut batch, Some(&authorization))?;
        for profile in generator.profiles() {
            batch.push(|out| out.extend_from_slice(profile.to_engage(token).to_string().as_bytes()));
            if batch.objects == BATCH {
                send(collector, Endpoint::Engage, &mut batch, None)?;
            }
        }
        send(collector, Endpoint::Engage, &mut batch, None)?;
        for group in generator.groups() {
            batch.push(|out| out.extend_from_slice(group.to_groups(token).to_string().as_bytes()));
        }
        send(collector, Endpoint::Groups, &mut batch, None)?;
        running.store().flush()?;
        progress.done(&format!("{sent} events of {} people", self.persons));
        Ok(())
    }
}

/// A JSON array under construction.
struct Batch {
    json: Vec<u8>,
    objects: usize,
}

impl Batch {
    fn new() -> Batch {
        Batch {
            json: b"[".to_vec(),
            objects: 0,
        }
    }

    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.objects > 0 {
            self.json.push(b',');
        }
        write(&mut self.json);
        self.objects += 1;
    }
}

fn send(
    collector: &Collector,
    endpoint: Endpoint,
    batch: &mut Batch,
    authorization: Option<&str>,
) -> anyhow::Result<u64> {
    let Batch { mut json, objects } = std::mem::replace(batch, Batch::new());
    if objects == 0 {
        return Ok(0);
    }
    json.push(b']');
    let IngestReply { status, body, .. } = collector.handle(&IngestRequest {
        endpoint,
        method: Method::Post,
        query: "",
        content_type: Some("application/json"),
        content_encoding: None,
        authorization,
        user_agent: None,
        opted_out: false,
        peer: None,
        body: &json,
    });
    ensure!(
        status == 200,
        "the collector refused a batch of the demo: {status} {}",
        String::from_utf8_lossy(&body)
    );
    Ok(objects as u64)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
