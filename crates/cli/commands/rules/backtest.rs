//! `rules backtest`: one rule on the store's own events, before it is switched on.

use af_engine::backtest::{self, Backtest as View, BacktestJob, PersonMove};
use af_engine::config;
use af_model::Params;
use af_model::name::Printable;
use af_model::view::{one_decimal, signed_decimal};
use af_report::{Cell, Column, Format};
use af_store::Store;
use clap::Args;

use crate::args::{FormatArgument, RulesArgument, StoreArgument};
use crate::console::{self, Bars};

/// `rules backtest`.
#[derive(Args, Debug)]
#[command(after_help = "\
The rule may be a shipped one or your own, also one that the configuration disables. All other rules
are as the configuration has them. Nothing is written: events of the store are classified with the
rule and without it, and both are scored as `score` would now. What stands under \"without\" is what
the rule's absence would give, also when it is switched on today.

Formats: table shows all parts, json is the whole answer, jsonl and csv are the people who move.

Examples:
  attack-factor rules backtest okta_suspected_address_failure --store risk/
  attack-factor rules backtest our_vpn_abuse --rules my-rules/ --store risk/ --days 30
  attack-factor rules backtest okta_app_access_refused --store risk/ -n 1000 --format csv")]
pub(crate) struct Backtest {
    /// Name or id of the rule.
    rule: String,

    #[command(flatten)]
    store: StoreArgument,

    #[command(flatten)]
    pub(super) rules: RulesArgument,

    /// Days to look at, back from the last one with events. Days before keep the signals they have.
    #[arg(long, value_name = "N", default_value_t = BacktestJob::DAYS, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,

    /// How many people are listed.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    #[command(flatten)]
    format: FormatArgument,
}

pub(super) fn run(arguments: &Backtest, params: &Params, quiet: bool) -> anyhow::Result<()> {
    let mut settings = arguments.rules.settings();
    // Looked up among all rules: the name may be an id, and the rule may be disabled.
    let disable = std::mem::take(&mut settings.disable);
    let all = config::load_rules(&settings)?;
    let rule = config::find_rule(&all, &arguments.rule)?;
    let is_tried = |name: &String| *name == rule.name || *name == rule.id;
    settings.disable = disable.into_iter().filter(|name| !is_tried(name)).collect();
    let with = config::load_rules(&settings)?;
    let mut without = config::load_rules(&settings)?;
    without.disable(&rule.name);
    let store = Store::open(&arguments.store.store)?;
    let job = BacktestJob {
        store: &store,
        with: &with,
        without: &without,
        rule: &rule.name,
        params,
        days: arguments.days,
        limit: arguments.limit as usize,
    };
    let view = backtest::backtest(&job, &Bars::new(quiet))?;
    match arguments.format.format {
        Format::Json => console::print_with(|out| {
            serde_json::to_writer_pretty(&mut *out, &view)?;
            writeln!(out)
        })?,
        Format::Jsonl => console::print_with(|out| {
            for person in &view.moved {
                serde_json::to_writer(&mut *out, person)?;
                writeln!(out)?;
            }
            Ok(())
        })?,
        Format::Csv => console::print_rows(&csv_columns(), &csv_rows(&view), Format::Csv)?,
        Format::Table => page(&view)?,
    }
    if !quiet {
        for (all, shown, what) in [
            (view.people_hit, view.hit.len(), "are hit"),
            (view.people_moved, view.moved.len(), "move"),
        ] {
            let more = all.saturating_sub(shown as u64);
            if more > 0 {
                console::say(&format!("{more} more people {what}: ask for more with -n"));
            }
        }
    }
    Ok(())
}

/// All parts as tables.
fn page(view: &View) -> anyhow::Result<()> {
    let level = view.rule.level.as_deref().unwrap_or("no level");
    console::print(&format!(
        "{} ({}, {level})\n{}\n\n",
        Printable(&view.rule.name),
        view.rule.class,
        Printable(&view.rule.title)
    ))?;
    console::print(&format!(
        "{} to {}: {} events on {} days; {} findings on {} of them\n",
        view.first_day,
        view.last_day,
        view.events,
        view.days_with_events,
        view.findings,
        view.by_day.len()
    ))?;
    if view.instead_of > 0 {
        console::print(&format!(
            "{} signals of other rules are not there with it\n",
            view.instead_of
        ))?;
    }
    if view.findings > 0 {
        findings(view)?;
    }
    console::print(&format!("\nScores as of {}\n", view.as_of))?;
    let columns = ["level", "without", "with"];
    let columns = [
        Column::new(columns[0]),
        Column::new(columns[1]).right(),
        Column::new(columns[2]).right(),
    ];
    let rows: Vec<Vec<Cell>> = view
        .levels
        .iter()
        .rev()
        .map(|level| {
            vec![
                level.level.replace('_', " ").into(),
                level.without.into(),
                level.with.into(),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, Format::Table)?;
    if view.moved.is_empty() {
        return console::print("\nNobody's score changes.\n");
    }
    console::print(&format!("\n{} people move\n", view.people_moved))?;
    let columns = [
        Column::new("person").shrinks(14),
        Column::new("level"),
        Column::new("score").right(),
        Column::new("change").right(),
        Column::new("rank").right(),
    ];
    let rows: Vec<Vec<Cell>> = view.moved.iter().map(moved).collect();
    console::print_rows(&columns, &rows, Format::Table)
}

fn findings(view: &View) -> anyhow::Result<()> {
    let went = view.went;
    let parts = [
        ("scored", went.scored),
        ("collapsed", went.collapsed),
        ("unmatched", went.unmatched),
        ("retracted", went.retracted),
        ("too_old", went.too_old),
        ("future", went.future),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(name, count)| *count > 0 || *name == "scored")
        .map(|(name, count)| format!("{} {count}", name.replace('_', " ")))
        .collect();
    let often = view.incidents_per_person_week_milli;
    console::print(&format!(
        "counted alone: {}\n{} of {} people are hit, {}.{:02} times a week each\n\n",
        shown.join(", "),
        view.people_hit,
        view.people,
        often / 1_000,
        often / 10 % 100
    ))?;
    let columns = [
        Column::new("day"),
        Column::new("findings").right(),
        Column::new("people").right(),
    ];
    let rows: Vec<Vec<Cell>> = view
        .by_day
        .iter()
        .map(|day| {
            vec![
                day.day.to_string().into(),
                day.findings.into(),
                day.people.into(),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, Format::Table)?;
    if view.hit.is_empty() {
        return Ok(());
    }
    console::print("\n")?;
    let columns = [
        Column::new("person hit").shrinks(14),
        Column::new("level"),
        Column::new("incidents").right(),
        Column::new("days").right(),
        Column::new("last"),
    ];
    let rows: Vec<Vec<Cell>> = view
        .hit
        .iter()
        .map(|person| {
            vec![
                person.email.as_str().into(),
                person.level.as_str().into(),
                person.incidents.into(),
                person.days.into(),
                person.last.to_string().into(),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, Format::Table)
}

fn moved(person: &PersonMove) -> Vec<Cell> {
    let rank = |rank: Option<i64>| rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string());
    vec![
        person.email.as_str().into(),
        arrow(
            &person.level_without.replace('_', " "),
            &person.level_with.replace('_', " "),
        ),
        arrow(
            &one_decimal(person.score_without_micro),
            &one_decimal(person.score_with_micro),
        ),
        signed_decimal(person.change_micro()).into(),
        arrow(&rank(person.rank_without), &rank(person.rank_with)),
    ]
}

/// A value that changes, or one that does not.
fn arrow(without: &str, with: &str) -> Cell {
    if without == with {
        with.into()
    } else {
        format!("{without} > {with}").into()
    }
}

fn csv_columns() -> [Column; 10] {
    [
        "tenant_uid",
        "user_uid",
        "email",
        "level_without",
        "level_with",
        "score_without_micro",
        "score_with_micro",
        "change_micro",
        "rank_without",
        "rank_with",
    ]
    .map(Column::new)
}

fn csv_rows(view: &View) -> Vec<Vec<Cell>> {
    view.moved
        .iter()
        .map(|person| {
            vec![
                person.tenant_uid.as_str().into(),
                person.user_uid.as_str().into(),
                person.email.as_str().into(),
                person.level_without.as_str().into(),
                person.level_with.as_str().into(),
                person.score_without_micro.into(),
                person.score_with_micro.into(),
                person.change_micro().into(),
                person.rank_without.into(),
                person.rank_with.into(),
            ]
        })
        .collect()
}
