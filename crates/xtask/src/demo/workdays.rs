//! Ordinary days: people sign in, mistype, open applications, sign out; programs do the same.

use af_model::{UtcDay, UtcMillis};

use super::cast::okta_id;
use super::clock::{days, is_working_day, later};
use super::event::{Event, Principal};
use super::log::Log;
use super::network::Client;

/// The applications everybody has.
pub(crate) const APPLICATIONS: [&str; 6] = [
    "Mail",
    "Calendar",
    "Wiki",
    "Payroll",
    "Customers",
    "Source Code",
];

/// Behaviors of somebody who does what they always do.
pub(crate) const USUAL: &str = "{New Geo-Location=NEGATIVE, New Device=NEGATIVE, New IP=NEGATIVE, New State=NEGATIVE, New Country=NEGATIVE, Velocity=NEGATIVE, New City=NEGATIVE}";

/// Writes the ordinary traffic of all days.
pub(crate) fn write(log: &mut Log) {
    log.chapter("workdays");
    for day in days() {
        for number in 0..log.cast.len() {
            if log.cast[number].is_human() {
                if is_working_day(day) && log.chance(56) || log.chance(2) {
                    working_day(log, number, day);
                }
            } else {
                program(log, number, day);
            }
        }
    }
}

fn working_day(log: &mut Log, number: usize, day: UtcDay) {
    let member = &log.cast[number];
    let local_start = 8 - member.place.utc_offset;
    let (office, home) = (member.at_office(), member.at_home());
    let start = later(day.start(), local_start * 3600 + log.below(7200));
    if !log.cast[number].works_at(start) {
        return;
    }
    let client = if log.chance(60) { office } else { home };
    let mut at = start;
    if log.chance(7) {
        mistyped_password(log, number, &client, at);
        at = later(at, 9 + log.below(20));
    }
    let session = sign_in(log, number, &client, at);
    let applications = 1 + log.below(3);
    for _ in 0..applications {
        at = later(at, 60 + log.below(5400));
        let place = usize::try_from(log.below(APPLICATIONS.len())).expect("an index");
        open(log, number, &client, at, &session, APPLICATIONS[place]);
    }
    if log.chance(55) {
        let end = later(start, 7 * 3600 + log.below(7200));
        let transaction = log.hex();
        log.add(
            Event::new("user.session.end", end)
                .by(log.user(number))
                .from(&client)
                .session(&session)
                .transaction(&transaction)
                .debug("requestUri", "/login/signout")
                .debug("threatSuspected", "false")
                .debug(
                    "url",
                    "/login/signout?message=login_page_messages.session_has_expired",
                ),
        );
    }
}

/// Policy, second factor, session; returns the session's id.
pub(crate) fn sign_in(log: &mut Log, number: usize, client: &Client, at: UtcMillis) -> String {
    let session = log.session();
    let transaction = log.hex();
    let unusual = log.chance(3);
    let risk = if unusual {
        "{reasons=Anomalous Device, level=MEDIUM}"
    } else {
        "{level=LOW}"
    };
    let behaviors = if unusual {
        USUAL.replace("New Device=NEGATIVE", "New Device=POSITIVE")
    } else {
        USUAL.to_owned()
    };
    let start = |event_type, seconds| {
        Event::new(event_type, later(at, seconds))
            .from(client)
            .session(&session)
            .transaction(&transaction)
            .debug("threatSuspected", "false")
    };
    let mfa_wait = 4 + log.below(12);
    let user = log.user(number);
    log.add(
        sign_on_policy(
            start("policy.evaluate_sign_on", 0).by(user.clone()),
            "Okta Dashboard",
        )
        .outcome(
            "CHALLENGE",
            "Sign-on policy evaluation resulted in CHALLENGE",
        )
        .debug("requestUri", "/idp/idx/identify")
        .debug(
            "logOnlySecurityData",
            security_data(if unusual { "MEDIUM" } else { "LOW" }),
        ),
    );
    let (factor, name) = if number.is_multiple_of(3) {
        ("OKTA_VERIFY_PUSH", "Okta Verify")
    } else {
        ("SIGNED_NONCE", "Okta Verify")
    };
    let mut mfa = start("user.authentication.auth_via_mfa", mfa_wait)
        .by(user.clone())
        .credential("OKTA_CREDENTIAL_PROVIDER", "OTP")
        .on(Principal::new(
            "AuthenticatorEnrollment",
            &okta_id("pfd", &user.alternate_id),
            "unknown",
            name,
        ))
        .debug("factor", factor)
        .debug("requestUri", "/idp/idx/authenticators/poll")
        .debug("risk", risk)
        .debug("behaviors", behaviors.clone());
    if factor == "OKTA_VERIFY_PUSH" {
        mfa = mfa.debug("pushOnlyResponseType", "OV_RESPONSE_APPROVE");
    }
    log.add(mfa);
    log.add(
        start("user.session.start", mfa_wait + 1)
            .by(user)
            .debug("requestUri", "/idp/idx/authenticators/poll")
            .debug("risk", risk)
            .debug("behaviors", behaviors),
    );
    if unusual {
        let notice = start(
            "system.email.new_device_notification.sent_message",
            mfa_wait + 2,
        )
        .on(log.user(number));
        log.add(notice);
    }
    session
}

/// Opens an application in a session.
pub(crate) fn open(
    log: &mut Log,
    number: usize,
    client: &Client,
    at: UtcMillis,
    session: &str,
    application: &'static str,
) {
    let transaction = log.hex();
    let user = log.user(number);
    let start = |event_type, seconds| {
        Event::new(event_type, later(at, seconds))
            .from(client)
            .session(session)
            .transaction(&transaction)
            .debug("threatSuspected", "false")
    };
    if log.chance(25) {
        log.add(
            sign_on_policy(
                start("policy.evaluate_sign_on", 0).by(user.clone()),
                application,
            )
            .outcome("ALLOW", "Sign-on policy evaluation resulted in ALLOW")
            .debug("requestUri", "/app/sso")
            .debug("logOnlySecurityData", security_data("LOW")),
        );
    }
    // The order of targets is not stable in Okta's log, and not here.
    let app = Principal::new(
        "AppInstance",
        &okta_id("0oa", application),
        application,
        application,
    )
    .detail("signOnModeType", "SAML_2_0");
    let account = Principal::new(
        "AppUser",
        &okta_id("0ua", &user.id),
        &user.alternate_id,
        application,
    );
    let event = start("user.authentication.sso", 1)
        .by(user)
        .debug("requestUri", "/app/sso")
        .debug("initiationType", "IDP_INITIATED")
        .debug("signOnMode", "SAML 2.0");
    let event = if log.chance(50) {
        event.on(app).on(account)
    } else {
        event.on(account).on(app)
    };
    log.add(event);
}

/// A password typed wrongly by its owner: no attack.
fn mistyped_password(log: &mut Log, number: usize, client: &Client, at: UtcMillis) {
    let transaction = log.hex();
    let as_factor = log.chance(40);
    let event_type = if as_factor {
        "user.authentication.auth_via_mfa"
    } else {
        "user.session.start"
    };
    let mut event = Event::new(event_type, at)
        .by(log.user(number))
        .from(client)
        .transaction(&transaction)
        .outcome("FAILURE", "INVALID_CREDENTIALS")
        .debug("requestUri", "/idp/idx/challenge/answer")
        .debug("threatSuspected", "false")
        .debug("risk", "{level=LOW}")
        .debug("behaviors", USUAL);
    if as_factor {
        event = event.debug("factor", "PASSWORD_AS_FACTOR");
    }
    log.add(event);
}

/// A program signs in once a day and opens one application.
fn program(log: &mut Log, number: usize, day: UtcDay) {
    let client = Client::agent(number);
    let at = later(day.start(), 3 * 3600 + log.below(600));
    let (session, transaction) = (log.session(), log.hex());
    let user = log.user(number);
    log.add(
        Event::new("user.session.start", at)
            .by(user)
            .from(&client)
            .session(&session)
            .transaction(&transaction)
            .debug("requestUri", "/api/v1/authn")
            .debug("threatSuspected", "false")
            .debug("risk", "{level=LOW}"),
    );
    open(log, number, &client, later(at, 2), &session, "Source Code");
}

/// The targets of a sign-on policy evaluation.
pub(crate) fn sign_on_policy(event: Event, application: &'static str) -> Event {
    event
        .on(Principal::new(
            "AppInstance",
            &okta_id("0oa", application),
            application,
            application,
        )
        .detail("signOnModeType", "OPENID_CONNECT"))
        .on(Principal::new(
            "Rule",
            &okta_id("rul", "catch-all"),
            "Authentication policy",
            "Catch-all Rule",
        )
        .detail("policyRuleFactorMode", "2FA"))
}

/// The JSON text of `logOnlySecurityData`.
pub(crate) fn security_data(level: &str) -> String {
    let (reasons, behavior) = match level {
        "LOW" => ("", "NEGATIVE"),
        _ => (r#""reasons":"Anomalous Device","#, "POSITIVE"),
    };
    format!(
        r#"{{"risk":{{{reasons}"level":"{level}"}},"behaviors":{{"New Geo-Location":"NEGATIVE","New Device":"{behavior}","New IP":"{behavior}","New State":"NEGATIVE","New Country":"NEGATIVE","Velocity":"NEGATIVE","New City":"NEGATIVE"}}}}"#
    )
}
