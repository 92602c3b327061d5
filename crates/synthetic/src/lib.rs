//! People who do not exist, and what they did.
//!
//! The demo, the tests, the command line and the benchmarks all need the same kind of traffic: a developer platform
//! whose visitors find it through several channels, read the manual, sign up (or do not), create a key, call the API,
//! invite colleagues, pay, and stay or leave. It must look like life, because reports over noise prove nothing: days
//! and weeks have a rhythm in everybody's own time zone, channels differ in worth, cohorts fade at different speed,
//! people change devices, clients send twice, and now and then somebody pastes a secret where none belongs.
//!
//! It is a crate of its own so that all of them get it without linking anything else of Frostpane.
//!
//! - **Invented.** Names are common given and family names combined at random; addresses lie under `.example` and
//!   `.test`, which can belong to nobody (RFC 2606); telephone numbers are from ranges kept for fiction.
//! - **Repeatable.** The same [`Options`] give the same bytes, on every machine.
//! - **Streaming.** Lives are drawn first, some 100 bytes a person; events come a day at a time, in order of time.
//!   Copies that a client sent again come a little later than their original.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod channels;
mod clock;
mod event;
mod mess;
mod organization;
mod pages;
mod person;
mod places;
mod profile;
mod random;
mod setups;
#[cfg(test)]
mod tests;
mod timeline;
mod visit;
mod world;
mod write;

pub use event::{Mess, SyntheticEvent};
pub use profile::{Group, Profile};
pub use timeline::Events;

use world::World;

/// The property that names a person's organization.
pub const GROUP_KEY: &str = "company_id";

/// The size and the place in time of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// People who appear at least once, most of them visitors who never sign up.
    pub persons: u32,
    /// Exactly so many events, copies included; `None` for as many as these people make by themselves, some 45 each.
    /// With fewer than nine a person the last days of the window stay empty, because first visits alone need more.
    pub events: Option<u64>,
    /// Length of the window in days of 24 hours; at least 1.
    pub days: u32,
    pub seed: u64,
    /// End of the window, excluded, in milliseconds since 1970-01-01T00:00:00Z.
    pub end_ms: i64,
}

/// A world of people, ready to tell what they did.
pub struct Generator {
    options: Options,
    world: World,
}

impl Generator {
    /// Draws all lives: about a microsecond and 100 bytes a person.
    pub fn new(options: Options) -> Generator {
        let world = World::draw(
            options.seed,
            options.persons.max(1),
            options.days.max(1),
            options.end_ms,
        );
        Generator { options, world }
    }

    /// How many people there are.
    pub fn persons(&self) -> u32 {
        self.world.persons.len() as u32
    }

    /// All events, in order of time but for copies.
    pub fn events(&self) -> Events<'_> {
        Events::new(&self.world, self.options.events)
    }

    /// The profiles of all who signed up, as they are at the end of the window.
    pub fn profiles(&self) -> impl Iterator<Item = Profile<'_>> {
        profile::profiles(&self.world)
    }

    /// The profiles of all organizations.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        profile::groups(&self.world)
    }
}
