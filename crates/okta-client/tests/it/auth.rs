//! Access tokens: how they are asked for, kept, renewed, and bound to a key.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use af_model::UtcMillis;
use af_okta_client::http::Get;
use af_okta_client::{Client, Credential, ErrorKind, Scope};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use secrecy::SecretString;

use crate::auth_keys::{EC, RSA, ec_jwk, key, public, rsa_jwk};
use crate::jwt;
use crate::scripted::{NOW, Reply, Scripted, Seen};

pub(crate) const SECRET: &str = "client-secret-of-the-tests";
pub(crate) const ACCESS: &str = "eyJ.access-token.of-the-tests";

pub(crate) fn with_secret() -> Credential {
    Credential::ClientSecret {
        client_id: "0oa1client".into(),
        secret: SecretString::from(SECRET),
    }
}

pub(crate) fn with_key(text: &str, id: Option<&str>, dpop: bool) -> Credential {
    Credential::PrivateKey {
        client_id: "0oa1client".into(),
        key: key(text, id),
        dpop,
    }
}

pub(crate) fn client(server: &Scripted, credential: Credential) -> Client {
    Client::new(server.options(credential)).expect("the options are good")
}

pub(crate) fn logs() -> Get {
    Get::path("/api/v1/logs", Scope::LogsRead).query("limit", "2")
}

pub(crate) fn is_token_call(seen: &Seen) -> bool {
    seen.target == "/oauth2/v1/token"
}

fn token_calls(server: &Scripted) -> usize {
    server
        .seen()
        .iter()
        .filter(|seen| is_token_call(seen))
        .count()
}

fn proof(seen: &Seen) -> jwt::Read {
    let proof = jwt::read(seen.header("dpop").expect("a proof"));
    assert!(proof.is_signed_by(&proof.own_key()));
    assert_eq!(proof.header["typ"], "dpop+jwt");
    proof
}

/// An assertion says that it was made so many seconds ago.
const LEEWAY: i64 = 30;

#[tokio::test]
async fn a_client_with_a_secret_gets_a_token_for_each_scope_once() {
    let server = Scripted::answering(|seen, number| {
        if is_token_call(seen) {
            Reply::token("Bearer", &format!("{ACCESS}-{number}"), 3600)
        } else {
            Reply::ok()
        }
    })
    .await;
    let client = client(&server, with_secret());
    let users = Get::path("/api/v1/users", Scope::UsersRead);
    for call in [&logs(), &logs(), &users, &logs(), &users] {
        client.get(call).await.unwrap();
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 7);
    let basic = format!("Basic {}", STANDARD.encode(format!("0oa1client:{SECRET}")));
    for (place, scope) in [(0, "okta.logs.read"), (3, "okta.users.read")] {
        let asked = &seen[place];
        assert!(is_token_call(asked));
        assert_eq!(asked.method, "POST");
        assert_eq!(asked.header("authorization"), Some(basic.as_str()));
        assert_eq!(
            asked.header("content-type"),
            Some("application/x-www-form-urlencoded")
        );
        assert_eq!(asked.header("accept"), Some("application/json"));
        assert_eq!(
            asked.field("grant_type").as_deref(),
            Some("client_credentials")
        );
        assert_eq!(asked.field("scope").as_deref(), Some(scope));
        assert!(asked.field("client_assertion").is_none());
        assert!(asked.header("dpop").is_none());
        assert!(!asked.body.contains(SECRET));
    }
    for (place, token) in [(1, 0), (2, 0), (4, 3), (5, 0), (6, 3)] {
        let bearer = format!("Bearer {ACCESS}-{token}");
        assert_eq!(seen[place].header("authorization"), Some(bearer.as_str()));
    }
    // What a token costs is no call of the API.
    assert_eq!(client.cost().calls, 5);
}

#[tokio::test]
async fn an_assertion_is_signed_by_the_key_and_says_who_where_and_when() {
    let rsa_jwk = rsa_jwk().to_string();
    let ec_jwk = ec_jwk().to_string();
    for (text, id, algorithm, expected_id, public) in [
        (RSA, Some("k1"), "RS256", Some("k1"), public(RSA)),
        (&rsa_jwk, None, "RS256", Some("of-the-jwk"), public(RSA)),
        (&rsa_jwk, Some("k1"), "RS256", Some("k1"), public(RSA)),
        (EC, None, "ES256", None, public(EC)),
        (&ec_jwk, Some("k1"), "ES256", Some("k1"), public(EC)),
    ] {
        let server = Scripted::list([Reply::token("Bearer", ACCESS, 3600), Reply::ok()]).await;
        client(&server, with_key(text, id, false))
            .get(&logs())
            .await
            .unwrap();
        let asked = &server.seen()[0];
        assert_eq!(
            asked.field("client_assertion_type").as_deref(),
            Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        );
        assert_eq!(asked.header("authorization"), None);
        assert_eq!(asked.header("dpop"), None);
        let assertion = jwt::read(&asked.field("client_assertion").unwrap());
        assert_eq!(assertion.header["alg"], algorithm);
        assert_eq!(assertion.header["kid"].as_str(), expected_id);
        assert!(assertion.is_signed_by(&public));
        let claims = &assertion.claims;
        assert_eq!(claims["aud"], format!("{}/oauth2/v1/token", server.url()));
        assert_eq!(
            (claims["iss"].as_str(), claims["sub"].as_str()),
            (Some("0oa1client"), Some("0oa1client"))
        );
        assert_eq!(
            (claims["iat"].as_i64(), claims["exp"].as_i64()),
            (Some(NOW - LEEWAY), Some(NOW + 300))
        );
        assert!(claims["jti"].as_str().unwrap().len() >= 16);
    }
}

#[tokio::test]
async fn with_dpop_every_request_carries_a_proof_of_its_own() {
    let server = Scripted::answering(|seen, number| match number {
        0 => Reply::oauth_error(400, "use_dpop_nonce").header("dpop-nonce", "nonce-1"),
        _ if is_token_call(seen) => Reply::token("DPoP", ACCESS, 3600),
        _ => Reply::ok().header("link", "</api/v1/logs?after=1>; rel=\"next\""),
    })
    .await;
    let client = client(&server, with_key(RSA, Some("k1"), true));
    let first = client.get(&logs()).await.unwrap();
    client
        .get(&Get::link(first.next.unwrap(), Scope::LogsRead))
        .await
        .unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 4);

    // The first request for a token has one already; the second knows the nonce.
    let proofs: Vec<jwt::Read> = seen.iter().map(proof).collect();
    for (proof, nonce) in [(&proofs[0], None), (&proofs[1], Some("nonce-1"))] {
        assert_eq!(proof.claims["htm"], "POST");
        assert_eq!(
            proof.claims["htu"],
            format!("{}/oauth2/v1/token", server.url())
        );
        assert_eq!(proof.claims["iat"], NOW);
        assert_eq!(proof.claims["nonce"].as_str(), nonce);
        assert!(proof.claims.get("ath").is_none());
    }
    // The API is told which token goes with the key, and the address without its query.
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, ACCESS.as_bytes()));
    for (proof, seen) in proofs[2..].iter().zip(&seen[2..]) {
        assert_eq!(
            seen.header("authorization"),
            Some(format!("DPoP {ACCESS}").as_str())
        );
        assert_eq!(proof.claims["htm"], "GET");
        assert_eq!(proof.claims["htu"], format!("{}/api/v1/logs", server.url()));
        assert_eq!(proof.claims["ath"], hash);
        // The nonce of the token server is not the API's.
        assert!(proof.claims.get("nonce").is_none());
    }
    let ids: std::collections::BTreeSet<_> = proofs
        .iter()
        .map(|proof| proof.claims["jti"].to_string())
        .collect();
    assert_eq!(ids.len(), 4);
    // One key for all of them, and not the app's.
    assert!(
        proofs
            .iter()
            .all(|proof| proof.own_key() == proofs[0].own_key())
    );
    // The assertion of the repeated request is a new one.
    let id =
        |seen: &Seen| jwt::read(&seen.field("client_assertion").unwrap()).claims["jti"].to_string();
    assert_ne!(id(&seen[0]), id(&seen[1]));
}

#[tokio::test]
async fn a_new_nonce_of_the_api_is_taken_once() {
    let challenges = [
        Reply::json(401, "").header("www-authenticate", "DPoP error=\"use_dpop_nonce\""),
        Reply::oauth_error(400, "use_dpop_nonce"),
        Reply::error(401, "use_dpop_nonce"),
    ];
    for challenge in challenges {
        let challenge = challenge.header("dpop-nonce", "nonce-2");
        let server = Scripted::list([
            Reply::token("DPoP", ACCESS, 3600),
            challenge.clone(),
            Reply::ok(),
            challenge.clone(),
            challenge,
            Reply::token("DPoP", ACCESS, 3600),
        ])
        .await;
        let client = client(&server, with_key(EC, None, true));
        client.get(&logs()).await.unwrap();
        let seen = server.seen();
        assert!(proof(&seen[1]).claims.get("nonce").is_none());
        assert_eq!(proof(&seen[2]).claims["nonce"], "nonce-2");
        // A server that is never content is not asked for ever.
        assert!(client.get(&logs()).await.is_err());
        assert!(server.seen().len() <= 7);
    }
}

#[tokio::test]
async fn a_nonce_that_comes_with_an_answer_is_taken_too() {
    let server = Scripted::list([
        Reply::token("DPoP", ACCESS, 3600).header("dpop-nonce", "nonce-1"),
        Reply::ok().header("dpop-nonce", "nonce-2"),
        Reply::ok(),
        Reply::token("DPoP", ACCESS, 3600),
        Reply::ok(),
    ])
    .await;
    let client = client(&server, with_key(EC, None, true));
    let users = Get::path("/api/v1/users", Scope::UsersRead);
    for call in [&logs(), &logs(), &users] {
        client.get(call).await.unwrap();
    }
    let nonces: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| proof(seen).claims["nonce"].as_str().map(str::to_owned))
        .collect();
    let [first, second] = ["nonce-1", "nonce-2"].map(|nonce| Some(nonce.to_owned()));
    assert_eq!(nonces, [None, None, second.clone(), first, second]);
}

#[tokio::test]
async fn a_renewal_under_way_keeps_nobody_waiting_while_the_token_is_good() {
    // Four seconds of life: due for renewal after three. The renewal hangs.
    let tokens = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tokens);
    let server = Scripted::answering(move |seen, _| match seen {
        _ if !is_token_call(seen) => Reply::ok(),
        _ if counted.fetch_add(1, Ordering::SeqCst) == 0 => Reply::token("Bearer", ACCESS, 4),
        _ => Reply::token("Bearer", ACCESS, 4).stall_after(3),
    })
    .await;
    let client = client(&server, with_secret());
    client.get(&logs()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(3050)).await;
    let hangs = tokio::spawn({
        let client = client.clone();
        async move { client.get(&logs()).await }
    });
    while tokens.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    client.get(&logs()).await.unwrap();
    assert!(!hangs.is_finished());
    hangs.abort();
}

#[tokio::test]
async fn many_calls_that_need_a_token_ask_for_it_once() {
    let server = Scripted::answering(|seen, _| {
        if is_token_call(seen) {
            Reply::token("Bearer", ACCESS, 3600)
        } else {
            Reply::ok()
        }
    })
    .await;
    let client = client(&server, with_secret());
    let call = logs();
    let answers = futures_util::future::join_all((0..40).map(|_| client.get(&call))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(token_calls(&server), 1);
    assert_eq!(server.seen().len(), 41);
}

#[tokio::test]
async fn many_calls_that_get_no_token_share_the_refusal() {
    let server = Scripted::answering(|_, _| Reply::oauth_error(401, "invalid_client")).await;
    let client = client(&server, with_secret());
    let call = logs();
    let answers = futures_util::future::join_all((0..40).map(|_| client.get(&call))).await;
    assert!(answers.iter().all(|a| {
        a.as_ref()
            .is_err_and(|e| e.kind() == ErrorKind::Unauthorized)
    }));
    assert_eq!(server.seen().len(), 1);
    // Whoever comes later tries anew.
    assert!(client.get(&call).await.is_err());
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_for_all() {
    let tokens = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tokens);
    let server = Scripted::answering(move |seen, _| {
        if is_token_call(seen) {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            Reply::token("Bearer", &format!("{ACCESS}-{number}"), 3600)
        } else if seen.header("authorization") == Some(&format!("Bearer {ACCESS}-0")) {
            Reply::error(401, "E0000011")
        } else {
            Reply::ok()
        }
    })
    .await;
    let client = client(&server, with_secret());
    let call = logs();
    let answers = futures_util::future::join_all((0..20).map(|_| client.get(&call))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(tokens.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_that_stays_refused_is_renewed_no_further() {
    let server = Scripted::answering(|seen, _| {
        if is_token_call(seen) {
            Reply::token("Bearer", ACCESS, 3600)
        } else {
            Reply::error(401, "E0000011")
        }
    })
    .await;
    let error = client(&server, with_secret())
        .get(&logs())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_missing_feature_is_no_reason_for_a_new_token() {
    let server = Scripted::list([
        Reply::token("Bearer", ACCESS, 3600),
        Reply::error(401, "E0000015"),
        Reply::error(401, "E0000015"),
    ])
    .await;
    let client = client(&server, with_secret());
    assert_eq!(
        client.get(&logs()).await.unwrap_err().kind(),
        ErrorKind::Forbidden
    );
    let answer = client.get(&logs().accepts(&[401])).await.unwrap();
    assert_eq!(
        (answer.status, answer.code.as_deref()),
        (401, Some("E0000015"))
    );
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_kept_while_that_fails() {
    // Four seconds of life: due for renewal after three.
    let tokens = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tokens);
    let server = Scripted::answering(move |seen, _| match seen {
        _ if !is_token_call(seen) => Reply::ok(),
        _ if counted.fetch_add(1, Ordering::SeqCst) == 0 => Reply::token("Bearer", ACCESS, 4),
        _ => Reply::json(503, ""),
    })
    .await;
    let client = client(&server, with_secret());
    client.get(&logs()).await.unwrap();
    client.get(&logs()).await.unwrap();
    assert_eq!(tokens.load(Ordering::SeqCst), 1);
    tokio::time::sleep(std::time::Duration::from_millis(3050)).await;
    // The renewal and its two repetitions fail; the token is good for another second, and the
    // renewal is left alone meanwhile.
    client.get(&logs()).await.unwrap();
    assert_eq!(tokens.load(Ordering::SeqCst), 4);
    client.get(&logs()).await.unwrap();
    assert_eq!(tokens.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_token_without_any_life_is_asked_for_each_time() {
    let server = Scripted::answering(|seen, _| {
        if is_token_call(seen) {
            Reply::token("Bearer", ACCESS, 0)
        } else {
            Reply::ok()
        }
    })
    .await;
    let client = client(&server, with_secret());
    client.get(&logs()).await.unwrap();
    client.get(&logs()).await.unwrap();
    assert_eq!(token_calls(&server), 2);
}

#[tokio::test]
async fn a_wrong_clock_of_ours_is_put_right_by_the_servers() {
    // The server is an hour ahead, and says so when it refuses.
    let server = Scripted::list([
        Reply::oauth_error(401, "invalid_client").date(3600),
        Reply::token("DPoP", ACCESS, 3600).date(3600),
        Reply::ok().date(3600),
    ])
    .await;
    let client = client(&server, with_key(RSA, None, true));
    client.get(&logs()).await.unwrap();
    assert_eq!(client.clock_skew_millis(), Some(3_600_000));
    let seen = server.seen();
    let issued = |seen: &Seen| {
        let assertion = jwt::read(&seen.field("client_assertion").unwrap());
        (
            assertion.claims["iat"].as_i64(),
            proof(seen).claims["iat"].as_i64(),
        )
    };
    assert_eq!(issued(&seen[0]), (Some(NOW - LEEWAY), Some(NOW)));
    assert_eq!(
        issued(&seen[1]),
        (Some(NOW + 3600 - LEEWAY), Some(NOW + 3600))
    );
    assert_eq!(proof(&seen[2]).claims["iat"], NOW + 3600);
}

#[tokio::test]
async fn an_assertion_that_is_refused_at_the_right_time_is_not_repeated() {
    for date in [0, 4] {
        let server = Scripted::list([Reply::oauth_error(401, "invalid_client").date(date)]).await;
        let error = client(&server, with_key(RSA, None, false))
            .get(&logs())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(server.seen().len(), 1);
    }
    // And one that is refused at both times, once.
    let server =
        Scripted::answering(|_, _| Reply::oauth_error(401, "invalid_client").date(3600)).await;
    assert!(
        client(&server, with_key(RSA, None, false))
            .get(&logs())
            .await
            .is_err()
    );
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_clock_that_moves_is_followed() {
    let time = Arc::new(AtomicI64::new(NOW * 1000));
    let server = Scripted::list([
        Reply::token("Bearer", ACCESS, 0).date(0),
        Reply::ok().date(0),
        Reply::token("Bearer", ACCESS, 0),
    ])
    .await;
    let mut options = server.options(with_key(EC, None, false));
    let shared = Arc::clone(&time);
    options.clock = Arc::new(move || UtcMillis(shared.load(Ordering::SeqCst)));
    let client = Client::new(options).unwrap();
    client.get(&logs()).await.unwrap();
    assert_eq!(client.clock_skew_millis(), Some(0));
    time.store((NOW + 7200) * 1000, Ordering::SeqCst);
    let _ = client.get(&logs()).await;
    let assertion = jwt::read(&server.seen()[2].field("client_assertion").unwrap());
    assert_eq!(assertion.claims["iat"], NOW + 7200 - LEEWAY);
}
