//! Every fault by name: what it does to a pull, and what is said.

use af_okta_sim::{Fault, Rule};
use serde_json::Value;

use super::org::{Days, Org};
use crate::support::Outcome;

const LOG: &str = "/api/v1/logs";

/// A pull during which every log call from the `after`-th on is struck `times` times.
fn pull(org: &Org, fault: Fault, after: u32, times: u32) -> (Outcome, Value) {
    org.sim.faults().clear();
    org.sim
        .faults()
        .add(Rule::new(fault).on(LOG).after(after).times(times));
    let found = org.place.json("okta pull");
    assert!(org.sim.faults().struck() > 0, "the fault struck nothing");
    org.sim.faults().clear();
    found
}

#[test]
fn what_heals_by_itself_leaves_no_trace_but_in_the_figures() {
    let days = Days::demo(40);
    let all = days.events.len() as u64;
    for fault in [
        Fault::RateLimit { seconds: 1 },
        Fault::ConcurrencyLimit,
        Fault::RateLimitTwice { seconds: 1 },
        Fault::RetryAfter { seconds: 1 },
        Fault::Status { status: 500 },
        Fault::Status { status: 502 },
        Fault::Status { status: 503 },
        Fault::Status { status: 504 },
        Fault::Cut,
        Fault::Drop,
        Fault::BrokenJson,
        Fault::Slow { millis: 300 },
    ] {
        let org = Org::of(&days);
        let (outcome, rows) = pull(&org, fault.clone(), 1, 2);
        assert_eq!(outcome.code, 0, "{fault:?}: {}", outcome.stderr);
        assert_eq!(rows[0]["events"], all, "{fault:?}");
        assert_eq!(rows[0]["caught_up"], true, "{fault:?}");
    }
}

#[test]
fn what_does_not_heal_is_named_and_what_landed_stays() {
    let days = Days::demo(40);
    let cases = [
        (Fault::Forbidden, "permission"),
        (Fault::LoginPage, "web page"),
        (Fault::hostile_next(), "another host"),
        (Fault::redirect(), "another host"),
    ];
    for (fault, words) in cases {
        let org = Org::of(&days);
        org.sim
            .faults()
            .add(Rule::new(fault.clone()).on(LOG).after(1));
        let (outcome, rows) = org.place.json("okta pull");
        assert_eq!(outcome.code, 1, "{fault:?}: {}", outcome.stderr);
        let problem = rows[0]["problem"].as_str().unwrap();
        let said = format!("{problem}\n{}", outcome.stderr);
        assert!(said.contains(words), "{fault:?}: {said}");
        let (row, log) = org.place.status();
        assert!(!log["problem"].is_null(), "{fault:?}: {log}");
        assert_eq!(row["state"], "failing");
        // It goes on from there.
        org.sim.faults().clear();
        org.place.succeed("okta pull");
        let (_, log) = org.place.status();
        assert!(log["problem"].is_null(), "{fault:?}: {log}");
        org.place.settle();
        let normalized = &org.place.manifest()["run"]["tenants"]["acme"]["events"]["normalized"];
        assert_eq!(*normalized, days.distinct(), "{fault:?}");
    }
}

#[test]
fn a_cursor_that_is_refused_starts_anew_with_an_overlap() {
    let days = Days::demo(40);
    let mut before = Days::demo(40);
    let later = before.events.split_off(days.events.len() - 5);
    let org = Org::of(&before);
    org.place.succeed("okta pull");
    org.sim.append(later, None).unwrap();
    org.sim.advance(std::time::Duration::from_mins(1));
    let (outcome, _) = pull(&org, Fault::StaleCursor, 0, 1);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let (_, log) = org.place.status();
    assert_eq!(log["restarts"], 1, "{log}");
    org.place.settle();
    let account = org.place.manifest()["run"]["tenants"]["acme"]["events"].clone();
    assert_eq!(account["normalized"], days.distinct(), "{account}");
}
