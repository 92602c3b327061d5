//! `frostpane init`: directories, keys, a project, its credentials, the owner.

use crate::console::say;
use crate::places::Places;
use crate::vault_process::{self, VaultProcess};
use anyhow::{Context, bail};
use clap::Args;
use model::{EventTime, ProjectId};
use serde_json::{Value, json};
use server::credentials::{TokenKind, digest, new_token, random_base62};
use store::{Credential, CredentialKind, Store, StoreOptions};
use vault_client::{Client, Personal, Role, SecretText};

#[derive(Args)]
pub struct Init {
    #[command(flatten)]
    pub places: Places,
    /// Name of the first project.
    #[arg(long, default_value = "My project")]
    pub project: String,
    /// IANA time zone of its days.
    #[arg(long, default_value = "UTC")]
    pub timezone: String,
    /// E-mail address of the owner; it is stored in the vault only.
    #[arg(long, value_name = "EMAIL", default_value = "owner@localhost")]
    pub owner: String,
    /// Address that the login link will name.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7700")]
    pub listen: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Everything `init` made. Secrets are shown once; only digests are kept.
pub struct Made {
    pub project: ProjectId,
    pub project_name: String,
    pub token: String,
    pub api_secret: String,
    pub username: String,
    pub secret: String,
    pub login_url: String,
}

impl Init {
    pub fn run(self) -> anyhow::Result<()> {
        let made = self.make()?;
        if self.json {
            say(made.to_json(&self.owner).to_string());
            return Ok(());
        }
        say(format!("Project {} “{}”", made.project, made.project_name));
        say(format!("  write token      {}", made.token));
        say(format!("  API secret       {}", made.api_secret));
        say(format!("  service account  {}:{}", made.username, made.secret));
        say("These secrets are not shown again. Start with:");
        say(format!(
            "  frostpane serve --data {} --vault {}",
            self.places.data.display(),
            self.places.vault.display()
        ));
        say(format!("then sign in once, within an hour: {}", made.login_url));
        Ok(())
    }

    pub fn make(&self) -> anyhow::Result<Made> {
        if jiff::tz::TimeZone::get(&self.timezone).is_err() {
            bail!(
                "'{}' is not an IANA time zone; give one like Europe/Paris",
                self.timezone
            );
        }
        for directory in [&self.places.data, &self.places.vault] {
            let used = directory.read_dir().is_ok_and(|mut entries| entries.next().is_some());
            if used {
                bail!("{} is not empty; init makes new directories only", directory.display());
            }
        }
        vault_process::create(&self.places.vault)?;
        let store = Store::create(StoreOptions::new(&self.places.data)).context("cannot create the data directory")?;
        let vault = VaultProcess::start(&self.places.vault, None)?;
        let made = self.fill(&store, vault.client());
        store.close();
        vault.stop();
        made
    }

    fn fill(&self, store: &Store, vault: &Client) -> anyhow::Result<Made> {
        let project = store.catalog().create_project(&self.project, &self.timezone)?;
        vault.create_project(project.id)?;
        let token = new_token(TokenKind::Write)?;
        let api_secret = new_token(TokenKind::ApiSecret)?;
        let secret = new_token(TokenKind::ServiceAccount)?;
        let username = format!("sa-{}", random_base62(8)?.to_lowercase());
        vault.put_secret(project.id, server::WRITE_TOKEN_SECRET, &SecretText::new(token.clone()))?;
        let credential = |kind, text: &str, username: Option<&str>, scopes: &[&str]| Credential {
            project: project.id,
            kind,
            username: username.map(str::to_owned),
            digest: digest(text),
            created: EventTime(jiff::Timestamp::now().as_millisecond()),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        };
        let rows = [server::SCOPE_PERSONS, server::SCOPE_EXPORT, server::SCOPE_IMPORT];
        let identities = [server::SCOPE_REVEAL, server::SCOPE_LOOKUP];
        let catalog = store.catalog();
        catalog.add_credential(credential(CredentialKind::WriteToken, &token, None, &[]))?;
        catalog.add_credential(credential(CredentialKind::ApiSecret, &api_secret, None, &rows))?;
        let all = [rows.as_slice(), identities.as_slice()].concat();
        catalog.add_credential(credential(
            CredentialKind::ServiceAccount,
            &secret,
            Some(&username),
            &all,
        ))?;
        let owner = vault.create_account(&Personal::new(self.owner.clone()), Role::Owner)?;
        let code = vault.create_login_link(owner)?;
        let login_url = login_url(&self.listen, &code);
        Ok(Made {
            project: project.id,
            project_name: project.name,
            token,
            api_secret,
            username,
            secret,
            login_url,
        })
    }
}

/// The code stands behind `#`, which browsers keep to themselves: it is in no request line and in no log.
pub fn login_url(listen: &str, code: &SecretText) -> String {
    format!("http://{listen}/login#{}", code.expose())
}

impl Made {
    fn to_json(&self, owner: &str) -> Value {
        json!({
            "project": { "id": self.project.0, "name": self.project_name, "token": self.token, "api_secret": self.api_secret },
            "service_account": { "username": self.username, "secret": self.secret },
            "owner": { "email": owner, "login_url": self.login_url },
        })
    }
}
