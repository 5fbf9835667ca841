//! Proof of possession (DPoP, RFC 9449): a token that is worth nothing without our key.

use std::sync::{Mutex, PoisonError};

use af_model::UtcMillis;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::jwt;
use super::key::SigningKey;
use super::random;
use crate::error::Error;

/// The key that tokens are bound to, and what servers want to find in its proofs. It is never the
/// key of the app, is written nowhere, and lives as long as the client.
pub(super) struct ProofKey {
    key: SigningKey,
    public: Value,
    nonces: [Mutex<Option<String>>; 2],
}

/// Who asks for a proof; each has nonces of its own.
#[derive(Clone, Copy)]
pub(super) enum Asks {
    TokenServer,
    Api,
}

impl ProofKey {
    pub(super) fn generate() -> Result<Self, Error> {
        let key = SigningKey::generate()?;
        let public = key.public_jwk().ok_or_else(random::unavailable)?;
        Ok(Self {
            key,
            public,
            nonces: [Mutex::new(None), Mutex::new(None)],
        })
    }

    fn nonce(&self, asks: Asks) -> std::sync::MutexGuard<'_, Option<String>> {
        self.nonces[asks as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what the next proof must contain.
    pub(super) fn note_nonce(&self, asks: Asks, nonce: &str) {
        *self.nonce(asks) = Some(nonce.to_owned());
    }

    /// A proof for one request; with the hash of the token that goes with it, if one does.
    pub(super) fn prove(
        &self,
        asks: Asks,
        method: &str,
        url: &Url,
        token_hash: Option<&str>,
        now: UtcMillis,
    ) -> Result<String, Error> {
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let header = serde_json::json!({
            "typ": "dpop+jwt",
            "alg": self.key.algorithm(),
            "jwk": self.public,
        });
        let mut claims = serde_json::json!({
            "htm": method,
            "htu": target.as_str(),
            "iat": now.0.div_euclid(1000),
            "jti": random::id()?,
        });
        if let Some(hash) = token_hash {
            claims["ath"] = hash.into();
        }
        if let Some(nonce) = self.nonce(asks).as_deref() {
            claims["nonce"] = nonce.into();
        }
        jwt::sign(&self.key, &header, &claims)
    }
}

/// How a proof names the token that it goes with.
pub(super) fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()))
}
