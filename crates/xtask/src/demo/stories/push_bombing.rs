//! Somebody has a password and asks for the second factor until it is given.

use super::super::cast::{okta_id, role};
use super::super::clock::{later, moment};
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::network::Client;
use super::super::upkeep;
use super::super::workdays::sign_on_policy;
use super::incident::{self, Response, Risk};

/// Three evenings of pushes on an engineer's telephone, each refused (on Identity Engine a refused
/// push is a failed `auth_via_mfa` with reason `INVALID_CREDENTIALS`), until the engineer reports
/// it; Okta finds the brute force on the second evening.
pub(super) fn write(log: &mut Log) {
    log.chapter("push bombing");
    let number = role::PUSH_BOMBED;
    let evenings = [
        ("2026-11-10 19:02:00", 6),
        ("2026-11-11 20:31:00", 9),
        ("2026-11-12 18:47:00", 7),
    ];
    let mut last = None;
    for (evening, (start, pushes)) in evenings.into_iter().enumerate() {
        let client = Client::proxy(evening);
        let mut at = moment(start);
        let password = log.hex();
        log.add(
            sign_on_policy(Event::new("policy.evaluate_sign_on", at), "Okta Dashboard")
                .by(log.user(number))
                .from(&client)
                .transaction(&password)
                .outcome(
                    "CHALLENGE",
                    "Sign-on policy evaluation resulted in CHALLENGE",
                )
                .debug("requestUri", "/idp/idx/identify")
                .debug("threatSuspected", "false")
                .debug("risk", "{reasons=Anomalous Device, level=MEDIUM}"),
        );
        for _ in 0..pushes {
            at = later(at, 30 + log.below(40));
            refused_push(log, number, &client, at);
        }
        if evening == 1 {
            let risk = Risk {
                previous: "LOW",
                level: "MEDIUM",
                detection: "Brute Force Attack",
                reasons: "MFA brute force",
                issuer: "OKTA",
            };
            incident::write(
                log,
                number,
                later(at, 40),
                &risk,
                Principal::system(),
                Response::Logged,
            );
        }
        last = Some(at);
    }
    let at = later(last.expect("there were evenings"), 600);
    report(log, number, at);
    upkeep::own_password(log, number, later(at, 420));
}

/// A push is sent and refused: two events of one request.
fn refused_push(log: &mut Log, number: usize, client: &Client, at: af_model::UtcMillis) {
    let transaction = log.hex();
    let user = log.user(number);
    let enrollment = Principal::new(
        "AuthenticatorEnrollment",
        &okta_id("pfd", &user.alternate_id),
        "unknown",
        "Okta Verify",
    );
    let event = |event_type, seconds| {
        Event::new(event_type, later(at, seconds))
            .by(user.clone())
            .from(client)
            .transaction(&transaction)
            .on(enrollment.clone())
            .debug("factor", "OKTA_VERIFY_PUSH")
            .debug("requestUri", "/idp/idx/authenticators/poll")
            .debug("threatSuspected", "false")
    };
    log.add(event("system.push.send_factor_verify_push", 0));
    log.add(
        event("user.authentication.auth_via_mfa", 11)
            .outcome("FAILURE", "INVALID_CREDENTIALS")
            .debug("pushOnlyResponseType", "OV_RESPONSE_DENY")
            .debug("behaviors", "{New Geo-Location=POSITIVE, New Device=POSITIVE, New IP=POSITIVE, Velocity=NEGATIVE}"),
    );
}

/// The person presses "report" in the notification.
fn report(log: &mut Log, number: usize, at: af_model::UtcMillis) {
    let home = log.cast[number].at_home();
    let transaction = log.hex();
    let reported = log.hex();
    let event = Event::new("user.account.report_suspicious_activity_by_enduser", at)
        .by(log.user(number))
        .from(&home)
        .transaction(&transaction)
        .on(log.user(number))
        .debug(
            "suspiciousActivityEventType",
            "system.push.send_factor_verify_push",
        )
        .debug("suspiciousActivityEventIp", Client::proxy(2).ip)
        .debug("suspiciousActivityEventTransactionId", reported)
        .debug("suspiciousActivityTimestamp", at.to_string())
        .debug("suspiciousActivityBrowser", "CHROME")
        .debug("suspiciousActivityOs", "Windows 11");
    log.add(event);
}
