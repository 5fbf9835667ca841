//! `POST /oauth2/v1/token`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::dpop::Flaw;
use super::jwt::thumbprint;
use super::{Gate, Grant, covers, random_text};
use crate::answer::Answer;
use crate::clock::wall_millis;
use crate::options::SimClient;
use crate::request::{Call, decoded, form};
use crate::route::SCOPES;

const BY_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What is said about a wrong client as about a wrong secret.
const WRONG: &str = "The client secret supplied for a confidential client is invalid.";

/// The form of a request.
struct Form(Vec<(String, String)>);

impl Form {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

impl Gate {
    /// Answers a request for an access token; says whether there is one.
    pub(crate) fn token(&self, call: &Call) -> (Answer, bool) {
        match self.grant(call) {
            Ok(answer) => (answer, true),
            Err(answer) => (answer, false),
        }
    }

    fn grant(&self, call: &Call) -> Result<Answer, Answer> {
        let invalid = |what: &str| Answer::oauth(400, "invalid_request", what);
        if !call
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        {
            return Err(invalid("The body must be a form."));
        }
        let form = Form(form(&call.body));
        match form.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => {
                return Err(Answer::oauth(
                    400,
                    "unsupported_grant_type",
                    "The grant type is not supported.",
                ));
            }
            None => return Err(invalid("The grant_type is missing.")),
        }
        let client = self.authenticated(call, &form).map_err(|what| {
            Answer::oauth(401, "invalid_client", what)
                .header("www-authenticate", "Basic realm=\"Okta\"")
        })?;
        let scopes = scopes(client, form.get("scope"))?;
        let bound_to = self.bound_to(call, client)?;

        let token = random_text(32);
        let kind = if bound_to.is_some() { "DPoP" } else { "Bearer" };
        let answer = Answer::ok(&json!({
            "token_type": kind,
            "expires_in": self.lifetime_millis / 1000,
            "access_token": token,
            "scope": scopes.join(" "),
        }))
        .header("cache-control", "no-store");
        let now = wall_millis();
        let mut tokens = self.tokens.lock().expect("nobody panics with the tokens");
        tokens.retain(|_, grant| grant.expires > now);
        tokens.insert(
            token,
            Grant {
                scopes,
                expires: now.saturating_add(self.lifetime_millis),
                bound_to,
                has_role: client.has_role,
            },
        );
        Ok(answer)
    }

    /// The client that a request proves, in one of the ways that it was registered for.
    fn authenticated(&self, call: &Call, form: &Form) -> Result<&SimClient, &'static str> {
        if let Some(assertion) = form.get("client_assertion") {
            if form.get("client_assertion_type") != Some(BY_ASSERTION) {
                return Err("The client_assertion_type is not valid.");
            }
            return self.asserted(assertion);
        }
        let basic = call
            .header("authorization")
            .and_then(|value| value.strip_prefix("Basic "));
        let (id, secret) = match basic {
            Some(basic) => {
                let bytes = STANDARD.decode(basic.trim()).map_err(|_| WRONG)?;
                let text = String::from_utf8(bytes).map_err(|_| WRONG)?;
                let (id, secret) = text.split_once(':').ok_or(WRONG)?;
                (decoded(id.as_bytes()), decoded(secret.as_bytes()))
            }
            None => (
                form.get("client_id")
                    .ok_or("No client credentials found.")?
                    .to_owned(),
                form.get("client_secret")
                    .ok_or("No client credentials found.")?
                    .to_owned(),
            ),
        };
        self.client(&id)
            .filter(|client| client.secret.as_deref() == Some(secret.as_str()))
            .ok_or(WRONG)
    }

    /// The thumbprint of the key that a token is to be bound to.
    fn bound_to(&self, call: &Call, client: &SimClient) -> Result<Option<String>, Answer> {
        if !call.headers.contains_key("dpop") {
            if client.requires_dpop {
                return Err(flawed("The DPoP proof JWT header is missing."));
            }
            return Ok(None);
        }
        let bound_to = match self.proof(call, &self.token_url(), None, true) {
            Ok(bound_to) => bound_to,
            Err(Flaw::Nonce) => return Err(self.nonce_wanted_for_token()),
            Err(Flaw::Proof(what)) => return Err(flawed(what)),
        };
        let is_its_own = client
            .public_keys
            .iter()
            .any(|key| thumbprint(key).as_ref() == Some(&bound_to));
        if is_its_own {
            return Err(flawed(
                "The key of the proof must be another than the one of the client.",
            ));
        }
        Ok(Some(bound_to))
    }
}

fn flawed(what: &str) -> Answer {
    Answer::oauth(400, "invalid_dpop_proof", what)
}

/// The scopes that are granted: all of those that are asked for, or none.
fn scopes(client: &SimClient, wanted: Option<&str>) -> Result<Vec<String>, Answer> {
    let invalid = |what: &str| Answer::oauth(400, "invalid_scope", what);
    let wanted: Vec<&str> = wanted.unwrap_or_default().split_whitespace().collect();
    if wanted.is_empty() {
        return Err(invalid("The scope is missing."));
    }
    let known = |wanted: &str| {
        SCOPES
            .iter()
            .any(|scope| *scope == wanted || covers(wanted, scope))
    };
    let granted = |wanted: &str| match &client.scopes {
        None => true,
        Some(granted) => granted.iter().any(|granted| covers(granted, wanted)),
    };
    if wanted.iter().all(|scope| known(scope) && granted(scope)) {
        Ok(wanted.into_iter().map(str::to_owned).collect())
    } else {
        Err(invalid(
            "One or more scopes are not configured for the authorization server resource.",
        ))
    }
}
