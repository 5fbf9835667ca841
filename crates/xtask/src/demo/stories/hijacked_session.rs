//! A stolen cookie.

use super::super::cast::role;
use super::super::clock::{later, moment};
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::network::{Client, REYKJAVIK};
use super::super::workdays;
use super::incident::{self, Response, Risk};

/// An engineer's session suddenly comes from rented servers: first suspicion (medium, logged), a
/// failed re-evaluation, then Okta Threat Intelligence is sure (high) and all sessions end.
pub(super) fn write(log: &mut Log) {
    log.chapter("hijacked session");
    let number = role::HIJACKED;
    let at = moment("2026-11-18 13:26:40");
    let office = log.cast[number].at_office();
    let session = workdays::sign_in(log, number, &office, later(at, -5400));
    let thief = Client::servers(77, &REYKJAVIK);
    let transaction = log.hex();
    let first = Risk {
        previous: "LOW",
        level: "MEDIUM",
        detection: "Session Influenced User Risk",
        reasons: "Associated sessionId is suspected to be hijacked",
        issuer: "OKTA",
    };
    let victim = log.user(number);
    let context = |event_type, seconds| {
        Event::new(event_type, later(at, seconds))
            .by(victim.clone())
            .from(&thief)
            .session(&session)
            .transaction(&transaction)
            .debug("behaviors", "{New Geo-Location=POSITIVE, New Device=POSITIVE, New IP=POSITIVE, Velocity=POSITIVE}")
    };
    let changed = context("user.session.context.change", 0)
        .on(Principal::new("Session", &session, "unknown", "unknown"))
        .on(victim.clone())
        .debug("causes", "[ipAddress.change]")
        .debug("previousIpAddress", office.ip.clone())
        .debug("newIpAddress", thief.ip.clone());
    let failed = context("policy.auth_reevaluate.fail", 4)
        .outcome("DENY", "")
        .on(
            Principal::new("Policy Evaluation", "unknown", "unknown", "unknown")
                .detail("matchedRuleAction", "DENY"),
        )
        .on(victim.clone())
        .debug("postAuthEnforceMode", "LOG");
    log.add(changed);
    log.add(failed);
    incident::write(
        log,
        number,
        later(at, 6),
        &first,
        Principal::system(),
        Response::Logged,
    );
    for (minute, application) in [(3, "Source Code"), (4, "Customers"), (6, "Wiki")] {
        workdays::open(
            log,
            number,
            &thief,
            later(at, minute * 60),
            &session,
            application,
        );
    }
    let second = Risk {
        previous: "MEDIUM",
        level: "HIGH",
        detection: "Okta Threat Intelligence",
        reasons: "Activity from infrastructure of a known threat actor",
        issuer: "OKTA",
    };
    incident::write(
        log,
        number,
        later(at, 1320),
        &second,
        Principal::system(),
        Response::SessionsEnded,
    );
}
