//! Keys by which a person is known, and how an event or signal names its person before the join.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::hash::{HashKey, HexHash};

/// Makes a login, an e-mail or an alias comparable: trim, Unicode NFC, lower-case, and the domain
/// after the last `@` in IDNA's ASCII form (af-1 §3, "Keys").
///
/// Plus tags stay: `joe+test@example.com` is another key than `joe@example.com`. A domain that
/// IDNA refuses is kept in lower case, so that every input has exactly one key. Source user ids
/// are never normalized; they compare byte for byte. Costs no allocation for ordinary input.
///
/// ```
/// use af_model::key::normalize_key;
/// assert_eq!(normalize_key("  Joe@Bücher.example "), "joe@xn--bcher-kva.example");
/// assert_eq!(normalize_key("joe@example.com"), "joe@example.com");
/// ```
pub fn normalize_key(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    let composed: Cow<'_, str> = if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    };
    // Lower-casing may decompose (İ becomes i + U+0307), hence NFC once more.
    let lower: String = composed.to_lowercase().nfc().collect();
    match lower.rsplit_once('@') {
        Some((local, domain)) if !domain.is_ascii() => match idna::domain_to_ascii(domain) {
            Ok(ascii) if !ascii.is_empty() => Cow::Owned(format!("{local}@{ascii}")),
            _ => Cow::Owned(lower),
        },
        _ => Cow::Owned(lower),
    }
}

/// How an event or signal names its person before the join with the directory.
///
/// Written as `uid:…`, `login:…`, `email:…` or `h:…`. The first three hold what the source
/// asserted; `h:` holds the keyed hash of a name that somebody typed and that belongs to no known
/// actor, because people type passwords into user-name fields.
///
/// ```
/// use af_model::key::SubjectRef;
/// let subject = SubjectRef::parse("login:joe@example.com");
/// assert_eq!(subject, Some(SubjectRef::Login("joe@example.com".into())));
/// assert_eq!(SubjectRef::parse("joe@example.com"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectRef<'a> {
    /// The source's user id, byte for byte.
    Uid(Cow<'a, str>),
    /// A login, normalized.
    Login(Cow<'a, str>),
    /// An e-mail address, normalized.
    Email(Cow<'a, str>),
    /// The keyed hash of a typed-in name, 32 hex digits.
    Hashed(Cow<'a, str>),
}

impl<'a> SubjectRef<'a> {
    /// Reads the written form; `None` when the prefix is unknown or the rest is empty.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        if rest.is_empty() {
            return None;
        }
        let rest = Cow::Borrowed(rest);
        match kind {
            "uid" => Some(Self::Uid(rest)),
            "login" => Some(Self::Login(rest)),
            "email" => Some(Self::Email(rest)),
            "h" => Some(Self::Hashed(rest)),
            _ => None,
        }
    }

    /// The subject of a signal: the first set of uid, login and e-mail.
    pub fn first_of(
        uid: Option<&'a str>,
        login: Option<&'a str>,
        email: Option<&'a str>,
    ) -> Option<Self> {
        let set = |text: &&str| !text.trim().is_empty();
        uid.filter(set)
            .map(|uid| Self::Uid(Cow::Borrowed(uid)))
            .or_else(|| {
                login
                    .filter(set)
                    .map(|login| Self::Login(normalize_key(login)))
            })
            .or_else(|| {
                email
                    .filter(set)
                    .map(|email| Self::Email(normalize_key(email)))
            })
    }

    /// The keyed hash of a typed-in name.
    pub fn hashed(key: &HashKey, tenant_uid: &str, typed: &str) -> SubjectRef<'static> {
        let hash: HexHash = key.identifier(tenant_uid, &normalize_key(typed));
        SubjectRef::Hashed(Cow::Owned(hash.to_string()))
    }
}

impl fmt::Display for SubjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(f, "uid:{uid}"),
            Self::Login(login) => write!(f, "login:{login}"),
            Self::Email(email) => write!(f, "email:{email}"),
            Self::Hashed(hash) => write!(f, "h:{hash}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn composed_and_decomposed_names_share_a_key() {
        assert_eq!(
            normalize_key("Jose\u{301}@example.com"),
            normalize_key("josé@example.com")
        );
    }

    #[test]
    fn a_domain_that_idna_refuses_is_still_one_key() {
        assert_eq!(normalize_key("x@Ü\u{0}"), normalize_key("X@ü\u{0}"));
    }

    #[test]
    fn plus_tags_are_part_of_the_key() {
        assert_ne!(
            normalize_key("a+b@example.com"),
            normalize_key("a@example.com")
        );
    }

    proptest! {
        #[test]
        fn normalizing_twice_changes_nothing(text in "\\PC{0,40}(@\\PC{0,20})?") {
            let once = normalize_key(&text).into_owned();
            let twice = normalize_key(&once).into_owned();
            prop_assert_eq!(twice, once);
        }

        #[test]
        fn a_written_subject_reads_back(text in "[a-z@.]{1,20}") {
            for subject in [
                SubjectRef::Uid(text.as_str().into()),
                SubjectRef::Login(text.as_str().into()),
                SubjectRef::Email(text.as_str().into()),
                SubjectRef::Hashed(text.as_str().into()),
            ] {
                let written = subject.to_string();
                prop_assert_eq!(SubjectRef::parse(&written), Some(subject.clone()));
            }
        }
    }
}
