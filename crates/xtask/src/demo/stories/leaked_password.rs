//! Passwords that were found in somebody else's loot.

use super::super::cast::{okta_id, role};
use super::super::clock::{later, moment};
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::network::Client;
use super::super::upkeep;
use super::incident::{self, Response, Risk};

/// The known-breached passwords of two people are used; protection ends their sessions in the same
/// request and they choose new ones. For the second, risk is raised as well.
pub(super) fn write(log: &mut Log) {
    log.chapter("leaked passwords");
    let cases = [
        (
            role::LEAKED_SALES,
            "2026-10-28 06:14:20",
            "2026-10-28 08:40:00",
        ),
        (
            role::LEAKED_OPERATIONS,
            "2026-11-16 22:51:07",
            "2026-11-17 09:02:00",
        ),
    ];
    for (turn, (number, used, changed)) in cases.into_iter().enumerate() {
        let at = moment(used);
        let client = Client::servers(60 + turn, &super::super::network::REYKJAVIK);
        let transaction = log.hex();
        let user = log.user(number);
        let login = user.alternate_id.clone();
        let password = Principal::new(
            "AuthenticatorEnrollment",
            &okta_id("lae", &login),
            "unknown",
            "Password",
        );
        log.add(
            Event::new("security.breached_credential.detected", at)
                .by(user.clone())
                .from(&client)
                .transaction(&transaction)
                .message(format!("{login} - Credential set matches to known compromised credentials."))
                .on(password)
                .debug("risk", "{reasons=Anomalous Location, Anomalous Device, level=HIGH}")
                .debug("behaviors", "{New Geo-Location=POSITIVE, New Device=POSITIVE, New IP=POSITIVE, New State=POSITIVE, New Country=POSITIVE, Velocity=NEGATIVE, New City=POSITIVE}")
                .debug("requestUri", "/idp/idx/challenge/answer"),
        );
        for (event_type, seconds) in [
            ("user.session.clear", 1),
            ("user.account.expire_password", 2),
        ] {
            log.add(
                Event::new(event_type, later(at, seconds))
                    .transaction(&transaction)
                    .on(user.clone()),
            );
        }
        if turn == 1 {
            let risk = Risk {
                previous: "LOW",
                level: "HIGH",
                detection: "Breached credential detected",
                reasons: "Credential set found in a breach",
                issuer: "OKTA",
            };
            incident::write(
                log,
                number,
                later(at, 3),
                &risk,
                Principal::system(),
                Response::SessionsEnded,
            );
        }
        upkeep::own_password(log, number, moment(changed));
    }
}
