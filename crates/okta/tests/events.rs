//! Whole events in, whole rows out. Every event here is written for these tests.

use af_model::tables::identity_events::{self, Row};
use af_model::{HashKey, UtcMillis};
use af_okta::{Normalizer, Reject, RejectReason, catalogue};
use serde_json::{Value, json};

const KEY: HashKey = HashKey::new([9; 32]);

fn normalizer() -> Normalizer<'static> {
    let ingested_at = UtcMillis::parse("2026-11-20T12:00:00Z").expect("an instant");
    Normalizer::new("acme", Some("okta-main"), ingested_at, &KEY)
}

/// A plain event with the given fields on top.
fn event(fields: Value) -> String {
    let mut event = json!({
        "uuid": "e1",
        "published": "2026-11-20T11:00:00.123Z",
        "eventType": "user.session.start",
        "actor": {"id": "00u1joe", "type": "User", "alternateId": "joe@example.com", "displayName": "Joe Doe"},
    });
    let Value::Object(fields) = fields else {
        panic!("fields are an object")
    };
    for (key, value) in fields {
        event[key] = value;
    }
    event.to_string()
}

fn check(fields: Value, check: impl FnOnce(Row<'_>)) {
    let json = event(fields);
    let normalizer = normalizer();
    check(normalizer.event(json.as_bytes()).expect("a sound event"));
}

fn refused(json: &str) -> Reject {
    let normalizer = normalizer();
    normalizer
        .event(json.as_bytes())
        .expect_err("a refused event")
}

#[test]
fn a_full_event_fills_its_columns() {
    let json = json!({
        "uuid": "e-full", "published": "2026-11-20T11:59:59.999Z", "version": 0,
        "eventType": "user.authentication.sso", "severity": "WARN", "legacyEventType": "app.auth.sso",
        "displayMessage": "User single sign on to app",
        "actor": {"id": "00u1joe", "type": "User", "alternateId": "Joe@Example.com", "displayName": "Joe Doe"},
        "client": {"ipAddress": "2001:DB8::0001", "device": "Computer", "zone": "null",
            "userAgent": {"rawUserAgent": "Browser/1.0", "os": "Linux", "browser": "BROWSER"},
            "geographicalContext": {"city": "Lyon", "state": "Rhône", "country": "France", "postalCode": 69001,
                "geolocation": {"lat": 45.75, "lon": "4.85"}}},
        "device": {"id": "guo1", "name": "Laptop", "managed": true, "registered": "false"},
        "outcome": {"result": "SUCCESS", "reason": "unknown"},
        "target": [
            {"id": "0ua1", "type": "AppUser", "alternateId": "joe", "displayName": "Joe"},
            {"id": "0oa1", "type": "AppInstance", "alternateId": "mail-app", "displayName": "Mail"}],
        "transaction": {"id": "t1", "type": "WEB", "detail": {}},
        "authenticationContext": {"credentialType": "OTP", "externalSessionId": "s1", "rootSessionId": "r1"},
        "securityContext": {"asNumber": "64500", "asOrg": "Example Net", "isp": "Example", "domain": ".", "isProxy": "true",
            "risk": {"level": "MEDIUM", "previousLevel": "LOW", "reasons": ["One", "Two, three"], "detectionName": "D", "issuer": "OKTA"},
            "userBehaviors": [{"name": "Velocity", "result": "POSITIVE"}],
            "ipDetails": {"ipServiceCategories": [{"type": "Tor"}]}},
        "request": {"ipChain": [{"ip": "2001:db8::1"}, {"ip": "not an address"}, {"ip": "::ffff:192.0.2.7"}]},
        "debugContext": {"debugData": {"requestId": "q1", "traceId": "tr1", "dtHash": "abc", "threatSuspected": "true",
            "threatDetections": "{\"Password Spray\":\"HIGH\"}", "signOnMode": "SAML 2.0", "nested": {"a": [1, true]},
            "number": 7, "nothing": null, "sentinel": "-", "clientSecret": "abcdef"}},
    })
    .to_string();
    let normalizer = normalizer();
    let row = normalizer.event(json.as_bytes()).unwrap();
    let text = |text: &'static str| Some(text.into());
    assert_eq!(row.tenant_uid, "acme");
    assert_eq!(row.integration, text("okta-main"));
    assert_eq!(row.metadata_uid, "e-full");
    assert_eq!(row.metadata_product, "Okta");
    assert_eq!(row.metadata_version, "1.6.0");
    assert_eq!(row.metadata_event_code, "user.authentication.sso");
    assert_eq!(row.metadata_log_version, text("0"));
    assert_eq!(
        row.time,
        UtcMillis::parse("2026-11-20T11:59:59.999Z").unwrap()
    );
    assert_eq!(
        row.ingested_at,
        UtcMillis::parse("2026-11-20T12:00:00Z").unwrap()
    );
    assert_eq!(row.subject_ref, text("uid:00u1joe"));
    assert_eq!(row.user_uid, text("00u1joe"));
    assert_eq!(row.user_name, text("joe@example.com"));
    assert_eq!(
        (&*row.user_role, &*row.attribution_method),
        ("victim", "actor")
    );
    assert_eq!(row.metadata_correlation_uid, text("t1"));
    assert_eq!(row.trace_uid, text("tr1"));
    assert_eq!(row.http_request_uid, text("q1"));
    assert_eq!(
        (
            row.category_uid,
            row.class_uid,
            row.activity_id,
            row.type_uid
        ),
        (3, 3002, 1, 300_201)
    );
    // WARN is 3, a MEDIUM risk is 3.
    assert_eq!(row.severity_id, 3);
    assert_eq!(
        (row.status_id, row.action_id, row.disposition_id),
        (1, 1, 1)
    );
    assert_eq!(
        (row.status_code, row.status_detail),
        (text("SUCCESS"), None)
    );
    assert_eq!(row.severity, text("WARN"));
    assert_eq!(row.message, text("User single sign on to app"));
    assert_eq!(row.legacy_event_type, text("app.auth.sso"));
    assert_eq!(row.actor_user_uid, text("00u1joe"));
    assert_eq!(row.actor_user_name, text("Joe@Example.com"));
    assert_eq!(row.actor_user_display_name, text("Joe Doe"));
    assert_eq!(
        (row.actor_user_type, row.actor_user_type_id),
        (text("User"), 1)
    );
    assert_eq!(row.src_endpoint_ip, text("2001:db8::1"));
    assert_eq!(
        row.src_endpoint_ip_chain,
        Some(vec!["2001:db8::1".into(), "192.0.2.7".into()])
    );
    assert_eq!(row.src_endpoint_location_city, text("Lyon"));
    assert_eq!(row.src_endpoint_location_region, text("Rhône"));
    assert_eq!(row.src_endpoint_location_country, text("France"));
    assert_eq!(row.src_endpoint_location_postal_code, text("69001"));
    assert_eq!(row.src_endpoint_location_lat, Some(45.75));
    assert_eq!(row.src_endpoint_location_long, Some(4.85));
    assert_eq!(row.src_endpoint_autonomous_system_number, Some(64500));
    assert_eq!(row.src_endpoint_zone, None);
    assert_eq!(row.okta_is_proxy, Some(true));
    assert_eq!(row.okta_ip_service_categories, Some(vec!["Tor".into()]));
    assert_eq!(row.http_request_user_agent, text("Browser/1.0"));
    assert_eq!(
        (row.device_uid, row.device_name),
        (text("guo1"), text("Laptop"))
    );
    assert_eq!(
        (row.device_is_managed, row.device_is_registered),
        (Some(true), Some(false))
    );
    assert_eq!(
        (row.session_uid, row.session_uid_alt),
        (text("s1"), text("r1"))
    );
    assert_eq!(row.okta_dt_hash, text("abc"));
    assert_eq!(
        (row.auth_factor_type_id, row.auth_factor, row.is_mfa),
        (Some(7), None, None)
    );
    assert_eq!(row.auth_protocol_id, Some(5));
    assert_eq!(row.credential_type, text("OTP"));
    assert_eq!(
        (row.risk_level_id, row.risk_previous_level_id),
        (Some(2), Some(1))
    );
    assert_eq!(
        row.risk_reasons,
        Some(vec!["One".into(), "Two, three".into()])
    );
    assert_eq!(
        (row.risk_detection_name, row.risk_issuer),
        (text("D"), text("OKTA"))
    );
    assert_eq!(row.behaviors_positive, Some(vec!["Velocity".into()]));
    assert_eq!(row.threat_suspected, Some(true));
    assert_eq!(
        row.threat_detections,
        Some(vec![("Password Spray".into(), "HIGH".into())])
    );
    assert_eq!(row.threat_level_id, Some(3));
    assert_eq!(row.targets.as_ref().map(Vec::len), Some(2));
    assert_eq!(
        (row.resource_name, row.resource_uid),
        (text("Mail"), text("0oa1"))
    );
    let debug = row.debug_data.unwrap();
    let pairs: Vec<(&str, &str)> = debug.iter().map(|(k, v)| (&**k, &**v)).collect();
    assert_eq!(
        pairs,
        [
            ("clientSecret", "redacted"),
            ("dtHash", "abc"),
            ("nested", r#"{"a":[1,true]}"#),
            ("number", "7"),
            ("requestId", "q1"),
            ("signOnMode", "SAML 2.0"),
            ("threatDetections", r#"{"Password Spray":"HIGH"}"#),
            ("threatSuspected", "true"),
            ("traceId", "tr1"),
        ]
    );
}

#[test]
fn rows_fit_their_table() {
    let json = event(json!({"debugContext": {"debugData": {"a": "b"}}}));
    let normalizer = normalizer();
    let row = normalizer.event(json.as_bytes()).unwrap();
    let batch = identity_events::batch([&row]);
    assert_eq!(identity_events::row(&batch, 0), row);
}

#[test]
fn odd_types_never_lose_an_event() {
    for odd in [
        json!(null),
        json!("text"),
        json!(5),
        json!(true),
        json!([]),
        json!([[1]]),
        json!({}),
    ] {
        let mut fields = json!({});
        for field in [
            "version",
            "severity",
            "legacyEventType",
            "displayMessage",
            "actor",
            "client",
            "device",
            "outcome",
            "target",
            "transaction",
            "authenticationContext",
            "securityContext",
            "request",
            "debugContext",
            "insertionTimestamp",
        ] {
            fields[field] = odd.clone();
        }
        check(fields, |row| {
            assert_eq!(row.metadata_uid, "e1");
            assert_eq!(
                (row.subject_ref, row.debug_data, row.targets),
                (None, None, None)
            );
        });
        let inner = json!({
            "client": {"ipAddress": odd, "userAgent": odd, "geographicalContext": {"geolocation": odd}, "ipChain": odd},
            "target": [odd, {"id": odd, "type": odd}],
            "securityContext": {"risk": odd, "userBehaviors": odd, "ipDetails": odd, "asNumber": odd},
            "debugContext": {"debugData": {"risk": odd, "behaviors": odd, "threatDetections": odd,
                "logOnlySecurityData": odd, "tunnels": odd, "partnerRisk": odd, "threatSuspected": odd}},
        });
        check(inner, |row| {
            assert_eq!(row.subject_ref.as_deref(), Some("uid:00u1joe"));
            assert_eq!(row.risk_level_id, None);
        });
    }
}

#[test]
fn what_an_event_cannot_do_without_is_named() {
    let reject = |reason, field| Reject {
        reason,
        field: Some(field),
    };
    for (field, missing) in [
        ("uuid", RejectReason::MissingUuid),
        ("eventType", RejectReason::MissingEventType),
        ("published", RejectReason::MissingPublished),
    ] {
        for nothing in [json!(null), json!(""), json!("  ")] {
            assert_eq!(
                refused(&event(json!({field: nothing}))),
                reject(missing, field)
            );
        }
        for odd in [json!(5), json!(true), json!({}), json!([])] {
            assert_eq!(
                refused(&event(json!({field: odd}))),
                reject(RejectReason::FieldOfWrongType, field)
            );
        }
    }
    for (published, reason) in [
        ("yesterday", RejectReason::BadTime),
        ("2026-13-01T00:00:00Z", RejectReason::BadTime),
        ("0000-06-01T00:00:00Z", RejectReason::TimeOutOfRange),
        ("2026-11-20T12:10:00.001Z", RejectReason::FromTheFuture),
    ] {
        assert_eq!(
            refused(&event(json!({"published": published}))),
            reject(reason, "published"),
            "{published}"
        );
    }
    assert_eq!(refused("{\"a\":1e999}").reason, RejectReason::MissingUuid);
    assert_eq!(
        refused("{\"version\":1e999}").reason,
        RejectReason::NumberOutOfRange
    );
    assert_eq!(refused("[1]").reason, RejectReason::NotAnObject);
    assert_eq!(refused("{").reason, RejectReason::NotJson);
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(500), "]".repeat(500));
    assert_eq!(refused(&deep).reason, RejectReason::TooDeep);
    let bytes = [b"{\"uuid\":\"", &[0xff][..], b"\"}"].concat();
    assert_eq!(
        normalizer().event(&bytes).unwrap_err().reason,
        RejectReason::NotUtf8
    );
}

#[test]
fn ten_minutes_of_clock_skew_are_believed() {
    check(json!({"published": "2026-11-20T12:10:00.000Z"}), |row| {
        assert_eq!(row.time.0 - row.ingested_at.0, 600_000);
    });
    // Nanoseconds of re-exports are cut off; another zone is the same instant.
    check(
        json!({"published": "2026-11-20T12:00:00.123456789+01:00"}),
        |row| {
            assert_eq!(
                row.time,
                UtcMillis::parse("2026-11-20T11:00:00.123Z").unwrap()
            );
        },
    );
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    let json = r#"{"uuid":"first","uuid":"last","published":"2026-11-20T11:00:00Z","eventType":"user.session.start",
        "actor":{"id":"00u1"},"actor":{"id":"00u2","id":"00u3","type":"User"}}"#;
    let normalizer = normalizer();
    let row = normalizer.event(json.as_bytes()).unwrap();
    assert_eq!(
        (&*row.metadata_uid, row.user_uid.as_deref()),
        ("last", Some("00u3"))
    );
}

#[test]
fn event_hooks_nest_the_chain_under_the_client() {
    check(
        json!({"client": {"ipAddress": "192.0.2.1", "ipChain": [{"ip": "192.0.2.1"}]}}),
        |row| assert_eq!(row.src_endpoint_ip_chain, Some(vec!["192.0.2.1".into()])),
    );
}

#[test]
fn outermost_names_may_be_lower_case() {
    let json = r#"{"uuid":"e1","published":"2026-11-20 11:00:00.5","eventtype":"user.session.start",
        "displaymessage":"m","debugcontext":{"debugData":{"risk":"{level=LOW}"}},"securitycontext":{"isProxy":true}}"#;
    let normalizer = normalizer();
    let row = normalizer.event(json.as_bytes()).unwrap();
    assert_eq!(&*row.metadata_event_code, "user.session.start");
    assert_eq!(
        (row.message.as_deref(), row.risk_level_id, row.okta_is_proxy),
        (Some("m"), Some(1), Some(true))
    );
}

#[test]
fn an_address_that_is_none_stays_out() {
    for (given, kept) in [
        ("555.555.55.5", None),
        ("010.0.0.1", None),
        ("unknown", None),
        ("::FFFF:192.0.2.1", Some("192.0.2.1")),
        ("192.0.2.1", Some("192.0.2.1")),
        ("2001:DB8:0:0::1", Some("2001:db8::1")),
    ] {
        check(json!({"client": {"ipAddress": given}}), |row| {
            assert_eq!(row.src_endpoint_ip.as_deref(), kept, "{given}");
        });
    }
}

#[test]
fn coordinates_outside_the_globe_stay_out() {
    let place =
        json!({"client": {"geographicalContext": {"geolocation": {"lat": 91, "lon": -180}}}});
    check(place, |row| {
        assert_eq!(row.src_endpoint_location_lat, None);
        assert_eq!(row.src_endpoint_location_long, Some(-180.0));
    });
}

#[test]
fn an_itp_event_names_its_target_and_keeps_its_actor() {
    check(
        json!({
            "eventType": "user.risk.detect",
            "actor": {"id": "spr1", "type": "SystemPrincipal", "alternateId": "system@okta.com", "displayName": "Okta System"},
            "target": [{"id": "pol1", "type": "Policy"}, {"id": "00u9ann", "type": "User", "alternateId": "ann@example.com"}],
            "debugContext": {"debugData": {"risk": "{previousLevel=HIGH, level=LOW, detectionName=Admin Reported User Risk, reasons=seen, cleared, issuer=OKTA}"}},
        }),
        |row| {
            assert_eq!(row.subject_ref.as_deref(), Some("uid:00u9ann"));
            assert_eq!(
                (&*row.user_role, &*row.attribution_method),
                ("victim", "target")
            );
            assert_eq!(
                (row.actor_user_uid.as_deref(), row.actor_user_type_id),
                (Some("spr1"), 3)
            );
            assert_eq!(
                (row.risk_level_id, row.risk_previous_level_id),
                (Some(1), Some(3))
            );
            assert_eq!(row.risk_reasons, Some(vec!["seen, cleared".into()]));
            // LOW raises INFO-less severity 0 to 2.
            assert_eq!(row.severity_id, 2);
        },
    );
}

#[test]
fn threat_insight_names_nobody() {
    check(
        json!({
            "eventType": "security.threat.detected", "severity": "WARN",
            "actor": {"id": "192.0.2.66", "type": "IP address", "alternateId": "unknown", "displayName": "192.0.2.66"},
            "outcome": {"result": "DENY", "reason": "Login Failures"},
            "debugContext": {"debugData": {"threatDetections": {"Login Failures": "HIGH"}, "threatSuspected": true}},
        }),
        |row| {
            assert_eq!((row.subject_ref, &*row.user_role), (None, "none"));
            assert_eq!(row.actor_user_type_id, 99);
            assert_eq!(row.actor_user_uid.as_deref(), Some("192.0.2.66"));
            assert_eq!(
                (row.threat_level_id, row.threat_suspected),
                (Some(3), Some(true))
            );
            assert_eq!((row.status_id, row.disposition_id), (2, 2));
        },
    );
}

#[test]
fn an_app_user_is_named_by_login_only() {
    check(
        json!({
            "eventType": "application.user_membership.add",
            "target": [{"id": "0ua7", "type": "AppUser", "alternateId": "Ann@Example.com"}],
        }),
        |row| {
            assert_eq!(row.subject_ref.as_deref(), Some("login:ann@example.com"));
            assert_eq!(
                (row.user_uid, row.user_name.as_deref()),
                (None, Some("ann@example.com"))
            );
            assert_eq!(&*row.user_role, "subject");
        },
    );
}

#[test]
fn a_typed_name_is_hashed_as_the_directory_will_hash_it() {
    check(
        json!({"actor": {"id": "unknown", "type": "User", "alternateId": " Ann@Example.com ", "displayName": "unknown"}}),
        |row| {
            let hash = KEY.identifier("acme", "ann@example.com");
            let reference = format!("h:{hash}");
            assert_eq!(row.subject_ref.as_deref(), Some(reference.as_str()));
            assert_eq!((row.user_uid, row.user_name), (None, None));
            assert_eq!(row.actor_user_name.as_deref(), Some(reference.as_str()));
            assert_eq!(
                (row.actor_user_uid, row.actor_user_display_name),
                (None, None)
            );
            assert_eq!(
                (&*row.user_role, &*row.attribution_method),
                ("victim", "actor")
            );
        },
    );
}

#[test]
fn risk_is_understood_before_typed_names_are_taken_out() {
    check(
        json!({
            "actor": {"id": "unknown", "type": "User", "alternateId": "HIGH"},
            "debugContext": {"debugData": {"risk": "{level=HIGH}"}},
        }),
        |row| {
            assert_eq!(row.risk_level_id, Some(3));
            assert!(!row.debug_data.unwrap()[0].1.contains("HIGH"));
        },
    );
}

#[test]
fn every_catalogued_type_becomes_a_row() {
    for (name, _) in catalogue::event_types() {
        check(json!({"eventType": name}), |row| {
            assert_eq!(row.type_uid, row.class_uid * 100 + row.activity_id);
            assert_eq!(row.subject_ref.is_none(), row.user_role == "none");
        });
    }
}
