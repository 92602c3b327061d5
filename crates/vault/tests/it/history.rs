//! Random histories against a model that does one tuple at a time and remembers everything.
//!
//! The model has no look-ahead, no cache, no batches and no disk, so its numbers differ from the vault's; what must
//! agree is who is one person. Each side's log is what the event store would hold: events by number, a profile by
//! number, and the feed applied to both. At the end the vault's log, read through its feed, must part the events into
//! the same people as the model's, and have the same profiles; and what the vault reveals must be those profiles too.

use crate::support::*;
use model::FeedEntry;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use vault_client::{FieldOp, ResolveRequest, Tuple};

#[derive(Clone, Debug)]
enum Act {
    /// Events in one batch: device and user, each perhaps absent.
    Events {
        tuples: Vec<(Option<u8>, Option<u8>)>,
        reply_lost: bool,
        stale: bool,
    },
    /// A profile update of a device (false) or user (true).
    Profile {
        is_user: bool,
        id: u8,
        value: u8,
        sent_twice: bool,
    },
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let id = || prop::option::weighted(0.7, 0u8..5);
    let events = (prop::collection::vec((id(), id()), 1..6), any::<bool>(), any::<bool>()).prop_map(
        |(tuples, reply_lost, stale)| Act::Events {
            tuples,
            reply_lost,
            stale,
        },
    );
    let profile =
        (any::<bool>(), 0u8..5, any::<u8>(), any::<bool>()).prop_map(|(is_user, id, value, sent_twice)| Act::Profile {
            is_user,
            id,
            value,
            sent_twice,
        });
    prop::collection::vec(prop_oneof![6 => events, 3 => profile, 1 => Just(Act::Restart)], 1..14)
}

/// Table 1.3, one tuple at a time.
#[derive(Default)]
struct Model {
    devices: HashMap<u8, (usize, bool)>,
    users: HashMap<u8, usize>,
    profiles: HashMap<usize, Vec<u8>>,
    into: HashMap<usize, usize>,
    people: usize,
    events: Vec<Option<usize>>,
}

impl Model {
    fn mint(&mut self) -> usize {
        self.people += 1;
        self.people
    }

    fn event(&mut self, device: Option<u8>, user: Option<u8>) {
        let person = match (device, user) {
            (None, None) => None,
            (Some(device), None) => Some(self.device(device)),
            (None, Some(user)) => Some(self.user(user)),
            (Some(device), Some(user)) => Some(self.both(device, user)),
        };
        self.events.push(person);
    }

    fn device(&mut self, device: u8) -> usize {
        if let Some((person, _)) = self.devices.get(&device) {
            return *person;
        }
        let person = self.mint();
        self.devices.insert(device, (person, false));
        person
    }

    fn user(&mut self, user: u8) -> usize {
        if let Some(person) = self.users.get(&user) {
            return *person;
        }
        let person = self.mint();
        self.users.insert(user, person);
        person
    }

    fn both(&mut self, device: u8, user: u8) -> usize {
        match (self.devices.get(&device).copied(), self.users.get(&user).copied()) {
            (Some((_, true)), _) => self.user(user),
            (None, _) => {
                let person = self.user(user);
                self.devices.insert(device, (person, true));
                person
            }
            (Some((person, false)), None) => {
                self.profiles.remove(&person);
                self.devices.insert(device, (person, true));
                self.users.insert(user, person);
                person
            }
            (Some((past, false)), Some(person)) => {
                self.profiles.remove(&past);
                self.into.insert(past, person);
                self.devices.insert(device, (person, true));
                person
            }
        }
    }

    fn canonical(&self, person: usize) -> usize {
        self.into.get(&person).copied().unwrap_or(person)
    }
}

/// What the event store holds of the vault's answers.
#[derive(Default)]
struct Log {
    events: Vec<u64>,
    profiles: HashMap<u64, Vec<u8>>,
    into: HashMap<u64, u64>,
    feed_seq: u64,
}

impl Log {
    fn take_feed(&mut self, feed: &[model::FeedItem]) {
        for item in feed {
            if item.seq <= self.feed_seq {
                continue;
            }
            assert_eq!(item.seq, self.feed_seq + 1, "a hole in the feed");
            self.feed_seq = item.seq;
            match &item.entry {
                FeedEntry::Merge { from, into } => {
                    assert!(self.into.insert(from.0, into.0).is_none(), "merged twice");
                }
                FeedEntry::Reset { person } => {
                    self.profiles.remove(&person.0);
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    fn canonical(&self, person: u64) -> u64 {
        self.into.get(&person).copied().unwrap_or(person)
    }
}

fn tuple(device: Option<u8>, user: Option<u8>) -> Tuple {
    let text =
        |prefix: char, id: Option<u8>| id.map(|id| vault_client::Personal::new(format!("{prefix}{id}@x.example")));
    Tuple {
        device: text('d', device),
        user: text('u', user),
        ..Tuple::default()
    }
}

fn send(world: &mut World, log: &mut Log, mut request: ResolveRequest, stale: bool, again: bool) -> Vec<u64> {
    request.have_feed = if stale { 0 } else { log.feed_seq };
    if again {
        // The first reply was lost: the collector asks again under the same batch id.
        world.resolve(request.clone());
    }
    let reply = world.resolve(request);
    log.take_feed(&reply.feed);
    assert!(!reply.more);
    reply.ids.iter().map(|id| id.person.0).collect()
}

fn play(acts: &[Act]) {
    // A small index, so that some histories outgrow it.
    let mut world = World::with_index(6);
    let (mut model, mut log) = (Model::default(), Log::default());
    for act in acts {
        match act {
            Act::Restart => world.restart(),
            Act::Events {
                tuples,
                reply_lost,
                stale,
            } => {
                let request = world.request(tuples.iter().map(|(device, user)| tuple(*device, *user)).collect());
                let numbers = send(&mut world, &mut log, request, *stale, *reply_lost);
                log.events.extend(numbers);
                tuples.iter().for_each(|(device, user)| model.event(*device, *user));
            }
            Act::Profile {
                is_user,
                id,
                value,
                sent_twice,
            } => {
                let (device, user) = if *is_user { (None, Some(*id)) } else { (Some(*id), None) };
                let mut request = world.request(vec![Tuple {
                    profile: true,
                    ..tuple(device, user)
                }]);
                request.writes = vec![write(FieldOp::Append, "$seen", Some(&value.to_string()))];
                let number = send(&mut world, &mut log, request, false, *sent_twice)[0];
                log.events.push(number);
                log.profiles.entry(number).or_default().push(*value);
                model.event(device, user);
                let person = model.canonical(model.events.last().unwrap().unwrap());
                model.profiles.entry(person).or_default().push(*value);
            }
        }
    }
    compare(&world, &model, &log);
}

fn compare(world: &World, model: &Model, log: &Log) {
    let mut vault_to_model: BTreeMap<u64, usize> = BTreeMap::new();
    let mut model_to_vault: BTreeMap<usize, u64> = BTreeMap::new();
    assert_eq!(log.events.len(), model.events.len());
    for (number, person) in log.events.iter().zip(&model.events) {
        let Some(person) = person.map(|person| model.canonical(person)) else {
            assert_eq!(*number, 0);
            continue;
        };
        let number = log.canonical(*number);
        assert_eq!(
            *vault_to_model.entry(number).or_insert(person),
            person,
            "two people have one number"
        );
        assert_eq!(
            *model_to_vault.entry(person).or_insert(number),
            number,
            "one person has two numbers"
        );
    }
    assert!(
        world.persons() <= model.people as u64,
        "looking ahead saves numbers, it makes none"
    );
    assert!(log.events.iter().all(|number| *number <= world.persons()));
    for (number, person) in vault_to_model {
        let expected = model.profiles.get(&person).cloned().unwrap_or_default();
        assert_eq!(
            log.profiles.get(&number).cloned().unwrap_or_default(),
            expected,
            "the ordinary profile"
        );
        let sealed: Vec<String> = world.fields(number);
        let wanted = expected.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        let wanted = if expected.is_empty() {
            vec![]
        } else {
            vec![format!("$seen=[{wanted}]")]
        };
        assert_eq!(sealed, wanted, "the sealed profile");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn histories_agree_with_the_model(acts in acts()) {
        play(&acts);
    }
}
