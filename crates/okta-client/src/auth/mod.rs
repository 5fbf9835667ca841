//! Proving who we are.

use secrecy::SecretString;

use crate::error::Error;

/// How we prove who we are. Its debug text shows no secret.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An API token: `Authorization: SSWS …`.
    ApiToken(SecretString),
    /// OAuth client credentials with a secret (API service integrations).
    ClientSecret {
        /// The client.
        client_id: String,
        /// Its secret.
        secret: SecretString,
    },
    /// OAuth client credentials with a signed assertion (API services apps).
    PrivateKey {
        /// The client.
        client_id: String,
        /// The key whose public half the app knows.
        key: SigningKey,
        /// Whether tokens are bound to a key of ours (DPoP).
        dpop: bool,
    },
}

/// A private key: RS256 or ES256.
#[derive(Clone)]
pub struct SigningKey {}

impl SigningKey {
    /// Reads a key: PEM (PKCS#8, PKCS#1) or JWK. `key_id` wins over the JWK's own `kid`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] with a hint that never shows the text.
    pub fn read(_text: &SecretString, _key_id: Option<&str>) -> Result<Self, Error> {
        todo!()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}
