//! Private keys as JWK (RFC 7517, RFC 7518).

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use secrecy::zeroize::Zeroizing;
use serde_json::Value;

use super::key::{Pair, SMALLEST_MODULUS, WANTED, refused, rsa, small};
use crate::error::Error;

/// Reads a JWK, or a set of one, and the id of the key when it tells.
pub(super) fn read(text: &str) -> Result<(Pair, Option<String>), Error> {
    let mut document: Value = serde_json::from_str(text).map_err(|_| {
        refused(
            "it begins like a JWK, but is no JSON",
            "copy the whole key, from { to }",
        )
    })?;
    // A set of one key is what some consoles save.
    if let Some(keys) = document.get_mut("keys").and_then(Value::as_array_mut) {
        if keys.len() != 1 {
            return Err(refused(
                "it is a set of several keys",
                "leave one of them in the file",
            ));
        }
        document = keys.remove(0);
    }
    let member = |name: &str| document.get(name).and_then(Value::as_str);
    let kind = member("kty");
    if matches!(kind, Some("RSA" | "EC")) && member("d").is_none() {
        return Err(refused(
            "it is the public key",
            "the public half is registered at Okta; the private half, with a member d, belongs here",
        ));
    }
    let pair = match (kind, member("crv")) {
        (Some("RSA"), _) => read_rsa(&document)?,
        (Some("EC"), Some("P-256")) => read_ec(&document)?,
        (Some("EC"), _) => {
            return Err(refused(
                "it is an EC key on another curve than P-256",
                WANTED,
            ));
        }
        _ => return Err(refused("it is neither an RSA nor an EC key", WANTED)),
    };
    Ok((pair, member("kid").map(str::to_owned)))
}

#[expect(
    clippy::many_single_char_names,
    reason = "RFC 7518 names the members of a key so"
)]
fn read_rsa(document: &Value) -> Result<Pair, Error> {
    let number = |name| number(document, name);
    let n = number("n")?;
    let n = without_zeros(&n);
    // Said before anything else is looked at: a small key has other members that fail too.
    if n.len() < SMALLEST_MODULUS {
        return Err(small());
    }
    let (e, d) = (number("e")?, number("d")?);
    let (p, q) = (number("p")?, number("q")?);
    let (dp, dq, qi) = (number("dp")?, number("dq")?, number("qi")?);
    rsa(RsaKeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents {
            n,
            e: without_zeros(&e),
        },
        d: without_zeros(&d),
        p: without_zeros(&p),
        q: without_zeros(&q),
        dP: without_zeros(&dp),
        dQ: without_zeros(&dq),
        qInv: without_zeros(&qi),
    }))
}

fn read_ec(document: &Value) -> Result<Pair, Error> {
    let number = |name| number(document, name);
    let (x, y, d) = (number("x")?, number("y")?, number("d")?);
    let mut point = vec![4];
    for coordinate in [&x, &y] {
        point.extend_from_slice(&padded(coordinate)?[..]);
    }
    EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &padded(&d)?[..],
        &point,
        &SystemRandom::new(),
    )
    .map(|pair| Pair::Ec(Box::new(pair)))
    .map_err(|_| {
        refused(
            "the two halves of the EC key do not fit each other",
            "copy the key anew",
        )
    })
}

fn number(document: &Value, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = document.get(name).and_then(Value::as_str).ok_or_else(|| {
        refused(
            &format!("the JWK has no member {name}"),
            "export the key with all its members; for RSA: n, e, d, p, q, dp, dq, qi",
        )
    })?;
    URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .map(Zeroizing::new)
        .map_err(|_| {
            refused(
                &format!("the member {name} of the JWK is no base64url"),
                "copy the key anew",
            )
        })
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|b| *b != 0).unwrap_or(number.len());
    &number[first..]
}

/// A coordinate in its full 32 bytes; some writers leave out zeros at the front.
fn padded(number: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
    let number = without_zeros(number);
    let mut full = Zeroizing::new([0; 32]);
    let start = full
        .len()
        .checked_sub(number.len())
        .ok_or_else(|| refused("a member of the EC key is too long", "copy the key anew"))?;
    full[start..].copy_from_slice(number);
    Ok(full)
}
