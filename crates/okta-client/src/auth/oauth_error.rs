//! What an authorization server means by refusing a token.

use crate::error::{Error, ErrorKind};
use crate::http::refusal::{Said, sentence};
use crate::http::transport::Reply;
use crate::scope::Scope;

/// Which credential was refused, for the hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Secret,
    Key { dpop: bool },
}

pub(super) fn refused(
    what: &str,
    scope: Scope,
    method: Method,
    clocks_differ: bool,
    reply: &Reply,
    said: &Said,
) -> Error {
    let code = said.code.as_deref().unwrap_or_default();
    let name = scope.as_str();
    let (kind, hint) = match (code, method) {
        ("invalid_client" | "E0000004", Method::Secret) => (
            ErrorKind::Unauthorized,
            "the client id or its secret is wrong, or the secret was replaced; or the app wants a private key".to_owned(),
        ),
        ("invalid_client" | "E0000004", Method::Key { .. }) if clocks_differ => (
            ErrorKind::Unauthorized,
            "the clock of this machine is wrong, and Okta refuses assertions from another time; set it right".to_owned(),
        ),
        ("invalid_client" | "E0000004", Method::Key { .. }) => (
            ErrorKind::Unauthorized,
            "check the client id, that the public half of this key is registered for the app, and that key_id is its id there".to_owned(),
        ),
        ("invalid_scope", _) => (
            ErrorKind::Forbidden,
            format!("grant {name} to the app (Okta API Scopes)"),
        ),
        ("access_denied", _) => (
            ErrorKind::Forbidden,
            format!("a policy of the org denies this app a token; check that it is active, that {name} is granted, and its network zones"),
        ),
        ("unauthorized_client" | "unsupported_grant_type", _) => (
            ErrorKind::Forbidden,
            "the app must be an API services app, or an API service integration (grant type client credentials)".to_owned(),
        ),
        ("invalid_dpop_proof", Method::Key { dpop: true }) if clocks_differ => (
            ErrorKind::Unauthorized,
            "the clock of this machine is wrong, and Okta refuses proofs from another time; set it right".to_owned(),
        ),
        ("invalid_dpop_proof" | "use_dpop_nonce", Method::Key { dpop: true }) => (
            ErrorKind::Unauthorized,
            "something between us and Okta may change the address or the headers of calls".to_owned(),
        ),
        ("invalid_dpop_proof" | "use_dpop_nonce", Method::Key { dpop: false }) => (
            ErrorKind::Unauthorized,
            "the app requires DPoP: set dpop = true".to_owned(),
        ),
        ("invalid_dpop_proof" | "use_dpop_nonce", Method::Secret) => (
            ErrorKind::Unauthorized,
            "the app requires DPoP, which goes with a private key only: use auth = \"private_key\"".to_owned(),
        ),
        _ if reply.status >= 500 => (ErrorKind::Unavailable, "see status.okta.com".to_owned()),
        _ if (reply.status, code) == (404, "") => (
            ErrorKind::NotFound,
            "check that the address is the one of an Okta org".to_owned(),
        ),
        _ => (
            ErrorKind::Refused,
            "check the app's settings: client credentials, its scopes, its admin role".to_owned(),
        ),
    };
    let mut text = sentence(what, reply, said);
    if code == "invalid_scope" {
        text = format!("{text} ({name} is not granted)");
    }
    Error::new(kind, text)
        .with_hint(hint)
        .with_answer(reply.status, said.code.as_deref())
}
