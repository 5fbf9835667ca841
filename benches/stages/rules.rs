//! What rules cost in memory: one rule, sixty rules, everything that is shipped with its windows, and the
//! floor beside them, over the same events.
//!
//! What counts is `sixty_rules` divided by `one_rule`: the cost grows with the rows that match, not with
//! rules × rows.

use std::hint::black_box;

use af_model::tables::identity_events::TABLE;
use af_rules::{RuleFile, RuleSet, shipped};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use criterion::{Criterion, Throughput};

use crate::events::one_day;

const EVENTS: usize = 400_000;
const RULES: usize = 60;

/// What a rule can be asked about most cheaply and most dearly, by the name of a shipped rule.
const BROAD: &str = "okta_context_plain_failure";
const NARROW: &str = "okta_high_risk_sign_in";

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

pub(crate) fn bench(criterion: &mut Criterion) {
    let events = TABLE
        .conform_for_scan(&one_day(EVENTS))
        .expect("the builder keeps the contract");
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
        .sample_size(10);
    group.bench_function("floor_read_the_columns", |bencher| {
        bencher.iter(|| black_box(read(&events)));
    });
    for (name, rules) in &rule_sets {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| black_box(classify(rules, &events)));
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
