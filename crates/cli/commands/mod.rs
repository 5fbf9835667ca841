//! One verb, one file.

mod completions;
mod demo;
mod detect;
mod normalize;
mod rules;
mod schema;
mod score;
mod top;
mod users;

use af_engine::pipeline::RunFacts;

use crate::args::{Arguments, Verb};
use crate::clock;

/// Runs what was asked for.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let quiet = arguments.quiet;
    match &arguments.verb {
        Verb::Demo(demo) => demo::run(demo, quiet),
        Verb::Normalize(source) => normalize::run(source, quiet),
        Verb::Users(users) => users::run(users, quiet),
        Verb::Detect(detect) => detect::run(detect, quiet),
        Verb::Score(score) => score::run(score, quiet),
        Verb::Top(top) => top::run(top),
        Verb::Rules(rules) => rules::run(rules),
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
