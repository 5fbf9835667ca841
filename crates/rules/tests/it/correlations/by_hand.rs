//! Windows small enough to count on the fingers.

use af_model::tables::identity_events::Row;
use af_model::{UtcDay, UtcMillis};
use af_rules::{RuleFile, RuleSet};

use super::case::{DAY, START, Said, said};
use crate::support::{event, events, of_type, rule, set, signals};

const MINUTE: i64 = 60_000;

fn correlation(name: &str, number: u8, body: &str, block: &str) -> RuleFile {
    let text = format!(
        "title: {name}\nid: 00000000-0000-4000-8000-0000000000{number:02x}\ndate: 2026-11-22\nlevel: high\n\
         correlation:\n{body}\n\
         attack_factor: {{component: identity, family: mfa_attack, {block}}}\n"
    );
    RuleFile {
        path: format!("rules/{name}.yml"),
        text,
        samples: None,
    }
}

fn base(name: &str, number: u8, event_type: &str) -> RuleFile {
    rule(name, number, &of_type(event_type), "  class: base")
}

fn refused(uid: &str, minutes: i64) -> Row<'static> {
    at(event(uid, "push.refused"), minutes)
}

fn at(row: Row<'static>, minutes: i64) -> Row<'static> {
    Row {
        time: UtcMillis(START + minutes * MINUTE),
        ingested_at: UtcMillis(START + 3 * DAY),
        ..row
    }
}

fn of(row: Row<'static>, person: &'static str) -> Row<'static> {
    Row {
        subject_ref: Some(person.into()),
        user_uid: Some(person[4..].into()),
        ..row
    }
}

/// Three refusals within ten minutes, per person.
fn bombing() -> RuleSet {
    let body = "  type: event_count\n  rules: [refused]\n  group-by: [derived.subject]\n  timespan: 10m\n  condition: {gte: 3}";
    set([
        base("refused", 1, "push.refused"),
        correlation("bombing", 2, body, "class: attack"),
    ])
}

fn ids(said: &Said) -> Vec<&str> {
    said.events.iter().map(String::as_str).collect()
}

#[test]
fn the_window_fires_at_the_event_that_fills_it_and_once_a_day() {
    // 0, 4, 10 minutes fill the window; what follows on that day adds nothing.
    let rows = [
        refused("a", 0),
        refused("b", 4),
        refused("c", 10),
        refused("d", 11),
        refused("e", 600),
    ];
    let said = said(&bombing(), &rows);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].time, START + 10 * MINUTE);
    assert_eq!(ids(&said[0]), ["a", "b", "c"]);
}

#[test]
fn a_millisecond_more_is_too_slow() {
    let mut late = refused("c", 10);
    late.time = UtcMillis(late.time.0 + 1);
    assert!(said(&bombing(), &[refused("a", 0), refused("b", 4), late]).is_empty());
}

#[test]
fn a_window_crosses_midnight_and_an_attack_that_goes_on_is_found_on_both_days() {
    let last = 24 * 60;
    let rows = [
        refused("a", last - 3),
        refused("b", last - 2),
        refused("c", last - 1),
        refused("d", last + 1),
    ];
    let said = said(&bombing(), &rows);
    assert_eq!(
        said.iter().map(ids).collect::<Vec<_>>(),
        [vec!["a", "b", "c"], vec!["a", "b", "c", "d"]]
    );
}

#[test]
fn other_people_and_other_organizations_fill_other_windows() {
    let elsewhere = Row {
        tenant_uid: "other".into(),
        ..refused("c", 2)
    };
    let rows = [
        refused("a", 0),
        of(refused("b", 1), "uid:u2"),
        elsewhere,
        refused("d", 3),
    ];
    assert!(said(&bombing(), &rows).is_empty());
}

#[test]
fn a_finding_is_a_signal_with_its_incident_and_its_events() {
    let rules = bombing();
    let rows = [refused("a", 0), refused("b", 4), refused("c", 10)];
    let found = rules.classify(&events(&rows), &|_| true).unwrap();
    let signals = signals(&found);
    let [signal] = &signals[..] else {
        panic!("one finding, found {}", signals.len())
    };
    assert_eq!(
        (
            signal.component.as_ref(),
            signal.family.as_ref(),
            signal.level.as_ref()
        ),
        ("identity", "mfa_attack", "high")
    );
    assert_eq!(signal.subject_ref.as_deref(), Some("uid:u1"));
    assert!(
        signal
            .incident_uid
            .as_deref()
            .unwrap()
            .starts_with("group:")
    );
    let expected = af_rules::signal_uid(
        "acme",
        "okta",
        &signal.rule_id,
        &["a", "b", "c"],
        Some("uid:u1"),
    );
    assert_eq!(signal.signal_uid, expected.to_string());
    // Base rules classify nothing.
    let account = found.accounts["acme"];
    assert_eq!(
        (account.normalized, account.unclassified, account.attack),
        (3, 3, 0)
    );
}

/// Three different people fail from one address within an hour: all of them are hit.
fn spray(subject: &str) -> RuleSet {
    let body = "  type: value_count\n  rules: [refused]\n  group-by: [client.ipAddress]\n  timespan: 1h\n  condition: {field: derived.subject, gte: 3}";
    set([
        base("refused", 1, "push.refused"),
        correlation(
            "spray",
            2,
            body,
            &format!("class: attack, subject: {subject}"),
        ),
    ])
}

#[test]
fn a_spray_hits_everybody_in_the_window_then_everybody_who_comes() {
    let rows = [
        of(refused("early", -70), "uid:u9"),
        of(refused("a", 0), "uid:u1"),
        of(refused("b", 10), "uid:u2"),
        of(refused("b2", 11), "uid:u2"),
        of(refused("c", 20), "uid:u3"),
        of(refused("d", 30), "uid:u4"),
        // The window has emptied: nobody new is hit by one failure.
        of(refused("f", 300), "uid:u5"),
    ];
    let said = said(&spray("all_in_group"), &rows);
    let hit: Vec<(&str, i64, Vec<&str>)> = said
        .iter()
        .map(|said| {
            (
                said.person.as_deref().unwrap(),
                (said.time - START) / MINUTE,
                ids(said),
            )
        })
        .collect();
    assert_eq!(
        hit,
        [
            ("uid:u1", 20, vec!["a"]),
            ("uid:u2", 20, vec!["b", "b2"]),
            ("uid:u3", 20, vec!["c"]),
            ("uid:u4", 30, vec!["d"]),
        ]
    );
}

#[test]
fn all_victims_of_one_spray_share_its_incident() {
    let rules = spray("all_in_group");
    let rows = [
        of(refused("a", 0), "uid:u1"),
        of(refused("b", 1), "uid:u2"),
        of(refused("c", 2), "uid:u3"),
    ];
    let found = rules.classify(&events(&rows), &|_| true).unwrap();
    let signals = signals(&found);
    assert_eq!(signals.len(), 3);
    assert!(
        signals
            .iter()
            .all(|signal| signal.incident_uid == signals[0].incident_uid)
    );
}

/// A bombing, then a factor passed within half an hour.
fn accepted() -> RuleSet {
    let bombing = "  type: event_count\n  rules: [refused]\n  group-by: [derived.subject]\n  timespan: 10m\n  condition: {gte: 3}";
    let body = "  type: temporal_ordered\n  rules: [bombing, passed]\n  group-by: [derived.subject]\n  timespan: 30m";
    set([
        base("refused", 1, "push.refused"),
        base("passed", 2, "factor.passed"),
        correlation("bombing", 3, bombing, "class: base"),
        correlation("accepted", 4, body, "class: attack"),
    ])
}

#[test]
fn a_chain_fires_at_its_last_step_and_after_every_firing_of_the_first() {
    let passed = |uid: &str, minutes| at(event(uid, "factor.passed"), minutes);
    let morning = [refused("a", 0), refused("b", 1), refused("c", 2)];
    let evening = [refused("d", 600), refused("e", 601), refused("f", 602)];
    let with = |more: Vec<Row<'static>>| [morning.to_vec(), evening.to_vec(), more].concat();
    // Before it, too late after it, by somebody else: nothing.
    let other = of(passed("p", 5), "uid:u2");
    let rows = with(vec![passed("p1", -1), passed("p2", 33), other]);
    assert!(said(&accepted(), &rows).is_empty());
    // After the second burst of the day, though the first had already fired.
    let said = said(&accepted(), &with(vec![passed("p", 632)]));
    assert_eq!(said.len(), 1);
    assert_eq!(ids(&said[0]), ["f", "p"]);
}

#[test]
fn a_late_event_adds_a_finding_and_never_alters_one() {
    let late = |row: Row<'static>| Row {
        ingested_at: UtcMillis(START + 4 * DAY),
        ..row
    };
    // With what was known first nothing fires; the late event fills the window.
    let added = said(
        &bombing(),
        &[refused("a", 0), late(refused("b", 1)), refused("c", 2)],
    );
    assert_eq!(added.len(), 1);
    assert_eq!(
        (added[0].time, added[0].known_at),
        (START + 2 * MINUTE, START + 4 * DAY)
    );
    // What fired without it stays as it was, though with it the window would have fired earlier.
    let rows = [
        refused("a", 0),
        late(refused("b", 1)),
        refused("c", 2),
        refused("d", 3),
    ];
    let kept = said(&bombing(), &rows);
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].known_at, ids(&kept[0])),
        (START + 3 * DAY, vec!["a", "c", "d"])
    );
}

#[test]
fn a_day_that_is_only_looked_at_says_nothing_and_is_remembered() {
    let rules = bombing();
    let today = UtcMillis(START).day();
    let before = [refused("a", -3), refused("b", -2)];
    let mut walk = rules.walk();
    walk.look_at(UtcDay(today.0 - 1), &events(&before)).unwrap();
    let found = walk
        .detect(today, &events(&[refused("c", 1)]), &|_| true)
        .unwrap();
    assert_eq!(found.signals.num_rows(), 1);
    assert_eq!(rules.look_back_days(), 1);
    // A day later the window no longer reaches it.
    let mut walk = rules.walk();
    walk.look_at(UtcDay(today.0 - 2), &events(&before)).unwrap();
    let found = walk
        .detect(today, &events(&[refused("c", 1)]), &|_| true)
        .unwrap();
    assert_eq!(found.signals.num_rows(), 0);
}

#[test]
fn a_disabled_rule_still_feeds_its_correlation() {
    let body = "  type: event_count\n  rules: [refused]\n  group-by: [derived.subject]\n  timespan: 10m\n  condition: {gte: 3}";
    let own = rule(
        "refused",
        1,
        &of_type("push.refused"),
        "  class: attack\n  component: identity\n  family: mfa_attack",
    );
    let mut bombing = correlation("bombing", 2, body, "class: attack");
    bombing.text.push_str("generate: true\n");
    let mut rules = set([own, bombing]);
    let rows = [refused("a", 0), refused("b", 1), refused("c", 2)];
    let before = rules.hash();
    assert_eq!(said(&rules, &rows).len(), 4);
    assert!(rules.disable("refused"));
    assert_eq!(said(&rules, &rows).len(), 1);
    assert_ne!(rules.hash(), before);
    assert!(rules.disable("bombing"));
    assert!(rules.rules().is_empty());
    assert_eq!(rules.changes().disabled, ["bombing", "refused"]);
}

/// An address was called malicious, then the same person signs in from it.
#[test]
fn a_transaction_lends_its_person_to_a_window() {
    let body = "  type: temporal_ordered\n  rules: [threat, session]\n  group-by: [derived.subject, client.ipAddress]\n  timespan: 1d";
    let rules = set([
        base("threat", 1, "threat.detected"),
        base("session", 2, "session.started"),
        correlation("known_bad", 3, body, "class: attack"),
    ]);
    let threat = Row {
        subject_ref: None,
        user_uid: None,
        user_name: None,
        metadata_correlation_uid: Some("t1".into()),
        ..at(event("threat", "threat.detected"), 0)
    };
    let beside = |late: i64| Row {
        metadata_correlation_uid: Some("t1".into()),
        ingested_at: UtcMillis(START + (3 + late) * DAY),
        ..at(event("beside", "policy.evaluated"), 0)
    };
    let session = at(event("session", "session.started"), 60);
    let other = of(at(event("other", "session.started"), 61), "uid:u2");
    let nobody = said(&rules, &[threat.clone(), session.clone(), other.clone()]);
    assert!(nobody.is_empty(), "{nobody:?}");
    let known = said(
        &rules,
        &[threat.clone(), beside(0), session.clone(), other.clone()],
    );
    assert_eq!(known.len(), 1);
    assert_eq!(
        (known[0].person.as_deref(), ids(&known[0])),
        (Some("uid:u1"), vec!["session", "threat"])
    );
    assert_eq!(known[0].known_at, START + 3 * DAY);
    // Who it was became known a day later, and so did the finding.
    let later = said(&rules, &[threat, beside(1), session, other]);
    assert_eq!(later[0].known_at, START + 4 * DAY);
}

#[test]
fn a_finding_lists_the_last_thousand_events_of_a_flood() {
    let body = "  type: event_count\n  rules: [refused]\n  group-by: [client.ipAddress]\n  timespan: 1d\n  condition: {gte: 1200}";
    let rules = set([
        base("refused", 1, "push.refused"),
        correlation("flood", 2, body, "class: attack"),
    ]);
    let uids: Vec<String> = (0..1200).map(|number| format!("e{number:04}")).collect();
    let rows: Vec<Row<'static>> = (0..)
        .zip(&uids)
        .map(|(minute, uid)| refused(uid, minute))
        .collect();
    let said = said(&rules, &rows);
    assert_eq!(said.len(), 1);
    let last: Vec<&str> = uids[200..].iter().map(String::as_str).collect();
    assert_eq!(ids(&said[0]), last);
}
