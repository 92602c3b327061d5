//! Writes a world to standard output: `rows FORM PERSONS EVENTS DAYS SEED END_MS`.
//!
//! FORM is `export` (as clients send it), `reduced` (what is left to store, for comparing engines on the same rows:
//! no copies), `profiles` or `groups`. EVENTS 0 leaves the number to the people.

use std::io::{self, BufWriter, Write};
use synthetic::{Generator, Options};

const BUFFER_BYTES: usize = 1 << 20;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [form, numbers @ ..] = arguments.as_slice() else {
        return usage();
    };
    let Ok(numbers) = numbers.iter().map(|text| text.parse()).collect::<Result<Vec<i64>, _>>() else {
        return usage();
    };
    let [persons, events, days, seed, end_ms] = numbers[..] else {
        return usage();
    };
    let generator = Generator::new(Options {
        persons: persons as u32,
        events: (events > 0).then_some(events as u64),
        days: days as u32,
        seed: seed as u64,
        end_ms,
    });
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let mut line = Vec::with_capacity(1024);
    match form.as_str() {
        "export" => {
            for event in generator.events() {
                line.clear();
                event.write_export_line(&mut line);
                out.write_all(&line)?;
            }
        }
        "reduced" => {
            for event in generator.events().filter(|event| !event.is_copy()) {
                line.clear();
                event.write_reduced_line(&mut line);
                out.write_all(&line)?;
            }
        }
        "profiles" => generator
            .profiles()
            .try_for_each(|profile| writeln!(out, "{}", profile.to_export()))?,
        "groups" => generator
            .groups()
            .try_for_each(|group| writeln!(out, "{}", group.to_export()))?,
        _ => return usage(),
    }
    out.flush()
}

fn usage() -> io::Result<()> {
    Err(io::Error::other(
        "usage: rows export|reduced|profiles|groups PERSONS EVENTS DAYS SEED END_MS",
    ))
}
