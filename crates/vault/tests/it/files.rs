//! The vault directory: what lies in it, what does not, and who can open it.

use crate::support::*;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use vault::{RootSource, Vault, VaultOptions, VaultServeError, init};
use vault_client::protocol::{Reply, Request};
use vault_client::{FieldOp, Tier};

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let bits = chunk
                .iter()
                .chain([0, 0].iter())
                .take(3)
                .fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte));
            (0..=chunk.len()).map(move |at| char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]))
        })
        .collect()
}

/// A text as it is, in either case, in hex and in base64 at its three offsets.
fn encodings(text: &str) -> Vec<Vec<u8>> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![
        text.into(),
        text.to_lowercase(),
        text.to_uppercase(),
        hex.to_uppercase(),
        hex,
    ];
    for offset in 0..3 {
        // The characters that the neighbours of the text would change are cut off at both ends.
        let shifted = base64(&[&vec![0; offset], text.as_bytes()].concat());
        let end = (offset + text.len()) * 8 / 6;
        all.push(shifted[(offset * 8).div_ceil(6)..end].to_owned());
    }
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    all.into_iter().map(String::into_bytes).chain([utf16]).collect()
}

fn hits(files: &[PathBuf], planted: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files {
        let bytes = std::fs::read(path).unwrap();
        for text in planted {
            for (form, needle) in encodings(text).iter().enumerate() {
                if contains(&bytes, needle) {
                    found.push(format!("{text} (form {form}) in {}", path.display()));
                }
            }
        }
    }
    found
}

#[test]
fn nothing_planted_is_found_in_clear() {
    let planted = [
        "Zdenka-Planted-Name",
        "zdenka.planted@example.org",
        "planted-user-4711",
        "planted-device-0815",
        "Planted Holding AG",
        "planted-secret-token",
        "Planted purpose of the reveal",
        "olga.planted@staff.example",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
    ];
    let mut world = World::new();
    world.number(device("planted-device-0815"));
    world.number(device(planted[8]));
    world.write(
        device("planted-device-0815"),
        &[(FieldOp::Set, "$name", Some("\"Zdenka-Planted-Name\""))],
    );
    world.write(
        user("planted-user-4711"),
        &[
            (FieldOp::Set, "$name", Some("\"Zdenka-Planted-Name\"")),
            (FieldOp::Append, "$emails", Some("\"zdenka.planted@example.org\"")),
        ],
    );
    world.write(user("planted-user-4711"), &[(FieldOp::Unset, "$name", None)]);
    world.number(pair("planted-device-0815", "planted-user-4711"));
    world.number(user("zdenka.planted@example.org"));
    world.group("company", "Planted Holding AG");
    let text = vault_client::SecretText::new("planted-secret-token");
    world
        .ask(Request::PutSecret {
            project: PROJECT,
            name: "token".into(),
            text,
        })
        .unwrap();
    let email = vault_client::Personal::new("olga.planted@staff.example");
    world
        .ask(Request::CreateAccount {
            email,
            role: vault_client::Role::Owner,
        })
        .unwrap();
    let mut request = vault_client::RevealRequest {
        project: PROJECT,
        person: model::PersonNumber(1),
        fields: None,
        asker: robot(),
        purpose: purpose(),
    };
    request.purpose.text = vault_client::Personal::new("Planted purpose of the reveal");
    world.ask(Request::Reveal(request)).unwrap();
    world.lookup("zdenka.planted@example.org");
    let text = vault_client::Personal::new("{\"planted-user-4711\"");
    let mut broken = world.request(vec![user("planted-user-4711")]);
    broken.writes = vec![write(FieldOp::Set, "$name", None)];
    broken.writes[0].value = Some(text);
    let error = world.try_resolve(broken).unwrap_err();
    assert!(!error.to_string().contains("planted"));

    let control = world.path().join("control.txt");
    std::fs::write(
        &control,
        planted
            .map(|text| format!("{text} {}", base64(text.as_bytes())))
            .join("\n"),
    )
    .unwrap();
    assert!(
        hits(std::slice::from_ref(&control), &planted).len() >= 2 * planted.len(),
        "the search itself finds nothing"
    );
    std::fs::remove_file(control).unwrap();

    // With the write-ahead logs, and again after they were folded in.
    assert_eq!(hits(&files_below(world.path()), &planted), Vec::<String>::new());
    world.restart();
    world.close();
    assert_eq!(hits(&files_below(world.path()), &planted), Vec::<String>::new());
}

#[test]
fn keys_lie_wrapped_and_files_are_private() {
    let world = World::new();
    world.number(pair("d", "u"));
    let Reply::Key32(dedup) = world.ask(Request::DedupKey(PROJECT)).unwrap() else {
        panic!("another answer")
    };
    let root = std::fs::read(world.path().join("root.key")).unwrap();
    assert_eq!(root.len(), 32);
    for path in files_below(world.path()) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        let in_ledger = path.components().any(|part| part.as_os_str() == "ledger");
        assert!(in_ledger || mode & 0o077 == 0, "{} has mode {mode:o}", path.display());
        let bytes = std::fs::read(&path).unwrap();
        assert!(!contains(&bytes, &*dedup), "{} has a project key", path.display());
        assert!(
            path.ends_with("root.key") || !contains(&bytes, &root),
            "{} has the root key",
            path.display()
        );
    }
}

#[test]
fn one_directory_has_one_vault() {
    let world = World::new();
    assert!(matches!(
        init(world.path(), &RootSource::File(None)),
        Err(VaultServeError::Exists(_))
    ));
    assert!(Vault::open(&world.options).is_err(), "two writers on one directory");
    let empty = tempfile::tempdir().unwrap();
    let options = VaultOptions::new(empty.path(), empty.path().join("s/sock"), RootSource::File(None));
    assert!(matches!(Vault::open(&options), Err(VaultServeError::Missing(_))));
}

#[test]
fn another_root_key_opens_nothing() {
    let mut world = World::new();
    world.close();
    let path = world.path().join("root.key");
    let mut key = std::fs::read(&path).unwrap();
    key[31] ^= 1;
    std::fs::write(&path, &key).unwrap();
    assert!(matches!(world.open(), Err(VaultServeError::WrongRoot)));
    std::fs::write(&path, &key[..31]).unwrap();
    assert!(matches!(world.open(), Err(VaultServeError::RootSource(_))));
    key[31] ^= 1;
    std::fs::write(&path, &key).unwrap();
    world.open().unwrap();
}

/// A descriptor that holds the text, as a parent process would hand one over.
fn descriptor(folder: &Path, text: &str) -> (std::fs::File, RootSource) {
    use std::os::fd::AsRawFd;
    let path = folder.join("handed-over");
    std::fs::write(&path, text).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let source = RootSource::PassphraseDescriptor(file.as_raw_fd());
    (file, source)
}

#[test]
fn a_passphrase_opens_what_it_made() {
    let (vault, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |text: &str| {
        let (_file, source) = descriptor(elsewhere.path(), text);
        Vault::open(&VaultOptions::new(vault.path(), vault.path().join("s/sock"), source))
    };
    let (_file, source) = descriptor(elsewhere.path(), "too short");
    assert!(matches!(
        init(vault.path(), &source),
        Err(VaultServeError::RootSource(_))
    ));
    let (_file, source) = descriptor(elsewhere.path(), "correct horse battery staple\n");
    init(vault.path(), &source).unwrap();
    assert!(!vault.path().join("root.key").exists());
    assert_eq!(open("correct horse battery staple").unwrap().tier(), Tier::T1);
    assert!(matches!(
        open("correct horse battery staples"),
        Err(VaultServeError::WrongRoot)
    ));
    assert!(matches!(open(""), Err(VaultServeError::RootSource(_))));
    let unset = RootSource::PassphraseVariable("FROSTPANE_TEST_UNSET".into());
    let options = VaultOptions::new(vault.path(), vault.path().join("s/sock"), unset);
    assert!(matches!(Vault::open(&options), Err(VaultServeError::RootSource(_))));

    // Outside a trial a service account is nobody.
    let vault = open("correct horse battery staple").unwrap();
    vault.answer(Request::CreateProject(PROJECT)).unwrap();
    let request = vault_client::LookupRequest {
        project: PROJECT,
        identifier: vault_client::Personal::new("u"),
        asker: robot(),
        purpose: purpose(),
    };
    assert!(vault.answer(Request::Lookup(request)).is_err());
}
