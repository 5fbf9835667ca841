//! Events by hand, and what each must come to with all shipped rules.

use af_model::tables::identity_events::Row;

use crate::support::{details, event};

/// An event, and what it must come to with all shipped rules: class, and rule, level, family,
/// subject of its signal.
pub(crate) type Case = (Row<'static>, &'static str);

pub(crate) fn case(
    kind: &str,
    expected: &'static str,
    change: impl FnOnce(&mut Row<'static>),
) -> Case {
    let mut row = event("e1", kind);
    change(&mut row);
    (row, expected)
}

pub(crate) fn fails(row: &mut Row<'static>, reason: &'static str) {
    row.status_code = Some("FAILURE".into());
    row.status_detail = Some(reason.into());
}

/// Sets the risk before (0 = none) and now, and the detection that found it.
pub(crate) fn risk(row: &mut Row<'static>, previous: i64, level: i64, name: Option<&'static str>) {
    row.risk_previous_level_id = (previous > 0).then_some(previous);
    row.risk_level_id = Some(level);
    row.risk_detection_name = name.map(Into::into);
}

fn by_system(row: &mut Row<'static>) {
    row.actor_user_type = Some("SystemPrincipal".into());
    row.actor_user_type_id = 3;
    row.attribution_method = "target".into();
}

/// Every case.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("user.session.start", "behavior", |_| {}),
        case("user.session.start", "context", |row| {
            fails(row, "INVALID_CREDENTIALS");
        }),
        case(
            "user.session.start",
            "okta_high_risk_sign_in high credential_attack uid:u1",
            |row| {
                risk(row, 0, 3, None);
            },
        ),
        case(
            "user.session.start",
            "okta_high_risk_sign_in_stopped medium credential_attack uid:u1",
            |row| {
                fails(row, "INVALID_CREDENTIALS");
                risk(row, 0, 3, None);
            },
        ),
        // High risk outweighs a suspected address.
        case(
            "user.session.start",
            "okta_high_risk_sign_in high credential_attack uid:u1",
            |row| {
                risk(row, 0, 3, None);
                row.threat_suspected = Some(true);
            },
        ),
        case(
            "user.session.start",
            "okta_suspected_address_sign_in low threat_infrastructure uid:u1",
            |row| {
                row.threat_suspected = Some(true);
            },
        ),
        case(
            "user.session.start",
            "okta_suspected_address_failure low threat_infrastructure uid:u1",
            |row| {
                fails(row, "INVALID_CREDENTIALS");
                row.threat_suspected = Some(true);
            },
        ),
        case("user.session.start", "behavior", |row| {
            risk(row, 3, 1, None);
        }),
        case("policy.evaluate_sign_on", "context", |row| {
            row.status_code = Some("CHALLENGE".into());
        }),
        case("policy.evaluate_sign_on", "context", |row| {
            row.status_code = Some("DENY".into());
        }),
        case(
            "policy.evaluate_sign_on",
            "okta_high_risk_sign_in_stopped medium credential_attack uid:u1",
            |row| {
                row.status_code = Some("CHALLENGE".into());
                risk(row, 0, 3, None);
            },
        ),
        case("user.authentication.sso", "behavior", |_| {}),
        case(
            "user.authentication.sso",
            "okta_high_risk_sign_in high credential_attack uid:u1",
            |row| {
                risk(row, 0, 3, None);
            },
        ),
        case("user.authentication.auth_via_mfa", "context", |_| {}),
        case("user.authentication.auth_via_mfa", "context", |row| {
            row.status_code = Some("UNANSWERED".into());
        }),
        case(
            "user.authentication.auth_via_mfa",
            "okta_fastpass_phishing high phishing_aitm uid:u1",
            |row| {
                fails(row, "FastPass declined phishing attempt");
            },
        ),
        case(
            "user.authentication.auth_via_mfa",
            "okta_fastpass_phishing high phishing_aitm uid:u1",
            |row| {
                fails(row, "FastPass declined phishing attempt");
                risk(row, 0, 3, None);
                row.threat_suspected = Some(true);
            },
        ),
        case(
            "user.authentication.auth_via_mfa",
            "okta_push_refused low mfa_attack uid:u1",
            |row| {
                fails(row, "INVALID_CREDENTIALS");
                row.debug_data = Some(details(&[("factor", "OKTA_VERIFY_PUSH")]));
            },
        ),
        case(
            "user.authentication.auth_via_mfa",
            "okta_push_refused low mfa_attack uid:u1",
            |row| {
                fails(row, "INVALID_CREDENTIALS");
                row.debug_data = Some(details(&[("pushOnlyResponseType", "OV_RESPONSE_DENY")]));
            },
        ),
        case(
            "user.authentication.auth_via_mfa",
            "okta_high_risk_sign_in_stopped medium credential_attack uid:u1",
            |row| {
                fails(row, "INVALID_CREDENTIALS");
                row.debug_data = Some(details(&[("pushOnlyResponseType", "OV_RESPONSE_DENY")]));
                risk(row, 0, 3, None);
            },
        ),
        case("user.authentication.auth_via_mfa", "context", |row| {
            fails(row, "INVALID_CREDENTIALS");
            row.debug_data = Some(details(&[("factor", "OKTA_SOFT_TOKEN")]));
        }),
        case(
            "user.authentication.auth_via_mfa",
            "okta_number_challenge_wrong low mfa_attack uid:u1",
            |row| {
                fails(row, "");
                row.debug_data = Some(details(&[(
                    "pushWithNumberChallengeResponseType",
                    "OV_WITH_CHALLENGE_RESPONSE_INVALID",
                )]));
            },
        ),
        case(
            "user.mfa.okta_verify.deny_push",
            "okta_push_refused_classic low mfa_attack uid:u1",
            |_| {},
        ),
        case(
            "user.mfa.okta_verify.deny_push",
            "okta_high_risk_sign_in_stopped medium credential_attack uid:u1",
            |row| {
                risk(row, 0, 3, None);
            },
        ),
        case("system.push.send_factor_verify_push", "context", |_| {}),
        case(
            "system.push.send_factor_verify_push",
            "okta_high_risk_sign_in_stopped medium credential_attack uid:u1",
            |row| {
                risk(row, 0, 3, None);
            },
        ),
        case(
            "system.sms.send_factor_verify_message",
            "okta_high_risk_sign_in_stopped medium credential_attack uid:u1",
            |row| {
                risk(row, 0, 3, None);
            },
        ),
        case(
            "user.mfa.attempt_bypass",
            "okta_mfa_bypass_attempt high mfa_attack uid:u1",
            |row| {
                risk(row, 0, 3, None);
            },
        ),
        case(
            "user.account.lock",
            "okta_account_locked low credential_attack uid:u1",
            |row| {
                fails(row, "LOCKED_OUT");
            },
        ),
        case(
            "user.account.report_suspicious_activity_by_enduser",
            "okta_user_reported_activity high user_reported uid:u1",
            |row| {
                risk(row, 0, 3, None);
            },
        ),
        case(
            "security.breached_credential.detected",
            "okta_breached_credential high credential_leak uid:u1",
            |row| {
                risk(row, 0, 3, None);
            },
        ),
        case(
            "security.threat.detected",
            "okta_threatinsight_detected high threat_infrastructure -",
            |row| {
                row.actor_user_type = Some("IP address".into());
                row.actor_user_type_id = 99;
                row.status_code = Some("RATE_LIMIT".into());
                row.threat_suspected = Some(true);
                row.threat_level_id = Some(3);
                (row.subject_ref, row.user_uid, row.user_name) = (None, None, None);
            },
        ),
        // The administrator's own account is the one in doubt, not the person whose password is reset.
        case(
            "user.account.reset_password",
            "okta_high_risk_action high credential_attack uid:a1",
            |row| {
                risk(row, 0, 3, None);
                row.attribution_method = "target".into();
                row.actor_user_uid = Some("a1".into());
            },
        ),
        case("user.account.reset_password", "unclassified", |row| {
            risk(row, 0, 3, None);
            by_system(row);
        }),
        case("user.account.reset_password", "context", |_| {}),
        case("user.session.context.change", "context", |row| {
            risk(row, 0, 2, None);
        }),
        case(
            "user.session.context.change",
            "okta_session_context_high_risk medium session_hijack uid:u1",
            |row| {
                risk(row, 0, 3, None);
            },
        ),
        case(
            "security.session.detect_client_roaming",
            "okta_session_roaming medium session_hijack uid:u1",
            |_| {},
        ),
        case(
            "app.oauth2.token.detect_reuse",
            "okta_refresh_token_reuse medium session_hijack uid:u1",
            |_| {},
        ),
        case(
            "app.generic.unauth_app_access_attempt",
            "okta_app_access_refused low app_access uid:u1",
            |_| {},
        ),
        case(
            "security.events.provider.receive_event",
            "okta_partner_risk high partner uid:u1",
            |row| {
                row.partner_risk_level_id = Some(3);
            },
        ),
        case("security.events.provider.receive_event", "context", |row| {
            row.partner_risk_level_id = Some(1);
        }),
        case("user.session.end", "behavior", |_| {}),
        case("user.session.end", "context", |row| {
            by_system(row);
            risk(row, 0, 3, None);
        }),
        case("no.such.type", "unknown_type", |_| {}),
    ];
    for kind in [
        "policy.entity_risk.action",
        "policy.auth_reevaluate.fail",
        "policy.continuous_access.evaluate",
        "user.session.clear",
        "user.authentication.universal_logout",
        "device.signals.status.timeout",
        "analytics.feedback.provide",
        "system.org.rate_limit.violation",
        "security.attack.start",
    ] {
        // Consequences stay consequences, whatever risk they carry along.
        cases.push(case(kind, "context", |row| {
            risk(row, 1, 3, Some("Okta Threat Intelligence"));
        }));
    }
    cases.extend(detections());
    cases.extend(crate::guard_cases::cases());
    cases
}

/// Every detection name of Okta on every event type that carries it.
fn detections() -> Vec<Case> {
    let names: [(&'static str, &'static str); 14] = [
        (
            "Breached credential detected",
            "okta_risk_breached_credential high credential_leak uid:u1",
        ),
        (
            "Entity critical action from high threat IP",
            "okta_risk_critical_action_threat_ip high threat_infrastructure uid:u1",
        ),
        (
            "Okta Threat Intelligence",
            "okta_risk_threat_intelligence high threat_infrastructure uid:u1",
        ),
        (
            "Suspicious login from an IP flagged by FastPass",
            "okta_risk_login_from_phishing_ip high phishing_aitm uid:u1",
        ),
        (
            "Suspicious login from an IP flagged in a credential based attack",
            "okta_risk_login_from_credential_attack_ip high credential_attack uid:u1",
        ),
        (
            "User reported suspicious activity",
            "okta_risk_user_reported high user_reported uid:u1",
        ),
        (
            "This wasn't me",
            "okta_risk_user_reported high user_reported uid:u1",
        ),
        (
            "Suspected Brute Force Attack",
            "okta_risk_brute_force high credential_attack uid:u1",
        ),
        (
            "Brute Force Attack",
            "okta_risk_brute_force high credential_attack uid:u1",
        ),
        (
            "Session Influenced User Risk",
            "okta_risk_session_hijacking high session_hijack uid:u1",
        ),
        (
            "Suspected Session Hijacking",
            "okta_risk_session_hijacking high session_hijack uid:u1",
        ),
        (
            "Suspicious App Access",
            "okta_risk_suspicious_app_access high app_access uid:u1",
        ),
        (
            "Security Events Provider Reported Risk",
            "okta_risk_provider_reported high partner uid:u1",
        ),
        (
            "Admin Reported User Risk",
            "okta_risk_admin_reported high asserted uid:u1",
        ),
    ];
    let mut cases = Vec::new();
    for kind in [
        "user.risk.detect",
        "user.risk.change",
        "policy.entity_risk.evaluate",
    ] {
        for (name, expected) in names {
            cases.push(case(kind, expected, |row| {
                by_system(row);
                risk(row, 1, 3, Some(name));
            }));
            // Low, and sinking, is no evidence under any name.
            cases.push(case(kind, "context", |row| risk(row, 0, 1, Some(name))));
            cases.push(case(kind, "context", |row| risk(row, 3, 2, Some(name))));
        }
        cases.push(case(kind, "okta_risk_other medium other uid:u1", |row| {
            risk(row, 1, 2, None);
        }));
        cases.push(case(kind, "okta_risk_other high other uid:u1", |row| {
            risk(row, 1, 3, Some("New"));
        }));
        cases.push(case(kind, "unclassified", |_| {}));
    }
    cases
}
