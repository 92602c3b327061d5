use super::*;
use crate::clock::{DAY_MS, HOUR_MS, LocalDay};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// 2026-11-01T00:00:00Z.
const END_MS: i64 = 1_793_491_200_000;

fn options(persons: u32, events: Option<u64>) -> Options {
    Options {
        persons,
        events,
        days: 90,
        seed: 7,
        end_ms: END_MS,
    }
}

fn text(generator: &Generator) -> Vec<u8> {
    let mut out = Vec::new();
    generator.events().for_each(|event| event.write_export_line(&mut out));
    generator
        .profiles()
        .for_each(|profile| out.extend_from_slice(profile.to_export().to_string().as_bytes()));
    generator
        .groups()
        .for_each(|group| out.extend_from_slice(group.to_export().to_string().as_bytes()));
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_world_repeats_itself_and_no_other(
        persons in 1_u32..300,
        per_person in prop::option::of(0_u64..120),
        days in 1_u32..120,
        seed: u64,
    ) {
        let options = Options { persons, events: per_person.map(|n| n * u64::from(persons)), days, seed, end_ms: END_MS };
        let first = text(&Generator::new(options));
        prop_assert_eq!(&first, &text(&Generator::new(options)));
        if !first.is_empty() {
            let other = Generator::new(Options { seed: seed ^ 1, ..options });
            prop_assert_ne!(&first, &text(&other));
        }
    }

    #[test]
    fn the_number_is_exact_and_times_are_in_the_window(
        persons in 1_u32..300,
        per_person in 0_u64..200,
        days in 1_u32..120,
        seed: u64,
    ) {
        let events = u64::from(persons) * per_person + seed % 7;
        let generator = Generator::new(Options { persons, events: Some(events), days, seed, end_ms: END_MS });
        let start_ms = END_MS - i64::from(days) * DAY_MS;
        let mut count = 0;
        let mut latest_ms = 0;
        for event in generator.events() {
            count += 1;
            prop_assert!((start_ms..END_MS).contains(&event.time_ms()));
            prop_assert!(event.person() < persons);
            if !event.is_copy() {
                prop_assert!(event.time_ms() >= latest_ms);
                latest_ms = event.time_ms();
            }
        }
        prop_assert_eq!(count, events);
    }
}

#[test]
fn everybody_appears() {
    for events in [None, Some(30_000), Some(300_000)] {
        let generator = Generator::new(options(2_000, events));
        let seen: HashSet<u32> = generator.events().map(|event| event.person()).collect();
        assert_eq!(seen.len(), 2_000);
    }
}

#[test]
fn intensity_grows_what_repeats_and_leaves_milestones_alone() {
    let count = |events: u64, name: &str| {
        let generator = Generator::new(options(2_000, Some(events)));
        generator
            .events()
            .filter(|event| event.name() == name && !event.is_copy())
            .count()
    };
    assert_eq!(count(50_000, "Signed Up"), count(400_000, "Signed Up"));
    assert!(count(400_000, "Playground Run") > 6 * count(50_000, "Playground Run"));
}

#[test]
fn every_form_is_json_and_says_the_same() {
    let generator = Generator::new(options(300, None));
    for event in generator.events() {
        let sent = event.to_json();
        let mut line = Vec::new();
        event.write_track("fpw_token", &mut line);
        let mut tracked: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(
            tracked["properties"]
                .as_object_mut()
                .unwrap()
                .shift_remove("token")
                .unwrap(),
            "fpw_token"
        );
        assert_eq!(tracked, sent);
        assert_eq!(sent["event"], event.name());
        assert_eq!(sent["properties"]["time"], event.time_ms());
        line.clear();
        event.write_reduced_line(&mut line);
        let reduced: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(reduced["properties"]["distinct_id"], format!("p{}", event.person()));
        assert_eq!(reduced["properties"]["$insert_id"], sent["properties"]["$insert_id"]);
        let insert_id = sent["properties"]["$insert_id"].as_str().unwrap();
        assert!(insert_id.len() <= 36 && insert_id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}

#[test]
fn articles_of_the_reduced_form_have_a_long_tail() {
    let mut views: BTreeMap<String, usize> = BTreeMap::new();
    for event in Generator::new(options(2_000, Some(100_000))).events() {
        let mut line = Vec::new();
        event.write_reduced_line(&mut line);
        let reduced: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let url = reduced["properties"]["$current_url"].as_str().unwrap_or_default();
        if url.contains("/articles/") {
            assert_eq!(event.name(), "Docs Viewed");
            *views.entry(url.to_owned()).or_default() += 1;
        }
    }
    let all: usize = views.values().sum();
    let rare = views.values().filter(|&&count| count <= 2).count();
    assert!(
        rare * 2 > views.len() && views.values().any(|&count| count * 50 > all),
        "{} articles, {rare} of them rare, {all} views",
        views.len()
    );
}

#[test]
fn insert_ids_repeat_only_on_copies() {
    let generator = Generator::new(options(1_500, None));
    let mut seen = HashMap::new();
    let (mut copies, mut events) = (0, 0);
    for event in generator.events() {
        let json = event.to_json();
        let insert_id = json["properties"]["$insert_id"].as_str().unwrap().to_owned();
        events += 1;
        if event.is_copy() {
            copies += 1;
            assert_eq!(
                seen.get(&insert_id),
                Some(&json),
                "a copy follows its original and equals it"
            );
        } else {
            assert!(seen.insert(insert_id, json).is_none());
        }
    }
    assert!(copies * 1_000 > events && copies * 100 < events, "{copies} of {events}");
}

#[test]
fn visitors_become_users_by_the_ids_that_clients_send() {
    let generator = Generator::new(options(4_000, None));
    // What simplified identity merge makes of the ids: the first user that a device was seen with.
    let mut users: HashMap<String, String> = HashMap::new();
    let mut devices: HashMap<String, BTreeSet<String>> = HashMap::new();
    let (mut anonymous_first, mut relinked) = (HashSet::new(), 0);
    for event in generator.events() {
        let json = event.to_json();
        let of = |key: &str| json["properties"].get(key).map(|id| id.as_str().unwrap().to_owned());
        match (of("$device_id"), of("$user_id")) {
            (Some(device), None) => {
                assert_eq!(of("distinct_id"), Some(format!("$device:{device}")));
                anonymous_first.insert(device);
            }
            (Some(device), Some(user)) => {
                assert_eq!(of("distinct_id").as_ref(), Some(&user));
                relinked += u32::from(users.get(&device).is_some_and(|linked| *linked != user));
                users.entry(device.clone()).or_insert(user.clone());
                devices.entry(user).or_default().insert(device);
            }
            (None, user) => {
                assert_eq!(user, None, "servers send distinct_id alone");
                assert!(of("distinct_id").unwrap().starts_with("usr_"));
            }
        }
    }
    let several = devices.values().filter(|devices| devices.len() > 1).count();
    let with_past = devices
        .values()
        .filter(|of| of.iter().filter(|device| anonymous_first.contains(*device)).count() > 1)
        .count();
    assert!(
        several * 10 > devices.len(),
        "{several} of {} use several devices",
        devices.len()
    );
    assert!(with_past > 50, "{with_past} second devices have an anonymous past");
    assert!(relinked > 0, "some devices are shared");
}

/// Distinct persons of each funnel step, within whoever `of` puts together.
fn funnel(generator: &Generator, of: impl Fn(&SyntheticEvent) -> String) -> BTreeMap<String, Vec<usize>> {
    const STEPS: [&str; 5] = [
        "Landing Viewed",
        "Signed Up",
        "API Key Created",
        "First API Call",
        "Plan Upgraded",
    ];
    let mut segments: BTreeMap<String, Vec<HashSet<u32>>> = BTreeMap::new();
    for event in generator.events() {
        let Some(step) = STEPS.iter().position(|name| *name == event.name()) else {
            continue;
        };
        let sets = segments
            .entry(of(&event))
            .or_insert_with(|| vec![HashSet::new(); STEPS.len()]);
        if step == 0 || sets[step - 1].contains(&event.person()) {
            sets[step].insert(event.person());
        }
    }
    segments
        .into_iter()
        .map(|(segment, sets)| (segment, sets.iter().map(HashSet::len).collect()))
        .collect()
}

#[test]
fn each_step_of_the_funnel_is_harder_and_channels_differ() {
    let generator = Generator::new(options(20_000, None));
    let all = &funnel(&generator, |_| String::new())[""];
    assert!(all.windows(2).all(|pair| pair[0] > pair[1]), "{all:?}");
    assert!(all[1] * 10 > all[0] && all[1] * 2 < all[0], "{all:?}");
    let rate = |segments: &BTreeMap<String, Vec<usize>>, segment: &str| {
        segments[segment][1] as f64 / segments[segment][0] as f64
    };
    let channels = funnel(&generator, |event| event.life().channel.to_string());
    assert!(
        rate(&channels, "7") > 3.0 * rate(&channels, "3"),
        "invitations beat paid social"
    );
    let setups = funnel(&generator, |event| event.life().setup.to_string());
    assert!(
        rate(&setups, "6") > 2.0 * rate(&setups, "11"),
        "Firefox on Linux beats a phone"
    );
    let plans = funnel(&generator, |event| event.life().entry_plan.to_string());
    let paying = |plan: &str| plans[plan][4] as f64 / plans[plan][1] as f64;
    assert!(paying("1") > 1.3 * paying("0"), "trials pay more often");
}

#[test]
fn weeks_and_days_have_a_rhythm_on_everybodys_own_clock() {
    let generator = Generator::new(options(3_000, None));
    let mut weekdays = [0_u32; 7];
    let mut hours: HashMap<&str, [u32; 24]> = HashMap::new();
    for event in generator
        .events()
        .filter(|event| event.time_ms() > END_MS - 70 * DAY_MS)
    {
        let person = event.life();
        let local_ms = event.time_ms() + person.offset_ms();
        weekdays[LocalDay::of(event.time_ms(), person.offset_ms()).weekday()] += 1;
        let hour = (local_ms.rem_euclid(DAY_MS) / HOUR_MS) as usize;
        hours.entry(person.country().code).or_default()[hour] += 1;
    }
    assert!(
        weekdays[1] > 2 * weekdays[5] && weekdays[1] > 2 * weekdays[6],
        "{weekdays:?}"
    );
    for country in ["US", "FR", "JP"] {
        let by_hour = hours[country];
        assert!(by_hour[10] > 4 * by_hour[3], "{country}: {by_hour:?}");
    }
}

#[test]
fn traffic_grows_and_people_fade() {
    let generator = Generator::new(options(6_000, None));
    let mut arrivals = [0_u32; 2];
    let mut returns = [0_u32; 8];
    let mut last_week = HashMap::new();
    for event in generator.events().filter(|event| !event.life().existing) {
        let person = event.life();
        let half = usize::from(event.time_ms() > END_MS - 45 * DAY_MS);
        if event.time_ms() == person.first_ms {
            arrivals[half] += 1;
        }
        let week = (event.time_ms() - person.first_ms).div_euclid(7 * DAY_MS) as usize;
        let complete = person.first_ms < END_MS - 56 * DAY_MS;
        if complete && week < 8 && last_week.insert(event.person(), week) != Some(week) {
            returns[week] += 1;
        }
    }
    assert!(arrivals[1] * 10 > arrivals[0] * 13, "{arrivals:?}");
    assert!(
        returns[0] > 3 * returns[1] && returns[1] > returns[4] && returns[4] > returns[7],
        "{returns:?}"
    );
    assert!(returns[7] * 50 > returns[0], "some stay: {returns:?}");
}

#[test]
fn people_are_believable_and_belong_to_nobody() {
    let generator = Generator::new(options(8_000, None));
    let mut emails = HashSet::new();
    let mut names = HashSet::new();
    let mut ids = HashSet::new();
    for profile in generator.profiles() {
        let email = profile.email();
        assert!(email.ends_with(".example") || email.ends_with(".test"), "{email}");
        assert!(email.is_ascii() && email.split('@').count() == 2, "{email}");
        assert!(profile.properties()["$created"].as_str().unwrap().len() == 19);
        assert!(emails.insert(email), "each mailbox belongs to one person");
        assert!(ids.insert(profile.distinct_id()));
        names.insert(profile.name());
    }
    assert!(
        ids.len() > 2_000 && names.len() * 10 > ids.len() * 5,
        "{} names",
        names.len()
    );
    let domains: HashSet<String> = generator
        .groups()
        .map(|group| group.properties()["domain"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(domains.len(), generator.groups().count());
}

#[test]
fn mess_is_rare_there_and_gone_from_the_reduced_form() {
    let generator = Generator::new(options(3_000, Some(300_000)));
    let mut found: HashMap<Mess, u32> = HashMap::new();
    for event in generator.events() {
        let Some(mess) = event.mess() else { continue };
        *found.entry(mess).or_default() += 1;
        let sent = event.to_json().to_string();
        let mut reduced = Vec::new();
        event.write_reduced_line(&mut reduced);
        let reduced = String::from_utf8(reduced).unwrap();
        let email = event.world.email(event.person());
        let encoded = email.replace('@', "%40");
        let planted = |text: &str| match mess {
            Mess::EmailInUrl => text.contains(&encoded),
            Mess::EmailInText => text.contains(&email),
            Mess::Secret => ["ghp_", "AKIA", "sk_live_", "xoxb-", "eyJ"]
                .iter()
                .any(|form| text.contains(form)),
        };
        assert!(planted(&sent), "{sent}");
        assert!(!planted(&reduced), "{reduced}");
    }
    assert_eq!(found.len(), 3);
    assert!(found.values().sum::<u32>() < 3_000, "{found:?}");
}
