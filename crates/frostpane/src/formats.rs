//! The versions of all formats on disk that this program writes, as they stand in backups.

/// What a backup of the data directory holds.
pub const EVENTS: &[(&str, u32)] = &[
    ("catalog", store::CATALOG_VERSION),
    ("ledger", ledger::FORMAT_VERSION),
    ("log", store::LOG_VERSION),
    ("segment", store::SEGMENT_VERSION),
];
/// What a backup of the vault's ciphertext or of its keystore holds.
pub const VAULT: &[(&str, u32)] = &[("ledger", ledger::FORMAT_VERSION), ("vault", vault::FORMAT_VERSION)];

/// The formats that are later than this program's, or that it does not know at all.
pub fn unknown<'a>(found: impl IntoIterator<Item = (&'a String, &'a u32)>, known: &[(&str, u32)]) -> Vec<String> {
    let is_known = |name: &str, version: u32| known.iter().any(|(other, up_to)| *other == name && version <= *up_to);
    found
        .into_iter()
        .filter(|(name, version)| !is_known(name, **version))
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}
