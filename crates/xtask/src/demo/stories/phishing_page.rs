//! A copy of the sign-in page.

use super::super::cast::{okta_id, role};
use super::super::clock::{later, moment};
use super::super::event::{Event, Principal, Texts};
use super::super::log::Log;
use super::super::network::Client;

/// Three people of the finance team follow the same link within an hour; FastPass sees the wrong
/// origin and declines each time.
pub(super) fn write(log: &mut Log) {
    log.chapter("phishing page");
    let start = moment("2026-11-06 09:12:00");
    for (turn, number) in role::FINANCE.into_iter().enumerate() {
        let at = later(
            start,
            i64::try_from(turn).expect("three") * 1140 + log.below(300),
        );
        let client = Client::proxy(30);
        let transaction = log.hex();
        let user = log.user(number);
        let origin: Texts = [
            ("requestOrigin", "https://sign-in.phish.example".to_owned()),
            ("bindingMethod", "LOOPBACK".to_owned()),
            ("validationStatus", "VALID".to_owned()),
        ]
        .into();
        let enrollment = Principal::new(
            "AuthenticatorEnrollment",
            &okta_id("pfd", &user.alternate_id),
            "unknown",
            "Okta Verify",
        );
        log.add(
            Event::new("user.authentication.auth_via_mfa", at)
                .by(user)
                .from(&client)
                .transaction(&transaction)
                .authenticator(origin)
                .outcome("FAILURE", "FastPass declined phishing attempt")
                .on(enrollment)
                .debug("factor", "SIGNED_NONCE")
                .debug("requestUri", "/idp/idx/authenticators/poll")
                .debug("threatSuspected", "false")
                .debug("risk", "{level=LOW}"),
        );
    }
}
