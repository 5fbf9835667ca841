//! Events that proxies, guards, administrators and support leave behind, and what each must come
//! to with all shipped rules.

use std::borrow::Cow;

use af_model::cell::Target;
use af_model::tables::identity_events::Row;

use crate::cases::{Case, case, fails, risk};
use crate::support::person;

fn texts(values: &[&'static str]) -> Vec<Cow<'static, str>> {
    values.iter().map(|&value| value.into()).collect()
}

fn unusual(row: &mut Row<'static>, behaviors: &[&'static str]) {
    row.behaviors_positive = Some(texts(behaviors));
}

/// The address belongs to a service of this category.
fn through(row: &mut Row<'static>, category: &'static str) {
    row.okta_is_proxy = Some(true);
    row.okta_ip_service_categories = Some(texts(&[category]));
}

/// An administrator acts, and the event names nobody else.
fn by_administrator(row: &mut Row<'static>) {
    row.actor_user_uid = Some("a1".into());
    row.actor_user_name = Some("admin@example.com".into());
    row.subject_ref = Some("uid:a1".into());
    row.user_role = "operator".into();
}

/// An administrator acts on the person.
fn by_administrator_on_person(row: &mut Row<'static>) {
    row.actor_user_uid = Some("a1".into());
    row.actor_user_name = Some("admin@example.com".into());
    row.attribution_method = "target".into();
    row.user_role = "subject".into();
    row.targets = Some(vec![person("u1")]);
}

fn names_nobody(row: &mut Row<'static>) {
    row.attribution_method = "none".into();
    row.user_role = "none".into();
    (row.subject_ref, row.user_uid, row.user_name) = (None, None, None);
}

fn admin_console() -> Target<'static> {
    Target {
        uid: Some("0oa1".into()),
        kind: Some("AppInstance".into()),
        name: None,
        display_name: Some("Okta Admin Console".into()),
    }
}

/// Every case of this part.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = places();
    cases.extend(guards());
    cases.extend(accounts());
    cases
}

fn places() -> Vec<Case> {
    vec![
        case(
            "user.session.start",
            "okta_tor_sign_in high threat_infrastructure uid:u1",
            |row| through(row, "Tor"),
        ),
        case(
            "user.session.start",
            "okta_tor_attempt low threat_infrastructure uid:u1",
            |row| {
                through(row, "Tor");
                fails(row, "INVALID_CREDENTIALS");
            },
        ),
        case("user.session.start", "behavior", |row| through(row, "VPN")),
        case("user.session.start", "behavior", |row| {
            through(row, "Residential Proxy");
        }),
        case(
            "user.session.start",
            "okta_anonymizer_sign_in low threat_infrastructure uid:u1",
            |row| {
                through(row, "Residential Proxy");
                unusual(row, &["New Country"]);
            },
        ),
        case(
            "user.session.start",
            "okta_new_device_through_proxy medium threat_infrastructure uid:u1",
            |row| {
                through(row, "Residential Proxy");
                unusual(row, &["New Country", "New Device"]);
            },
        ),
        case(
            "user.session.start",
            "okta_new_device_new_country low credential_attack uid:u1",
            |row| unusual(row, &["New Country", "New Device"]),
        ),
        case("user.session.start", "behavior", |row| {
            unusual(row, &["New Country", "New Device"]);
            row.device_type = Some("Mobile".into());
        }),
        case(
            "user.session.start",
            "okta_impossible_travel low credential_attack uid:u1",
            |row| unusual(row, &["New City", "Velocity"]),
        ),
        case("user.session.start", "behavior", |row| {
            unusual(row, &["New City", "Velocity"]);
            row.device_type = Some("Mobile".into());
        }),
        case("user.session.start", "behavior", |row| {
            unusual(row, &["New City", "Velocity"]);
            through(row, "VPN");
        }),
        case(
            "user.session.access_admin_app",
            "okta_admin_console_through_anonymizer medium threat_infrastructure uid:u1",
            |row| through(row, "Proxy"),
        ),
        case(
            "policy.evaluate_sign_on",
            "okta_admin_console_new_device medium credential_attack uid:u1",
            |row| {
                row.targets = Some(vec![admin_console()]);
                unusual(row, &["New Device", "New IP"]);
            },
        ),
        case("policy.evaluate_sign_on", "context", |row| {
            row.targets = Some(vec![admin_console()]);
            unusual(row, &["New IP"]);
        }),
    ]
}

fn guards() -> Vec<Case> {
    vec![
        case(
            "security.request.blocked",
            "okta_request_blocked low threat_infrastructure uid:u1",
            |row| fails(row, ""),
        ),
        case("security.request.blocked", "context", names_nobody),
        case(
            "system.api_token.request_outside_allowed_range",
            "okta_token_outside_allowed_range medium credential_attack uid:a1",
            by_administrator,
        ),
        case(
            "system.oauth2.token.request_outside_allowed_range",
            "context",
            names_nobody,
        ),
        case(
            "security.protected_action.attempt",
            "okta_protected_action_refused low session_hijack uid:a1",
            |row| {
                by_administrator(row);
                fails(row, "");
            },
        ),
        case("security.protected_action.attempt", "context", |row| {
            by_administrator(row);
        }),
        case("system.api_token.create", "context", by_administrator),
        case(
            "system.api_token.create",
            "okta_high_risk_action high credential_attack uid:a1",
            |row| {
                by_administrator(row);
                risk(row, 0, 3, None);
            },
        ),
        case("security.behavior.settings.update", "context", |row| {
            by_administrator(row);
        }),
    ]
}

fn accounts() -> Vec<Case> {
    vec![
        case("user.mfa.factor.reset_all", "context", |row| {
            by_administrator_on_person(row);
        }),
        case(
            "user.account.reset_password",
            "okta_support_reset medium mfa_attack uid:u1",
            |row| {
                by_administrator_on_person(row);
                row.actor_user_type = Some("SystemPrincipal".into());
                row.actor_user_type_id = 3;
                row.actor_user_name = Some("system@okta.com".into());
            },
        ),
        case("user.account.reset_password", "context", |row| {
            by_administrator_on_person(row);
            row.actor_user_type = Some("SystemPrincipal".into());
            row.actor_user_type_id = 3;
            row.actor_user_name = Some("system@okta.com".into());
            row.metadata_correlation_uid = Some("t1".into());
        }),
        case(
            "user.session.impersonation.initiate",
            "okta_support_impersonation medium other uid:u1",
            by_administrator_on_person,
        ),
        case("user.session.impersonation.grant", "context", |row| {
            by_administrator(row);
        }),
        case(
            "application.user_membership.show_password",
            "okta_app_password_shown medium credential_leak uid:u1",
            by_administrator_on_person,
        ),
        case(
            "application.user_membership.show_password",
            "context",
            |row| {
                row.attribution_method = "target".into();
                row.targets = Some(vec![person("u1")]);
            },
        ),
        case(
            "user.identity_verification",
            "okta_identity_verification_failed low credential_attack uid:u1",
            |row| fails(row, ""),
        ),
        case("user.identity_verification", "context", |_| {}),
        case("device.enrollment.create", "context", |_| {}),
        case(
            "system.email.new_device_notification.sent_message",
            "context",
            |_| {},
        ),
        case("app.oauth2.as.token.grant.access_token", "context", |_| {}),
        case("group.user_membership.add", "context", |row| {
            by_administrator_on_person(row);
        }),
    ]
}
