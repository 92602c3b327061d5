//! Death between the steps of a write (secrecy contract 1.6).

use super::*;
use crate::identity::Step;
use model::{BatchId, ProjectId};
use std::sync::atomic::{AtomicUsize, Ordering};
use vault_client::{
    Asker, FieldOp, FieldWrite, Personal, Purpose, ResolveReply, ResolveRequest, RevealRequest, Tuple, WriteSubject,
};

const PROJECT: ProjectId = ProjectId(1);

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place {
            folder: tempfile::tempdir().unwrap(),
        };
        init(place.folder.path(), &RootSource::File(None)).unwrap();
        place
    }

    /// Opens with a step that fails at its nth time (1 is the next).
    fn open(&self, failing: Option<(Step, usize)>) -> Vault {
        let options = VaultOptions::new(
            self.folder.path(),
            self.folder.path().join("s/vault.sock"),
            RootSource::File(None),
        );
        let passed = AtomicUsize::new(0);
        let steps = failing.map(|(failing, nth)| -> Arc<dyn Fn(Step) -> bool + Send + Sync> {
            Arc::new(move |step| step != failing || passed.fetch_add(1, Ordering::SeqCst) + 1 != nth)
        });
        Vault::open_with(&options, Steps(steps)).unwrap()
    }
}

fn batch(id: u8, device: Option<&str>, user: Option<&str>) -> ResolveRequest {
    let tuple = Tuple {
        device: device.map(Personal::new),
        user: user.map(Personal::new),
        ..Tuple::default()
    };
    let write = FieldWrite {
        subject: WriteSubject::Id(0),
        op: FieldOp::Append,
        field: "$seen".into(),
        value: Some(Personal::new(format!("{id}"))),
        time_ms: 0,
        event_id: None,
    };
    ResolveRequest {
        project: PROJECT,
        batch_id: BatchId([id; 16]),
        received_ms: 0,
        deadline_ms: 0,
        have_feed: 0,
        ids: vec![tuple],
        refs: vec![],
        writes: vec![write],
    }
}

fn resolve(vault: &Vault, request: ResolveRequest) -> Result<ResolveReply, VaultError> {
    vault.answer(Request::Resolve(request)).map(|reply| match reply {
        Reply::Resolved(resolved) => resolved,
        _ => panic!("another answer"),
    })
}

fn seen(vault: &Vault, person: model::PersonNumber) -> Option<String> {
    let request = RevealRequest {
        project: PROJECT,
        person,
        fields: None,
        asker: Asker::ServiceAccount("test".into()),
        purpose: Purpose {
            code: model::PurposeCode::Support,
            text: Personal::new("a test of durability"),
        },
    };
    match vault.answer(Request::Reveal(request)).unwrap() {
        Reply::Revealed(revealed) => revealed.fields.first().map(|(_, value)| value.expose().to_owned()),
        _ => panic!("another answer"),
    }
}

/// For each step of each of the writes of a sign-up on a second device: die there, start again, send it all again.
#[test]
fn a_death_at_any_step_loses_and_doubles_nothing() {
    // Rows 4, 2 and 9 of the table; the last has a merge and a reset.
    let history = [(1, None, Some("u")), (2, Some("d"), None), (3, Some("d"), Some("u"))];
    for step in [Step::BeforeCommit, Step::AfterCommit] {
        // The first commit makes the project.
        for nth in 1..=history.len() {
            let place = Place::new();
            place.open(None).answer(Request::CreateProject(PROJECT)).unwrap();
            let vault = place.open(Some((step, nth)));
            let mut acknowledged = Vec::new();
            for (id, device, user) in history {
                match resolve(&vault, batch(id, device, user)) {
                    Ok(reply) => acknowledged.push(reply),
                    Err(VaultError::Unavailable(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(acknowledged.len(), nth - 1, "after the death nothing is acknowledged");
            drop(vault);

            let vault = place.open(None);
            let committed = if step == Step::AfterCommit { nth } else { nth - 1 };
            let Reply::Hello(hello) = vault.answer(Request::Hello).unwrap() else {
                panic!("another answer")
            };
            let persons = [0, 1, 2, 2][committed];
            assert_eq!(hello.projects[0].next_person, persons + 1, "{step:?} {nth}");
            // The client has no reply and sends everything again under the same ids.
            let replies: Vec<_> = history
                .iter()
                .map(|(id, device, user)| resolve(&vault, batch(*id, *device, *user)).unwrap())
                .collect();
            let numbers: Vec<u64> = replies.iter().map(|reply| reply.ids[0].person.0).collect();
            // Once the merge is committed, the device's canonical number is its user's.
            let second = if committed == 3 { 1 } else { 2 };
            assert_eq!(numbers, [1, second, 1], "{step:?} {nth}");
            assert_eq!(replies[2].feed.len(), 2, "reset and merge, once");
            assert_eq!(
                seen(&vault, replies[0].ids[0].person).as_deref(),
                Some("[1,3]"),
                "{step:?} {nth}"
            );
        }
    }
}

#[test]
fn after_a_failed_commit_what_is_known_is_still_answered_and_nothing_is_written() {
    let place = Place::new();
    let vault = place.open(Some((Step::BeforeCommit, 3)));
    vault.answer(Request::CreateProject(PROJECT)).unwrap();
    let mut known = batch(1, Some("d"), None);
    resolve(&vault, known.clone()).unwrap();
    assert!(resolve(&vault, batch(2, Some("e"), None)).is_err());
    assert!(
        resolve(&vault, batch(3, Some("f"), None)).is_err(),
        "a stopped writer wrote"
    );
    known.writes.clear();
    assert_eq!(resolve(&vault, known).unwrap().ids[0].person.0, 1);
}
