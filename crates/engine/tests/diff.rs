//! `diff`: the parts of every change add up to it, and each cause alone moves its own part alone.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use af_engine::diff::{DiffQuery, diff};
use af_model::tables::user_scores;
use af_model::view::{DiffPerson, DiffView};
use af_model::{Params, UtcMillis};
use af_store::Snapshot;
use af_testkit::generate;
use af_testkit::oracle::OracleInput;
use proptest::prelude::*;
use support::{attack, edit_manifest, empty, erase, forge, person, publish, table};

/// Everybody, however small the change; who did not change at all is asked for by name.
fn everybody() -> DiffQuery {
    DiffQuery {
        limit: usize::MAX,
        min_change_micro: 0,
        ..DiffQuery::default()
    }
}

/// Publishes both and compares them; the directory of the second is another version if so said.
fn compare_with(before: &OracleInput, after: &OracleInput, imported: [i64; 2]) -> DiffView {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = imported.map(|at| Some(UtcMillis(at)));
    let before = publish(before, first, &folder.path().join("before"));
    let after = publish(after, second, &folder.path().join("after"));
    diff(&before, &after, &everybody()).unwrap()
}

fn compare(before: &OracleInput, after: &OracleInput) -> DiffView {
    compare_with(before, after, [0, 0])
}

fn of<'v>(view: &'v DiffView, uid: &str) -> &'v DiffPerson {
    let found = view.people.iter().find(|person| person.user_uid == uid);
    found.unwrap_or_else(|| panic!("{uid} did not move: {:#?}", view.people))
}

/// The causes that moved somebody.
fn causes(person: &DiffPerson) -> Vec<&'static str> {
    let parts = person.parts.named().into_iter();
    parts
        .filter(|(_, part)| *part != 0)
        .map(|(name, _)| name)
        .collect()
}

/// Three people; Ana was hit by a high today.
fn small() -> OracleInput {
    let mut input = empty("2026-11-06");
    input.people = ["ana", "bob", "cho"].map(person).to_vec();
    input.signals = vec![attack("s1", "ana", "high", "2026-11-06T08:00:00Z")];
    input
}

fn later(input: &OracleInput, as_of: &str) -> OracleInput {
    let as_of = UtcMillis::parse_cut(as_of).unwrap();
    OracleInput {
        as_of,
        known_at: as_of,
        ..input.clone()
    }
}

#[test]
fn the_parts_of_a_change_worked_out_by_hand() {
    let before = small();
    let mut after = later(&before, "2026-11-20");
    after
        .signals
        .push(attack("s2", "ana", "high", "2026-11-20T08:00:00Z"));
    after
        .signals
        .push(attack("s3", "bob", "critical", "2026-11-20T08:00:00Z"));
    let view = compare(&before, &after);
    let ana = of(&view, "ana");
    // Nobody else was attacked: 9 of 9 points are odds 1, a score of 5.
    assert_eq!(ana.score_before_micro, Some(5_000_000));
    // Fourteen days halve 9 to 4.5 points: odds 1/2, 10/3 = 3.333333.
    assert_eq!(ana.parts.decay, 3_333_333 - 5_000_000);
    // With a fresh high 13.5 points: odds 3/2, 15/2.5 = 6.
    assert_eq!(ana.parts.new_signals, 6_000_000 - 3_333_333);
    // Bob's 27 points: m = 2 + 5, den = 9·7 + 3·27 = 144, odds 13.5·7/144 = 0.65625,
    // 6.5625/1.65625 = 3.962264….
    assert_eq!(ana.score_after_micro, Some(3_962_264));
    assert_eq!(ana.parts.colleagues, 3_962_264 - 6_000_000);
    assert_eq!(causes(ana), ["decay", "new_signals", "colleagues"]);
    assert_eq!(
        (ana.level_before.as_deref(), ana.level_after.as_deref()),
        (Some("medium"), Some("low"))
    );
    // Bob, measured with Ana: at first 9/7 of a yardstick's sum, in the end 13.5.
    // 27·7/(63 + 3·9) = 2.1 → 6.774193; 27·7/(63 + 3·13.5) = 1.826086… → 6.461538.
    let bob = of(&view, "bob");
    assert_eq!(bob.parts.new_signals, 6_774_193);
    assert_eq!(bob.parts.colleagues, 6_461_538 - 6_774_193);
    let organization = &view.organizations[0];
    assert_eq!(
        organization.before.as_ref().unwrap().levels,
        [2, 0, 0, 1, 0, 0]
    );
    assert_eq!(
        organization.after.as_ref().unwrap().levels,
        [1, 0, 1, 0, 1, 0]
    );
    assert_eq!(organization.moved_by_cause["new_signals"], 2);
    // Cho was and is not attacked.
    assert!(view.people.iter().all(|person| person.user_uid != "cho"));
}

#[test]
fn only_time_passes() {
    let mut before = small();
    before
        .signals
        .push(attack("s2", "bob", "medium", "2026-11-01T08:00:00Z"));
    before
        .signals
        .push(attack("s3", "cho", "low", "2026-08-20T08:00:00Z"));
    // Ninety days after Cho's only attack it has left the window.
    let view = compare(&before, &later(&before, "2026-11-18"));
    for person in &view.people {
        let moved = causes(person);
        assert!(
            moved
                .iter()
                .all(|cause| ["decay", "colleagues"].contains(cause)),
            "{person:?}"
        );
        assert!(
            person.parts.decay < 0 && person.parts.colleagues >= 0,
            "{person:?}"
        );
    }
    assert_eq!(of(&view, "cho").score_after_micro, Some(0));
    assert_eq!(view.people.len(), 3);
}

#[test]
fn only_a_colleague_is_attacked() {
    let before = small();
    let mut after = before.clone();
    after
        .signals
        .push(attack("s2", "bob", "high", "2026-11-06T09:00:00Z"));
    let view = compare(&before, &after);
    assert_eq!(causes(of(&view, "ana")), ["colleagues"]);
    assert_eq!(causes(of(&view, "bob")), ["late"]);
    assert!(of(&view, "ana").change_micro < 0);
}

#[test]
fn only_something_is_taken_back() {
    let mut before = small();
    before
        .signals
        .push(attack("s2", "ana", "critical", "2026-11-02T08:00:00Z"));
    let mut after = before.clone();
    after.signals.pop();
    let view = compare(&before, &after);
    assert_eq!(causes(of(&view, "ana")), ["retracted"]);
    assert_eq!(view.people.len(), 1, "nobody else is attacked");
}

#[test]
fn an_incident_that_turns_out_worse_is_one_late_change() {
    let mut before = small();
    before.signals[0].incident_uid = Some("i1".to_owned());
    let mut after = before.clone();
    let mut worse = attack("s2", "ana", "critical", "2026-11-06T08:30:00Z");
    worse.incident_uid = Some("i1".to_owned());
    after.signals.push(worse);
    assert_eq!(causes(of(&compare(&before, &after), "ana")), ["late"]);
}

#[test]
fn on_the_day_of_a_cut_within_the_day_later_signals_are_new_and_earlier_ones_late() {
    let mut before = small();
    before.as_of = UtcMillis::parse("2026-11-06T12:00:00Z").unwrap();
    let mut after = later(&before, "2026-11-06");
    after
        .signals
        .push(attack("s2", "ana", "high", "2026-11-06T15:00:00Z"));
    assert_eq!(
        causes(of(&compare(&before, &after), "ana")),
        ["new_signals"]
    );
    after.signals.pop();
    after
        .signals
        .push(attack("s3", "ana", "high", "2026-11-06T11:00:00Z"));
    assert_eq!(causes(of(&compare(&before, &after), "ana")), ["late"]);
}

#[test]
fn another_directory_moves_attacks_between_people_and_nothing_else() {
    let mut before = small();
    let mut shared = attack("s2", "ana", "critical", "2026-11-03T08:00:00Z");
    (shared.subject_uid, shared.subject_email) = (None, Some("desk@example.com".to_owned()));
    before.signals.push(shared);
    let mut after = before.clone();
    after.people[1].login = Some("desk@example.com".to_owned());
    // Nobody's before, Bob's now.
    let view = compare_with(&before, &after, [0, 1]);
    assert_eq!(causes(of(&view, "bob")), ["directory"]);
    assert_eq!(causes(of(&view, "ana")), ["colleagues"]);
    assert!(
        view.notes
            .iter()
            .any(|note| note.contains("directory of acme"))
    );
    // From Bob to Cho, and a late arrival beside it that has nothing to do with the directory.
    let mut moved = after.clone();
    moved.people[1].login = None;
    moved.people[2].login = Some("desk@example.com".to_owned());
    moved
        .signals
        .push(attack("s3", "cho", "high", "2026-11-04T08:00:00Z"));
    let view = compare_with(&after, &moved, [1, 2]);
    assert_eq!(causes(of(&view, "bob")), ["directory"]);
    assert_eq!(
        causes(of(&view, "cho")),
        ["directory", "late", "colleagues"]
    );
}

#[test]
fn with_other_rules_changes_on_days_before_are_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let before = small();
    let mut after = later(&before, "2026-11-07");
    after
        .signals
        .push(attack("s2", "ana", "high", "2026-11-01T08:00:00Z"));
    after
        .signals
        .push(attack("s3", "ana", "high", "2026-11-07T08:00:00Z"));
    let paths = ["before", "after"].map(|name| folder.path().join(name));
    publish(&before, None, &paths[0]);
    publish(&after, None, &paths[1]);
    for (path, hash) in paths.iter().zip(["one", "two"]) {
        edit_manifest(path, |manifest| manifest.rules_hash = Some(hash.to_owned()));
    }
    let [before, after] = paths.map(|path| Snapshot::open(&path).unwrap());
    let view = diff(&before, &after, &everybody()).unwrap();
    assert_eq!(causes(of(&view, "ana")), ["decay", "rules", "new_signals"]);
}

#[test]
fn other_parameters_are_settings() {
    let mut before = small();
    before
        .signals
        .push(attack("s2", "bob", "medium", "2026-11-06T08:00:00Z"));
    let mut after = before.clone();
    after.params = Params {
        lambda: 18,
        q: 1,
        ..Params::default()
    };
    after.params.points.critical = 100;
    let view = compare(&before, &after);
    for person in &view.people {
        assert_eq!(causes(person), ["settings"]);
    }
    assert_eq!(view.people.len(), 2);
}

#[test]
fn people_who_come_and_go() {
    let mut before = small();
    before
        .signals
        .push(attack("s2", "bob", "critical", "2026-11-06T08:00:00Z"));
    let mut after = before.clone();
    after.people.remove(1);
    after.people.push(person("dee"));
    after
        .signals
        .push(attack("s3", "dee", "low", "2026-11-06T08:00:00Z"));
    let view = compare(&before, &after);
    assert_eq!(causes(of(&view, "bob")), ["left"]);
    assert_eq!(of(&view, "bob").score_after_micro, None);
    assert_eq!(causes(of(&view, "dee")), ["joined"]);
    assert_eq!(of(&view, "dee").score_before_micro, None);
    assert_eq!(causes(of(&view, "ana")), ["population"]);
    assert!(
        of(&view, "ana").change_micro > 0,
        "the attacked colleague is gone"
    );
}

#[test]
fn somebody_who_is_suspended_or_becomes_a_service_account_moves_by_population() {
    let mut before = small();
    before
        .signals
        .push(attack("s2", "bob", "critical", "2026-11-06T08:00:00Z"));
    let mut after = before.clone();
    after.people[1].status = Some("SUSPENDED".to_owned());
    // Bob is measured with the same two colleagues as before, as if added to them.
    let view = compare(&before, &after);
    assert_eq!(causes(of(&view, "ana")), ["population"]);
    assert!(view.people.iter().all(|person| person.user_uid != "bob"));
    after.people[1].status = None;
    after.people[0].user_type = Some("bot".to_owned());
    let view = compare(&before, &after);
    assert_eq!(causes(of(&view, "ana")), ["population"]);
    assert_eq!(of(&view, "ana").population, "service");
    assert_eq!(causes(of(&view, "bob")), ["population"]);
}

#[test]
fn the_erased_are_colleagues_still_and_are_not_shown() {
    let mut before = small();
    before
        .people
        .extend((0..5).map(|n| person(&format!("x{n}"))));
    for person in &mut before.people {
        person.department = Some("Finance".to_owned());
    }
    before
        .signals
        .push(attack("s2", "bob", "critical", "2026-11-06T08:00:00Z"));
    let folder = tempfile::tempdir().unwrap();
    let paths = ["before", "after"].map(|name| folder.path().join(name));
    publish(&before, None, &paths[0]);
    publish(&later(&before, "2026-11-13"), None, &paths[1]);
    let open = || [&paths[0], &paths[1]].map(|path| Snapshot::open(path).unwrap());
    let [one, two] = open();
    let whole = diff(&one, &two, &everybody()).unwrap();
    for path in &paths {
        erase(path, "bob");
    }
    let [one, two] = open();
    let view = diff(&one, &two, &everybody()).unwrap();
    assert_eq!(view.organizations, {
        let mut organizations = whole.organizations.clone();
        // Bob himself is no longer counted among those who moved.
        organizations[0].moved_by_cause = view.organizations[0].moved_by_cause.clone();
        organizations
    });
    assert_eq!(of(&view, "ana"), of(&whole, "ana"));
    assert_eq!(causes(of(&view, "ana")), ["decay", "colleagues"]);
    assert_eq!(view.people.len(), 1);
}

#[test]
fn a_snapshot_and_itself_differ_in_nothing() {
    let view = compare(&small(), &small());
    assert!(view.people.is_empty() && view.notes.is_empty(), "{view:?}");
    assert_eq!(view.organizations[0].before, view.organizations[0].after);
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["before", "after"].map(|name| folder.path().join(name));
    publish(&small(), None, &paths[0]);
    publish(&later(&small(), "2026-11-07"), None, &paths[1]);
    let open = || [&paths[0], &paths[1]].map(|path| Snapshot::open(path).unwrap());
    let [before, after] = open();
    let refused = |before: &Snapshot, after: &Snapshot, query: &DiffQuery| {
        let error = diff(before, after, query).unwrap_err();
        assert!(error.hint().is_some(), "{error}");
        (error.kind(), error.to_string())
    };
    let (kind, message) = refused(&after, &before, &everybody());
    assert_eq!(kind, af_engine::ErrorKind::Usage);
    assert!(message.contains("later"), "{message}");
    let somebody = |user: &str| DiffQuery {
        user: Some(user.to_owned()),
        ..everybody()
    };
    let (kind, _) = refused(&before, &after, &somebody("nobody@example.com"));
    assert_eq!(kind, af_engine::ErrorKind::Usage);
    let view = diff(&before, &after, &somebody("ANA@example.com")).unwrap();
    assert_eq!(view.people.len(), 1);
    let (kind, _) = refused(
        &before,
        &after,
        &DiffQuery {
            tenant: Some("umbrella".to_owned()),
            ..everybody()
        },
    );
    assert_eq!(kind, af_engine::ErrorKind::Usage);

    // Scores that do not follow from the counts cannot be explained by them.
    let mut rows = user_scores::rows(&table(&paths[1], &user_scores::TABLE)).unwrap();
    rows[0].score_micro += 1;
    forge(&paths[1], &user_scores::TABLE, user_scores::batch(&rows));
    let [before, after] = open();
    let (kind, message) = refused(&before, &after, &everybody());
    assert_eq!(kind, af_engine::ErrorKind::Gate);
    assert!(message.contains("ana"), "{message}");
    edit_manifest(&paths[1], |manifest| manifest.formula = "af-2".to_owned());
    let [before, after] = open();
    let (kind, message) = refused(&before, &after, &everybody());
    assert_eq!(kind, af_engine::ErrorKind::Usage);
    assert!(message.contains("af-2"), "{message}");
}

#[test]
fn a_tenant_of_one_snapshot_only_has_a_line_and_nobody_joins_or_leaves() {
    let before = small();
    let mut after = before.clone();
    after
        .people
        .push(af_model::Person::new("beta", "zoe", "zoe@example.com"));
    let view = compare(&before, &after);
    assert!(view.people.is_empty());
    assert_eq!(view.organizations.len(), 2);
    assert!(view.organizations[1].before.is_none());
    assert!(
        view.notes
            .iter()
            .any(|note| note.contains("beta is only in the later"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn parts_add_up_for_any_two_organizations(
        one in generate::organizations(), two in generate::organizations(), days in 0..40_i64,
        rules in any::<bool>(), directory in 0..2_i64,
    ) {
        let (mut before, after) = (one, two);
        before.as_of.0 -= days * 86_400_000;
        before.known_at.0 = before.known_at.0.min(after.known_at.0);
        if before.as_of > after.as_of {
            before.as_of = after.as_of;
        }
        let folder = tempfile::tempdir().unwrap();
        let paths = ["before", "after"].map(|name| folder.path().join(name));
        publish(&before, Some(UtcMillis(0)), &paths[0]);
        publish(&after, Some(UtcMillis(directory)), &paths[1]);
        if rules {
            edit_manifest(&paths[1], |manifest| manifest.rules_hash = Some("other".to_owned()));
        }
        let [before, after] = paths.map(|path| Snapshot::open(&path).unwrap());
        let view = diff(&before, &after, &everybody()).unwrap();
        let scores = |snapshot: &Snapshot| -> BTreeMap<(String, String), i64> {
            let rows = user_scores::rows(&table(snapshot.path(), &user_scores::TABLE)).unwrap();
            rows.into_iter().map(|r| ((r.tenant_uid, r.user_uid), r.score_micro)).collect()
        };
        let (old, new) = (scores(&before), scores(&after));
        let tenants = |scores: &BTreeMap<(String, String), i64>| -> BTreeSet<String> {
            scores.keys().map(|(tenant, _)| tenant.clone()).collect()
        };
        let both: BTreeSet<String> =
            tenants(&old).intersection(&tenants(&new)).cloned().collect();
        let mut moved = BTreeSet::new();
        for person in &view.people {
            let key = (person.tenant_uid.clone(), person.user_uid.clone());
            prop_assert_eq!(person.parts.sum(), person.change_micro, "{:?}", person);
            prop_assert_eq!(person.score_before_micro, old.get(&key).copied());
            prop_assert_eq!(person.score_after_micro, new.get(&key).copied());
            let change = new.get(&key).unwrap_or(&0) - old.get(&key).unwrap_or(&0);
            prop_assert_eq!(person.change_micro, change);
            prop_assert!(person.parts.decay <= 0 && person.parts.retracted <= 0);
            prop_assert!(person.parts.late >= 0 && person.parts.new_signals >= 0);
            prop_assert!(rules || person.parts.rules == 0);
            moved.insert(key);
        }
        // Nobody whose score changed is left out, and nobody else is shown.
        for key in old.keys().chain(new.keys()).filter(|key| both.contains(&key.0)) {
            prop_assert_eq!(moved.contains(key), old.get(key).unwrap_or(&0) != new.get(key).unwrap_or(&0));
        }
    }
}
