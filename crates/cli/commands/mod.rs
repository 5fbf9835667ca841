//! One verb, one file: what may be typed, and what it does.
#![expect(
    clippy::doc_markdown,
    reason = "comments of arguments are the text of --help"
)]

pub(crate) mod compact;
mod completions;
pub(crate) mod config;
pub(crate) mod count;
pub(crate) mod demo;
pub(crate) mod detect;
pub(crate) mod erase;
pub(crate) mod explain;
pub(crate) mod normalize;
pub(crate) mod okta;
pub(crate) mod purge;
pub(crate) mod retract;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod score;
pub(crate) mod snapshots;
pub(crate) mod top;
pub(crate) mod users;
pub(crate) mod verify;

use af_engine::pipeline::RunFacts;

use crate::args::{Arguments, Verb};
use crate::clock;
use crate::settings::Settings;

/// Runs what was asked for.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> anyhow::Result<()> {
    let quiet = arguments.quiet;
    match &arguments.verb {
        Verb::Demo(demo) => demo::run(demo, quiet),
        Verb::Run(run) => run::run(run, settings, quiet),
        Verb::Okta(okta) => okta::run(okta, settings, quiet),
        Verb::Normalize(source) => normalize::run(source, quiet),
        Verb::Users(users) => users::run(users, quiet),
        Verb::Detect(detect) => detect::run(detect, quiet),
        Verb::Count(count) => count::run(count, quiet),
        Verb::Score(score) => score::run(score, &settings.config.params, quiet),
        Verb::Top(top) => top::run(top, quiet),
        Verb::Explain(explain) => explain::run(explain),
        Verb::Snapshots(snapshots) => snapshots::run(snapshots, quiet),
        Verb::Verify(verify) => verify::run(verify, quiet),
        Verb::Retract(retract) => retract::run(retract, quiet),
        Verb::Rules(rules) => rules::run(rules, &settings.config.params, quiet),
        Verb::Compact(compact) => compact::run(compact, quiet),
        Verb::Purge(purge) => purge::run(purge, quiet),
        Verb::Erase(erase) => erase::run(erase, quiet),
        Verb::Config(config) => config::run(config, settings),
        Verb::Schema(schema) => schema::run(schema),
        Verb::Completions { shell } => completions::run(*shell),
    }
}

/// Who runs and when, for the manifest.
fn run_facts() -> RunFacts {
    RunFacts {
        program: format!("attack-factor {}", env!("CARGO_PKG_VERSION")),
        started_at: clock::now(),
    }
}
