//! `attack-factor`: how much is each person of an organization attacked, and why.
//!
//! What was typed is in [`args`], completed by the configuration in [`settings`]; every verb is one
//! file under `commands`; every failure ends in [`exit`]. Standard output carries data, standard
//! error everything else ([`console`], [`logging`]). What goes over the network is made in [`okta`].

mod args;
mod clock;
mod commands;
mod console;
mod exit;
mod logging;
mod okta;
mod settings;

use std::ffi::OsString;
use std::process::ExitCode;

use settings::Settings;

fn main() -> ExitCode {
    let typed: Vec<OsString> = std::env::args_os().collect();
    let mut settings = Settings::find(&typed);
    let mut arguments = match args::parse(&typed, &mut settings) {
        Ok(arguments) => arguments,
        Err(error) => return exit::code(Err(error)),
    };
    logging::start(arguments.log_format, arguments.verbose, arguments.quiet);
    let result = args::complete(&mut arguments, &mut settings)
        .and_then(|()| console::start_threads(arguments.threads))
        .and_then(|()| commands::run(&arguments, &settings));
    exit::code(result)
}
