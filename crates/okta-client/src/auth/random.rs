//! Randomness for ids and keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, ErrorKind};

/// An id that never repeats: 128 random bits.
pub(super) fn id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| unavailable())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

pub(super) fn unavailable() -> Error {
    Error::new(
        ErrorKind::Usage,
        "use cryptography: this machine gives no random numbers",
    )
}
