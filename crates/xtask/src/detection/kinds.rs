//! Which families of findings speak of which kind of attack, when a finding names no seeded event.

use af_okta_sim::organization::Kind;

/// Levels of findings, the strongest first.
pub(super) const LEVELS: [&str; 4] = ["critical", "high", "medium", "low"];

/// How strong a finding is: 3 for critical, 0 for low and anything unknown.
pub(super) fn strength(level: &str) -> usize {
    let place = LEVELS.iter().position(|known| *known == level);
    place.map_or(0, |place| LEVELS.len() - 1 - place)
}

/// Whether a finding of this family on a victim, within a day of the story, is about it.
pub(super) fn is_related(kind: Kind, family: &str) -> bool {
    let families: &[&str] = match kind {
        Kind::PushRefused | Kind::PushIgnored | Kind::PushAccepted | Kind::WrongNumber => {
            &["mfa_attack", "credential_attack"]
        }
        Kind::SprayOneAddress
        | Kind::SprayManyAddresses
        | Kind::SpraySlow
        | Kind::Stuffing
        | Kind::BruteForceOneAddress
        | Kind::BruteForceManyAddresses
        | Kind::BruteForceRotatingTokens
        | Kind::LockoutWave
        | Kind::ThreatAllowed
        | Kind::ThreatDenied => &["credential_attack", "threat_infrastructure"],
        Kind::TakeoverAfterGuessing | Kind::Anonymizer | Kind::ImpossibleTravel => &[
            "credential_attack",
            "threat_infrastructure",
            "session_hijack",
        ],
        Kind::StolenSession | Kind::TokenReuse => &["session_hijack"],
        Kind::FastPassPhishing => &["phishing_aitm"],
        Kind::ProxiedSignIn => &["phishing_aitm", "session_hijack", "threat_infrastructure"],
        Kind::HelpDeskTrick => &["mfa_attack", "credential_attack", "session_hijack"],
        Kind::RecoveryFlood => &["credential_attack", "mfa_attack"],
        Kind::BreachedCredential => &["credential_leak"],
        // Its own detection decides the family.
        Kind::RiskDetection => &[
            "credential_attack",
            "credential_leak",
            "mfa_attack",
            "session_hijack",
            "phishing_aitm",
            "threat_infrastructure",
            "app_access",
            "other",
        ],
        Kind::ReportedActivity => &["user_reported"],
        Kind::Impersonation | Kind::AdminConsole => &[
            "session_hijack",
            "credential_attack",
            "threat_infrastructure",
            "other",
        ],
        Kind::PartnerRisk => &["partner"],
    };
    families.contains(&family)
}
