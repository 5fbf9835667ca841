//! Whom a signal belongs to, and whom that person is compared with (§3).

use af_model::key::{SubjectRef, normalize_key};
use af_model::{HashKey, Person, Population, UtcMillis};

use super::OracleSignal;

/// The source's own principal, which acts but is nobody.
const SYSTEM_PRINCIPAL: &str = "system@okta.com";

/// Whom a signal belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Join<'a> {
    /// One person.
    To(&'a Person),
    /// Nobody, for this reason: `no_key`, `no_match`, `ambiguous` or `not_a_person`.
    Unmatched(&'static str),
}

/// The people of a tenant who exist at `as_of`, by user id. Somebody created later has no row, and
/// holds no key either: at `as_of` nobody could have meant them.
pub fn present<'a>(people: &'a [Person], tenant: &str, as_of: UtcMillis) -> Vec<&'a Person> {
    let mut present: Vec<&Person> = people
        .iter()
        .filter(|person| person.tenant_uid == tenant)
        .filter(|person| person.created.is_none_or(|created| created <= as_of))
        .collect();
    present.sort_by(|a, b| a.user_uid.cmp(&b.user_uid));
    present
}

/// Joins one signal to the people present in its tenant.
///
/// The columns `subject_uid`, `subject_login` and `subject_email` are tried in this order, and the
/// first that has a holder decides; `subject_ref` speaks when none of them is set.
pub fn join<'a>(signal: &OracleSignal, people: &[&'a Person], key: &HashKey) -> Join<'a> {
    let set = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let mut subjects = Vec::new();
    if let Some(uid) = set(&signal.subject_uid) {
        subjects.push(SubjectRef::Uid(uid.into()));
    }
    if let Some(login) = set(&signal.subject_login) {
        subjects.push(SubjectRef::Login(login.into()));
    }
    if let Some(email) = set(&signal.subject_email) {
        subjects.push(SubjectRef::Email(email.into()));
    }
    if subjects.is_empty() {
        let written = signal.subject_ref.as_deref().and_then(SubjectRef::parse);
        subjects.extend(written);
    }
    if subjects.is_empty() {
        return Join::Unmatched("no_key");
    }
    for subject in &subjects {
        if let SubjectRef::Login(name) | SubjectRef::Email(name) = subject
            && normalize_key(name) == SYSTEM_PRINCIPAL
        {
            return Join::Unmatched("not_a_person");
        }
        for holders in holders_by_kind(subject, signal, people, key) {
            if !holders.is_empty() {
                return one_of(&holders, signal.time);
            }
        }
    }
    Join::Unmatched("no_match")
}

/// The holders of a subject, one list for each kind of key it may be, in the order of matching.
fn holders_by_kind<'a>(
    subject: &SubjectRef<'_>,
    signal: &OracleSignal,
    people: &[&'a Person],
    key: &HashKey,
) -> Vec<Vec<&'a Person>> {
    let having = |test: &dyn Fn(&Person) -> bool| -> Vec<&'a Person> {
        people
            .iter()
            .copied()
            .filter(|person| test(person))
            .collect()
    };
    let names = |is_meant: &dyn Fn(&str) -> bool| {
        vec![
            having(&|person| person.login.as_deref().is_some_and(is_meant)),
            having(&|person| is_meant(&person.email)),
            having(&|person| {
                person.aliases.iter().flatten().any(|alias| {
                    is_meant(&alias.key)
                        && alias.valid_from.is_none_or(|from| from <= signal.time)
                        && alias.valid_to.is_none_or(|to| signal.time < to)
                })
            }),
        ]
    };
    match subject {
        SubjectRef::Uid(uid) => vec![having(&|person| person.user_uid == **uid)],
        SubjectRef::Login(name) | SubjectRef::Email(name) => {
            let wanted = normalize_key(name);
            names(&|held| normalize_key(held) == wanted)
        }
        SubjectRef::Hashed(hash) => names(&|held| {
            let hashed = key.identifier(&signal.tenant_uid, &normalize_key(held));
            hashed.to_string() == **hash
        }),
    }
}

/// "One key, several people": the sole holder that is not deprovisioned wins for signals at or after
/// its `created`; any other signal goes to the one holder who had the account at that time; without
/// exactly one such holder nobody can say who was meant.
fn one_of<'a>(holders: &[&'a Person], time: UtcMillis) -> Join<'a> {
    if let [only] = holders {
        return Join::To(only);
    }
    let staying: Vec<&Person> = holders
        .iter()
        .copied()
        .filter(|person| status(person) != "DEPROVISIONED")
        .collect();
    if let [sole] = staying.as_slice()
        && sole.created.is_none_or(|created| created <= time)
    {
        return Join::To(sole);
    }
    let then: Vec<&Person> = holders
        .iter()
        .copied()
        .filter(|person| person.created.is_none_or(|created| created <= time))
        .filter(|person| person.deactivated.is_none_or(|left| time < left))
        .collect();
    match then.as_slice() {
        [holder] => Join::To(holder),
        _ => Join::Unmatched("ambiguous"),
    }
}

/// Whom a person is compared with.
pub fn population(person: &Person) -> Population {
    let user_type = person.user_type.as_deref().unwrap_or_default();
    match user_type.trim().to_ascii_lowercase().as_str() {
        "service" | "bot" | "generic" | "system" => Population::Service,
        _ => Population::Human,
    }
}

/// Whether a person who exists at `as_of` is compared and ranked then. Somebody deactivated after
/// `as_of` was still there.
pub fn in_population(person: &Person, as_of: UtcMillis) -> bool {
    match status(person).as_str() {
        "SUSPENDED" | "STAGED" => false,
        "DEPROVISIONED" => person.deactivated.is_some_and(|left| left > as_of),
        _ => true,
    }
}

fn status(person: &Person) -> String {
    person
        .status
        .as_deref()
        .unwrap_or("ACTIVE")
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use af_model::cell::Alias;

    use super::*;

    const KEY: HashKey = HashKey::new([7; 32]);

    fn person(uid: &str, login: &str) -> Person {
        crate::generate::person("acme", uid, login)
    }

    fn named(login: &str, time: i64) -> OracleSignal {
        OracleSignal {
            subject_login: Some(login.to_owned()),
            ..OracleSignal::new("acme", "s", UtcMillis(time))
        }
    }

    fn joined(signal: &OracleSignal, people: &[Person]) -> String {
        let present = present(people, "acme", UtcMillis(1_000));
        match join(signal, &present, &KEY) {
            Join::To(person) => person.user_uid.clone(),
            Join::Unmatched(reason) => reason.to_owned(),
        }
    }

    #[test]
    fn a_recreated_account_inherits_no_attacks_of_its_forerunner() {
        let mut gone = person("old", "joe@example.com");
        gone.status = Some("DEPROVISIONED".to_owned());
        gone.created = Some(UtcMillis(100));
        gone.deactivated = Some(UtcMillis(500));
        let mut new = person("new", "joe@example.com");
        new.created = Some(UtcMillis(700));
        let people = [gone, new];
        assert_eq!(joined(&named("JOE@example.com ", 700), &people), "new");
        assert_eq!(joined(&named("joe@example.com", 499), &people), "old");
        // Between 500 and 700 nobody held the account.
        assert_eq!(joined(&named("joe@example.com", 500), &people), "ambiguous");
        assert_eq!(joined(&named("joe@example.com", 99), &people), "ambiguous");
    }

    #[test]
    fn a_shared_login_is_ambiguous_and_hides_the_e_mail_holder() {
        let mut third = person("c", "c@example.com");
        third.email = "shared@example.com".to_owned();
        let people = [
            person("a", "shared@example.com"),
            person("b", "shared@example.com"),
            third,
        ];
        assert_eq!(
            joined(&named("shared@example.com", 1), &people),
            "ambiguous"
        );
    }

    #[test]
    fn an_alias_holds_inside_its_validity_only_also_when_hashed() {
        let mut renamed = person("a", "new@example.com");
        renamed.aliases = Some(vec![Alias {
            key: "old@example.com".to_owned(),
            valid_from: Some(UtcMillis(10)),
            valid_to: Some(UtcMillis(20)),
        }]);
        let people = [renamed];
        for (time, owner) in [(9, "no_match"), (10, "a"), (19, "a"), (20, "no_match")] {
            assert_eq!(joined(&named("old@example.com", time), &people), owner);
            let hashed = OracleSignal {
                subject_login: None,
                subject_ref: Some(SubjectRef::hashed(&KEY, "acme", "Old@Example.com").to_string()),
                ..named("", time)
            };
            assert_eq!(joined(&hashed, &people), owner);
        }
    }

    #[test]
    fn an_unknown_id_falls_back_to_the_login_and_nothing_is_no_key() {
        let people = [person("a", "a@example.com")];
        let mut signal = named("a@example.com", 1);
        signal.subject_uid = Some("A".to_owned()); // ids compare byte for byte
        assert_eq!(joined(&signal, &people), "a");
        assert_eq!(joined(&named(" ", 1), &people), "no_key");
        assert_eq!(
            joined(&named("system@okta.com", 1), &people),
            "not_a_person"
        );
    }

    #[test]
    fn somebody_created_after_as_of_is_nobody_yet() {
        let mut later = person("a", "a@example.com");
        later.created = Some(UtcMillis(1_001));
        assert_eq!(joined(&named("a@example.com", 1), &[later]), "no_match");
    }
}
