//! `frostpane generate`: synthetic events.

use clap::Args;
use std::io::{BufWriter, Write};
use synthetic::{Generator, Options};

#[derive(Args)]
pub struct Generate {
    #[arg(long, value_name = "N", default_value_t = 1000)]
    persons: u32,
    /// About how many events; what the people would do by themselves when absent.
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    #[arg(long, value_name = "N", default_value_t = 90)]
    days: u32,
    /// The same seed and end give the same events.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// End of the history in milliseconds since 1970; now when absent.
    #[arg(long, value_name = "MS")]
    end_ms: Option<i64>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = What::Events)]
    what: What,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    Events,
    Profiles,
    Groups,
}

impl Generate {
    pub fn run(self) -> anyhow::Result<()> {
        let end_ms = self.end_ms.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond());
        let generator = Generator::new(Options {
            persons: self.persons,
            events: self.events,
            days: self.days,
            seed: self.seed,
            end_ms,
        });
        let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
        let mut lines = Vec::new();
        let mut write = |line: &[u8]| out.write_all(line);
        match self.what {
            What::Events => {
                for event in generator.events() {
                    lines.clear();
                    event.write_export_line(&mut lines);
                    write(&lines)?;
                }
            }
            What::Profiles => {
                for profile in generator.profiles() {
                    write(format!("{}\n", profile.to_export()).as_bytes())?;
                }
            }
            What::Groups => {
                for group in generator.groups() {
                    write(format!("{}\n", group.to_export()).as_bytes())?;
                }
            }
        }
        out.flush()?;
        Ok(())
    }
}
