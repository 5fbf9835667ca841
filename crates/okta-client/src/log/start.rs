//! From when on a feed that begins is fetched.

use af_model::UtcMillis;
use af_model::feed::{LogStatus, Start};
use af_model::time::DAY_MILLIS;

/// How long Okta keeps events.
const KEPT_DAYS: i64 = 90;

/// How far back Okta lets anybody ask. An hour less, because it measures by its own day.
const ASKABLE_MILLIS: i64 = 180 * DAY_MILLIS - 3_600_000;

/// What a stream that begins anew repeats of the one before it.
pub(super) const OVERLAP_MILLIS: i64 = 10 * 60 * 1000;

/// Where a feed begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// Events from here on are wanted.
    pub(super) since: UtcMillis,
    /// The history ends here; without any history this is `since`.
    pub(super) until: UtcMillis,
    /// The live stream begins here.
    pub(super) live_since: UtcMillis,
    /// What a user should know about it.
    pub(super) warning: Option<String>,
}

/// The earliest instant that may be asked for.
pub(super) fn earliest_askable(now: UtcMillis) -> UtcMillis {
    UtcMillis(now.0.saturating_sub(ASKABLE_MILLIS))
}

/// The earliest instant of which Okta still has everything.
pub(super) fn earliest_kept(now: UtcMillis) -> UtcMillis {
    UtcMillis(now.0.saturating_sub(KEPT_DAYS * DAY_MILLIS))
}

/// Decides where a feed begins; `now` is the server's clock. `known` is what the feed's status says:
/// with it, a feed that was to begin at first contact and lost its cursor goes on where it was.
pub(super) fn decide(start: Start, now: UtcMillis, known: &LogStatus) -> Beginning {
    let from = |since: UtcMillis, warning| Beginning {
        since,
        until: now,
        // History goes by when things happened and the live stream by when Okta stored them: what was
        // stored in these minutes may be in neither, so they are asked for twice.
        live_since: UtcMillis(now.0.saturating_sub(OVERLAP_MILLIS)).max(since),
        warning,
    };
    match start {
        Start::Backfill => from(earliest_kept(now), None),
        Start::At(wanted) if wanted > now => {
            let warning = format!("the start {wanted} is still to come; fetching from {now} on");
            from(now, Some(warning))
        }
        Start::At(wanted) if wanted < earliest_kept(now) => {
            let since = wanted.max(earliest_askable(now));
            let warning = format!(
                "the start {wanted} lies before {}, and Okta keeps events for {KEPT_DAYS} days: what \
                 is older may be missing",
                earliest_kept(now)
            );
            from(since, Some(warning))
        }
        Start::At(wanted) => from(wanted, None),
        Start::Integration => match known.last_event.or(known.since) {
            None => from(now, None),
            Some(last) => {
                let begun = known.since.unwrap_or(last).min(now);
                let live_since = UtcMillis(last.0.saturating_sub(OVERLAP_MILLIS))
                    .min(now)
                    .max(begun);
                Beginning {
                    since: begun,
                    until: begun,
                    live_since,
                    warning: Some(format!(
                        "how far fetching came is lost; going on from {live_since}"
                    )),
                }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMillis {
        UtcMillis::parse(text).unwrap()
    }

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn begins(start: Start) -> Beginning {
        decide(start, at(NOW), &LogStatus::default())
    }

    #[test]
    fn each_start_has_its_history() {
        let integration = begins(Start::Integration);
        assert_eq!(
            (integration.since, integration.live_since),
            (at(NOW), at(NOW))
        );
        assert_eq!(integration.warning, None);
        // 90 days before 20 November: 20 days of it, 31, 30 and 9 of August's 31.
        let backfill = begins(Start::Backfill);
        assert_eq!(backfill.since, at("2026-08-22T12:00:00Z"));
        assert_eq!((backfill.until, backfill.warning), (at(NOW), None));
        let wanted = at("2026-11-01T00:00:00Z");
        assert_eq!(begins(Start::At(wanted)).since, wanted);
        assert_eq!(begins(Start::At(wanted)).warning, None);
    }

    #[test]
    fn what_okta_does_not_keep_is_said_and_never_asked_for() {
        let old = begins(Start::At(at("2026-07-01T00:00:00Z")));
        assert_eq!(old.since, at("2026-07-01T00:00:00Z"));
        assert!(old.warning.unwrap().contains("90 days"));
        let older = begins(Start::At(at("2020-01-01T00:00:00Z")));
        // 180 days before are 24 May, and an hour less.
        assert_eq!(older.since, at("2026-05-24T13:00:00Z"));
        assert!(older.warning.unwrap().contains("2020-01-01"));
        let future = begins(Start::At(at("2027-01-01T00:00:00Z")));
        assert_eq!(future.since, at(NOW));
        assert!(future.warning.unwrap().contains("still to come"));
    }

    #[test]
    fn a_lost_cursor_opens_no_gap() {
        let known = LogStatus {
            since: Some(at("2026-11-10T00:00:00Z")),
            last_event: Some(at("2026-11-18T09:30:00Z")),
            ..LogStatus::default()
        };
        let begun = decide(Start::Integration, at(NOW), &known);
        assert_eq!(begun.since, at("2026-11-10T00:00:00Z"));
        assert_eq!(begun.until, begun.since);
        assert_eq!(begun.live_since, at("2026-11-18T09:20:00Z"));
        assert!(begun.warning.unwrap().contains("2026-11-18T09:20"));
        // A first event of the feed: nothing before its start is asked for.
        let early = LogStatus {
            last_event: Some(at("2026-11-10T00:01:00Z")),
            ..known
        };
        let begun = decide(Start::Integration, at(NOW), &early);
        assert_eq!(begun.live_since, at("2026-11-10T00:00:00Z"));
    }
}
