//! `explain`: why one person has their score.

use std::path::PathBuf;

use af_engine::people::people_at;
use af_engine::tally::Cut;
use af_engine::whose::Whose;
use af_model::Person;
use af_model::name::Printable;
use af_model::view::{ExplainView, ExplainedRule};
use af_query::{Explanation, Found, PersonKey, StoreEvidence};
use af_rules::{Rule, RuleSet};
use af_store::{Snapshot, Store};
use clap::Args;

use crate::args::{FormatArgument, RulesArgument};
use crate::commands::rules;
use crate::console;
use crate::exit::Refusal;

/// `explain`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  attack-factor explain ana@example.com --store risk/
  attack-factor explain 00u1 --store risk/ --as-of 2026-11-01 --all
  attack-factor explain ana@example.com --snapshot scores/            figures only, no events
  attack-factor explain ana@example.com --store risk/ --format json | jq .outlook

A share is an attack's part of the score; shares add up. 'without' is what the score would be if the
attack had not been: repeats count less and less, so taking one away changes less than its share.
docs/explain.md says how every figure is computed.")]
pub(crate) struct Explain {
    /// Who: a user id, login, e-mail address or former name.
    #[arg(value_name = "USER")]
    pub(crate) user: String,

    /// Folder of the store; its latest snapshot is explained, with signals and events.
    #[arg(
        long,
        value_name = "DIR",
        env = "ATTACK_FACTOR_STORE",
        required_unless_present = "snapshot"
    )]
    pub(crate) store: Option<PathBuf>,

    /// The store's snapshot of this date or instant, if wanted with its revision: 2026-11-20/r2.
    #[arg(long, value_name = "DATE", conflicts_with = "snapshot")]
    pub(crate) as_of: Option<String>,

    /// Folder of one snapshot, or the --out folder of score. With --store also its signals and
    /// events.
    #[arg(long, value_name = "DIR")]
    pub(crate) snapshot: Option<PathBuf>,

    /// Only this organization.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,

    /// Show every block, incident and event; without it long lists are cut in the table.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) rules: RulesArgument,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Explain) -> anyhow::Result<()> {
    let store = arguments.store.as_deref().map(Store::open);
    let (store, snapshot) = match (store, &arguments.snapshot) {
        (Some(store), None) => {
            let store = store?;
            let wanted = arguments.as_of.as_deref().unwrap_or("latest");
            let snapshot = Snapshot::open_in(&store, wanted)?;
            (Some(store), snapshot)
        }
        (store, Some(path)) => (store.transpose()?, Snapshot::open(path)?),
        (None, None) => {
            return Err(
                Refusal::usage("tell where to look", "give --store DIR or --snapshot DIR").into(),
            );
        }
    };
    let manifest = snapshot.manifest();
    let cut = Cut {
        as_of: manifest.as_of,
        known_at: manifest.known_at,
    };
    let people = match &store {
        Some(store) => people_at(store, cut.known_at)?.0,
        None => Vec::new(),
    };
    let person = find(arguments, &snapshot, &people)?;

    let mut explanation = Explanation::of(&snapshot, &person)?;
    if let Some(store) = &store {
        let key = store.existing_hash_key()?;
        let whose = Whose::new(&people, &person.tenant_uid, cut, key.as_ref());
        explanation.trace(&StoreEvidence {
            store,
            is_theirs: &|signal| whose.is_of(&person.user_uid, signal),
        })?;
    }
    let rules = rules::load(&arguments.rules)?;
    explanation.tell_rules(&rules.hash().to_string(), |id| words(&rules, id));
    show(&explanation.into_view(), arguments)
}

fn show(view: &ExplainView, arguments: &Explain) -> anyhow::Result<()> {
    let detail = if arguments.all {
        af_report::Detail::All
    } else {
        af_report::Detail::Usual
    };
    console::print_with(|out| {
        af_report::render_explain(view, arguments.format.format, detail, console::width(), out)
    })
}

/// Whom the user means, or why nobody.
fn find(arguments: &Explain, snapshot: &Snapshot, people: &[Person]) -> anyhow::Result<PersonKey> {
    let tenant = arguments.tenant.as_deref();
    let typed = Printable(&arguments.user);
    let (message, hint) = match af_query::find(snapshot.path(), &arguments.user, tenant, people)? {
        Found::One(person) => return Ok(person),
        Found::Several(people) => several(&typed, &people),
        Found::NotInSnapshot(person) => (
            format!(
                "explain {typed}: {} is in the directory, but not in the snapshot of {}",
                Printable(&person.user_uid),
                snapshot.manifest().as_of
            ),
            "people appear from the day of their account on; run score, or give a later --as-of"
                .to_owned(),
        ),
        Found::Nobody(nearest) => nobody(&typed, &nearest, arguments),
    };
    Err(Refusal::usage(message, hint).into())
}

fn several(typed: &Printable<'_>, people: &[PersonKey]) -> (String, String) {
    let mut tenants: Vec<String> = people
        .iter()
        .map(|person| Printable(&person.tenant_uid).to_string())
        .collect();
    tenants.dedup();
    if tenants.len() > 1 {
        let message = format!(
            "explain {typed}: {} organizations have somebody of that name",
            tenants.len()
        );
        return (
            message,
            format!("give --tenant, one of: {}", tenants.join(", ")),
        );
    }
    let ids: Vec<String> = people
        .iter()
        .map(|person| Printable(&person.user_uid).to_string())
        .collect();
    let message = format!("explain {typed}: {} people have that name", ids.len());
    (
        message,
        format!("give the user id, one of: {}", ids.join(", ")),
    )
}

fn nobody(typed: &Printable<'_>, nearest: &[String], arguments: &Explain) -> (String, String) {
    let place = match &arguments.tenant {
        Some(tenant) => format!(" of tenant {}", Printable(tenant)),
        None => String::new(),
    };
    let message = format!("explain {typed}: nobody in the snapshot{place} has that id or address");
    let hint = if nearest.is_empty() {
        "attack-factor top shows people; logins and former names are known with --store only"
            .to_owned()
    } else {
        let shown: Vec<String> = nearest.iter().map(|n| Printable(n).to_string()).collect();
        format!("the nearest: {}", shown.join(", "))
    };
    (message, hint)
}

fn words(rules: &RuleSet, id: &str) -> Option<ExplainedRule> {
    let rule: &Rule = rules.get(id)?;
    Some(ExplainedRule {
        rule_id: id.to_owned(),
        name: Some(rule.name.clone()),
        title: Some(rule.title.clone()),
        description: rule.description.clone(),
        level_reason: rule.level_reason.clone(),
        level_from: rule.level_from.map(str::to_owned),
        false_positives: rule.false_positives.clone(),
        misses: rule.misses.clone(),
        attack_techniques: rule.techniques.clone(),
    })
}
