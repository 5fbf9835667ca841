//! The configuration, `attack-factor.toml`: found, read, checked, shown.
//!
//! [`KEYS`] is the one table of everything that may be written; the reader, `config show`, the
//! starter file and the documents are made from it. [`read`] turns text into a [`Config`] and
//! collects *every* [`Problem`] with file, line, column and the nearest valid name; [`load`] is for
//! those who want to go on only without errors. [`check`] also looks at the rules and files the
//! configuration names, and writes nothing.
//!
//! Paths are relative to the folder of the file. Secrets have no place in it: a key or a value that
//! looks like one is refused, and its value is never repeated.
//!
//! ```
//! use std::path::Path;
//! use af_engine::config;
//!
//! let text = "store = \"risk\"\n[formula]\nlamda = 9\n";
//! let (config, problems) = config::read(Path::new("/etc/af/attack-factor.toml"), text);
//! assert_eq!(config.store.as_deref(), Some(Path::new("/etc/af/risk")));
//! assert_eq!(problems[0].to_string(), "/etc/af/attack-factor.toml:3:1: error: unknown key formula.lamda");
//! assert_eq!(problems[0].hint.as_deref(), Some("did you mean lambda?"));
//! ```

mod check;
mod credentials;
mod document;
mod effective;
mod files;
mod integrations;
mod key;
mod keys;
mod nearest;
mod problem;
mod read;
mod rules;
mod secrets;
mod settings;
mod starter;

pub use check::check;
pub use effective::{Effective, effective};
pub use files::{Listed, find, list};
pub use key::{Key, Kind, Section, Starter};
pub use keys::{KEYS, SECTIONS};
pub use problem::{Place, Problem, Severity};
pub use read::{load, read};
pub use rules::{find_rule, load_rules};
pub use settings::{
    Auth, Config, Credential, Gates, OktaApi, OktaSource, PeopleSource, RuleSettings, SecretPlace,
    Tenant,
};
pub use starter::starter;

/// The name by which a configuration is found when walking up from the current folder.
pub const FILE_NAME: &str = "attack-factor.toml";
