//! Generators and checks of this repository: `cargo xtask help`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod check_deps;
mod demo;
mod detection;
mod docs;
mod fetch;
mod floor;
mod identity_events;
mod raw_events;
mod repository_tests;
mod signals;

/// Generators and checks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Prove that crates depend on each other only as ARCHITECTURE allows.
    CheckDeps,
    /// Write the demo organization into data/samples/demo.
    DemoData {
        /// Write nothing; fail when the files differ from what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Live through a simulated organization with seeded attacks, and print recall and precision.
    Detection(detection::Arguments),
    /// Write the generated pages of docs/.
    Docs {
        /// Write nothing; fail when a page differs from what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Pull a simulated System Log over HTTP with the built program, and print what that costs.
    Fetch(fetch::Arguments),
    /// Write the fixtures that today's table versions lack, and read all fixtures.
    Fixtures {
        /// Write those of today's versions anew; only before anybody has files of them.
        #[arg(long)]
        bless: bool,
    },
    /// Read a simulated System Log into a store, day by day.
    IdentityEvents(identity_events::Arguments),
    /// Write a simulated System Log as files of raw events.
    RawEvents(raw_events::Arguments),
    /// Read the data of benches/peers and throw it away: what nobody can do without.
    #[command(subcommand)]
    Floor(floor::Floor),
    /// Hold the lock file of the shipped rules against them.
    Rules {
        /// Write it anew; read the difference before you commit it.
        #[arg(long)]
        bless: bool,
    },
    /// Run the golden cases.
    Golden {
        /// Write what the program says now as what is expected; read the difference before you commit it.
        #[arg(long)]
        bless: bool,
    },
    /// Write attack signals in any number, for benches/peers.
    Signals(signals::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::CheckDeps => check_deps::run(),
        Verb::DemoData { check } => demo::run(check),
        Verb::Detection(arguments) => detection::run(arguments),
        Verb::Docs { check } => docs::run(check),
        Verb::Fetch(arguments) => fetch::run(arguments),
        Verb::Floor(floor) => floor::run(&floor),
        Verb::Fixtures { bless } => repository_tests::fixtures(bless),
        Verb::IdentityEvents(arguments) => identity_events::run(&arguments),
        Verb::RawEvents(arguments) => raw_events::run(&arguments),
        Verb::Rules { bless } => repository_tests::rules(bless),
        Verb::Golden { bless } => repository_tests::golden(bless),
        Verb::Signals(arguments) => signals::run(&arguments),
    };
    match done {
        Ok(message) => {
            // Nobody is left to tell when standard output is closed.
            let _ = writeln!(io::stdout(), "{message}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
