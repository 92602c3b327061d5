//! Frames, and the server's half of the calls.
//!
//! A frame is `u32 length | u8 type | u8 version | u64 call | body`, little-endian; the length counts everything after
//! itself and is at most [`FRAME_BYTES_MAX`]. Type 1 asks, 2 answers, 3 refuses. An answer carries the number of the
//! call it answers.

use crate::wire::{self, WireRefusal, WireReply, WireRequest};
use crate::{
    Asker, Hello, LookupRequest, Personal, ResolveReply, ResolveRequest, RevealRequest, Revealed, Role, SecretText,
    Session, SignedIn, VaultError,
};
use model::{AccountNumber, ErrorCode, FeedItem, GroupNumber, PersonNumber, ProjectId};
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

/// Longest frame either side accepts (ID-9).
pub const FRAME_BYTES_MAX: usize = 8 << 20;
/// The only version so far.
pub const VERSION: u8 = 1;

const HEADER_BYTES: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameType {
    Request = 1,
    Reply = 2,
    Refusal = 3,
}

/// One message as it travels. The body is wiped when dropped.
pub struct Frame {
    pub frame_type: FrameType,
    pub version: u8,
    pub call: u64,
    pub body: Zeroizing<Vec<u8>>,
}

impl Frame {
    pub fn new(frame_type: FrameType, call: u64, body: Zeroizing<Vec<u8>>) -> Frame {
        Frame {
            frame_type,
            version: VERSION,
            call,
            body,
        }
    }
}

/// Writes one frame with a single call, so that two writers cannot interleave halves.
pub fn write_frame(to: &mut impl Write, frame: &Frame) -> io::Result<()> {
    let length = HEADER_BYTES + frame.body.len();
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "frame too long"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 + length));
    bytes.extend_from_slice(&(length as u32).to_le_bytes());
    bytes.push(frame.frame_type as u8);
    bytes.push(frame.version);
    bytes.extend_from_slice(&frame.call.to_le_bytes());
    bytes.extend_from_slice(&frame.body);
    to.write_all(&bytes)
}

/// Reads one frame; `None` when the other side closed between two frames.
///
/// # Errors
/// `InvalidData` for a length or type that cannot be; `UnexpectedEof` inside a frame.
pub fn read_frame(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut first = [0u8; 1];
    loop {
        match from.read(&mut first) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut rest = [0u8; 3];
    from.read_exact(&mut rest)?;
    let length = u32::from_le_bytes([first[0], rest[0], rest[1], rest[2]]) as usize;
    if !(HEADER_BYTES..=FRAME_BYTES_MAX).contains(&length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "impossible frame length"));
    }
    let mut header = [0u8; HEADER_BYTES];
    from.read_exact(&mut header)?;
    let mut body = Zeroizing::new(vec![0u8; length - HEADER_BYTES]);
    from.read_exact(&mut body)?;
    let frame_type = match header[0] {
        1 => FrameType::Request,
        2 => FrameType::Reply,
        3 => FrameType::Refusal,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "unknown frame type")),
    };
    let mut call = [0u8; 8];
    call.copy_from_slice(&header[2..]);
    Ok(Some(Frame {
        frame_type,
        version: header[1],
        call: u64::from_le_bytes(call),
        body,
    }))
}

/// A call as the vault receives it.
pub enum Request {
    Hello,
    CreateProject(ProjectId),
    DedupKey(ProjectId),
    Resolve(ResolveRequest),
    FeedSince {
        project: ProjectId,
        seq: u64,
    },
    CreateAccount {
        email: Personal,
        role: Role,
    },
    CreateLoginLink(AccountNumber),
    OwnerAccount,
    SignIn(SecretText),
    CheckSession(SecretText),
    EndSession(SecretText),
    Reveal(RevealRequest),
    Lookup(LookupRequest),
    GroupLabels {
        project: ProjectId,
        key: String,
        numbers: Vec<GroupNumber>,
        asker: Asker,
    },
    PseudonymKey {
        project: ProjectId,
        stream: String,
    },
    PutSecret {
        project: ProjectId,
        name: String,
        text: SecretText,
    },
    Secret {
        project: ProjectId,
        name: String,
    },
}

/// What the vault answers.
pub enum Reply {
    Done,
    Hello(Hello),
    Key32(Zeroizing<[u8; 32]>),
    Key64(Zeroizing<[u8; 64]>),
    Resolved(ResolveReply),
    Feed { items: Vec<FeedItem>, more: bool },
    Account(Option<AccountNumber>),
    Secret(Option<SecretText>),
    SignedIn(Option<SignedIn>),
    Session(Option<Session>),
    Revealed(Revealed),
    Person(Option<PersonNumber>),
    Labels(Vec<Option<Personal>>),
}

pub(crate) fn encode_request(request: &WireRequest<'_>) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    encode(request)
}

/// Reads the body of a request frame.
pub fn decode_request(body: &[u8]) -> Result<Request, VaultError> {
    Ok(match decode::<WireRequest<'_>>(body)? {
        WireRequest::Hello => Request::Hello,
        WireRequest::CreateProject(project) => Request::CreateProject(project),
        WireRequest::DedupKey(project) => Request::DedupKey(project),
        WireRequest::Resolve(resolve) => Request::Resolve(resolve.into_owned()),
        WireRequest::FeedSince(project, seq) => Request::FeedSince { project, seq },
        WireRequest::CreateAccount(email, role) => Request::CreateAccount {
            email: Personal::new(email),
            role,
        },
        WireRequest::CreateLoginLink(account) => Request::CreateLoginLink(account),
        WireRequest::OwnerAccount => Request::OwnerAccount,
        WireRequest::SignIn(code) => Request::SignIn(SecretText::new(code)),
        WireRequest::CheckSession(secret) => Request::CheckSession(SecretText::new(secret)),
        WireRequest::EndSession(secret) => Request::EndSession(SecretText::new(secret)),
        WireRequest::Reveal(reveal) => Request::Reveal(reveal.into_owned()),
        WireRequest::Lookup(lookup) => Request::Lookup(lookup.into_owned()),
        WireRequest::GroupLabels(labels) => {
            let (project, key, numbers, asker) = labels.into_owned();
            Request::GroupLabels {
                project,
                key,
                numbers,
                asker,
            }
        }
        WireRequest::PseudonymKey(project, stream) => Request::PseudonymKey {
            project,
            stream: stream.to_owned(),
        },
        WireRequest::PutSecret(project, name, text) => Request::PutSecret {
            project,
            name: name.to_owned(),
            text: SecretText::new(text),
        },
        WireRequest::Secret(project, name) => Request::Secret {
            project,
            name: name.to_owned(),
        },
    })
}

/// The frame that answers a call: a reply, or a refusal made of the error.
pub fn answer_frame(call: u64, answer: &Result<Reply, VaultError>) -> Frame {
    let encoded = match answer {
        Ok(reply) => encode_reply(reply).map(|body| Frame::new(FrameType::Reply, call, body)),
        Err(error) => encode(&refusal_of(error)).map(|body| Frame::new(FrameType::Refusal, call, body)),
    };
    match encoded {
        Ok(frame) if frame.body.len() + HEADER_BYTES <= FRAME_BYTES_MAX => frame,
        // A refusal without text always encodes and fits; an empty body would still be a frame the client refuses.
        _ => {
            let refusal = WireRefusal {
                overloaded: false,
                code: ErrorCode::Internal,
                message: String::new(),
            };
            Frame::new(FrameType::Refusal, call, encode(&refusal).unwrap_or_default())
        }
    }
}

fn encode_reply(reply: &Reply) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    encode(&match reply {
        Reply::Done => WireReply::Done,
        Reply::Hello(hello) => WireReply::Hello(hello.clone()),
        Reply::Key32(key) => WireReply::Key32(**key),
        Reply::Key64(key) => {
            let (low, high) = halves(key);
            WireReply::Key64(low, high)
        }
        Reply::Resolved(resolved) => WireReply::Resolved(resolved.clone()),
        Reply::Feed { items, more } => WireReply::Feed {
            items: items.clone(),
            more: *more,
        },
        Reply::Account(account) => WireReply::Account(*account),
        Reply::Secret(text) => WireReply::Secret(text.as_ref().map(SecretText::expose)),
        Reply::SignedIn(signed_in) => {
            WireReply::SignedIn(signed_in.as_ref().map(|s| (s.secret.expose(), s.session.clone())))
        }
        Reply::Session(session) => WireReply::Session(session.clone()),
        Reply::Revealed(revealed) => WireReply::Revealed(revealed.into()),
        Reply::Person(person) => WireReply::Person(*person),
        Reply::Labels(labels) => WireReply::Labels(
            labels
                .iter()
                .map(|label| label.as_ref().map(Personal::expose))
                .collect(),
        ),
    })
}

pub(crate) fn decode_reply(body: &[u8]) -> Result<Reply, VaultError> {
    Ok(match decode::<WireReply<'_>>(body)? {
        WireReply::Done => Reply::Done,
        WireReply::Hello(hello) => Reply::Hello(hello),
        WireReply::Key32(key) => Reply::Key32(Zeroizing::new(key)),
        WireReply::Key64(low, high) => Reply::Key64(joined(&low, &high)),
        WireReply::Resolved(resolved) => Reply::Resolved(resolved),
        WireReply::Feed { items, more } => Reply::Feed { items, more },
        WireReply::Account(account) => Reply::Account(account),
        WireReply::Secret(text) => Reply::Secret(text.map(SecretText::new)),
        WireReply::SignedIn(signed_in) => Reply::SignedIn(signed_in.map(wire::signed_in_into_owned)),
        WireReply::Session(session) => Reply::Session(session),
        WireReply::Revealed(revealed) => Reply::Revealed(revealed.into_owned()),
        WireReply::Person(person) => Reply::Person(person),
        WireReply::Labels(labels) => Reply::Labels(labels.into_iter().map(|label| label.map(Personal::new)).collect()),
    })
}

pub(crate) fn decode_refusal(body: &[u8]) -> VaultError {
    match decode::<WireRefusal>(body) {
        Ok(refusal) if refusal.overloaded => VaultError::Overloaded,
        Ok(refusal) if refusal.code == ErrorCode::VaultUnavailable => VaultError::Unavailable(refusal.message),
        Ok(refusal) => VaultError::Refused {
            code: refusal.code,
            message: refusal.message,
        },
        Err(error) => error,
    }
}

fn refusal_of(error: &VaultError) -> WireRefusal {
    let (overloaded, code, message) = match error {
        VaultError::Unavailable(reason) => (false, ErrorCode::VaultUnavailable, reason.clone()),
        VaultError::Overloaded => (true, ErrorCode::RateLimited, String::new()),
        VaultError::Refused { code, message } => (false, *code, message.clone()),
        VaultError::Protocol(reason) => (false, ErrorCode::InvalidRequest, reason.clone()),
    };
    WireRefusal {
        overloaded,
        code,
        message,
    }
}

fn encode(value: &impl serde::Serialize) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    // Measured first, so that the buffer never grows and leaves unwiped halves of itself on the heap.
    let size = postcard::experimental::serialized_size(value).map_err(|_| not_encodable())?;
    let mut bytes = Zeroizing::new(vec![0u8; size]);
    postcard::to_slice(value, &mut bytes).map_err(|_| not_encodable())?;
    Ok(bytes)
}

fn not_encodable() -> VaultError {
    VaultError::Protocol("a message could not be encoded".to_owned())
}

/// The error of postcard names no value, but ours says even less: a body may hold identities.
fn decode<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, VaultError> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(VaultError::Protocol("bytes left over after a message".to_owned())),
        Err(_) => Err(VaultError::Protocol("a message could not be read".to_owned())),
    }
}

fn halves(key: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut low, mut high) = ([0; 32], [0; 32]);
    low.copy_from_slice(&key[..32]);
    high.copy_from_slice(&key[32..]);
    (low, high)
}

fn joined(low: &[u8; 32], high: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    let mut key = Zeroizing::new([0; 64]);
    key[..32].copy_from_slice(low);
    key[32..].copy_from_slice(high);
    key
}

#[cfg(test)]
mod tests;
