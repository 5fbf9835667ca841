//! The status of integrations as a table to read, with remarks, and as flat rows.

use std::collections::BTreeSet;
use std::fmt::Write;

use af_model::UtcMillis;
use af_model::feed::{Problem, StepState};
use af_model::name::Printable;
use af_report::{Cell, Column};

use super::view::{IntegrationView, State};
use crate::okta::spans;

/// What a person wants to see at a glance.
pub(super) fn table_columns() -> [Column; 10] {
    [
        Column::new("integration"),
        Column::new("state"),
        Column::new("last_event").titled("last event"),
        Column::new("caught_up").titled("caught up"),
        Column::new("waiting").right(),
        Column::new("history"),
        Column::new("users").right(),
        Column::new("inventory"),
        Column::new("calls").right(),
        Column::new("credential"),
    ]
}

pub(super) fn table_rows(views: &[IntegrationView]) -> Vec<Vec<Cell>> {
    views
        .iter()
        .map(|view| {
            let log = &view.status.log;
            let history = (log.history_days > 0).then(|| {
                if log.history_days_done >= log.history_days {
                    format!("{} d", log.history_days)
                } else {
                    format!("{} of {} d", log.history_days_done, log.history_days)
                }
            });
            let credential = view.credential.expires.map(|day| format!("until {day}"));
            vec![
                view.label().into(),
                view.state.mark().into(),
                log.last_event.map(to_seconds).into(),
                view.behind_seconds.map(ago).into(),
                view.waiting_pages.into(),
                history.into(),
                view.users.into(),
                view.inventory_age_seconds.map(ago).into(),
                (log.cost.calls + view.status.inventory.cost.calls).into(),
                credential.into(),
            ]
        })
        .collect()
}

/// Nobody reads milliseconds in a table.
fn to_seconds(at: UtcMillis) -> String {
    let text = at.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

fn ago(seconds: i64) -> String {
    format!("{} ago", spans::words(seconds.saturating_mul(1000)))
}

/// What does not fit into a row: problems with what may help, skipped steps, credentials that end.
pub(super) fn remarks(views: &[IntegrationView]) -> String {
    let mut text = String::new();
    for view in views {
        let label = view.label();
        let mut hints = BTreeSet::new();
        let mut say = |what: &str, problem: Option<&Problem>| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{label}: {}", Printable(what));
            // Several steps lack the same thing; what helps is said once.
            let hint = problem.and_then(|problem| problem.hint.clone());
            if let Some(hint) = hint.filter(|hint| hints.insert(hint.clone())) {
                let _ = writeln!(text, "    {}", Printable(&hint));
            }
        };
        let (log, inventory) = (&view.status.log, &view.status.inventory);
        if let Some(reason) = view
            .reason
            .as_deref()
            .filter(|_| view.state != State::Failing)
        {
            say(reason, None);
        }
        if let Some(since) = log.failing_since {
            say(
                &failing("", since, log.problem.as_ref()),
                log.problem.as_ref(),
            );
        }
        if let Some(since) = inventory.failing_since {
            let problem = inventory.problem.as_ref();
            say(&failing("inventory ", since, problem), problem);
        }
        for step in &inventory.steps {
            let word = match step.state {
                StepState::Done => continue,
                StepState::Skipped => "skipped",
                StepState::Failed => "failed",
            };
            let problem = step.problem.as_ref();
            let message = problem.map_or(String::new(), |problem| format!(": {}", problem.message));
            say(&format!("{} {word}{message}", step.step), problem);
        }
        if let Some(warning) = &view.credential.warning {
            say(warning, None);
        }
    }
    text
}

fn failing(what: &str, since: UtcMillis, problem: Option<&Problem>) -> String {
    let message = problem.map_or("for an unknown reason", |problem| problem.message.as_str());
    format!(
        "{what}failing since {}: failed to {message}",
        to_seconds(since)
    )
}

/// Flat rows for programs that read no JSON.
pub(super) fn columns() -> Vec<Column> {
    [
        "tenant",
        "integration",
        "url",
        "state",
        "reason",
        "last_event",
        "caught_up_at",
        "behind_seconds",
        "failing_since",
        "problem",
        "hint",
        "fetched_by_process",
        "events",
        "pages",
        "restarts",
        "waiting_pages",
        "waiting_bytes",
        "history_days",
        "history_days_done",
        "calls",
        "repeated",
        "limited",
        "waited_millis",
        "bytes",
        "inventory_taken_at",
        "users",
        "skipped_steps",
        "failed_steps",
        "credential",
        "credential_expires",
    ]
    .map(Column::new)
    .into()
}

pub(super) fn rows(views: &[IntegrationView]) -> Vec<Vec<Cell>> {
    views
        .iter()
        .map(|view| {
            let (log, inventory) = (&view.status.log, &view.status.inventory);
            let mut cost = log.cost;
            cost += inventory.cost;
            let problem = log.problem.as_ref().or(inventory.problem.as_ref());
            vec![
                view.tenant.clone().into(),
                view.integration.clone().into(),
                view.url.clone().into(),
                view.state.as_str().into(),
                view.reason.clone().into(),
                log.last_event.into(),
                log.caught_up_at.into(),
                view.behind_seconds.into(),
                log.failing_since.or(inventory.failing_since).into(),
                problem.map(|problem| problem.message.clone()).into(),
                problem.and_then(|problem| problem.hint.clone()).into(),
                view.fetched_by_process.map(u64::from).into(),
                log.events.into(),
                log.pages.into(),
                log.restarts.into(),
                view.waiting_pages.into(),
                view.waiting_bytes.into(),
                log.history_days.into(),
                log.history_days_done.into(),
                cost.calls.into(),
                cost.repeated.into(),
                cost.limited.into(),
                cost.waited_millis.into(),
                cost.bytes.into(),
                inventory.taken_at.into(),
                view.users.into(),
                view.skipped_steps.clone().into(),
                view.failed_steps.clone().into(),
                view.credential.name.clone().into(),
                view.credential.expires.map(|day| day.to_string()).into(),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::view::Found;
    use super::super::view::tests::{HOUR, view, working};
    use super::*;

    fn found() -> Found {
        let mut status = working();
        status.log.cost.calls = 90;
        status.inventory.cost.calls = 10;
        status.inventory.steps[1].problem = Some(Problem {
            message: "this org does not have it".to_owned(),
            hint: Some("okta.devices.read".to_owned()),
            code: None,
        });
        Found {
            status: Some(status),
            fetched_by: None,
            waiting_pages: 3,
            waiting_bytes: 99,
        }
    }

    fn table(views: &[IntegrationView]) -> String {
        let mut out = Vec::new();
        let format = "table".parse().unwrap();
        af_report::render_rows(&table_columns(), &table_rows(views), format, None, &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_working_integration_is_one_row_with_a_tick() {
        let views = [view(found(), 100), view(Found::default(), 100)];
        assert_eq!(
            table(&views),
            "\
integration  state           last event            caught up   waiting  history  users  inventory  calls  credential
acme/prod    ✓ ok            1970-01-05T02:00:00Z  60 min ago        3  90 d        63  10 h ago     100  -
acme/prod    - never pulled  -                     -                 0  -            -  -              0  -
"
        );
        assert_eq!(
            remarks(&views),
            "acme/prod: devices skipped: this org does not have it\n    okta.devices.read\n\
             acme/prod: nothing was ever fetched; attack-factor okta pull does\n"
        );
    }

    #[test]
    fn a_failure_is_told_with_what_may_help_and_without_control_characters() {
        let mut failing = found();
        let status = failing.status.as_mut().unwrap();
        status.log.failing_since = Some(UtcMillis(95 * HOUR));
        status.log.problem = Some(Problem {
            message: "sign in\u{1b}[31m".to_owned(),
            hint: Some("renew the token".to_owned()),
            code: None,
        });
        status.inventory.steps.clear();
        assert_eq!(
            remarks(&[view(failing, 100)]),
            "acme/prod: failing since 1970-01-04T23:00:00Z: failed to sign in\\u{1b}[31m\n    renew the token\n"
        );
    }

    #[test]
    fn every_flat_row_has_a_cell_for_every_column() {
        let views = [view(found(), 100), view(Found::default(), 100)];
        for row in rows(&views) {
            assert_eq!(row.len(), columns().len());
        }
        let named: Vec<(String, String)> = {
            let mut out = Vec::new();
            let format = "csv".parse().unwrap();
            af_report::render_rows(&columns(), &rows(&views[..1]), format, None, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
            lines.next().unwrap().zip(lines.next().unwrap()).collect()
        };
        let of = |name: &str| {
            let found = named.iter().find(|(column, _)| column == name);
            found.map(|(_, value)| value.as_str()).unwrap()
        };
        assert_eq!(of("calls"), "100");
        assert_eq!(of("behind_seconds"), "3600");
        assert_eq!(of("skipped_steps"), "devices");
        assert_eq!(of("waiting_bytes"), "99");
    }
}
