//! Who calls, and what they may do.

mod assertion;
mod dpop;
mod jwt;
mod once;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::answer::{Answer, Refusal};
use crate::clock::{Clock, wall_millis};
use crate::options::{SimClient, SimOptions};
use crate::request::Call;
use once::Once;

/// Everything about proving who one is.
pub(crate) struct Gate {
    api_token: Option<String>,
    clients: Vec<SimClient>,
    lifetime_millis: i64,
    nonce_on_calls: bool,
    base: String,
    tokens: Mutex<HashMap<String, Grant>>,
    assertions: Once,
    proofs: Once,
    nonces: Mutex<Nonces>,
    clock: Arc<Clock>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

/// What an access token stands for.
#[derive(Clone, Debug)]
struct Grant {
    scopes: Vec<String>,
    expires: i64,
    /// The thumbprint of the key that it is bound to.
    bound_to: Option<String>,
    has_role: bool,
}

/// Nonces for proofs of possession: the one that is handed out, and the one before it.
#[derive(Debug)]
struct Nonces {
    current: String,
    previous: Option<String>,
}

impl Gate {
    pub(crate) fn new(options: &SimOptions, base: &str, clock: Arc<Clock>) -> Self {
        Self {
            api_token: options.api_token.clone(),
            clients: options.clients.clone(),
            lifetime_millis: i64::try_from(options.token_lifetime.as_millis()).unwrap_or(i64::MAX),
            nonce_on_calls: options.nonce_on_calls,
            base: base.to_owned(),
            tokens: Mutex::new(HashMap::new()),
            assertions: Once::default(),
            proofs: Once::default(),
            nonces: Mutex::new(Nonces {
                current: random_text(16),
                previous: None,
            }),
            clock,
        }
    }

    /// What time it may be for whoever signs something: by the world's clock, or by the org's, which is
    /// what our answers are dated with.
    fn clocks(&self) -> [i64; 2] {
        [wall_millis(), self.clock.now()]
    }

    /// Whether a call may ask for what needs a scope.
    ///
    /// # Errors
    /// The answer that says why not.
    pub(crate) fn admit(&self, call: &Call, scope: &str) -> Result<(), Answer> {
        let Some(authorization) = call.header("authorization") else {
            return Err(Refusal::no_session().into());
        };
        let (scheme, token) = authorization.split_once(' ').unwrap_or((authorization, ""));
        let token = token.trim();
        match scheme.to_ascii_lowercase().as_str() {
            "ssws" => {
                if self.api_token.as_deref() == Some(token) {
                    Ok(())
                } else {
                    Err(Refusal::token().into())
                }
            }
            "bearer" => self.admit_token(call, token, scope, false),
            "dpop" => self.admit_token(call, token, scope, true),
            _ => Err(Refusal::no_session().into()),
        }
    }

    fn admit_token(&self, call: &Call, token: &str, scope: &str, dpop: bool) -> Result<(), Answer> {
        let invalid = |description: &str| {
            let scheme = if dpop { "DPoP" } else { "Bearer" };
            Answer::refused(&Refusal::token()).header(
                "www-authenticate",
                format!("{scheme} error=\"invalid_token\", error_description=\"{description}\""),
            )
        };
        let grant = self
            .tokens
            .lock()
            .expect("nobody panics with the tokens")
            .get(token)
            .cloned()
            .ok_or_else(|| invalid("The token is not known"))?;
        if grant.expires <= wall_millis() {
            return Err(invalid("The token has expired"));
        }
        match (&grant.bound_to, dpop) {
            (None, false) => {}
            (None, true) => return Err(invalid("The token is no DPoP token")),
            (Some(_), false) => return Err(invalid("The token needs a proof of possession")),
            (Some(thumbprint), true) => self.check_possession(call, token, thumbprint)?,
        }
        if !grant.scopes.iter().any(|granted| covers(granted, scope)) {
            return Err(Answer::refused(&Refusal::forbidden()).header(
                "www-authenticate",
                format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""),
            ));
        }
        if !grant.has_role {
            return Err(Refusal::forbidden().into());
        }
        Ok(())
    }

    /// All access tokens end here and now.
    pub(crate) fn expire_tokens(&self) {
        self.tokens
            .lock()
            .expect("nobody panics with the tokens")
            .clear();
    }

    /// Another nonce from now on. The one before it stays good, unless all are forgotten.
    pub(crate) fn renew_nonce(&self, forget: bool) {
        let mut nonces = self.nonces.lock().expect("nobody panics with the nonces");
        let before = std::mem::replace(&mut nonces.current, random_text(16));
        nonces.previous = (!forget).then_some(before);
    }

    /// The nonce that is handed out.
    fn nonce(&self) -> String {
        let nonces = self.nonces.lock().expect("nobody panics with the nonces");
        nonces.current.clone()
    }

    fn is_good_nonce(&self, nonce: &str) -> bool {
        let nonces = self.nonces.lock().expect("nobody panics with the nonces");
        nonces.current == nonce || nonces.previous.as_deref() == Some(nonce)
    }

    fn token_url(&self) -> String {
        format!("{}/oauth2/v1/token", self.base)
    }

    fn client(&self, id: &str) -> Option<&SimClient> {
        self.clients.iter().find(|client| client.client_id == id)
    }
}

/// Whether a granted scope includes another: managing includes reading.
fn covers(granted: &str, wanted: &str) -> bool {
    granted == wanted
        || granted
            .strip_suffix(".manage")
            .is_some_and(|stem| wanted.strip_suffix(".read") == Some(stem))
}

/// Text that nobody can guess.
fn random_text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    SystemRandom::new()
        .fill(&mut random)
        .expect("the system has random numbers");
    URL_SAFE_NO_PAD.encode(random)
}
