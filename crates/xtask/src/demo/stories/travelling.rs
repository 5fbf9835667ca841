//! Sign-ins that look wrong because the person is somewhere else, or because it is somebody else.

use super::super::cast::{okta_id, role};
use super::super::clock::{later, moment};
use super::super::event::{Event, Principal, StructuredRisk};
use super::super::log::Log;
use super::super::network::{Place, REYKJAVIK, SINGAPORE};
use super::super::workdays::{security_data, sign_on_policy};

/// A salesperson signs in from three hotels at high risk. Each sign-in leaves five events which say
/// so in five encodings; they are one incident.
pub(super) fn write(log: &mut Log) {
    log.chapter("travelling");
    let journeys = [
        ("2026-11-04 00:21:30", &SINGAPORE),
        ("2026-11-11 07:48:10", &REYKJAVIK),
        ("2026-11-17 01:03:45", &SINGAPORE),
    ];
    for (at, place) in journeys {
        risky_sign_in(log, at, place);
    }
}

fn risky_sign_in(log: &mut Log, at: &str, place: &'static Place) {
    let number = role::TRAVELLER;
    let at = moment(at);
    let client = log.cast[number].on_the_road(place);
    let (session, sign_in, opening) = (log.session(), log.hex(), log.hex());
    let user = log.user(number);
    let event = |event_type, seconds, transaction: &str| {
        Event::new(event_type, later(at, seconds))
            .by(user.clone())
            .from(&client)
            .session(&session)
            .transaction(transaction)
            .debug("threatSuspected", "false")
            .debug("requestUri", "/idp/idx/challenge/answer")
    };
    let events = [
        sign_on_policy(event("policy.evaluate_sign_on", 0, &sign_in), "Okta Dashboard")
            .outcome("CHALLENGE", "Sign-on policy evaluation resulted in CHALLENGE")
            .debug("logOnlySecurityData", security_data("HIGH")),
        event("user.authentication.auth_via_mfa", 14, &sign_in)
            .credential("OKTA_CREDENTIAL_PROVIDER", "OTP")
            .debug("factor", "OKTA_SOFT_TOKEN")
            .debug("behaviors", "{New Geo-Location=POSITIVE, New Device=POSITIVE, New IP=POSITIVE, New Country=POSITIVE, Velocity=POSITIVE, New City=POSITIVE}")
            .debug("risk", "{reasons=Anomalous Location, Anomalous Device, level=HIGH}"),
        event("user.session.start", 15, &sign_in).structured_risk(StructuredRisk {
            level: "HIGH",
            reasons: vec!["Anomalous Location", "Anomalous Device"],
            detection_name: None,
        }),
        event("user.authentication.sso", 70, &opening)
            .on(Principal::new("AppInstance", &okta_id("0oa", "Customers"), "Customers", "Customers"))
            .debug("risk", "Risk{level=HIGH}"),
        sign_on_policy(event("policy.evaluate_sign_on", 69, &opening), "Customers")
            .outcome("ALLOW", "Sign-on policy evaluation resulted in ALLOW")
            .debug(
                "riskChange",
                r#"{"riskLevel": "HIGH","priorRiskLevel": "LOW","direction": "increase", "reasonCode": "Anomalous location"}"#,
            ),
    ];
    for event in events {
        log.add(event);
    }
}
