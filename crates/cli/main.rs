//! `attack-factor`: how much is each person of an organization attacked, and why.
//!
//! What was typed is in [`args`]; every verb is one file under `commands`; every failure ends in
//! [`exit`]. Standard output carries data, standard error everything else.

mod args;
mod clock;
mod commands;
mod console;
mod exit;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    console::start_logging(arguments.verbose);
    let result = console::start_threads(arguments.threads).and_then(|()| commands::run(&arguments));
    exit::code(result)
}
