//! What the user gave to prove who we are.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use super::key::SigningKey;
use crate::error::{Error, ErrorKind};

/// How we prove who we are. Its debug text shows no secret.
#[derive(Clone)]
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

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiToken(_) => "ApiToken(…)",
            Self::ClientSecret { .. } => "ClientSecret(…)",
            Self::PrivateKey { dpop: true, .. } => "PrivateKey(…, dpop)",
            Self::PrivateKey { dpop: false, .. } => "PrivateKey(…)",
        })
    }
}

/// A secret as it is sent: without the blank space that files and variables have around it.
pub(super) fn checked<'a>(secret: &'a SecretString, what: &str) -> Result<&'a str, Error> {
    let text = secret.expose_secret().trim();
    if text.is_empty() {
        return Err(
            Error::new(ErrorKind::Usage, format!("use {what}: it is empty"))
                .with_hint("check the variable or the file that it is read from"),
        );
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) || text.len() > 4096 {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("use {what}: it holds characters that none has"),
        )
        .with_hint("check that the variable or the file holds the secret alone, on one line"));
    }
    Ok(text)
}

/// A header that is neither logged nor kept for compression.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Error::new(
            ErrorKind::Usage,
            "use the credential: it holds characters that no header can carry",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn check_client(client_id: &str) -> Result<(), Error> {
    let fits = (1..=200).contains(&client_id.len())
        && client_id.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    if fits {
        Ok(())
    } else {
        Err(
            Error::new(ErrorKind::Usage, "use the client id: it is none")
                .with_hint("copy the client id of the app, e.g. 0oa1b2c3d4e5f6g7h8i9"),
        )
    }
}
