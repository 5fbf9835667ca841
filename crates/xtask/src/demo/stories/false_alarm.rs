//! A detection that an administrator takes back.

use super::super::cast::role;
use super::super::clock::{later, moment};
use super::super::event::Principal;
use super::super::log::Log;
use super::super::upkeep;
use super::incident::{self, Response, Risk};

/// An engineer opens many applications before a demonstration; Okta suspects it, the head of IT
/// labels the detection a false positive the next morning.
pub(super) fn write(log: &mut Log) {
    log.chapter("false alarm");
    let number = role::FALSE_ALARM;
    let at = moment("2026-11-04 14:02:10");
    let risk = Risk {
        previous: "LOW",
        level: "MEDIUM",
        detection: "Suspicious App Access",
        reasons: "Unusual number of applications",
        issuer: "OKTA",
    };
    incident::write(
        log,
        number,
        at,
        &risk,
        Principal::system(),
        Response::Logged,
    );
    // Detection, evaluation, action.
    for (turn, (uuid, event_type)) in log.last(3).into_iter().enumerate() {
        if event_type == "policy.entity_risk.action" {
            continue; // a consequence, never counted
        }
        let minutes = i64::try_from(turn).expect("three");
        let event = upkeep::by_administrator(
            log,
            role::HEAD_OF_IT,
            "analytics.feedback.provide",
            number,
            later(at, 66_000 + minutes * 60),
        )
        .debug("eventUuid", uuid)
        .debug("eventType", event_type)
        .debug("label", "false_positive");
        log.add(event);
    }
}
