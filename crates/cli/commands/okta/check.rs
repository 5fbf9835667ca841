//! `okta check`: what a credential can and cannot do, in plain words.

use std::fmt::Write;
use std::sync::Arc;

use af_model::name::Printable;
use af_okta::Step;
use af_okta_client::check::{CheckReport, Finding, State, check};
use af_okta_client::inventory::scope_of;
use af_okta_client::{Error, Scope};
use af_report::{Cell, Column, Format};
use clap::Args;

use super::WhichArgument;
use crate::args::FormatArgument;
use crate::console;
use crate::exit::Refusal;
use crate::okta::connect;
use crate::okta::integrations::Integration;
use crate::okta::network::Network;
use crate::okta::side_by_side::{AT_ONCE, side_by_side};
use crate::okta::watch::Board;
use crate::settings::Settings;

/// `okta check`.
#[derive(Args, Debug)]
#[command(after_help = "\
Asks every integration for a little of everything that fetching needs: address, clock, credential,
scopes, admin role. Says of what is missing what does not work without it. Writes nothing. The exit
code is 2 when something is missing that the log or a step of the configured inventory needs.

Examples:
  attack-factor okta check
  attack-factor okta check acme/prod --format json")]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) which: WhichArgument,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Check, settings: &Settings, quiet: bool) -> anyhow::Result<()> {
    let integrations = arguments.which.select(settings)?;
    let network = Network::start()?;
    let board = Board::new(quiet);
    let found: Vec<(String, CheckReport)> = side_by_side(&integrations, AT_ONCE, |integration| {
        (integration.label(), one(integration, &network, &board))
    });
    if let Some(interrupted) = network.interruption("check everything") {
        return Err(interrupted.into());
    }
    let format = arguments.format.format;
    console::print_rows(&columns(format), &rows(&found, format), format)?;
    if format == Format::Table {
        console::print(&remarks(&found))?;
    }
    judge(&found)
}

fn one(integration: &Integration<'_>, network: &Network, board: &Board) -> CheckReport {
    let watch = board.watch(&integration.feed());
    if let Some(warning) = connect::expiry(integration) {
        watch.warn(&warning);
    }
    let report = match connect::client(integration, Arc::clone(&watch) as _, network.stop()) {
        Ok(client) => network.block_on(check(&client)),
        Err(error) => CheckReport {
            findings: vec![unusable(&error)],
        },
    };
    watch.finish();
    leave_unwanted(report, &integration.api.inventory)
}

/// A scope that no configured step needs is not missing, whatever Okta says of it.
fn leave_unwanted(mut report: CheckReport, steps: &[Step]) -> CheckReport {
    for finding in &mut report.findings {
        let scope = Scope::ALL
            .into_iter()
            .find(|scope| scope.as_str() == finding.what);
        let Some(scope) = scope.filter(|scope| *scope != Scope::LogsRead) else {
            continue;
        };
        let is_wanted = Step::with_needs(steps)
            .into_iter()
            .any(|step| scope_of(step) == scope);
        if !is_wanted && finding.state != State::Ok {
            finding.state = State::Ok;
            "no step of the configuration needs it".clone_into(&mut finding.message);
            finding.disables = None;
            finding.hint = None;
        }
    }
    report
}

/// Settings that make no client are a finding like any other.
fn unusable(error: &Error) -> Finding {
    Finding {
        what: "settings".to_owned(),
        state: State::Missing,
        message: format!("failed to {error}"),
        disables: Some("everything".to_owned()),
        hint: error.hint().map(str::to_owned),
    }
}

/// In a table the reasons stand below.
fn columns(format: Format) -> Vec<Column> {
    let all = [
        "integration",
        "what",
        "state",
        "message",
        "disables",
        "hint",
    ];
    let shown = if format == Format::Table {
        4
    } else {
        all.len()
    };
    all[..shown]
        .iter()
        .map(|&name| match name {
            "message" => Column::new(name).shrinks(20),
            name => Column::new(name),
        })
        .collect()
}

fn rows(found: &[(String, CheckReport)], format: Format) -> Vec<Vec<Cell>> {
    all(found)
        .map(|(label, finding)| {
            let mut row: Vec<Cell> = vec![
                label.into(),
                finding.what.clone().into(),
                word(finding.state).into(),
                finding.message.clone().into(),
                finding.disables.clone().into(),
                finding.hint.clone().into(),
            ];
            row.truncate(columns(format).len());
            row
        })
        .collect()
}

/// What does not work, and what may help.
fn remarks(found: &[(String, CheckReport)]) -> String {
    let mut text = String::new();
    for (label, finding) in all(found) {
        if finding.disables.is_none() && finding.hint.is_none() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{label} {}", Printable(&finding.what));
        if let Some(disables) = &finding.disables {
            let _ = write!(text, ", without it: {}", Printable(disables));
        }
        text.push('\n');
        if let Some(hint) = &finding.hint {
            let _ = writeln!(text, "    {}", Printable(hint));
        }
    }
    text
}

fn all(found: &[(String, CheckReport)]) -> impl Iterator<Item = (&str, &Finding)> {
    found.iter().flat_map(|(label, report)| {
        let findings = report.findings.iter();
        findings.map(move |finding| (label.as_str(), finding))
    })
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Missing => "missing",
        State::NotLookedAt => "not looked at",
    }
}

/// What is missing is a matter of the settings, here or in Okta; what nobody can tell is a failure.
fn judge(found: &[(String, CheckReport)]) -> anyhow::Result<()> {
    let those = |state: State| -> Vec<String> {
        all(found)
            .filter(|(_, finding)| finding.state == state)
            .map(|(label, finding)| format!("{label} {}", finding.what))
            .collect()
    };
    let missing = those(State::Missing);
    if !missing.is_empty() {
        let message = format!(
            "find everything that fetching needs; missing: {}",
            missing.join(", ")
        );
        let hint = "what each of them disables stands above";
        return Err(Refusal::usage(message, hint).into());
    }
    let unknown = those(State::NotLookedAt);
    if !unknown.is_empty() {
        let message = format!("look at everything; left: {}", unknown.join(", "));
        return Err(Refusal::failed(message).with_hint("try again").into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(states: &[(&str, State)]) -> Vec<(String, CheckReport)> {
        let findings = states
            .iter()
            .map(|&(what, state)| Finding {
                what: what.to_owned(),
                state,
                message: "it is so".to_owned(),
                disables: (state == State::Missing).then(|| "the inventory".to_owned()),
                hint: (state == State::Missing).then(|| "grant it".to_owned()),
            })
            .collect();
        vec![("acme/prod".to_owned(), CheckReport { findings })]
    }

    fn code(states: &[(&str, State)]) -> Option<u8> {
        let error = judge(&found(states)).err()?;
        error.downcast_ref::<Refusal>().map(Refusal::code)
    }

    #[test]
    fn what_is_missing_decides_before_what_nobody_can_tell() {
        let (ok, warning) = (("address", State::Ok), ("clock", State::Warning));
        let (missing, unknown) = (
            ("okta.logs.read", State::Missing),
            ("rate_limit", State::NotLookedAt),
        );
        assert_eq!(code(&[ok, warning]), None);
        assert_eq!(code(&[ok, unknown]), Some(1));
        assert_eq!(code(&[unknown, missing]), Some(2));
    }

    #[test]
    fn a_scope_that_no_step_asks_for_is_not_missing() {
        let states = [
            ("okta.logs.read", State::Missing),
            ("okta.groups.read", State::Missing),
            ("okta.devices.read", State::Missing),
        ];
        let (_, report) = found(&states).remove(0);
        // Members need the list of groups, so its scope is wanted.
        let left = leave_unwanted(report, &[Step::Users, Step::GroupMembers]);
        let states: Vec<State> = left.findings.iter().map(|finding| finding.state).collect();
        assert_eq!(states, [State::Missing, State::Missing, State::Ok]);
    }

    #[test]
    fn a_table_says_below_what_does_not_work() {
        let found = found(&[("address", State::Ok), ("okta.groups.read", State::Missing)]);
        assert_eq!(
            remarks(&found),
            "\nacme/prod okta.groups.read, without it: the inventory\n    grant it\n"
        );
        let rows = rows(&found, Format::Table);
        assert_eq!(rows[1].len(), columns(Format::Table).len());
        assert_eq!(super::rows(&found, Format::Json)[1].len(), 6);
    }
}
