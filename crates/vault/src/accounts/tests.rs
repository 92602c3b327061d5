use super::*;
use crate::clock::SetClock;
use crate::root::RootSource;

struct Staff {
    accounts: Accounts,
    clock: Arc<SetClock>,
    folder: tempfile::TempDir,
}

fn staff() -> Staff {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path()).unwrap();
    let store = KeyStore::create(folder.path(), &RootSource::File(None)).unwrap();
    let clock = Arc::new(SetClock::new(1_700_000_000_000));
    let accounts = Accounts::open(folder.path(), &store, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    Staff {
        accounts,
        clock,
        folder,
    }
}

impl Staff {
    fn owner(&self) -> AccountNumber {
        self.accounts
            .create_account(&Personal::new("Olga@Example.org"), Role::Owner)
            .unwrap()
    }

    fn signed_in(&self) -> SignedIn {
        let code = self.accounts.create_login_link(self.owner()).unwrap();
        self.accounts.sign_in(&code).unwrap().unwrap()
    }

    fn is_valid(&self, secret: &SecretText) -> bool {
        self.accounts.check_session(secret).unwrap().is_some()
    }
}

#[test]
fn a_login_link_opens_one_session() {
    let staff = staff();
    let account = staff.owner();
    let code = staff.accounts.create_login_link(account).unwrap();
    assert_eq!(code.expose().len(), 43);
    let first = staff.accounts.sign_in(&code).unwrap().unwrap();
    assert_eq!((first.session.account, first.session.role), (account, Role::Owner));
    assert!(
        staff.accounts.sign_in(&code).unwrap().is_none(),
        "a spent code opened a second session"
    );
    assert!(
        staff
            .accounts
            .sign_in(&SecretText::new("x".repeat(43)))
            .unwrap()
            .is_none()
    );
    assert!(staff.is_valid(&first.secret));
    assert!(!staff.is_valid(&code), "the code is no session");
}

#[test]
fn a_login_link_dies_after_an_hour() {
    for (age_ms, works) in [(LINK_LIFE_MS - 1, true), (LINK_LIFE_MS, false)] {
        let staff = staff();
        let code = staff.accounts.create_login_link(staff.owner()).unwrap();
        staff.clock.advance(age_ms);
        assert_eq!(
            staff.accounts.sign_in(&code).unwrap().is_some(),
            works,
            "after {age_ms} ms"
        );
    }
}

#[test]
fn a_session_ends_when_idle_and_in_the_end() {
    let staff = staff();
    let signed_in = staff.signed_in();
    let start_ms = staff.clock.now_ms();
    assert_eq!(signed_in.session.expires_ms, start_ms + SESSION_IDLE_MS);
    // Used every eleven hours it lives, for seven days.
    for _ in 0..15 {
        staff.clock.advance(11 * HOUR_MS);
        assert!(staff.is_valid(&signed_in.secret));
    }
    let session = staff.accounts.check_session(&signed_in.secret).unwrap().unwrap();
    assert_eq!(session.expires_ms, start_ms + SESSION_LIFE_MS);
    staff.clock.advance(4 * HOUR_MS);
    assert!(!staff.is_valid(&signed_in.secret), "a session outlived seven days");
}

#[test]
fn an_unused_session_ends_after_twelve_hours() {
    let staff = staff();
    let signed_in = staff.signed_in();
    staff.clock.advance(SESSION_IDLE_MS - 1);
    assert!(staff.is_valid(&signed_in.secret));
    staff.clock.advance(SESSION_IDLE_MS);
    assert!(!staff.is_valid(&signed_in.secret));
    staff.clock.advance(-SESSION_IDLE_MS);
    assert!(
        !staff.is_valid(&signed_in.secret),
        "an ended session came back with the clock"
    );
}

#[test]
fn a_session_can_be_ended() {
    let staff = staff();
    let signed_in = staff.signed_in();
    staff.accounts.end_session(&signed_in.secret).unwrap();
    assert!(!staff.is_valid(&signed_in.secret));
}

#[test]
fn addresses_are_unique_whatever_their_case_and_sealed() {
    let staff = staff();
    assert_eq!(staff.accounts.owner().unwrap(), None);
    let account = staff.owner();
    assert_eq!(staff.accounts.owner().unwrap(), Some(account));
    assert!(
        staff
            .accounts
            .create_account(&Personal::new(" olga@example.ORG"), Role::Viewer)
            .is_err()
    );
    for bad in ["", "olga", "@example.org", "a@b@c"] {
        assert!(
            staff
                .accounts
                .create_account(&Personal::new(bad), Role::Viewer)
                .is_err(),
            "{bad:?}"
        );
    }
    assert!(staff.accounts.create_login_link(AccountNumber(99)).is_err());
    for name in ["accounts.db", "accounts.db-wal"] {
        let bytes = std::fs::read(staff.folder.path().join(name)).unwrap();
        assert!(
            !bytes.windows(4).any(|w| w.eq_ignore_ascii_case(b"olga")),
            "{name} has the address"
        );
    }
}
