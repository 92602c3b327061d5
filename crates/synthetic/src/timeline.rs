//! The order of events, and how many there are.
//!
//! Days are played one after the other, on each person's own clock. A day on the westernmost clock ends long after
//! the same day further east, so events are held back until no later day can bring an earlier one.
//!
//! When a number of events is asked for, a sample of the people is played first. It tells how much of a day is
//! milestones, which happen once, and how much grows with the intensity; each further day is then played at the
//! intensity that brings the rest of the window to the number. The last day settles the small remainder.

use crate::clock::{LocalDay, MINUTE_MS};
use crate::event::{Identity, Kind, Row, SyntheticEvent};
use crate::places::{OFFSET_MS_MAX, OFFSET_MS_MIN};
use crate::random::{mix, stream};
use crate::visit::Player;
use crate::world::World;

const SETTLING: u64 = 0x5E77_1E00;
/// How far before a milestone the steps that lead to it may begin.
const RUN_UP_MS: i64 = 10 * MINUTE_MS;
const SAMPLE_MAX: u32 = 4_000;
const INTENSITY_MAX: f64 = 10_000.0;
/// A copy follows its original by up to this.
const COPY_DELAY_MS_MAX: u64 = 20 * MINUTE_MS as u64;

/// Iterator over all events of a world.
pub struct Events<'a> {
    world: &'a World,
    player: Player<'a>,
    day: LocalDay,
    last_day: LocalDay,
    plan: Option<Plan>,
    /// Rows played and not handed out yet; those before `ready` are due, from `next` on.
    rows: Vec<Row>,
    next: usize,
    ready: usize,
    /// How many may still be handed out.
    left: u64,
}

/// How the wanted number of events is spread over the days.
struct Plan {
    events: u64,
    /// Rows of each day, played at intensity 1: those that happen anyway, and those that grow with it.
    fixed: Vec<f64>,
    scalable: Vec<f64>,
    first_day: LocalDay,
    released: u64,
    /// Scalable rows so far: as the sample foretold, and as they came.
    foretold: f64,
    came: f64,
}

impl<'a> Events<'a> {
    pub(crate) fn new(world: &'a World, events: Option<u64>) -> Events<'a> {
        let window = world.window;
        let day = LocalDay::of(window.start_ms, OFFSET_MS_MIN);
        let last_day = LocalDay::of(window.end_ms - 1, OFFSET_MS_MAX);
        Events {
            world,
            player: Player::new(world),
            day,
            last_day,
            plan: events.map(|events| Plan::sample(world, events, day, last_day)),
            rows: Vec::new(),
            next: 0,
            ready: 0,
            left: events.unwrap_or(u64::MAX),
        }
    }

    /// Plays days until some events are due, or all are.
    fn refill(&mut self) {
        while self.next == self.ready && self.day <= self.last_day {
            self.rows.drain(..self.next);
            self.next = 0;
            self.play_day();
            self.day = LocalDay(self.day.0 + 1);
            if self.day > self.last_day {
                self.settle();
            }
            self.rows.sort_unstable_by_key(sent_ms);
            let horizon_ms = match self.day > self.last_day {
                true => i64::MAX,
                false => self.day.start_ms(OFFSET_MS_MAX) - RUN_UP_MS,
            };
            self.ready = self.rows.partition_point(|row| sent_ms(row).0 < horizon_ms);
        }
    }

    fn play_day(&mut self) {
        let intensity = self.plan.as_ref().map_or(1.0, |plan| plan.intensity(self.day));
        self.player.scalable = 0;
        for index in 0..self.world.persons.len() as u32 {
            self.player.play(index, self.day, intensity);
        }
        let before = self.rows.len();
        let window = self.world.window;
        self.rows
            .extend(self.player.rows.drain(..).filter(|row| window.contains(row.time_ms)));
        if let Some(plan) = &mut self.plan {
            plan.record(
                self.day,
                intensity,
                (self.rows.len() - before) as u64,
                self.player.scalable,
            );
        }
    }

    /// Makes the number exact: leaves out, or adds, a few events of which there are many anyway.
    fn settle(&mut self) {
        let Some(plan) = &self.plan else { return };
        let rng = &mut stream(self.world.seed, SETTLING, plan.events);
        let excess = plan.released.saturating_sub(plan.events) as usize;
        if excess > 0 {
            let mut spare: Vec<usize> = (0..self.rows.len())
                .filter(|&at| self.rows[at].kind.repeats() && !self.rows[at].copy)
                .collect();
            rng.shuffle(&mut spare);
            spare.truncate(excess);
            spare.sort_unstable();
            for at in spare.into_iter().rev() {
                self.rows.swap_remove(at);
            }
        }
        let window = self.world.window;
        for number in plan.released..plan.events {
            let index = rng.u32(..self.world.persons.len() as u32);
            let person = &self.world.persons[index as usize];
            // Not before what is handed out already.
            let low_ms = person
                .first_ms
                .max(window.start_ms)
                .max(self.last_day.start_ms(OFFSET_MS_MAX) - RUN_UP_MS);
            let time_ms = rng.i64(low_ms..window.end_ms);
            self.rows.push(Row {
                time_ms,
                salt: mix(number ^ self.world.seed.rotate_left(17)),
                person: index,
                number: rng.u32(1..900),
                kind: Kind::DocsViewed,
                identity: if time_ms >= person.signup_ms {
                    Identity::Both
                } else {
                    Identity::Device
                },
                device: 0,
                choice: rng.u8(..24),
                opens_visit: false,
                mess: None,
                copy: false,
            });
        }
    }
}

/// When a row reaches the collector; the salt decides between equals.
fn sent_ms(row: &Row) -> (i64, u64) {
    let delay_ms = if row.copy {
        (row.salt >> 20) % COPY_DELAY_MS_MAX
    } else {
        0
    };
    (row.time_ms + delay_ms as i64, row.salt)
}

impl<'a> Iterator for Events<'a> {
    type Item = SyntheticEvent<'a>;

    fn next(&mut self) -> Option<SyntheticEvent<'a>> {
        if self.next == self.ready {
            self.refill();
        }
        if self.next == self.ready || self.left == 0 {
            return None;
        }
        self.left -= 1;
        let row = self.rows[self.next];
        self.next += 1;
        Some(SyntheticEvent { world: self.world, row })
    }
}

impl Plan {
    fn sample(world: &World, events: u64, first_day: LocalDay, last_day: LocalDay) -> Plan {
        let count = world.persons.len() as u32;
        let step = count.div_ceil(SAMPLE_MAX).max(1);
        let sampled = count.div_ceil(step);
        let weight = f64::from(count) / f64::from(sampled);
        let mut player = Player::new(world);
        let mut plan = Plan {
            events,
            fixed: Vec::new(),
            scalable: Vec::new(),
            first_day,
            released: 0,
            foretold: 0.0,
            came: 0.0,
        };
        for day in first_day.0..=last_day.0 {
            player.scalable = 0;
            for index in (0..count).step_by(step as usize) {
                player.play(index, LocalDay(day), 1.0);
            }
            let inside = player
                .rows
                .iter()
                .filter(|row| world.window.contains(row.time_ms))
                .count() as f64;
            // Of the first and last day only a part lies in the window.
            let share = inside / (player.rows.len().max(1) as f64);
            plan.scalable.push(player.scalable as f64 * share * weight);
            plan.fixed.push((inside - player.scalable as f64 * share) * weight);
            player.rows.clear();
        }
        plan
    }

    /// The intensity at which this and all further days bring what is missing.
    fn intensity(&self, day: LocalDay) -> f64 {
        let at = (day.0 - self.first_day.0) as usize;
        let missing = self.events as f64 - self.released as f64 - self.fixed[at..].iter().sum::<f64>();
        // The sample errs by some percent in the same direction every day, so its error is known from the days before.
        let error = if self.foretold > 1_000.0 {
            self.came / self.foretold
        } else {
            1.0
        };
        let growing = self.scalable[at..].iter().sum::<f64>() * error;
        if growing < 1.0 {
            0.0
        } else {
            (missing / growing).clamp(0.0, INTENSITY_MAX)
        }
    }

    fn record(&mut self, day: LocalDay, intensity: f64, rows: u64, scalable: u64) {
        self.released += rows;
        self.foretold += self.scalable[(day.0 - self.first_day.0) as usize] * intensity;
        self.came += scalable as f64;
    }
}
