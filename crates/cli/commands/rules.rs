//! `rules`: list, show, check and test the detection rules.

use std::path::Path;

use af_model::{HashKey, UtcMillis};
use af_okta::Normalizer;
use af_rules::{EventTypeFlags, Problem, Rule, RuleFile, RuleSet, Severity};
use anyhow::Context;
use arrow::array::RecordBatch;

use crate::args::{Rules, RulesArgument};
use crate::console;
use crate::exit::Refusal;

pub(super) fn run(rules: &Rules) -> anyhow::Result<()> {
    match rules {
        Rules::List { rules, format } => list(&load(rules)?, format.format),
        Rules::Show { rule, rules } => show(&load(rules)?, rule),
        Rules::Check { rules, format } => check(rules, format.format),
        Rules::Test { rules, format } => test(&load(rules)?, format.format),
    }
}
