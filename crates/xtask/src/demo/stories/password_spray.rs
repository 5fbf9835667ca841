//! A few passwords against everybody.

use af_model::UtcMillis;

use super::super::clock::{later, moment};
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::network::{Client, LUXEMBOURG, REYKJAVIK};

/// Names that attackers try everywhere.
const GUESSES: [&str; 12] = [
    "admin",
    "administrator",
    "backup",
    "helpdesk",
    "info",
    "it.support",
    "office",
    "payroll",
    "root",
    "scanner",
    "test",
    "vpn",
];

/// What a person in a hurry may type into the wrong field. It is no password of anybody.
const TYPED_INTO_THE_WRONG_FIELD: &str = "NotARealPassword-Fake-2026!";

/// Two nights. Every account is tried once or twice, and so are many names that do not exist; some
/// accounts lock. `ThreatInsight` suspects part of the requests: what it denies names nobody, what it
/// lets through is found again by the transaction.
pub(super) fn write(log: &mut Log) {
    log.chapter("password spray");
    night(log, moment("2026-10-30 02:11:00"), &[13, 29, 40], 0);
    night(log, moment("2026-11-13 01:32:00"), &[5, 29, 52], 6);
}

fn night(log: &mut Log, start: UtcMillis, locked: &[usize], server: usize) {
    for number in 0..60 {
        if log.cast[number].created > start {
            continue; // nobody yet
        }
        for _ in 0..=log.below(2) {
            let at = later(start, log.below(3600));
            let client = some_server(log, server);
            let suspected = log.chance(30);
            let user = log.user(number);
            attempt(log, user, &client, at, suspected);
        }
    }
    for turn in 0..70_usize {
        let at = later(start, log.below(3600));
        let client = some_server(log, server);
        let guess = GUESSES[turn % GUESSES.len()];
        let name = match turn {
            17 => TYPED_INTO_THE_WRONG_FIELD.to_owned(),
            _ if turn.is_multiple_of(3) => guess.to_owned(),
            _ => format!("{guess}{}@example.com", turn / GUESSES.len()),
        };
        let suspected = log.chance(30);
        attempt(log, Principal::typed(&name), &client, at, suspected);
    }
    for turn in 0..22_usize {
        let at = later(start, log.below(3600));
        let client = some_server(log, server);
        let transaction = log.hex();
        threat(log, &client, at, "DENY", turn, &transaction);
    }
    for &number in locked {
        let at = later(start, 3700 + log.below(600));
        let client = some_server(log, server);
        lock_out(log, number, &client, at);
    }
}

fn some_server(log: &mut Log, first: usize) -> Client {
    let number = first + usize::try_from(log.below(6)).expect("small");
    Client::servers(
        number,
        if number.is_multiple_of(2) {
            &LUXEMBOURG
        } else {
            &REYKJAVIK
        },
    )
}

/// A wrong password; a suspected one leaves a `ThreatInsight` event in the same request.
fn attempt(log: &mut Log, actor: Principal, client: &Client, at: UtcMillis, suspected: bool) {
    let transaction = log.hex();
    // A name that no account has, tried from such a place, is as risky as it gets.
    let risk = if suspected && actor.id == "unknown" {
        "{reasons=Anomalous Location, Anomalous Device, level=HIGH}"
    } else {
        "{reasons=Anomalous Location, level=MEDIUM}"
    };
    log.add(
        Event::new("user.session.start", at)
            .by(actor)
            .from(client)
            .transaction(&transaction)
            .outcome("FAILURE", "INVALID_CREDENTIALS")
            .debug("requestUri", "/api/v1/authn")
            .debug("threatSuspected", if suspected { "true" } else { "false" })
            .debug("risk", risk),
    );
    if suspected {
        threat(log, client, at, "ALLOW", 0, &transaction);
    }
}

/// `ThreatInsight` speaks about an address; it never knows a user.
fn threat(
    log: &mut Log,
    client: &Client,
    at: UtcMillis,
    result: &'static str,
    turn: usize,
    transaction: &str,
) {
    let (reason, detections) = match turn % 3 {
        0 => ("Password Spray", r#"{"Password Spray":"HIGH"}"#),
        1 => (
            "Password Spray, Login Failures",
            r#"{"Password Spray":"HIGH","Login Failures":"MEDIUM"}"#,
        ),
        _ => (
            "Login failures with high unknown users count",
            r#"{"Login failures with high unknown users count":"HIGH"}"#,
        ),
    };
    log.add(
        Event::new("security.threat.detected", at)
            .by(Principal::new(
                "IP address",
                &client.ip,
                "unknown",
                &client.ip,
            ))
            .from(client)
            .transaction(transaction)
            .outcome(result, reason)
            .debug("requestUri", "/api/v1/authn")
            .debug("threatSuspected", "true")
            .debug("threatDetections", detections),
    );
}

/// Failures until the account locks.
pub(super) fn lock_out(log: &mut Log, number: usize, client: &Client, start: UtcMillis) {
    let mut at = start;
    for _ in 0..6 {
        let user = log.user(number);
        attempt(log, user, client, at, false);
        at = later(at, 5 + log.below(10));
    }
    let transaction = log.hex();
    log.add(
        Event::new("user.account.lock", at)
            .by(log.user(number))
            .from(client)
            .transaction(&transaction)
            .outcome("FAILURE", "LOCKED_OUT")
            .debug("requestUri", "/api/v1/authn")
            .debug("threatSuspected", "false")
            .debug("risk", "{reasons=Anomalous Location, level=MEDIUM}"),
    );
}
