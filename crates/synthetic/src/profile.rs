//! Profiles of people and organizations, as they are at the end of the window.

use crate::GROUP_KEY;
use crate::channels::CHANNELS;
use crate::clock::NEVER;
use crate::organization::Organization;
use crate::pages::{LANGUAGES, PLANS, ROLES};
use crate::person::{NO_ORGANIZATION, Person};
use crate::random::{mix, stream};
use crate::world::World;
use crate::write::user_id;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const DETAILS: u64 = 4;

/// The profile of a person who signed up.
pub struct Profile<'a> {
    world: &'a World,
    person: u32,
}

/// The profile of an organization.
pub struct Group<'a> {
    world: &'a World,
    index: u32,
}

pub(crate) fn profiles(world: &World) -> impl Iterator<Item = Profile<'_>> {
    (0..world.persons.len() as u32)
        .filter(|&person| world.persons[person as usize].signs_up())
        .map(move |person| Profile { world, person })
}

pub(crate) fn groups(world: &World) -> impl Iterator<Item = Group<'_>> {
    (0..world.organizations).map(move |index| Group { world, index })
}

impl Profile<'_> {
    /// Index of the person, as in [`crate::SyntheticEvent::person`].
    pub fn person(&self) -> u32 {
        self.person
    }

    pub fn distinct_id(&self) -> String {
        let mut id = Vec::new();
        user_id(self.world.user_bits(self.person), &mut id);
        String::from_utf8(id).expect("ids are ASCII")
    }

    pub fn name(&self) -> String {
        let life = self.life();
        format!("{} {}", life.given(), life.family())
    }

    pub fn email(&self) -> String {
        self.world.email(self.person)
    }

    /// All properties, identifying ones included.
    pub fn properties(&self) -> Map<String, Value> {
        let life = self.life();
        let end_ms = self.world.window.end_ms;
        let rng = &mut stream(self.world.seed, DETAILS, u64::from(self.person));
        let mut properties = Map::new();
        let mut set = |key: &str, value: Value| properties.insert(key.to_owned(), value);
        set("$name", self.name().into());
        set("$first_name", life.given().into());
        set("$last_name", life.family().into());
        set("$email", self.email().into());
        if let Some(phone) = phone(life.country().code, mix(rng.u64(..))) {
            set("$phone", phone.into());
        }
        set("$created", iso(life.signup_ms).into());
        set("$country_code", life.country().code.into());
        set("$timezone", life.country().timezone.into());
        set("plan", PLANS[usize::from(life.plan_at(end_ms))].into());
        set("role", ROLES[usize::from(life.role)].into());
        set("channel", CHANNELS[usize::from(life.channel)].name.into());
        if life.organization != NO_ORGANIZATION {
            set(GROUP_KEY, json!([Organization::id(life.organization)]));
        }
        let languages: Vec<&str> = LANGUAGES.iter().copied().filter(|_| rng.u8(..4) == 0).collect();
        set("languages", json!(languages));
        set("newsletter", rng.bool().into());
        set("api_active", (life.call_ms < end_ms && life.last_ms > end_ms).into());
        if life.upgrade_ms != NEVER {
            set("seats", (1 + rng.u32(..20)).into());
        }
        properties
    }

    /// The update that `/engage` takes. `token` names the project.
    pub fn to_engage(&self, token: &str) -> Value {
        json!({
            "$token": token,
            "$distinct_id": self.distinct_id(),
            "$ip": 0,
            "$time": self.life().last_ms.min(self.world.window.end_ms),
            "$set": self.properties(),
        })
    }

    /// The form of Mixpanel's profile export.
    pub fn to_export(&self) -> Value {
        json!({"$distinct_id": self.distinct_id(), "$properties": self.properties()})
    }

    fn life(&self) -> &Person {
        &self.world.persons[self.person as usize]
    }
}

impl Group<'_> {
    /// What events say under [`GROUP_KEY`].
    pub fn id(&self) -> String {
        Organization::id(self.index)
    }

    pub fn properties(&self) -> Map<String, Value> {
        let organization = Organization::draw(self.world.seed, self.index);
        let mut properties = Map::new();
        let mut set = |key: &str, value: Value| properties.insert(key.to_owned(), value);
        set("$name", organization.name().into());
        set("domain", organization.domain().into());
        set("plan", PLANS[usize::from(organization.plan)].into());
        set("employees", organization.employees.into());
        set("industry", organization.industry.into());
        set("founded", organization.founded.into());
        let country = &crate::places::COUNTRIES[usize::from(organization.country)];
        set("$country_code", country.code.into());
        properties
    }

    /// The update that `/groups` takes. `token` names the project.
    pub fn to_groups(&self, token: &str) -> Value {
        json!({"$token": token, "$group_key": GROUP_KEY, "$group_id": self.id(), "$set": self.properties()})
    }

    /// The form of Mixpanel's group export.
    pub fn to_export(&self) -> Value {
        json!({"$distinct_id": self.id(), "$group_key": GROUP_KEY, "$properties": self.properties()})
    }
}

/// A number from a range that is kept for fiction, where the country has one that we know.
fn phone(country: &str, bits: u64) -> Option<String> {
    let last = bits % 100;
    match country {
        _ if bits >> 60 > 5 => None,
        "US" => Some(format!("+1202555{:04}", 100 + last)),
        "GB" => Some(format!("+447700900{:03}", bits % 1_000)),
        "FR" => Some(format!("+3363998{:04}", bits % 10_000)),
        "AU" => Some(format!("+61491570{:03}", 156 + last % 4)),
        _ => None,
    }
}

/// As clients write dates: to the second, without a zone, in UTC.
fn iso(time_ms: i64) -> String {
    let at = Timestamp::from_millisecond(time_ms).expect("a moment near the window is a valid date");
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
