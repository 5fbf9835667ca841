//! The account worth most to an attacker.

use super::super::cast::role;
use super::super::clock::{later, moment};
use super::super::event::Event;
use super::super::log::Log;
use super::super::network::Client;
use super::incident::{self, Response, Risk};

/// Somebody tries to get around an administrator's second factor; the head of IT reports the risk by
/// hand, and lowers it again two days later. Lowering is no attack.
pub(super) fn write(log: &mut Log) {
    log.chapter("administrator");
    let number = role::ADMINISTRATOR;
    let at = moment("2026-11-17 16:33:05");
    let client = Client::proxy(41);
    for seconds in [0, 95] {
        let transaction = log.hex();
        log.add(
            Event::new("user.mfa.attempt_bypass", later(at, seconds))
                .by(log.user(number))
                .from(&client)
                .transaction(&transaction)
                .outcome("FAILURE", "")
                .on(log.user(number))
                .debug("requestUri", "/api/v1/authn/factors")
                .debug("threatSuspected", "false"),
        );
    }
    let reported = Risk {
        previous: "LOW",
        level: "HIGH",
        detection: "Admin Reported User Risk",
        reasons: "Reported by an administrator",
        issuer: "OKTA",
    };
    let head = log.user(role::HEAD_OF_IT);
    incident::write(
        log,
        number,
        later(at, 1500),
        &reported,
        head.clone(),
        Response::SessionsEnded,
    );
    let lowered = Risk {
        previous: "HIGH",
        level: "LOW",
        detection: "Admin Reported User Risk",
        reasons: "Cleared by an administrator",
        issuer: "OKTA",
    };
    incident::write(
        log,
        number,
        moment("2026-11-19 09:15:00"),
        &lowered,
        head,
        Response::Logged,
    );
}
