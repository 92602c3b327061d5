//! The command line. It wires the crates together and decides nothing.
//!
//! Exit codes: 0 done, 1 failed, 2 misuse (clap's own).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backup_command;
mod client;
mod console;
mod control;
mod demo;
mod formats;
mod generate;
mod import;
mod init;
mod login;
mod memory_limit;
mod pace;
mod places;
mod reference;
mod report;
mod restore;
mod retention;
mod scrub;
mod serve;
mod sql;
mod upgrade;
mod vault_process;
mod verify;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Freed memory goes back to the system within moments. The limit of `--memory` counts what the process has, so memory that an
/// allocator keeps for later would be memory that nobody can use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Product and web analytics that a company runs itself, and can lose without losing its users.
#[derive(Parser)]
#[command(name = "frostpane", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a data directory, a vault directory and a first project.
    Init(init::Init),
    /// Collect events, answer questions and serve the web app.
    Serve(serve::Serve),
    /// Serve a project full of synthetic people, and print a link that signs in once.
    Demo(demo::Demo),
    /// Write synthetic events as NDJSON, in the form of Mixpanel's raw export.
    Generate(generate::Generate),
    /// Send Mixpanel exports or NDJSON to a running server; says which line was refused and why.
    Import(import::Import),
    /// Answer a report definition.
    Report(report::ReportCommand),
    /// Answer one SELECT over the views of a project.
    Sql(sql::Sql),
    /// Answer a report definition from raw events, slowly and obviously right: for checking any number.
    Reference(reference::Reference),
    /// Make a new one-time login link for the owner.
    Login(login::Login),
    /// Copy events, vault and keystore into backups, consistently, while the server runs.
    Backup(backup_command::Backup),
    /// Put a backup into new directories.
    Restore(restore::Restore),
    /// Compare everything on disk, or in backups, with its checksums. Ends with 1 if anything is damaged.
    Verify(verify::Verify),
    /// Tell or change how long a project's events are kept.
    Retention(retention::RetentionCommand),
    /// Bring files of an earlier version up to this one, or say whether that is needed and possible.
    Upgrade(upgrade::Upgrade),
    /// Run the vault.
    #[command(subcommand)]
    Vault(vault_process::VaultCommand),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Init(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Generate(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Sql(command) => command.run(),
        Command::Reference(command) => command.run(),
        Command::Login(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Retention(command) => command.run(),
        Command::Upgrade(command) => command.run(),
        Command::Vault(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("frostpane: {error:#}");
            ExitCode::FAILURE
        }
    }
}
