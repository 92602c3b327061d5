//! What goes to the terminal: answers to standard output, everything else to standard error.

use std::io::Write;

/// Prints one line of an answer. A reader that closed the pipe (`| head`) ends the program quietly.
pub fn say(line: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{}", line.as_ref()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Structured logs to standard error; `FROSTPANE_LOG` sets the level (`info`, `store=debug`).
pub fn init_logs(json: bool) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("FROSTPANE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match json {
        true => logs.json().flatten_event(true).init(),
        false => logs.with_target(false).compact().init(),
    }
}

/// A line that is rewritten while something long runs.
pub struct Progress {
    what: &'static str,
    last: std::time::Instant,
    interactive: bool,
}

impl Progress {
    pub fn new(what: &'static str) -> Progress {
        use std::io::IsTerminal;
        let interactive = std::io::stderr().is_terminal();
        eprintln!("{what} …");
        Progress {
            what,
            last: std::time::Instant::now(),
            interactive,
        }
    }

    pub fn at(&mut self, done: u64) {
        let every_ms = if self.interactive { 200 } else { 5_000 };
        if self.last.elapsed().as_millis() >= every_ms {
            self.last = std::time::Instant::now();
            let (start, end) = if self.interactive { ("\r", "") } else { ("", "\n") };
            eprint!("{start}{} … {done}{end}", self.what);
        }
    }

    pub fn done(self, said: &str) {
        let start = if self.interactive { "\r" } else { "" };
        eprintln!("{start}{} … {said}", self.what);
    }
}
