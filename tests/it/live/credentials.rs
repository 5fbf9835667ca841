//! Every kind of credential, from the configuration to the store.

use af_okta_sim::{Fault, Rule, Sim, SimClient, SimOptions};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use super::org::{Days, Folder};
use crate::support::{Outcome, files_holding};

const SECRET: &str = "secret-that-must-never-be-seen";

/// A fresh key: its PEM, and its public half as a JWK.
fn key() -> (String, serde_json::Value) {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
            .unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = point[1..].split_at(32);
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let public = serde_json::json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k1",
        "x": text(x), "y": text(y)});
    let body = base64::engine::general_purpose::STANDARD.encode(document.as_ref());
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    );
    (pem, public)
}

/// Pulls with a credential; the org knows only this client.
fn pull_as(client: SimClient, credential: &str, secret: &str) -> (Sim, Folder, Outcome) {
    pull_struck(client, credential, secret, &[])
}

/// The same, while calls of the log are struck.
fn pull_struck(
    client: SimClient,
    credential: &str,
    secret: &str,
    faults: &[Rule],
) -> (Sim, Folder, Outcome) {
    let days = Days::demo(60);
    let sim = Sim::start_blocking(SimOptions {
        api_token: None,
        clients: vec![client],
        nonce_on_calls: true,
        ..days.options()
    })
    .unwrap();
    for fault in faults {
        sim.faults().add(fault.clone());
    }
    let place = Folder::new(sim.url(), "");
    std::fs::write(place.path().join("credential"), secret).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(place.path().join("credential"), mode).unwrap();
    }
    place.configure(&format!(
        "[[credential]]\nname = \"key\"\nclient_id = \"0oaclient\"\nfrom_file = \"credential\"\n{credential}\n\
         [[tenant]]\nname = \"acme\"\n[[tenant.okta]]\nurl = \"{}\"\ncredential = \"key\"\n",
        sim.url()
    ));
    let outcome = place.program("okta pull -vv").run();
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(
        !said.contains(secret.lines().nth(1).unwrap_or(secret)),
        "{said}"
    );
    (sim, place, outcome)
}

#[test]
fn a_client_secret_works_and_stays_where_it_is() {
    let client = SimClient::with_secret("0oaclient", SECRET);
    let (_sim, place, outcome) = pull_as(client, "auth = \"client_secret\"", SECRET);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let holding = files_holding(&place.store(), SECRET);
    assert_eq!(holding, Vec::<String>::new());
    place.succeed("okta inventory");
    place.succeed("okta check");
}

#[test]
fn a_signed_assertion_works_with_and_without_proofs_of_possession() {
    for dpop in [false, true] {
        let (pem, public) = key();
        let client = SimClient::with_key("0oaclient", public, dpop);
        let credential = format!("auth = \"private_key\"\nkey_id = \"k1\"\ndpop = {dpop}");
        let (_sim, place, outcome) = pull_as(client, &credential, &pem);
        assert_eq!(outcome.code, 0, "{dpop}: {}", outcome.stderr);
        place.succeed("okta inventory");
    }
}

#[test]
fn what_is_wrong_with_a_credential_is_said_in_words() {
    let (pem, public) = key();
    let (other, _) = key();
    let with_key = || SimClient::with_key("0oaclient", public.clone(), true);
    let key_settings = "auth = \"private_key\"\nkey_id = \"k1\"";
    let cases = [
        // The wrong secret.
        (
            SimClient::with_secret("0oaclient", "another"),
            "auth = \"client_secret\"",
            SECRET,
            1,
            "secret",
        ),
        // Somebody else's key.
        (with_key(), key_settings, other.as_str(), 1, "key"),
        // No role.
        (
            SimClient {
                has_role: false,
                ..with_key()
            },
            key_settings,
            pem.as_str(),
            1,
            "role",
        ),
        // The scope was not granted.
        (
            SimClient {
                scopes: Some(vec!["okta.users.read".to_owned()]),
                ..with_key()
            },
            key_settings,
            pem.as_str(),
            1,
            "okta.logs.read",
        ),
        // No key at all.
        (with_key(), key_settings, "not a key", 2, "PEM"),
    ];
    for (client, settings, secret, code, word) in cases {
        let (_sim, _place, outcome) = pull_as(client, settings, secret);
        assert_eq!(outcome.code, code, "{word}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(word), "{word}: {}", outcome.stderr);
    }
}

#[test]
fn tokens_that_end_and_nonces_that_change_cost_a_call_and_no_event() {
    let (pem, public) = key();
    let client = SimClient::with_key("0oaclient", public, true);
    let on_log = |fault: Fault, after: u32| Rule::new(fault).on("/api/v1/logs").after(after).once();
    let faults = [on_log(Fault::ExpireTokens, 6), on_log(Fault::NewNonce, 9)];
    let settings = "auth = \"private_key\"\nkey_id = \"k1\"";
    let (sim, place, outcome) = pull_struck(client, settings, &pem, &faults);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(sim.faults().struck(), 2);
    assert!(sim.stats().tokens_issued >= 2);
    place.settle();
    let normalized = &place.manifest()["run"]["tenants"]["acme"]["events"]["normalized"];
    assert_eq!(*normalized, Days::demo(60).distinct());
}
