//! `rules`: list, show, check and test the detection rules.

use std::fmt::Write;

use af_engine::config;
use af_model::name::Printable;
use af_model::tables::identity_events;
use af_model::{HashKey, UtcMillis};
use af_okta::{Normalizer, catalogue};
use af_report::{Cell, Column, Format};
use af_rules::{Class, EventTypeFlags, Problem, Rule, RuleSet, Severity};
use anyhow::Context;
use clap::Subcommand;

use crate::args::{FormatArgument, RulesArgument};
use crate::console;
use crate::exit::Refusal;

/// `rules`.
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// One line per rule
    List {
        #[command(flatten)]
        rules: RulesArgument,
        #[command(flatten)]
        format: FormatArgument,
    },
    /// One rule in full: what it means, what it misses, why its level
    Show {
        /// Name or id of the rule.
        rule: String,
        #[command(flatten)]
        rules: RulesArgument,
    },
    /// Find unknown fields and event types, missing samples, duplicate ids
    Check {
        #[command(flatten)]
        rules: RulesArgument,
        #[command(flatten)]
        format: FormatArgument,
    },
    /// Run every rule on its own samples
    Test {
        #[command(flatten)]
        rules: RulesArgument,
        #[command(flatten)]
        format: FormatArgument,
    },
}

pub(super) fn run(rules: &Rules) -> anyhow::Result<()> {
    match rules {
        Rules::List { rules, format } => list(&load(rules)?, format.format),
        Rules::Show { rule, rules } => show(&load(rules)?, rule),
        Rules::Check { rules, format } => check(&load(rules)?, format.format),
        Rules::Test { rules, format } => test(&load(rules)?, format.format),
    }
}

impl Rules {
    /// The rules that the verb is about.
    pub(crate) fn argument(&mut self) -> &mut RulesArgument {
        match self {
            Self::List { rules, .. }
            | Self::Show { rules, .. }
            | Self::Check { rules, .. }
            | Self::Test { rules, .. } => rules,
        }
    }
}

/// The shipped rules and the user's own, as the configuration changes them.
pub(super) fn load(arguments: &RulesArgument) -> anyhow::Result<RuleSet> {
    Ok(config::load_rules(&arguments.settings())?)
}

fn problem_text(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{problem}\n  hint: {hint}"),
        None => problem.to_string(),
    }
}

fn list(rules: &RuleSet, format: Format) -> anyhow::Result<()> {
    let columns = [
        Column::new("name"),
        Column::new("class"),
        Column::new("component"),
        Column::new("family"),
        Column::new("level"),
        Column::new("techniques"),
        Column::new("title").shrinks(20),
    ];
    let rows: Vec<Vec<Cell>> = rules
        .rules()
        .iter()
        .map(|rule| {
            // Context and behavior are not scored, so their level says nothing.
            let level = (rule.class == Class::Attack).then(|| match rule.level_from {
                Some(field) => format!("{} or {field}", rule.level),
                None => rule.level.to_string(),
            });
            vec![
                rule.name.clone().into(),
                rule.class.as_str().into(),
                Some(rule.component.clone())
                    .filter(|name| !name.is_empty())
                    .into(),
                Some(rule.family.clone())
                    .filter(|name| !name.is_empty())
                    .into(),
                level.into(),
                rule.techniques.clone().into(),
                rule.title.clone().into(),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, format)
}

fn show(rules: &RuleSet, wanted: &str) -> anyhow::Result<()> {
    let Some(rule) = rules.get(wanted) else {
        let message = format!("there is no rule {}", Printable(wanted));
        return Err(Refusal::usage(message, "attack-factor rules list names them all").into());
    };
    console::print(&page(rule))
}

/// One rule as a page to read.
fn page(rule: &Rule) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}\n{}\n",
        rule.title,
        "=".repeat(rule.title.chars().count())
    );
    let _ = writeln!(text, "name        {}\nid          {}", rule.name, rule.id);
    let _ = writeln!(text, "file        {}", rule.path);
    let _ = writeln!(text, "class       {}", rule.class.as_str());
    let _ = writeln!(
        text,
        "component   {}\nfamily      {}",
        rule.component, rule.family
    );
    let from = rule
        .level_from
        .map(|field| format!(", or as {field} says"))
        .unwrap_or_default();
    let _ = writeln!(text, "level       {}{from}", rule.level);
    if !rule.techniques.is_empty() {
        let _ = writeln!(text, "ATT&CK      {}", rule.techniques.join(", "));
    }
    if !rule.event_types.is_empty() {
        let _ = writeln!(text, "events      {}", rule.event_types.join(", "));
    }
    for (title, paragraph) in [
        ("What it means", rule.description.as_deref()),
        ("Why this level", rule.level_reason.as_deref()),
    ] {
        if let Some(paragraph) = paragraph {
            let _ = writeln!(
                text,
                "\n{title}\n  {}",
                paragraph.trim().replace('\n', "\n  ")
            );
        }
    }
    for (title, items) in [
        ("False positives", &rule.false_positives),
        ("What it misses", &rule.misses),
        ("References", &rule.references),
    ] {
        if !items.is_empty() {
            let _ = writeln!(text, "\n{title}");
            for item in items {
                let _ = writeln!(text, "  - {}", item.trim().replace('\n', "\n    "));
            }
        }
    }
    text
}

fn check(rules: &RuleSet, format: Format) -> anyhow::Result<()> {
    let problems = rules.check(&|name| {
        catalogue::event_type(name).map(|flags| EventTypeFlags {
            internal: flags.internal,
            beta: flags.beta,
        })
    });
    let columns = ["path", "line", "severity", "message", "hint"].map(Column::new);
    let rows: Vec<Vec<Cell>> = problems
        .iter()
        .map(|problem| {
            vec![
                problem.path.clone().into(),
                problem.line.map(u64::from).into(),
                problem.severity.to_string().into(),
                problem.message.clone().into(),
                problem.hint.clone().into(),
            ]
        })
        .collect();
    if format != Format::Table {
        console::print_rows(&columns, &rows, format)?;
    } else if problems.is_empty() {
        console::print(&format!("{} rules, no problem\n", rules.rules().len()))?;
    } else {
        let text: String = problems
            .iter()
            .map(|problem| problem_text(problem) + "\n")
            .collect();
        console::print(&text)?;
    }
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    if errors > 0 {
        let message = format!("{errors} of the rules' problems are errors");
        return Err(Refusal::usage(message, "mend the rules named above").into());
    }
    Ok(())
}

fn test(rules: &RuleSet, format: Format) -> anyhow::Result<()> {
    // Samples are judged as events of one invented organization, ingested at the end of time.
    let key = HashKey::new([0; 32]);
    let ingested_at = UtcMillis::parse("2100-01-01T00:00:00Z").context("the samples' instant")?;
    let normalizer = Normalizer::new("samples", None, ingested_at, &key);
    let results = rules.run_samples(&|json| {
        let row = normalizer
            .event(json)
            .map_err(|reject| reject.reason.as_str().to_owned())?;
        Ok(identity_events::batch([&row]))
    });
    let columns = [
        Column::new("rule"),
        Column::new("sample").right(),
        Column::new("expected"),
        Column::new("found"),
        Column::new("passed"),
        Column::new("why").shrinks(20),
    ];
    let word = |fires: bool| if fires { "fires" } else { "silent" };
    let rows: Vec<Vec<Cell>> = results
        .iter()
        .map(|result| {
            let found = match result.fired {
                Some(fired) => word(fired).to_owned(),
                None => "refused".to_owned(),
            };
            let why = result.problem.as_ref().unwrap_or(&result.why);
            vec![
                result.rule.clone().into(),
                (result.number as u64).into(),
                word(result.expected).into(),
                found.into(),
                result.passed().into(),
                why.clone().into(),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, format)?;
    let failed = results.iter().filter(|result| !result.passed()).count();
    if failed > 0 {
        return Err(Refusal::gate(format!("{failed} of {} samples failed", results.len())).into());
    }
    Ok(())
}
