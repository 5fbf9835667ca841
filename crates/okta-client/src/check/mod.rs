//! What a credential can do, in plain words.

use serde::Serialize;

use crate::http::Client;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckReport {
    /// One finding per thing that was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What: `address`, `clock`, `credential`, `okta.logs.read`, …
    pub what: String,
    /// How it is.
    pub state: State,
    /// In words.
    pub message: String,
    /// What does not work because of it.
    pub disables: Option<String>,
    /// What may help.
    pub hint: Option<String>,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Good.
    Ok,
    /// Works, but should be looked at.
    Warning,
    /// Does not work.
    Missing,
}

/// Looks at everything that fetching needs; writes nothing. Never fails: what fails is a finding.
pub async fn check(_client: &Client) -> CheckReport {
    todo!()
}
