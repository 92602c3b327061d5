//! What one person does on one day.

use crate::clock::{DAY_MS, LocalDay, MINUTE_MS, NEVER, SECOND_MS, WEEK};
use crate::event::{BORROWED, Identity, Kind, Mess, Row};
use crate::pages::{ERRORS, LANDINGS, MANUAL, MODELS, SEARCHES};
use crate::person::Person;
use crate::random::{exponential, mix, poisson, skewed, stream};
use crate::world::World;
use fastrand::Rng;

const DAYS: u64 = 3;
/// Share of browser events that are sent twice.
const COPIES_PER_1024: u64 = 3;

/// Plays the days of a world's people, into rows.
pub(crate) struct Player<'a> {
    world: &'a World,
    pub rows: Vec<Row>,
    /// How many of the rows so far depend on the intensity asked for.
    pub scalable: u64,
    index: u32,
    person: &'a Person,
    rng: Rng,
    salt: u64,
}

impl<'a> Player<'a> {
    pub fn new(world: &'a World) -> Player<'a> {
        Player {
            world,
            rows: Vec::new(),
            scalable: 0,
            index: 0,
            person: &world.persons[0],
            rng: Rng::with_seed(0),
            salt: 0,
        }
    }

    /// Plays one person's day. `intensity` multiplies what people do again and again; milestones happen once.
    pub fn play(&mut self, index: u32, day: LocalDay, intensity: f64) {
        let person = &self.world.persons[index as usize];
        let offset_ms = person.offset_ms();
        let start_ms = day.start_ms(offset_ms);
        let end_ms = start_ms + DAY_MS;
        if end_ms <= person.first_ms {
            return;
        }
        self.index = index;
        self.person = person;
        self.rng = stream(self.world.seed, DAYS + index as u64, day.0 as u64);
        self.salt = self.rng.u64(..);
        self.milestones(start_ms, end_ms);
        if start_ms > person.last_ms {
            return;
        }
        let before = self.rows.len();
        let expected = self.visits_expected(day, start_ms) * intensity;
        for _ in 0..poisson(&mut self.rng, expected) {
            let at_ms = day.moment_ms(offset_ms, &mut self.rng);
            if at_ms >= person.first_ms {
                self.visit(at_ms);
            }
        }
        self.usage(day, intensity);
        self.scalable += (self.rows.len() - before) as u64;
    }

    /// How many visits the person makes on such a day.
    fn visits_expected(&self, day: LocalDay, start_ms: i64) -> f64 {
        let person = self.person;
        // Engagement when new, days until it has halved or so, how steeply it goes on falling.
        let (level, patience_days, fall) = if start_ms >= person.upgrade_ms {
            (0.62, 60.0, 0.4)
        } else if start_ms >= person.call_ms {
            (0.46, 22.0, 0.7)
        } else if start_ms >= person.key_ms {
            (0.30, 7.0, 1.0)
        } else if start_ms >= person.signup_ms {
            (0.22, 4.0, 1.1)
        } else {
            (0.16, 2.0, 1.4)
        };
        let since_ms = if start_ms >= person.signup_ms {
            person.signup_ms.max(person.first_ms)
        } else {
            person.first_ms
        };
        let age_days = (start_ms - since_ms).max(0) as f64 / DAY_MS as f64;
        let window = self.world.window;
        let improved = person.first_ms > window.start_ms + window.length_ms() / 2;
        let loyalty = if improved { 1.35 } else { 1.0 };
        level * loyalty * WEEK[day.weekday()] / (1.0 + age_days / (patience_days * loyalty)).powf(fall)
    }

    // ---- milestones

    fn milestones(&mut self, start_ms: i64, end_ms: i64) {
        let today = start_ms..end_ms;
        let person = self.person;
        if today.contains(&person.first_ms) {
            if person.existing {
                self.sign_in(person.first_ms, 0)
            } else {
                self.arrive(person.first_ms, 0)
            }
        }
        if today.contains(&person.signup_ms) {
            self.sign_up(person.signup_ms);
        }
        if today.contains(&person.key_ms) {
            self.web(person.key_ms - 25 * SECOND_MS, Kind::DashboardViewed, 0);
            self.web(person.key_ms, Kind::KeyCreated, 0);
        }
        if today.contains(&person.call_ms) {
            let model = self.model();
            self.server(person.call_ms, Kind::FirstCall, model);
        }
        if today.contains(&person.upgrade_ms) {
            self.upgrade(person.upgrade_ms);
        }
        if person.upgrade_ms < start_ms {
            self.renew(start_ms);
        }
        if today.contains(&person.second_ms) {
            self.arrive(person.second_ms, 1);
        }
        if today.contains(&person.second_in_ms) {
            self.sign_in(person.second_in_ms, 1);
        }
    }

    /// A first visit by a device that nobody has signed in on.
    fn arrive(&mut self, at_ms: i64, device: u8) {
        let mut at_ms = at_ms;
        self.landing(at_ms, device, Identity::Device);
        let pages = self.rng.u32(0..3);
        for _ in 0..pages {
            at_ms += self.pause_ms();
            let kind = if self.rng.f32() < 0.3 {
                Kind::PricingViewed
            } else {
                Kind::DocsViewed
            };
            self.page(at_ms, kind, device, Identity::Device);
        }
    }

    fn sign_up(&mut self, at_ms: i64) {
        let started_ms = at_ms - 30 * SECOND_MS - self.rng.i64(0..60 * SECOND_MS);
        let prefilled = self.rng.f32() < 0.03;
        let mut started = self.row(started_ms, Kind::SignUpStarted, Identity::Device, 0);
        started.mess = prefilled.then_some(Mess::EmailInUrl);
        self.rows.push(started);
        self.send(at_ms, Kind::Identify, Identity::Both, 0);
        self.send(at_ms + 4, Kind::SignedUp, Identity::Both, 0);
        if self.rng.f32() < 0.9 {
            let wait_ms = 20 * SECOND_MS + exponential(&mut self.rng, 90_000.0) as i64;
            self.server(at_ms + wait_ms, Kind::EmailVerified, 0);
        }
        self.web(at_ms + 6 * SECOND_MS, Kind::DashboardViewed, 0);
    }

    fn sign_in(&mut self, at_ms: i64, device: u8) {
        self.send(at_ms, Kind::Identify, Identity::Both, device);
        self.send(at_ms + 3, Kind::SignedIn, Identity::Both, device);
        self.send(at_ms + 2 * SECOND_MS, Kind::DashboardViewed, Identity::Both, device);
    }

    fn upgrade(&mut self, at_ms: i64) {
        self.web(at_ms - 4 * MINUTE_MS, Kind::PricingViewed, 0);
        self.web(at_ms - 70 * SECOND_MS, Kind::UpgradeClicked, 0);
        self.web(at_ms, Kind::PlanUpgraded, 0);
        self.server(at_ms + 2 * SECOND_MS, Kind::InvoicePaid, 0);
    }

    /// The monthly invoice, at the hour of the upgrade.
    fn renew(&mut self, start_ms: i64) {
        let into_month_ms = (start_ms - self.person.upgrade_ms).rem_euclid(30 * DAY_MS);
        if into_month_ms > 29 * DAY_MS {
            self.server(start_ms + 30 * DAY_MS - into_month_ms, Kind::InvoicePaid, 0);
        }
    }

    // ---- days like any other

    fn visit(&mut self, at_ms: i64) {
        if at_ms >= self.person.signup_ms {
            return self.work(at_ms);
        }
        let mut at_ms = at_ms;
        if self.rng.f32() < 0.55 {
            self.landing(at_ms, 0, Identity::Device);
        } else {
            let page = self.content(at_ms, Kind::DocsViewed, 0, Identity::Device);
            self.push_web(Row {
                opens_visit: true,
                ..page
            });
        }
        let pages = self.rng.u32(0..4);
        for _ in 0..pages {
            at_ms += self.pause_ms();
            let kind = match self.rng.u8(..10) {
                0..2 => Kind::PricingViewed,
                2 => Kind::DocsSearched,
                _ => Kind::DocsViewed,
            };
            self.page(at_ms, kind, 0, Identity::Device);
        }
    }

    /// A visit by somebody who is signed in.
    fn work(&mut self, at_ms: i64) {
        let mut at_ms = at_ms;
        let device = self.device_at(at_ms);
        let has_key = at_ms >= self.person.key_ms;
        let mut opening = self.row(at_ms, Kind::DashboardViewed, Identity::Both, device);
        opening.opens_visit = true;
        self.rows.push(opening);
        let steps = 1 + poisson(&mut self.rng, if has_key { 5.0 } else { 2.0 });
        for _ in 0..steps {
            at_ms += self.pause_ms();
            let kind = match self.rng.u8(..100) {
                0..35 => Kind::DocsViewed,
                35..43 => Kind::DocsSearched,
                43..63 => Kind::DashboardViewed,
                63..92 => Kind::PlaygroundRun,
                92..95 if has_key => Kind::InviteSent,
                95..97 => Kind::PricingViewed,
                97..99 => Kind::ErrorShown,
                _ => Kind::DocsViewed,
            };
            self.page(at_ms, kind, device, Identity::Both);
        }
    }

    /// What the servers report about the person's calls.
    fn usage(&mut self, day: LocalDay, intensity: f64) {
        if self.person.call_ms == NEVER || self.person.call_ms > day.start_ms(self.person.offset_ms()) {
            return;
        }
        // Programs rest less at weekends than their owners.
        let expected = f64::from(self.person.usage) * (0.4 + 0.6 * WEEK[day.weekday()]) * intensity;
        let offset_ms = self.person.offset_ms();
        for _ in 0..poisson(&mut self.rng, expected) {
            let at_ms = day.moment_ms(offset_ms, &mut self.rng);
            let model = self.model();
            self.server(at_ms, Kind::UsageRecorded, model);
        }
    }

    // ---- rows

    fn device_at(&mut self, at_ms: i64) -> u8 {
        if self.person.borrows && self.index > 0 && self.rng.f32() < 0.15 {
            BORROWED
        } else if at_ms >= self.person.second_in_ms && self.rng.f32() < 0.35 {
            1
        } else {
            0
        }
    }

    fn model(&mut self) -> u8 {
        skewed(&mut self.rng, MODELS.len()) as u8
    }

    fn pause_ms(&mut self) -> i64 {
        4 * SECOND_MS + exponential(&mut self.rng, 42_000.0) as i64
    }

    fn landing(&mut self, at_ms: i64, device: u8, identity: Identity) {
        let mut row = self.row(at_ms, Kind::LandingViewed, identity, device);
        row.choice = self.rng.usize(..LANDINGS.len()) as u8;
        row.opens_visit = true;
        self.push_web(row);
    }

    fn page(&mut self, at_ms: i64, kind: Kind, device: u8, identity: Identity) {
        let row = self.content(at_ms, kind, device, identity);
        self.push_web(row);
    }

    /// An event with what its kind has to say.
    fn content(&mut self, at_ms: i64, kind: Kind, device: u8, identity: Identity) -> Row {
        let mut row = self.row(at_ms, kind, identity, device);
        match kind {
            Kind::DocsViewed => row.choice = skewed(&mut self.rng, MANUAL.len()) as u8,
            Kind::DocsSearched => {
                row.choice = skewed(&mut self.rng, SEARCHES.len()) as u8;
                row.mess = match self.rng.u16(..1000) {
                    0..6 => Some(Mess::Secret),
                    6..10 => Some(Mess::EmailInText),
                    _ => None,
                };
            }
            Kind::PlaygroundRun => row.choice = self.model(),
            Kind::ErrorShown => {
                row.choice = self.rng.usize(..ERRORS.len()) as u8;
                row.mess = (self.rng.f32() < 0.02).then_some(Mess::Secret);
            }
            Kind::InviteSent => row.mess = (self.rng.f32() < 0.05).then_some(Mess::EmailInText),
            _ => {}
        }
        row.number = exponential(&mut self.rng, 900.0) as u32 + 1;
        row
    }

    fn web(&mut self, at_ms: i64, kind: Kind, device: u8) {
        self.page(at_ms, kind, device, Identity::Both);
    }

    fn send(&mut self, at_ms: i64, kind: Kind, identity: Identity, device: u8) {
        let row = self.row(at_ms, kind, identity, device);
        self.push_web(row);
    }

    fn server(&mut self, at_ms: i64, kind: Kind, choice: u8) {
        let mut row = self.row(at_ms, kind, Identity::User, 0);
        row.choice = choice;
        row.number = exponential(&mut self.rng, 2_500.0) as u32 + 1;
        self.rows.push(row);
    }

    /// Keeps a browser's event, and now and then the copy that it sends when the answer was lost.
    fn push_web(&mut self, row: Row) {
        self.rows.push(row);
        if row.salt % 1024 < COPIES_PER_1024 {
            self.rows.push(Row { copy: true, ..row });
        }
    }

    fn row(&mut self, time_ms: i64, kind: Kind, identity: Identity, device: u8) -> Row {
        self.salt = self.salt.wrapping_add(1);
        Row {
            time_ms,
            salt: mix(self.salt),
            person: self.index,
            number: 0,
            kind,
            identity,
            device,
            choice: 0,
            opens_visit: false,
            mess: None,
            copy: false,
        }
    }
}
