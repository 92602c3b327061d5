//! What becomes of a person: where they come from, and when they sign up, call, pay and leave.
//!
//! A whole life is drawn at once and from nothing but the seed and the person's index. The timeline then only has to
//! play it, and profiles can be told without playing it.

use crate::channels::CHANNELS;
use crate::clock::{DAY_MS, HOUR_MS, LocalDay, MINUTE_MS, NEVER, WEEK, Window};
use crate::organization::Organization;
use crate::pages::ROLES;
use crate::places::{COUNTRIES, Country};
use crate::random::{exponential, skewed, stream, weighted};
use crate::setups::SETUPS;
use fastrand::Rng;

/// Share of people who were customers before the window began.
const EXISTING_SHARE: f64 = 0.12;
/// Growth of the number of arrivals a day over the window.
const GROWTH: f64 = 2.2;
/// `organization` of people who work for themselves.
pub(crate) const NO_ORGANIZATION: u32 = u32::MAX;
const LIVES: u64 = 1;

pub(crate) struct Person {
    /// First appearance in the window.
    pub first_ms: i64,
    pub signup_ms: i64,
    pub key_ms: i64,
    pub call_ms: i64,
    pub upgrade_ms: i64,
    /// First visit from a second device, still unknown there.
    pub second_ms: i64,
    /// Signing in on the second device.
    pub second_in_ms: i64,
    /// Nothing happens any more from here on.
    pub last_ms: i64,
    /// Server-side usage records on an average day.
    pub usage: f32,
    pub organization: u32,
    /// Number in the e-mail address that tells namesakes apart; 0 for none.
    pub suffix: u16,
    pub country: u8,
    pub given: u8,
    pub family: u8,
    pub channel: u8,
    /// Which of the channel's referrers or campaigns.
    pub source: u8,
    pub setup: u8,
    pub second_setup: u8,
    pub role: u8,
    /// Plan chosen at sign-up: 0 free, 1 a trial.
    pub entry_plan: u8,
    /// Plan after the upgrade.
    pub plan: u8,
    /// Customer since before the window.
    pub existing: bool,
    /// Sometimes works at the machine of the person before them.
    pub borrows: bool,
}

impl Person {
    pub fn country(&self) -> &'static Country {
        &COUNTRIES[usize::from(self.country)]
    }

    pub fn offset_ms(&self) -> i64 {
        i64::from(self.country().offset_minutes) * MINUTE_MS
    }

    pub fn given(&self) -> &'static str {
        self.country().names.given[usize::from(self.given)]
    }

    pub fn family(&self) -> &'static str {
        self.country().names.family[usize::from(self.family)]
    }

    pub fn signs_up(&self) -> bool {
        self.signup_ms != NEVER
    }

    /// Index of the plan at a moment.
    pub fn plan_at(&self, time_ms: i64) -> u8 {
        if time_ms >= self.upgrade_ms {
            self.plan
        } else {
            self.entry_plan
        }
    }

    /// Draws the life of person `index` of `count`.
    pub fn draw(seed: u64, window: Window, index: u32, count: u32, organizations: u32) -> Person {
        let rng = &mut stream(seed, LIVES, u64::from(index));
        let existing_count = (f64::from(count) * EXISTING_SHARE) as u32;
        let mut person = Person::newcomer(rng, seed, organizations);
        person.existing = index < existing_count;
        if person.existing {
            person.live_on(rng, window);
        } else {
            let rank = (f64::from(index - existing_count) + rng.f64()) / f64::from(count - existing_count);
            person.first_ms = arrival_ms(rng, window, rank, person.offset_ms());
            person.convert(rng, window);
        }
        person.meet_second_device(rng, window);
        person
    }

    /// Somebody with origin, machine and trade, but without a story.
    fn newcomer(rng: &mut Rng, seed: u64, organizations: u32) -> Person {
        let employed = rng.f32() < 0.8;
        let organization = if employed {
            skewed(rng, organizations as usize) as u32
        } else {
            NO_ORGANIZATION
        };
        let at_home = employed && rng.f32() < 0.75;
        let country = if at_home {
            Organization::draw(seed, organization).country
        } else {
            weighted(rng, COUNTRIES, |country| country.weight)
        };
        let names = COUNTRIES[usize::from(country)].names;
        let channel = weighted(rng, CHANNELS, |channel| channel.weight);
        Person {
            first_ms: NEVER,
            signup_ms: NEVER,
            key_ms: NEVER,
            call_ms: NEVER,
            upgrade_ms: NEVER,
            second_ms: NEVER,
            second_in_ms: NEVER,
            last_ms: NEVER,
            usage: (exponential(rng, 1.0) * exponential(rng, 1.8)).min(40.0) as f32,
            organization,
            suffix: 0,
            country,
            given: skewed(rng, names.given.len()) as u8,
            family: skewed(rng, names.family.len()) as u8,
            channel,
            source: rng.u8(..),
            setup: weighted(rng, SETUPS, |setup| setup.weight),
            second_setup: weighted(rng, SETUPS, |setup| setup.weight),
            role: skewed(rng, ROLES.len()) as u8,
            entry_plan: u8::from(rng.f32() < 0.3),
            plan: if employed {
                Organization::draw(seed, organization).plan
            } else {
                2
            },
            existing: false,
            borrows: rng.f32() < 0.006,
        }
    }

    /// The story of a customer from before the window.
    fn live_on(&mut self, rng: &mut Rng, window: Window) {
        let offset_ms = self.offset_ms();
        let day = LocalDay::of(
            window.start_ms + exponential(rng, 3.0 * DAY_MS as f64) as i64,
            offset_ms,
        );
        self.first_ms = moment_within(rng, day, offset_ms, window);
        let age_ms = rng.i64(5 * DAY_MS..500 * DAY_MS);
        self.signup_ms = window.start_ms - age_ms;
        if rng.f32() < 0.8 {
            self.key_ms = self.signup_ms + HOUR_MS;
            self.call_ms = self.key_ms + HOUR_MS;
        }
        if self.call_ms != NEVER && self.plan > 1 && rng.f32() < 0.55 {
            self.upgrade_ms = self.call_ms + rng.i64(DAY_MS..4 * DAY_MS);
        }
        if rng.f32() < 0.3 {
            self.last_ms = self.first_ms + exponential(rng, 40.0 * DAY_MS as f64) as i64;
        }
    }

    /// The story of a newcomer, step by step, each harder than the one before.
    fn convert(&mut self, rng: &mut Rng, window: Window) {
        let channel = &CHANNELS[usize::from(self.channel)];
        let setup = &SETUPS[usize::from(self.setup)];
        // A better first hour was shipped in the middle of the window; later cohorts stay longer.
        let improved = self.first_ms > window.start_ms + window.length_ms() / 2;
        let trial = if self.entry_plan == 1 { 1.25 } else { 0.95 };
        if rng.f32() >= (channel.sign_up * setup.eagerness).min(0.9) {
            return;
        }
        self.signup_ms = self.later(rng, self.first_ms, 0.68, 10 * MINUTE_MS, 4.0, window);
        if self.signup_ms == NEVER || rng.f32() >= (channel.key * trial * if improved { 1.12 } else { 1.0 }).min(0.95) {
            return;
        }
        self.key_ms = self.later(rng, self.signup_ms, 0.6, 15 * MINUTE_MS, 2.0, window);
        if self.key_ms == NEVER || rng.f32() >= (0.68 * trial).min(0.95) {
            return;
        }
        self.call_ms = self.later(rng, self.key_ms, 0.62, 40 * MINUTE_MS, 1.5, window);
        if self.call_ms == NEVER {
            return;
        }
        let willing = if self.organization == NO_ORGANIZATION { 0.6 } else { 1.5 };
        if self.plan > 1 && rng.f32() < channel.upgrade * trial * trial * willing {
            self.upgrade_ms = self.later(rng, self.call_ms, 0.08, 3 * HOUR_MS, 9.0, window);
        }
        let loyal = if self.upgrade_ms != NEVER { 0.9 } else { 0.55 };
        if rng.f32() >= loyal {
            self.last_ms = self.call_ms + DAY_MS + exponential(rng, 25.0 * DAY_MS as f64) as i64;
        }
    }

    /// The next step: at once with probability `at_once`, else some days later at a likely hour; never if that is
    /// after the window.
    fn later(&self, rng: &mut Rng, from_ms: i64, at_once: f32, soon_ms: i64, mean_days: f64, window: Window) -> i64 {
        let offset_ms = self.offset_ms();
        let then = if rng.f32() < at_once {
            from_ms + 150 * 1_000 + exponential(rng, soon_ms as f64) as i64
        } else {
            let mut day = LocalDay(LocalDay::of(from_ms, offset_ms).0 + 1 + exponential(rng, mean_days) as i64);
            if day.is_weekend() && rng.f32() < 0.7 {
                day.0 += 2;
            }
            day.moment_ms(offset_ms, rng)
        };
        if then < window.end_ms { then } else { NEVER }
    }

    fn meet_second_device(&mut self, rng: &mut Rng, window: Window) {
        if !self.signs_up() || rng.f32() >= 0.35 {
            return;
        }
        let from_ms = self.signup_ms.max(self.first_ms);
        self.second_ms = self.later(rng, from_ms, 0.0, 0, 8.0, window);
        if self.second_ms != NEVER {
            self.second_in_ms = self.later(rng, self.second_ms, 0.6, 20 * MINUTE_MS, 1.5, window);
        }
    }
}

/// When the newcomer at `rank` (0 to 1) of all newcomers arrives: more every week, fewer at weekends.
fn arrival_ms(rng: &mut Rng, window: Window, rank: f64, offset_ms: i64) -> i64 {
    let progress = (1.0 + rank * (GROWTH - 1.0)).ln() / GROWTH.ln();
    let mut day = LocalDay::of(
        window.start_ms + (progress * window.length_ms() as f64) as i64,
        offset_ms,
    );
    if day.is_weekend() && rng.f64() > WEEK[day.weekday()] {
        day.0 += if rng.bool() { 2 } else { -2 };
    }
    moment_within(rng, day, offset_ms, window)
}

/// A likely hour of the day that lies in the window, of which the first and last day may be cut.
fn moment_within(rng: &mut Rng, day: LocalDay, offset_ms: i64, window: Window) -> i64 {
    for _ in 0..8 {
        let moment_ms = day.moment_ms(offset_ms, rng);
        if window.contains(moment_ms) {
            return moment_ms;
        }
    }
    let nearest_ms = day.start_ms(offset_ms).clamp(window.start_ms, window.end_ms - 1);
    let low_ms = (nearest_ms - 6 * HOUR_MS).max(window.start_ms);
    let high_ms = (nearest_ms + 6 * HOUR_MS).min(window.end_ms);
    rng.i64(low_ms..high_ms)
}
