//! `config`: show or check the configuration.

use std::path::PathBuf;

use af_engine::config::{self, Problem};
use af_model::name::Printable;
use af_report::{Cell, Column, Format};
use clap::Subcommand;

use crate::args::FormatArgument;
use crate::clock;
use crate::console;
use crate::exit::Refusal;
use crate::settings::Settings;

/// `config`.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show every setting with the value that holds and where it comes from
    #[command(after_help = "\
A setting comes from a flag, else from the environment, else from the file, else it has its default.

Examples:
  attack-factor config show
  attack-factor config show --config other.toml --format json
  attack-factor config show --example > attack-factor.toml")]
    Show {
        /// Print a commented starter file with every key instead.
        #[arg(long)]
        example: bool,

        /// Folder of the store, as it would be given to another verb.
        #[arg(long, value_name = "DIR", env = "ATTACK_FACTOR_STORE")]
        store: Option<PathBuf>,

        #[command(flatten)]
        format: FormatArgument,
    },
    /// Check the configuration, its rules and its files; writes nothing
    #[command(after_help = "\
Names every problem at once, with file, line and column, and exits with 2 if one of them is an error.
Files of people are read as an import would read them.

Examples:
  attack-factor config check
  attack-factor config check --config other.toml --format json")]
    Check {
        #[command(flatten)]
        format: FormatArgument,
    },
}

pub(super) fn run(config: &Config, settings: &Settings) -> anyhow::Result<()> {
    match config {
        Config::Show { example: true, .. } => console::print(&config::starter()),
        Config::Show { format, .. } => show(settings, format.format),
        Config::Check { format } => check(settings, format.format),
    }
}

fn show(settings: &Settings, format: Format) -> anyhow::Result<()> {
    // A broken file is read as far as it goes; nobody is shown settings that would not hold.
    let config = match &settings.file {
        Some(file) => config::load(file)?,
        None => config::Config::default(),
    };
    let columns = [
        Column::new("key"),
        Column::new("value").shrinks(20),
        Column::new("from"),
    ];
    let rows: Vec<Vec<Cell>> = config::effective(&config)
        .into_iter()
        .map(|setting| {
            let overridden = settings
                .overrides
                .iter()
                .find(|(key, ..)| *key == setting.key);
            let (value, from) = match overridden {
                Some((_, value, from)) => (value.clone(), from.clone()),
                None => (setting.value, setting.from),
            };
            let value = (!value.is_empty()).then_some(value);
            vec![setting.key.into(), value.into(), from.into()]
        })
        .collect();
    console::print_rows(&columns, &rows, format)?;
    if format == Format::Table {
        console::say(&match &settings.file {
            Some(file) => format!("from {}", Printable(&file.display().to_string())),
            None => format!("no {} here or above: defaults", config::FILE_NAME),
        });
    }
    Ok(())
}

fn check(settings: &Settings, format: Format) -> anyhow::Result<()> {
    let file = settings.file()?;
    let Ok(text) = fs_err::read_to_string(file) else {
        // The same words as for every other verb.
        config::load(file)?;
        return Err(Refusal::usage("read the configuration: it changed", "run again").into());
    };
    let (config, mut problems) = config::read(file, &text);
    problems.extend(config::check(&config, clock::now().day()));
    problems.sort_by(|a, b| (a.place, &a.message).cmp(&(b.place, &b.message)));
    print_problems(&problems, format)?;
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    if errors > 0 {
        let message = format!(
            "{errors} of the configuration's {} problems are errors",
            problems.len()
        );
        return Err(Refusal::usage(message, "mend what is named above").into());
    }
    Ok(())
}

fn problem_text(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{problem}\n    {hint}\n"),
        None => format!("{problem}\n"),
    }
}

fn print_problems(problems: &[Problem], format: Format) -> anyhow::Result<()> {
    if format == Format::Table {
        let mut text: String = problems.iter().map(problem_text).collect();
        if problems.is_empty() {
            text.push_str("no problem\n");
        }
        return console::print(&text);
    }
    let columns = ["file", "line", "column", "severity", "message", "hint"].map(Column::new);
    let rows: Vec<Vec<Cell>> = problems
        .iter()
        .map(|problem| {
            vec![
                problem.file.clone().into(),
                problem.place.map(|place| u64::from(place.line)).into(),
                problem.place.map(|place| u64::from(place.column)).into(),
                problem.severity.to_string().into(),
                problem.message.clone().into(),
                problem.hint.clone().into(),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, format)
}
