//! Signed documents, read and checked with public keys only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;

/// Header and claims of a document.
pub(crate) struct Read {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    signed: String,
    signature: Vec<u8>,
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(text)
        .expect("base64url without padding")
}

pub(crate) fn read(token: &str) -> Read {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let (header, claims) = signed.split_once('.').expect("three parts");
    let json = |part| serde_json::from_slice(&decode(part)).expect("JSON");
    Read {
        header: json(header),
        claims: json(claims),
        signed: signed.to_owned(),
        signature: decode(signature),
    }
}

impl Read {
    /// Whether a public key (PKCS#1 for RSA, a point for EC) made the signature.
    pub(crate) fn is_signed_by(&self, public: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match self.header["alg"].as_str() {
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            Some("ES256") => &ECDSA_P256_SHA256_FIXED,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, public)
            .verify(self.signed.as_bytes(), &self.signature)
            .is_ok()
    }

    /// The public key that the header itself names.
    pub(crate) fn own_key(&self) -> Vec<u8> {
        let jwk = &self.header["jwk"];
        assert_eq!(
            (jwk["kty"].as_str(), jwk["crv"].as_str()),
            (Some("EC"), Some("P-256"))
        );
        assert!(jwk.get("d").is_none(), "the private half stays with us");
        let coordinate = |name: &str| decode(jwk[name].as_str().expect("a coordinate"));
        [vec![4], coordinate("x"), coordinate("y")].concat()
    }
}
