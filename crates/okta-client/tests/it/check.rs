//! What a check says about orgs and credentials in every condition.

use std::sync::Arc;

use af_model::UtcMillis;
use af_okta_client::check::{CheckReport, Finding, State, check};
use af_okta_client::{Credential, SigningKey};
use base64::Engine as _;
use serde_json::json;

use super::inventory_org::{NOON, Org, Reply, acme, service, token};

/// Nothing that a check looks at is left out, whatever happened.
const ALL: [&str; 14] = [
    "address",
    "clock",
    "credential",
    "okta.logs.read",
    "okta.users.read",
    "okta.groups.read",
    "okta.apps.read",
    "okta.roles.read",
    "okta.idps.read",
    "okta.devices.read",
    "okta.orgs.read",
    "admin_role",
    "system_log",
    "rate_limit",
];

/// An API services app whose tokens are bearer tokens; the key is a fresh one.
fn keyed() -> Credential {
    let random = ring::rand::SystemRandom::new();
    let kind = &ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = ring::signature::EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(key.as_ref());
    let text = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    Credential::PrivateKey {
        client_id: "0oaapp".into(),
        key: SigningKey::read(&text.into(), Some("k1")).unwrap(),
        dpop: false,
    }
}

/// Checks, and looks at what every report must have.
async fn checked(org: &Org, credential: Credential) -> CheckReport {
    let report = check(&org.client(credential)).await;
    let all: Vec<&str> = report
        .findings
        .iter()
        .map(|found| found.what.as_str())
        .collect();
    assert_eq!(all, ALL);
    for found in &report.findings {
        assert!(!found.message.is_empty());
        if found.state == State::Missing {
            assert!(found.disables.is_some(), "{found:?}");
        }
        let text = format!("{found:?}");
        assert!(!text.contains("s3cr3t") && !text.contains("00token") && !text.contains("t0ken"));
    }
    report
}

fn of<'r>(report: &'r CheckReport, what: &str) -> &'r Finding {
    report.finding(what).unwrap()
}

/// The findings that are not good, by state.
fn in_state(report: &CheckReport, state: State) -> Vec<&str> {
    report
        .findings
        .iter()
        .filter(|found| found.state == state)
        .map(|found| found.what.as_str())
        .collect()
}

/// With the limit of calls that Okta tells.
fn limited(reply: Reply, left: u64) -> Reply {
    let reset = NOON.0 / 1_000 + 30;
    reply
        .header("x-rate-limit-limit", "120")
        .header("x-rate-limit-remaining", left.to_string())
        .header("x-rate-limit-reset", reset.to_string())
}

fn log(published: &str) -> Reply {
    Reply::json(&json!([{"uuid": "e1", "published": published}]))
}

#[tokio::test]
async fn all_is_good() {
    let org = Org::twisted(acme(), |call| {
        (call.path == "/api/v1/logs").then(|| limited(log("2026-11-22T11:30:00.000Z"), 119))
    })
    .await;
    for credential in [token(), service(), keyed()] {
        let report = checked(&org, credential).await;
        assert_eq!(report.worst(), State::Ok, "{report:#?}");
        assert!(of(&report, "address").message.contains("Identity Engine"));
        assert_eq!(
            of(&report, "system_log").message,
            "the newest event is 30 minutes old"
        );
        assert_eq!(
            of(&report, "rate_limit").message,
            "120 calls a minute to /api/v1/logs, of which 60 (50 %) are used at the most: 60000 events a minute"
        );
    }
    // One call for the address and one for each scope, and none of them asks for much.
    let calls = org.calls();
    assert_eq!(calls.len(), 3 * 9);
    for call in calls {
        let is_one = call.value("limit") == "1"
            || ["/api/v1/org", "/.well-known/okta-organization"].contains(&call.path.as_str());
        assert!(is_one, "{}", call.path);
    }
}

#[tokio::test]
async fn a_wrong_token_is_missing_and_the_rest_is_not_looked_at() {
    let org = Org::twisted(acme(), |call| {
        call.path
            .starts_with("/api/")
            .then(|| Reply::refusal(401, "E0000011"))
    })
    .await;
    let report = checked(&org, token()).await;
    assert_eq!(in_state(&report, State::Missing), ["credential"]);
    assert_eq!(
        of(&report, "credential").message,
        "Okta does not accept the API token (E0000011)"
    );
    let hint = of(&report, "credential").hint.as_deref().unwrap();
    assert!(hint.contains("Security > API > Tokens"), "{hint}");
    assert_eq!(in_state(&report, State::NotLookedAt).len(), 11);
    // One refusal is enough: more would lock somebody out, or fill the log of the org.
    assert_eq!(org.calls().len(), 2);
}

#[tokio::test]
async fn a_wrong_secret_is_missing_although_the_org_answers() {
    let org = Org::twisted(acme(), |call| {
        (call.path == "/oauth2/v1/token").then(|| {
            let mut reply = Reply::json(&json!({"error": "invalid_client"}));
            reply.status = 401;
            reply
        })
    })
    .await;
    let report = checked(&org, service()).await;
    assert_eq!(in_state(&report, State::Missing), ["credential"]);
    assert_eq!(of(&report, "address").state, State::Ok);
    assert!(of(&report, "credential").message.contains("invalid_client"));
    assert_eq!(org.calls().len(), 0);
}

#[tokio::test]
async fn a_missing_scope_is_named_with_what_it_disables() {
    // The access token is good; groups and roles are refused at the API.
    let org = Org::twisted(acme(), |call| {
        let path = call.path.as_str();
        (path == "/api/v1/groups" || path.starts_with("/api/v1/iam/"))
            .then(|| Reply::refusal(403, "E0000006"))
    })
    .await;
    let report = checked(&org, service()).await;
    assert_eq!(
        in_state(&report, State::Missing),
        ["okta.groups.read", "okta.roles.read"]
    );
    let groups = of(&report, "okta.groups.read");
    assert_eq!(groups.message, "the scope okta.groups.read is not granted");
    let disables = groups.disables.as_deref().unwrap();
    for step in [
        "groups",
        "group_members (who is in which group)",
        "group_rules",
    ] {
        assert!(disables.contains(step), "{disables}");
    }
    assert!(groups.hint.as_deref().unwrap().contains("okta.groups.read"));
    assert_eq!(of(&report, "credential").state, State::Ok);
    assert_eq!(of(&report, "okta.users.read").state, State::Ok);

    // The authorization server refuses the scope itself.
    let org = Org::twisted(acme(), |call| {
        (call.path == "/oauth2/v1/token").then(|| {
            let mut reply = Reply::json(&json!({"error": "invalid_scope"}));
            reply.status = 400;
            reply
        })
    })
    .await;
    let report = checked(&org, service()).await;
    assert_eq!(in_state(&report, State::Missing), ALL[3..11]);
    assert_eq!(of(&report, "credential").state, State::Ok);
}

#[tokio::test]
async fn no_log_and_no_users_are_what_they_are() {
    let org = Org::twisted(acme(), |call| {
        ["/api/v1/logs", "/api/v1/users"]
            .contains(&call.path.as_str())
            .then(|| Reply::refusal(403, "E0000006"))
    })
    .await;
    let report = checked(&org, token()).await;
    let disables = |what| of(&report, what).disables.clone().unwrap();
    assert!(disables("okta.logs.read").contains("nothing is scored"));
    assert!(disables("okta.users.read").contains("inventory as a whole"));
    assert_eq!(of(&report, "system_log").state, State::NotLookedAt);
    assert_eq!(of(&report, "admin_role").state, State::Warning);
    assert!(of(&report, "admin_role").message.contains("2 of the calls"));
}

#[tokio::test]
async fn a_scope_without_a_role_is_told_from_a_missing_scope() {
    let org = Org::twisted(acme(), |call| {
        call.path
            .starts_with("/api/")
            .then(|| Reply::refusal(403, "E0000006"))
    })
    .await;
    for (credential, who, place) in [
        (
            token(),
            "the administrator who made the API token",
            "Tokens",
        ),
        (keyed(), "the app", "Admin roles"),
    ] {
        let report = checked(&org, credential).await;
        let role = of(&report, "admin_role");
        assert_eq!(role.state, State::Missing);
        let said = format!("{who} is known to Okta, but has no admin role: every call is refused");
        assert_eq!(role.message, said);
        let hint = role.hint.as_deref().unwrap();
        assert!(hint.contains("a read-only administrator"), "{hint}");
        assert!(hint.contains(place), "{hint}");
        assert_eq!(of(&report, "credential").state, State::Ok);
        let users = of(&report, "okta.users.read");
        assert_eq!(users.state, State::Missing);
        assert!(!users.message.contains("not granted"), "{}", users.message);
    }
}

#[tokio::test]
async fn what_the_org_does_not_have_is_no_missing_right() {
    let org = Org::twisted(acme(), |call| {
        (call.path == "/api/v1/devices").then(|| Reply::refusal(401, "E0000015"))
    })
    .await;
    let report = checked(&org, token()).await;
    assert_eq!(in_state(&report, State::Missing), Vec::<&str>::new());
    let devices = of(&report, "okta.devices.read");
    assert_eq!(
        (devices.state, devices.hint.as_deref()),
        (State::Warning, None)
    );
}

#[tokio::test]
async fn what_is_not_okta_is_left_alone() {
    let page = |status: u16| {
        let mut reply = Reply::json(&json!(null)).header("x", "y");
        reply.headers[0].1 = "text/html".into();
        reply.status = status;
        reply.body = "<html><body>welcome</body></html>".into();
        reply
    };
    let foreign = Reply::json(&json!({})).header("location", "https://other.example/login");
    let foreign = Reply {
        status: 302,
        ..foreign
    };
    for (reply, words) in [
        (page(200), "is not Okta"),
        (page(404), "is not Okta"),
        (Reply::json(&json!(["not", "an", "org"])), "is not Okta"),
        (foreign, "leads to another host"),
    ] {
        let shown = format!("{reply:?}");
        let org = Org::twisted(acme(), move |_| Some(reply.clone())).await;
        let report = checked(&org, token()).await;
        assert_eq!(in_state(&report, State::Missing), ["address"], "{shown}");
        let address = of(&report, "address");
        assert!(address.message.contains(words), "{}", address.message);
        assert!(address.hint.is_some());
        assert_eq!(org.calls().len(), 1, "{shown}");
        assert_eq!(of(&report, "credential").state, State::NotLookedAt);
    }
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let org = Org::start(acme()).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = org.client_that(token(), |options| {
        let allow = af_okta_client::Allow {
            loopback: true,
            ..af_okta_client::Allow::default()
        };
        options.origin = af_okta_client::Origin::parse(&gone, allow).unwrap();
    });
    let report = check(&client).await;
    assert_eq!(in_state(&report, State::Missing), ["address"]);
    assert!(of(&report, "address").message.contains("does not answer"));
    assert_eq!(in_state(&report, State::NotLookedAt).len(), 13);
}

#[tokio::test]
async fn a_wrong_clock_is_a_warning_with_its_side() {
    let org = Org::twisted(acme(), |call| {
        (call.path == "/api/v1/logs").then(|| log("2026-11-22T11:59:00.000Z"))
    })
    .await;
    for (ours, words) in [
        (NOON.0 - 600_000, "our clock is 10 minutes behind Okta's"),
        (NOON.0 + 7_200_000, "our clock is 2 hours ahead of Okta's"),
    ] {
        for (credential, disables) in [
            (token(), "telling how far behind the log is"),
            (keyed(), "signing in with a key"),
        ] {
            let client = org.client_that(credential, |options| {
                options.clock = Arc::new(move || UtcMillis(ours));
            });
            let report = check(&client).await;
            let clock = of(&report, "clock");
            assert_eq!(
                (clock.state, clock.message.as_str()),
                (State::Warning, words)
            );
            assert!(clock.disables.as_deref().unwrap().starts_with(disables));
            assert!(clock.hint.as_deref().unwrap().contains("NTP"));
            // The age of the log is Okta's clock against Okta's clock.
            let log = of(&report, "system_log");
            assert_eq!(log.message, "the newest event is 1 minute old");
        }
    }
    let client = org.client_that(token(), |options| {
        options.clock = Arc::new(|| UtcMillis(NOON.0 + 299_000));
    });
    assert_eq!(of(&check(&client).await, "clock").state, State::Ok);
}

#[tokio::test]
async fn a_quiet_log_and_a_limit_that_others_use_up_are_warnings() {
    for (reply, words) in [
        (
            log("2026-11-20T12:00:00.000Z"),
            "the newest event is 2 days old",
        ),
        (
            Reply::json(&json!([])),
            "there was no event in the last seven days",
        ),
    ] {
        let org = Org::twisted(acme(), move |call| {
            (call.path == "/api/v1/logs").then(|| limited(reply.clone(), 11))
        })
        .await;
        let report = checked(&org, token()).await;
        let log = of(&report, "system_log");
        assert_eq!((log.state, log.message.as_str()), (State::Warning, words));
        let limit = of(&report, "rate_limit");
        assert_eq!(limit.state, State::Warning);
        assert!(limit.message.ends_with("only 11 are left in this minute"));
    }
}

#[tokio::test]
async fn one_failing_call_does_not_stop_the_look_at_the_others() {
    let org = Org::twisted(acme(), |call| {
        (call.path == "/api/v1/logs").then(|| Reply::refusal(503, "E0000010"))
    })
    .await;
    let report = checked(&org, token()).await;
    assert_eq!(of(&report, "okta.logs.read").state, State::NotLookedAt);
    assert_eq!(of(&report, "okta.users.read").state, State::Ok);
    assert_eq!(of(&report, "credential").state, State::Ok);
    assert_eq!(in_state(&report, State::Missing), Vec::<&str>::new());
}
