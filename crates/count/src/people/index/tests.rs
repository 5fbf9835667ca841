//! The join by hand-made cases.

use af_model::key::SubjectRef;

use super::*;
use crate::testing::{KEY, at, person};
use af_model::cell::Alias;

fn index(people: Vec<Person>) -> PeopleIndex {
    PeopleIndex::new(people, &KEY)
}

fn resolve(index: &PeopleIndex, subject: Subject<'_>, time: &str) -> Resolution {
    index.resolve("acme", &subject, at(time), at("2026-11-20"))
}

fn login(text: &str) -> Subject<'_> {
    Subject {
        login: Some(text),
        ..Subject::default()
    }
}

fn email(text: &str) -> Subject<'_> {
    Subject {
        email: Some(text),
        ..Subject::default()
    }
}

fn alias(key: &str, from: Option<&str>, to: Option<&str>) -> Alias {
    Alias {
        key: key.to_owned(),
        valid_from: from.map(at),
        valid_to: to.map(at),
    }
}

const DAY: &str = "2026-11-10";

#[test]
fn the_first_kind_of_key_with_a_holder_decides() {
    // The same text is a's e-mail, b's login and c's alias.
    let text = "shared@acme.example";
    let a = person("a", text);
    let mut b = person("b", "b@acme.example");
    b.login = Some(text.to_owned());
    let mut c = person("c", "c@acme.example");
    c.aliases = Some(vec![alias(text, None, None)]);
    let all = index(vec![c.clone(), b, a.clone()]);
    assert_eq!(all.user_uid(1), "b");
    for subject in [login(text), email(text)] {
        assert_eq!(resolve(&all, subject, DAY), Resolution::Person(1));
    }
    // Without b the e-mail decides, although the signal speaks of a login.
    let without_b = index(vec![c.clone(), a]);
    assert_eq!(resolve(&without_b, login(text), DAY), Resolution::Person(0));
    assert_eq!(
        resolve(&index(vec![c]), email(text), DAY),
        Resolution::Person(0)
    );
}

#[test]
fn user_id_then_login_then_email_then_reference() {
    let people: Vec<Person> = ["a", "b", "c", "d"]
        .map(|uid| person(uid, &format!("{uid}@acme.example")))
        .into();
    let all = index(people);
    let mut subject = Subject {
        subject_ref: Some("email:d@acme.example"),
        uid: Some("a"),
        login: Some("b@acme.example"),
        email: Some("c@acme.example"),
    };
    assert_eq!(resolve(&all, subject, DAY), Resolution::Person(0));
    // User ids compare byte for byte: A is nobody, so the login decides.
    subject.uid = Some("A");
    assert_eq!(resolve(&all, subject, DAY), Resolution::Person(1));
    subject.login = Some("x@acme.example");
    assert_eq!(resolve(&all, subject, DAY), Resolution::Person(2));
    subject.email = Some(" ");
    assert_eq!(resolve(&all, subject, DAY), Resolution::Person(3));
    subject.subject_ref = Some("uid:nobody");
    assert_eq!(resolve(&all, subject, DAY), Resolution::NoMatch);
}

#[test]
fn keys_are_compared_normalized_on_both_sides() {
    let all = index(vec![person("a", " Ana@ACME.example ")]);
    assert_eq!(
        resolve(&all, email("ANA@acme.EXAMPLE"), DAY),
        Resolution::Person(0)
    );
    assert_eq!(
        resolve(&all, email("ana+x@acme.example"), DAY),
        Resolution::NoMatch
    );
}

#[test]
fn another_tenants_people_are_nobody() {
    let all = index(vec![person("a", "ana@acme.example")]);
    let found = all.resolve("other", &email("ana@acme.example"), at(DAY), at(DAY));
    assert_eq!(found, Resolution::NoMatch);
}

#[test]
fn an_alias_is_held_from_its_first_instant_until_before_its_last() {
    let mut ana = person("a", "ana.new@acme.example");
    ana.aliases = Some(vec![alias(
        "ana.old@acme.example",
        Some("2026-10-01T00:00:00Z"),
        Some("2026-11-01T00:00:00Z"),
    )]);
    let all = index(vec![ana]);
    for (time, expected) in [
        ("2026-09-30T23:59:59.999Z", Resolution::NoMatch),
        ("2026-10-01T00:00:00Z", Resolution::Person(0)),
        ("2026-10-31T23:59:59.999Z", Resolution::Person(0)),
        ("2026-11-01T00:00:00Z", Resolution::NoMatch),
    ] {
        assert_eq!(
            resolve(&all, login("ana.old@acme.example"), time),
            expected,
            "{time}"
        );
    }
    let decide = |key| {
        let sought = Sought {
            tenant: "acme",
            keys: all.keys_of("acme"),
            subject: login(key),
            time: at(DAY),
        };
        all.decide(sought, at(DAY))
    };
    let decision = decide("ana.old@acme.example");
    assert!(!decision.steady, "another time may give another answer");
    let decision = decide("ana.new@acme.example");
    assert_eq!(decision.resolution, Resolution::Person(0));
    assert!(decision.steady);
}

#[test]
fn an_alias_handed_on_belongs_to_whoever_held_it_then() {
    let mut a = person("a", "a@acme.example");
    a.aliases = Some(vec![alias(
        "desk@acme.example",
        None,
        Some("2026-10-15T00:00:00Z"),
    )]);
    let mut b = person("b", "b@acme.example");
    b.aliases = Some(vec![alias(
        "desk@acme.example",
        Some("2026-10-15T00:00:00Z"),
        None,
    )]);
    let all = index(vec![a, b]);
    let desk = email("desk@acme.example");
    assert_eq!(
        resolve(&all, desk, "2026-10-14T12:00:00Z"),
        Resolution::Person(0)
    );
    assert_eq!(
        resolve(&all, desk, "2026-10-15T00:00:00Z"),
        Resolution::Person(1)
    );
}

/// a left on 1 October, b took the same address over on 15 October.
fn handed_over() -> (Person, Person) {
    let mut a = person("a", "sales@acme.example");
    a.status = Some("DEPROVISIONED".to_owned());
    a.created = Some(at("2026-01-01T00:00:00Z"));
    a.deactivated = Some(at("2026-10-01T00:00:00Z"));
    let mut b = person("b", "sales@acme.example");
    b.created = Some(at("2026-10-15T00:00:00Z"));
    (a, b)
}

#[test]
fn one_key_of_a_leaver_and_a_successor_goes_by_time() {
    let (a, b) = handed_over();
    let all = index(vec![a, b]);
    for (time, expected) in [
        ("2025-12-31T23:59:59.999Z", Resolution::Ambiguous),
        ("2026-01-01T00:00:00Z", Resolution::Person(0)),
        ("2026-09-30T23:59:59.999Z", Resolution::Person(0)),
        ("2026-10-01T00:00:00Z", Resolution::Ambiguous),
        ("2026-10-14T23:59:59.999Z", Resolution::Ambiguous),
        ("2026-10-15T00:00:00Z", Resolution::Person(1)),
        ("2026-11-19T00:00:00Z", Resolution::Person(1)),
    ] {
        assert_eq!(
            resolve(&all, email("sales@acme.example"), time),
            expected,
            "{time}"
        );
    }
}

#[test]
fn a_successor_without_creation_date_wins_always() {
    let (a, mut b) = handed_over();
    b.created = None;
    let all = index(vec![a, b]);
    assert_eq!(
        resolve(&all, email("sales@acme.example"), "2026-05-01"),
        Resolution::Person(1)
    );
}

#[test]
fn two_who_stay_are_told_apart_only_by_their_time_at_the_account() {
    let (mut a, b) = handed_over();
    a.status = None;
    a.deactivated = None;
    let all = index(vec![a, b]);
    let sales = email("sales@acme.example");
    assert_eq!(resolve(&all, sales, "2026-11-01"), Resolution::Ambiguous);
    assert_eq!(resolve(&all, sales, "2026-05-01"), Resolution::Person(0));
}

#[test]
fn a_sole_holder_decides_at_any_time() {
    let (a, b) = handed_over();
    let sales = email("sales@acme.example");
    assert_eq!(
        resolve(&index(vec![a]), sales, "2026-11-01"),
        Resolution::Person(0)
    );
    assert_eq!(
        resolve(&index(vec![b]), sales, "2026-05-01"),
        Resolution::Person(0)
    );
}

#[test]
fn people_created_after_as_of_hold_nothing() {
    let (a, b) = handed_over();
    let all = index(vec![a, b.clone()]);
    let sales = email("sales@acme.example");
    let as_of = at("2026-10-10");
    let found = all.resolve("acme", &sales, at("2026-10-05"), as_of);
    assert_eq!(
        found,
        Resolution::Person(0),
        "b does not exist yet, so a holds it alone"
    );
    let only_b = index(vec![b]);
    let by_uid = Subject {
        uid: Some("b"),
        ..Subject::default()
    };
    for subject in [sales, by_uid] {
        let found = only_b.resolve("acme", &subject, at("2026-10-05"), as_of);
        assert_eq!(found, Resolution::NoMatch);
    }
}

#[test]
fn people_outside_the_population_still_match() {
    let mut gone = person("a", "a@acme.example");
    gone.status = Some("DEPROVISIONED".to_owned());
    let mut staged = person("b", "b@acme.example");
    staged.status = Some("STAGED".to_owned());
    let all = index(vec![gone, staged]);
    assert_eq!(
        resolve(&all, email("a@acme.example"), DAY),
        Resolution::Person(0)
    );
    assert_eq!(
        resolve(&all, email("b@acme.example"), DAY),
        Resolution::Person(1)
    );
}

#[test]
fn hashed_names_meet_logins_emails_and_aliases() {
    let mut ana = person("a", "ana@acme.example");
    ana.login = Some("ANA".to_owned());
    ana.aliases = Some(vec![alias("annie", Some("2026-11-01T00:00:00Z"), None)]);
    let all = index(vec![ana]);
    let hashed = |typed: &str, time: &str| {
        let written = SubjectRef::hashed(&KEY, "acme", typed).to_string();
        let subject = Subject {
            subject_ref: Some(&written),
            ..Subject::default()
        };
        resolve(&all, subject, time)
    };
    assert_eq!(hashed(" Ana", DAY), Resolution::Person(0));
    assert_eq!(hashed("ANA@acme.example", DAY), Resolution::Person(0));
    assert_eq!(hashed("annie", DAY), Resolution::Person(0));
    assert_eq!(hashed("annie", "2026-10-31"), Resolution::NoMatch);
    assert_eq!(hashed("correct horse", DAY), Resolution::NoMatch);
    assert_eq!(hashed("system@okta.com", DAY), Resolution::NotAPerson);
    let forged = Subject {
        subject_ref: Some("h:ana"),
        ..Subject::default()
    };
    assert_eq!(resolve(&all, forged, DAY), Resolution::NoMatch);
}

#[test]
fn the_provider_itself_is_nobody_even_when_the_directory_says_so() {
    let all = index(vec![person("okta", "system@okta.com")]);
    for subject in [login("System@Okta.com"), email("system@okta.com")] {
        assert_eq!(resolve(&all, subject, DAY), Resolution::NotAPerson);
        let unknown_tenant = all.resolve("other", &subject, at(DAY), at(DAY));
        assert_eq!(unknown_tenant, Resolution::NotAPerson);
    }
}

#[test]
fn blank_keys_are_held_by_nobody() {
    let mut blank = person("a", " ");
    blank.login = Some(String::new());
    let all = index(vec![blank]);
    assert_eq!(resolve(&all, login(" "), DAY), Resolution::NoKey);
    assert_eq!(resolve(&all, Subject::default(), DAY), Resolution::NoKey);
}

#[test]
fn two_rows_of_one_person_are_merged_whatever_their_order() {
    let mut early = person("a", "early@acme.example");
    early.imported_at = Some(at("2026-10-01"));
    let mut late = person("a", "late@acme.example");
    late.imported_at = Some(at("2026-11-01"));
    let next = person("b", "b@acme.example");
    for order in [
        vec![early.clone(), late.clone(), next.clone()],
        vec![next.clone(), late.clone(), early.clone()],
    ] {
        let (all, people) = PeopleIndex::with_people(order, &KEY);
        assert_eq!(people, [late.clone(), next.clone()]);
        assert_eq!((all.people(), all.repeated()), (2, 1));
        for text in ["early@acme.example", "late@acme.example"] {
            assert_eq!(resolve(&all, email(text), DAY), Resolution::Person(0));
        }
        assert_eq!(
            resolve(&all, email("b@acme.example"), DAY),
            Resolution::Person(1)
        );
    }
}

#[test]
fn one_person_holding_a_key_twice_is_one_holder() {
    let mut ana = person("a", "ana@acme.example");
    ana.login = Some("ana@acme.example".to_owned());
    ana.aliases = Some(vec![
        alias("x", None, Some("2026-11-15T00:00:00Z")),
        alias("x", Some("2026-11-05T00:00:00Z"), None),
    ]);
    let all = index(vec![ana]);
    assert_eq!(resolve(&all, login("x"), DAY), Resolution::Person(0));
    assert_eq!(
        resolve(&all, login("ana@acme.example"), DAY),
        Resolution::Person(0)
    );
}

#[test]
fn subjects_side_by_side_are_decided_as_each_alone() {
    let (leaver, successor) = handed_over();
    let mut c = person("c", "c@acme.example");
    c.aliases = Some(vec![
        alias("desk", Some("2026-11-01T00:00:00Z"), None),
        alias("annie", None, None),
    ]);
    let mut late = person("late", "late@acme.example");
    late.created = Some(at("2026-11-25"));
    let all = index(vec![leaver, successor, c, late]);
    let hashed = SubjectRef::hashed(&KEY, "acme", "annie").to_string();
    let uids = [None, Some(" "), Some("c"), Some("C"), Some("late")];
    let names = [
        None,
        Some(""),
        Some("C@Acme.example "),
        Some("annie"),
        Some("desk"),
        Some("late@acme.example"),
        Some("nobody@acme.example"),
        Some("sales@acme.example"),
        Some("System@okta.com"),
    ];
    let references = [None, Some("uid:c"), Some("email:ANNIE"), Some(&*hashed)];
    let mut sought = Vec::new();
    for tenant in ["acme", "other"] {
        for time in ["2026-09-15", "2026-10-05", "2026-11-10"] {
            for uid in uids {
                for login in names {
                    for email in names {
                        sought.extend(references.map(|subject_ref| Sought {
                            tenant,
                            keys: all.keys_of(tenant),
                            subject: Subject {
                                subject_ref,
                                uid,
                                login,
                                email,
                            },
                            time: at(time),
                        }));
                    }
                }
            }
        }
    }
    let mut decided = Vec::new();
    for as_of in [at("2026-10-10"), at("2026-11-20")] {
        let alone: Vec<_> = sought.iter().map(|one| all.decide(*one, as_of)).collect();
        assert_eq!(all.decide_all(&sought, as_of), alone);
        decided.extend(alone);
    }
    for kind in [
        Resolution::Person(1),
        Resolution::NoKey,
        Resolution::NoMatch,
        Resolution::Ambiguous,
        Resolution::NotAPerson,
    ] {
        assert!(decided.iter().any(|one| one.resolution == kind), "{kind:?}");
    }
}
