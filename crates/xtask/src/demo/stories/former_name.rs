//! Attackers' lists are old: they know people by the names they used to have.

use super::super::cast::role;
use super::super::clock::moment;
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::network::{Client, REYKJAVIK};

/// Two people are tried under further names which are no logins any more, so Okta knows no user and
/// the typed name is kept as a hash only. It still means the person while the name is theirs; the
/// attempt after the end of its validity means nobody.
pub(super) fn write(log: &mut Log) {
    log.chapter("former names");
    let attempts = [
        (role::RENAMED, "2026-10-26 03:12:00"),
        (role::RENAMED, "2026-10-31 03:40:00"),
        (role::RENAMED, "2026-11-09 02:58:00"),
        (role::SECOND_NAME, "2026-11-15 04:05:00"),
    ];
    for (turn, (number, at)) in attempts.into_iter().enumerate() {
        let former = log.cast[number].aliases[0].0.clone();
        let client = Client::servers(160 + turn, &REYKJAVIK);
        let transaction = log.hex();
        // Typed the way people type: not always in lower case.
        let typed = if turn.is_multiple_of(2) {
            former
        } else {
            former.to_uppercase()
        };
        log.add(
            Event::new("user.session.start", moment(at))
                .by(Principal::typed(&typed))
                .from(&client)
                .transaction(&transaction)
                .outcome("FAILURE", "INVALID_CREDENTIALS")
                .debug("requestUri", "/api/v1/authn")
                .debug("threatSuspected", "false")
                .debug(
                    "risk",
                    "{reasons=Anomalous Location, Anomalous Device, level=HIGH}",
                ),
        );
    }
}
