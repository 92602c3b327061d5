//! Everybody, drawn before the first event: lives, addresses and ids.

use crate::clock::{DAY_MS, Window};
use crate::organization::Organization;
use crate::pages::MAIL_HOSTS;
use crate::person::{NO_ORGANIZATION, Person};
use crate::places::fold;
use crate::random::mix;
use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

pub(crate) struct World {
    pub seed: u64,
    pub window: Window,
    pub persons: Vec<Person>,
    pub organizations: u32,
}

impl World {
    pub fn draw(seed: u64, persons: u32, days: u32, end_ms: i64) -> World {
        let window = Window {
            start_ms: end_ms - i64::from(days) * DAY_MS,
            end_ms,
        };
        let organizations = (persons / 14).max(2);
        let mut world = World {
            seed,
            window,
            persons: (0..persons)
                .map(|index| Person::draw(seed, window, index, persons, organizations))
                .collect(),
            organizations,
        };
        world.tell_namesakes_apart();
        world
    }

    /// Gives every address that is taken already a number, so that no two people share a mailbox.
    fn tell_namesakes_apart(&mut self) {
        // By hash, since a million addresses would weigh more than the people; a collision costs a needless number.
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let mut taken = HashSet::new();
        for index in 0..self.persons.len() as u32 {
            if !self.persons[index as usize].signs_up() {
                continue;
            }
            while !taken.insert(hasher.hash_one(self.email(index))) {
                let person = &mut self.persons[index as usize];
                person.suffix = match person.suffix {
                    0 => 1 + (mix(u64::from(index)) % 98) as u16,
                    suffix => suffix.wrapping_add(101).max(1),
                };
            }
        }
    }

    /// The person's e-mail address; invented, under a top-level domain that is reserved for examples.
    pub fn email(&self, index: u32) -> String {
        let person = &self.persons[index as usize];
        let mut address = String::with_capacity(48);
        fold(person.given(), &mut address);
        address.push('.');
        fold(person.family(), &mut address);
        if person.suffix > 0 {
            address.push_str(&person.suffix.to_string());
        }
        address.push('@');
        if person.organization == NO_ORGANIZATION {
            address.push_str(MAIL_HOSTS[(mix(u64::from(index)) % MAIL_HOSTS.len() as u64) as usize]);
        } else {
            address.push_str(&Organization::draw(self.seed, person.organization).domain());
        }
        address
    }

    /// The 128 random bits of a device's UUID.
    pub fn device_bits(&self, index: u32, slot: u8) -> (u64, u64) {
        let key = self.seed ^ (u64::from(index) << 8 | u64::from(slot)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (mix(key), mix(key ^ 0x5851_F42D_4C95_7F2D))
    }

    /// The number in a user's id; differs for every person and shows nothing of their order.
    pub fn user_bits(&self, index: u32) -> u64 {
        // `mix` maps no two numbers to the same one, so that no two people get the same id.
        mix(u64::from(index) ^ self.seed)
    }
}
