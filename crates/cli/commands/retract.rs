//! `retract`: take back a false positive.

use af_engine::retract::{self, Hit, Outcome, Request, RetractReport, TargetKind};
use af_model::name::{Printable, check_tenant};
use af_model::{MICRO, UtcMillis};
use af_report::{Cell, Column};
use af_store::Store;
use clap::{Args, Subcommand};

use crate::args::{FormatArgument, StoreArgument, parse_cut};
use crate::exit::Refusal;
use crate::{clock, console};

/// `retract`.
#[derive(Debug, Subcommand)]
pub(crate) enum Retract {
    /// Take back one event; a signal of several events falls away with the last of them
    #[command(after_help = "\
Examples:
  attack-factor retract event 7ced1bed-7efa-5ab4-9ea6-a0f1bad934c1 --tenant acme --store risk/ \\
      --reason \"test of the security team\" --by ana
  attack-factor retract event 7ced1bed-7efa-5ab4-9ea6-a0f1bad934c1 --tenant acme --store risk/ \\
      --reason \"it was no test\" --restore
  attack-factor score --store risk/        the next score shows it")]
    Event(Say),
    /// Take back one signal, whatever its events
    #[command(after_help = "\
Example:
  attack-factor retract signal 0f3c9a5e77d01b42a9c4d1e85b6f2a17 --tenant acme --store risk/ \\
      --reason \"known scanner\" --dry-run")]
    Signal(Say),
    /// Take back all signals of one incident, on every day
    #[command(after_help = "\
Example:
  attack-factor retract incident trace:65d6 --tenant acme --store risk/ --reason \"red team exercise\"")]
    Incident(Say),
    /// List what is retracted
    #[command(after_help = "\
Examples:
  attack-factor retract list --store risk/
  attack-factor retract list --store risk/ --tenant acme --known-at 2026-11-20
  attack-factor retract list --store risk/ --all --format jsonl      every statement ever made")]
    List(List),
}

/// `retract event`, `retract signal`, `retract incident`.
#[derive(Args, Debug)]
pub(crate) struct Say {
    /// The id, as events, signals and `explain` show it.
    #[arg(value_name = "ID")]
    pub(crate) id: String,

    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// The organization.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: String,

    /// Why; kept with the statement.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,

    /// Who says so; kept with the statement.
    #[arg(long, value_name = "WHO")]
    pub(crate) by: Option<String>,

    /// Undo an earlier retraction.
    #[arg(long)]
    pub(crate) restore: bool,

    /// From when on it holds. Snapshots known earlier never see it. Default: now.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) at: Option<UtcMillis>,

    /// Say what it would take back, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Write it also when the store knows no such thing, for an event that is still to come.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

/// `retract list`.
#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// Only this organization.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,

    /// What held by then. Default: everything said so far.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) known_at: Option<UtcMillis>,

    /// Every statement, also those that no longer hold and those that restore.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(retract: &Retract, quiet: bool) -> anyhow::Result<()> {
    match retract {
        Retract::Event(say) => run_say(TargetKind::Event, say, quiet),
        Retract::Signal(say) => run_say(TargetKind::Signal, say, quiet),
        Retract::Incident(say) => run_say(TargetKind::Incident, say, quiet),
        Retract::List(list) => run_list(list, quiet),
    }
}

fn run_say(kind: TargetKind, say: &Say, quiet: bool) -> anyhow::Result<()> {
    check_tenant(&say.tenant).map_err(|error| {
        Refusal::usage(
            format!("--tenant {}: {error}", Printable(&say.tenant)),
            "use the name that events were normalized with",
        )
    })?;
    let store = Store::open(&say.store.store)?;
    let lock = (!say.dry_run).then(|| store.lock()).transpose()?;
    let key = store.existing_hash_key()?;
    let request = Request {
        tenant_uid: say.tenant.clone(),
        kind,
        target_uid: say.id.clone(),
        restore: say.restore,
        at: say.at.unwrap_or_else(clock::now),
        reason: say.reason.clone(),
        by: say.by.clone(),
        force: say.force,
    };
    let report = retract::retract(&store, lock.as_ref(), key.as_ref(), &request)?;
    print_hits(&report, &request, say)?;
    if !quiet {
        tell(&report, &request, say);
    }
    Ok(())
}

fn print_hits(report: &RetractReport, request: &Request, say: &Say) -> anyhow::Result<()> {
    let columns = [
        Column::new("time"),
        Column::new("person").shrinks(16),
        Column::new("component"),
        Column::new("family"),
        Column::new("level"),
        Column::new("points").right(),
        Column::new("signal_uid").titled("signal"),
        Column::new("was_retracted").titled("was"),
        Column::new("is_retracted").titled("is retracted"),
        Column::new("tenant_uid").titled("tenant"),
    ];
    let row = |hit: &Hit| -> Vec<Cell> {
        vec![
            hit.time.into(),
            hit.email.clone().into(),
            hit.component.clone().into(),
            hit.family.clone().into(),
            hit.level.clone().into(),
            (hit.points_micro / MICRO).into(),
            hit.signal_uid.clone().into(),
            hit.was_retracted.into(),
            hit.is_retracted.into(),
            request.tenant_uid.clone().into(),
        ]
    };
    let rows: Vec<Vec<Cell>> = report.hits.iter().map(row).collect();
    console::print_rows(&columns, &rows, say.format.format)
}

fn tell(report: &RetractReport, request: &Request, say: &Say) {
    let kind = request.kind.as_str();
    let target = format!("{kind} {}", Printable(&request.target_uid));
    let verb = if request.restore {
        "restored"
    } else {
        "retracted"
    };
    match &report.outcome {
        Outcome::HeldAlready(row) => {
            let by = row
                .by
                .as_deref()
                .map_or_else(String::new, |by| format!(" by {}", Printable(by)));
            let why = row
                .reason
                .as_deref()
                .map_or_else(String::new, |reason| format!(" ({})", Printable(reason)));
            console::say(&format!(
                "{target} is {verb} already, since {}{by}{why}: nothing was written",
                row.ingested_at
            ));
            return;
        }
        Outcome::NothingToRestore => {
            console::say(&format!("{target} is not retracted: nothing was written"));
            return;
        }
        Outcome::WouldSay => console::say(&format!("dry run: {target} would be {verb}")),
        Outcome::Said => console::say(&format!("{verb} {target}, known from {} on", request.at)),
    }
    let changed: Vec<&Hit> = report.changed().collect();
    let people: std::collections::BTreeSet<&str> = changed
        .iter()
        .filter_map(|hit| hit.email.as_deref())
        .collect();
    let points: i64 = changed.iter().map(|hit| hit.points_micro / MICRO).sum();
    console::say(&match (report.hits.len(), changed.len()) {
        (0, _) => "no signal names it so far: no score changes".to_owned(),
        (named, 0) => format!(
            "{named} signals name it and none changes: another event stands behind them, or \
             something else retracts them"
        ),
        (named, n) => format!(
            "{n} of {named} signals that name it {}, of {} people of the directory; {points} points \
             before repetition and decay",
            if request.restore {
                "count again"
            } else {
                "fall away"
            },
            people.len(),
        ),
    });
    if let Some(at) = report.undone_at {
        console::say(&format!(
            "note: a later statement, of {at}, speaks of it too"
        ));
    }
    if report.outcome == Outcome::Said {
        console::say(&format!(
            "the next `attack-factor score --store {}` shows it; published snapshots stay as they are",
            say.store.store.display()
        ));
    }
}

fn run_list(list: &List, quiet: bool) -> anyhow::Result<()> {
    let store = Store::open(&list.store.store)?;
    let mut said = retract::statements(&store)?;
    let known_at = list.known_at.unwrap_or(UtcMillis(i64::MAX));
    said.retain(|row| {
        let is_asked = |tenant: &String| *tenant == row.tenant_uid;
        row.ingested_at <= known_at && list.tenant.as_ref().is_none_or(is_asked)
    });
    let holding = retract::holding(&said, known_at);
    let mut shown: Vec<_> = if list.all {
        said.iter().collect()
    } else {
        let holding = holding.values().filter(|statement| statement.retracts);
        holding.map(|statement| statement.row).collect()
    };
    shown.sort_by(|a, b| {
        (
            a.ingested_at,
            &a.tenant_uid,
            &a.target_kind,
            &a.target_uid,
            &a.action,
        )
            .cmp(&(
                b.ingested_at,
                &b.tenant_uid,
                &b.target_kind,
                &b.target_uid,
                &b.action,
            ))
    });
    let columns = [
        Column::new("ingested_at").titled("since"),
        Column::new("tenant_uid").titled("tenant"),
        Column::new("target_kind").titled("kind"),
        Column::new("target_uid").titled("id"),
        Column::new("action"),
        Column::new("by"),
        Column::new("reason").shrinks(20),
    ];
    let rows: Vec<Vec<Cell>> = shown
        .iter()
        .map(|row| {
            vec![
                row.ingested_at.into(),
                row.tenant_uid.clone().into(),
                row.target_kind.clone().into(),
                row.target_uid.clone().into(),
                row.action.clone().into(),
                row.by.clone().into(),
                row.reason.clone().into(),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, list.format.format)?;
    if rows.is_empty() && !quiet {
        console::say("nothing is retracted");
    }
    Ok(())
}
