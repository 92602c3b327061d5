//! Profiles of persons and groups through log, flush and restart. The operations' table is tested beside them.

use crate::support::*;
use ::model::{EventTime, FeedEntry, GroupNumber, PersonNumber, ProfileOp, ProfileUpdate, Subject, Value};
use store::Store;

fn update(subject: Subject, op: ProfileOp, time_ms: i64, touches_last_seen: bool) -> ProfileUpdate {
    ProfileUpdate {
        subject,
        op,
        time: EventTime(time_ms),
        touches_last_seen,
    }
}

fn set(value: &str) -> ProfileOp {
    ProfileOp::Set(vec![("plan".into(), Value::String(value.into()))])
}

fn person(number: u64) -> Subject {
    Subject::Person(PersonNumber(number))
}

fn plan(store: &Store, number: u64) -> Option<String> {
    let profiles = store.snapshot(PROJECT).profiles();
    let profile = profiles.get(PersonNumber(number))?;
    Some(profile.properties["plan"].as_str().unwrap().to_owned())
}

#[test]
fn profiles_survive_flush_and_replay() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let company = Subject::Group {
        key: "company".into(),
        number: GroupNumber(4),
    };
    store
        .append(with_profiles(vec![
            update(person(1), set("free"), 10, true),
            update(person(2), set("free"), 10, true),
            update(company, set("team"), 10, false),
        ]))
        .unwrap();
    store.flush().unwrap();
    store
        .append(with_profiles(vec![
            update(person(1), set("paid"), 20, false),
            update(person(2), ProfileOp::Delete, 20, true),
            update(person(3), ProfileOp::Unset(vec!["plan".into()]), 20, true),
        ]))
        .unwrap();
    let check = |store: &Store| {
        assert_eq!(plan(store, 1).as_deref(), Some("paid"));
        assert_eq!(plan(store, 2), None);
        let profiles = store.snapshot(PROJECT).profiles();
        assert_eq!(profiles.len(), 1, "unset makes no profile");
        assert_eq!(profiles.get(PersonNumber(1)).unwrap().last_seen, Some(EventTime(10)));
        let groups: Vec<_> = profiles.groups("company").map(|(number, _)| number.0).collect();
        assert_eq!(groups, [4]);
        assert_eq!(profiles.group("company", GroupNumber(4)).unwrap().last_seen, None);
        assert_eq!(profiles.groups("team").count(), 0);
    };
    check(&store);
    store.close();
    let store = Store::open(options(directory.path())).unwrap();
    check(&store);
    store.flush().unwrap();
    store.close();
    check(&Store::open(options(directory.path())).unwrap());
}

#[test]
fn the_feed_takes_effect_before_the_updates_of_its_record() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    store
        .append(with_profiles(vec![update(person(1), set("anonymous"), 10, true)]))
        .unwrap();
    let mut sign_up = with_profiles(vec![update(person(1), set("user"), 20, true)]);
    sign_up.feed = feed(
        1,
        vec![FeedEntry::Reset {
            person: PersonNumber(1),
        }],
    );
    store.append(sign_up.clone()).unwrap();
    assert_eq!(plan(&store, 1).as_deref(), Some("user"));
    // The same entry again, in a later record: it took effect already.
    sign_up.profiles.clear();
    store.append(sign_up).unwrap();
    assert_eq!(plan(&store, 1).as_deref(), Some("user"));
}

#[test]
fn an_update_under_an_absorbed_number_is_the_canonical_persons() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    store
        .append(with_profiles(vec![
            update(person(1), set("device"), 10, true),
            update(person(2), set("user"), 10, true),
        ]))
        .unwrap();
    let mut merging = record(Vec::new());
    merging.feed = feed(1, vec![merge(1, 2)]);
    store.append(merging).unwrap();
    assert_eq!((plan(&store, 1), plan(&store, 2).as_deref()), (None, Some("user")));
    store
        .append(with_profiles(vec![update(person(1), set("late"), 20, true)]))
        .unwrap();
    assert_eq!((plan(&store, 1), plan(&store, 2).as_deref()), (None, Some("late")));
}

#[test]
fn a_hole_in_the_feed_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let mut record = record(vec![event("open", 1, NOW_MS, None)]);
    record.feed = feed(2, vec![merge(1, 2)]);
    let error = store.append(record.clone()).unwrap_err();
    assert!(
        matches!(
            error,
            store::StoreError::FeedHole {
                expected: 1,
                got: 2,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(store.snapshot(PROJECT).watermark(), 0);
    record.feed = feed(1, vec![merge(1, 2), merge(3, 2)]);
    store.append(record).unwrap();
    assert_eq!(store.feed_position(PROJECT), 2);
}
