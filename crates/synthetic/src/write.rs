//! Events as JSON text.
//!
//! Written by hand, byte by byte: a value tree for every event would cost more than everything before it, and none of
//! the words here need escaping, except those of people's names, which are letters too.

use crate::channels::{CHANNELS, Channel};
use crate::clock::DAY_MS;
use crate::event::{BORROWED, Identity, Kind, Mess, SyntheticEvent};
use crate::mess::secret;
use crate::pages::{
    APP, COMPANY_FIRST, COMPANY_SECOND, DOCS, ENDPOINTS, ERRORS, FEATURES, LANDINGS, LANGUAGES, MANUAL, MODELS, PLANS,
    PRICES, REGIONS, ROLES, SEARCHES, SITE,
};
use crate::person::NO_ORGANIZATION;
use crate::setups::{SETUPS, Setup};

const BASE32: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
const HEX: &[u8; 16] = b"0123456789abcdef";
/// Where widths of screens are cut, as the firewall does.
const WIDTHS: [u16; 8] = [0, 576, 768, 992, 1200, 1600, 1920, 2560];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form<'t> {
    /// As clients send it; with the project's token where the interface wants one.
    Sent(Option<&'t str>),
    /// As a firewall leaves it, under one id per person.
    Reduced,
}

impl SyntheticEvent<'_> {
    /// Appends one line of Mixpanel's raw export, line feed included. Times are in milliseconds, as with
    /// `time_in_ms=true`.
    pub fn write_export_line(&self, out: &mut Vec<u8>) {
        self.write(Form::Sent(None), out);
        out.push(b'\n');
    }

    /// Appends the JSON object that `/import` takes as one element of its array.
    pub fn write_import(&self, out: &mut Vec<u8>) {
        self.write(Form::Sent(None), out);
    }

    /// Appends the JSON object that `/track` takes: the token is among the properties.
    pub fn write_track(&self, token: &str, out: &mut Vec<u8>) {
        self.write(Form::Sent(Some(token)), out);
    }

    /// Appends an export line of what is left to store: reduced values, nothing that has to be removed, and one
    /// `distinct_id` per person (`p` and [`Self::person`]), so that other engines can be given exactly the same rows.
    ///
    /// Every fourth page of the manual is one of its articles here, of which there are so many that most are hardly
    /// ever read: engines have to show what they make of a property with a long tail.
    pub fn write_reduced_line(&self, out: &mut Vec<u8>) {
        self.write(Form::Reduced, out);
        out.push(b'\n');
    }

    /// The object of [`Self::write_import`] as a value.
    pub fn to_json(&self) -> serde_json::Value {
        let mut text = Vec::new();
        self.write_import(&mut text);
        serde_json::from_slice(&text).expect("what this module writes is JSON; tests read it all back")
    }

    fn write(&self, form: Form, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"event\":\"");
        out.extend_from_slice(self.name().as_bytes());
        out.extend_from_slice(b"\",\"properties\":{\"time\":");
        decimal(out, self.row.time_ms as u64);
        let line = &mut Line { out };
        if let Form::Sent(Some(token)) = form {
            line.text("token", token);
        }
        self.write_identity(form, line);
        self.write_insert_id(line);
        if self.row.kind.is_from_server() {
            line.text("mp_lib", "python");
            line.text("$lib_version", "4.11.1");
        } else {
            self.write_browser(form, line);
        }
        let person = self.life();
        line.text("mp_country_code", person.country().code);
        if self.row.identity != Identity::Device {
            line.text("plan", PLANS[usize::from(person.plan_at(self.row.time_ms))]);
            line.text("role", ROLES[usize::from(person.role)]);
            if person.organization != NO_ORGANIZATION {
                line.key(crate::GROUP_KEY);
                line.out.extend_from_slice(b"\"org_");
                decimal(line.out, 10_000 + u64::from(person.organization));
                line.out.push(b'"');
            }
        }
        self.write_own(form, line);
        out.extend_from_slice(b"}}");
    }

    // ---- who

    fn write_identity(&self, form: Form, line: &mut Line) {
        if form == Form::Reduced {
            line.key("distinct_id");
            line.out.extend_from_slice(b"\"p");
            decimal(line.out, u64::from(self.row.person));
            line.out.push(b'"');
            return;
        }
        line.key("distinct_id");
        match self.row.identity {
            Identity::Device => self.write_device(b"\"$device:", line),
            Identity::Both | Identity::User => self.write_user(line),
        }
        if self.row.identity == Identity::User {
            return;
        }
        line.key("$device_id");
        self.write_device(b"\"", line);
        if self.row.identity == Identity::Both {
            line.key("$user_id");
            self.write_user(line);
        }
        if self.row.kind == Kind::Identify {
            line.key("$anon_distinct_id");
            self.write_device(b"\"$device:", line);
        }
    }

    fn write_user(&self, line: &mut Line) {
        line.out.push(b'"');
        user_id(self.world.user_bits(self.row.person), line.out);
        line.out.push(b'"');
    }

    fn write_device(&self, prefix: &[u8], line: &mut Line) {
        let (owner, slot) = self.device_owner();
        let (high, low) = self.world.device_bits(owner, slot);
        line.out.extend_from_slice(prefix);
        for (at, byte) in high.to_be_bytes().into_iter().chain(low.to_be_bytes()).enumerate() {
            let byte = match at {
                6 => byte & 0x0F | 0x40,
                8 => byte & 0x3F | 0x80,
                _ => byte,
            };
            if matches!(at, 4 | 6 | 8 | 10) {
                line.out.push(b'-');
            }
            line.out
                .extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        line.out.push(b'"');
    }

    /// Whose device it is: sometimes that of the person before.
    fn device_owner(&self) -> (u32, u8) {
        match self.row.device {
            BORROWED => (self.row.person - 1, 0),
            slot => (self.row.person, slot),
        }
    }

    /// Sixteen characters, as browsers make them.
    fn write_insert_id(&self, line: &mut Line) {
        line.key("$insert_id");
        line.out.push(b'"');
        base32(self.bits(1), 12, line.out);
        base32(self.bits(2), 4, line.out);
        line.out.push(b'"');
    }

    // ---- where

    fn write_browser(&self, form: Form, line: &mut Line) {
        let (owner, slot) = self.device_owner();
        let owner = &self.world.persons[owner as usize];
        let setup = &SETUPS[usize::from(if slot == 0 { owner.setup } else { owner.second_setup })];
        line.text("$browser", setup.browser);
        line.number("$browser_version", self.browser_version(setup));
        line.text("$os", setup.os);
        if let Some(device) = setup.device {
            line.text("$device", device);
        }
        if form == Form::Reduced {
            line.number("$screen_width", u64::from(reduced_width(setup.screen.0)));
        } else {
            line.number("$screen_width", u64::from(setup.screen.0));
            line.number("$screen_height", u64::from(setup.screen.1));
        }
        // A second device is where people type the address.
        let channel = (slot == 0).then(|| &CHANNELS[usize::from(owner.channel)]);
        self.write_url(form, channel, line);
        self.write_referrer(form, channel, owner.source, line);
        if let Some((channel, (source, medium))) = channel.and_then(|channel| Some((channel, channel.campaign?))) {
            line.text("utm_source", source);
            line.text("utm_medium", medium);
            line.text("utm_campaign", choose(channel.campaigns, owner.source));
        }
        line.text("mp_lib", "web");
        line.text("$lib_version", "2.83.0");
    }

    fn browser_version(&self, setup: &Setup) -> u64 {
        let months = (self.row.time_ms - self.world.window.start_ms) / (28 * DAY_MS);
        u64::from(setup.version) + if setup.monthly { months as u64 } else { 0 }
    }

    fn write_url(&self, form: Form, channel: Option<&Channel>, line: &mut Line) {
        line.key("$current_url");
        line.out.push(b'"');
        if form == Form::Reduced && self.row.kind == Kind::DocsViewed && self.bits(5).is_multiple_of(4) {
            self.write_article(line);
            line.out.push(b'"');
            return;
        }
        let choice = usize::from(self.row.choice);
        let (host, path) = match self.row.kind {
            Kind::LandingViewed => (SITE, LANDINGS[choice]),
            Kind::PricingViewed => (SITE, "/pricing"),
            Kind::DocsViewed => (DOCS, MANUAL[choice]),
            Kind::DocsSearched => (DOCS, "/search"),
            Kind::SignUpStarted => (APP, "/signup"),
            Kind::Identify | Kind::SignedUp => (APP, "/welcome"),
            Kind::SignedIn => (APP, "/login"),
            Kind::PlaygroundRun | Kind::ErrorShown => (APP, "/playground"),
            Kind::InviteSent => (APP, "/settings/team"),
            Kind::UpgradeClicked | Kind::PlanUpgraded => (APP, "/settings/billing"),
            _ => (APP, "/projects/"),
        };
        line.raw(host);
        line.raw(path);
        if matches!(self.row.kind, Kind::DashboardViewed | Kind::KeyCreated) {
            self.write_project(form, line);
        }
        if let Some((source, medium)) = channel.and_then(|channel| channel.campaign)
            && self.row.kind == Kind::LandingViewed
            && self.row.opens_visit
        {
            line.raw("?utm_source=");
            line.raw(source);
            line.raw("&utm_medium=");
            line.raw(medium);
        }
        if form != Form::Reduced && self.row.mess == Some(Mess::EmailInUrl) {
            line.raw("?plan=free&email=");
            line.raw(&self.world.email(self.row.person).replace('@', "%40"));
        }
        line.out.push(b'"');
    }

    /// One of 131,071 articles, each about twice as likely as the one of twice its rank.
    fn write_article(&self, line: &mut Line) {
        let bits = self.bits(5) >> 2;
        let octave = 1 << (bits % 17);
        let mut rank = (octave + (bits >> 8) % octave) as usize;
        line.raw(DOCS);
        line.raw("/articles");
        for (place, words) in [COMPANY_FIRST, COMPANY_SECOND, COMPANY_FIRST, COMPANY_SECOND]
            .into_iter()
            .enumerate()
        {
            line.raw(if place == 0 { "/" } else { "-" });
            line.out
                .extend(words[rank % words.len()].bytes().map(|byte| byte.to_ascii_lowercase()));
            rank /= words.len();
        }
    }

    fn write_project(&self, form: Form, line: &mut Line) {
        match form {
            Form::Reduced => line.raw(":id"),
            Form::Sent(_) => decimal(line.out, 10_000 + self.world.user_bits(self.row.person) % 80_000),
        }
        if self.row.kind == Kind::KeyCreated {
            line.raw("/keys");
        }
    }

    fn write_referrer(&self, form: Form, channel: Option<&Channel>, source: u8, line: &mut Line) {
        let outside = channel.filter(|channel| !channel.referrers.is_empty());
        let arriving = self.row.opens_visit && self.row.identity == Identity::Device;
        match outside.map(|channel| choose(channel.referrers, source)) {
            Some((referrer, domain)) if arriving => {
                line.key("$referrer");
                line.out.push(b'"');
                match form {
                    Form::Reduced => ["https://", domain, "/"].iter().for_each(|part| line.raw(part)),
                    Form::Sent(_) => line.raw(referrer),
                }
                line.out.push(b'"');
                line.text("$referring_domain", domain);
            }
            _ if self.row.opens_visit => {}
            _ if form == Form::Reduced => {
                line.text("$referrer", "https://kiteline.example/");
                line.text("$referring_domain", "kiteline.example");
            }
            _ => {
                line.text("$referrer", "https://www.kiteline.example/");
                line.text("$referring_domain", "www.kiteline.example");
            }
        }
        let initial = outside.map_or("$direct", |channel| choose(channel.referrers, source).1);
        line.text("$initial_referring_domain", initial);
    }

    // ---- what

    fn write_own(&self, form: Form, line: &mut Line) {
        let row = &self.row;
        let bits = self.bits(3);
        let choice = usize::from(row.choice);
        match row.kind {
            Kind::DocsViewed => line.number("reading_s", u64::from(row.number / 8)),
            Kind::DocsSearched => {
                line.key("query");
                line.out.push(b'"');
                self.write_query(form, line);
                line.out.push(b'"');
                line.number("results", bits % 40);
            }
            Kind::SignedUp => {
                line.text("method", ["github", "google", "password"][(bits % 3) as usize]);
                line.flag("newsletter", bits & 64 != 0);
            }
            Kind::KeyCreated => {
                line.list("scopes", &["read", "write", "files", "billing"], bits);
                line.text("environment", if bits & 128 != 0 { "production" } else { "test" });
            }
            Kind::PlaygroundRun => {
                line.text("model", MODELS[choice]);
                line.number("tokens", u64::from(row.number));
                line.number("latency_ms", latency_ms(row.number, bits));
                line.flag("streaming", bits & 3 != 0);
                line.list("features", FEATURES, bits);
            }
            Kind::FirstCall => {
                line.text("model", MODELS[choice]);
                line.text("sdk", LANGUAGES[(bits % 8 * (bits >> 8 & 7) / 8) as usize]);
                line.number("latency_ms", latency_ms(row.number, bits));
            }
            Kind::UsageRecorded => {
                line.text("model", MODELS[choice]);
                line.text("endpoint", ENDPOINTS[(bits % 5) as usize]);
                line.text("region", REGIONS[(bits >> 8) as usize % 4]);
                line.number("tokens", u64::from(row.number));
                line.number("requests", 1 + u64::from(row.number) / 90);
                line.number("latency_ms", latency_ms(row.number, bits));
                line.flag("cached", bits & 7 == 0);
            }
            Kind::InviteSent => {
                line.number("invitees", 1 + bits % 4);
                if form != Form::Reduced && row.mess == Some(Mess::EmailInText) {
                    line.key("note");
                    line.raw("\"please add ");
                    line.raw(&self.world.email(self.row.person));
                    line.raw(" as well\"");
                }
            }
            Kind::PlanUpgraded | Kind::InvoicePaid => self.write_payment(bits, line),
            Kind::ErrorShown => {
                line.text("error_code", ERRORS[choice]);
                if form != Form::Reduced && row.mess == Some(Mess::Secret) {
                    line.key("error_detail");
                    line.raw("\"request failed, header was Bearer ");
                    line.raw(&secret(bits));
                    line.out.push(b'"');
                }
            }
            _ => {}
        }
    }

    fn write_query(&self, form: Form, line: &mut Line) {
        match self.row.mess {
            Some(Mess::Secret) if form != Form::Reduced => line.raw(&secret(self.bits(4))),
            Some(Mess::EmailInText) if form != Form::Reduced => line.raw(&self.world.email(self.row.person)),
            _ => line.raw(SEARCHES[usize::from(self.row.choice)]),
        }
    }

    fn write_payment(&self, bits: u64, line: &mut Line) {
        let person = self.life();
        let seats = if person.plan > 2 { 3 + bits % 20 } else { 1 };
        let cents = u64::from(PRICES[usize::from(person.plan)]) + 900 * (seats - 1);
        line.key("amount");
        decimal(line.out, cents / 100);
        line.text("currency", if person.country().code == "US" { "USD" } else { "EUR" });
        line.number("seats", seats);
        line.flag("annual", self.world.user_bits(self.row.person) & 3 == 0);
    }
}

/// Thirty tokens a millisecond and some time to wake up.
fn latency_ms(tokens: u32, bits: u64) -> u64 {
    80 + u64::from(tokens) / 3 + bits % 240
}

fn reduced_width(width: u16) -> u16 {
    WIDTHS
        .into_iter()
        .rev()
        .find(|&bound| bound <= width)
        .expect("the lowest bound is 0")
}

fn choose<T: Copy>(from: &[T], source: u8) -> T {
    from[usize::from(source) % from.len()]
}

/// Writes the id that the platform gives a user.
pub(crate) fn user_id(bits: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"usr_");
    base32(bits, 13, out);
}

fn base32(mut bits: u64, length: usize, out: &mut Vec<u8>) {
    for _ in 0..length {
        out.push(BASE32[(bits & 31) as usize]);
        bits >>= 5;
    }
}

fn decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes members into an object that has one already.
struct Line<'o> {
    out: &'o mut Vec<u8>,
}

impl Line<'_> {
    fn key(&mut self, key: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.out.push(b'"');
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }

    fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        decimal(self.out, value);
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.raw(if value { "true" } else { "false" });
    }

    /// Those of the words whose bit is set.
    fn list(&mut self, key: &str, words: &[&str], bits: u64) {
        self.key(key);
        self.out.push(b'[');
        for (at, word) in words.iter().enumerate().filter(|(at, _)| bits >> (20 + at) & 1 == 1) {
            if self.out.last() != Some(&b'[') {
                self.out.push(b',');
            }
            debug_assert!(at < 44);
            self.out.push(b'"');
            self.out.extend_from_slice(word.as_bytes());
            self.out.push(b'"');
        }
        self.out.push(b']');
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}
