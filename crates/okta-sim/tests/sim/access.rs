//! Who may call: each check has a call that fails by it alone.

use std::time::Duration;

use af_okta_sim::{Fault, Rule, Sim, SimClient, SimOptions};
use serde_json::{Value, json};

use crate::client::{Got, NOW, command, get, get_as, post};
use crate::jose::{Key, fresh, seconds};

const LOGS: &str = "/api/v1/logs";
const USERS: &str = "/api/v1/users";

pub(crate) async fn start(clients: Vec<SimClient>) -> Sim {
    start_with(clients, |_| {}).await
}

pub(crate) async fn start_with(
    clients: Vec<SimClient>,
    change: impl FnOnce(&mut SimOptions),
) -> Sim {
    let mut options = SimOptions {
        clients,
        ..SimOptions::given("[]", "", NOW)
    };
    change(&mut options);
    Sim::start(options).await.unwrap()
}

pub(crate) fn error(got: &Got) -> String {
    got.json()["error"].as_str().unwrap_or_default().to_owned()
}

/// What the answer to a refused call says about itself.
pub(crate) fn why(got: &Got) -> String {
    got.headers
        .get("www-authenticate")
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

#[tokio::test]
async fn an_api_token_is_the_right_one_or_none() {
    let sim = start(Vec::new()).await;
    assert_eq!(get(&sim, LOGS).await.status, 200);
    for (authorization, code) in [
        (Some("SSWS wrong"), "E0000011"),
        (Some("SSWS"), "E0000011"),
        (Some("Bearer simulated-api-token"), "E0000011"),
        (Some("simulated-api-token"), "E0000005"),
        (None, "E0000005"),
    ] {
        let refused = get_as(&sim, LOGS, authorization, &[]).await;
        assert_eq!((refused.status, refused.code().as_str()), (401, code));
    }
    let none = start_with(Vec::new(), |options| options.api_token = None).await;
    assert_eq!(get(&none, LOGS).await.code(), "E0000011");
    for text in [format!("{:?}", SimOptions::default()), format!("{sim:?}")] {
        assert!(!text.contains(SimOptions::TOKEN), "{text}");
    }
}

#[tokio::test]
async fn a_secret_gives_a_token_for_the_scopes_that_were_asked_for() {
    let sim = start(vec![SimClient::with_secret("0oa:1", "s+c ret/")]).await;
    let form = "grant_type=client_credentials&scope=okta.logs.read";
    let basic = |id: &str, secret: &str| {
        use base64::Engine as _;
        let pair = format!("{id}:{secret}");
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(pair)
        )
    };
    let right = basic("0oa%3A1", "s%2Bc%20ret%2F");
    let got = post(&sim, form.to_owned(), &[("authorization", &right)]).await;
    assert_eq!(got.status, 200, "{}", got.text);
    let body = got.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    assert_eq!(body["scope"], "okta.logs.read");
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    assert_eq!(get_as(&sim, LOGS, Some(&bearer), &[]).await.status, 200);
    let refused = get_as(&sim, USERS, Some(&bearer), &[]).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "E0000006"));
    assert!(
        why(&refused).contains("okta.users.read"),
        "{}",
        why(&refused)
    );

    let posted = format!("{form}&client_id=0oa%3A1&client_secret=s%2Bc+ret%2F");
    assert_eq!(post(&sim, posted.clone(), &[]).await.status, 200);
    for wrong in [
        post(
            &sim,
            form.to_owned(),
            &[("authorization", &basic("0oa%3A1", "x"))],
        )
        .await,
        post(
            &sim,
            form.to_owned(),
            &[("authorization", &basic("x", "s%2Bc%20ret%2F"))],
        )
        .await,
        post(&sim, form.to_owned(), &[]).await,
        post(&sim, posted.replace("ret", "red"), &[]).await,
    ] {
        assert_eq!(
            (wrong.status, error(&wrong).as_str()),
            (401, "invalid_client")
        );
    }
    let other = posted.replace("client_credentials", "password");
    assert_eq!(
        error(&post(&sim, other, &[]).await),
        "unsupported_grant_type"
    );
    assert_eq!(sim.stats().tokens_issued, 2);
}

#[tokio::test]
async fn scopes_are_granted_all_or_none_and_a_token_without_a_role_is_good_for_nothing() {
    let few = SimClient {
        scopes: Some(vec![
            "okta.logs.read".to_owned(),
            "okta.users.manage".to_owned(),
        ]),
        ..SimClient::with_secret("few", "s")
    };
    let idle = SimClient {
        has_role: false,
        ..SimClient::with_secret("idle", "s")
    };
    let sim = start(vec![few, idle]).await;
    let form = |client: &str, scope: &str| {
        format!("grant_type=client_credentials&client_id={client}&client_secret=s&scope={scope}")
    };
    for (scope, status) in [
        ("okta.logs.read", 200),
        ("okta.logs.read+okta.users.read", 200),
        ("okta.logs.read+okta.groups.read", 400),
        ("okta.factors.read", 400),
        ("", 400),
    ] {
        let got = post(&sim, form("few", scope), &[]).await;
        assert_eq!(got.status, status, "{scope}: {}", got.text);
        if status == 400 {
            assert_eq!(error(&got), "invalid_scope");
        }
    }
    let got = post(&sim, form("idle", "okta.logs.read"), &[]).await;
    let bearer = format!("Bearer {}", got.json()["access_token"].as_str().unwrap());
    let refused = get_as(&sim, LOGS, Some(&bearer), &[]).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "E0000006"));
}

#[tokio::test]
async fn tokens_end() {
    let client = SimClient::with_secret("c", "s");
    let sim = start_with(vec![client], |options| {
        options.token_lifetime = Duration::from_secs(1);
    })
    .await;
    let form = "grant_type=client_credentials&client_id=c&client_secret=s&scope=okta.logs.read";
    let token = || async {
        let got = post(&sim, form.to_owned(), &[]).await;
        assert_eq!(got.json()["expires_in"], 1);
        format!("Bearer {}", got.json()["access_token"].as_str().unwrap())
    };
    let first = token().await;
    assert_eq!(get_as(&sim, LOGS, Some(&first), &[]).await.status, 200);
    tokio::time::sleep(Duration::from_millis(1050)).await;
    let refused = get_as(&sim, LOGS, Some(&first), &[]).await;
    assert_eq!((refused.status, refused.code().as_str()), (401, "E0000011"));
    assert!(why(&refused).contains("expired"));

    let second = token().await;
    sim.faults()
        .add(Rule::new(Fault::ExpireTokens).on(LOGS).once());
    assert_eq!(get_as(&sim, LOGS, Some(&second), &[]).await.status, 401);
    let third = token().await;
    assert_eq!(command(&sim, "DELETE", "/sim/tokens", "").await.status, 200);
    assert_eq!(get_as(&sim, LOGS, Some(&third), &[]).await.status, 401);
}

/// Header and claims of a good assertion.
pub(crate) fn assertion(sim: &Sim, key: &Key) -> (Value, Value) {
    let header = json!({ "alg": key.algorithm(), "kid": "k1" });
    let claims = json!({
        "aud": format!("{}/oauth2/v1/token", sim.url()),
        "iss": "app",
        "sub": "app",
        "iat": seconds(),
        "exp": seconds() + 300,
        "jti": fresh(),
    });
    (header, claims)
}

pub(crate) fn asserting(jwt: &str) -> String {
    format!(
        "grant_type=client_credentials&scope=okta.logs.read&client_assertion={jwt}\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    )
}

#[tokio::test]
async fn an_assertion_is_refused_for_each_thing_that_is_wrong_with_it() {
    for key in [Key::es256(), Key::rs256()] {
        let other = Key::es256();
        let mut client = SimClient::with_key("app", key.named("k1"), false);
        client.public_keys.push(other.named("k2"));
        let sim = start(vec![client]).await;
        let send = |header: Value, claims: Value| {
            let jwt = key.sign(&header, &claims);
            let sim = &sim;
            async move { post(sim, asserting(&jwt), &[]).await }
        };
        let (header, claims) = assertion(&sim, &key);
        let got = send(header.clone(), claims.clone()).await;
        assert_eq!(got.status, 200, "{}", got.text);
        // The same once more: its jti is used up.
        let replayed = send(header.clone(), claims).await;
        assert!(replayed.text.contains("jti"), "{}", replayed.text);

        let now = seconds();
        let url = format!("{}/oauth2/v1/token", sim.url());
        for (claim, value, good) in [
            ("aud", json!([url, "x"]), true),
            ("exp", json!(now + 3590), true),
            ("iat", json!(now - 86_400), true),
            ("aud", json!(sim.url()), false),
            ("aud", Value::Null, false),
            ("iss", json!("other"), false),
            ("sub", json!("other"), false),
            ("sub", Value::Null, false),
            ("exp", json!(now - 1), false),
            ("exp", json!(now + 3700), false),
            ("exp", Value::Null, false),
            ("iat", json!(now + 3000), false),
        ] {
            let (header, mut claims) = assertion(&sim, &key);
            claims[claim] = value.clone();
            let got = send(header, claims).await;
            let expected = if good {
                (200, "")
            } else {
                (401, "invalid_client")
            };
            assert_eq!(
                (got.status, error(&got).as_str()),
                expected,
                "{claim} {value}"
            );
        }
        for (name, value) in [
            ("kid", json!("k2")),
            ("kid", json!("k3")),
            // Two keys are known, so one must be named.
            ("kid", Value::Null),
            ("alg", json!("none")),
            ("alg", json!("HS256")),
        ] {
            let (mut header, claims) = assertion(&sim, &key);
            if value.is_null() {
                header.as_object_mut().unwrap().remove(name);
            } else {
                header[name] = value.clone();
            }
            let got = send(header, claims).await;
            assert_eq!(
                (got.status, error(&got).as_str()),
                (401, "invalid_client"),
                "{name} {value}"
            );
        }
        // Signed by a key that the client does not have, under a name that it has.
        let (header, claims) = assertion(&sim, &key);
        let stranger = Key::es256();
        let mut header = header;
        header["alg"] = json!(stranger.algorithm());
        let forged = stranger.sign(&header, &claims);
        assert_eq!(post(&sim, asserting(&forged), &[]).await.status, 401);
        for garbage in ["", "a.b.c", "x"] {
            assert_eq!(post(&sim, asserting(garbage), &[]).await.status, 401);
        }
        // Another way of authentication than the one that was registered.
        let secret =
            "grant_type=client_credentials&scope=okta.logs.read&client_id=app&client_secret=";
        assert_eq!(post(&sim, secret.to_owned(), &[]).await.status, 401);
    }
}
