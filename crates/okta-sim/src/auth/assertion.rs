//! A client's signed assertion (`private_key_jwt`).

use serde_json::Value;

use super::Gate;
use super::jwt::Jwt;
use crate::options::SimClient;

/// How far ahead an assertion may end.
const LONGEST_MILLIS: i64 = 3_600_000;

/// How far the clock of a client may be ahead.
const LEEWAY_MILLIS: i64 = 300_000;

impl Gate {
    /// The client that an assertion proves.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn asserted(&self, assertion: &str) -> Result<&SimClient, &'static str> {
        let assertion = Jwt::parse(assertion).ok_or("The client_assertion is no JWT")?;
        let issuer = assertion
            .text("iss")
            .ok_or("The client_assertion has no iss")?;
        let client = self.client(issuer).ok_or("The client is not known")?;
        if assertion.text("sub") != Some(issuer) {
            return Err("The sub of the client_assertion must be the client_id");
        }
        if !is_signed(&assertion, client) {
            return Err("The signature of the client_assertion is wrong");
        }
        let audience = self.token_url();
        let is_for_us = match assertion.claims.get("aud") {
            Some(Value::String(text)) => *text == audience,
            Some(Value::Array(texts)) => texts.iter().any(|text| *text == audience.as_str()),
            _ => false,
        };
        if !is_for_us {
            return Err("The aud of the client_assertion must be the URL of the token endpoint");
        }
        let end = assertion
            .seconds("exp")
            .map(|seconds| seconds.saturating_mul(1000))
            .ok_or("The client_assertion has no exp")?;
        let issued = assertion
            .seconds("iat")
            .map(|seconds| seconds.saturating_mul(1000));
        let [world, org] = self.clocks();
        let now = match check_times(issued, end, world) {
            Ok(()) => world,
            Err(flaw) => check_times(issued, end, org)
                .map(|()| org)
                .map_err(|_| flaw)?,
        };
        if let Some(id) = assertion.text("jti")
            && !self.assertions.use_up(&format!("{issuer} {id}"), end, now)
        {
            return Err("The jti of the client_assertion was used before");
        }
        Ok(client)
    }
}

/// Whether an assertion is good at an instant.
fn check_times(issued: Option<i64>, end: i64, now: i64) -> Result<(), &'static str> {
    if end <= now {
        return Err("The client_assertion has expired");
    }
    if end > now + LONGEST_MILLIS {
        return Err("The exp of the client_assertion is more than one hour ahead");
    }
    if issued.is_some_and(|issued| issued > now + LEEWAY_MILLIS) {
        return Err("The iat of the client_assertion is in the future");
    }
    Ok(())
}

/// Whether one of the client's keys signed it: the one it names, or the only one.
fn is_signed(assertion: &Jwt<'_>, client: &SimClient) -> bool {
    let keys = &client.public_keys;
    match assertion.header.get("kid") {
        Some(kid) => keys
            .iter()
            .any(|key| key["kid"] == *kid && assertion.is_signed_by(key)),
        None => keys.len() == 1 && assertion.is_signed_by(&keys[0]),
    }
}
