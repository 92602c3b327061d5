//! Organizations, their names, plans and sizes.

use crate::pages::{COMPANY_FIRST, COMPANY_SECOND, INDUSTRIES};
use crate::places::COUNTRIES;
use crate::random::{skewed, stream, weighted};

const ORGANIZATIONS: u64 = 2;

/// A company whose people use the platform.
pub(crate) struct Organization {
    pub index: u32,
    pub country: u8,
    /// Index of the plan its people upgrade to; 0 if it never pays.
    pub plan: u8,
    pub employees: u32,
    pub industry: &'static str,
    pub founded: u16,
}

impl Organization {
    pub fn draw(seed: u64, index: u32) -> Organization {
        let rng = &mut stream(seed, ORGANIZATIONS, u64::from(index));
        let plan = match rng.u8(..100) {
            0..35 => 0,
            35..60 => 2,
            60..90 => 3,
            _ => 4,
        };
        let scale = [4, 6, 12, 60, 900][usize::from(plan)];
        Organization {
            index,
            country: weighted(rng, COUNTRIES, |country| country.weight),
            plan,
            employees: 1 + rng.u32(..scale * 10),
            industry: INDUSTRIES[skewed(rng, INDUSTRIES.len())],
            founded: 1990 + rng.u16(..36),
        }
    }

    /// The two words of its name; together with [`Self::edition`] unlike any other's.
    fn words(&self) -> (&'static str, &'static str) {
        let combinations = COMPANY_FIRST.len() * COMPANY_SECOND.len();
        // 263 shares no factor with the number of combinations, so that neighbours do not look alike.
        let combination = (self.index as usize * 263) % combinations;
        (
            COMPANY_FIRST[combination / COMPANY_SECOND.len()],
            COMPANY_SECOND[combination % COMPANY_SECOND.len()],
        )
    }

    /// How many organizations of the same two words came before.
    fn edition(&self) -> usize {
        self.index as usize / (COMPANY_FIRST.len() * COMPANY_SECOND.len())
    }

    pub fn name(&self) -> String {
        let (first, second) = self.words();
        match self.edition() {
            0 => format!("{first} {second}"),
            1 => format!("{first} {second} Labs"),
            2 => format!("{first} {second} Group"),
            edition => format!("{first} {second} {edition}"),
        }
    }

    pub fn domain(&self) -> String {
        let (first, second) = self.words();
        let mut domain = format!("{first}{second}").to_lowercase();
        if self.edition() > 0 {
            domain.push_str(&self.edition().to_string());
        }
        domain.push_str(if self.index.is_multiple_of(5) {
            ".test"
        } else {
            ".example"
        });
        domain
    }

    /// What `company_id` says.
    pub fn id(index: u32) -> String {
        format!("org_{:05}", 10_000 + index)
    }
}
