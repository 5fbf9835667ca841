//! Private keys as PEM.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use rustls_pki_types::pem::{PemObject, SectionKind};
use secrecy::zeroize::Zeroizing;

use super::key::{Pair, WANTED, refused, rsa};
use crate::error::Error;

// The object identifiers by which a PKCS#8 document says what key it holds.
const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// A section of a PEM document, whatever it holds.
struct Section(SectionKind, Zeroizing<Vec<u8>>);

impl PemObject for Section {
    fn from_pem(kind: SectionKind, der: Vec<u8>) -> Option<Self> {
        Some(Self(kind, Zeroizing::new(der)))
    }
}

/// Reads a PEM document.
pub(super) fn read(text: &str) -> Result<Pair, Error> {
    // Judged by its labels first: what is wrong with a key of another kind is not its encoding.
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(refused(
            "it is encrypted",
            "decrypt it: openssl pkcs8 -topk8 -nocrypt -in key.pem -out plain.pem, and keep plain.pem readable by its owner only",
        ));
    }
    if text.contains("BEGIN EC PRIVATE KEY") {
        return Err(refused(
            "it is an EC key in SEC1 form",
            "convert it: openssl pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem",
        ));
    }
    if text.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Err(refused(
            "it is an OpenSSH key",
            "make one for this purpose: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem",
        ));
    }
    if !text.contains("PRIVATE KEY-----") {
        let what = if text.contains("BEGIN CERTIFICATE") {
            "it is a certificate"
        } else if text.contains("PUBLIC KEY-----") {
            "it is the public key"
        } else {
            "it is PEM, but holds no key"
        };
        return Err(refused(
            what,
            "the public half is registered at Okta; the private half belongs here",
        ));
    }
    let sections = Section::pem_slice_iter(text.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| {
            refused(
                "its PEM is damaged",
                "check that all lines are there, from -----BEGIN to -----END; a variable of the environment must keep the line breaks",
            )
        })?;
    let mut keys = sections.iter().filter(|Section(kind, _)| {
        matches!(kind, SectionKind::PrivateKey | SectionKind::RsaPrivateKey)
    });
    match (keys.next(), keys.next()) {
        (Some(Section(SectionKind::RsaPrivateKey, der)), None) => rsa(RsaKeyPair::from_der(der)),
        (Some(Section(_, der)), None) => read_pkcs8(der),
        (None, _) => Err(refused(
            "its PEM is damaged",
            "check that all lines are there, from -----BEGIN to -----END; a variable of the environment must keep the line breaks",
        )),
        (Some(_), Some(_)) => Err(refused(
            "there are several",
            "leave one of them in the file",
        )),
    }
}

fn read_pkcs8(der: &[u8]) -> Result<Pair, Error> {
    // The kind of key stands at the beginning, before anything of the key itself.
    let head = &der[..der.len().min(48)];
    let says = |oid: &[u8]| head.windows(oid.len()).any(|window| window == oid);
    if says(OID_RSA) {
        return rsa(RsaKeyPair::from_pkcs8(der));
    }
    if says(OID_EC) && says(OID_P256) {
        return EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new())
            .map(|pair| Pair::Ec(Box::new(pair)))
            .map_err(|_| {
                refused(
                    "the EC key is damaged or lacks its public half",
                    "write it anew: openssl ec -in key.pem | openssl pkcs8 -topk8 -nocrypt -out pkcs8.pem",
                )
            });
    }
    Err(refused(
        if says(OID_EC) {
            "it is an EC key on another curve than P-256"
        } else {
            "it is neither an RSA nor an EC key"
        },
        WANTED,
    ))
}
