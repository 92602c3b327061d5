//! The vault behind its socket, with the client that the rest of Frostpane uses.

use crate::support::*;
use model::{BatchId, ProjectId};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::Barrier;
use std::thread::JoinHandle;
use vault::{RootSource, Server, Stop, VaultOptions, VaultServeError, init};
use vault_client::{Client, FieldOp, Personal, ResolveRequest, Role, Tier, Tuple, VaultError};

struct Running {
    folder: tempfile::TempDir,
    stop: Stop,
    server: Option<JoinHandle<()>>,
}

impl Running {
    fn new() -> Running {
        let folder = quick_folder();
        init(folder.path(), &RootSource::File(None)).unwrap();
        let mut running = Running {
            folder,
            stop: Stop::default(),
            server: None,
        };
        running.start();
        running
    }

    fn start(&mut self) {
        self.stop = Stop::default();
        let mut options = VaultOptions::new(self.folder.path(), self.socket(), RootSource::File(None));
        options.stop = self.stop.clone();
        let server = Server::bind(options).unwrap();
        self.server = Some(std::thread::spawn(move || server.run().unwrap()));
    }

    fn stop(&mut self) {
        self.stop.stop();
        self.server.take().unwrap().join().unwrap();
    }

    fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("run/vault.sock")
    }

    fn client(&self) -> Client {
        Client::new(self.socket())
    }
}

fn request(batch: u8, ids: Vec<Tuple>) -> ResolveRequest {
    ResolveRequest {
        project: PROJECT,
        batch_id: BatchId([batch; 16]),
        received_ms: 0,
        deadline_ms: 0,
        have_feed: 0,
        ids,
        refs: vec![],
        writes: vec![],
    }
}

#[test]
fn every_call_through_the_socket() {
    let mut running = Running::new();
    let client = running.client();
    client.create_project(PROJECT).unwrap();
    client.create_project(PROJECT).unwrap();
    let mut ask = request(1, vec![device("d"), user("u"), pair("d", "u")]);
    ask.ids.push(Tuple {
        profile: true,
        ..user("u")
    });
    ask.refs = vec![reference("company", "Acme")];
    ask.writes = vec![write(FieldOp::Set, "$email", Some("\"ada@example.org\""))];
    ask.writes[0].subject = vault_client::WriteSubject::Id(3);
    let reply = client.resolve(&ask).unwrap();
    assert_eq!(reply.ids.iter().map(|id| id.person.0).collect::<Vec<_>>(), [1, 1, 1, 1]);
    assert_eq!(reply.refs[0].0, 1);
    assert_eq!(client.feed_since(PROJECT, 0).unwrap(), vec![]);
    let hello = client.hello().unwrap();
    assert_eq!(
        (hello.tier, hello.projects[0].next_person, hello.lineage),
        (Tier::T0, 2, reply.lineage)
    );
    assert_eq!(client.dedup_key(PROJECT).unwrap(), client.dedup_key(PROJECT).unwrap());
    assert_ne!(
        client.pseudonym_key(PROJECT, "a").unwrap(),
        client.pseudonym_key(PROJECT, "b").unwrap()
    );

    assert_eq!(client.owner_account().unwrap(), None);
    let account = client
        .create_account(&Personal::new("olga@example.org"), Role::Owner)
        .unwrap();
    assert_eq!(client.owner_account().unwrap(), Some(account));
    let code = client.create_login_link(account).unwrap();
    let signed_in = client.sign_in(&code).unwrap().unwrap();
    assert!(client.sign_in(&code).unwrap().is_none());
    let asker = vault_client::Asker::Session(signed_in.secret.clone());
    let reveal = vault_client::RevealRequest {
        project: PROJECT,
        person: reply.ids[0].person,
        fields: None,
        asker: asker.clone(),
        purpose: purpose(),
    };
    assert_eq!(
        client.reveal(&reveal).unwrap().fields[0].1.expose(),
        "\"ada@example.org\""
    );
    let lookup = vault_client::LookupRequest {
        project: PROJECT,
        identifier: Personal::new("u"),
        asker: asker.clone(),
        purpose: purpose(),
    };
    assert_eq!(client.lookup(&lookup).unwrap(), Some(reply.ids[0].person));
    let labels = client.group_labels(PROJECT, "company", &reply.refs, &asker).unwrap();
    assert_eq!(labels[0].as_ref().unwrap().expose(), "Acme");
    client
        .put_secret(PROJECT, "token", &vault_client::SecretText::new("fpw_x"))
        .unwrap();
    assert_eq!(client.secret(PROJECT, "token").unwrap().unwrap().expose(), "fpw_x");
    client.end_session(&signed_in.secret).unwrap();
    assert!(client.check_session(&signed_in.secret).unwrap().is_none());
    assert!(matches!(client.reveal(&reveal), Err(VaultError::Refused { .. })));
    assert!(matches!(
        client.dedup_key(ProjectId(9)),
        Err(VaultError::Refused { .. })
    ));
    running.stop();
    assert!(matches!(client.hello(), Err(VaultError::Unavailable(_))));
    running.start();
    assert_eq!(
        client.hello().unwrap().vault_id,
        hello.vault_id,
        "the client finds a vault that was restarted"
    );
    running.stop();
}

#[test]
fn racing_threads_get_one_number_each_identity() {
    let mut running = Running::new();
    running.client().create_project(PROJECT).unwrap();
    let (threads, rounds, identities) = (4u8, 6u8, 40);
    let barrier = Barrier::new(threads.into());
    let results: Vec<Vec<u64>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let (client, barrier) = (running.client(), &barrier);
                scope.spawn(move || {
                    let mut numbers = Vec::new();
                    for round in 0..rounds {
                        let ids = (0..identities)
                            // Every thread starts at another identity, so the orders of first sight differ.
                            .map(|n| format!("{round}-{}", (n + 10 * u32::from(thread)) % identities))
                            .map(|name| pair(&name, &name))
                            .collect();
                        barrier.wait();
                        let reply = client.resolve(&request(thread * rounds + round, ids)).unwrap();
                        let mut found: Vec<u64> = reply.ids.iter().map(|id| id.person.0).collect();
                        found.rotate_right((10 * usize::from(thread)) % identities as usize);
                        numbers.extend(found);
                    }
                    numbers
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    for other in &results[1..] {
        assert_eq!(other, &results[0], "two threads got different numbers for one identity");
    }
    let distinct: std::collections::BTreeSet<u64> = results[0].iter().copied().collect();
    let expected = u64::from(rounds) * u64::from(identities);
    assert_eq!(distinct, (1..=expected).collect(), "numbers are dense");
    assert_eq!(running.client().hello().unwrap().projects[0].next_person, expected + 1);
    running.stop();
}

#[test]
fn a_call_past_its_deadline_is_shed() {
    let mut running = Running::new();
    let client = running.client();
    client.create_project(PROJECT).unwrap();
    let mut late = request(1, vec![user("u")]);
    late.deadline_ms = 1;
    assert_eq!(client.resolve(&late), Err(VaultError::Overloaded));
    assert_eq!(
        client.hello().unwrap().projects[0].next_person,
        1,
        "a shed call left a number behind"
    );
    late.deadline_ms = i64::MAX;
    assert_eq!(client.resolve(&late).unwrap().ids[0].person.0, 1);
    running.stop();
}

#[test]
fn stopping_answers_what_was_asked_and_frees_the_directory() {
    let mut running = Running::new();
    let client = running.client();
    client.create_project(PROJECT).unwrap();
    let idle = UnixStream::connect(running.socket()).unwrap();
    let asking: Vec<_> = (0..8u8)
        .map(|n| {
            let client = running.client();
            std::thread::spawn(move || client.resolve(&request(n, vec![user(&format!("u{n}"))])))
        })
        .collect();
    running.stop();
    let answered = asking
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .filter(Result::is_ok)
        .count();
    drop(idle);
    running.start();
    let kept = running.client().hello().unwrap().projects[0].next_person - 1;
    assert!(kept >= answered as u64, "an answered number was lost");
    running.stop();
}

#[test]
fn noise_on_the_socket_is_answered_by_closing_it() {
    let mut running = Running::new();
    for noise in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 64],
        &[0; 64],
        &[10, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let mut stream = UnixStream::connect(running.socket()).unwrap();
        stream
            .set_read_timeout(Some(std::time::Duration::from_secs(10)))
            .unwrap();
        stream.write_all(noise).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut reply = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut reply).unwrap();
        assert!(
            reply.is_empty() || reply[4] == 3,
            "noise was answered with more than a refusal"
        );
    }
    running.client().hello().unwrap();
    running.stop();
}

#[test]
fn the_sockets_folder_is_closed_to_others() {
    let running = Running::new();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(running.socket().parent().unwrap()) & 0o027, 0);
    assert_eq!(mode(&running.socket()), 0o660);
    let mut running = running;
    running.stop();
    let folder = running.folder.path().join("run");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let options = VaultOptions::new(running.folder.path(), running.socket(), RootSource::File(None));
    assert!(matches!(Server::bind(options), Err(VaultServeError::OpenFolder(_))));
}
