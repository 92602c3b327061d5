//! `frostpane login`: a new one-time link for the owner.

use crate::console::say;
use crate::init::login_url;
use crate::places::vault_socket;
use crate::vault_process::VaultProcess;
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use vault_client::Client;

#[derive(Args)]
pub struct Login {
    /// Directory of identities and keys.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_VAULT")]
    vault: PathBuf,
    /// Address of the server.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7700")]
    listen: String,
}

impl Login {
    pub fn run(self) -> anyhow::Result<()> {
        let running = Client::new(vault_socket(&self.vault));
        if running.hello().is_ok() {
            return print_link(&running, &self.listen);
        }
        let vault = VaultProcess::start(&self.vault, None)?;
        let printed = print_link(vault.client(), &self.listen);
        vault.stop();
        printed
    }
}

fn print_link(vault: &Client, listen: &str) -> anyhow::Result<()> {
    let owner = vault
        .owner_account()?
        .context("this vault has no owner; run frostpane init")?;
    say(login_url(listen, &vault.create_login_link(owner)?));
    Ok(())
}
