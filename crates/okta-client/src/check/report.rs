//! What was found.

use serde::Serialize;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// One finding per thing, always the same things in the same order.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// Nobody can tell: something before it is missing, or the service did not answer.
    NotLookedAt,
}

impl CheckReport {
    /// The worst of what was seen; [`State::Ok`] when there is nothing to do.
    ///
    /// ```
    /// use af_okta_client::check::{CheckReport, State};
    ///
    /// assert_eq!(CheckReport::default().worst(), State::Ok);
    /// ```
    pub fn worst(&self) -> State {
        let has = |state| self.findings.iter().any(|finding| finding.state == state);
        [State::Missing, State::NotLookedAt, State::Warning]
            .into_iter()
            .find(|state| has(*state))
            .unwrap_or(State::Ok)
    }

    /// The finding about a thing.
    pub fn finding(&self, what: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.what == what)
    }
}

impl Finding {
    /// A finding without further words.
    pub(super) fn new(what: &str, state: State, message: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            state,
            message: message.into(),
            disables: None,
            hint: None,
        }
    }

    /// Adds what does not work because of it.
    pub(super) fn disables(mut self, disables: impl Into<String>) -> Self {
        self.disables = Some(disables.into());
        self
    }

    /// Adds what may help.
    pub(super) fn hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into);
        self
    }
}
