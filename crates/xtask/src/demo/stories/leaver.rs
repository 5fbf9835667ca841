//! Old accounts are tried too.

use super::super::cast::role;
use super::super::clock::moment;
use super::super::event::Event;
use super::super::log::Log;
use super::super::network::{Client, LUXEMBOURG};
use super::super::workdays::{security_data, sign_on_policy};

/// A salesperson who left on 5 November is tried at high risk before and, three times, after. The
/// attacks count for the leaver, who is no longer compared with anybody.
pub(super) fn write(log: &mut Log) {
    log.chapter("leaver");
    for (turn, at) in [
        "2026-11-02 23:10:00",
        "2026-11-08 23:41:00",
        "2026-11-12 00:05:00",
        "2026-11-19 23:17:00",
    ]
    .into_iter()
    .enumerate()
    {
        let client = Client::servers(140 + turn, &LUXEMBOURG);
        let transaction = log.hex();
        log.add(
            sign_on_policy(Event::new("policy.evaluate_sign_on", moment(at)), "Mail")
                .by(log.user(role::LEAVER))
                .from(&client)
                .transaction(&transaction)
                .outcome("DENY", "Sign-on policy evaluation resulted in DENY")
                .debug("requestUri", "/idp/idx/identify")
                .debug("threatSuspected", "false")
                .debug("logOnlySecurityData", security_data("HIGH")),
        );
    }
}
