//! The rules that a configuration asks for: the shipped ones, own ones, and what is changed.

use std::path::Path;

use af_model::name::Printable;
use af_rules::{Rule, RuleFile, RuleSet};

use super::nearest;
use super::settings::RuleSettings;
use crate::error::{Error, ErrorKind};

/// Loads the shipped rules and those of the folders, then changes levels and takes out what is
/// disabled.
///
/// # Errors
/// [`ErrorKind::Usage`] with every unusable rule, or every name that no rule has;
/// [`ErrorKind::Io`] when a folder cannot be read.
pub fn load_rules(settings: &RuleSettings) -> Result<RuleSet, Error> {
    let mut rules = unchanged(settings)?;
    let unknown = unknown_names(&rules, settings);
    if let Some(first) = unknown.first() {
        let names: Vec<String> = unknown
            .iter()
            .map(|name| Printable(&name.name).to_string())
            .collect();
        let message = format!("find the rules {}", names.join(", "));
        let hint = first.hint.clone();
        return Err(Error::new(ErrorKind::Usage, message).with_hint(hint));
    }
    rules.set_tuning(settings.tuning()).map_err(|error| {
        let rule = Printable(error.rule());
        Error::new(
            ErrorKind::Usage,
            format!("use rules.exclude.{rule}: {error}"),
        )
        .with_hint(error.hint())
    })?;
    for (name, level) in &settings.levels {
        rules.set_level(name, *level);
    }
    for name in &settings.disable {
        rules.disable(name);
    }
    Ok(rules)
}

/// The rule of that name or id.
///
/// # Errors
/// [`ErrorKind::Usage`] with the nearest names when there is none.
pub fn find_rule<'r>(rules: &'r RuleSet, name_or_id: &str) -> Result<&'r Rule, Error> {
    rules.get(name_or_id).ok_or_else(|| {
        let message = format!("find the rule {}", Printable(name_or_id));
        Error::new(ErrorKind::Usage, message).with_hint(nearest_rule(rules, name_or_id))
    })
}

fn nearest_rule(rules: &RuleSet, name: &str) -> String {
    let rules = rules.rules().iter();
    let known: Vec<&str> = rules.map(|rule| rule.name.as_str()).collect();
    nearest::hint(name, &known)
        .unwrap_or_else(|| "attack-factor rules list names them all".to_owned())
}

/// The rules before anything is changed about them.
pub(super) fn unchanged(settings: &RuleSettings) -> Result<RuleSet, Error> {
    let mut files = af_rules::shipped();
    for folder in &settings.folders {
        files.extend(folder_files(folder)?);
    }
    RuleSet::load(files.into_iter()).map_err(|problems| {
        let n = problems.len();
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| match &problem.hint {
                Some(hint) => format!("{problem}\n    {hint}"),
                None => problem.to_string(),
            })
            .collect();
        let s = if n == 1 { "" } else { "s" };
        let message = format!("load the rules, {n} problem{s}:\n{}", lines.join("\n"));
        Error::new(ErrorKind::Usage, message)
            .with_hint("mend the files, or leave their folder out of --rules or rules.folders")
    })
}

/// A name that no rule has.
pub(super) struct UnknownRule {
    pub(super) name: String,
    /// The list that names it: `rules.disable`, `rules.levels` or `rules.exclude`.
    pub(super) list: &'static str,
    /// The key of the configuration in which it stands.
    pub(super) key: String,
    pub(super) hint: String,
}

pub(super) fn unknown_names(rules: &RuleSet, settings: &RuleSettings) -> Vec<UnknownRule> {
    let disabled = settings.disable.iter().map(|name| (name, "rules.disable"));
    let releveled = settings.levels.keys().map(|name| (name, "rules.levels"));
    let excluded = settings
        .exclude
        .iter()
        .filter_map(|exclusion| Some((exclusion.rule.as_ref()?, "rules.exclude")));
    disabled
        .chain(releveled)
        .chain(excluded)
        .filter(|(name, _)| rules.get(name).is_none())
        .map(|(name, list)| UnknownRule {
            name: name.clone(),
            list,
            key: match list {
                "rules.disable" => list.to_owned(),
                _ => format!("{list}.{name}"),
            },
            hint: nearest_rule(rules, name),
        })
        .collect()
}

fn folder_files(folder: &Path) -> Result<Vec<RuleFile>, Error> {
    let shown = Printable(&folder.display().to_string()).to_string();
    let unreadable = |error: &std::io::Error| {
        // A folder that is not there is a wrong setting, not a broken disk.
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ErrorKind::Usage,
            _ => ErrorKind::Io,
        };
        Error::new(kind, format!("read rules: {error}"))
            .with_hint("give a folder of rules, files named *.yml")
    };
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(folder).map_err(|error| unreadable(&error))? {
        let path = entry.map_err(|error| unreadable(&error))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yml" || extension == "yaml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("read rules: there is none in {shown}"),
        )
        .with_hint("rules are files named *.yml"));
    }
    paths
        .into_iter()
        .map(|path| {
            let samples = path.with_extension("samples.jsonl");
            let text = |path: &Path| {
                fs_err::read_to_string(path)
                    .map_err(|error| Error::new(ErrorKind::Usage, format!("read rules: {error}")))
            };
            Ok(RuleFile {
                text: text(&path)?,
                samples: samples.exists().then(|| text(&samples)).transpose()?,
                path: path.display().to_string(),
            })
        })
        .collect()
}
