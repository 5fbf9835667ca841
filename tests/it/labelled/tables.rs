//! The labels and what becomes of them here. This is all there is to renew when a rule changes.

use Ours::{Attack, NoAttack};

/// One scenario of jacobdcook/okta-detection-engine.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// Whether they expect an alert.
    pub(super) alert: bool,
    /// Every rule of ours that finds something.
    pub(super) found: &'static [&'static str],
    /// Why we differ; empty where we do not.
    pub(super) reason: &'static str,
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "mfa_fatigue",
        alert: true,
        found: &["okta_pushes_in_quick_succession"],
        reason: "",
    },
    Scenario {
        name: "impossible_travel",
        alert: true,
        found: &["okta_two_countries"],
        reason: "",
    },
    Scenario {
        name: "brute_force",
        alert: true,
        found: &["okta_password_tried_quickly"],
        reason: "",
    },
    Scenario {
        name: "suspicious_mfa_enrollment",
        alert: true,
        found: &[],
        reason: "what makes the sign-in before strange is a country their configuration names; okta_factor_enrolled_elsewhere \
            asks Okta's behavior detection, of which these events have nothing",
    },
    Scenario {
        name: "admin_privilege_escalation",
        alert: true,
        found: &[],
        reason: "an administrator's grant is no attack on a person, at no time of day; context",
    },
    Scenario {
        name: "benign",
        alert: false,
        found: &[],
        reason: "",
    },
    Scenario {
        name: "benign_business_hours_grant",
        alert: false,
        found: &[],
        reason: "",
    },
];

/// What a rule of Panther's corresponds to here.
pub(super) enum Ours {
    /// Any of these attack rules.
    Attack(&'static [&'static str]),
    /// No attack, and why: what their rule alerts on is this rule of class context or behavior.
    NoAttack(&'static str, &'static str),
}

pub(super) const RULES: &[(&str, Ours)] = &[
    (
        "Okta.APIKeyCreated",
        NoAttack(
            "okta_context_admin_change",
            "an administrator's work; from a device just seen for the first time it is okta_admin_change_from_new_device",
        ),
    ),
    (
        "Okta.AdminRoleAssigned",
        NoAttack(
            "okta_context_access_change",
            "a grant is no attack on the person who gets it",
        ),
    ),
    (
        "Okta.Anonymizing.VPN.Login",
        Attack(&[
            "okta_anonymizer_sign_in",
            "okta_tor_attempt",
            "okta_tor_sign_in",
        ]),
    ),
    (
        "Okta.Global.MFA.Disabled",
        NoAttack(
            "okta_context_admin_change",
            "a setting of the organization, aimed at nobody",
        ),
    ),
    (
        "Okta.Identity.Provider.Created.Modified",
        NoAttack(
            "okta_context_admin_change",
            "a setting of the organization, aimed at nobody",
        ),
    ),
    (
        "Okta.Login.Success",
        NoAttack("okta_behavior_signed_in", "a sign-in"),
    ),
    (
        "Okta.New.Behavior.Accessing.Admin.Console",
        Attack(&["okta_admin_console_new_device"]),
    ),
    ("Okta.PasswordAccess", Attack(&["okta_app_password_shown"])),
    (
        "Okta.Support.Access",
        NoAttack(
            "okta_context_support_access",
            "the organization lets Okta Support in; that Support acts as a person is okta_support_impersonation",
        ),
    ),
    (
        "Okta.ThreatInsight.Security.Threat.Detected",
        Attack(&["okta_threatinsight_detected"]),
    ),
    ("Okta.User.Account.Locked", Attack(&["okta_account_locked"])),
    (
        "Okta.User.MFA.Reset.All",
        NoAttack(
            "okta_context_account_change",
            "a help desk's daily work; with a new device after it, it is okta_factor_reset_then_new_device",
        ),
    ),
    (
        "Okta.User.Reported.Suspicious.Activity",
        Attack(&["okta_user_reported_activity"]),
    ),
    (
        "Standard.BruteForceByIP",
        Attack(&[
            "okta_brute_force_one_account",
            "okta_password_spray_one_address",
        ]),
    ),
    (
        "Standard.ImpossibleTravel.Login",
        Attack(&["okta_impossible_travel", "okta_two_countries"]),
    ),
    (
        "Standard.MFADisabled",
        NoAttack(
            "okta_context_account_change",
            "people and help desks replace factors every day; a new one right after an attack is okta_factor_enrolled_after_attack",
        ),
    ),
];

/// Labels that we do not follow: rule, file, lines of the file from 1, why.
pub(super) const DIFFERENT: &[(&str, &str, &[usize], &str)] = &[
    (
        "Okta.Anonymizing.VPN.Login",
        "current",
        &[8, 9],
        "one failed sign-in through a proxy; ours asks for one that went through, in a new country or place",
    ),
    (
        "Okta.New.Behavior.Accessing.Admin.Console",
        "historic",
        &[1],
        "the behaviors were mangled on the way: each entry became the name of an empty field",
    ),
    (
        "Okta.PasswordAccess",
        "current",
        &[21],
        "redacted: both people were given one user id, so the password looks like the person's own",
    ),
    (
        "Standard.BruteForceByIP",
        "historic",
        &[18],
        "the old threshold of 5; today theirs is 20, ours 15 in ten minutes",
    ),
    (
        "Standard.ImpossibleTravel.Login",
        "current",
        &[34],
        "two countries within two hours; okta_two_countries looks back one hour, and beyond it okta_impossible_travel \
            asks Okta's behavior Velocity, of which these events have nothing",
    ),
    (
        "Standard.ImpossibleTravel.Login",
        "historic",
        &[5, 6],
        "as current 34",
    ),
    (
        "Standard.ImpossibleTravel.Login",
        "current",
        &[35, 36, 37, 40],
        "within one country only Okta's behavior Velocity tells, of which these events have nothing",
    ),
    (
        "Standard.ImpossibleTravel.Login",
        "historic",
        &[7, 8, 9],
        "as current 35",
    ),
    (
        "Standard.ImpossibleTravel.Login",
        "current",
        &[38],
        "45 km in two minutes: two addresses of one provider are often placed further apart",
    ),
    (
        "Standard.ImpossibleTravel.Login",
        "historic",
        &[10, 11],
        "as current 38",
    ),
];
