//! How fast identities become numbers, on this machine's disk: `cargo run --release -p vault --example throughput`.
//!
//! Prints new persons a second (batches of 2,000 pairs of device and user, one caller and four), and the time of a call
//! that resolves 2,000 known pairs, in process and through the socket.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use model::{BatchId, ProjectId};
use std::time::{Duration, Instant};
use vault::clock::{Clock, SystemClock};
use vault::{RootSource, Server, Stop, VaultOptions, init};
use vault_client::protocol::Request;
use vault_client::{Client, Personal, ResolveRequest, Tuple};

const PROJECT: ProjectId = ProjectId(1);
const BATCH: usize = 2_000;
const BATCHES: usize = 50;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path(), &RootSource::File(None)).unwrap();
    let socket = folder.path().join("run/vault.sock");
    let stop = Stop::default();
    let mut options = VaultOptions::new(folder.path(), &socket, RootSource::File(None));
    options.stop = stop.clone();
    let server = Server::bind(options).unwrap();
    let vault = std::sync::Arc::clone(server.vault());
    let running = std::thread::spawn(move || server.run().unwrap());
    let client = Client::new(&socket);
    client.create_project(PROJECT).unwrap();

    for callers in [1, 4] {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for caller in 0..callers {
                let client = client.clone();
                scope.spawn(move || {
                    for batch in 0..BATCHES / callers {
                        client.resolve(&request(callers, caller, batch, true)).unwrap();
                    }
                });
            }
        });
        let persons = (BATCHES / callers * callers * BATCH) as f64;
        println!(
            "new persons, {callers} callers: {:.0} a second",
            persons / begun.elapsed().as_secs_f64()
        );
    }
    let known: Vec<ResolveRequest> = (0..BATCHES).map(|batch| request(1, 0, batch, true)).collect();
    let times = known
        .iter()
        .map(|request| timed(|| drop(client.resolve(request).unwrap())));
    print("known pairs of device and user, through the socket", times.collect());
    let times = known.iter().map(|request| {
        let request = request.clone();
        timed(|| drop(vault.answer(Request::Resolve(request))))
    });
    print("known pairs of device and user, in process", times.collect());
    let known: Vec<ResolveRequest> = (0..BATCHES).map(|batch| request(1, 0, batch, false)).collect();
    let times = known
        .iter()
        .map(|request| timed(|| drop(client.resolve(request).unwrap())));
    print("known devices, through the socket", times.collect());
    stop.stop();
    running.join().unwrap();
}

fn request(callers: usize, caller: usize, batch: usize, with_user: bool) -> ResolveRequest {
    let mut batch_id = [0; 16];
    batch_id[..3].copy_from_slice(&[callers as u8, caller as u8, batch as u8]);
    let ids = (0..BATCH)
        .map(|n| {
            let name = format!("{callers:04x}{caller:04x}-{batch:04x}-4000-8000-{n:012x}");
            Tuple {
                user: with_user.then(|| Personal::new(format!("user-{name}"))),
                device: Some(Personal::new(name)),
                ..Tuple::default()
            }
        })
        .collect();
    ResolveRequest {
        project: PROJECT,
        batch_id: BatchId(batch_id),
        received_ms: 0,
        // As a collector does: the call is worth waiting for longer than the vault's own second.
        deadline_ms: SystemClock.now_ms() + 10_000,
        have_feed: 0,
        ids,
        refs: vec![],
        writes: vec![],
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    println!("{BATCH} {what}: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
}
