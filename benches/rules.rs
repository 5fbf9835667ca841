//! What rules cost: one rule, sixty rules, everything that is shipped with its windows, and the floor
//! beside them, over the same events.
//!
//! `cargo bench --bench rules` prints times; what counts is `sixty_rules` divided by `one_rule`: the
//! cost grows with the rows that match, not with rules × rows. Names say size and shape; the seed is
//! fixed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Read;

use af_model::tables::identity_events::{Builder, Row, TABLE};
use af_model::time::DAY_MILLIS;
use af_model::{HashKey, UtcMillis};
use af_okta::Normalizer;
use af_rules::{RuleFile, RuleSet, shipped};
use af_store::{Metadata, Scan, table_file};
use af_testkit::generate::Random;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::Int32Type;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const EVENTS: usize = 400_000;
const RULES: usize = 60;
const RARE_TYPES: usize = 10;

/// The event types by rank: the type of rank r comes in proportion to 1/r, as in a log. The last ones
/// are an attack's traces and alarms, which no log has in such numbers.
const TYPES: [&str; 40] = [
    "user.authentication.sso",
    "user.session.start",
    "policy.evaluate_sign_on",
    "user.authentication.auth_via_mfa",
    "user.session.end",
    "app.oauth2.token.grant.access_token",
    "user.authentication.verify",
    "group.user_membership.add",
    "system.push.send_factor_verify_push",
    "user.mfa.okta_verify",
    "system.email.new_device_notification.sent_message",
    "application.user_membership.add",
    "user.account.update_password",
    "user.session.access_admin_app",
    "group.user_membership.remove",
    "user.authentication.auth_via_IDP",
    "user.account.update_profile",
    "user.mfa.factor.activate",
    "user.lifecycle.create",
    "user.account.unlock_by_admin",
    "user.lifecycle.activate",
    "user.session.clear",
    "user.account.reset_password",
    "user.account.expire_password",
    "user.lifecycle.deactivate",
    "user.mfa.factor.reset_all",
    "user.authentication.universal_logout",
    "user.account.privilege.grant",
    "user.lifecycle.suspend",
    "policy.auth_reevaluate.fail",
    "analytics.feedback.provide",
    "policy.entity_risk.action",
    "policy.entity_risk.evaluate",
    "user.account.lock",
    "user.risk.detect",
    "user.session.context.change",
    "security.threat.detected",
    "user.mfa.attempt_bypass",
    "user.account.report_suspicious_activity_by_enduser",
    "security.breached_credential.detected",
];

/// What a rule can be asked about most cheaply and most dearly, by the name of a shipped rule.
const BROAD: &str = "okta_context_plain_failure";
const NARROW: &str = "okta_high_risk_sign_in";

fn demo_log() -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&include_bytes!("../data/samples/demo/events.ndjson.gz")[..])
        .read_to_string(&mut text)
        .expect("the demo's events");
    text
}

/// Events of one tenant's day in the demo's shapes, in scan schema as the store reads them: Zipf over
/// [`TYPES`], 8 % of the sign-ins refused, one event in a thousand of high risk.
fn events() -> RecordBatch {
    let ingested_at = UtcMillis::parse_cut("2026-11-20").expect("a date");
    let key = HashKey::new([7; 32]);
    let normalizer = Normalizer::new("bench", Some("okta-main"), ingested_at, &key);
    let log = demo_log();
    let rows: Vec<Row<'_>> = log
        .lines()
        .filter_map(|line| normalizer.event(line.as_bytes()).ok())
        .collect();
    let mut shapes: BTreeMap<&str, Vec<&Row<'_>>> = BTreeMap::new();
    for row in &rows {
        let code = row.metadata_event_code.as_ref();
        shapes.entry(code).or_default().push(row);
    }
    let quiet = shapes["user.session.start"][0];
    let everyday = TYPES.len() - RARE_TYPES;
    let share = |rank: usize| {
        if rank <= everyday {
            1_000_000 / rank
        } else {
            1_000
        }
    };
    let shares: Vec<usize> = (1..=TYPES.len()).map(share).collect();
    let all: usize = shares.iter().sum();
    let mut dice = Random::new(42);
    let mut builder = Builder::default();
    for number in 0..EVENTS {
        let mut left = dice.below(all);
        let rank = shares
            .iter()
            .position(|&share| {
                let hit = left < share;
                left = left.saturating_sub(share);
                hit
            })
            .expect("the die is below the sum");
        let mut row = match shapes.get(TYPES[rank]) {
            Some(shapes) => shapes[dice.below(shapes.len())].clone(),
            None => quiet.clone(),
        };
        vary(&mut row, TYPES[rank], number, &mut dice);
        row.time = UtcMillis(ingested_at.0 - DAY_MILLIS + i64::try_from(number / 5).unwrap_or(0));
        row.ingested_at = ingested_at;
        builder.append(&row);
    }
    TABLE
        .conform_for_scan(&builder.finish())
        .expect("the builder keeps the contract")
}

fn vary<'a>(row: &mut Row<'a>, event_type: &'a str, number: usize, dice: &mut Random) {
    row.metadata_event_code = event_type.into();
    row.metadata_uid = Cow::Owned(format!("{number:032x}"));
    let person = dice.below(5_000);
    row.subject_ref = Some(Cow::Owned(format!("uid:00u{person:017}")));
    row.user_uid = Some(Cow::Owned(format!("00u{person:017}")));
    row.user_name = Some(Cow::Owned(format!("person{person}@example.com")));
    row.src_endpoint_ip = Some(Cow::Owned(format!(
        "2001:db8::{:x}:{:x}",
        dice.below(4),
        dice.below(4_000)
    )));
    row.src_endpoint_zone = Some(Cow::Owned(format!("zone{}", dice.below(40))));
    row.http_request_user_agent = Some(Cow::Owned(format!("Browser/{}.0", dice.below(300))));
    // What the demo's people suffered is thinned out to what a day of a real log has.
    let rare = |dice: &mut Random| dice.below(1_000) == 0;
    row.risk_level_id = match dice.below(100) {
        _ if rare(dice) => Some(3),
        0 | 1 => Some(2),
        _ => Some(1),
    };
    row.threat_suspected = Some(rare(dice));
    if !rare(dice) {
        let refused = dice.below(100) < 8;
        let is_policy = event_type.starts_with("policy.");
        let result = match (refused, is_policy) {
            (false, false) => "SUCCESS",
            (true, false) => "FAILURE",
            (false, true) => "ALLOW",
            (true, true) => "DENY",
        };
        row.status_code = Some(result.into());
        row.status_detail = refused.then_some("INVALID_CREDENTIALS".into());
        if refused && let Some(details) = &mut row.debug_data {
            details.retain(|(key, _)| key != "factor" && !key.starts_with("push"));
        }
    }
}

/// The shipped plain rules, cut or filled up to sixty. A copy asks for one more value than its
/// original, another one for every copy, so that nothing of it is answered already.
fn sixty() -> Vec<RuleFile> {
    let plain: Vec<RuleFile> = shipped()
        .into_iter()
        .filter(|file| !file.text.contains("\ncorrelation:"))
        .collect();
    let copies = plain
        .iter()
        .filter(|file| file.text.contains("  selection:\n"))
        .enumerate()
        .map(|(number, file)| copy(file, number));
    let mut files: Vec<RuleFile> = plain.iter().cloned().chain(copies).collect();
    files.truncate(RULES);
    assert_eq!(files.len(), RULES, "the copies fill the set up");
    files
}

fn copy(file: &RuleFile, number: usize) -> RuleFile {
    let selection = format!(
        "  selection:\n    client.zone: [zone{number}, zone{}]\n",
        number + 1
    );
    let text: String = file
        .text
        .replacen("  selection:\n", &selection, 1)
        .lines()
        .flat_map(|line| {
            let id = format!("id: 00000000-0000-4000-8000-{number:012x}");
            let line = if line.starts_with("id: ") {
                id
            } else {
                line.to_owned()
            };
            [line, "\n".to_owned()]
        })
        .collect();
    RuleFile {
        path: format!("{}_copy_{number}.yml", file.path.trim_end_matches(".yml")),
        text,
        samples: None,
    }
}

fn load(files: impl IntoIterator<Item = RuleFile>) -> RuleSet {
    RuleSet::load(files.into_iter()).expect("the rules load")
}

fn only(name: &str) -> RuleSet {
    let is_it = |file: &RuleFile| file.path.ends_with(&format!("/{name}.yml"));
    load(shipped().into_iter().filter(is_it))
}

fn plain_rules(criterion: &mut Criterion) {
    let events = events();
    let rule_sets = [
        ("one_rule_narrow", only(NARROW)),
        ("one_rule_broad", only(BROAD)),
        ("sixty_rules", load(sixty())),
        ("all_shipped_rules_and_windows", load(shipped())),
    ];
    let classify = |rules: &RuleSet, events: &RecordBatch| {
        rules.classify(events, &|_| true).expect("classified")
    };

    let mut group = criterion.benchmark_group("rules_in_memory_400k_events_40_types");
    group
        .throughput(Throughput::Elements(EVENTS as u64))
        .sample_size(20);
    group.bench_function("floor_read_the_columns", |bencher| {
        bencher.iter(|| black_box(read(&events)));
    });
    for (name, rules) in &rule_sets {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| black_box(classify(rules, &events)));
        });
    }
    group.finish();

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("events.parquet");
    let sorted = af_store::sorted_batch(&events, &TABLE).expect("sortable");
    table_file::write(&path, &TABLE, [sorted], &Metadata::new()).expect("written");
    let pass = || {
        let batches = table_file::read(&path, &TABLE, None, Scan::Dictionaries)
            .expect("readable")
            .collect::<Result<Vec<RecordBatch>, _>>()
            .expect("decodable");
        concat_batches(&TABLE.scan_schema(), &batches).expect("one schema")
    };
    let mut group = criterion.benchmark_group("rules_pass_over_a_day_of_400k_events_40_types");
    group
        .throughput(Throughput::Elements(EVENTS as u64))
        .sample_size(10);
    group.bench_function("floor_decode_the_day", |bencher| {
        bencher.iter(|| black_box(pass().num_rows()));
    });
    for (name, rules) in &rule_sets {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| black_box(classify(rules, &pass())));
        });
    }
    group.finish();
}

/// Reads the keys of every column that repeats, once.
fn read(events: &RecordBatch) -> i64 {
    let frame = TABLE.conform_for_scan(events).expect("the contract holds");
    let columns = frame.columns().iter();
    columns
        .filter_map(|column| column.as_dictionary_opt::<Int32Type>())
        .map(|column| {
            column
                .keys()
                .values()
                .iter()
                .map(|&key| i64::from(key))
                .sum::<i64>()
        })
        .sum()
}

criterion_group!(benches, plain_rules);
criterion_main!(benches);
