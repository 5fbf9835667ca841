//! How alive the System Log is, and how fast it may be read.

use af_model::UtcMillis;
use serde::Deserialize;

use super::report::{Finding, State};
use crate::http::{Answer, Client};

/// An org where nobody does anything for so long is a rare one.
const QUIET_MILLIS: i64 = 24 * 3600 * 1000;

/// The largest page of the System Log.
const EVENTS_A_PAGE: u64 = 1_000;

/// How old the newest event is.
pub(super) fn newest(client: &Client, answer: Option<&Answer>) -> Finding {
    #[derive(Deserialize)]
    struct Event {
        published: String,
    }
    let found = |state, message: &str| Finding::new("system_log", state, message);
    let Some(answer) = answer else {
        return found(State::NotLookedAt, "it cannot be read");
    };
    let Ok(events) = serde_json::from_slice::<Vec<Event>>(&answer.body) else {
        return found(State::Missing, "what answers is no log")
            .disables("pulling the System Log: without events nothing is scored");
    };
    let is_right = Some("check that this is the org where people sign in");
    let Some(newest) = events
        .iter()
        .filter_map(|event| UtcMillis::parse(&event.published).ok())
        .max()
    else {
        return found(State::Warning, "there was no event in the last seven days").hint(is_right);
    };
    // Okta's clock against Okta's clock; ours only where an answer does not say.
    let now = answer.date.unwrap_or_else(|| (client.options().clock)());
    let age = now.0.saturating_sub(newest.0).max(0);
    let message = format!("the newest event is {} old", span(age));
    if age > QUIET_MILLIS {
        return found(State::Warning, &message).hint(is_right);
    }
    found(State::Ok, &message)
}

/// Calls a minute to the System Log, and our share of them.
pub(super) fn rate_limit(client: &Client, answer: Option<&Answer>) -> Finding {
    let found = |state, message: &str| Finding::new("rate_limit", state, message);
    let Some(answer) = answer else {
        return found(
            State::NotLookedAt,
            "it shows only where the log can be read",
        );
    };
    let Some((left, limit)) = answer.budget else {
        return found(State::NotLookedAt, "Okta named no limit");
    };
    let percent = u64::from(client.options().rate_percent);
    let ours = limit.saturating_mul(percent) / 100;
    let message = format!(
        "{limit} calls a minute to /api/v1/logs, of which {ours} ({percent} %) are used at the most: {} \
         events a minute",
        ours.saturating_mul(EVENTS_A_PAGE)
    );
    if left < limit / 10 {
        return found(
            State::Warning,
            &format!("{message}; only {left} are left in this minute"),
        )
        .disables("pulling without long waits while others use the limit up")
        .hint(Some(
            "see who calls in the Admin Console: Reports > Rate Limits",
        ));
    }
    found(State::Ok, &message)
}

/// A span of time, rounded down to what one says.
pub(super) fn span(millis: i64) -> String {
    let seconds = millis.unsigned_abs() / 1_000;
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_the_largest_unit_that_fits() {
        for (millis, said) in [
            (0, "0 seconds"),
            (-1_999, "1 second"),
            (119_999, "1 minute"),
            (7_200_000, "2 hours"),
            (172_799_999, "47 hours"),
            (172_800_000, "2 days"),
        ] {
            assert_eq!(span(millis), said);
        }
    }
}
