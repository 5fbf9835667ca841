//! Looks at one thing after the other.

use serde::Deserialize;

use super::lack::{Lack, is_credential_refused};
use super::report::{CheckReport, Finding, State};
use super::system_log;
use crate::auth::Credential;
use crate::error::{Error, ErrorKind};
use crate::http::{Answer, Client, Get};
use crate::inventory::plan::{ADMINISTRATORS, PLANS};
use crate::scope::Scope;

/// What an org says about itself to anybody.
const ABOUT_THE_ORG: &str = "/.well-known/okta-organization";

/// Beyond this Okta refuses what we sign, and it refuses what seems to be from the future.
const CLOCK_MAY_DIFFER_MILLIS: u64 = 5 * 60 * 1000;

/// Looks at everything that fetching needs; writes nothing. Never fails: what fails is a finding.
pub async fn check(client: &Client) -> CheckReport {
    let (address, is_there) = address(client).await;
    let seen = if is_there {
        Seen::look(client).await
    } else {
        Seen::default()
    };
    let mut findings = vec![address, clock(client)];
    findings.push(seen.credential(client, is_there));
    findings.extend(Scope::ALL.map(|scope| seen.scope(client, scope)));
    findings.push(seen.admin_role(client));
    let log = seen.of(Scope::LogsRead).and_then(|seen| seen.as_ref().ok());
    findings.push(system_log::newest(client, log));
    findings.push(system_log::rate_limit(client, log));
    CheckReport { findings }
}

/// What every scope was answered, as far as it was asked.
#[derive(Default)]
struct Seen {
    answers: Vec<(Scope, Result<Answer, Error>)>,
}

async fn address(client: &Client) -> (Finding, bool) {
    #[derive(Deserialize)]
    struct Org {
        pipeline: Option<String>,
    }
    let origin = &client.options().origin;
    let found = |state, message: String| Finding::new("address", state, message);
    let error = match client.get(&Get::path(ABOUT_THE_ORG, Scope::LogsRead)).await {
        Ok(answer) => {
            let Ok(org) = serde_json::from_slice::<Org>(&answer.body) else {
                let missing = found(
                    State::Missing,
                    format!("what answers at {origin} is not Okta"),
                );
                return (no_address(missing).hint(Some(RIGHT_ADDRESS)), false);
            };
            let engine = match org.pipeline.as_deref() {
                Some("idx") => " (Identity Engine)",
                Some("v1") => " (Classic Engine: no devices, no risk events of ITP)",
                _ => "",
            };
            return (
                found(
                    State::Ok,
                    format!("an Okta org answers at {origin}{engine}"),
                ),
                true,
            );
        }
        Err(error) => error,
    };
    match error.kind() {
        // Whoever refuses is there.
        ErrorKind::Unauthorized
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::Refused
        | ErrorKind::RateLimited => (
            found(State::Ok, format!("an Okta org answers at {origin}")),
            true,
        ),
        ErrorKind::NotOkta => {
            let missing = found(
                State::Missing,
                format!("what answers at {origin} is not Okta"),
            );
            (no_address(missing).hint(Some(RIGHT_ADDRESS)), false)
        }
        ErrorKind::ForeignLink => {
            let message = format!("{origin} leads to another host; nothing was sent there");
            let missing = found(State::Missing, message);
            (no_address(missing).hint(Some(RIGHT_ADDRESS)), false)
        }
        ErrorKind::Unavailable => {
            let message = format!("{origin} does not answer: {error}");
            let hint = error.hint().unwrap_or(
                "check the spelling, the network, a proxy or a firewall in between, and status.okta.com",
            );
            let missing = found(State::Missing, message).hint(Some(hint));
            (no_address(missing), false)
        }
        _ => {
            let missing = found(State::Missing, error.to_string()).hint(error.hint());
            (no_address(missing), false)
        }
    }
}

const RIGHT_ADDRESS: &str = "use the org's own address without a path, e.g. https://acme.okta.com, not the one of the \
     Admin Console (acme-admin.okta.com) nor that of an intranet page";

fn no_address(finding: Finding) -> Finding {
    finding.disables("everything: nothing can be fetched")
}

fn clock(client: &Client) -> Finding {
    let found = |state, message: &str| Finding::new("clock", state, message);
    let Some(skew) = client.clock_skew_millis() else {
        return found(State::NotLookedAt, "no answer told the time");
    };
    if skew.unsigned_abs() <= CLOCK_MAY_DIFFER_MILLIS {
        return found(State::Ok, "agrees with Okta's within five minutes");
    }
    let side = if skew > 0 { "behind" } else { "ahead of" };
    let by = system_log::span(skew);
    let disables = match client.options().credential {
        Credential::PrivateKey { .. } => {
            "signing in with a key: Okta refuses what is signed at the wrong time"
        }
        Credential::ApiToken(_) | Credential::ClientSecret { .. } => {
            "telling how far behind the log is; a key could not sign in"
        }
    };
    found(State::Warning, &format!("our clock is {by} {side} Okta's"))
        .disables(disables)
        .hint(Some("let the clock be set by NTP"))
}

impl Seen {
    /// Asks once for every scope. A credential that is refused at once is not tried again.
    async fn look(client: &Client) -> Self {
        let mut answers = Vec::new();
        for scope in Scope::ALL {
            let answer = client.get(&cheapest(scope)).await;
            let is_useless =
                answers.is_empty() && answer.as_ref().is_err_and(is_credential_refused);
            answers.push((scope, answer));
            if is_useless {
                break;
            }
        }
        Self { answers }
    }

    fn of(&self, scope: Scope) -> Option<&Result<Answer, Error>> {
        self.answers
            .iter()
            .find(|(asked, _)| *asked == scope)
            .map(|(_, answer)| answer)
    }

    /// The refusals for want of one thing.
    fn refusals(&self, client: &Client, lack: Lack) -> Vec<&Error> {
        let credential = &client.options().credential;
        self.answers
            .iter()
            .filter_map(|(_, answer)| answer.as_ref().err())
            .filter(|error| Lack::of(error, credential) == Some(lack))
            .collect()
    }

    /// The refusal of the credential that ended the look before it began.
    fn useless(&self) -> Option<&Error> {
        match self.answers.as_slice() {
            [(_, Err(error))] if is_credential_refused(error) => Some(error),
            _ => None,
        }
    }

    fn is_any_ok(&self) -> bool {
        self.answers.iter().any(|(_, answer)| answer.is_ok())
    }

    fn credential(&self, client: &Client, is_there: bool) -> Finding {
        let credential = &client.options().credential;
        let name = match credential {
            Credential::ApiToken(_) => "the API token",
            Credential::ClientSecret { .. } => "client id and secret",
            Credential::PrivateKey { dpop: true, .. } => "client id and key (with DPoP)",
            Credential::PrivateKey { dpop: false, .. } => "client id and key",
        };
        let found = |state, message: String| Finding::new("credential", state, message);
        if !is_there {
            return found(State::NotLookedAt, "there is nobody to show it to".into());
        }
        if let Some(error) = self.useless() {
            let code = error.code().map(|code| format!(" ({code})"));
            let hint = Lack::Credential.hint(error, Scope::LogsRead, None, credential);
            return found(
                State::Missing,
                format!("Okta does not accept {name}{}", code.unwrap_or_default()),
            )
            .disables("everything: nothing can be fetched")
            .hint(hint);
        }
        // A refusal for want of a right is given to somebody who is known.
        let is_known = self.is_any_ok()
            || [Lack::Scope, Lack::Role, Lack::Feature]
                .into_iter()
                .any(|lack| !self.refusals(client, lack).is_empty());
        if is_known {
            return found(State::Ok, format!("Okta accepts {name}"));
        }
        found(State::NotLookedAt, "no call came to an end".into())
    }

    fn scope(&self, client: &Client, scope: Scope) -> Finding {
        let credential = &client.options().credential;
        let found = |state, message: String| Finding::new(scope.as_str(), state, message);
        let error = match self.of(scope) {
            None => {
                return found(State::NotLookedAt, "there is no way to try it yet".into());
            }
            Some(Ok(_)) => return found(State::Ok, "works".into()),
            Some(Err(error)) => error,
        };
        if self.useless().is_some() {
            return found(State::NotLookedAt, "the credential comes first".into());
        }
        let Some(lack) = Lack::of(error, credential) else {
            let hint = error.hint();
            return found(State::NotLookedAt, error.to_string()).hint(hint);
        };
        // What an org does not have is not missing.
        let state = if lack == Lack::Feature {
            State::Warning
        } else {
            State::Missing
        };
        found(state, lack.reason(scope, credential))
            .disables(disables(scope))
            .hint(lack.hint(error, scope, None, credential))
    }

    fn admin_role(&self, client: &Client) -> Finding {
        let credential = &client.options().credential;
        let found = |state, message: &str| Finding::new("admin_role", state, message);
        if matches!(credential, Credential::ClientSecret { .. }) {
            return found(
                State::Ok,
                "an API service integration needs none: its scopes are all it has",
            );
        }
        let whose = match credential {
            Credential::ApiToken(_) => "the administrator who made the API token",
            Credential::ClientSecret { .. } | Credential::PrivateKey { .. } => "the app",
        };
        let refusals = self.refusals(client, Lack::Role);
        let Some(refusal) = refusals.first() else {
            return if self.is_any_ok() {
                found(State::Ok, "allows what was tried")
            } else {
                found(State::NotLookedAt, "it shows only where a scope is granted")
            };
        };
        if self.is_any_ok() {
            let message = format!(
                "the role of {whose} does not allow {} of the calls above",
                refusals.len()
            );
            return found(State::Warning, &message);
        }
        let message =
            format!("{whose} is known to Okta, but has no admin role: every call is refused");
        found(State::Missing, &message)
            .disables("everything: nothing can be fetched")
            .hint(Lack::Role.hint(refusal, Scope::LogsRead, None, credential))
    }
}

/// The cheapest call that a scope allows.
fn cheapest(scope: Scope) -> Get {
    let one = |path: &str| Get::path(path, scope).query("limit", "1");
    match scope {
        Scope::LogsRead => one("/api/v1/logs").query("sortOrder", "DESCENDING"),
        Scope::UsersRead => one("/api/v1/users"),
        Scope::GroupsRead => one("/api/v1/groups"),
        Scope::AppsRead => one("/api/v1/apps"),
        Scope::RolesRead => one(ADMINISTRATORS),
        Scope::IdpsRead => one("/api/v1/idps"),
        Scope::DevicesRead => one("/api/v1/devices"),
        Scope::OrgsRead => Get::path("/api/v1/org", scope),
    }
}

/// What one does without when a scope is of no use.
fn disables(scope: Scope) -> String {
    match scope {
        Scope::LogsRead => {
            return "pulling the System Log: without events nothing is scored".into();
        }
        Scope::UsersRead => {
            return "the inventory as a whole: nobody can be matched with the events".into();
        }
        _ => {}
    }
    let steps: Vec<String> = PLANS
        .iter()
        .filter(|plan| plan.scope == scope)
        .map(|plan| format!("{} ({})", plan.step, plan.gives))
        .collect();
    format!("of the inventory: {}", steps.join(", "))
}
