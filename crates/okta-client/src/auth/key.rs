//! Private keys: reading them, and saying clearly why one cannot be used.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{jwk, pem, random};
use crate::error::{Error, ErrorKind};

/// A private key: RS256 or ES256.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Pair>,
    id: Option<String>,
}

pub(super) enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

/// The smallest RSA modulus that Okta takes, in bytes.
pub(super) const SMALLEST_MODULUS: usize = 256;

pub(super) const WANTED: &str = "give an RSA key of at least 2048 bits or an EC key on P-256, as PEM (BEGIN PRIVATE KEY) or JWK";

pub(super) fn refused(message: &str, hint: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, format!("read the private key: {message}")).with_hint(hint)
}

impl SigningKey {
    /// Reads a key: PEM (PKCS#8, PKCS#1) or JWK. `key_id` wins over the JWK's own `kid`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] with a hint that never shows the text.
    pub fn read(text: &SecretString, key_id: Option<&str>) -> Result<Self, Error> {
        // Editors of some systems put a mark before the first character.
        let text = text.expose_secret().trim_start_matches('\u{feff}').trim();
        let (pair, id) = if text.starts_with('{') {
            jwk::read(text)?
        } else if text.contains("-----BEGIN") {
            (pem::read(text)?, None)
        } else if text.is_empty() {
            return Err(refused("it is empty", WANTED));
        } else {
            return Err(refused("it is neither PEM nor JWK", WANTED));
        };
        let id = key_id.map(str::to_owned).or(id);
        if id
            .as_ref()
            .is_some_and(|id| id.is_empty() || id.len() > 200)
        {
            return Err(refused(
                "its key id is empty or very long",
                "copy the id that Okta shows beside the public key",
            ));
        }
        Ok(Self {
            pair: Arc::new(pair),
            id,
        })
    }

    /// A new EC key, known to nobody else and gone with the process.
    pub(super) fn generate() -> Result<Self, Error> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| random::unavailable())?;
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
                .map_err(|_| random::unavailable())?;
        Ok(Self {
            pair: Arc::new(Pair::Ec(Box::new(pair))),
            id: None,
        })
    }

    /// `RS256` or `ES256`.
    pub(super) fn algorithm(&self) -> &'static str {
        match *self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
        }
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The signature over a message, as a JWT holds it.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| random::unavailable())?;
                Ok(signature)
            }
            Pair::Ec(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| random::unavailable()),
        }
    }

    /// The public half of an EC key as JWK; none for RSA.
    pub(super) fn public_jwk(&self) -> Option<Value> {
        let Pair::Ec(pair) = &*self.pair else {
            return None;
        };
        // An uncompressed point: 4, then 32 bytes of each coordinate.
        let point = pair.public_key().as_ref();
        Some(serde_json::json!({
            "kty": "EC",
            "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(point.get(1..33)?),
            "y": URL_SAFE_NO_PAD.encode(point.get(33..65)?),
        }))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// An RSA key as ring read it, or why it did not.
pub(super) fn rsa(pair: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<Pair, Error> {
    match pair {
        Ok(pair) if pair.public().modulus_len() < SMALLEST_MODULUS => Err(small()),
        Ok(pair) => Ok(Pair::Rsa(Box::new(pair))),
        Err(rejected) => Err(match rejected.to_string().as_str() {
            "TooSmall" => small(),
            "TooLarge" => refused("the RSA key is larger than 4096 bits", WANTED),
            _ => refused(
                "the RSA key is damaged or of a kind that is not supported",
                "two primes and a public exponent of 65537 are supported; openssl makes such keys",
            ),
        }),
    }
}

pub(super) fn small() -> Error {
    refused(
        "the RSA key is smaller than 2048 bits",
        "make a larger one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem",
    )
}
