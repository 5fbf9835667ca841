//! Proofs of possession (DPoP): each thing that is wrong with one is refused.

use af_okta_sim::{Fault, Rule, Sim, SimClient, SimOptions};
use serde_json::{Value, json};

use crate::access::{asserting, assertion, error, start, start_with, why};
use crate::client::{Got, get_as, post};
use crate::jose::{Key, fresh, seconds, sha256};

const LOGS: &str = "/api/v1/logs";

/// A client with a key for itself and one for its proofs.
struct Prover {
    sim: Sim,
    own: Key,
    proof: Key,
}

impl Prover {
    async fn start(change: impl FnOnce(&mut SimOptions)) -> Self {
        let own = Key::es256();
        let client = SimClient::with_key("app", own.named("k1"), true);
        Self {
            sim: start_with(vec![client], change).await,
            own,
            proof: Key::es256(),
        }
    }

    fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": self.proof.algorithm(), "jwk": self.proof.jwk() })
    }

    fn claims(&self, method: &str, path: &str) -> Value {
        json!({
            "htm": method,
            "htu": format!("{}{path}", self.sim.url()),
            "iat": seconds(),
            "jti": fresh(),
        })
    }

    async fn ask(&self, proof: Option<&str>) -> Got {
        let (header, claims) = assertion(&self.sim, &self.own);
        let body = asserting(&self.own.sign(&header, &claims));
        let headers: Vec<(&str, &str)> = proof.iter().map(|proof| ("dpop", *proof)).collect();
        post(&self.sim, body, &headers).await
    }

    /// Asks with a good proof, twice if another nonce is wanted.
    async fn token(&self) -> String {
        let mut claims = self.claims("POST", "/oauth2/v1/token");
        let first = self
            .ask(Some(&self.proof.sign(&self.header(), &claims)))
            .await;
        assert_eq!(
            (first.status, error(&first).as_str()),
            (400, "use_dpop_nonce")
        );
        claims["nonce"] = json!(first.header("dpop-nonce"));
        claims["jti"] = json!(fresh());
        let got = self
            .ask(Some(&self.proof.sign(&self.header(), &claims)))
            .await;
        assert_eq!(got.status, 200, "{}", got.text);
        assert_eq!(got.json()["token_type"], "DPoP");
        got.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn call(&self, token: &str, header: &Value, claims: &Value) -> Got {
        let proof = self.proof.sign(header, claims);
        let authorization = format!("DPoP {token}");
        let headers = [("dpop", proof.as_str())];
        get_as(
            &self.sim,
            "/api/v1/logs?limit=1",
            Some(&authorization),
            &headers,
        )
        .await
    }

    fn call_claims(&self, token: &str) -> Value {
        let mut claims = self.claims("GET", LOGS);
        claims["ath"] = json!(sha256(token));
        claims
    }
}

/// A change of header or claims that makes a proof worthless, and what must be said about it.
fn flaws(now: i64) -> Vec<(&'static str, &'static str, Value, &'static str)> {
    vec![
        ("header", "typ", json!("JWT"), "typ"),
        ("header", "alg", json!("none"), "signature"),
        ("header", "jwk", Key::es256().jwk(), "signature"),
        ("header", "jwk", Value::Null, "signature"),
        ("claims", "htm", json!("PUT"), "htm"),
        (
            "claims",
            "htu",
            json!("http://127.0.0.1:1/api/v1/logs"),
            "htu",
        ),
        ("claims", "iat", json!(now - 400), "iat"),
        ("claims", "iat", json!(now + 400), "iat"),
        ("claims", "iat", Value::Null, "iat"),
        ("claims", "jti", json!(""), "jti"),
    ]
}

#[tokio::test]
async fn a_proof_for_a_token_is_refused_for_each_thing_that_is_wrong_with_it() {
    let prover = Prover::start(|_| {}).await;
    let missing = prover.ask(None).await;
    assert_eq!(
        (missing.status, error(&missing).as_str()),
        (400, "invalid_dpop_proof")
    );
    let nonce = {
        let claims = prover.claims("POST", "/oauth2/v1/token");
        let got = prover
            .ask(Some(&prover.proof.sign(&prover.header(), &claims)))
            .await;
        got.header("dpop-nonce").to_owned()
    };
    let good = || {
        let mut claims = prover.claims("POST", "/oauth2/v1/token");
        claims["nonce"] = json!(nonce);
        (prover.header(), claims)
    };
    let (header, claims) = good();
    let proof = prover.proof.sign(&header, &claims);
    assert_eq!(prover.ask(Some(&proof)).await.status, 200);
    let replayed = prover.ask(Some(&proof)).await;
    assert!(replayed.text.contains("jti"), "{}", replayed.text);
    for (part, name, value, says) in flaws(seconds()) {
        let (mut header, mut claims) = good();
        if part == "header" {
            header[name] = value.clone();
        } else {
            claims[name] = value.clone();
        }
        let got = prover.ask(Some(&prover.proof.sign(&header, &claims))).await;
        assert_eq!(
            (got.status, error(&got).as_str()),
            (400, "invalid_dpop_proof"),
            "{name}"
        );
        assert!(got.text.contains(says), "{name} {value}: {}", got.text);
    }
    // A private key in the proof, and the client's own key.
    let (mut header, claims) = good();
    header["jwk"]["d"] = json!("AA");
    let got = prover.ask(Some(&prover.proof.sign(&header, &claims))).await;
    assert!(got.text.contains("must be public"), "{}", got.text);
    let (mut header, claims) = good();
    header["jwk"] = prover.own.jwk();
    let got = prover.ask(Some(&prover.own.sign(&header, &claims))).await;
    assert!(got.text.contains("another than"), "{}", got.text);
    // Two nonces later the first is not good any more.
    prover.sim.renew_nonce(false);
    let (header, claims) = good();
    assert_eq!(
        prover
            .ask(Some(&prover.proof.sign(&header, &claims)))
            .await
            .status,
        200
    );
    prover.sim.renew_nonce(false);
    let (header, claims) = good();
    let got = prover.ask(Some(&prover.proof.sign(&header, &claims))).await;
    assert_eq!(error(&got), "use_dpop_nonce");
    assert_ne!(got.header("dpop-nonce"), nonce);
}

#[tokio::test]
async fn a_proof_of_a_call_is_refused_for_each_thing_that_is_wrong_with_it() {
    let prover = Prover::start(|_| {}).await;
    let token = prover.token().await;
    let (header, claims) = (prover.header(), prover.call_claims(&token));
    assert_eq!(prover.call(&token, &header, &claims).await.status, 200);
    let replayed = prover.call(&token, &header, &claims).await;
    assert!(replayed.status == 401 && why(&replayed).contains("jti"));
    let mut all = flaws(seconds());
    all.push(("claims", "ath", json!(sha256("another token")), "ath"));
    all.push(("claims", "ath", Value::Null, "ath"));
    let with_query = format!("{}/api/v1/logs?limit=1", prover.sim.url());
    all.push(("claims", "htu", json!(with_query), "htu"));
    for (part, name, value, says) in all {
        let (mut header, mut claims) = (prover.header(), prover.call_claims(&token));
        if part == "header" {
            header[name] = value.clone();
        } else {
            claims[name] = value.clone();
        }
        let got = prover.call(&token, &header, &claims).await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (401, "E0000011"),
            "{name} {value}"
        );
        assert!(why(&got).contains("invalid_dpop_proof"), "{}", why(&got));
        assert!(why(&got).contains(says), "{name} {value}: {}", why(&got));
    }
    // Without a proof, as a bearer of it, and with somebody else's key.
    let dpop = format!("DPoP {token}");
    assert_eq!(
        get_as(&prover.sim, LOGS, Some(&dpop), &[]).await.status,
        401
    );
    let bearer = format!("Bearer {token}");
    let got = get_as(&prover.sim, LOGS, Some(&bearer), &[]).await;
    assert!(why(&got).contains("proof of possession"), "{}", why(&got));
    let thief = Prover {
        proof: Key::es256(),
        ..prover
    };
    let got = thief
        .call(&token, &thief.header(), &thief.call_claims(&token))
        .await;
    assert!(why(&got).contains("another key"), "{}", why(&got));
}

#[tokio::test]
async fn a_bearer_token_is_no_dpop_token() {
    let sim = start(vec![SimClient::with_secret("c", "s")]).await;
    let form = "grant_type=client_credentials&client_id=c&client_secret=s&scope=okta.logs.read";
    let got = post(&sim, form.to_owned(), &[]).await;
    let token = got.json()["access_token"].as_str().unwrap().to_owned();
    let refused = get_as(&sim, LOGS, Some(&format!("DPoP {token}")), &[]).await;
    assert!(refused.status == 401 && why(&refused).contains("no DPoP token"));
}

#[tokio::test]
async fn a_call_needs_a_nonce_when_it_is_told_to() {
    let prover = Prover::start(|options| options.nonce_on_calls = true).await;
    let token = prover.token().await;
    let mut claims = prover.call_claims(&token);
    let got = prover.call(&token, &prover.header(), &claims).await;
    assert!(got.status == 401 && why(&got).contains("use_dpop_nonce"));
    claims["nonce"] = json!(got.header("dpop-nonce"));
    assert_eq!(
        prover.call(&token, &prover.header(), &claims).await.status,
        200
    );

    // All nonces are forgotten at once; the call is made again with the new one.
    prover
        .sim
        .faults()
        .add(Rule::new(Fault::NewNonce).on(LOGS).once());
    claims["jti"] = json!(fresh());
    let got = prover.call(&token, &prover.header(), &claims).await;
    assert!(got.status == 401 && why(&got).contains("use_dpop_nonce"));
    claims["jti"] = json!(fresh());
    let old = prover.call(&token, &prover.header(), &claims).await;
    assert_eq!(old.status, 401);
    claims["nonce"] = json!(got.header("dpop-nonce"));
    assert_eq!(
        prover.call(&token, &prover.header(), &claims).await.status,
        200
    );
}
