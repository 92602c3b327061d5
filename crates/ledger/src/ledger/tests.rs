use crate::*;
use model::{AccountNumber, PersonNumber, ProjectId};
use roaring::RoaringTreemap;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

fn gate(directory: &Path) -> Result<Gate, LedgerError> {
    Ledger::open(directory).map(|ledger| Gate::with_clock(Arc::new(ledger), || 1_700_000_000_000))
}

fn asker(clearance: Class, purpose: Option<PurposeCode>) -> Asker {
    Asker {
        actor: Actor::Account(AccountNumber(1)),
        clearance,
        session_commit: Some([7; 32]),
        project: ProjectId(1),
        action: "people",
        purpose,
        purpose_commit: None,
    }
}

fn answer(class: Class, persons: &[u64]) -> Undisclosed<&'static str> {
    let fields = BTreeSet::from(["plan".to_owned()]);
    Undisclosed::new(
        "answer",
        Disclosure {
            class,
            persons: persons.iter().collect(),
            fields,
            question_digest: digest_of(&"question"),
        },
    )
}

#[test]
fn an_answer_leaves_with_its_entry() {
    let directory = tempfile::tempdir().unwrap();
    let gate = gate(directory.path()).unwrap();
    let (value, seq) = gate
        .release(answer(Class::D2, &[3, 1 << 40]), &asker(Class::D3, None))
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((value, seq), ("answer", 1));
    let reopened = Ledger::open(directory.path()).unwrap();
    let entries = reopened.entries(EntryFilter::default(), 10).unwrap();
    let [(entry, persons)] = entries.as_slice() else {
        panic!("one entry")
    };
    assert_eq!(
        (entry.actor.to_string(), entry.class, entry.decision),
        ("account:1".into(), Class::D2, Decision::Released)
    );
    assert_eq!(persons, &RoaringTreemap::from_iter([3u64, 1 << 40]));
}

#[test]
fn a_refusal_is_on_record_and_opens_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let gate = gate(directory.path()).unwrap();
    assert!(matches!(
        gate.release(answer(Class::D2, &[3]), &asker(Class::D1, None)),
        Err(GateError::Forbidden { .. })
    ));
    assert!(matches!(
        gate.release(answer(Class::D3, &[3]), &asker(Class::D3, None)),
        Err(GateError::PurposeRequired)
    ));
    assert!(
        gate.release(answer(Class::D3, &[3]), &asker(Class::D3, Some(PurposeCode::Support)))
            .is_ok()
    );
    let decisions: Vec<_> = gate
        .ledger()
        .entries(EntryFilter::default(), 10)
        .unwrap()
        .into_iter()
        .map(|(entry, _)| entry.decision)
        .collect();
    assert_eq!(decisions, [Decision::Released, Decision::Refused]);
}

#[test]
fn entries_are_found_by_person_and_paged_backwards() {
    let directory = tempfile::tempdir().unwrap();
    let gate = gate(directory.path()).unwrap();
    for person in [1, 2, 3, 2] {
        gate.release(answer(Class::D2, &[person]), &asker(Class::D2, None))
            .unwrap_or_else(|e| panic!("{e}"));
    }
    let seqs = |filter| {
        gate.ledger()
            .entries(filter, 10)
            .unwrap()
            .iter()
            .map(|(entry, _)| entry.seq)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        seqs(EntryFilter {
            person: Some(PersonNumber(2)),
            ..Default::default()
        }),
        [4, 2]
    );
    assert_eq!(
        seqs(EntryFilter {
            before: Some(3),
            ..Default::default()
        }),
        [2, 1]
    );
    assert_eq!(
        seqs(EntryFilter {
            project: Some(ProjectId(9)),
            ..Default::default()
        }),
        [] as [u64; 0]
    );
}

#[test]
fn every_cut_of_the_tail_opens_and_every_flip_before_it_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let gate = gate(directory.path()).unwrap();
    for person in 1..=3 {
        gate.release(answer(Class::D2, &[person]), &asker(Class::D2, None))
            .unwrap_or_else(|e| panic!("{e}"));
    }
    drop(gate);
    let path = directory.path().join("entries.log");
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let ledger = Ledger::open(directory.path()).unwrap_or_else(|error| panic!("cut at {length}: {error}"));
        assert_eq!(ledger.len() as usize, 3 * length / whole.len(), "cut at {length}");
    }
    let one = whole.len() / 3;
    for at in 0..2 * one {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        assert!(
            matches!(Ledger::open(directory.path()), Err(LedgerError::Corrupt { .. })),
            "flip at {at}"
        );
    }
}

/// Entries that show nobody ride with the next sync. A power cut may leave any sectors of them.
#[test]
fn whatever_a_power_cut_leaves_of_unsynced_entries_opens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("entries.log");
    let gate = gate(directory.path()).unwrap();
    let release = |class, persons: &[u64]| drop(gate.release(answer(class, persons), &asker(Class::D2, None)));
    release(Class::D0, &[]);
    release(Class::D2, &[1]);
    let durable = std::fs::read(&path).unwrap().len();
    (0..8).for_each(|_| release(Class::D0, &[]));
    let whole = std::fs::read(&path).unwrap();
    for sectors in 0..32_u32 {
        let mut torn = whole.clone();
        let places = torn[durable..].chunks_mut(512).enumerate();
        places
            .filter(|(place, _)| sectors >> place & 1 == 0)
            .for_each(|(_, sector)| sector.fill(0));
        std::fs::write(&path, &torn).unwrap();
        assert_eq!(verify(directory.path(), &mut |_| ()).damage, [], "sectors {sectors:b}");
        let opened = Ledger::open(directory.path()).unwrap_or_else(|error| panic!("sectors {sectors:b}: {error}"));
        assert!((2..=10).contains(&opened.len()), "sectors {sectors:b}");
    }
    // A synced entry behind it says that it was durable once.
    std::fs::write(&path, &whole).unwrap();
    let gate = self::gate(directory.path()).unwrap();
    drop(gate.release(answer(Class::D2, &[2]), &asker(Class::D2, None)));
    let whole = std::fs::read(&path).unwrap();
    for at in durable..durable + 200 {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        assert!(
            matches!(Ledger::open(directory.path()), Err(LedgerError::Corrupt { .. })),
            "flip at {at}"
        );
    }
}

#[test]
fn without_a_record_crowds_are_shown_and_persons_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let gate = gate(directory.path()).unwrap();
    gate.ledger().break_for_test();
    assert!(gate.release(answer(Class::D0, &[]), &asker(Class::D3, None)).is_ok());
    assert!(matches!(
        gate.release(answer(Class::D1, &[3]), &asker(Class::D3, None)),
        Err(GateError::Ledger(_))
    ));
}
