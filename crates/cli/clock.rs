//! The only place that reads the clock and the system's randomness.

use std::io::Read;

use af_model::UtcMillis;
use anyhow::Context;

/// Now, in milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "instants are arguments everywhere below"
)]
pub(crate) fn now() -> UtcMillis {
    UtcMillis(chrono::Utc::now().timestamp_millis())
}

/// A moment to measure from.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a stage took is told to people, never computed with"
)]
pub(crate) fn moment() -> std::time::Instant {
    std::time::Instant::now()
}

/// 32 bytes from the system's secure source.
///
/// # Errors
/// The system's source cannot be read.
pub(crate) fn random_bytes() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    fs_err::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("make the key of hashed names")?;
    Ok(bytes)
}
