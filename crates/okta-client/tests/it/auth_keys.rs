//! Reading private keys: every form that is taken, and clear words for every other.

use af_okta_client::{ErrorKind, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) const RSA: &str = include_str!("../keys/rsa.pem");
pub(crate) const RSA_PKCS1: &str = include_str!("../keys/rsa_pkcs1.pem");
pub(crate) const EC: &str = include_str!("../keys/ec.pem");

pub(crate) fn key(text: &str, id: Option<&str>) -> SigningKey {
    SigningKey::read(&SecretString::from(text), id).expect("the key is good")
}

fn refusal(text: &str) -> String {
    let error = SigningKey::read(&SecretString::from(text), None).expect_err("the key is not good");
    assert_eq!(error.kind(), ErrorKind::Usage);
    let hint = error.hint().expect("every refusal has a hint");
    // Nothing of the key is in it; a line of PEM or a member of a JWK is long.
    let shown = format!("{error:?}");
    for piece in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        assert!(piece.len() < 20 || !shown.contains(piece), "{shown}");
    }
    format!("{error} | {hint}")
}

fn der(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(text).expect("base64")
}

/// The public half, as ring checks signatures with it.
pub(crate) fn public(pem: &str) -> Vec<u8> {
    let der = der(pem);
    match RsaKeyPair::from_pkcs8(&der) {
        Ok(pair) => pair.public().as_ref().to_vec(),
        Err(_) => {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new())
                .expect("a good key")
                .public_key()
                .as_ref()
                .to_vec()
        }
    }
}

/// The nine integers of a PKCS#1 document.
fn integers(der: &[u8]) -> Vec<Vec<u8>> {
    fn length(rest: &[u8]) -> (usize, &[u8]) {
        match rest[0] {
            0x81 => (rest[1].into(), &rest[2..]),
            0x82 => (usize::from(rest[1]) << 8 | usize::from(rest[2]), &rest[3..]),
            short => (short.into(), &rest[1..]),
        }
    }
    let (_, mut rest) = length(&der[1..]);
    let mut found = Vec::new();
    while !rest.is_empty() {
        assert_eq!(rest[0], 2, "an integer");
        let (count, after) = length(&rest[1..]);
        found.push(after[..count].to_vec());
        rest = &after[count..];
    }
    found
}

pub(crate) fn rsa_jwk() -> Value {
    let numbers = integers(&der(RSA_PKCS1));
    let mut jwk = json!({"kty": "RSA", "kid": "of-the-jwk", "use": "sig"});
    // The first one is the version.
    for (name, number) in ["n", "e", "d", "p", "q", "dp", "dq", "qi"]
        .iter()
        .zip(&numbers[1..])
    {
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        jwk[*name] = URL_SAFE_NO_PAD.encode(number).into();
    }
    jwk
}

pub(crate) fn ec_jwk() -> Value {
    let der = der(EC);
    let point = public(EC);
    // The private number is the only octet string of 32 bytes in the document.
    let at = der
        .windows(2)
        .position(|two| two == [4, 32])
        .expect("it is there")
        + 2;
    json!({
        "kty": "EC", "crv": "P-256",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
        "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        "d": URL_SAFE_NO_PAD.encode(&der[at..at + 32]),
    })
}

#[test]
fn every_form_is_read() {
    for text in [
        RSA.to_owned(),
        RSA_PKCS1.to_owned(),
        EC.to_owned(),
        format!("\u{feff}\n  {RSA}\n\n"),
        format!("Bag Attributes\n    friendlyName: key\n{RSA}"),
        RSA.replace('\n', "\r\n"),
        rsa_jwk().to_string(),
        ec_jwk().to_string(),
        json!({"keys": [rsa_jwk()]}).to_string(),
    ] {
        let key = key(&text, None);
        assert_eq!(format!("{key:?}"), "SigningKey(…)");
    }
}

#[test]
fn keys_that_cannot_be_used_say_what_to_do() {
    for (text, said) in [
        (include_str!("../keys/ec_sec1.pem"), "openssl pkcs8 -topk8"),
        (include_str!("../keys/ec_encrypted.pem"), "decrypt it"),
        (
            include_str!("../keys/rsa_encrypted_pkcs1.pem"),
            "decrypt it",
        ),
        (
            include_str!("../keys/rsa_public.pem"),
            "it is the public key",
        ),
        (
            include_str!("../keys/rsa_1024.pem"),
            "smaller than 2048 bits",
        ),
        (
            include_str!("../keys/ec_p384.pem"),
            "another curve than P-256",
        ),
        (
            include_str!("../keys/ed25519.pem"),
            "neither an RSA nor an EC key",
        ),
        ("", "it is empty"),
        ("hunter2", "neither PEM nor JWK"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "it is a certificate",
        ),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            "OpenSSH",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            "neither an RSA nor an EC",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----",
            "damaged",
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n", "damaged"),
        (&RSA.replace('\n', " "), "keep the line breaks"),
        (&format!("{RSA}{EC}"), "there are several"),
        ("{nonsense", "no JSON"),
        ("{}", "neither an RSA nor an EC key"),
        ("{\"keys\":[]}", "several keys"),
        (
            r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#,
            "it is the public key",
        ),
        (
            r#"{"kty":"EC","crv":"P-384","x":"AAAA","y":"AAAA","d":"AAAA"}"#,
            "another curve",
        ),
        (
            r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","d":"AAAA"}"#,
            "do not fit each other",
        ),
        (
            r#"{"kty":"EC","crv":"P-256","x":"!","y":"AAAA","d":"AAAA"}"#,
            "member x",
        ),
        (
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}"#,
            "smaller than 2048 bits",
        ),
        (
            r#"{"kty":"oct","k":"AAAA"}"#,
            "neither an RSA nor an EC key",
        ),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(said), "{said}: {refusal}");
    }
}

#[test]
fn a_jwk_needs_all_its_members() {
    for name in ["n", "e", "p", "q", "dp", "dq", "qi"] {
        let mut jwk = rsa_jwk();
        jwk.as_object_mut().unwrap().remove(name);
        assert!(refusal(&jwk.to_string()).contains(&format!("no member {name}")));
    }
    let mut jwk = rsa_jwk();
    jwk["q"] = jwk["p"].clone();
    assert!(refusal(&jwk.to_string()).contains("damaged"));
    let mut jwk = ec_jwk();
    jwk["y"] = jwk["x"].clone();
    assert!(refusal(&jwk.to_string()).contains("do not fit each other"));
}

#[test]
fn any_damage_to_a_key_is_refused_or_harmless() {
    let mut bytes = RSA.as_bytes().to_vec();
    for at in (0..bytes.len()).step_by(13) {
        let kept = std::mem::replace(&mut bytes[at], b'A');
        let text = String::from_utf8(bytes.clone()).unwrap();
        // Whatever comes of it, nothing panics.
        let _ = SigningKey::read(&SecretString::from(text), None);
        bytes[at] = kept;
    }
}
