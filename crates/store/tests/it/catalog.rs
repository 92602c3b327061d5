//! Projects, credentials and documents.

use crate::support::*;
use ::model::{EventTime, ProjectId};
use store::{Credential, CredentialKind, Draft, Replaced, Store, StoreError};

fn credential(kind: CredentialKind, username: Option<&str>, digest: u8) -> Credential {
    Credential {
        project: PROJECT,
        kind,
        username: username.map(str::to_owned),
        digest: [digest; 32],
        created: EventTime(i64::from(digest)),
        scopes: vec!["query:reports".into(), "query:persons".into()],
    }
}

#[test]
fn what_was_saved_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let catalog = store.catalog();
    let token = credential(CredentialKind::WriteToken, None, 1);
    let account = credential(CredentialKind::ServiceAccount, Some("robot"), 2);
    catalog.add_credential(token.clone()).unwrap();
    catalog.add_credential(account.clone()).unwrap();
    assert!(
        catalog
            .add_credential(credential(CredentialKind::ApiSecret, Some("robot"), 3))
            .is_err()
    );
    let first = catalog
        .save_document(PROJECT, "report", None, "Sign-ups", "{}")
        .unwrap();
    let second = catalog.save_document(PROJECT, "report", None, "Sales", "{}").unwrap();
    catalog
        .save_document(PROJECT, "report", Some(first), "Sign-ups", "{\"a\":1}")
        .unwrap();
    let mut project = catalog.project(PROJECT).unwrap();
    project.settings.group_keys.push("company".into());
    catalog.update_project(&project).unwrap();
    store.close();

    let store = Store::open(options(directory.path())).unwrap();
    let catalog = store.catalog();
    assert_eq!(catalog.projects(), std::slice::from_ref(&project));
    assert_eq!(catalog.credential_by_digest(&[1; 32]), Some(token.clone()));
    assert_eq!(catalog.credential_by_digest(&[9; 32]), None);
    assert_eq!(catalog.service_account("robot"), Some(account.clone()));
    assert_eq!(catalog.credentials(PROJECT), [token, account]);
    let documents = catalog.documents(PROJECT, "report").unwrap();
    let found: Vec<(u64, &str)> = documents.iter().map(|d| (d.id, d.json.as_str())).collect();
    assert_eq!(found, [(first, "{\"a\":1}"), (second, "{}")]);
    assert!(catalog.delete_document(PROJECT, "report", second).unwrap());
    assert!(!catalog.delete_document(PROJECT, "report", second).unwrap());
    assert_eq!(catalog.document(PROJECT, "report", second).unwrap(), None);
    // Whatever refers to the deleted one must not come to mean another.
    let third = catalog.save_document(PROJECT, "report", None, "Sales", "{}").unwrap();
    assert!(third > second);
    assert_eq!(catalog.documents(PROJECT, "report").unwrap().len(), 2);
    let named = catalog.document_named(PROJECT, "report", "Sales").unwrap();
    assert_eq!(named.map(|document| document.id), Some(third));
    assert_eq!(catalog.document_named(PROJECT, "cohort", "Sales").unwrap(), None);
    assert!(catalog.remove_credential(&[1; 32]).unwrap());
    assert_eq!(catalog.credential_by_digest(&[1; 32]), None);
}

#[test]
fn unknown_projects_and_zones_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let unknown = ProjectId(9);
    let mut record = record(vec![event("open", 1, NOW_MS, None)]);
    record.project = unknown;
    assert!(matches!(store.append(record), Err(StoreError::UnknownProject(id)) if id == unknown));
    assert!(matches!(
        store.catalog().create_project("X", "Mars/Base"),
        Err(StoreError::Invalid(_))
    ));
    assert!(matches!(
        store.catalog().save_document(unknown, "report", None, "x", "{}"),
        Err(StoreError::UnknownProject(_))
    ));
}

#[test]
fn projects_do_not_see_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let other = store.catalog().create_project("Other", "Europe/Paris").unwrap().id;
    let mut second = record(vec![
        event("open", 1, NOW_MS, Some(1)),
        event("open", 2, NOW_MS, Some(2)),
    ]);
    second.project = other;
    second.feed = feed(1, vec![merge(5, 1)]);
    store.append(record(vec![event("open", 1, NOW_MS, Some(1))])).unwrap();
    store.append(second).unwrap();
    for _ in 0..2 {
        let (one, two) = (store.snapshot(PROJECT), store.snapshot(other));
        assert_eq!(scan(&one, &everything(&one)).len(), 1);
        assert_eq!(scan(&two, &everything(&two)).len(), 2);
        assert_eq!((store.feed_position(PROJECT), store.feed_position(other)), (0, 1));
        store.flush().unwrap();
    }
}

#[test]
fn a_change_from_an_old_version_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let catalog = store.catalog();
    let draft = |json, by| Draft {
        name: "Sales",
        json,
        by,
    };
    let first = catalog.add_document(PROJECT, "board", draft("1", "account:1")).unwrap();
    assert_eq!((first.version, first.created.by.as_str()), (1, "account:1"));
    let Replaced::Done(second) = catalog
        .replace_document(PROJECT, "board", first.id, Some(1), draft("2", "account:2"))
        .unwrap()
    else {
        panic!("the version was right")
    };
    assert_eq!((second.version, second.json.as_str()), (2, "2"));
    assert_eq!(
        (second.created.by.as_str(), second.changed.by.as_str()),
        ("account:1", "account:2")
    );
    let late = catalog.replace_document(PROJECT, "board", first.id, Some(1), draft("3", "account:1"));
    assert_eq!(late.unwrap(), Replaced::Outdated { version: 2 });
    assert_eq!(catalog.document(PROJECT, "board", first.id).unwrap(), Some(second));
    let unconditional = catalog.replace_document(PROJECT, "board", first.id, None, draft("4", "account:1"));
    assert!(matches!(unconditional.unwrap(), Replaced::Done(document) if document.version == 3));
    let elsewhere = catalog.replace_document(PROJECT, "report", first.id, None, draft("5", "account:1"));
    assert_eq!(elsewhere.unwrap(), Replaced::Missing);
}

#[test]
fn numbers_of_deleted_documents_are_not_given_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let catalog = store.catalog();
    let save = |id| catalog.save_document(PROJECT, "report", id, "x", "{}").unwrap();
    assert_eq!((save(None), save(None)), (1, 2));
    assert!(catalog.delete_document(PROJECT, "report", 2).unwrap());
    assert_eq!(save(None), 3);
    assert_eq!((save(Some(7)), save(None)), (7, 8));
    assert_eq!(catalog.save_document(PROJECT, "board", None, "x", "{}").unwrap(), 1);
}
