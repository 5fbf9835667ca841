//! `okta inventory`: fetch who and what an org has.

use af_model::feed::{StepState, StepStatus};
use af_okta::Step;
use af_okta_client::inventory::InventoryReport;
use af_okta_client::{Error, ErrorKind};
use af_report::{Cell, Column, Format};
use af_store::Store;
use clap::Args;

use super::{FetchStoreArgument, WhichArgument, outcome};
use crate::args::FormatArgument;
use crate::console;
use crate::okta::fetch::{Fetched, Fetcher};
use crate::okta::integrations::nearest;
use crate::okta::network::Network;
use crate::okta::watch::Board;
use crate::settings::Settings;

/// `okta inventory`.
#[derive(Args, Debug)]
#[command(after_help = "\
Fetches the steps that the configuration names, or those of --steps, into STORE/feeds as one inventory.
A step that is not permitted, or that the org does not have, is skipped and says which permission is
missing; the others go on. The next `run` takes its users for the people of the tenant.

Steps: org, support, users, groups, group_members, group_rules, apps, app_users, app_groups, factors,
user_roles, group_roles, idps, devices.

Examples:
  attack-factor okta inventory
  attack-factor okta inventory acme --steps users,groups,group_members
  attack-factor okta inventory --format jsonl")]
pub(crate) struct Inventory {
    #[command(flatten)]
    pub(crate) which: WhichArgument,

    #[command(flatten)]
    pub(crate) store: FetchStoreArgument,

    /// Only these steps, and what they need of others. Default: those of the configuration.
    #[arg(long, value_name = "STEP,…", value_delimiter = ',', value_parser = parse_step)]
    pub(crate) steps: Vec<Step>,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Inventory, settings: &Settings, quiet: bool) -> anyhow::Result<()> {
    let integrations = arguments.which.select(settings)?;
    let store = Store::create_or_open(&arguments.store.root(&settings.config)?)?;
    let network = Network::start()?;
    let fetcher = Fetcher {
        store: &store,
        network: &network,
        board: Board::new(quiet),
        says_expiry: true,
    };
    let fetched = fetcher.inventory(&integrations, &arguments.steps);
    console::print_rows(&columns(), &rows(&fetched), arguments.format.format)?;
    if !quiet && arguments.format.format == Format::Table {
        for one in &fetched {
            console::say(&summary(one));
        }
    }
    if let Some(interrupted) = network.interruption("take the inventory") {
        return Err(interrupted.into());
    }
    let broken: Vec<Option<Error>> = fetched.iter().map(broken_steps).collect();
    let failed: Vec<_> = fetched
        .iter()
        .zip(&broken)
        .filter_map(|(one, broken)| {
            Some((one.label(), one.result.as_ref().err().or(broken.as_ref())?))
        })
        .collect();
    Ok(outcome::judge(fetched.len(), &failed)?)
}

/// A step that broke off is a failure; one that is not permitted is an answer.
fn broken_steps(fetched: &Fetched<InventoryReport>) -> Option<Error> {
    let report = fetched.result.as_ref().ok()?;
    let broken: Vec<String> = report
        .steps
        .iter()
        .filter(|step| step.state == StepState::Failed)
        .map(|step| match &step.problem {
            Some(problem) => format!("{} ({})", step.step, problem.message),
            None => step.step.clone(),
        })
        .collect();
    (!broken.is_empty()).then(|| {
        let message = format!("finish the steps {}", broken.join(", "));
        Error::new(ErrorKind::Unavailable, message)
            .with_hint("the other steps are there; try again")
    })
}

fn columns() -> [Column; 8] {
    [
        Column::new("integration"),
        Column::new("step"),
        Column::new("state"),
        Column::new("objects").right(),
        Column::new("calls").right(),
        Column::new("note").shrinks(12),
        Column::new("problem").shrinks(20),
        Column::new("hint").shrinks(20),
    ]
}

fn rows(fetched: &[Fetched<InventoryReport>]) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for one in fetched {
        match &one.result {
            Ok(report) => rows.extend(report.steps.iter().map(|step| row(&one.label(), step))),
            Err(error) => rows.push(vec![
                one.label().into(),
                Cell::Null,
                "failed".into(),
                Cell::Null,
                one.cost.calls.into(),
                Cell::Null,
                error.to_string().into(),
                error.hint().map(str::to_owned).into(),
            ]),
        }
    }
    rows
}

fn row(label: &str, step: &StepStatus) -> Vec<Cell> {
    let problem = step.problem.as_ref();
    vec![
        label.into(),
        step.step.clone().into(),
        state(step.state).into(),
        (step.state == StepState::Done)
            .then_some(step.objects)
            .into(),
        step.calls.into(),
        step.note.clone().into(),
        problem.map(|problem| problem.message.clone()).into(),
        problem.and_then(|problem| problem.hint.clone()).into(),
    ]
}

fn state(state: StepState) -> &'static str {
    match state {
        StepState::Done => "done",
        StepState::Skipped => "skipped",
        StepState::Failed => "failed",
    }
}

fn summary(fetched: &Fetched<InventoryReport>) -> String {
    let label = fetched.label();
    let Ok(report) = &fetched.result else {
        return format!("{label}: no inventory");
    };
    let of = |state: StepState| {
        report
            .steps
            .iter()
            .filter(|step| step.state == state)
            .count()
    };
    let users = report
        .steps
        .iter()
        .find(|step| step.step == Step::Users.as_str());
    format!(
        "{label}: {} steps done, {} skipped, {} failed; {} users; {} calls",
        of(StepState::Done),
        of(StepState::Skipped),
        of(StepState::Failed),
        users.map_or(0, |step| step.objects),
        fetched.cost.calls,
    )
}

fn parse_step(text: &str) -> Result<Step, String> {
    let found = Step::ALL.into_iter().find(|step| step.as_str() == text);
    found.ok_or_else(|| {
        let names: Vec<String> = Step::ALL
            .iter()
            .map(|step| step.as_str().to_owned())
            .collect();
        format!("no such step; {}", nearest(text, &names))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use af_model::feed::{Cost, Problem};
    use af_store::feed::FeedName;

    use super::*;

    fn fetched(steps: Vec<StepStatus>) -> Fetched<InventoryReport> {
        Fetched {
            feed: FeedName {
                tenant: "acme".to_owned(),
                integration: "prod".to_owned(),
            },
            result: Ok(InventoryReport {
                steps,
                folder: None,
            }),
            cost: Cost::default(),
            took: Duration::ZERO,
        }
    }

    fn step(name: &str, state: StepState) -> StepStatus {
        StepStatus {
            step: name.to_owned(),
            objects: 7,
            calls: 2,
            state,
            note: None,
            problem: (state != StepState::Done).then(|| Problem {
                message: "list them".to_owned(),
                ..Problem::default()
            }),
        }
    }

    #[test]
    fn a_skipped_step_is_an_answer_and_a_broken_one_a_failure() {
        let skipped = fetched(vec![
            step("users", StepState::Done),
            step("devices", StepState::Skipped),
        ]);
        assert!(broken_steps(&skipped).is_none());
        let broken = fetched(vec![
            step("users", StepState::Done),
            step("groups", StepState::Failed),
        ]);
        assert_eq!(
            broken_steps(&broken).unwrap().to_string(),
            "finish the steps groups (list them)"
        );
        assert_eq!(
            summary(&broken),
            "acme/prod: 1 steps done, 0 skipped, 1 failed; 7 users; 0 calls"
        );
        // What a broken step had is not used, so it is not counted either.
        assert_eq!(rows(&[broken])[1][3], Cell::Null);
    }

    #[test]
    fn steps_are_known_by_their_names() {
        assert_eq!(parse_step("group_members"), Ok(Step::GroupMembers));
        assert_eq!(
            parse_step("goups").unwrap_err(),
            "no such step; did you mean groups?"
        );
    }
}
