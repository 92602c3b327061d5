//! Answers that name somebody: reveal, look-up, group labels.
//!
//! Each finds its answer, wraps it together with the disclosure it is, and hands it to the gate, which puts the entry on
//! disk before it opens the wrapper. Who asks is proved to the vault itself: a session by its secret, never by the query
//! side's word. The purpose's text is sealed in `vault.db` first; the ledger holds a salted commitment to it, and the
//! salt is sealed with the text (GT-12).

use crate::crypto::{random_bytes, sha256};
use crate::error::Fault;
use crate::vault::Vault;
use ledger::{Actor, Class, Disclosure, GateError, Undisclosed, digest_of};
use model::{ErrorCode, GroupNumber, PersonNumber, ProjectId};
use roaring::RoaringTreemap;
use std::collections::BTreeSet;
use vault_client::{Asker, LookupRequest, Personal, Purpose, PurposeCode, RevealRequest, Revealed, Role, Tier};
use zeroize::Zeroizing;

/// Shortest and longest text of a purpose, in scalars.
const PURPOSE_SCALARS: std::ops::RangeInclusive<usize> = 10..=500;
/// The name under which identifiers stand in the ledger's list of fields.
const IDENTIFIER_FIELD: &str = "$distinct_id";
/// Labels of one call.
const LABELS_MAX: usize = 10_000;

/// Who asks, as far as the vault could verify it.
struct Known {
    actor: Actor,
    session_commit: Option<[u8; 32]>,
    clearance: Class,
}

impl Vault {
    pub(crate) fn reveal(&self, request: &RevealRequest) -> Result<Revealed, Fault> {
        let known = self.identify(&request.asker)?;
        let commit = self.keep_purpose(request.project, &request.purpose)?;
        let view = self
            .directory
            .person(request.project, request.person.0)?
            .ok_or_else(|| Fault::refused(ErrorCode::NotFound, "there is no such person"))?;
        let wanted = |name: &String| request.fields.as_ref().is_none_or(|fields| fields.contains(name));
        let fields: Vec<(String, Personal)> = view.fields.into_iter().filter(|(name, _)| wanted(name)).collect();
        // Identifiers are a field like any other: they come when everything is asked for, or when they are named.
        let identifiers = if wanted(&IDENTIFIER_FIELD.to_owned()) {
            view.identifiers
        } else {
            Vec::new()
        };
        let shown = fields.iter().map(|(name, _)| name.clone());
        let shown = shown.chain((!identifiers.is_empty()).then(|| IDENTIFIER_FIELD.to_owned()));
        let disclosure = Disclosure {
            class: Class::D3,
            persons: RoaringTreemap::from_iter([view.canonical]),
            fields: shown.collect(),
            question_digest: digest_of(&("reveal", request.project, request.person, &request.fields)),
        };
        let answer = Undisclosed::new(
            Revealed {
                fields,
                identifiers,
                ledger_seq: 0,
            },
            disclosure,
        );
        let asker = ledger_asker(known, request.project, "reveal", Some((request.purpose.code, commit)));
        let (mut revealed, seq) = self.gate.release(answer, &asker).map_err(refused)?;
        revealed.ledger_seq = seq;
        Ok(revealed)
    }

    pub(crate) fn lookup(&self, request: &LookupRequest) -> Result<Option<PersonNumber>, Fault> {
        let known = self.identify(&request.asker)?;
        let commit = self.keep_purpose(request.project, &request.purpose)?;
        let found = self.directory.find(request.project, request.identifier.expose())?;
        let disclosure = Disclosure {
            class: Class::D3,
            persons: found.into_iter().collect(),
            fields: BTreeSet::from([IDENTIFIER_FIELD.to_owned()]),
            // Not a digest of the identifier: whoever has the ledger could try names against it (TH-2).
            question_digest: digest_of(&("lookup", request.project, commit)),
        };
        let answer = Undisclosed::new(found.map(PersonNumber), disclosure);
        let asker = ledger_asker(known, request.project, "lookup", Some((request.purpose.code, commit)));
        Ok(self.gate.release(answer, &asker).map_err(refused)?.0)
    }

    pub(crate) fn group_labels(
        &self,
        project: ProjectId,
        key: &str,
        numbers: &[GroupNumber],
        asker: &Asker,
    ) -> Result<Vec<Option<Personal>>, Fault> {
        if numbers.len() > LABELS_MAX {
            return Err(Fault::refused(
                ErrorCode::TooLarge,
                format!("more than {LABELS_MAX} labels at once"),
            ));
        }
        let known = self.identify(asker)?;
        let labels = self.directory.group_labels(project, key, numbers)?;
        let disclosure = Disclosure {
            class: Class::D2,
            persons: RoaringTreemap::new(),
            fields: BTreeSet::from([key.to_owned()]),
            question_digest: digest_of(&("group_labels", project, key, numbers)),
        };
        let asker = ledger_asker(known, project, "group_labels", None);
        Ok(self
            .gate
            .release(Undisclosed::new(labels, disclosure), &asker)
            .map_err(refused)?
            .0)
    }

    /// Whose session this is. A service account is the query side's word, good enough for a trial and nothing else.
    fn identify(&self, asker: &Asker) -> Result<Known, Fault> {
        match asker {
            Asker::Session(secret) => {
                let session = self
                    .accounts
                    .check_session(secret)?
                    .ok_or_else(|| Fault::refused(ErrorCode::Unauthenticated, "the session is over; sign in again"))?;
                Ok(Known {
                    actor: Actor::Account(session.account),
                    session_commit: Some(session.session_commit),
                    clearance: clearance(session.role),
                })
            }
            Asker::ServiceAccount(name) if self.tier() == Tier::T0 => Ok(Known {
                actor: Actor::ServiceAccount(name.clone()),
                session_commit: None,
                clearance: Class::D3,
            }),
            Asker::ServiceAccount(_) => Err(Fault::refused(
                ErrorCode::Forbidden,
                "service accounts see no identities outside a trial installation",
            )),
        }
    }

    /// Seals the purpose under a random name and returns the commitment for the ledger.
    fn keep_purpose(&self, project: ProjectId, purpose: &Purpose) -> Result<[u8; 32], Fault> {
        let text = purpose.text.expose().trim();
        if !PURPOSE_SCALARS.contains(&text.chars().count()) {
            return Err(Fault::refused(
                ErrorCode::PurposeRequired,
                "say in 10 to 500 characters why you need to know",
            ));
        }
        let salt = random_bytes::<16>()?;
        let commit = sha256(&[&salt, text.as_bytes()]);
        let salt_text: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
        let kept = Zeroizing::new(format!("{} {salt_text} {text}", purpose.code.as_str()));
        self.directory.put_document(project, "purpose", &commit, &kept)?;
        Ok(commit)
    }
}

/// The closest answer a role reaches. Grants for the others (secrecy contract 5.2) are not built.
fn clearance(role: Role) -> Class {
    match role {
        Role::Owner | Role::PrivacyOfficer => Class::D3,
        Role::Admin | Role::Analyst | Role::Viewer | Role::Auditor => Class::D1,
    }
}

fn ledger_asker(
    known: Known,
    project: ProjectId,
    action: &'static str,
    purpose: Option<(PurposeCode, [u8; 32])>,
) -> ledger::Asker {
    ledger::Asker {
        actor: known.actor,
        clearance: known.clearance,
        session_commit: known.session_commit,
        project,
        action,
        purpose: purpose.map(|(code, _)| code),
        purpose_commit: purpose.map(|(_, commit)| commit),
    }
}

fn refused(error: GateError) -> Fault {
    match error {
        GateError::Forbidden { .. } => Fault::refused(
            ErrorCode::Forbidden,
            "your role does not see identities in this project",
        ),
        GateError::PurposeRequired => Fault::refused(ErrorCode::PurposeRequired, error.to_string()),
        GateError::Ledger(error) => Fault::Ledger(error),
    }
}
