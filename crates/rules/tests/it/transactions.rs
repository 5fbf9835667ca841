//! The person of an event that names nobody, by its transaction.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use af_model::UtcMillis;
use af_model::tables::identity_events::Row;
use af_rules::{RuleSet, shipped};

use crate::support::{event, found, signals};

fn rules() -> RuleSet {
    RuleSet::load(shipped().into_iter()).unwrap()
}

/// A request from a bad address that was let through, which names nobody.
fn threat(id: &str, transaction: Option<&'static str>, known: i64) -> Row<'static> {
    let mut row = event(id, "security.threat.detected");
    (row.subject_ref, row.user_uid, row.user_name) = (None, None, None);
    (row.actor_user_uid, row.actor_user_name) = (None, None);
    row.user_role = "none".into();
    row.attribution_method = "none".into();
    row.metadata_correlation_uid = transaction.map(Into::into);
    row.ingested_at = UtcMillis(known);
    row
}

fn sign_in(id: &str, who: &'static str, transaction: &'static str, known: i64) -> Row<'static> {
    let mut row = event(id, "user.session.start");
    row.subject_ref = Some(format!("uid:{who}").into());
    row.user_uid = Some(who.into());
    row.user_name = Some(format!("{who}@example.com").into());
    row.metadata_correlation_uid = Some(transaction.into());
    row.ingested_at = UtcMillis(known);
    row
}

/// Whom the attack was on and since when that is known; `-` for nobody. In every order of the rows.
fn told(rows: &[Row<'static>]) -> Vec<(String, i64)> {
    let rules = rules();
    let of = |rows: &[Row<'static>]| {
        let mut told: Vec<(String, i64)> = signals(&found(&rules, rows))
            .into_iter()
            .map(|signal| {
                assert_eq!(signal.event_uids.unwrap(), ["t"]);
                let who = signal.subject_ref.as_deref().unwrap_or("-").to_owned();
                (who, signal.ingested_at.unwrap().0)
            })
            .collect();
        told.sort_by_key(|(_, known)| *known);
        told
    };
    let first = of(rows);
    for turn in 0..rows.len() {
        let mut turned = rows.to_vec();
        turned.rotate_left(turn);
        assert_eq!(of(&turned), first);
        turned.reverse();
        assert_eq!(of(&turned), first);
    }
    first
}

fn expect(told: &[(&str, i64)]) -> Vec<(String, i64)> {
    told.iter()
        .map(|&(who, known)| (who.to_owned(), known))
        .collect()
}

#[test]
fn the_only_person_of_the_transaction_is_the_one() {
    let rows = [
        threat("t", Some("tx"), 100),
        sign_in("a", "ana", "tx", 100),
        sign_in("b", "ana", "tx", 90),
        sign_in("c", "ben", "other", 80),
    ];
    assert_eq!(told(&rows), expect(&[("uid:ana", 100)]));
    let signals = found(&rules(), &rows);
    let signal = &crate::support::signals(&signals)[0];
    assert_eq!(signal.subject_uid.as_deref(), Some("ana"));
    assert_eq!(signal.subject_login.as_deref(), Some("ana@example.com"));
}

#[test]
fn of_two_people_nobody_is_the_one_and_without_a_transaction_nobody_is_asked() {
    let two = [
        threat("t", Some("tx"), 100),
        sign_in("a", "ana", "tx", 100),
        sign_in("b", "ben", "tx", 90),
    ];
    assert_eq!(told(&two), expect(&[("-", 100)]));
    let mut alone = [threat("t", None, 100), sign_in("a", "ana", "tx", 100)];
    assert_eq!(told(&alone), expect(&[("-", 100)]));
    // Another organization's transaction of the same name is another one.
    alone[0].metadata_correlation_uid = Some("tx".into());
    alone[1].tenant_uid = "globex".into();
    assert_eq!(told(&alone), expect(&[("-", 100)]));
}

#[test]
fn who_comes_later_adds_a_signal_and_changes_none() {
    let early = threat("t", Some("tx"), 100);
    let ana = sign_in("a", "ana", "tx", 200);
    let ben = sign_in("b", "ben", "tx", 300);
    assert_eq!(told(std::slice::from_ref(&early)), expect(&[("-", 100)]));
    let with_ana = expect(&[("-", 100), ("uid:ana", 200)]);
    assert_eq!(told(&[early.clone(), ana.clone()]), with_ana);
    assert_eq!(told(&[early.clone(), ana.clone(), ben.clone()]), with_ana);
    // Two at once are two.
    let mut at_once = ben;
    at_once.ingested_at = UtcMillis(200);
    assert_eq!(told(&[early, ana.clone(), at_once]), expect(&[("-", 100)]));
    // A person who was known stays the one when somebody else turns up.
    let known = [
        threat("t", Some("tx"), 250),
        ana,
        sign_in("b", "ben", "tx", 300),
    ];
    assert_eq!(told(&known), expect(&[("uid:ana", 250)]));
}
