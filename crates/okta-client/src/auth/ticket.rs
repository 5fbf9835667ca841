//! What a request is signed with, and the cache of access tokens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Request;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::credential::{Credential, checked, sensitive};
use super::dpop::Asks;
use super::grant::{DPOP, Grant, Token};
use crate::error::{Error, ErrorKind};
use crate::http::ClientOptions;
use crate::http::refusal::Who;
use crate::http::transport::Wire;
use crate::scope::Scope;

/// A renewal that failed while the token is still good is tried again after this.
const RENEW_AGAIN: Duration = Duration::from_mins(1);

/// Proves who we are. Shared by all clones of a client.
pub(crate) struct Auth(Means);

enum Means {
    ApiToken {
        header: HeaderValue,
        token: SecretString,
    },
    OAuth(Box<OAuth>),
}

struct OAuth {
    grant: Grant,
    slots: [Slot; Scope::ALL.len()],
}

/// The token of one scope.
#[derive(Default)]
struct Slot {
    /// Who holds it asks for the token; everybody else waits and takes what came of it.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    /// How often a token was asked for, and how the last time failed.
    asked: u64,
    failed: Option<Error>,
    /// No renewal before this, because one just failed.
    renew_again_at: Option<Instant>,
}

impl State {
    /// The token, when it is good and not due for renewal.
    fn fresh(&self, now: Instant) -> Option<Arc<Token>> {
        let token = self.token.as_ref()?;
        let is_due = now >= token.renew_at && self.renew_again_at.is_none_or(|again| now >= again);
        (now < token.ends && !is_due).then(|| Arc::clone(token))
    }

    /// The token, when it is good, due for renewal or not.
    fn good(&self, now: Instant) -> Option<Arc<Token>> {
        self.token.clone().filter(|token| now < token.ends)
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one call is signed with.
pub(crate) enum Ticket {
    ApiToken(SecretString),
    Access(Arc<Token>),
}

impl Ticket {
    pub(crate) fn who(&self) -> Who {
        match self {
            Self::ApiToken(_) => Who::ApiToken,
            Self::Access(_) => Who::OAuth,
        }
    }

    /// Whether another one can be had in its place.
    pub(crate) fn is_renewable(&self) -> bool {
        matches!(self, Self::Access(_))
    }
}

impl Auth {
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, Error> {
        let origin = &options.origin;
        let grant = match &options.credential {
            Credential::ApiToken(token) => {
                let text = token.expose_secret().trim();
                // Some copy the token out of an example of a whole header.
                let bare = SecretString::from(text.strip_prefix("SSWS ").unwrap_or(text));
                let text = checked(&bare, "the API token")?;
                let header = sensitive(&Zeroizing::new(format!("SSWS {text}")))?;
                return Ok(Self(Means::ApiToken {
                    header,
                    token: SecretString::from(text),
                }));
            }
            Credential::ClientSecret { client_id, secret } => {
                Grant::with_secret(origin, client_id, secret)?
            }
            Credential::PrivateKey {
                client_id,
                key,
                dpop,
            } => Grant::with_key(origin, client_id, key, *dpop)?,
        };
        let slots = std::array::from_fn(|_| Slot::default());
        Ok(Self(Means::OAuth(Box::new(OAuth { grant, slots }))))
    }

    /// What a call that needs this scope is signed with: from the cache, or asked for. However many
    /// calls need it, it is asked for once, and they share also its failure.
    pub(crate) async fn ticket(&self, wire: &Wire, scope: Scope) -> Result<Ticket, Error> {
        let (grant, slots) = match &self.0 {
            Means::ApiToken { token, .. } => return Ok(Ticket::ApiToken(token.clone())),
            Means::OAuth(oauth) => (&oauth.grant, &oauth.slots),
        };
        let slot = &slots[scope.index()];
        let (asked_before, good) = {
            let state = slot.state();
            let now = Instant::now();
            if let Some(token) = state.fresh(now) {
                return Ok(Ticket::Access(token));
            }
            (state.asked, state.good(now))
        };
        let _turn = match (slot.turn.try_lock(), good) {
            (Ok(turn), _) => turn,
            // Somebody else renews it; meanwhile the old one will do.
            (Err(_), Some(token)) => return Ok(Ticket::Access(token)),
            (Err(_), None) => slot.turn.lock().await,
        };
        {
            let state = slot.state();
            if let Some(token) = state.fresh(Instant::now()) {
                return Ok(Ticket::Access(token));
            }
            if state.asked != asked_before
                && let Some(error) = &state.failed
            {
                return Err(error.clone());
            }
        }
        let outcome = grant.ask(wire, scope).await;
        let now = Instant::now();
        let mut state = slot.state();
        state.asked += 1;
        match outcome {
            Ok(token) => {
                let token = Arc::new(token);
                state.token = Some(Arc::clone(&token));
                state.failed = None;
                state.renew_again_at = None;
                Ok(Ticket::Access(token))
            }
            Err(error) => {
                let passes = matches!(
                    error.kind(),
                    ErrorKind::Unavailable | ErrorKind::RateLimited
                );
                if let Some(token) = state.good(now).filter(|_| passes) {
                    state.renew_again_at = Some(now + RENEW_AGAIN);
                    return Ok(Ticket::Access(token));
                }
                state.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Signs a call of the API.
    pub(crate) fn sign(
        &self,
        ticket: &Ticket,
        wire: &Wire,
        request: &mut Request,
    ) -> Result<(), Error> {
        let header = match (&self.0, ticket) {
            (Means::ApiToken { header, .. }, _) => header.clone(),
            (Means::OAuth(oauth), Ticket::Access(token)) => {
                if let (Some(proof), Some(hash)) = (&oauth.grant.proof, &token.hash) {
                    let method = request.method().as_str().to_owned();
                    let proof =
                        proof.prove(Asks::Api, &method, request.url(), Some(hash), wire.now())?;
                    request.headers_mut().insert(DPOP, sensitive(&proof)?);
                }
                token.header.clone()
            }
            (Means::OAuth(_), Ticket::ApiToken(_)) => {
                unreachable!("tickets of OAuth clients are access tokens")
            }
        };
        request.headers_mut().insert(AUTHORIZATION, header);
        Ok(())
    }

    /// Lends what must not appear in anything that is shown.
    pub(crate) fn with_secrets<T>(&self, ticket: &Ticket, look: impl FnOnce(&[&str]) -> T) -> T {
        let mut secrets = match ticket {
            Ticket::ApiToken(token) => vec![token.expose_secret()],
            Ticket::Access(token) => vec![token.value.expose_secret()],
        };
        if let Means::OAuth(oauth) = &self.0 {
            secrets.extend(oauth.grant.secrets());
        }
        look(&secrets)
    }

    /// Forgets a token that was refused, unless another one came in its place meanwhile.
    pub(crate) fn discard(&self, scope: Scope, ticket: &Ticket) {
        if let (Means::OAuth(oauth), Ticket::Access(refused)) = (&self.0, ticket) {
            let mut state = oauth.slots[scope.index()].state();
            if state
                .token
                .as_ref()
                .is_some_and(|token| Arc::ptr_eq(token, refused))
            {
                state.token = None;
            }
        }
    }

    /// Remembers what the next proof for the API must contain.
    pub(crate) fn note_nonce(&self, nonce: &str) {
        if let Means::OAuth(oauth) = &self.0
            && let Some(proof) = &oauth.grant.proof
        {
            proof.note_nonce(Asks::Api, nonce);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::{Allow, Origin};
    use af_model::UtcMillis;

    #[tokio::test]
    async fn headers_that_carry_a_secret_are_never_logged() {
        let allow = Allow {
            loopback: true,
            ..Allow::default()
        };
        let origin = Origin::parse("http://127.0.0.1:1", allow).unwrap();
        let credential = Credential::ApiToken(SecretString::from("token-of-the-test"));
        let clock = Arc::new(|| UtcMillis(0));
        let options = ClientOptions::new(origin.clone(), credential, clock);
        let auth = Auth::new(&options).unwrap();
        let wire = Wire::new(options).unwrap();
        let ticket = auth.ticket(&wire, Scope::LogsRead).await.unwrap();
        let mut request = Request::new(reqwest::Method::GET, origin.join("/api/v1/logs"));
        auth.sign(&ticket, &wire, &mut request).unwrap();
        let header = &request.headers()[AUTHORIZATION];
        assert_eq!(header.to_str().unwrap(), "SSWS token-of-the-test");
        assert!(header.is_sensitive());
        assert!(!format!("{request:?} {wire:?}").contains("token-of-the-test"));
    }
}
