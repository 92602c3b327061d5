//! What an operator's table may not hold: identities and secrets, as the firewall knows them.
//!
//! A lookup table is kept in the clear beside the events, so it goes under the same two judgements as an event's
//! properties: what the column's name says, and what each cell looks like.

use crate::firewall::detectors::{Detectors, KeyContext};
use crate::policy::key_words::{KeyRules, KeyWords};

/// Judges the columns and cells of tables.
pub struct TableFirewall {
    rules: KeyRules,
    detectors: Detectors,
}

impl Default for TableFirewall {
    fn default() -> TableFirewall {
        TableFirewall {
            rules: KeyRules::new(),
            detectors: Detectors::new(),
        }
    }
}

impl TableFirewall {
    /// Why a column may not be kept whatever its cells are.
    pub fn refuses_column(&self, column: &str) -> Option<&'static str> {
        match self.rules.judge(column, false) {
            KeyWords::NeverStored => Some("its name says that it holds a secret or free text"),
            KeyWords::Identifying => Some("its name says that it holds who somebody is"),
            KeyWords::Reference | KeyWords::Ordinary => None,
        }
    }

    /// What a cell looks like, where that may not be kept.
    pub fn refuses_cell(&self, column: &str, cell: &str) -> Option<&'static str> {
        let found = self.detectors.find(cell, KeyContext::of(column))?;
        Some(found.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_recognised_and_plans_are_not() {
        let firewall = TableFirewall::default();
        assert!(firewall.refuses_column("email").is_some());
        assert!(firewall.refuses_column("api_key").is_some());
        assert!(firewall.refuses_column("plan").is_none());
        assert!(firewall.refuses_cell("contact", "ada@example.com").is_some());
        for cell in ["pro", "12.50", "2026-03-10", "Big plan", ""] {
            assert_eq!(firewall.refuses_cell("label", cell), None, "{cell}");
        }
    }
}
