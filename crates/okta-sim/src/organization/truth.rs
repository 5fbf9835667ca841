//! What really happened: kept beside the log, never in it.

use std::fmt;

use af_model::UtcMillis;

/// What an attacker did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "the names say it; `Kind::what` says it in words"
)]
pub enum Kind {
    PushRefused,
    PushIgnored,
    PushAccepted,
    WrongNumber,
    SprayOneAddress,
    SprayManyAddresses,
    SpraySlow,
    Stuffing,
    BruteForceOneAddress,
    BruteForceManyAddresses,
    BruteForceRotatingTokens,
    LockoutWave,
    TakeoverAfterGuessing,
    StolenSession,
    FastPassPhishing,
    ProxiedSignIn,
    Anonymizer,
    ImpossibleTravel,
    HelpDeskTrick,
    RecoveryFlood,
    ThreatAllowed,
    ThreatDenied,
    BreachedCredential,
    RiskDetection,
    ReportedActivity,
    TokenReuse,
    Impersonation,
    AdminConsole,
    PartnerRisk,
}

impl Kind {
    /// Every kind, in the order of the reports.
    pub const ALL: [Self; 29] = [
        Self::PushRefused,
        Self::PushIgnored,
        Self::PushAccepted,
        Self::WrongNumber,
        Self::SprayOneAddress,
        Self::SprayManyAddresses,
        Self::SpraySlow,
        Self::Stuffing,
        Self::BruteForceOneAddress,
        Self::BruteForceManyAddresses,
        Self::BruteForceRotatingTokens,
        Self::LockoutWave,
        Self::TakeoverAfterGuessing,
        Self::StolenSession,
        Self::FastPassPhishing,
        Self::ProxiedSignIn,
        Self::Anonymizer,
        Self::ImpossibleTravel,
        Self::HelpDeskTrick,
        Self::RecoveryFlood,
        Self::ThreatAllowed,
        Self::ThreatDenied,
        Self::BreachedCredential,
        Self::RiskDetection,
        Self::ReportedActivity,
        Self::TokenReuse,
        Self::Impersonation,
        Self::AdminConsole,
        Self::PartnerRisk,
    ];

    /// In words, for reports.
    pub const fn what(self) -> &'static str {
        match self {
            Self::PushRefused => "push bombing, refused",
            Self::PushIgnored => "push bombing, ignored",
            Self::PushAccepted => "push bombing, accepted in the end",
            Self::WrongNumber => "push with number challenge, wrong number",
            Self::SprayOneAddress => "password spray from one address",
            Self::SprayManyAddresses => "password spray from many addresses",
            Self::SpraySlow => "password spray, low and slow",
            Self::Stuffing => "credential stuffing",
            Self::BruteForceOneAddress => "brute force from one address",
            Self::BruteForceManyAddresses => "brute force from many addresses",
            Self::BruteForceRotatingTokens => "brute force with rotating device tokens",
            Self::LockoutWave => "accounts locked on purpose",
            Self::TakeoverAfterGuessing => "sign-in after spray, stuffing or brute force",
            Self::StolenSession => "stolen session cookie replayed",
            Self::FastPassPhishing => "phishing page, declined by FastPass",
            Self::ProxiedSignIn => "phishing page in the middle, then a script",
            Self::Anonymizer => "stolen password through Tor or a proxy",
            Self::ImpossibleTravel => "stolen password from far away",
            Self::HelpDeskTrick => "help desk tricked into resetting factors",
            Self::RecoveryFlood => "flood of recovery messages",
            Self::ThreatAllowed => "ThreatInsight, allowed, with a sign-in",
            Self::ThreatDenied => "ThreatInsight, denied (names nobody)",
            Self::BreachedCredential => "breached credential used",
            Self::RiskDetection => "risk detected by Identity Threat Protection",
            Self::ReportedActivity => "suspicious activity reported",
            Self::TokenReuse => "refresh token used twice",
            Self::Impersonation => "support impersonation",
            Self::AdminConsole => "admin console, new device through a proxy",
            Self::PartnerRisk => "risk reported by a partner",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.what())
    }
}

/// One seeded attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Its number, from 0; the place in [`Truth::stories`].
    pub id: usize,
    /// What it is.
    pub kind: Kind,
    /// Its first event.
    pub start: UtcMillis,
    /// Its last event.
    pub end: UtcMillis,
    /// Whether the attacker got in, or got what was wanted.
    pub succeeded: bool,
    /// How large it is, in the kind's own unit: pushes, attempts, accounts.
    pub size: i64,
    /// The people attacked, each once, ascending.
    pub victims: Vec<Victim>,
}

/// Somebody in a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Victim {
    /// The account's id.
    pub uid: String,
    /// Events of the attack on this account.
    pub events: u64,
}

/// Everything that was seeded so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The attacks by number.
    pub stories: Vec<Story>,
    /// Ids of the events that attackers caused, with the story's number; ascending once a day is out.
    pub events: Vec<(u128, usize)>,
}

/// An event id as a number; nothing for anything but a UUID.
///
/// ```
/// use af_okta_sim::organization::event_number;
/// assert_eq!(event_number("00000000-0000-4000-8000-00000000002a"), Some(0x4000_8000_0000_0000_002a));
/// assert_eq!(event_number("event 7"), None);
/// ```
pub fn event_number(uuid: &str) -> Option<u128> {
    let digits: String = uuid.chars().filter(|c| *c != '-').collect();
    (digits.len() == 32 && uuid.len() == 36)
        .then(|| u128::from_str_radix(&digits, 16).ok())
        .flatten()
}

/// The number as Okta writes it.
pub(super) fn uuid_text(number: u128) -> String {
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        number >> 96,
        (number >> 80) & 0xffff,
        (number >> 64) & 0xffff,
        (number >> 48) & 0xffff,
        number & 0xffff_ffff_ffff
    )
}
