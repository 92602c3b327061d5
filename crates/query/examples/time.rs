//! Asks a report of a store on disk again and again, without server, vault or kept answers, and prints what it took:
//! for profiles of the engine alone.
//!
//! `time DIRECTORY REPORT.json [RUNS [THREADS]]`, the directory being a server's data directory that no server uses.

use model::EventTime;
use model::report::Report;
use query::{Engine, EngineOptions};
use std::time::Instant;
use store::{Store, StoreOptions};

#[expect(clippy::print_stdout, reason = "the figures are its output")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, report, rest @ ..] = arguments.as_slice() else {
        return Err("usage: time DIRECTORY REPORT.json [RUNS [THREADS]]".into());
    };
    let number = |place: usize, default: usize| rest.get(place).map_or(Ok(default), |text| text.parse());
    let (runs, threads) = (number(0, 5)?, number(1, 2)?);
    let mut options = StoreOptions::new(directory);
    options.background = false;
    let store = Store::open(options)?;
    store.flush()?;
    while store.compact()? > 0 {}
    let project = store
        .catalog()
        .projects()
        .into_iter()
        .next()
        .ok_or("the store has no project")?;
    let report: Report = serde_json::from_slice(&std::fs::read(report)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for _ in 0..runs {
        // A new engine each time: it keeps answers.
        let engine = Engine::new(store.clone(), EngineOptions::new(threads, 8 << 30));
        let (began, cpu) = (Instant::now(), cpu_ms());
        let answer = runtime.block_on(engine.report(&project, &report, EventTime(1_800_000_000_000)))?;
        println!(
            "{:.1} ms, processor {} ms",
            began.elapsed().as_secs_f64() * 1e3,
            cpu_ms() - cpu
        );
        drop(answer);
    }
    Ok(())
}

/// Processor time of the process so far, in steps of the kernel's clock.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    (ticks(11) + ticks(12)) * 10
}
