//! Why somebody may want to learn who a person is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The closed list of purposes (secrecy contract, GT-12). A text goes with each; the code is what can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurposeCode {
    Support,
    Fraud,
    Security,
    Legal,
    AccessRequest,
    Incident,
    Migration,
    ProductResearch,
}

impl PurposeCode {
    pub const ALL: [PurposeCode; 8] = [
        PurposeCode::Support,
        PurposeCode::Fraud,
        PurposeCode::Security,
        PurposeCode::Legal,
        PurposeCode::AccessRequest,
        PurposeCode::Incident,
        PurposeCode::Migration,
        PurposeCode::ProductResearch,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            PurposeCode::Support => "support",
            PurposeCode::Fraud => "fraud",
            PurposeCode::Security => "security",
            PurposeCode::Legal => "legal",
            PurposeCode::AccessRequest => "access_request",
            PurposeCode::Incident => "incident",
            PurposeCode::Migration => "migration",
            PurposeCode::ProductResearch => "product_research",
        }
    }

    pub fn from_name(name: &str) -> Option<PurposeCode> {
        PurposeCode::ALL.into_iter().find(|code| code.as_str() == name)
    }
}
