//! The proof by simulation: a simulated organization through the real pipeline, and what was found.
//!
//! `pipeline` lives through the days of `af_okta_sim::organization` in a store of its own: raw JSON is
//! normalized, people are imported, attacks detected, scores published once a week. `judge` then
//! compares what was found with what was seeded, and `report` prints it. The generator knows no
//! rule, and nothing here tells a rule what was seeded.

use std::io::{self, Write as _};
use std::path::Path;

use af_okta_sim::organization::{Organization, Size};
use anyhow::{Context, Result, ensure};
use clap::Args;

mod judge;
mod kinds;
mod people;
mod pipeline;
mod report;
#[cfg(test)]
mod tests;

/// Where the kept result lies.
const RESULTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../benches/detection/results.md"
);

/// How large the simulation is.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Arguments {
    /// People of the organization, without its programs.
    #[arg(long, default_value_t = 5000)]
    people: usize,
    /// Days, from 2026-08-24 on.
    #[arg(long, default_value_t = 90)]
    days: i32,
    /// Another seed is another organization.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the result as benches/detection/results.md.
    #[arg(long)]
    write: bool,
}

/// Simulates, evaluates, and says how it went; goals that are not reached are no error.
pub(crate) fn run(arguments: Arguments) -> Result<String> {
    let text = evaluate(arguments, &|progress| {
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(io::stderr(), "{progress}");
    })?;
    if arguments.write {
        let path = Path::new(RESULTS);
        fs_err::write(path, &text).context("keep the result")?;
    }
    Ok(text.trim_end().to_owned())
}

fn evaluate(arguments: Arguments, tell: &dyn Fn(&str)) -> Result<String> {
    let Arguments {
        people, days, seed, ..
    } = arguments;
    ensure!(
        people >= 50 && days >= 9,
        "a simulation needs at least 50 people and 9 days"
    );
    let mut organization = Organization::new(Size { people, days }, seed);
    let lived = pipeline::live(&mut organization, tell)?;
    let judged = judge::judge(&lived, organization.truth());
    let standing = people::standing(&lived, &organization);
    Ok(report::text(
        arguments,
        &organization,
        &lived,
        &judged,
        &standing,
    ))
}
