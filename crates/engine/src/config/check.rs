//! Checking what a configuration names: rules, files, the store. Nothing is written.

use std::path::Path;

use af_directory::ImportOptions;
use af_model::UtcDay;
use af_model::name::Printable;
use af_okta::org_url::{self, OrgUrl};

use super::files::list;
use super::problem::{Problem, Severity};
use super::rules::{UnknownRule, unchanged, unknown_names};
use super::settings::{Config, PeopleSource, SecretPlace, Tenant};
use crate::error::Error;
use crate::people;

/// Everything that is wrong with what the configuration names, in the order of the file. People
/// files are read as an import would read them; events are only looked for. No secret is read; `today`
/// tells which credentials expire.
pub fn check(config: &Config, today: UtcDay) -> Vec<Problem> {
    let mut checker = Checker {
        config,
        problems: Vec::new(),
    };
    checker.store();
    checker.rules();
    checker.credentials(today);
    for tenant in &config.tenants {
        checker.tenant(tenant);
    }
    if config.tenants.is_empty() {
        let hint = "one [[tenant]] for every organization";
        checker.say(Severity::Warning, "", "no tenant", Some(hint.to_owned()));
    }
    let mut problems = checker.problems;
    problems.sort_by(|a, b| (a.place, &a.message).cmp(&(b.place, &b.message)));
    problems
}

struct Checker<'c> {
    config: &'c Config,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn say(
        &mut self,
        severity: Severity,
        key: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let file = self.config.file.as_deref().unwrap_or(Path::new("-"));
        self.problems.push(Problem {
            file: Printable(&file.display().to_string()).to_string(),
            place: self.config.place(key),
            severity,
            message: message.into(),
            hint,
        });
    }

    fn error(&mut self, key: &str, error: &Error) {
        let hint = error.hint().map(str::to_owned);
        self.say(Severity::Error, key, error.to_string(), hint);
    }

    fn store(&mut self) {
        let Some(store) = &self.config.store else {
            let hint = "store = \"risk\", or --store with every verb";
            self.say(Severity::Warning, "", "no store", Some(hint.to_owned()));
            return;
        };
        let empty = match fs_err::read_dir(store) {
            Ok(mut entries) => entries.next().is_none(),
            // It will be made.
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if !empty && let Err(error) = af_store::Store::open(store) {
            self.error("store", &error.into());
        }
    }

    fn rules(&mut self) {
        let settings = &self.config.rules;
        let mut rules = match unchanged(settings) {
            Ok(rules) => rules,
            Err(error) => return self.error("rules.folders", &error),
        };
        let unknown = unknown_names(&rules, settings);
        let is_known = unknown.iter().all(|name| name.list != "rules.exclude");
        for UnknownRule {
            name,
            list,
            key,
            hint,
        } in unknown
        {
            let message = format!("{list}: there is no rule {}", Printable(&name));
            self.say(Severity::Error, &key, message, Some(hint));
        }
        if is_known && let Err(error) = rules.set_tuning(settings.tuning()) {
            let key = format!("rules.exclude.{}", error.rule());
            let message = format!("{}: {error}", Printable(&key));
            self.say(
                Severity::Error,
                &key,
                message,
                Some(error.hint().to_owned()),
            );
        }
    }

    fn tenant(&mut self, tenant: &Tenant) {
        let apis = || tenant.okta.iter().filter_map(|source| source.api.as_ref());
        if tenant.people.is_empty() && !apis().any(|api| api.people) {
            let message = format!("tenant {} has no people", tenant.name);
            let hint = "without [[tenant.people]], or an Okta org whose users are its people, nobody \
                        has a score, unless people are imported otherwise";
            self.say(
                Severity::Warning,
                &tenant.key,
                message,
                Some(hint.to_owned()),
            );
        }
        for source in &tenant.people {
            for file in self.files(&format!("{}.files", source.key), &source.files) {
                self.people(tenant, source, &file);
            }
        }
        for source in &tenant.okta {
            self.files(&format!("{}.files", source.key), &source.files);
            if let Some(api) = &source.api
                && org_url::check(&api.url) == Ok(OrgUrl::Custom)
            {
                let key = format!("{}.url", source.key);
                let message = "the credential is sent to a domain that is not Okta's";
                let hint = "where you can, use the org's address below okta.com";
                self.say(Severity::Warning, &key, message, Some(hint.to_owned()));
            }
        }
    }

    /// Credentials that end, that nobody uses, or whose file is not as a secret's file should be.
    fn credentials(&mut self, today: UtcDay) {
        let config = self.config;
        let sources = config.tenants.iter().flat_map(|tenant| &tenant.okta);
        let used: Vec<&str> = sources
            .filter_map(|source| Some(source.api.as_ref()?.credential.as_str()))
            .collect();
        for credential in &config.credentials {
            let (key, name) = (&credential.key, &credential.name);
            if let Some(warning) = credential.expiry_warning(today) {
                let hint = "make a new one at the service, put it in place and write its date here";
                let key = format!("{key}.expires");
                self.say(Severity::Warning, &key, warning, Some(hint.to_owned()));
            }
            if !used.contains(&name.as_str()) {
                let message = format!("nothing uses the credential {name}");
                let hint = "name it in a [[tenant.okta]], or take it out and revoke it";
                self.say(Severity::Warning, key, message, Some(hint.to_owned()));
            }
            if let SecretPlace::File(file) = &credential.from {
                self.secret_file(&format!("{key}.from_file"), file);
            }
        }
    }

    fn secret_file(&mut self, key: &str, file: &Path) {
        let shown = Printable(&file.display().to_string()).to_string();
        let metadata = match fs_err::metadata(file) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => {
                self.say(Severity::Warning, key, format!("{shown} is no file"), None);
                return;
            }
            Err(error) => {
                let problem = match error.kind() {
                    std::io::ErrorKind::NotFound => "no such file",
                    _ => "cannot be looked at",
                };
                self.say(Severity::Warning, key, format!("{shown}: {problem}"), None);
                return;
            }
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            if metadata.permissions().mode() & 0o077 != 0 {
                let message = format!("{shown} may be read by others");
                let hint = "chmod 600 makes it its owner's alone";
                self.say(Severity::Warning, key, message, Some(hint.to_owned()));
            }
        }
        #[cfg(not(unix))]
        let _ = metadata;
    }

    /// The files that are there; those that are not are said.
    fn files(&mut self, key: &str, written: &[String]) -> Vec<std::path::PathBuf> {
        let listed = match list(&self.config.folder, written) {
            Ok(listed) => listed,
            Err(error) => {
                self.error(key, &error);
                return Vec::new();
            }
        };
        for path in &listed.missing {
            let shown = Printable(&path.display().to_string()).to_string();
            self.say(Severity::Error, key, format!("{shown}: no such file"), None);
        }
        for pattern in &listed.unmatched {
            let message = format!("{} matches no file", Printable(pattern));
            let hint = format!("patterns start from {}", self.config.folder.display());
            self.say(Severity::Error, key, message, Some(hint));
        }
        listed.files
    }

    fn people(&mut self, tenant: &Tenant, source: &PeopleSource, file: &Path) {
        let options = ImportOptions {
            tenant: Some(tenant.name.clone()),
            source: source.source.clone(),
            imported_at: None,
            map: source.map.clone(),
        };
        let key = format!("{}.files", source.key);
        match people::read_people(file, &options) {
            Ok(imported) if imported.people.is_empty() => {
                let shown = Printable(&file.display().to_string()).to_string();
                self.say(Severity::Error, &key, format!("{shown} holds nobody"), None);
            }
            Ok(_) => {}
            Err(error) => self.error(&key, &error),
        }
    }
}
