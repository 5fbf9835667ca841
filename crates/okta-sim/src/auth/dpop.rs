//! Proofs of possession (`DPoP`, RFC 9449).

use serde_json::Value;

use super::Gate;
use super::jwt::{Jwt, sha256, thumbprint};
use crate::answer::{Answer, Refusal};
use crate::request::Call;

/// How far the clock of a proof may be off.
const LEEWAY_MILLIS: i64 = 300_000;

/// What is wrong with a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It lacks a nonce, or has an old one.
    Nonce,
    /// Anything else.
    Proof(&'static str),
}

impl Gate {
    /// Checks the proof of a call for an URL; its key's thumbprint is returned.
    pub(super) fn proof(
        &self,
        call: &Call,
        url: &str,
        token: Option<&str>,
        nonce_needed: bool,
    ) -> Result<String, Flaw> {
        let text = call
            .header("dpop")
            .ok_or(Flaw::Proof("There must be one DPoP header"))?;
        let proof = Jwt::parse(text).ok_or(Flaw::Proof("The proof is no JWT"))?;
        if proof.header.get("typ").and_then(Value::as_str) != Some("dpop+jwt") {
            return Err(Flaw::Proof("The typ of the proof must be dpop+jwt"));
        }
        let key = proof
            .header
            .get("jwk")
            .ok_or(Flaw::Proof("The proof must carry its public key"))?;
        if ["d", "p", "q", "k"]
            .iter()
            .any(|part| !key[*part].is_null())
        {
            return Err(Flaw::Proof("The key of the proof must be public"));
        }
        if !proof.is_signed_by(key) {
            return Err(Flaw::Proof("The signature of the proof is wrong"));
        }
        let thumbprint = thumbprint(key).ok_or(Flaw::Proof("The key is of no known kind"))?;
        if proof.text("htm") != Some(call.method.as_str()) {
            return Err(Flaw::Proof("The htm of the proof is another method"));
        }
        if proof.text("htu") != Some(url) {
            return Err(Flaw::Proof("The htu of the proof is another URL"));
        }
        let issued = proof
            .seconds("iat")
            .map(|seconds| seconds.saturating_mul(1000))
            .ok_or(Flaw::Proof("The proof has no iat"))?;
        let is_now = |now: &i64| now.saturating_sub(issued).abs() <= LEEWAY_MILLIS;
        let now = self
            .clocks()
            .into_iter()
            .find(is_now)
            .ok_or(Flaw::Proof("The iat of the proof is not now"))?;
        if let Some(token) = token
            && proof.text("ath") != Some(sha256(token.as_bytes()).as_str())
        {
            return Err(Flaw::Proof("The ath of the proof is of another token"));
        }
        match proof.text("nonce") {
            Some(nonce) if self.is_good_nonce(nonce) => {}
            None if !nonce_needed => {}
            _ => return Err(Flaw::Nonce),
        }
        let id = proof
            .text("jti")
            .filter(|id| !id.is_empty())
            .ok_or(Flaw::Proof("The proof has no jti"))?;
        let until = issued.saturating_add(LEEWAY_MILLIS);
        if !self
            .proofs
            .use_up(&format!("{thumbprint} {id}"), until, now)
        {
            return Err(Flaw::Proof("The jti of the proof was used before"));
        }
        Ok(thumbprint)
    }

    /// Checks that whoever calls with a token has the key that it is bound to.
    pub(super) fn check_possession(
        &self,
        call: &Call,
        token: &str,
        bound_to: &str,
    ) -> Result<(), Answer> {
        let url = format!("{}{}", self.base, call.path);
        match self.proof(call, &url, Some(token), self.nonce_on_calls) {
            Ok(thumbprint) if thumbprint == bound_to => Ok(()),
            Ok(_) => Err(refused("The proof is of another key")),
            Err(Flaw::Proof(what)) => Err(refused(what)),
            Err(Flaw::Nonce) => Err(self.nonce_wanted_on_call()),
        }
    }

    /// The answer to a call whose proof needs another nonce.
    pub(crate) fn nonce_wanted_on_call(&self) -> Answer {
        Answer::refused(&Refusal::token())
            .header("dpop-nonce", self.nonce())
            .header(
                "www-authenticate",
                "DPoP error=\"use_dpop_nonce\", \
                 error_description=\"Resource server requires nonce in DPoP proof\"",
            )
    }

    /// The answer to a request for a token whose proof needs another nonce.
    pub(crate) fn nonce_wanted_for_token(&self) -> Answer {
        Answer::oauth(
            400,
            "use_dpop_nonce",
            "Authorization server requires nonce in DPoP proof.",
        )
        .header("dpop-nonce", self.nonce())
    }
}

fn refused(what: &str) -> Answer {
    Answer::refused(&Refusal::token()).header(
        "www-authenticate",
        format!("DPoP error=\"invalid_dpop_proof\", error_description=\"{what}\""),
    )
}
