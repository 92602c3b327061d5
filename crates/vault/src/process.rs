//! What a process that holds keys does to itself (secrecy contract VA-13).

use rustix::mm::MlockAllFlags;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use std::time::Duration;

/// No core dumps, no tracing by other processes of the same user, and panics that print a place and never a value.
pub(crate) fn harden() {
    if let Err(error) = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "The vault could not forbid memory dumps of itself");
    }
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = rustix::process::setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "The vault could not forbid core files");
    }
    lock_memory();
    std::panic::set_hook(Box::new(|panic| {
        // The message may quote a value (`unwrap` prints errors, asserts print operands); the place cannot.
        let place = panic
            .location()
            .map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        eprintln!("frostpane vault: panic VP-1{place}");
    }));
}

/// Keeps keys and texts out of swap, where the system lets this process lock all it will ever have. Under a small limit
/// it is not tried: the lock would succeed now and make a later allocation fail.
fn lock_memory() {
    let unlimited = rustix::process::getrlimit(Resource::Memlock).current.is_none();
    if !unlimited && !rustix::process::geteuid().is_root() {
        tracing::warn!("The vault may not lock its memory; turn swap off or encrypt it");
        return;
    }
    // Pages are locked when they are first touched, so that unused parts of thread stacks cost nothing.
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    if let Err(error) = rustix::mm::mlockall(flags) {
        tracing::warn!(%error, "The vault could not lock its memory; turn swap off or encrypt it");
    }
}

/// Calls `stop` when the process that started this one is gone.
///
/// Asked twice a second instead of `PR_SET_PDEATHSIG`: that signal comes when the *thread* that started us ends, and
/// the parent starts us from a pool whose threads come and go.
pub(crate) fn watch_parent(stop: crate::server::Stop) {
    let parent = rustix::process::getppid();
    std::thread::spawn(move || {
        while rustix::process::getppid() == parent {
            std::thread::sleep(Duration::from_millis(500));
            if stop.is_stopped() {
                return;
            }
        }
        tracing::info!("The vault's parent is gone; stopping");
        stop.stop();
    });
}
