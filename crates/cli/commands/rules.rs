//! `rules`: list, show, check, test, try and lock the detection rules.

mod backtest;
mod lock;

use std::fmt::Write;

use af_engine::{config, rule_samples};
use af_model::Params;
use af_model::name::Printable;
use af_okta::catalogue;
use af_report::{Cell, Column, Format};
use af_rules::{Class, EventTypeFlags, Problem, Rule, RuleSet, Severity};
use clap::Subcommand;

use crate::args::{FormatArgument, RulesArgument};
use crate::console;
use crate::exit::Refusal;

const CHECK_HELP: &str = "\
Your rules are looked at together with the shipped ones. What makes a rule unusable (a misspelt key or
field, a circle of correlations, an id twice) every verb refuses; the rest only this one finds.
Errors end with exit code 2; warnings alone with 0.

Examples:
  attack-factor rules check
  attack-factor rules check --rules my-rules/
  attack-factor rules check --rules my-rules/ --format csv";

const TEST_HELP: &str = "\
Samples stand beside a rule, in NAME.samples.jsonl: one JSON object a line, with events that must fire
the rule or must not. Each is run against all rules, since one rule may silence another. A sample that
does not do as it says ends with exit code 4.

Examples:
  attack-factor rules test our_vpn_abuse --rules my-rules/
  attack-factor rules test --rules my-rules/ --format csv";

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
    /// Find what is wrong or missing: fields, event types, samples, ids, documentation
    #[command(after_help = CHECK_HELP)]
    Check {
        #[command(flatten)]
        rules: RulesArgument,
        #[command(flatten)]
        format: FormatArgument,
    },
    /// Run rules on their own samples
    #[command(after_help = TEST_HELP)]
    Test {
        /// Name or id of one rule; without it the samples of all rules are run.
        rule: Option<String>,
        #[command(flatten)]
        rules: RulesArgument,
        #[command(flatten)]
        format: FormatArgument,
    },
    /// Try one rule on a store's own events: what it finds, whom it hits, how scores would move
    Backtest(backtest::Backtest),
    /// One line per rule with the hash of what affects results, or what changed since
    Lock(lock::Lock),
}

pub(super) fn run(rules: &Rules, params: &Params, quiet: bool) -> anyhow::Result<()> {
    match rules {
        Rules::List { rules, format } => list(&load(rules)?, format.format),
        Rules::Show { rule, rules } => show(&load(rules)?, rule),
        Rules::Check { rules, format } => check(&load(rules)?, format.format),
        Rules::Test {
            rule,
            rules,
            format,
        } => test(&load(rules)?, rule.as_deref(), format.format, quiet),
        Rules::Backtest(arguments) => backtest::run(arguments, params, quiet),
        Rules::Lock(arguments) => lock::run(arguments, quiet),
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
            Self::Backtest(arguments) => &mut arguments.rules,
            Self::Lock(arguments) => &mut arguments.rules,
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
    console::print(&page(config::find_rule(rules, wanted)?))
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
    // What is not scored has none of these.
    if rule.class == Class::Attack {
        let from = rule
            .level_from
            .map(|field| format!(", or as {field} says"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "component   {}\nfamily      {}\nlevel       {}{from}",
            rule.component, rule.family, rule.level
        );
    }
    if !rule.techniques.is_empty() {
        let _ = writeln!(text, "ATT&CK      {}", rule.techniques.join(", "));
    }
    if !rule.event_types.is_empty() {
        let _ = writeln!(text, "events      {}", rule.event_types.join(", "));
    }
    if let Some(window) = rule.window() {
        let _ = writeln!(text, "window      {window}");
        let _ = writeln!(text, "looks at    {}", rule.refers_to().join(", "));
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
    let mut problems = rules.check(&|name| {
        catalogue::event_type(name).map(|flags| EventTypeFlags {
            internal: flags.internal,
            beta: flags.beta,
        })
    });
    problems.extend(rules.check_twins(&rule_samples::event)?);
    problems.sort();
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
        let n = problems.len();
        let verb = if errors == 1 {
            "is an error"
        } else {
            "are errors"
        };
        let message = format!("{errors} of the rules' {n} problems {verb}");
        return Err(Refusal::usage(message, "mend the rules named above").into());
    }
    Ok(())
}

fn test(rules: &RuleSet, one: Option<&str>, format: Format, quiet: bool) -> anyhow::Result<()> {
    let one = one.map(|name| config::find_rule(rules, name)).transpose()?;
    let mut results = rules.run_samples(&rule_samples::event);
    if let Some(rule) = one {
        results.retain(|result| result.rule == rule.name);
        if results.is_empty() {
            let message = format!("{} has no samples", Printable(&rule.name));
            let hint = "write them beside the rule, in NAME.samples.jsonl";
            return Err(Refusal::usage(message, hint).into());
        }
    }
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
    if !quiet {
        console::say(&format!("all {} samples passed", results.len()));
    }
    Ok(())
}
