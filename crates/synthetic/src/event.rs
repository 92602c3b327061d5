//! One synthetic event.

use crate::person::Person;
use crate::random::mix;
use crate::world::World;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    LandingViewed,
    PricingViewed,
    DocsViewed,
    DocsSearched,
    SignUpStarted,
    Identify,
    SignedUp,
    EmailVerified,
    SignedIn,
    DashboardViewed,
    KeyCreated,
    PlaygroundRun,
    FirstCall,
    UsageRecorded,
    InviteSent,
    UpgradeClicked,
    PlanUpgraded,
    InvoicePaid,
    ErrorShown,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::LandingViewed => "Landing Viewed",
            Kind::PricingViewed => "Pricing Viewed",
            Kind::DocsViewed => "Docs Viewed",
            Kind::DocsSearched => "Docs Searched",
            Kind::SignUpStarted => "Sign Up Started",
            Kind::Identify => "$identify",
            Kind::SignedUp => "Signed Up",
            Kind::EmailVerified => "Email Verified",
            Kind::SignedIn => "Signed In",
            Kind::DashboardViewed => "Dashboard Viewed",
            Kind::KeyCreated => "API Key Created",
            Kind::PlaygroundRun => "Playground Run",
            Kind::FirstCall => "First API Call",
            Kind::UsageRecorded => "Usage Recorded",
            Kind::InviteSent => "Invite Sent",
            Kind::UpgradeClicked => "Upgrade Clicked",
            Kind::PlanUpgraded => "Plan Upgraded",
            Kind::InvoicePaid => "Invoice Paid",
            Kind::ErrorShown => "Error Shown",
        }
    }

    /// Sent by the platform's servers, which know no device and no browser.
    pub fn is_from_server(self) -> bool {
        matches!(
            self,
            Kind::EmailVerified | Kind::FirstCall | Kind::UsageRecorded | Kind::InvoicePaid
        )
    }

    /// Happens again and again, so that one more or less changes nobody's story.
    pub fn repeats(self) -> bool {
        matches!(
            self,
            Kind::DocsViewed | Kind::DashboardViewed | Kind::PlaygroundRun | Kind::UsageRecorded
        )
    }
}

/// By which ids the sender names the person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Identity {
    /// `$device_id` alone: nobody has signed in.
    Device,
    /// `$device_id` and `$user_id`.
    Both,
    /// `distinct_id` alone, as servers send it.
    User,
}

/// Something in an event that should not be there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mess {
    /// The person's e-mail address in the query of `$current_url`.
    EmailInUrl,
    /// A secret pasted into a text property.
    Secret,
    /// Somebody's e-mail address in a text property.
    EmailInText,
}

/// Which of a person's devices; one slot stands for a colleague's.
pub(crate) const BORROWED: u8 = u8::MAX;

/// An event as it waits to be sent: 32 bytes, so that a day of a large world fits in memory.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub time_ms: i64,
    /// Tells events of one person apart; the source of everything that needs no meaning.
    pub salt: u64,
    pub person: u32,
    /// The kind's main number: tokens, results, seconds.
    pub number: u32,
    pub kind: Kind,
    pub identity: Identity,
    pub device: u8,
    /// The kind's page, model or error.
    pub choice: u8,
    /// First event of a visit: it has the referrer from outside.
    pub opens_visit: bool,
    pub mess: Option<Mess>,
    /// Sent again by a client that did not hear the answer.
    pub copy: bool,
}

/// An event, ready to be written in one of the forms that Mixpanel's interfaces take.
///
/// Cheap to make: text comes into being when it is written.
#[derive(Clone, Copy)]
pub struct SyntheticEvent<'a> {
    pub(crate) world: &'a World,
    pub(crate) row: Row,
}

impl<'a> SyntheticEvent<'a> {
    pub fn name(&self) -> &'static str {
        self.row.kind.name()
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn time_ms(&self) -> i64 {
        self.row.time_ms
    }

    /// The person behind the ids, as index below [`crate::Generator::persons`]: what resolving must arrive at.
    pub fn person(&self) -> u32 {
        self.row.person
    }

    /// Whether the event repeats an earlier one, `$insert_id` included.
    pub fn is_copy(&self) -> bool {
        self.row.copy
    }

    /// What a firewall has to remove from this event.
    pub fn mess(&self) -> Option<Mess> {
        self.row.mess
    }

    pub(crate) fn life(&self) -> &'a Person {
        &self.world.persons[self.row.person as usize]
    }

    /// Sixty-four bits that belong to this event alone; purposes differ by `purpose`.
    pub(crate) fn bits(&self, purpose: u64) -> u64 {
        mix(self.row.salt ^ purpose.wrapping_mul(0xA24B_AED4_963E_E407))
    }
}
