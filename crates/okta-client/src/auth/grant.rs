//! Asking for an access token: OAuth client credentials.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Request, Url};
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

use super::credential::{check_client, checked, sensitive};
use super::dpop::{Asks, ProofKey, token_hash};
use super::jwt;
use super::key::SigningKey;
use super::oauth_error::{self, Method};
use crate::error::{Error, ErrorKind};
use crate::http::refusal;
use crate::http::repeat::Patience;
use crate::http::transport::{Reply, Wire};
use crate::origin::Origin;
use crate::scope::Scope;

pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");

const WHAT: &str = "an access token";

/// A token is renewed this long before it ends, or after three quarters of a short life.
const EARLY: Duration = Duration::from_mins(5);

/// Beyond this difference an assertion of ours is refused for its time alone.
const CLOCKS_FAR_APART_MILLIS: i64 = 5_000;

/// An access token of one scope.
pub(crate) struct Token {
    pub(super) value: SecretString,
    pub(super) header: HeaderValue,
    /// How proofs name it; none when it is not bound to a key.
    pub(super) hash: Option<String>,
    pub(super) ends: Instant,
    /// From then on a new one is asked for.
    pub(super) renew_at: Instant,
}

/// How tokens are asked for.
pub(super) struct Grant {
    url: Url,
    client: Client,
    pub(super) proof: Option<ProofKey>,
}

enum Client {
    /// The header, and what is secret in it: plain and as it is encoded.
    Secret(HeaderValue, [SecretString; 2]),
    Key {
        client_id: String,
        key: SigningKey,
    },
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
}

impl Grant {
    pub(super) fn with_secret(
        origin: &Origin,
        client_id: &str,
        secret: &SecretString,
    ) -> Result<Self, Error> {
        check_client(client_id)?;
        let secret = checked(secret, "the client secret")?;
        let pair = Zeroizing::new(format!("{client_id}:{secret}"));
        let encoded = Zeroizing::new(STANDARD.encode(&*pair));
        let header = sensitive(&Zeroizing::new(format!("Basic {}", &*encoded)))?;
        let secrets = [secret, &encoded].map(SecretString::from);
        Ok(Self {
            url: origin.join("/oauth2/v1/token"),
            client: Client::Secret(header, secrets),
            proof: None,
        })
    }

    pub(super) fn with_key(
        origin: &Origin,
        client_id: &str,
        key: &SigningKey,
        dpop: bool,
    ) -> Result<Self, Error> {
        check_client(client_id)?;
        Ok(Self {
            url: origin.join("/oauth2/v1/token"),
            client: Client::Key {
                client_id: client_id.to_owned(),
                key: key.clone(),
            },
            proof: dpop.then(ProofKey::generate).transpose()?,
        })
    }

    fn method(&self) -> Method {
        match self.client {
            Client::Secret(..) => Method::Secret,
            Client::Key { .. } => Method::Key {
                dpop: self.proof.is_some(),
            },
        }
    }

    /// Asks for a token of one scope, however often it takes.
    pub(super) async fn ask(&self, wire: &Wire, scope: Scope) -> Result<Token, Error> {
        let mut patience = Patience::new(wire, WHAT.to_owned());
        let (mut had_nonce, mut had_clock) = (false, false);
        loop {
            let now = wire.now();
            let mut request = self.request(wire, scope)?;
            patience.tell(request.headers_mut());
            let reply = match wire.send(request).await {
                Ok(reply) => reply,
                Err(broken) => {
                    patience.broken(broken).await?;
                    continue;
                }
            };
            tracing::debug!(scope = scope.as_str(), status = reply.status, "token");
            if reply.status == 200 {
                return self.accept(reply);
            }
            if reply.status == 429 {
                if let Some(wait) = patience.limited(&reply.head).await? {
                    wire.pause("rate limit of /oauth2/v1/token", wait).await;
                }
                continue;
            }
            let said = refusal::said(&reply.body, &self.secrets());
            let code = said.code.as_deref();
            if let (Some(proof), Some(nonce)) = (&self.proof, &reply.head.dpop_nonce) {
                proof.note_nonce(Asks::TokenServer, nonce);
                if (code == Some("use_dpop_nonce") || reply.head.wants_nonce)
                    && !std::mem::replace(&mut had_nonce, true)
                {
                    patience.repeats(None);
                    continue;
                }
            }
            // What was refused may have been right but for its time, which is known by now.
            let clocks_differ = matches!(self.client, Client::Key { .. })
                && reply.head.date.is_some_and(|date| {
                    date.0.abs_diff(now.0) > CLOCKS_FAR_APART_MILLIS.unsigned_abs()
                });
            if clocks_differ
                && matches!(
                    code,
                    Some("invalid_client" | "invalid_dpop_proof" | "E0000004")
                )
                && !std::mem::replace(&mut had_clock, true)
            {
                patience.repeats(Some(&reply.head));
                continue;
            }
            if (300..400).contains(&reply.status) {
                return Err(refusal::redirect(
                    WHAT,
                    &reply,
                    &self.url,
                    &wire.options.origin,
                ));
            }
            let error =
                oauth_error::refused(WHAT, scope, self.method(), clocks_differ, &reply, &said);
            let passes = reply.status == 408
                || (reply.status >= 500 && reply.status != 501)
                || matches!(code, Some("temporarily_unavailable" | "server_error"));
            if !passes {
                return Err(error);
            }
            let why = format!("repeating after {}", reply.status);
            patience.failed(&why, Some(&reply.head), error).await?;
        }
    }

    /// What must not appear in anything that is shown.
    pub(super) fn secrets(&self) -> Vec<&str> {
        match &self.client {
            Client::Secret(_, secrets) => secrets.iter().map(SecretString::expose_secret).collect(),
            Client::Key { .. } => Vec::new(),
        }
    }

    fn request(&self, wire: &Wire, scope: Scope) -> Result<Request, Error> {
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("scope", scope.as_str().to_owned()),
        ];
        if let Client::Key { client_id, key } = &self.client {
            let assertion = jwt::assertion(key, client_id, self.url.as_str(), wire.now())?;
            form.push((
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned(),
            ));
            form.push(("client_assertion", assertion));
        }
        let mut request = wire.form(self.url.clone(), &form)?;
        let headers = request.headers_mut();
        if let Client::Secret(header, _) = &self.client {
            headers.insert(AUTHORIZATION, header.clone());
        }
        if let Some(proof) = &self.proof {
            let proof = proof.prove(Asks::TokenServer, "POST", &self.url, None, wire.now())?;
            headers.insert(DPOP, sensitive(&proof)?);
        }
        Ok(request)
    }

    fn accept(&self, mut reply: Reply) -> Result<Token, Error> {
        let given = serde_json::from_slice::<Given>(&reply.body);
        reply.body.zeroize();
        let is_html = reply.head.is_html;
        let given = given.map_err(|_| {
            Error::new(
                ErrorKind::NotOkta,
                format!(
                    "read {WHAT}: the answer is {}, not a token",
                    if is_html {
                        "a web page"
                    } else {
                        "something else"
                    }
                ),
            )
            .with_hint("check the address; if it is right, something between us and Okta answers")
            .with_answer(reply.status, None)
        })?;
        let value = SecretString::from(given.access_token);
        let (kind, hash) = match &self.proof {
            None => ("Bearer", None),
            Some(proof) => {
                if let Some(nonce) = &reply.head.dpop_nonce {
                    proof.note_nonce(Asks::TokenServer, nonce);
                }
                ("DPoP", Some(token_hash(value.expose_secret())))
            }
        };
        if !given.token_type.eq_ignore_ascii_case(kind) {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("read {WHAT}: it is not of the kind {kind}"),
            )
            .with_hint(if self.proof.is_some() {
                "the app does not bind its tokens: set Require DPoP in the app, or dpop = false here"
            } else {
                "the app binds its tokens: set dpop = true"
            })
            .with_answer(reply.status, None));
        }
        let text = checked(&value, "the access token that Okta gave")?;
        let header = sensitive(&Zeroizing::new(format!("{kind} {text}")))?;
        // An hour is what Okta says; a day is more than any server means.
        let life = Duration::from_secs(given.expires_in.unwrap_or(3600).min(86_400));
        let now = Instant::now();
        Ok(Token {
            header,
            hash,
            ends: now + life,
            renew_at: now + life - EARLY.min(life / 4),
            value,
        })
    }
}
