//! Signed documents: what we say about ourselves, and a proof that it is us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::key::SigningKey;
use super::random;
use crate::error::Error;
use af_model::UtcMillis;

/// How long an assertion is good for, in seconds. Okta allows an hour; it is used at once.
const LIFETIME: i64 = 300;

/// How far before our clock an assertion says it was made, in seconds.
const LEEWAY: i64 = 30;

/// The claims of a client assertion (`private_key_jwt`).
pub(super) fn assertion(
    key: &SigningKey,
    client_id: &str,
    token_url: &str,
    now: UtcMillis,
) -> Result<String, Error> {
    let issued = now.0.div_euclid(1000);
    let mut header = serde_json::json!({"alg": key.algorithm(), "typ": "JWT"});
    if let Some(id) = key.id() {
        header["kid"] = id.into();
    }
    let claims = serde_json::json!({
        "aud": token_url,
        "iss": client_id,
        "sub": client_id,
        // A clock that is a little fast must not make it an assertion of the future.
        "iat": issued - LEEWAY,
        "exp": issued + LIFETIME,
        "jti": random::id()?,
    });
    sign(key, &header, &claims)
}

/// `header.claims.signature`, each in base64url.
pub(super) fn sign(key: &SigningKey, header: &Value, claims: &Value) -> Result<String, Error> {
    let mut text = URL_SAFE_NO_PAD.encode(header.to_string());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut text);
    let signature = key.sign(text.as_bytes())?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(text)
}
