//! From a document to a [`Config`]: names, levels, parameters and repetitions are judged here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use af_model::name::{Printable, check_tenant};
use af_model::{Level, Params};
use af_rules::{Exclusion, Network};

use super::document::{self, Document, Value};
use super::integrations::Around;
use super::problem::{Place, Problem, Severity};
use super::settings::{Config, Gates, PeopleSource, RuleSettings, Tenant};
use crate::error::{Error, ErrorKind};

/// Reads a configuration that has no errors.
///
/// # Errors
/// [`ErrorKind::Usage`] when there is no such file, and with all problems at once when it cannot be
/// used.
pub fn load(file: &Path) -> Result<Config, Error> {
    let named = Printable(&file.display().to_string()).to_string();
    let text = fs_err::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let message = format!("read the configuration {named}: no such file");
            Error::new(ErrorKind::Usage, message)
                .with_hint("attack-factor config show --example prints a starter file")
        }
        std::io::ErrorKind::InvalidData => Error::new(
            ErrorKind::Usage,
            format!("read the configuration {named}: not UTF-8"),
        ),
        _ => Error::new(ErrorKind::Io, format!("read the configuration: {error}")),
    })?;
    let (config, problems) = read(file, &text);
    if problems.iter().any(Problem::is_error) {
        return Err(refused(&problems));
    }
    Ok(config)
}

/// One error of all problems, each with its hint.
pub(super) fn refused(problems: &[Problem]) -> Error {
    let mut lines = Vec::new();
    for problem in problems {
        lines.push(problem.to_string());
        lines.extend(problem.hint.iter().map(|hint| format!("    {hint}")));
    }
    let n = problems.len();
    let what = if n == 1 { "problem" } else { "problems" };
    let message = format!("use the configuration, {n} {what}:\n{}", lines.join("\n"));
    Error::new(ErrorKind::Usage, message)
        .with_hint("attack-factor config check finds all of them, also in rules and files")
}

/// Reads the text of a configuration; what cannot be used has its default, and every problem is
/// said, in the order of the file. Looks at no other file.
pub fn read(file: &Path, text: &str) -> (Config, Vec<Problem>) {
    let (document, problems) = document::parse(file, text);
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    let mut reader = Reader {
        file: Printable(&file.display().to_string()).to_string(),
        folder,
        document: &document,
        problems,
    };
    let mut config = reader.config();
    let mut problems = reader.problems;
    // The end of the file comes last: what is about the whole has no place.
    problems.sort_by(|a, b| (a.place, &a.message).cmp(&(b.place, &b.message)));
    problems.dedup();
    config.file = Some(file.to_owned());
    config.document = document;
    (config, problems)
}

pub(super) struct Reader<'d> {
    file: String,
    pub(super) folder: PathBuf,
    pub(super) document: &'d Document,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    pub(super) fn say(&mut self, path: &str, message: String, hint: Option<String>) {
        self.say_at(self.document.place(path), message, hint);
    }

    pub(super) fn say_at(&mut self, place: Option<Place>, message: String, hint: Option<String>) {
        self.problems.push(Problem {
            file: self.file.clone(),
            place,
            severity: Severity::Error,
            message,
            hint,
        });
    }

    fn config(&mut self) -> Config {
        let document = self.document;
        let defaults = Config::default();
        let integer = |path: &str| document.integer(path);
        let gates = Gates::default();
        let permille = |path: &str, default: u64| {
            integer(path).map_or(default, |found| u64::try_from(found).unwrap_or(default))
        };
        let mut rules = self.rules();
        let credentials = self.credentials();
        let tenants = self.tenants(&credentials.names);
        for tenant in &tenants {
            let networks = self.networks(&format!("{}.own_networks", tenant.key));
            if !networks.is_empty() {
                rules.own_networks.insert(tenant.name.clone(), networks);
            }
        }
        Config {
            store: self.store(),
            threads: integer("threads")
                .and_then(|threads| u16::try_from(threads).ok())
                .unwrap_or(defaults.threads),
            buffer_mib: integer("buffer_mib")
                .and_then(|mib| u32::try_from(mib).ok())
                .unwrap_or(defaults.buffer_mib),
            params: self.params(),
            rules,
            gates: Gates {
                quarantined_permille: permille(
                    "gates.quarantined_permille",
                    gates.quarantined_permille,
                ),
                unmatched_permille: permille("gates.unmatched_permille", gates.unmatched_permille),
                feed_age_hours: integer("gates.feed_age_hours").unwrap_or(gates.feed_age_hours),
                left_out_tenants: integer("gates.left_out_tenants")
                    .and_then(|tenants| u64::try_from(tenants).ok()),
            },
            credentials: credentials.usable,
            tenants,
            folder: self.folder.clone(),
            ..defaults
        }
    }

    fn store(&mut self) -> Option<PathBuf> {
        let written = self.document.text("store")?;
        if written.trim().is_empty() {
            self.say("store", "store is empty".to_owned(), None);
            return None;
        }
        Some(Config::resolve(&self.folder, written))
    }

    /// The parameters. One that breaks its rule has its default, so that the next can be judged.
    fn params(&mut self) -> Params {
        let document = self.document;
        let mut params = Params::default();
        let defaults = params.clone();
        let take = |path: &str, default: i64| {
            document
                .integer(&format!("formula.{path}"))
                .unwrap_or(default)
        };
        params.points.low = take("points.low", defaults.points.low);
        params.points.medium = take("points.medium", defaults.points.medium);
        params.points.high = take("points.high", defaults.points.high);
        params.points.critical = take("points.critical", defaults.points.critical);
        params.lambda = take("lambda", defaults.lambda);
        params.q = take("q", defaults.q);
        params.kappa = take("kappa", defaults.kappa);
        params.cap = take("cap", defaults.cap);
        for (component, value) in document.entries("formula.weights") {
            if let Value::Integer(weight) = value {
                params.weights.insert(component.to_owned(), *weight);
            }
        }
        while let Err(invalid) = params.check() {
            let message = format!(
                "formula.{} is {}: {}",
                Printable(&invalid.name),
                invalid.value,
                invalid.rule
            );
            let path = format!("formula.{}", invalid.name);
            // A default may break the step to a value that is written: blame what is written.
            let written = self.document.place(&path).is_some();
            self.say(if written { &path } else { "formula" }, message, None);
            match invalid.name.as_str() {
                name if name.starts_with("points.") => params.points = defaults.points,
                "lambda" => params.lambda = defaults.lambda,
                "q" => params.q = defaults.q,
                "kappa" => params.kappa = defaults.kappa,
                "cap" => params.cap = defaults.cap,
                name => {
                    let component = name.strip_prefix("weights.").unwrap_or(name);
                    if params.weights.remove(component).is_none() {
                        break;
                    }
                }
            }
        }
        params
    }

    fn rules(&mut self) -> RuleSettings {
        let document = self.document;
        let mut rules = RuleSettings {
            folders: document
                .texts("rules.folders")
                .iter()
                .map(|(folder, _)| Config::resolve(&self.folder, folder))
                .collect(),
            disable: document
                .texts("rules.disable")
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
            ..RuleSettings::default()
        };
        for (name, value) in document.entries("rules.levels") {
            let Value::Text(level) = value else { continue };
            match level.parse::<Level>() {
                Ok(level) => {
                    rules.levels.insert(name.to_owned(), level);
                }
                Err(error) => {
                    let message = format!(
                        "rules.levels.{} is {}: {error}",
                        Printable(name),
                        Printable(level)
                    );
                    let names = Level::DESCENDING.map(Level::as_str);
                    let hint = super::nearest::hint(level, &names);
                    self.say(&format!("rules.levels.{name}"), message, hint);
                }
            }
        }
        rules.exclude = self.exclusions();
        rules
    }

    /// What every rule leaves alone. Whether there is such a rule is asked when the rules are loaded.
    fn exclusions(&mut self) -> Vec<Exclusion> {
        let mut exclusions: BTreeMap<String, Exclusion> = BTreeMap::new();
        let document = self.document;
        for (path, _) in document.entries("rules.exclude") {
            // A rule's name is that of its file and may have dots.
            let Some((rule, list)) = path.rsplit_once('.') else {
                continue;
            };
            let path = format!("rules.exclude.{path}");
            let exclusion = exclusions.entry(rule.to_owned()).or_default();
            exclusion.rule = (rule != RuleSettings::ALL).then(|| rule.to_owned());
            if list == "addresses" {
                exclusion.addresses = self.networks(&path);
            } else {
                exclusion.people = self.people_to_leave_alone(&path);
            }
        }
        exclusions.into_values().collect()
    }

    fn people_to_leave_alone(&mut self, path: &str) -> Vec<String> {
        let people = self.texts(path);
        if people.iter().any(|person| person.trim().is_empty()) {
            let message = format!("{} has an empty name", Printable(path));
            let hint = "a user id, a login or an e-mail address".to_owned();
            self.say(path, message, Some(hint));
        }
        people
    }

    fn networks(&mut self, path: &str) -> Vec<Network> {
        let mut networks = Vec::new();
        let document = self.document;
        for (text, place) in document.texts(path) {
            match text.parse::<Network>() {
                Ok(network) => networks.push(network),
                Err(error) => {
                    let message = format!("{}: {} is {error}", Printable(path), Printable(text));
                    self.say_at(Some(*place), message, Some(error.hint().to_owned()));
                }
            }
        }
        networks
    }

    fn tenants(&mut self, credentials: &[String]) -> Vec<Tenant> {
        let mut tenants: Vec<Tenant> = Vec::new();
        for n in 0..self.document.length("tenant") {
            let path = format!("tenant[{n}]");
            let name = self.name(&path, "tenant").unwrap_or_default();
            let people = self.people(&path);
            let around = Around {
                credentials,
                people: &people,
            };
            let tenant = Tenant {
                name,
                okta: self.okta(&path, around),
                people,
                own_domains: self.domains(&format!("{path}.own_domains")),
                service: self.texts(&format!("{path}.population.service")),
                key: path.clone(),
            };
            for pattern in &tenant.service {
                if let Err(error) = glob::Pattern::new(pattern) {
                    let message = format!("the pattern {} is broken: {error}", Printable(pattern));
                    self.say(&format!("{path}.population.service"), message, None);
                }
            }
            if tenant.name.is_empty() {
                continue;
            }
            if tenants.iter().any(|other| other.name == tenant.name) {
                let message = format!("a second tenant {}", tenant.name);
                let hint = "one [[tenant]] holds all sources of an organization";
                self.say(&format!("{path}.name"), message, Some(hint.to_owned()));
                continue;
            }
            tenants.push(tenant);
        }
        tenants
    }

    /// The checked name of a table; an absent or bad one is said.
    pub(super) fn name(&mut self, path: &str, what: &str) -> Option<String> {
        let key = format!("{path}.name");
        let Some(name) = self.document.text(&key) else {
            if self.document.place(&key).is_none() {
                self.say(path, format!("a {what} without a name"), None);
            }
            return None;
        };
        match check_tenant(name) {
            Ok(()) => Some(name.to_owned()),
            Err(error) => {
                let message = format!("{what} {}: {error}", Printable(name));
                let hint = "use lower-case letters, digits, dots, dashes and underscores";
                self.say(&key, message, Some(hint.to_owned()));
                None
            }
        }
    }

    fn texts(&self, path: &str) -> Vec<String> {
        let texts = self.document.texts(path).iter();
        texts.map(|(text, _)| text.clone()).collect()
    }

    fn files(&mut self, path: &str, what: &str) -> Vec<String> {
        let key = format!("{path}.files");
        if self.document.place(&key).is_none() {
            self.say(path, format!("{what} without files"), None);
        }
        self.patterns(&key)
    }

    /// Files or patterns; a broken pattern is said.
    pub(super) fn patterns(&mut self, key: &str) -> Vec<String> {
        let files = self.texts(key);
        for file in &files {
            if let Err(error) = glob::Pattern::new(file) {
                let message = format!("the pattern {} is broken: {error}", Printable(file));
                self.say(key, message, None);
            }
        }
        files
    }

    fn people(&mut self, tenant: &str) -> Vec<PeopleSource> {
        let mut sources: Vec<PeopleSource> = Vec::new();
        for n in 0..self.document.length(&format!("{tenant}.people")) {
            let path = format!("{tenant}.people[{n}]");
            let source = self
                .document
                .text(&format!("{path}.source"))
                .unwrap_or("directory")
                .to_owned();
            if source.trim().is_empty() {
                self.say(
                    &format!("{path}.source"),
                    "an empty source".to_owned(),
                    None,
                );
            }
            if sources.iter().any(|other| other.source == source) {
                let message = format!("a second source {}", Printable(&source));
                let hint = "give every [[tenant.people]] its own source, or one of them all files";
                self.say(&path, message, Some(hint.to_owned()));
                continue;
            }
            let map = self
                .document
                .entries(&format!("{path}.map"))
                .filter_map(|(ours, value)| match value {
                    Value::Text(theirs) => Some((ours.to_owned(), theirs.clone())),
                    _ => None,
                })
                .collect();
            sources.push(PeopleSource {
                files: self.files(&path, "a source of people"),
                key: path,
                source,
                map,
            });
        }
        sources
    }
}
