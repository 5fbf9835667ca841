//! One class for each event; one signal for each person and component.

use af_model::tables::identity_events::{Row, TABLE};
use af_rules::{ErrorKind, RuleFile, RuleSet, signal_uid};
use arrow::array::RecordBatch;

use crate::support::{
    attack_rule, details, event, events, found, of_type, person, rule, set, signals,
};

const SIGN_IN: &str = "user.session.start";
const FAMILY: &str = "  family: credential_attack\n";

fn on_sign_in(name: &str, number: u8, block: &str) -> RuleFile {
    attack_rule(name, number, &of_type(SIGN_IN), &format!("{FAMILY}{block}"))
}

fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02x}")
}

#[test]
fn a_context_rule_silences_attack_and_behavior_on_its_event_only() {
    let rules = set([
        on_sign_in("attack", 1, ""),
        rule("behavior", 2, &of_type(SIGN_IN), "  class: behavior"),
        rule(
            "context",
            3,
            "  selection: {derived.risk_level: low}\n  condition: selection",
            "  class: context",
        ),
    ]);
    let mut silenced = event("e1", SIGN_IN);
    silenced.risk_level_id = Some(1);
    let found = found(&rules, &[silenced, event("e2", SIGN_IN)]);
    let account = found.accounts["acme"];
    assert_eq!(
        (account.context, account.attack, account.behavior),
        (1, 1, 0)
    );
    let signals = signals(&found);
    assert_eq!(signals.len(), 1);
    assert_eq!(signals[0].event_uids.as_deref().unwrap(), ["e2"]);
}

#[test]
fn every_event_has_one_class_and_the_accounts_close_per_tenant() {
    let rules = set([
        attack_rule("attack", 1, &of_type("user.account.lock"), FAMILY),
        rule("behavior", 2, &of_type(SIGN_IN), "  class: behavior"),
    ]);
    let mut elsewhere = event("e5", SIGN_IN);
    elsewhere.tenant_uid = "other".into();
    let rows = [
        event("e1", "user.account.lock"),
        event("e2", SIGN_IN),
        event("e3", "no.such.type"),
        event("e4", "user.lifecycle.create"),
        elsewhere,
    ];
    let found = found(&rules, &rows);
    let account = found.accounts["acme"];
    assert!(account.closes());
    // normalized 4 = attack 1 + behavior 1 + unknown_type 1 + unclassified 1.
    assert_eq!(account.normalized, 4);
    assert_eq!(
        (account.context, account.attack, account.behavior),
        (0, 1, 1)
    );
    assert_eq!((account.unknown_type, account.unclassified), (1, 1));
    assert_eq!(found.accounts["other"].behavior, 1);
    assert_eq!(found.accounts.len(), 2);
}

#[test]
fn the_strongest_rule_speaks_for_an_event() {
    let level = |file: RuleFile, level: &str| RuleFile {
        text: file
            .text
            .replace("level: medium", &format!("level: {level}")),
        ..file
    };
    let weak_but_first = level(on_sign_in("weak", 1, "  precedence: 1\n"), "low");
    let late = level(on_sign_in("late", 2, "  precedence: 60\n"), "high");
    let b = level(on_sign_in("b", 4, "  precedence: 40\n"), "high");
    let a = level(on_sign_in("a", 5, "  precedence: 40\n"), "high");
    let speaker = |files: Vec<RuleFile>| {
        let found = found(&set(files), &[event("e1", SIGN_IN)]);
        let signals = signals(&found);
        assert_eq!(signals.len(), 1);
        signals[0].rule_id.to_string()
    };
    // The level decides before the precedence.
    assert_eq!(speaker(vec![weak_but_first.clone(), late.clone()]), id(2));
    // Of equal levels the lowest precedence, of equal precedences the smallest id (not the name).
    assert_eq!(speaker(vec![weak_but_first, late, a, b]), id(4));
}

#[test]
fn the_events_own_level_counts_and_sigmas_where_it_is_absent() {
    let rules = set([on_sign_in("r", 1, "  level_from: derived.risk_level\n")]);
    let with = |uid: &str, level: Option<i64>| {
        let mut row = event(uid, SIGN_IN);
        row.risk_level_id = level;
        row
    };
    let rows = [
        with("e1", Some(3)),
        with("e2", Some(1)),
        with("e3", None),
        with("e4", Some(7)),
    ];
    let found = found(&rules, &rows);
    let levels: Vec<_> = signals(&found)
        .iter()
        .map(|s| s.level.to_string())
        .collect();
    assert_eq!(levels, ["high", "low", "medium", "medium"]);
}

#[test]
fn a_level_from_the_event_decides_between_rules() {
    let rules = set([
        on_sign_in(
            "own",
            1,
            "  level_from: derived.risk_level\n  precedence: 90\n",
        ),
        on_sign_in("fixed", 2, "  precedence: 10\n"),
    ]);
    let mut risky = event("e1", SIGN_IN);
    risky.risk_level_id = Some(3);
    let mut calm = event("e2", SIGN_IN);
    calm.risk_level_id = Some(1);
    let found = found(&rules, &[risky, calm]);
    let speakers: Vec<_> = signals(&found)
        .iter()
        .map(|s| s.rule_id.to_string())
        .collect();
    assert_eq!(speakers, [id(1), id(2)]);
}

#[test]
fn components_and_persons_get_signals_of_their_own() {
    let email = rule(
        "email",
        3,
        &of_type(SIGN_IN),
        "  class: attack\n  component: email\n  family: phishing",
    );
    let rules = set([
        on_sign_in("victim", 1, ""),
        on_sign_in("operator", 2, "  subject: operator\n"),
        email,
    ]);
    let mut by_admin = event("e1", SIGN_IN);
    by_admin.attribution_method = "target".into();
    by_admin.actor_user_uid = Some("a1".into());
    by_admin.actor_user_name = Some("Admin@Example.com".into());
    let found = found(&rules, &[by_admin]);
    let named: Vec<_> = signals(&found)
        .iter()
        .map(|s| {
            let login = s.subject_login.as_deref().unwrap().to_owned();
            (
                s.component.to_string(),
                s.subject_ref.clone().unwrap().into_owned(),
                login,
            )
        })
        .collect();
    let expected = [
        ("email", "uid:u1", "ana@example.com"),
        ("identity", "uid:a1", "admin@example.com"),
        ("identity", "uid:u1", "ana@example.com"),
    ];
    assert_eq!(
        named,
        expected.map(|(c, r, l)| (c.into(), r.into(), l.into()))
    );
}

#[test]
fn an_operator_is_a_person_or_nobody() {
    let rules = set([on_sign_in("operator", 1, "  subject: operator\n")]);
    let by = |uid: Option<&'static str>, name: Option<&'static str>, kind: i64| {
        let mut row = event("e1", SIGN_IN);
        row.attribution_method = "target".into();
        row.actor_user_uid = uid.map(Into::into);
        row.actor_user_name = name.map(Into::into);
        row.actor_user_type_id = kind;
        let found = found(&rules, &[row]);
        let signals = signals(&found);
        let subject = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        (
            subject(&signals[0].subject_ref),
            subject(&signals[0].subject_login),
        )
    };
    let texts = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
    assert_eq!(
        by(None, Some("B@example.com"), 1),
        texts("login:b@example.com", "b@example.com")
    );
    assert_eq!(
        by(None, Some("h:00ff"), 1),
        (Some("h:00ff".to_owned()), None)
    );
    assert_eq!(by(Some("p1"), Some("x"), 3), (None, None));
    assert_eq!(by(Some("p1"), Some("system@okta.com"), 1), (None, None));
}

#[test]
fn an_attack_on_nobody_is_still_a_signal() {
    let rules = set([on_sign_in("r", 1, "")]);
    let mut nobody = event("e1", SIGN_IN);
    (nobody.subject_ref, nobody.user_uid, nobody.user_name) = (None, None, None);
    let found = found(&rules, &[nobody]);
    let signals = signals(&found);
    assert_eq!(signals[0].subject_ref, None);
    assert_eq!(
        (&signals[0].subject_uid, &signals[0].subject_login),
        (&None, &None)
    );
    assert_eq!(found.accounts["acme"].attack, 1);
}

#[test]
fn a_signal_says_everything_the_contract_asks() {
    let rules = set([on_sign_in("r", 1, "")]);
    let found = found(&rules, &[event("e1", SIGN_IN)]);
    let signals = signals(&found);
    let signal = &signals[0];
    let expected = signal_uid("acme", "okta", &id(1), &["e1"], Some("uid:u1"));
    assert_eq!(signal.signal_uid, expected.to_string());
    assert_eq!(
        (signal.time.0, signal.ingested_at.unwrap().0),
        (1_795_000_000_000, 1_795_000_060_000)
    );
    assert_eq!(signal.subject_uid.as_deref(), Some("u1"));
    assert_eq!(signal.subject_email, None);
    assert_eq!(
        (signal.source.as_ref(), signal.integration.as_deref()),
        ("okta", Some("okta-main"))
    );
    assert_eq!(signal.rule_version.as_deref(), Some("2026-11-22"));
    assert_eq!(signal.attack_techniques.as_deref().unwrap(), ["T1110.003"]);
    assert_eq!(signal.incident_uid.as_deref(), Some("event:e1"));
}

fn incidents(rows: &[Row<'_>], block: &str) -> Vec<String> {
    let rules = set([on_sign_in("r", 1, block)]);
    let found = found(&rules, rows);
    signals(&found)
        .iter()
        .map(|s| {
            s.incident_uid
                .clone()
                .expect("a named incident")
                .into_owned()
        })
        .collect()
}

#[test]
fn an_incident_is_named_by_the_first_key_that_is_set() {
    let mut row = event("e1", SIGN_IN);
    row.metadata_correlation_uid = Some("t1".into());
    assert_eq!(incidents(&[row.clone()], ""), ["transaction:t1"]);
    row.session_uid = Some("s1".into());
    assert_eq!(incidents(&[row.clone()], ""), ["session:s1"]);
    row.session_uid_alt = Some("root1".into());
    assert_eq!(incidents(&[row.clone()], ""), ["session:root1"]);
    row.trace_uid = Some("trace1".into());
    assert_eq!(incidents(&[row.clone()], ""), ["trace:trace1"]);
    assert_eq!(
        incidents(&[row.clone()], "  incident: [event]\n"),
        ["event:e1"]
    );
    assert_eq!(
        incidents(&[row], "  incident: [transaction, trace]\n"),
        ["transaction:t1"]
    );
}

#[test]
fn an_event_without_a_session_takes_the_session_of_its_transaction() {
    let in_transaction = |uid: &str, kind: &str, transaction: &'static str| {
        let mut row = event(uid, kind);
        row.metadata_correlation_uid = Some(transaction.into());
        row
    };
    let bare = in_transaction("e1", SIGN_IN, "t1");
    // Not an attack itself, and after the event that needs it.
    let mut later = in_transaction("e2", "policy.evaluate_sign_on", "t1");
    later.session_uid = Some("s9".into());
    let mut smaller = later.clone();
    smaller.session_uid = Some("s2".into());
    let mut elsewhere = later.clone();
    elsewhere.tenant_uid = "other".into();
    elsewhere.session_uid = Some("s1".into());
    let rows = [
        bare.clone(),
        later.clone(),
        smaller.clone(),
        elsewhere.clone(),
    ];
    // The smallest session of the transaction, and never one of another tenant.
    assert_eq!(incidents(&rows, ""), ["session:s2"]);
    assert_eq!(
        incidents(&[smaller, later, bare.clone()], ""),
        ["session:s2"]
    );
    assert_eq!(incidents(&[bare, elsewhere], ""), ["transaction:t1"]);
}

#[test]
fn an_incident_without_any_of_its_keys_has_no_name() {
    let rules = set([on_sign_in("r", 1, "  incident: [trace]\n")]);
    let found = found(&rules, &[event("e1", SIGN_IN)]);
    assert_eq!(signals(&found)[0].incident_uid, None);
}

fn mixed_rows() -> Vec<Row<'static>> {
    (0..200)
        .map(|number: u8| {
            let number = usize::from(number);
            let level = i64::try_from(number % 4).expect("a small number");
            let kind = ["user.session.start", "user.account.lock", "no.such.type"][number % 3];
            let mut row = event(&format!("e{number}"), kind);
            row.risk_level_id = (number % 5 > 1).then_some(level);
            row.tenant_uid = ["acme", "other"][number % 2].into();
            row.metadata_correlation_uid = Some(["t1", "t2", "t3"][number % 3].into());
            row.session_uid = (number % 7 == 0).then_some("s1".into());
            row.debug_data = Some(details(&[("factor", ["A", "B"][number % 2])]));
            row.targets = (number % 4 > 0).then(|| vec![person("u1"); number % 4]);
            row
        })
        .collect()
}

fn mixed_rules() -> RuleSet {
    let factor = "  s: {debugContext.debugData.factor: b, derived.risk_level: [high, medium]}\n  condition: s";
    set([
        on_sign_in("a", 1, "  level_from: derived.risk_level\n"),
        attack_rule("b", 2, factor, FAMILY),
        rule("c", 3, &of_type("user.account.lock"), "  class: behavior"),
        rule(
            "d",
            4,
            "  s: {derived.risk_level: low}\n  condition: s",
            "  class: context",
        ),
    ])
}

#[test]
fn schema_slices_order_and_threads_change_nothing() {
    let rules = mixed_rules();
    let known = |event_type: &str| event_type != "no.such.type";
    let rows = mixed_rows();
    let plain = events(&rows);
    let whole = rules.classify(&plain, &known).unwrap();
    assert!(whole.signals.num_rows() > 20);

    let dictionaries = TABLE.conform_for_scan(&plain).unwrap();
    let by_dictionary = rules.classify(&dictionaries, &known).unwrap();
    assert_eq!(whole.signals, by_dictionary.signals);
    assert_eq!(whole.accounts, by_dictionary.accounts);

    let mut padded = vec![event("x", SIGN_IN); 9];
    padded.extend(rows.iter().cloned());
    let sliced = rules
        .classify(&events(&padded).slice(9, rows.len()), &known)
        .unwrap();
    assert_eq!(whole.signals, sliced.signals);

    let reversed: Vec<Row<'_>> = rows.iter().rev().cloned().collect();
    let backwards = rules.classify(&events(&reversed), &known).unwrap();
    let sorted = |batch: &RecordBatch| {
        let mut rows: Vec<String> = af_model::tables::attack_signals::TABLE
            .conform(batch)
            .map(|batch| {
                (0..batch.num_rows())
                    .map(|row| format!("{:?}", af_model::tables::attack_signals::row(&batch, row)))
                    .collect()
            })
            .unwrap();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&whole.signals), sorted(&backwards.signals));
    assert_eq!(whole.accounts, backwards.accounts);

    let one_thread = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let alone = one_thread.install(|| {
        mixed_rules()
            .classify(&plain, &|t| t != "no.such.type")
            .unwrap()
    });
    assert_eq!(whole.signals, alone.signals);
}

#[test]
fn a_batch_that_is_no_table_of_events_is_refused_by_name() {
    let rules = mixed_rules();
    let batch = events(&mixed_rows());
    let kept: Vec<usize> = (1..batch.num_columns()).collect();
    let error = rules
        .classify(&batch.project(&kept).unwrap(), &|_| true)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenTable);
    assert!(error.to_string().contains("tenant_uid"), "{error}");
}

#[test]
fn a_batch_with_only_the_required_columns_is_read() {
    let rules = mixed_rules();
    let batch = events(&[event("e1", SIGN_IN)]);
    let required: Vec<usize> = TABLE
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !column.nullable)
        .map(|(place, _)| place)
        .collect();
    let found = rules
        .classify(&batch.project(&required).unwrap(), &|_| true)
        .unwrap();
    assert_eq!(found.signals.num_rows(), 1);
}
