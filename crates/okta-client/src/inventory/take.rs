//! One inventory from its first step to its last.

use af_model::UtcMillis;
use af_model::feed::{Cost, Problem, StepState, StepStatus};
use af_okta::Step;
use af_store::feed::{Feed, Inventory};

use super::about::{self, Tally};
use super::administrators;
use super::known::Known;
use super::landing::Landing;
use super::lists::{self, Oddities};
use super::pages::Caller;
use super::plan::{Form, Plan, Subjects};
use super::record::{Attempt, Summary, count_users};
use crate::check::Lack;
use crate::error::{Error, ErrorKind};
use crate::http::Client;

/// How an inventory is taken.
#[derive(Clone, Debug)]
pub struct InventoryOptions {
    /// When it is taken; names its folder.
    pub at: UtcMillis,
    /// The steps that are wanted. What a step needs of others is fetched in any case.
    pub steps: Vec<Step>,
    /// Calls made side by side.
    pub parallel: usize,
}

/// What an inventory brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryReport {
    /// The steps, in their order.
    pub steps: Vec<StepStatus>,
    /// The folder in the store; none when nothing was wanted.
    pub folder: Option<std::path::PathBuf>,
}

/// Takes an inventory into a feed. A step that is not permitted is skipped, the others go on. The
/// feed's status is kept current, also when it fails.
///
/// # Errors
/// The users cannot be listed, the store cannot take what was fetched, or we were asked to stop. The
/// inventory before stays what it is.
pub async fn take(
    client: &Client,
    feed: &Feed,
    options: &InventoryOptions,
) -> Result<InventoryReport, Error> {
    let steps = Step::with_needs(&options.steps);
    if steps.is_empty() {
        return Ok(InventoryReport::default());
    }
    let before = client.cost();
    let taken = take_whole(client, feed, options, steps).await;
    let outcome = match &taken {
        Ok(report) => {
            let folder = report
                .folder
                .as_deref()
                .and_then(std::path::Path::file_name);
            let folder = folder.map(|name| name.to_string_lossy().into_owned());
            Ok((report.steps.as_slice(), folder))
        }
        Err(error) => Err(error),
    };
    let recorded = Attempt {
        at: options.at,
        origin: client.options().origin.to_string(),
        cost: spent(before, client.cost()),
        outcome,
    }
    .record(feed);
    // The first failure is the one to tell.
    let report = taken?;
    recorded?;
    Ok(report)
}

async fn take_whole(
    client: &Client,
    feed: &Feed,
    options: &InventoryOptions,
    steps: Vec<Step>,
) -> Result<InventoryReport, Error> {
    let inventory = feed.begin_inventory(options.at)?;
    let mut taking = Taking {
        client,
        inventory: &inventory,
        parallel: options.parallel,
        known: Known::default(),
        done: Vec::new(),
    };
    for step in steps {
        let status = taking.step(Plan::of(step)).await?;
        taking.done.push(status);
    }
    let Taking { known, done, .. } = taking;
    let folder = inventory.finish(&Summary {
        origin: client.options().origin.to_string(),
        taken_at: options.at,
        steps: done.clone(),
    })?;
    if done
        .iter()
        .any(|status| status.step == Step::Users.as_str())
    {
        count_users(feed, options.at, known.statuses())?;
    }
    Ok(InventoryReport {
        steps: done,
        folder: Some(folder),
    })
}

struct Taking<'a> {
    client: &'a Client,
    inventory: &'a Inventory<'a>,
    parallel: usize,
    known: Known,
    done: Vec<StepStatus>,
}

impl Taking<'_> {
    /// Takes one step; what it says about itself is its status.
    async fn step(&mut self, plan: &'static Plan) -> Result<StepStatus, Error> {
        if let Some(status) = self.without(plan) {
            return Ok(status);
        }
        let caller = Caller::new(self.client);
        let file = self.inventory.step(plan.step.as_str())?;
        let watcher = &*self.client.options().progress;
        let mut landing = Landing::new(plan.step, file, watcher);
        let result = self.fill(plan, &caller, &mut landing).await;
        let (objects, calls) = (landing.objects(), caller.calls());
        let status = |state, objects, note, problem| StepStatus {
            step: plan.step.as_str().to_owned(),
            objects,
            calls,
            state,
            note,
            problem,
        };
        match result {
            Ok(note) => {
                landing.close()?;
                Ok(status(StepState::Done, objects, note, None))
            }
            Err(error) => {
                self.inventory.discard(landing.into_file())?;
                if ends_all(plan.step, &error) {
                    return Err(self.lacking(plan, &error).unwrap_or(error));
                }
                let (state, problem) = self.verdict(plan, &error);
                Ok(status(state, 0, None, Some(problem)))
            }
        }
    }

    /// The status of a step that asks about objects which could not be listed.
    fn without(&self, plan: &Plan) -> Option<StepStatus> {
        let needed = plan.step.needs()?;
        let listed = self.done.iter().find(|done| done.step == needed.as_str())?;
        if listed.state == StepState::Done {
            return None;
        }
        let problem = Problem {
            message: format!("{}: there is no list of {needed} to go by", plan.purpose),
            hint: listed.problem.as_ref().and_then(|why| why.hint.clone()),
            code: listed.problem.as_ref().and_then(|why| why.code.clone()),
        };
        Some(StepStatus {
            step: plan.step.as_str().to_owned(),
            state: StepState::Skipped,
            problem: Some(problem),
            ..StepStatus::default()
        })
    }

    /// Fetches what belongs to a step; returns what a reader should know about it.
    async fn fill(
        &mut self,
        plan: &'static Plan,
        caller: &Caller,
        landing: &mut Landing<'_>,
    ) -> Result<Option<String>, Error> {
        match plan.form {
            Form::One => lists::one(caller, plan, landing).await.map(|_| None),
            Form::List => {
                let oddities = lists::all(caller, plan, &mut self.known, landing).await?;
                Ok(note_of_list(&oddities))
            }
            Form::About { subjects, .. } => {
                let ids = match subjects {
                    Subjects::Administrators => administrators::list(caller, plan).await?,
                    _ => self.known.subjects(subjects),
                };
                let tally = about::each(caller, plan, ids, self.parallel, landing).await?;
                let everyone = subjects == Subjects::GroupsWithMembers && self.known.has_everyone();
                Ok(note_of_tally(&tally, everyone))
            }
        }
    }

    /// Whether a step is skipped or failed, and why in plain words.
    fn verdict(&self, plan: &Plan, error: &Error) -> (StepState, Problem) {
        if let Some(lacking) = self.lacking(plan, error) {
            return (StepState::Skipped, lacking.problem());
        }
        // A token request is refused with a 400 as well, so this comes second.
        if plan.step == Step::GroupRules && error.status() == Some(400) {
            let message = format!(
                "{}: group rules are not switched on in this org",
                plan.purpose
            );
            return (StepState::Skipped, said(error, message, None).problem());
        }
        let state = if plan.step == Step::Support {
            StepState::Skipped
        } else {
            StepState::Failed
        };
        (state, error.problem())
    }

    /// A refusal with what is lacking and where to get it; none when it is no refusal.
    fn lacking(&self, plan: &Plan, error: &Error) -> Option<Error> {
        let credential = &self.client.options().credential;
        let lack = Lack::of(error, credential)?;
        let message = format!("{}: {}", plan.purpose, lack.reason(plan.scope, credential));
        Some(said(
            error,
            message,
            lack.hint(error, plan.scope, Some(plan.step), credential),
        ))
    }
}

/// The same failure in other words.
fn said(error: &Error, message: String, hint: Option<String>) -> Error {
    let said = Error::new(error.kind(), message);
    let said = match hint {
        Some(hint) => said.with_hint(hint),
        None => said,
    };
    match error.status() {
        Some(status) => said.with_answer(status, error.code()),
        None => said,
    }
}

/// Whether a failure ends the inventory rather than one step of it.
fn ends_all(step: Step, error: &Error) -> bool {
    let kind = error.kind();
    step == Step::Users
        || matches!(
            kind,
            ErrorKind::Stopped | ErrorKind::Store | ErrorKind::Busy
        )
}

fn note_of_list(oddities: &Oddities) -> Option<String> {
    let mut notes = Vec::new();
    if oddities.without_sizes {
        notes.push("the org could not give the sizes of groups".to_owned());
    }
    if oddities.twice > 0 {
        notes.push(format!("{} came twice", oddities.twice));
    }
    if oddities.no_objects > 0 {
        notes.push(format!("{} were no objects", oddities.no_objects));
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}

fn note_of_tally(tally: &Tally, everyone: bool) -> Option<String> {
    let mut notes = Vec::new();
    if everyone {
        notes.push("Everyone is not asked for: it has all users".to_owned());
    }
    if tally.vanished > 0 {
        notes.push(format!("{} were gone meanwhile", tally.vanished));
    }
    if tally.refused > 0 {
        notes.push(format!("{} may not be asked about", tally.refused));
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}

fn spent(before: Cost, after: Cost) -> Cost {
    Cost {
        calls: after.calls - before.calls,
        repeated: after.repeated - before.repeated,
        limited: after.limited - before.limited,
        waited_millis: after.waited_millis - before.waited_millis,
        bytes: after.bytes - before.bytes,
    }
}
