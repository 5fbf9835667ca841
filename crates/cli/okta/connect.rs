//! From a configured integration to a client that may ask it.

use std::sync::Arc;
use std::time::Duration;

use af_engine::config::Auth;
use af_model::name::Printable;
use af_okta_client::{
    Allow, Client, ClientOptions, Clock, Error, ErrorKind, News, Origin, Progress, SigningKey, Stop,
};

use super::integrations::Integration;
use super::secret;
use crate::clock;

/// A client behaves like this unless the configuration says otherwise.
const REPEATS: u32 = 6;
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);
const LONGEST_LIMIT_WAIT: Duration = Duration::from_mins(5);
const TIMEOUT: Duration = Duration::from_mins(1);
const LARGEST_ANSWER: usize = 256 << 20;

/// Makes the client of an integration; calls nobody. What a user should read about the place of its
/// secret is told to whoever watches.
///
/// # Errors
/// The address, the credential or its secret cannot be used.
pub(crate) fn client(
    integration: &Integration<'_>,
    progress: Arc<dyn Progress>,
    stop: Stop,
) -> Result<Client, Error> {
    let api = integration.api;
    let origin = Origin::parse(
        &api.url,
        Allow {
            custom_domain: api.custom_domain,
            loopback: true,
        },
    )?;
    let Some(configured) = integration.credential else {
        let message = format!("find the credential {}", Printable(&api.credential));
        return Err(Error::new(ErrorKind::Usage, message)
            .with_hint("write a [[credential]] of that name into the configuration"));
    };
    let found = secret::read(configured)?;
    if let Some(warning) = found.warning {
        progress.tell(&News::Warning(&warning));
    }
    let credential = match &configured.auth {
        Auth::ApiToken => af_okta_client::Credential::ApiToken(found.secret),
        Auth::ClientSecret { client_id } => af_okta_client::Credential::ClientSecret {
            client_id: client_id.clone(),
            secret: found.secret,
        },
        Auth::PrivateKey {
            client_id,
            key_id,
            dpop,
        } => af_okta_client::Credential::PrivateKey {
            client_id: client_id.clone(),
            key: SigningKey::read(&found.secret, key_id.as_deref())?,
            dpop: *dpop,
        },
    };
    Client::new(options(
        origin,
        credential,
        api.rate_percent,
        Arc::new(clock::now),
        progress,
        stop,
    ))
}

/// What is to be said about the end of an integration's credential; nothing while it is far.
pub(crate) fn expiry(integration: &Integration<'_>) -> Option<String> {
    integration
        .credential
        .and_then(|credential| credential.expiry_warning(clock::now().day()))
}

/// How a client behaves, with everything that nobody has to choose.
pub(crate) fn options(
    origin: Origin,
    credential: af_okta_client::Credential,
    rate_percent: u8,
    clock: Clock,
    progress: Arc<dyn Progress>,
    stop: Stop,
) -> ClientOptions {
    ClientOptions {
        origin,
        credential,
        rate_percent,
        repeats: REPEATS,
        longest_backoff: LONGEST_BACKOFF,
        longest_limit_wait: LONGEST_LIMIT_WAIT,
        timeout: TIMEOUT,
        largest_answer: LARGEST_ANSWER,
        clock,
        progress,
        stop,
    }
}
