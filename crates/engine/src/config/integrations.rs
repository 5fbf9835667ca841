//! `[[tenant.okta]]`: files that somebody drops, or an org that is asked over the network.

use af_model::UtcDay;
use af_model::UtcMillis;
use af_model::feed::Start;
use af_model::name::Printable;
use af_okta::Step;
use af_okta::org_url::{self, OrgUrl};

use super::nearest;
use super::read::Reader;
use super::settings::{OktaApi, OktaSource, PeopleSource};

/// Keys that speak of an org that is asked over the network.
const OF_API: [&str; 9] = [
    "allow_custom_domain",
    "credential",
    "start",
    "poll_seconds",
    "rate_percent",
    "inventory_hours",
    "inventory",
    "people",
    "keep_raw",
];

/// What the file says beside one integration, as far as it concerns it.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    /// The names of all credentials.
    pub(super) credentials: &'a [String],
    /// The sources of people of the tenant.
    pub(super) people: &'a [PeopleSource],
}

impl Reader<'_> {
    pub(super) fn okta(&mut self, tenant: &str, around: Around<'_>) -> Vec<OktaSource> {
        let mut sources: Vec<OktaSource> = Vec::new();
        for n in 0..self.document.length(&format!("{tenant}.okta")) {
            let path = format!("{tenant}.okta[{n}]");
            let name = if self.document.place(&format!("{path}.name")).is_some() {
                self.name(&path, "integration")
            } else {
                None
            };
            let Some(mut source) = self.okta_source(&path, around) else {
                continue;
            };
            source.name = name;
            let is_same = |other: &OktaSource| {
                // A feed lies in the store under its label.
                let by_label = other.api.is_some() || source.api.is_some();
                other.name == source.name || (by_label && other.label() == source.label())
            };
            if sources.iter().any(is_same) {
                let message = match &source.name {
                    Some(name) => format!("a second Okta org {name}"),
                    None => "a second Okta org without a name".to_owned(),
                };
                let hint = "give every [[tenant.okta]] its own name, or one of them all files";
                self.say(&path, message, Some(hint.to_owned()));
                continue;
            }
            let gives_people = source.api.as_ref().is_some_and(|api| api.people);
            let clash = around
                .people
                .iter()
                .find(|people| people.source == source.label());
            if let Some(clash) = clash.filter(|_| gives_people) {
                let message = format!("a second source of people {}", Printable(source.label()));
                let hint = "an import replaces the people of the same source: name one of them \
                            otherwise, or say people = false";
                self.say(&clash.key, message, Some(hint.to_owned()));
            }
            sources.push(source);
        }
        sources
    }

    /// Files or a URL, and exactly one of them; none when nothing can be made of it.
    fn okta_source(&mut self, path: &str, around: Around<'_>) -> Option<OktaSource> {
        let url = format!("{path}.url");
        let has_files = self.document.place(&format!("{path}.files")).is_some();
        let has_url = self.document.place(&url).is_some();
        let source = OktaSource {
            key: path.to_owned(),
            description: self.described(path),
            ..OktaSource::default()
        };
        match (has_files, has_url) {
            (true, true) => {
                let message = "an Okta org with files and a url".to_owned();
                let hint = "take one of them out; two [[tenant.okta]] with names of their own can \
                            have both";
                self.say(&url, message, Some(hint.to_owned()));
                None
            }
            (false, true) => {
                let api = self.okta_api(path, around)?;
                Some(OktaSource {
                    api: Some(api),
                    ..source
                })
            }
            (_, false) => {
                for key in OF_API.map(|key| format!("{path}.{key}")) {
                    if self.document.place(&key).is_some() {
                        let hint = "it is for an org that is asked over the network: write its url, \
                                    or take it out";
                        self.say(&key, format!("{key} without a url"), Some(hint.to_owned()));
                    }
                }
                if !has_files {
                    let message = "an Okta org without files or a url".to_owned();
                    let hint = "files = [\"drop/*.ndjson\"] or url = \"https://acme.okta.com\"";
                    self.say(path, message, Some(hint.to_owned()));
                }
                Some(OktaSource {
                    files: self.patterns(&format!("{path}.files")),
                    ..source
                })
            }
        }
    }

    fn okta_api(&mut self, path: &str, around: Around<'_>) -> Option<OktaApi> {
        let key = |name: &str| format!("{path}.{name}");
        let custom_domain = self.document.boolean(&key("allow_custom_domain"));
        let custom_domain = custom_domain.unwrap_or(false);
        let url = self.org_url(&key("url"), custom_domain);
        let credential = self.credential_of(path, around.credentials);
        let start = self.start(&key("start"));
        let steps = self.steps(&key("inventory"));
        let has_users = steps.contains(&Step::Users);
        let written = self.document.boolean(&key("people"));
        if written == Some(true) && !has_users {
            let message = format!("{} without the step users", key("people"));
            let hint = "add \"users\" to inventory, or say people = false";
            self.say(&key("people"), message, Some(hint.to_owned()));
        }
        let integer = |name: &str| self.document.integer(&key(name));
        Some(OktaApi {
            url: url?,
            custom_domain,
            credential: credential?,
            start: start?,
            poll_seconds: number(integer("poll_seconds"), 60),
            rate_percent: number(integer("rate_percent"), 50),
            inventory_hours: number(integer("inventory_hours"), 24),
            people: written.unwrap_or(around.people.is_empty()) && has_users,
            inventory: steps,
            keep_raw: self.document.boolean(&key("keep_raw")).unwrap_or(false),
        })
    }

    fn org_url(&mut self, key: &str, custom_domain: bool) -> Option<String> {
        let written = self.document.text(key)?.trim();
        let (problem, hint) = match org_url::check(written) {
            Ok(OrgUrl::Custom) if !custom_domain => (
                "is none of Okta's domains".to_owned(),
                "a domain of your own needs allow_custom_domain = true: the credential is sent there",
            ),
            Ok(_) => return Some(written.to_owned()),
            Err(error) => (error.to_string(), error.hint()),
        };
        self.say(key, format!("{key} {problem}"), Some(hint.to_owned()));
        None
    }

    fn credential_of(&mut self, path: &str, names: &[String]) -> Option<String> {
        let key = format!("{path}.credential");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = |name: &str| {
            nearest::hint(name, &names)
                .or_else(|| Some("write a [[credential]] with that name".to_owned()))
        };
        let Some(written) = self.document.text(&key) else {
            if self.document.place(&key).is_none() {
                let message = "an Okta org with a url and no credential".to_owned();
                self.say(path, message, hint(""));
            }
            return None;
        };
        if names.contains(&written) {
            return Some(written.to_owned());
        }
        let message = format!("{key}: there is no credential {}", Printable(written));
        self.say(&key, message, hint(written));
        None
    }

    fn start(&mut self, key: &str) -> Option<Start> {
        let Some(written) = self.document.text(key) else {
            return self
                .document
                .place(key)
                .is_none()
                .then_some(Start::Backfill);
        };
        let start = match written.trim() {
            "integration" => Some(Start::Integration),
            "backfill" => Some(Start::Backfill),
            text => UtcDay::parse(text)
                .map(UtcDay::start)
                .or_else(|_| UtcMillis::parse(text))
                .ok()
                .map(Start::At),
        };
        if start.is_none() {
            let message = format!("{key}: {} is no start", Printable(written));
            let hint =
                "integration, backfill, a day (2026-11-01) or an instant (2026-11-01T08:00:00Z)";
            self.say(key, message, Some(hint.to_owned()));
        }
        start
    }

    fn steps(&mut self, key: &str) -> Vec<Step> {
        if self.document.place(key).is_none() {
            return Step::ALL.to_vec();
        }
        let names = Step::ALL.map(Step::as_str);
        let mut steps = Vec::new();
        let document = self.document;
        for (written, place) in document.texts(key) {
            if let Some(step) = Step::from_name(written) {
                steps.push(step);
            } else {
                let message = format!("{key}: there is no step {}", Printable(written));
                let hint = nearest::hint(written, &names);
                self.say_at(Some(*place), message, hint);
            }
        }
        if document.texts(key).is_empty() {
            let hint = "inventory_hours = 0 takes none by itself";
            self.say(key, format!("{key} names no step"), Some(hint.to_owned()));
        }
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Domains of e-mail addresses, normalized as addresses are.
    pub(super) fn domains(&mut self, key: &str) -> Vec<String> {
        let mut domains = Vec::new();
        let document = self.document;
        for (written, place) in document.texts(key) {
            let address = format!("x@{}", written.trim());
            let normalized = af_model::key::normalize_key(&address);
            let domain = normalized.strip_prefix("x@").unwrap_or_default();
            let is_domain = domain.contains('.')
                && domain.split('.').all(|label| !label.is_empty())
                && domain
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
            if is_domain {
                domains.push(domain.to_owned());
            } else {
                let message = format!("{key}: {} is no domain", Printable(written));
                let hint = "what stands behind the @, e.g. acme.example".to_owned();
                self.say_at(Some(*place), message, Some(hint));
            }
        }
        domains
    }
}

/// A number whose bounds the document has checked.
fn number<N: TryFrom<i64>>(found: Option<i64>, default: N) -> N {
    found
        .and_then(|found| N::try_from(found).ok())
        .unwrap_or(default)
}
