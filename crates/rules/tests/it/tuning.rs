//! Own networks and exclusions: what they change, and what they leave as it is.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use af_model::tables::identity_events::Row;
use af_rules::{Exclusion, RuleFile, RuleSet, Tuning};

use crate::support::{attack_rule, event, found, of_type, rule, set, signals};

const LOCK: &str = "user.account.lock";
const DENY: &str = "user.mfa.okta_verify.deny_push";

fn rules() -> [RuleFile; 2] {
    [
        attack_rule("locked", 1, &of_type(LOCK), "  family: credential_attack\n"),
        attack_rule("refused", 2, &of_type(DENY), "  family: mfa_attack\n"),
    ]
}

fn networks(texts: &[&str]) -> Vec<af_rules::Network> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn excluding(rule: Option<&str>, people: &[&str], addresses: &[&str]) -> RuleSet {
    let mut rules = set(rules());
    rules
        .set_tuning(Tuning {
            exclusions: vec![Exclusion {
                rule: rule.map(str::to_owned),
                people: people.iter().map(|&name| name.to_owned()).collect(),
                addresses: networks(addresses),
            }],
            ..Tuning::default()
        })
        .unwrap();
    rules
}

/// The ids of the events that became signals.
fn hit(rules: &RuleSet, rows: &[Row<'_>]) -> Vec<String> {
    let found = found(rules, rows);
    let mut events: Vec<String> = signals(&found)
        .into_iter()
        .flat_map(|signal| signal.event_uids.unwrap())
        .map(Cow::into_owned)
        .collect();
    events.sort();
    events
}

fn from(id: &str, kind: &str, address: Option<&'static str>) -> Row<'static> {
    let mut row = event(id, kind);
    row.src_endpoint_ip = address.map(Into::into);
    row
}

#[test]
fn an_excluded_address_is_left_alone_by_the_named_rule_only() {
    let rules = excluding(Some("locked"), &[], &["198.51.100.0/24"]);
    let rows = [
        from("a", LOCK, Some("198.51.100.9")),
        from("b", LOCK, Some("::ffff:198.51.100.9")),
        from("c", LOCK, Some("203.0.113.9")),
        from("d", LOCK, None),
        from("e", DENY, Some("198.51.100.9")),
    ];
    assert_eq!(hit(&rules, &rows), ["c", "d", "e"]);
    let all = excluding(None, &[], &["198.51.100.9"]);
    assert_eq!(hit(&all, &rows), ["c", "d"]);
    // By id as well.
    let by_id = excluding(
        Some(&rules.get("refused").unwrap().id),
        &[],
        &["198.51.100.9"],
    );
    assert_eq!(hit(&by_id, &rows), ["a", "b", "c", "d"]);
}

#[test]
fn people_are_met_by_every_name_and_ids_compare_byte_for_byte() {
    let plain = || event("e", LOCK);
    let nobody = |row: &mut Row<'static>| {
        (row.subject_ref, row.user_uid, row.user_name) = (None, None, None);
        (row.actor_user_uid, row.actor_user_name) = (None, None);
    };
    let mut by_uid = plain();
    nobody(&mut by_uid);
    by_uid.subject_ref = Some("uid:00uAbc".into());
    let mut by_login = plain();
    nobody(&mut by_login);
    by_login.user_name = Some("Kiosk@Example.com".into());
    let mut by_reference = plain();
    nobody(&mut by_reference);
    by_reference.subject_ref = Some("login:kiosk@example.com".into());
    let mut by_actor = plain();
    nobody(&mut by_actor);
    by_actor.actor_user_name = Some("kiosk@example.com".into());
    let rules = excluding(Some("locked"), &["00uAbc", " KIOSK@example.com "], &[]);
    for row in [by_uid.clone(), by_login, by_reference, by_actor] {
        assert!(hit(&rules, &[row]).is_empty());
    }
    // Another case is another id, and a hash is nobody's name.
    let lower = excluding(Some("locked"), &["00uabc", "h:00uAbc"], &[]);
    assert_eq!(hit(&lower, &[by_uid]), ["e"]);
    let mut hashed = plain();
    nobody(&mut hashed);
    hashed.subject_ref = Some("h:00uAbc".into());
    assert_eq!(hit(&lower, &[hashed]), ["e"]);
}

#[test]
fn an_event_that_is_left_alone_is_no_attack_in_the_account_either() {
    let rules = excluding(Some("locked"), &["ana@example.com"], &[]);
    let found = found(&rules, &[event("a", LOCK), event("b", DENY)]);
    let account = found.accounts["acme"];
    assert_eq!((account.attack, account.unclassified), (1, 1));
}

#[test]
fn context_silences_whoever_is_excluded() {
    let mut files = rules().to_vec();
    files.push(rule("quiet", 3, &of_type(LOCK), "  class: context\n"));
    let mut rules = set(files);
    let everybody = Exclusion {
        people: vec!["ana@example.com".to_owned()],
        ..Exclusion::default()
    };
    let mut tuning = Tuning {
        exclusions: vec![everybody],
        ..Tuning::default()
    };
    rules.set_tuning(tuning.clone()).unwrap();
    let account = found(&rules, &[event("a", LOCK)]).accounts["acme"];
    assert_eq!(account.context, 1);
    tuning.exclusions[0].rule = Some("quiet".to_owned());
    let problem = rules.set_tuning(tuning).unwrap_err();
    assert_eq!(problem.to_string(), "the rule finds no attacks");
}

#[test]
fn own_networks_are_those_of_the_events_tenant() {
    let detection = "  selection: {eventType: user.account.lock}\n  own: {derived.is_own_network: true}\n  condition: selection and not own";
    let asking = attack_rule("outside", 4, detection, "  family: credential_attack\n");
    let mut rules = set([asking]);
    let own = |tenant: &str, texts: &[&str]| (tenant.to_owned(), networks(texts));
    let rows = |tenant: &'static str| {
        let mut rows = [
            from("a", LOCK, Some("192.0.2.7")),
            from("b", LOCK, Some("2001:db8::7")),
            from("c", LOCK, Some("no address")),
            from("d", LOCK, None),
        ];
        for row in &mut rows {
            row.tenant_uid = tenant.into();
        }
        rows
    };
    assert_eq!(hit(&rules, &rows("acme")).len(), 4);
    rules
        .set_tuning(Tuning {
            own_networks: BTreeMap::from([
                own("acme", &["192.0.2.0/24", "2001:db8::/32"]),
                own("globex", &["198.51.100.0/24"]),
            ]),
            ..Tuning::default()
        })
        .unwrap();
    assert_eq!(hit(&rules, &rows("acme")), ["c", "d"]);
    assert_eq!(hit(&rules, &rows("globex")).len(), 4);
    assert_eq!(hit(&rules, &rows("initech")).len(), 4);
    let both: Vec<Row<'_>> = rows("globex").into_iter().chain(rows("acme")).collect();
    assert_eq!(hit(&rules, &both), ["a", "b", "c", "c", "d", "d"]);
}

#[test]
fn the_hash_and_the_changes_know_of_every_tuning_and_of_nobodys_name() {
    let untuned = set(rules());
    let mut seen = vec![untuned.hash()];
    for (rule, people, addresses) in [
        (Some("locked"), &["ana@example.com"][..], &[][..]),
        (Some("locked"), &["ben@example.com"], &[]),
        (Some("refused"), &["ben@example.com"], &[]),
        (None, &["ben@example.com"], &[]),
        (None, &[], &["192.0.2.1"]),
    ] {
        let tuned = excluding(rule, people, addresses);
        assert!(!seen.contains(&tuned.hash()));
        seen.push(tuned.hash());
        let changes = tuned.changes();
        let noted = &changes.excluded[rule.unwrap_or("all")];
        assert_eq!(noted.people, people.len() as u64);
        assert_eq!(noted.addresses, addresses);
        assert!(
            !serde_json::to_string(changes)
                .unwrap()
                .contains("example.com")
        );
        assert!(!changes.is_empty());
    }
    // How it is written does not matter; nothing excluded is nothing told.
    let one = excluding(
        None,
        &["a@example.com", "b@example.com"],
        &["192.0.2.1", "192.0.2.0/28"],
    );
    let other = excluding(
        None,
        &["b@example.com", "a@example.com"],
        &["192.0.2.0/28", "192.0.2.1"],
    );
    assert_eq!(one.hash(), other.hash());
    assert_eq!(excluding(Some("locked"), &[], &[]).hash(), untuned.hash());
    // A disabled rule leaves nobody alone.
    let mut disabled = excluding(Some("locked"), &["a@example.com"], &[]);
    disabled.disable("locked");
    let mut plain = set(rules());
    plain.disable("locked");
    assert_eq!(disabled.hash(), plain.hash());
    assert_eq!(disabled.changes(), plain.changes());
}

const BASE: &str = "title: base\nid: 00000000-0000-4000-8000-0000000000b0\ndate: 2026-11-22\n\
    logsource: {product: okta, service: okta}\ndetection:\n  selection: {eventType: user.mfa.okta_verify.deny_push}\n  \
    condition: selection\nattack_factor: {class: base}\n";

fn correlation(name: &str, number: u8) -> RuleFile {
    RuleFile {
        path: format!("rules/{name}.yml"),
        text: format!(
            "title: {name}\nid: 00000000-0000-4000-8000-0000000000{number:02x}\ndate: 2026-11-22\n\
             tags: [attack.t1621]\ncorrelation:\n  type: event_count\n  rules: [base]\n  \
             group-by: [client.ipAddress]\n  timespan: 10m\n  condition: {{gte: 2}}\nlevel: high\n\
             attack_factor:\n  class: attack\n  component: identity\n  family: mfa_attack\n  \
             subject: all_in_group\n"
        ),
        samples: None,
    }
}

fn correlated(exclusion: Option<Exclusion>) -> Vec<(String, String)> {
    let base = RuleFile {
        path: "rules/base.yml".to_owned(),
        text: BASE.to_owned(),
        samples: None,
    };
    let mut rules = set([base, correlation("one", 0xc1), correlation("two", 0xc2)]);
    rules
        .set_tuning(Tuning {
            exclusions: exclusion.into_iter().collect(),
            ..Tuning::default()
        })
        .unwrap();
    let person = |id: &str, uid: &'static str| {
        let mut row = from(id, DENY, Some("203.0.113.9"));
        (row.user_uid, row.actor_user_uid) = (Some(uid.into()), Some(uid.into()));
        (row.user_name, row.actor_user_name) = (None, None);
        row.subject_ref = Some(format!("uid:{uid}").into());
        row
    };
    let found = found(
        &rules,
        &[person("a", "ana"), person("b", "ben"), person("c", "cleo")],
    );
    let name = |id: &str| rules.get(id).unwrap().name.clone();
    let mut hit: Vec<(String, String)> = signals(&found)
        .into_iter()
        .map(|signal| {
            (
                name(&signal.rule_id),
                signal.subject_ref.unwrap().into_owned(),
            )
        })
        .collect();
    hit.sort();
    hit
}

fn pairs(hit: &[(&str, &str)]) -> Vec<(String, String)> {
    hit.iter()
        .map(|&(rule, who)| (rule.to_owned(), format!("uid:{who}")))
        .collect()
}

#[test]
fn an_exclusion_of_one_correlation_leaves_the_others_on_its_base_alone() {
    let of = |rule: &str, people: &[&str]| {
        Some(Exclusion {
            rule: Some(rule.to_owned()),
            people: people.iter().map(|&name| name.to_owned()).collect(),
            addresses: Vec::new(),
        })
    };
    let two = [("two", "ana"), ("two", "ben"), ("two", "cleo")];
    let mut expected = vec![("one", "ana"), ("one", "ben")];
    expected.extend(two);
    assert_eq!(correlated(of("one", &["cleo"])), pairs(&expected));
    // One person is no window of two.
    assert_eq!(correlated(of("one", &["ben", "cleo"])), pairs(&two));
    // The base is everybody's.
    let both = [
        ("one", "ana"),
        ("one", "ben"),
        ("two", "ana"),
        ("two", "ben"),
    ];
    assert_eq!(correlated(of("base", &["cleo"])), pairs(&both));
    let all = Some(Exclusion {
        rule: None,
        ..of("base", &["cleo"]).unwrap()
    });
    assert_eq!(correlated(all), pairs(&both));
    assert_eq!(correlated(None).len(), 6);
}
