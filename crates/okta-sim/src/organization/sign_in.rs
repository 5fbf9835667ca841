//! The steps of signing in, as both engines of Okta log them.

use af_model::UtcMillis;

use super::calendar::{MINUTE, later};
use super::event::{Event, Principal};
use super::history::{Behaviors, Risk};
use super::log::Log;
use super::network::Client;
use super::person::{Factor, Member, Person, Session};

/// Which engine the organization runs; it is upgraded in the course of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Classic,
    Identity,
}

/// By which door somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Page,
    Api,
    /// A mail program that sends the password with every request.
    RichClient,
}

/// How a push ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Approved,
    Refused,
    Unanswered,
    RightNumber,
    WrongNumber,
}

/// Wrong passwords in a row after which the organization locks an account, and for how long.
const ATTEMPTS: u32 = 10;
const LOCKED_FOR: i64 = 60 * MINUTE;

/// One try of one account from one client, and how Okta judges it.
#[derive(Clone, Copy)]
pub(super) struct Try<'a> {
    pub(super) member: &'a Member,
    pub(super) client: &'a Client,
    pub(super) at: UtcMillis,
    pub(super) behaviors: Behaviors,
    pub(super) risk: Risk,
    /// ThreatInsight suspects the address.
    pub(super) suspected: bool,
}

impl<'a> Try<'a> {
    /// A person's account, judged by its history.
    pub(super) fn of(person: &'a Person, client: &'a Client, at: UtcMillis, log: &mut Log) -> Self {
        let behaviors = person.history.judge(client, at);
        Self {
            member: &person.member,
            client,
            at,
            behaviors,
            risk: behaviors.risk(client, false, log.dice.below(100)),
            suspected: false,
        }
    }

    /// The same from an address under suspicion.
    pub(super) fn suspected(self, suspected: bool, log: &mut Log) -> Self {
        Self {
            suspected,
            risk: self
                .behaviors
                .risk(self.client, suspected, log.dice.below(100)),
            ..self
        }
    }

    pub(super) fn later(self, seconds: i64) -> Self {
        Self {
            at: later(self.at, seconds),
            ..self
        }
    }

    fn event(&self, event_type: &'static str, seconds: i64, request: &str) -> Event {
        Event::new(event_type, later(self.at, seconds))
            .by(Principal::member(self.member))
            .from(self.client)
            .request(request)
            .debug("threatSuspected", self.suspected.to_string())
    }

    fn judged(&self, event: Event) -> Event {
        event
            .debug("risk", self.behaviors.risk_text(self.risk))
            .debug("behaviors", self.behaviors.text())
    }
}

/// A wrong password: one event, and the lock when it was one too many.
pub(super) fn wrong_password(
    log: &mut Log,
    person: &mut Person,
    client: &Client,
    at: UtcMillis,
    way: Way,
    engine: Engine,
    suspected: bool,
) {
    let locked = person.is_locked(at);
    failure(log, person, client, at, way, engine, suspected, locked);
    if locked {
        return;
    }
    person.failures += 1;
    if person.failures >= ATTEMPTS {
        person.failures = 0;
        person.locked_until = later(at, LOCKED_FOR);
        lock(log, person, client, later(at, 1), way);
    }
}

/// The event of a wrong password.
#[expect(clippy::too_many_arguments, reason = "each is one fact of the event")]
pub(super) fn failure(
    log: &mut Log,
    person: &Person,
    client: &Client,
    at: UtcMillis,
    way: Way,
    engine: Engine,
    suspected: bool,
    locked: bool,
) {
    let request = log.request();
    let attempt = Try::of(person, client, at, log).suspected(suspected, log);
    let as_factor = way == Way::Page && engine == Engine::Identity && log.dice.chance(1, 2);
    let event_type = match way {
        Way::RichClient => "user.authentication.auth_via_richclient",
        _ if as_factor => "user.authentication.auth_via_mfa",
        _ => "user.session.start",
    };
    let mut event = attempt
        .judged(attempt.event(event_type, 0, &request))
        .outcome(
            "FAILURE",
            if locked {
                "LOCKED_OUT"
            } else {
                "INVALID_CREDENTIALS"
            },
        )
        .debug("requestUri", uri(way, engine));
    if as_factor {
        event = event.debug("factor", "PASSWORD_AS_FACTOR");
    }
    log.add(event);
    if suspected {
        threat(log, client, at, &request, true);
    }
}

fn uri(way: Way, engine: Engine) -> &'static str {
    match (way, engine) {
        (Way::RichClient, _) => "/app/office365/exk1example/sso/wsfed/active",
        (Way::Api, _) | (_, Engine::Classic) => "/api/v1/authn",
        (Way::Page, Engine::Identity) => "/idp/idx/challenge/answer",
    }
}

/// The account is locked.
fn lock(log: &mut Log, person: &Person, client: &Client, at: UtcMillis, way: Way) {
    let request = log.request();
    let event = Event::new("user.account.lock", at)
        .by(Principal::member(&person.member))
        .from(client)
        .request(&request)
        .outcome("FAILURE", "LOCKED_OUT")
        .debug("requestUri", uri(way, Engine::Classic));
    log.add(event);
}

/// A name that no account has.
pub(super) fn unknown_name(
    log: &mut Log,
    name: &str,
    client: &Client,
    at: UtcMillis,
    way: Way,
    suspected: bool,
) {
    let request = log.request();
    let event = Event::new("user.session.start", at)
        .by(Principal::typed(name))
        .from(client)
        .request(&request)
        .outcome("FAILURE", "VERIFICATION_ERROR")
        .debug("requestUri", uri(way, Engine::Classic))
        .debug("threatSuspected", suspected.to_string())
        .debug("risk", "{level=LOW}");
    log.add(event);
    if suspected {
        threat(log, client, at, &request, true);
    }
}

/// ThreatInsight speaks of an address; it knows no user.
pub(super) fn threat(log: &mut Log, client: &Client, at: UtcMillis, request: &str, allowed: bool) {
    let (reason, detections) = *log.dice.pick(&[
        ("Password Spray", r#"{"Password Spray":"HIGH"}"#),
        ("Login Failures", r#"{"Login Failures":"MEDIUM"}"#),
        (
            "Password Spray, Login Failures",
            r#"{"Password Spray":"HIGH","Login Failures":"MEDIUM"}"#,
        ),
        (
            "Login failures with high unknown users count",
            r#"{"Login failures with high unknown users count":"HIGH"}"#,
        ),
    ]);
    let ip = client.network.ip.clone();
    let event = Event::new("security.threat.detected", at)
        .by(Principal::new("IP address", &ip, "unknown", &ip))
        .from(client)
        .request(request)
        .outcome(if allowed { "ALLOW" } else { "DENY" }, reason)
        .debug("requestUri", "/api/v1/authn")
        .debug("threatSuspected", "true")
        .debug("threatDetections", detections);
    log.add(event);
}

/// A push to the person's telephone and what becomes of it.
pub(super) fn push(log: &mut Log, attempt: Try<'_>, session: &str, answer: Answer, engine: Engine) {
    let request = log.request();
    let enrollment = Principal::enrollment(attempt.member, "Okta Verify");
    let about = |event: Event| {
        event
            .session(session)
            .on(enrollment.clone())
            .debug("factor", "OKTA_VERIFY_PUSH")
            .debug("requestUri", "/idp/idx/authenticators/poll")
    };
    log.add(about(attempt.event(
        "system.push.send_factor_verify_push",
        0,
        &request,
    )));
    let wait = match answer {
        Answer::Unanswered => log.dice.between(60, 300),
        _ => log.dice.between(4, 25),
    };
    let refused_on_classic = engine == Engine::Classic && answer == Answer::Refused;
    let event_type = if refused_on_classic {
        "user.mfa.okta_verify.deny_push"
    } else {
        "user.authentication.auth_via_mfa"
    };
    let event = attempt.judged(about(attempt.event(event_type, wait, &request)));
    let event = match answer {
        Answer::Approved => event.debug("pushOnlyResponseType", "OV_RESPONSE_APPROVE"),
        Answer::RightNumber => event.debug(
            "pushWithNumberChallengeResponseType",
            "OV_WITH_CHALLENGE_RESPONSE_VALID",
        ),
        Answer::Refused if refused_on_classic => {
            event.outcome("FAILURE", "User rejected Okta push verify")
        }
        Answer::Refused => event
            .outcome("FAILURE", "INVALID_CREDENTIALS")
            .debug("pushOnlyResponseType", "OV_RESPONSE_DENY"),
        Answer::Unanswered if engine == Engine::Classic => {
            event.outcome("FAILURE", "FACTOR_TIMEOUT")
        }
        Answer::Unanswered => {
            let result = *log.dice.pick(&["UNANSWERED", "ABANDONED"]);
            event.outcome(result, "")
        }
        Answer::WrongNumber => event.outcome("FAILURE", "INVALID_CREDENTIALS").debug(
            "pushWithNumberChallengeResponseType",
            "OV_WITH_CHALLENGE_RESPONSE_INVALID",
        ),
    };
    log.add(event);
}

/// A sign-in that goes through: policy, factor, session. The history remembers it.
pub(super) fn sign_in(
    log: &mut Log,
    person: &mut Person,
    client: &Client,
    at: UtcMillis,
    engine: Engine,
    suspected: bool,
) -> Session {
    let attempt = Try::of(person, client, at, log).suspected(suspected, log);
    let id = log.session();
    enter(log, attempt, &id, Some(person.factor), engine);
    person.failures = 0;
    person.history.remember(client, at);
    Session {
        id,
        client: client.clone(),
        started: at,
    }
}

/// The events of a sign-in that goes through; without a factor the second one was given before.
pub(super) fn enter(
    log: &mut Log,
    attempt: Try<'_>,
    session: &str,
    factor: Option<Factor>,
    engine: Engine,
) {
    let request = log.request();
    let challenge = attempt
        .judged(attempt.event("policy.evaluate_sign_on", 0, &request))
        .session(session)
        .outcome(
            "CHALLENGE",
            "Sign-on policy evaluation resulted in CHALLENGE",
        )
        .on(Principal::app("Okta Dashboard"))
        .on(Principal::new(
            "Rule",
            "rul0example0catchall",
            "unknown",
            "Catch-all Rule",
        ))
        .debug("requestUri", uri(Way::Page, engine));
    log.add(challenge);
    let start = attempt
        .judged(attempt.event("user.session.start", 1, &request))
        .session(session)
        .debug("requestUri", uri(Way::Page, engine));
    // Classic opens the session with the password, Identity Engine with the last factor.
    let mut wait = 1;
    if engine == Engine::Classic {
        log.add(start.clone());
    }
    if let Some(factor) = factor {
        wait += log.dice.between(3, 20);
        let with = Try {
            at: later(attempt.at, 2),
            ..attempt
        };
        match factor {
            Factor::Push => push(log, with, session, Answer::Approved, engine),
            Factor::NumberChallenge => push(log, with, session, Answer::RightNumber, engine),
            Factor::FastPass | Factor::Code | Factor::Text => {
                let (name, enrollment) = match factor {
                    Factor::FastPass => ("SIGNED_NONCE", "Okta Verify"),
                    Factor::Code => ("OKTA_SOFT_TOKEN", "Google Authenticator"),
                    _ => ("SMS_FACTOR", "Phone"),
                };
                let event = with
                    .judged(with.event("user.authentication.auth_via_mfa", wait, &request))
                    .session(session)
                    .credential("OTP")
                    .on(Principal::enrollment(attempt.member, enrollment))
                    .debug("factor", name)
                    .debug("requestUri", "/idp/idx/challenge/answer");
                log.add(event);
            }
        }
    }
    if engine == Engine::Identity {
        log.add(start.at(later(attempt.at, wait + 28)));
    }
    if attempt.suspected {
        threat(log, attempt.client, attempt.at, &request, true);
    }
    if attempt.behaviors.device && attempt.client.token.is_some() {
        let notice = attempt
            .event(
                "system.email.new_device_notification.sent_message",
                wait + 30,
                &request,
            )
            .on(Principal::member(attempt.member));
        log.add(notice);
    }
}

/// An application is opened in a session.
pub(super) fn open_app(
    log: &mut Log,
    member: &Member,
    client: &Client,
    at: UtcMillis,
    session: &str,
    app: &'static str,
) {
    let request = log.request();
    let event = |event_type| {
        Event::new(event_type, at)
            .by(Principal::member(member))
            .from(client)
            .session(session)
            .request(&request)
            .debug("requestUri", "/app/sso")
            .debug("threatSuspected", "false")
    };
    if log.dice.chance(1, 8) {
        let policy = event("policy.evaluate_sign_on")
            .outcome("ALLOW", "Sign-on policy evaluation resulted in ALLOW")
            .on(Principal::app(app))
            .debug("risk", "{level=LOW}");
        log.add(policy);
    }
    let account = Principal::new(
        "AppUser",
        &format!("0ua{}", &member.uid[3..]),
        &member.login,
        &member.name,
    );
    // The order of targets is not stable in Okta's log, and not here.
    let sso = if log.dice.chance(1, 2) {
        event("user.authentication.sso")
            .on(Principal::app(app))
            .on(account)
    } else {
        event("user.authentication.sso")
            .on(account)
            .on(Principal::app(app))
    };
    log.add(sso);
}
