use super::*;
use crate::{FieldOp, FieldWrite, PurposeCode, Reference, Tuple, WriteSubject};
use model::BatchId;

fn resolve_request() -> ResolveRequest {
    ResolveRequest {
        project: ProjectId(3),
        batch_id: BatchId([7; 16]),
        received_ms: 1_700_000_000_000,
        deadline_ms: -1,
        have_feed: u64::MAX,
        ids: vec![Tuple {
            device: Some(Personal::new("d-1")),
            user: None,
            profile: true,
            ignore_alias: false,
        }],
        refs: vec![Reference {
            key: "company_id".into(),
            value: Personal::new("Acme"),
        }],
        writes: vec![FieldWrite {
            subject: WriteSubject::Ref(0),
            op: FieldOp::Union,
            field: "$email".into(),
            value: Some(Personal::new("[\"é@example.org\"]")),
            time_ms: 5,
            event_id: Some([9; 16]),
        }],
    }
}

#[test]
fn a_resolve_survives_the_wire() {
    let sent = resolve_request();
    let body = encode_request(&WireRequest::Resolve((&sent).into())).unwrap();
    let Request::Resolve(got) = decode_request(&body).unwrap() else {
        panic!("another call")
    };
    assert_eq!(
        (got.project, got.batch_id, got.have_feed),
        (sent.project, sent.batch_id, sent.have_feed)
    );
    assert_eq!((got.received_ms, got.deadline_ms), (sent.received_ms, sent.deadline_ms));
    assert_eq!(got.ids[0].device.as_ref().unwrap().expose(), "d-1");
    assert!(got.ids[0].user.is_none() && got.ids[0].profile && !got.ids[0].ignore_alias);
    assert_eq!(
        (got.refs[0].key.as_str(), got.refs[0].value.expose()),
        ("company_id", "Acme")
    );
    let write = &got.writes[0];
    assert_eq!(
        (write.subject, write.op, write.field.as_str()),
        (WriteSubject::Ref(0), FieldOp::Union, "$email")
    );
    assert_eq!(write.value.as_ref().unwrap().expose(), "[\"é@example.org\"]");
    assert_eq!((write.time_ms, write.event_id), (5, Some([9; 16])));
}

#[test]
fn every_cut_and_every_extension_of_a_body_is_refused() {
    let body = encode_request(&WireRequest::Resolve((&resolve_request()).into())).unwrap();
    for length in 0..body.len() {
        assert!(
            decode_request(&body[..length]).is_err(),
            "a body cut at {length} was read"
        );
    }
    let mut longer = body.to_vec();
    longer.push(0);
    assert!(decode_request(&longer).is_err());
}

#[test]
fn frames_survive_and_impossible_ones_are_refused() {
    let frame = Frame::new(
        FrameType::Request,
        0x0102_0304_0506_0708,
        Zeroizing::new(b"body".to_vec()),
    );
    let mut bytes = Vec::new();
    write_frame(&mut bytes, &frame).unwrap();
    assert_eq!(&bytes[..6], &[14, 0, 0, 0, 1, 1]);
    let got = read_frame(&mut bytes.as_slice()).unwrap().unwrap();
    assert_eq!(
        (got.frame_type, got.version, got.call),
        (FrameType::Request, VERSION, frame.call)
    );
    assert_eq!(&got.body[..], b"body");

    assert!(read_frame(&mut [].as_slice()).unwrap().is_none());
    for cut in 1..bytes.len() {
        assert!(read_frame(&mut &bytes[..cut]).is_err(), "a frame cut at {cut} was read");
    }
    let with_length = |length: u32| {
        let mut bytes = bytes.clone();
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        read_frame(&mut bytes.as_slice()).map(|_| ()).unwrap_err().kind()
    };
    assert_eq!(with_length(9), io::ErrorKind::InvalidData);
    assert_eq!(with_length(FRAME_BYTES_MAX as u32 + 1), io::ErrorKind::InvalidData);
    bytes[4] = 4;
    assert!(read_frame(&mut bytes.as_slice()).is_err());
}

#[test]
fn answers_and_refusals_survive_the_wire() {
    let revealed = Revealed {
        fields: vec![("$name".into(), Personal::new("\"Alice\""))],
        identifiers: vec![(crate::IdentityKind::User, Personal::new("alice"))],
        ledger_seq: 17,
    };
    let frame = answer_frame(4, &Ok(Reply::Revealed(revealed)));
    assert_eq!((frame.frame_type, frame.call), (FrameType::Reply, 4));
    let Reply::Revealed(got) = decode_reply(&frame.body).unwrap() else {
        panic!("another answer")
    };
    assert_eq!(
        (got.fields[0].0.as_str(), got.fields[0].1.expose(), got.ledger_seq),
        ("$name", "\"Alice\"", 17)
    );

    let key = Zeroizing::new(std::array::from_fn(|i| i as u8));
    let frame = answer_frame(5, &Ok(Reply::Key64(key.clone())));
    let Reply::Key64(got) = decode_reply(&frame.body).unwrap() else {
        panic!("another answer")
    };
    assert_eq!(got, key);

    for error in [
        VaultError::Overloaded,
        VaultError::Unavailable("stopping".into()),
        VaultError::refused(ErrorCode::Forbidden, "no grant"),
    ] {
        let frame = answer_frame(6, &Err(error.clone()));
        assert_eq!(frame.frame_type, FrameType::Refusal);
        assert_eq!(decode_refusal(&frame.body), error);
    }
}

#[test]
fn names_of_roles_and_purposes_are_those_of_the_json() {
    for role in Role::ALL {
        assert_eq!(Role::from_name(role.as_str()), Some(role));
    }
    for code in PurposeCode::ALL {
        assert_eq!(PurposeCode::from_name(code.as_str()), Some(code));
    }
}

#[test]
fn a_damaged_body_is_read_as_something_or_refused_and_never_more() {
    let body = encode_request(&WireRequest::Resolve((&resolve_request()).into())).unwrap();
    for bit in 0..body.len() * 8 {
        let mut damaged = body.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        // A length that was blown up must neither panic nor reserve memory for what is not there.
        let _ = decode_request(&damaged);
        let _ = decode_reply(&damaged);
        let _ = decode_refusal(&damaged);
    }
    let endless = [&[3, 1][..], &[7; 16], &[0, 0, 0], &[0xff; 8], &[0x7f]].concat();
    assert!(decode_request(&endless).is_err(), "a list of 2^63 identities");
}
