//! A partner's product saw something.

use super::super::cast::{okta_id, role};
use super::super::clock::{later, moment};
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::workdays::{USUAL, sign_on_policy};
use super::incident::{self, Response, Risk};

/// An endpoint product reports high risk for a people partner; Okta passes it on, and the next
/// sign-in carries the partner's words.
pub(super) fn write(log: &mut Log) {
    log.chapter("partner risk");
    let number = role::PARTNER_RISK;
    let at = moment("2026-11-12 11:20:30");
    let provider = Principal::new(
        "SecurityEventProvider",
        &okta_id("sse", "endpoint watch"),
        "unknown",
        "Endpoint Watch",
    );
    let transaction = log.hex();
    log.add(
        Event::new("security.events.provider.receive_event", at)
            .by(provider)
            .transaction(&transaction)
            .on(log.user(number))
            .debug(
                "securityEventsProviderReportedRisk",
                r#"{"level":"HIGH","reason":"malware detected"}"#,
            ),
    );
    let risk = Risk {
        previous: "LOW",
        level: "HIGH",
        detection: "Security Events Provider Reported Risk",
        reasons: "malware detected, malicious proxy",
        issuer: "Endpoint Watch",
    };
    incident::write(
        log,
        number,
        later(at, 2),
        &risk,
        Principal::system(),
        Response::Logged,
    );
    let client = log.cast[number].at_home();
    let transaction = log.hex();
    log.add(
        sign_on_policy(
            Event::new("policy.evaluate_sign_on", later(at, 4000)),
            "Payroll",
        )
        .by(log.user(number))
        .from(&client)
        .transaction(&transaction)
        .outcome(
            "CHALLENGE",
            "Sign-on policy evaluation resulted in CHALLENGE",
        )
        .debug("requestUri", "/idp/idx/identify")
        .debug("threatSuspected", "false")
        .debug("risk", "{level=LOW}")
        .debug("behaviors", USUAL)
        .debug(
            "partnerRisk",
            "[{reasons=malware detected, malicious proxy, level=HIGH, name=endpoint-watch}]",
        ),
    );
}
