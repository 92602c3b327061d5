//! The vault as a process of its own: this test binary starts itself again as one.

use crate::support::quick_folder;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use vault::{RootSource, VaultOptions, init};
use vault_client::{Client, Tier};

const FOLDER: &str = "VAULT_TEST_FOLDER";
const PASSPHRASE: &str = "VAULT_TEST_PASSPHRASE";

/// The vault's process. Run by the tests below with the variables set, never by itself.
#[test]
#[ignore = "is the child process of other tests"]
fn child() {
    let folder = std::env::var(FOLDER).unwrap();
    let socket = Path::new(&folder).join("run/vault.sock");
    let mut options = VaultOptions::new(&folder, socket, RootSource::PassphraseVariable(PASSPHRASE.into()));
    options.stop_with_parent = true;
    vault::serve(options).unwrap();
}

/// As [`child`], but it dies of a panic with a secret in its message.
#[test]
#[ignore = "is the child process of other tests"]
fn panicking_child() {
    let folder = std::env::var(FOLDER).unwrap();
    let socket = Path::new(&folder).join("run/vault.sock");
    let options = VaultOptions::new(&folder, socket, RootSource::PassphraseVariable(PASSPHRASE.into()));
    let stop = options.stop.clone();
    let serving = std::thread::spawn(move || vault::serve(options).unwrap());
    wait_for("the vault to answer", || {
        Client::new(Path::new(&folder).join("run/vault.sock")).hello().is_ok()
    });
    eprintln!("memory: {:?}", rustix::process::dumpable_behavior());
    let _ = std::thread::spawn(|| panic!("alice@example.org")).join();
    stop.stop();
    serving.join().unwrap();
}

fn wait_for(what: &str, mut come: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !come() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A shell that starts the child, prints its process id, and lives until its own input ends.
fn parent_of(test: &str, folder: &Path, output: &str) -> Child {
    let this = std::env::current_exe().unwrap();
    let script = format!(
        "{} --exact {test} --ignored --nocapture {output} & echo $!; read line",
        this.display()
    );
    Command::new("sh")
        .args(["-c", &script])
        .env(FOLDER, folder)
        .env(PASSPHRASE, "correct horse battery staple")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn new_vault() -> tempfile::TempDir {
    let folder = quick_folder();
    let passphrase = vault_client::SecretText::new("correct horse battery staple");
    init(folder.path(), &RootSource::Passphrase(passphrase)).unwrap();
    folder
}

#[test]
fn it_answers_leaves_no_core_and_ends_with_its_parent() {
    let folder = new_vault();
    let mut parent = parent_of("process::child", folder.path(), ">/dev/null 2>&1");
    let mut output = BufReader::new(parent.stdout.take().unwrap());
    let mut first = String::new();
    output.read_line(&mut first).unwrap();
    let pid = first.trim().to_owned();
    let client = Client::new(folder.path().join("run/vault.sock"));
    wait_for("the vault to answer", || client.hello().is_ok());
    assert_eq!(client.hello().unwrap().tier, Tier::T1);

    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");

    drop(parent.stdin.take());
    parent.wait().unwrap();
    wait_for("the vault to end", || !Path::new(&format!("/proc/{pid}")).exists());
    assert!(
        !folder.path().join("run/vault.sock").exists(),
        "it ended without putting its things away"
    );
}

#[test]
fn its_memory_is_closed_and_a_panic_prints_a_code_and_no_value() {
    let folder = new_vault();
    let mut parent = parent_of("process::panicking_child", folder.path(), "2>&1");
    let mut text = String::new();
    let mut output = BufReader::new(parent.stdout.take().unwrap());
    wait_for("the panic", || {
        output.read_line(&mut text).unwrap();
        text.contains("VP-1")
    });
    drop(parent.stdin.take());
    std::io::Read::read_to_string(&mut output, &mut text).unwrap();
    parent.wait().unwrap();
    assert!(text.contains("tests/it/process.rs"), "{text}");
    assert!(text.contains("memory: Ok(NotDumpable)"), "{text}");
    assert!(!text.contains("alice"), "a panic printed a value");
}
