//! The configuration as the verbs meet it: found before the arguments are read, overridden by them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use af_engine::config::{self, Config};
use clap::ArgMatches;
use clap::parser::ValueSource;

/// The environment's way to name a configuration.
pub(crate) const CONFIG_VARIABLE: &str = "ATTACK_FACTOR_CONFIG";

/// The configuration, or why it cannot be used, and what the arguments override.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// What holds; the defaults where there is no file or an unusable one.
    pub(crate) config: Config,
    /// The file that was found.
    pub(crate) file: Option<PathBuf>,
    /// How it was found.
    pub(crate) found_by: FoundBy,
    /// Why the file cannot be used.
    broken: Option<af_engine::Error>,
    /// Settings that flags or the environment override: key, value, where it comes from.
    pub(crate) overrides: Vec<(&'static str, String, String)>,
}

/// How a configuration was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// There is none.
    #[default]
    Nothing,
    /// `--config` or the environment named it.
    Name,
    /// It lies in the current folder or above it.
    WalkingUp,
}

impl Settings {
    /// Finds and reads the configuration: `--config`, the environment, or walking up.
    pub(crate) fn find(typed: &[OsString]) -> Self {
        let named = typed_config(typed).or_else(|| {
            std::env::var_os(CONFIG_VARIABLE)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        });
        let (file, found_by) = match named {
            Some(file) => (Some(file), FoundBy::Name),
            None => match std::env::current_dir()
                .ok()
                .and_then(|at| config::find(&at))
            {
                Some(file) => (Some(file), FoundBy::WalkingUp),
                None => (None, FoundBy::Nothing),
            },
        };
        let (config, broken) = match file.as_deref().map(config::load) {
            None => (Config::default(), None),
            Some(Ok(config)) => (config, None),
            Some(Err(error)) => (Config::default(), Some(error)),
        };
        Self {
            config,
            file,
            found_by,
            broken,
            overrides: Vec::new(),
        }
    }

    /// Takes the failure of the configuration, for a verb that needs it.
    pub(crate) fn take_failure(&mut self) -> Option<af_engine::Error> {
        self.broken.take()
    }

    /// The configuration's file, for a verb that cannot do without.
    pub(crate) fn file(&self) -> Result<&Path, af_engine::Error> {
        self.file.as_deref().ok_or_else(|| {
            let message = format!("find {} here or in a folder above", config::FILE_NAME);
            af_engine::Error::new(af_engine::ErrorKind::Usage, message).with_hint(
                "give --config FILE; attack-factor config show --example prints a starter file",
            )
        })
    }

    /// Notes which settings the arguments override.
    pub(crate) fn note_overrides(&mut self, matches: &ArgMatches) {
        let mut deepest = matches;
        while let Some((_, below)) = deepest.subcommand() {
            deepest = below;
        }
        let mut note = |key, id, flag: &str, variable: &str, value: Option<String>| {
            let has = deepest.ids().any(|known| known.as_str() == id);
            let from = match has.then(|| deepest.value_source(id)).flatten() {
                Some(ValueSource::CommandLine) => flag.to_owned(),
                Some(ValueSource::EnvVariable) => format!("environment {variable}"),
                _ => return,
            };
            if let Some(value) = value {
                self.overrides.push((key, value, from));
            }
        };
        let threads = deepest.try_get_one::<u16>("threads").ok().flatten();
        note(
            "threads",
            "threads",
            "--threads",
            "RAYON_NUM_THREADS",
            threads.map(u16::to_string),
        );
        let store = deepest.try_get_one::<PathBuf>("store").ok().flatten();
        note(
            "store",
            "store",
            "--store",
            "ATTACK_FACTOR_STORE",
            store.map(|store| format!("{:?}", store.display().to_string())),
        );
    }
}

/// What stands behind `--config`. The arguments are looked through before they are parsed, because
/// the configuration completes them.
fn typed_config(typed: &[OsString]) -> Option<PathBuf> {
    let mut arguments = typed
        .iter()
        .skip(1)
        .take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        let bytes = argument.as_encoded_bytes();
        if bytes.starts_with(b"--config=") {
            let text: &OsStr = argument;
            return text.to_str()?.strip_prefix("--config=").map(PathBuf::from);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_found_in_what_was_typed() {
        let typed = |arguments: &[&str]| {
            let all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            typed_config(&all)
        };
        let found = Some(PathBuf::from("x.toml"));
        assert_eq!(typed(&["af", "run", "--config", "x.toml"]), found);
        assert_eq!(typed(&["af", "--config=x.toml", "run"]), found);
        assert_eq!(typed(&["af", "run", "--", "--config", "x.toml"]), None);
        assert_eq!(typed(&["af", "run"]), None);
    }
}
