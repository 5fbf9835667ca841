//! What a signal calls the person it hit.

use std::borrow::Cow;

use af_model::key::{SubjectRef, normalize_key};
use af_model::{HashKey, HexHash};

use super::hashed::parse_hash;

/// The four subject columns of a signal; blank texts count as unset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Subject<'a> {
    /// `uid:…`, `login:…`, `email:…` or `h:…`; enough alone.
    pub subject_ref: Option<&'a str>,
    /// User id in the source.
    pub uid: Option<&'a str>,
    /// Login.
    pub login: Option<&'a str>,
    /// E-mail address.
    pub email: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// The names to try, in order: user id, login, e-mail, and last the reference. Where the
    /// columns are set the reference repeats the first of them, by its contract.
    pub(crate) fn names(self) -> impl Iterator<Item = SubjectRef<'a>> {
        // Each is made when it is tried: mostly the first decides.
        (0..4).filter_map(move |place| match place {
            0 => SubjectRef::first_of(self.uid, None, None),
            1 => SubjectRef::first_of(None, self.login, None),
            2 => SubjectRef::first_of(None, None, self.email),
            _ => self.reference(),
        })
    }

    /// The keyed hash under which an unmatched subject is reported: of the first name that is set.
    /// A name that is hashed already keeps its hash. `None` when nothing names the subject.
    pub(crate) fn hash(self, tenant_uid: &str, key: &HashKey) -> Option<HexHash> {
        self.names().next().map(|name| match name {
            SubjectRef::Uid(text) | SubjectRef::Login(text) | SubjectRef::Email(text) => {
                key.identifier(tenant_uid, &text)
            }
            // What claims to be a hash and is none may be a typed-in name: it must not get out.
            SubjectRef::Hashed(text) => parse_hash(&text)
                .unwrap_or_else(|| key.identifier(tenant_uid, &normalize_key(&text))),
        })
    }

    fn reference(self) -> Option<SubjectRef<'a>> {
        let normalized = |text: Cow<'a, str>| match text {
            Cow::Borrowed(text) => normalize_key(text),
            Cow::Owned(text) => Cow::Owned(normalize_key(&text).into_owned()),
        };
        let name = match SubjectRef::parse(self.subject_ref?)? {
            SubjectRef::Login(text) => SubjectRef::Login(normalized(text)),
            SubjectRef::Email(text) => SubjectRef::Email(normalized(text)),
            other => other,
        };
        let (SubjectRef::Uid(text)
        | SubjectRef::Login(text)
        | SubjectRef::Email(text)
        | SubjectRef::Hashed(text)) = &name;
        (!text.trim().is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: HashKey = HashKey::new([1; 32]);

    fn hash(subject: Subject<'_>) -> Option<HexHash> {
        subject.hash("acme", &KEY)
    }

    #[test]
    fn the_first_set_name_is_reported_normalized() {
        let subject = Subject {
            subject_ref: Some("email:other@acme.example"),
            uid: Some("  "),
            login: Some(" Ana@Acme.example"),
            email: Some("second@acme.example"),
        };
        assert_eq!(
            hash(subject),
            Some(KEY.identifier("acme", "ana@acme.example"))
        );
        let uid = Subject {
            uid: Some("00uA "),
            ..subject
        };
        assert_eq!(hash(uid), Some(KEY.identifier("acme", "00uA ")));
    }

    #[test]
    fn a_reference_alone_is_enough_and_is_normalized() {
        let with = |subject_ref| Subject {
            subject_ref: Some(subject_ref),
            ..Subject::default()
        };
        assert_eq!(
            hash(with("login:Ana@ACME.example")),
            Some(KEY.identifier("acme", "ana@acme.example"))
        );
        for nobody in ["login: ", "h:", "ana@acme.example", "", "name:ana"] {
            assert_eq!(hash(with(nobody)), None, "{nobody}");
        }
        assert_eq!(hash(Subject::default()), None);
    }

    #[test]
    fn a_hash_stays_itself_and_a_false_one_is_hidden() {
        let typed = KEY.identifier("acme", "typed");
        let real = format!("h:{typed}");
        let subject = |subject_ref| Subject {
            subject_ref,
            ..Subject::default()
        };
        assert_eq!(hash(subject(Some(&real))), Some(typed));
        let hidden = hash(subject(Some("h:My-Password1"))).unwrap();
        assert_eq!(hidden, KEY.identifier("acme", "my-password1"));
    }
}
