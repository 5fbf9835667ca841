//! What is said of one integration, made of what the store remembers.

use af_engine::config::{Auth, Gates};
use af_model::feed::{FeedStatus, StepState};
use af_model::{UtcDay, UtcMillis};
use af_okta::Step;
use serde::Serialize;

use crate::okta::integrations::Integration;

/// While a process follows an integration, it is behind after so many seconds at the least.
const FOLLOWED_BEHIND_SECONDS: i64 = 600;

/// What the store knows of an integration.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// What is remembered about fetching; none when nothing was ever tried.
    pub(super) status: Option<FeedStatus>,
    /// The process that fetches now.
    pub(super) fetched_by: Option<u32>,
    /// Pages that no run has taken in yet.
    pub(super) waiting_pages: u64,
    /// Their size as they lie there.
    pub(super) waiting_bytes: u64,
}

/// How an integration fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    Busy,
    Behind,
    Failing,
    Never,
}

impl State {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Busy => "busy",
            Self::Behind => "behind",
            Self::Failing => "failing",
            Self::Never => "never",
        }
    }

    /// What tells it at a glance.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::Ok => "✓ ok",
            Self::Busy => "… busy",
            Self::Behind => "! behind",
            Self::Failing => "✗ failing",
            Self::Never => "- never pulled",
        }
    }
}

/// Everything that is known of one integration.
#[derive(Clone, Debug, Serialize)]
pub(super) struct IntegrationView {
    pub(super) tenant: String,
    pub(super) integration: String,
    pub(super) description: Option<String>,
    pub(super) url: String,
    pub(super) state: State,
    /// Why it is in no better state.
    pub(super) reason: Option<String>,
    /// Seconds since everything was here; none when that never was.
    pub(super) behind_seconds: Option<i64>,
    pub(super) fetched_by_process: Option<u32>,
    pub(super) waiting_pages: u64,
    pub(super) waiting_bytes: u64,
    /// People that the last inventory counted.
    pub(super) users: Option<u64>,
    pub(super) inventory_age_seconds: Option<i64>,
    pub(super) skipped_steps: Vec<String>,
    pub(super) failed_steps: Vec<String>,
    pub(super) credential: CredentialView,
    /// As the store remembers it.
    pub(super) status: FeedStatus,
}

/// What proves who we are, without the proof.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CredentialView {
    pub(super) name: String,
    pub(super) auth: Option<&'static str>,
    pub(super) expires: Option<UtcDay>,
    pub(super) expires_in_days: Option<i64>,
    /// What is to be said about its end.
    pub(super) warning: Option<String>,
}

impl IntegrationView {
    pub(super) fn new(
        integration: &Integration<'_>,
        found: Found,
        gates: &Gates,
        now: UtcMillis,
    ) -> Self {
        let api = integration.api;
        let limit_seconds = if found.fetched_by.is_some() {
            FOLLOWED_BEHIND_SECONDS.max(i64::from(api.poll_seconds) * 5)
        } else {
            gates.feed_age_hours.saturating_mul(3_600)
        };
        let (state, reason) = judge(&found, limit_seconds, now);
        let status = found.status.unwrap_or_default();
        let inventory = &status.inventory;
        let steps = |state: StepState| {
            let steps = inventory.steps.iter().filter(|step| step.state == state);
            steps.map(|step| step.step.clone()).collect()
        };
        let users = inventory
            .steps
            .iter()
            .find(|step| step.step == Step::Users.as_str() && step.state == StepState::Done);
        Self {
            tenant: integration.tenant.name.clone(),
            integration: integration.source.label().to_owned(),
            description: integration.source.description.clone(),
            url: api.url.clone(),
            state,
            reason,
            behind_seconds: seconds_since(status.log.caught_up_at, now),
            fetched_by_process: found.fetched_by,
            waiting_pages: found.waiting_pages,
            waiting_bytes: found.waiting_bytes,
            users: users.map(|step| step.objects),
            inventory_age_seconds: seconds_since(inventory.taken_at, now),
            skipped_steps: steps(StepState::Skipped),
            failed_steps: steps(StepState::Failed),
            credential: credential(integration, now.day()),
            status,
        }
    }

    /// What it is called on the command line.
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.tenant, self.integration)
    }
}

/// A clock that jumped back makes nothing younger than now.
fn seconds_since(at: Option<UtcMillis>, now: UtcMillis) -> Option<i64> {
    at.map(|at| (now.0 - at.0).max(0) / 1000)
}

fn credential(integration: &Integration<'_>, today: UtcDay) -> CredentialView {
    let configured = integration.credential;
    let expires = configured.and_then(|credential| credential.expires);
    CredentialView {
        name: integration.api.credential.clone(),
        auth: configured.map(|credential| match credential.auth {
            Auth::ApiToken => "api_token",
            Auth::ClientSecret { .. } => "client_secret",
            Auth::PrivateKey { .. } => "private_key",
        }),
        expires,
        expires_in_days: expires.map(|day| day.days_since(today)),
        warning: configured.and_then(|credential| credential.expiry_warning(today)),
    }
}

fn judge(found: &Found, limit_seconds: i64, now: UtcMillis) -> (State, Option<String>) {
    // What is not here yet may be on its way.
    let late = if found.fetched_by.is_some() {
        State::Busy
    } else {
        State::Behind
    };
    let tried = found.status.as_ref().filter(|status| {
        status.log.attempted_at.is_some() || status.inventory.attempted_at.is_some()
    });
    let Some(status) = tried else {
        return if late == State::Busy {
            (late, Some("the first pull is going on".to_owned()))
        } else {
            let reason = "nothing was ever fetched; attack-factor okta pull does";
            (State::Never, Some(reason.to_owned()))
        };
    };
    let (log, inventory) = (&status.log, &status.inventory);
    let failing = |what: &str, problem: Option<&af_model::feed::Problem>| {
        let message = problem.map_or("for an unknown reason", |problem| problem.message.as_str());
        (State::Failing, Some(format!("{what}failed to {message}")))
    };
    if log.failing_since.is_some() {
        return failing("", log.problem.as_ref());
    }
    if inventory.failing_since.is_some() {
        return failing("inventory: ", inventory.problem.as_ref());
    }
    let Some(caught_up_at) = log.caught_up_at else {
        return (late, Some("it never caught up".to_owned()));
    };
    if log.history_days_done < log.history_days {
        let reason = format!(
            "{} of {} days of history are here",
            log.history_days_done, log.history_days
        );
        return (late, Some(reason));
    }
    if now.0 - caught_up_at.0 > limit_seconds.saturating_mul(1000) {
        // Also when a process is at it: one that hangs must not look busy for ever.
        let reason = format!("it last caught up at {caught_up_at}");
        return (State::Behind, Some(reason));
    }
    (State::Ok, None)
}

#[cfg(test)]
pub(super) mod tests {
    use af_model::feed::{LogStatus, Problem, StepStatus};

    use super::*;
    use crate::okta::integrations::select;
    use crate::okta::integrations::tests::config;

    pub(in super::super) const HOUR: i64 = 3_600_000;

    /// An org that works: caught up at hour 99, an inventory of hour 90 without devices.
    pub(in super::super) fn working() -> FeedStatus {
        let log = LogStatus {
            attempted_at: Some(UtcMillis(99 * HOUR)),
            caught_up_at: Some(UtcMillis(99 * HOUR)),
            last_event: Some(UtcMillis(98 * HOUR)),
            history_days: 90,
            history_days_done: 90,
            ..LogStatus::default()
        };
        let mut status = FeedStatus {
            log,
            ..FeedStatus::default()
        };
        status.inventory.attempted_at = Some(UtcMillis(90 * HOUR));
        status.inventory.taken_at = Some(UtcMillis(90 * HOUR));
        let step = |name: &str, objects, state| StepStatus {
            step: name.to_owned(),
            objects,
            state,
            ..StepStatus::default()
        };
        status.inventory.steps = vec![
            step("users", 63, StepState::Done),
            step("devices", 0, StepState::Skipped),
        ];
        status
    }

    pub(in super::super) fn view(found: Found, hour: i64) -> IntegrationView {
        let config = config();
        let integrations = select(&config, &["acme/prod".to_owned()]).unwrap();
        let now = UtcMillis(hour * HOUR);
        IntegrationView::new(&integrations[0], found, &config.gates, now)
    }

    fn found(change: impl FnOnce(&mut FeedStatus), fetched_by: Option<u32>) -> Found {
        let mut status = working();
        change(&mut status);
        Found {
            status: Some(status),
            fetched_by,
            ..Found::default()
        }
    }

    fn state(found: Found, hour: i64) -> (State, String) {
        let view = view(found, hour);
        (view.state, view.reason.unwrap_or_default())
    }

    #[test]
    fn what_caught_up_lately_is_ok() {
        let view = view(found(|_| {}, None), 100);
        assert_eq!((view.state, view.reason), (State::Ok, None));
        assert_eq!(view.behind_seconds, Some(3_600));
        assert_eq!(view.users, Some(63));
        assert_eq!(view.inventory_age_seconds, Some(36_000));
        assert_eq!(view.skipped_steps, ["devices"]);
        assert_eq!(view.failed_steps, [""; 0]);
    }

    #[test]
    fn nothing_ever_fetched_is_never_unless_somebody_is_at_it() {
        let (never, reason) = state(Found::default(), 100);
        assert_eq!(never, State::Never);
        assert!(reason.starts_with("nothing was ever fetched"), "{reason}");
        let first = Found {
            fetched_by: Some(7),
            ..Found::default()
        };
        assert_eq!(state(first, 100).0, State::Busy);
    }

    #[test]
    fn the_gate_decides_what_is_behind_and_a_follower_is_held_to_less() {
        // 48 hours by default: caught up at 99, so 147 is the last hour.
        assert_eq!(state(found(|_| {}, None), 147).0, State::Ok);
        let (late, reason) = state(found(|_| {}, None), 148);
        assert_eq!(late, State::Behind);
        assert_eq!(reason, "it last caught up at 1970-01-05T03:00:00.000Z");
        // Followed every minute: ten minutes.
        assert_eq!(state(found(|_| {}, Some(7)), 100).0, State::Behind);
        let at = |minutes: i64| {
            let caught_up = UtcMillis(100 * HOUR - minutes * 60_000);
            found(|status| status.log.caught_up_at = Some(caught_up), Some(7))
        };
        assert_eq!(state(at(10), 100).0, State::Ok);
        assert_eq!(state(at(11), 100).0, State::Behind);
    }

    #[test]
    fn missing_history_is_behind() {
        let missing = |status: &mut FeedStatus| status.log.history_days_done = 12;
        assert_eq!(
            state(found(missing, None), 100),
            (
                State::Behind,
                "12 of 90 days of history are here".to_owned()
            )
        );
        let never = |status: &mut FeedStatus| status.log.caught_up_at = None;
        assert_eq!(state(found(never, None), 100).0, State::Behind);
        // It may be on its way.
        assert_eq!(state(found(missing, Some(7)), 100).0, State::Busy);
        assert_eq!(state(found(never, Some(7)), 100).0, State::Busy);
    }

    #[test]
    fn a_failure_goes_before_everything_else() {
        let problem = Some(Problem {
            message: "sign in".to_owned(),
            ..Problem::default()
        });
        let log = |status: &mut FeedStatus| {
            status.log.failing_since = Some(UtcMillis(95 * HOUR));
            status.log.problem.clone_from(&problem);
            status.log.caught_up_at = None;
        };
        assert_eq!(
            state(found(log, Some(7)), 100),
            (State::Failing, "failed to sign in".to_owned())
        );
        let inventory = |status: &mut FeedStatus| {
            status.inventory.failing_since = Some(UtcMillis(95 * HOUR));
            status.inventory.problem.clone_from(&problem);
        };
        assert_eq!(
            state(found(inventory, None), 100),
            (State::Failing, "inventory: failed to sign in".to_owned())
        );
    }
}
