use super::*;
use model::ProjectId;

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
#[test]
fn xchacha20_poly1305_as_in_the_draft() {
    let key = Key::from_slice(&unhex(
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
    ))
    .unwrap();
    let nonce: [u8; 24] = unhex("404142434445464748494a4b4c4d4e4f5051525354555657")
        .try_into()
        .unwrap();
    let aad = Aad::raw(&unhex("50515253c0c1c2c3c4c5c6c7"));
    let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                  sunscreen would be it.";
    let expected = unhex(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39\
         ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
         21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49",
    );
    assert_eq!(encrypt(&key, &nonce, &aad, plain), expected);
    assert_eq!(decrypt(&key, &nonce, &aad, &expected).unwrap().as_slice(), plain);
}

/// RFC 5869, appendix A.1 to A.3.
#[test]
fn hkdf_as_in_the_rfc() {
    let check = |salt: Option<&str>, key: &str, info: &str, okm: &str| {
        let (salt, okm) = (salt.map(unhex), unhex(okm));
        let mut out = vec![0; okm.len()];
        hkdf(salt.as_deref(), &unhex(key), &[&unhex(info)], &mut out);
        assert_eq!(out, okm);
    };
    check(
        Some("000102030405060708090a0b0c"),
        &"0b".repeat(22),
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
    let range = |from: u8, to: u8| (from..=to).map(|byte| format!("{byte:02x}")).collect::<String>();
    check(
        Some(&range(0x60, 0xaf)),
        &range(0x00, 0x4f),
        &range(0xb0, 0xff),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
         da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    );
    check(
        None,
        &"0b".repeat(22),
        "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
    // Parts of the info are joined: the key that is expanded in pieces is the one expanded whole.
    let key = Key::from_bytes([7; 32]);
    assert_eq!(
        *key.expand::<32>(&[b"commit", b"id"]),
        *key.expand::<32>(&[b"commitid"])
    );
}

/// RFC 4231, test case 2, through the crate; and that our parts are one message.
#[test]
fn hmac_as_in_the_rfc() {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
    mac.update(b"what do ya want for nothing?");
    let expected = unhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_eq!(mac.finalize().into_bytes().to_vec(), expected);

    let key = MacKey::new(&Key::from_bytes([3; 32]));
    assert_eq!(key.mac(&[b"ab", b"c"]), key.mac(&[b"abc"]));
    assert_ne!(
        key.mac(&[b"abc"]),
        MacKey::new(&Key::from_bytes([4; 32])).mac(&[b"abc"])
    );
}

const PROJECT: ProjectId = ProjectId(5);

fn data_key(serial: u64) -> DataKey {
    DataKey::new(KeyId::new(serial).unwrap(), Key::random().unwrap())
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_record_is_refused() {
    for n in 0..100u64 {
        let key = data_key(n);
        let aad = Aad::ident(PROJECT, n, b'u', n, key.id());
        let text = vec![b'x'; n as usize];
        let record = key.seal(&aad, &text).unwrap();
        assert_eq!(key.open(&aad, &record).unwrap().as_slice(), text);
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(&aad, &flipped).is_none(), "bit {bit} of record {n}");
        }
        for length in 0..record.len() {
            assert!(
                key.open(&aad, &record[..length]).is_none(),
                "record {n} cut at {length}"
            );
        }
    }
}

#[test]
fn a_record_opens_at_its_own_place_only() {
    let key = data_key(1);
    let other = data_key(2);
    let place = |field_id, row_version| FieldPlace {
        field_id,
        schema_ver: 1,
        row_version,
    };
    // No two places give the same bytes, and parts may not trade places either.
    let aads = [
        Aad::ident(PROJECT, 3, b'u', 4, key.id()),
        Aad::ident(PROJECT, 4, b'u', 3, key.id()),
        Aad::ident(PROJECT, 3, b'd', 4, key.id()),
        Aad::ident(ProjectId(6), 3, b'u', 4, key.id()),
        Aad::ident(PROJECT, 3, b'u', 4, other.id()),
        Aad::field(PROJECT, 3, &place(4, 9), key.id()),
        Aad::field(PROJECT, 4, &place(3, 9), key.id()),
        Aad::field(PROJECT, 3, &place(9, 4), key.id()),
        Aad::field(
            PROJECT,
            3,
            &FieldPlace {
                field_id: 4,
                schema_ver: 2,
                row_version: 9,
            },
            key.id(),
        ),
        Aad::group(PROJECT, 3, 4, key.id()),
        Aad::group(PROJECT, 4, 3, key.id()),
        Aad::group_field(PROJECT, 3, 4, &place(4, 9), key.id()),
        Aad::group_field(PROJECT, 4, 3, &place(4, 9), key.id()),
        Aad::document(PROJECT, "purpose", b"3", key.id()),
        Aad::document(PROJECT, "purpose3", b"", key.id()),
    ];
    for (sealed_at, aad) in aads.iter().enumerate() {
        let record = key.seal(aad, b"alice").unwrap();
        for (opened_at, aad) in aads.iter().enumerate() {
            assert_eq!(
                key.open(aad, &record).is_some(),
                sealed_at == opened_at,
                "{sealed_at} at {opened_at}"
            );
        }
        assert!(other.open(aad, &record).is_none());
    }
}

#[test]
fn another_key_under_the_same_id_is_refused_by_the_commitment() {
    let id = KeyId::new(1).unwrap();
    let (mine, theirs) = (
        DataKey::new(id, Key::random().unwrap()),
        DataKey::new(id, Key::random().unwrap()),
    );
    let aad = Aad::ident(PROJECT, 1, b'u', 1, &id);
    let record = theirs.seal(&aad, b"alice").unwrap();
    assert!(mine.open(&aad, &record).is_none());
    // With the right commitment pasted in, the tag is what refuses.
    let mut pasted = record;
    let own = mine.seal(&aad, b"").unwrap();
    pasted[19..35].copy_from_slice(&own[19..35]);
    assert!(mine.open(&aad, &pasted).is_none());
}

#[test]
fn lengths_are_hidden_and_nonces_differ() {
    let key = data_key(1);
    let aad = Aad::ident(PROJECT, 1, b'u', 1, key.id());
    let overhead = key.seal(&aad, b"").unwrap().len() - 32;
    for (text, padded) in [
        (0, 32),
        (31, 32),
        (32, 64),
        (63, 64),
        (64, 128),
        (127, 128),
        (128, 256),
        (255, 256),
        (256, 512),
        (600, 768),
    ] {
        assert_eq!(
            key.seal(&aad, &vec![0; text]).unwrap().len() - overhead,
            padded,
            "{text} bytes"
        );
    }
    let nonces: std::collections::HashSet<Vec<u8>> = (0..10_000)
        .map(|_| key.seal(&aad, b"").unwrap()[35..59].to_vec())
        .collect();
    assert_eq!(nonces.len(), 10_000);
}

#[test]
fn a_wrapped_key_opens_with_its_own_place_and_wrapper_only() {
    let (wrapper, key) = (Key::random().unwrap(), Key::random().unwrap());
    let id = KeyId::new(1).unwrap();
    let aad = Aad::data_key(PROJECT, &id, 1);
    let wrapped = wrapper.wrap(&aad, &key).unwrap();
    assert_eq!(wrapper.unwrap(&aad, &wrapped).unwrap().bytes(), key.bytes());
    for wrong in [
        Aad::data_key(ProjectId(6), &id, 1),
        Aad::data_key(PROJECT, &id, 2),
        Aad::project_key("index", PROJECT, 1),
    ] {
        assert!(wrapper.unwrap(&wrong, &wrapped).is_none());
    }
    assert!(Key::random().unwrap().unwrap(&aad, &wrapped).is_none());
}
