//! The way of one item: enrich, firewall, split. Decides nothing about replies, calls nobody.

use crate::batch::{Batch, UpdateStamp};
use crate::cache::DigestKey;
use crate::firewall::{Firewall, KeyClass, Kind, Tally};
use crate::json::{Json, Members, member};
use crate::policy::Treatment;
use crate::raw_event::{AddressHint, RawEvent};
use crate::raw_update::{RawSubject, RawUpdate};
use crate::user_agent::{self, Agent};
use model::InsertId;
use std::net::IpAddr;
use store::ProjectSettings;
use vault_client::FieldOp;

/// What is known about the sender of a request, in memory only.
pub struct Sender<'a> {
    /// Of the request's address, where the request asks to be located by it and may be (never on `/import`). Looked up
    /// once, and the address is forgotten here.
    country: Option<&'static str>,
    user_agent: Option<&'a str>,
    agent: Option<Agent>,
}

impl<'a> Sender<'a> {
    pub fn new(firewall: &Firewall, address: Option<IpAddr>, user_agent: Option<&'a str>) -> Sender<'a> {
        let country = address.and_then(|address| firewall.countries().country(address));
        Sender {
            country,
            user_agent,
            agent: None,
        }
    }

    /// Parsed when first asked for: most clients name their system themselves.
    fn agent(&mut self) -> Option<&Agent> {
        let user_agent = self.user_agent?;
        Some(self.agent.get_or_insert_with(|| user_agent::parse(user_agent)))
    }
}

/// Firewall and digests, shared by all requests.
pub struct Pipeline {
    pub firewall: Firewall,
    pub digests: DigestKey,
}

/// The key of `$insert_id` digests of a project (`K_dedup`).
pub type DedupKey = [u8; 32];

impl Pipeline {
    /// Takes an event into a batch. `dedup` is needed where the event has an insert id.
    pub fn take_event(
        &self,
        mut event: RawEvent,
        settings: &ProjectSettings,
        sender: &mut Sender,
        dedup: Option<&DedupKey>,
        batch: &mut Batch,
        tally: &mut Tally,
    ) {
        if settings.country_from_ip {
            self.add_country(&mut event.properties, "mp_country_code", event.address, sender);
        }
        add_agent(&mut event.properties, sender);
        let clean = self
            .firewall
            .clean(event.name, event.properties, Kind::Event, &settings.group_keys, tally);
        let insert_id = event.insert_id.zip(dedup).map(|(id, key)| insert_id(key, &id));
        batch.push_event(&self.digests, event.identity, clean, event.time, insert_id);
    }

    /// Takes a profile update into a batch. `false`: it was about nobody.
    pub fn take_update(
        &self,
        update: RawUpdate,
        settings: &ProjectSettings,
        sender: &Sender,
        batch: &mut Batch,
        tally: &mut Tally,
    ) -> bool {
        let stamp = UpdateStamp {
            time: update.time,
            touches_last_seen: update.touches_last_seen,
            event_id: update.event_id,
        };
        let subject = match update.subject {
            RawSubject::Person { identity, ignore_alias } => batch.person(&self.digests, identity, ignore_alias),
            RawSubject::Group { key, id } => {
                // A group key that is unfit as a name would lie in the log with the number.
                let (kept, _) = self.firewall.class_of(&key, Kind::Profile, &settings.group_keys);
                (kept == key).then(|| batch.group(&self.digests, key, id))
            }
        };
        let Some(subject) = subject else { return false };
        for (op, argument) in update.operations {
            match (op, argument) {
                (FieldOp::Delete, _) => batch.push_delete(subject.clone(), &stamp),
                (FieldOp::Unset, names) => {
                    let (ordinary, sealed) = self.unset_names(names, settings);
                    batch.push_unset(subject.clone(), ordinary, sealed, &stamp);
                }
                (op, Json::Object(mut members)) => {
                    if op == FieldOp::Set && settings.country_from_ip {
                        self.add_country(&mut members, "$country_code", update.address, sender);
                    }
                    let clean = self
                        .firewall
                        .clean(String::new(), members, Kind::Profile, &settings.group_keys, tally);
                    batch.push_update(&self.digests, subject.clone(), op, clean, &stamp);
                }
                // An argument of the wrong type changes nothing (contract 2.2).
                (_, _) => tally.count("$operation", "wrong_type"),
            }
        }
        true
    }

    /// Names to forget, by where they may lie. A name that is ordinary may have been sealed for the length of its
    /// value, so it is forgotten in both places.
    fn unset_names(&self, names: Json, settings: &ProjectSettings) -> (Vec<String>, Vec<String>) {
        let names = match names {
            Json::Array(names) => names.into_iter().filter_map(|name| name.scalar_text()).collect(),
            // PHP and hand-written callers: one bare name, or an object of names.
            Json::String(name) => vec![name],
            Json::Object(members) => members.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        };
        let (mut ordinary, mut sealed) = (Vec::new(), Vec::new());
        for name in names {
            let (kept, class) = self.firewall.class_of(&name, Kind::Profile, &settings.group_keys);
            if kept != name {
                continue;
            }
            match class {
                KeyClass::Sealed => sealed.push(name),
                KeyClass::NeverStored | KeyClass::Known(Treatment::Drop) => {}
                KeyClass::Ordinary(_) => {
                    sealed.push(name.clone());
                    ordinary.push(name);
                }
                KeyClass::Known(_) | KeyClass::Reference | KeyClass::IdentifyingOnEvent => ordinary.push(name),
            }
        }
        (ordinary, sealed)
    }

    /// The country of the item's own address, else of the sender's. A country that the caller set stays.
    fn add_country(&self, properties: &mut Members, name: &str, hint: AddressHint, sender: &Sender) {
        let country = match hint {
            AddressHint::Given(address) => self.firewall.countries().country(address),
            AddressHint::Off => None,
            AddressHint::Absent => sender.country,
        };
        if let Some(country) = country
            && member(properties, name).is_none()
        {
            properties.push((name.to_owned(), Json::String(country.to_owned())));
        }
    }
}

/// `$os` and `$browser` where the client named neither.
fn add_agent(properties: &mut Members, sender: &mut Sender) {
    if member(properties, "$os").is_some() || member(properties, "$browser").is_some() {
        return;
    }
    let Some(agent) = sender.agent() else { return };
    for (name, value) in [("$os", agent.os), ("$browser", agent.browser)] {
        if let Some(value) = value {
            properties.push((name.to_owned(), Json::String(value.to_owned())));
        }
    }
}

/// 8 bytes are enough, because event, person and time are in the key of deduplication too.
fn insert_id(key: &DedupKey, id: &str) -> InsertId {
    let digest = blake3::keyed_hash(key, id.as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&digest.as_bytes()[..8]);
    InsertId(u64::from_le_bytes(head))
}
