//! The configuration as the engine uses it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use af_model::feed::Start;
use af_model::{Level, Params, UtcDay};
use af_okta::Step;
use af_rules::{Exclusion, Network, Tuning};
use af_store::feed::FeedName;

use super::document::Document;
use super::problem::Place;

/// Everything that a configuration says, defaults filled in and paths made whole.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from; none for the defaults alone.
    pub file: Option<PathBuf>,
    /// The folder that paths are relative to.
    pub folder: PathBuf,
    /// The store, if one is named.
    pub store: Option<PathBuf>,
    /// Worker threads; 0 = all cores.
    pub threads: u16,
    /// Memory for events that wait to be written, in MiB.
    pub buffer_mib: u32,
    /// Parameters of the formula.
    pub params: Params,
    /// The rules that are used.
    pub rules: RuleSettings,
    /// The limits of `--strict`.
    pub gates: Gates,
    /// What proves who we are, by name, in the order of the file.
    pub credentials: Vec<Credential>,
    /// The organizations, in the order of the file.
    pub tenants: Vec<Tenant>,
    pub(super) document: Document,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
            folder: PathBuf::new(),
            store: None,
            threads: 0,
            buffer_mib: 256,
            params: Params::default(),
            rules: RuleSettings::default(),
            gates: Gates::default(),
            credentials: Vec::new(),
            tenants: Vec::new(),
            document: Document::default(),
        }
    }
}

impl Config {
    /// Where a key stands in the file, e.g. `formula.lambda` or `tenant[0].name`; none when it is
    /// not written there.
    pub fn place(&self, path: &str) -> Option<Place> {
        self.document.place(path)
    }

    /// A path of the file made whole.
    pub(super) fn resolve(folder: &Path, written: &str) -> PathBuf {
        folder.join(written)
    }
}

/// Which rules are used, and how they differ from what their files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSettings {
    /// Folders of own rules.
    pub folders: Vec<PathBuf>,
    /// Rules not used, by name or id.
    pub disable: Vec<String>,
    /// Other levels, by name or id.
    pub levels: BTreeMap<String, Level>,
    /// What rules leave alone.
    pub exclude: Vec<Exclusion>,
    /// The own networks of every tenant that has any.
    pub own_networks: BTreeMap<String, Vec<Network>>,
}

impl RuleSettings {
    /// The name under which exclusions are written that hold for every attack rule.
    pub const ALL: &str = "all";

    /// What the rules are to be told.
    pub(super) fn tuning(&self) -> Tuning {
        Tuning {
            own_networks: self.own_networks.clone(),
            exclusions: self.exclude.clone(),
        }
    }
}

/// The limits that `--strict` puts on every tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates {
    /// Refused events in the files read since the last snapshot, per mille.
    pub quarantined_permille: u64,
    /// Signals within the window that belong to nobody, per mille.
    pub unmatched_permille: u64,
    /// Hours since the last event of a feed.
    pub feed_age_hours: i64,
    /// Tenants that may be left out before nothing is published; none = any number.
    pub left_out_tenants: Option<u64>,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            quarantined_permille: 10,
            unmatched_permille: 800,
            feed_age_hours: 48,
            left_out_tenants: None,
        }
    }
}

/// One organization and where its data come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenant {
    /// Where it stands, e.g. `tenant[0]`.
    pub key: String,
    /// Its name in every table.
    pub name: String,
    /// Where its people come from.
    pub people: Vec<PeopleSource>,
    /// Domains of e-mail addresses that are its own; empty = not told.
    pub own_domains: Vec<String>,
    /// Where its Okta events come from.
    pub okta: Vec<OktaSource>,
    /// Patterns of logins or e-mails that make an account a service account.
    pub service: Vec<String>,
}

/// One source of people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleSource {
    /// Where it stands, e.g. `tenant[0].people[0]`.
    pub key: String,
    /// Its name; an import replaces the people of the same source.
    pub source: String,
    /// Files or patterns, as written.
    pub files: Vec<String>,
    /// Our column and theirs.
    pub map: Vec<(String, String)>,
}

/// One Okta org: files that somebody drops, or an API that we ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OktaSource {
    /// Where it stands, e.g. `tenant[0].okta[0]`.
    pub key: String,
    /// Its name, when the tenant has several.
    pub name: Option<String>,
    /// What it is, for people.
    pub description: Option<String>,
    /// Files or patterns, as written; none when it is asked over the network.
    pub files: Vec<String>,
    /// How it is asked over the network.
    pub api: Option<OktaApi>,
}

impl OktaSource {
    /// The feed in the store that holds what was fetched for it.
    pub fn feed_name(&self, tenant: &str) -> FeedName {
        FeedName {
            tenant: tenant.to_owned(),
            integration: self.label().to_owned(),
        }
    }

    /// What it is called in messages, as a feed and as a source of people.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("okta")
    }
}

/// How an Okta org is asked over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OktaApi {
    /// Its base URL, as written.
    pub url: String,
    /// Whether the URL may be a domain of the organization's own.
    pub custom_domain: bool,
    /// The name of the credential.
    pub credential: String,
    /// From when on events are wanted.
    pub start: Start,
    /// Seconds between two looks of `okta pull --follow`; 0 = fetched by hand only, not by `run`.
    pub poll_seconds: u32,
    /// The share of a rate limit that is used up at the most, in per cent.
    pub rate_percent: u8,
    /// Hours after which `run` takes a new inventory; 0 = by hand only.
    pub inventory_hours: u32,
    /// The steps of an inventory.
    pub inventory: Vec<Step>,
    /// Whether its users are the people of the tenant.
    pub people: bool,
    /// Whether pages are kept as received after they were taken in.
    pub keep_raw: bool,
}

/// A named credential. The secret itself is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where it stands, e.g. `credential[0]`.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// How it proves who we are.
    pub auth: Auth,
    /// Where the secret is: API token, client secret, or private key (PEM or JWK).
    pub from: SecretPlace,
    /// The day on which it expires, if it does.
    pub expires: Option<UtcDay>,
}

/// How a credential proves who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// An API token.
    ApiToken,
    /// OAuth client credentials with a secret.
    ClientSecret {
        /// The client.
        client_id: String,
    },
    /// OAuth client credentials with a signed assertion.
    PrivateKey {
        /// The client.
        client_id: String,
        /// The id of the key, unless the key says it itself.
        key_id: Option<String>,
        /// Whether tokens are bound to a key of ours.
        dpop: bool,
    },
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// In an environment variable.
    Environment(String),
    /// In a file.
    File(PathBuf),
}

impl Credential {
    /// Days before its end from which on that is said.
    pub const WARN_DAYS: i64 = 14;

    /// What to say on a day about its end, if that is near or past.
    pub fn expiry_warning(&self, today: UtcDay) -> Option<String> {
        let expires = self.expires?;
        let name = &self.name;
        match expires.days_since(today) {
            left if left > Self::WARN_DAYS => None,
            1.. => Some(format!("credential {name} expires on {expires}")),
            0 => Some(format!("credential {name} expires today")),
            _ => Some(format!("credential {name} expired on {expires}")),
        }
    }
}
