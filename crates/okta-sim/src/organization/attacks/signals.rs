//! Attacks that Okta, a partner or the person sees and says so.

use af_model::UtcMillis;

use super::super::calendar::{MINUTE, later};
use super::super::event::{Event, Principal};
use super::super::network::Network;
use super::super::ordinary::report;
use super::super::person::Person;
use super::super::sign_in::{Engine, Try, Way, enter, failure, threat};
use super::super::truth::Kind;
use super::Stage;

/// `ThreatInsight` only logs, so the request goes on: a try or two, and now and then a sign-in.
pub(super) fn threat_allowed(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|_| true) else {
        return;
    };
    let size = stage.log.dice.skewed(1, 6);
    let succeeded = stage.log.dice.chance(2, 5);
    let tale = stage.tell(Kind::ThreatAllowed, size, succeeded);
    let network = Network::attacker(&mut stage.log.dice);
    let client = stage.browser(network);
    let engine = stage.scene.engine;
    let mut at = stage.some_time();
    let since = stage.here();
    for _ in 0..size {
        failure(
            &mut stage.log,
            &stage.people[victim],
            &client,
            at,
            Way::Page,
            engine,
            true,
            false,
        );
        at = later(at, stage.log.dice.skewed(5, 20 * MINUTE));
    }
    if succeeded {
        let session = stage.log.session();
        let attempt = Try::of(&stage.people[victim], &client, at, &mut stage.log)
            .suspected(true, &mut stage.log);
        enter(&mut stage.log, attempt, &session, None, engine);
        stage.people[victim].history.remember(&client, at);
    }
    stage.evidence(tale, since, Some(victim));
}

/// `ThreatInsight` denies: nobody knows who was meant.
pub(super) fn threat_denied(stage: &mut Stage<'_>) {
    let size = stage.log.dice.skewed(4, 300);
    let tale = stage.tell(Kind::ThreatDenied, size, false);
    let addresses = stage.log.dice.skewed(1, 20);
    let pool = stage.pool(addresses, Network::server);
    let script = stage.script(pool[0].clone());
    let mut at = stage.some_time();
    let since = stage.here();
    for _ in 0..size {
        let client = script.at(stage.log.dice.pick(&pool).clone());
        let request = stage.log.request();
        threat(&mut stage.log, &client, at, &request, false);
        at = later(at, stage.log.dice.skewed(1, 90));
    }
    stage.evidence(tale, since, None);
}

/// The password is on a list of breached ones.
pub(super) fn breached(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|_| true) else {
        return;
    };
    let tale = stage.tell(Kind::BreachedCredential, 1, false);
    let network = Network::attacker(&mut stage.log.dice);
    let client = stage.browser(network);
    let at = stage.some_time();
    let since = stage.here();
    let attempt = Try::of(&stage.people[victim], &client, at, &mut stage.log);
    let request = stage.log.request();
    let member = &stage.people[victim].member;
    let event = Event::new("security.breached_credential.detected", at)
        .by(Principal::member(member))
        .from(&client)
        .request(&request)
        .on(Principal::new(
            "AuthenticatorEnrollment",
            "unknown",
            "unknown",
            "Password",
        ))
        .debug("risk", attempt.behaviors.risk_text(attempt.risk))
        .debug("behaviors", attempt.behaviors.text())
        .debug("requestUri", "/idp/idx/challenge/answer");
    stage.log.add(event);
    let cleared = Event::new("user.session.clear", later(at, 1))
        .request(&request)
        .on(Principal::member(member));
    stage.log.add(cleared);
    stage.evidence(tale, since, Some(victim));
}

/// What Identity Threat Protection detects: level, detection, reasons.
const DETECTIONS: [(&str, &str, &str); 9] = [
    (
        "HIGH",
        "Okta Threat Intelligence",
        "Activity from infrastructure of a known threat actor",
    ),
    (
        "HIGH",
        "Breached credential detected",
        "Credential set found in a breach",
    ),
    (
        "HIGH",
        "Entity Critical Action From High Threat IP",
        "Critical action from high threat IP",
    ),
    (
        "HIGH",
        "Suspicious Login From an IP Flagged in Credential Based Attack",
        "IP flagged in a credential based attack",
    ),
    (
        "HIGH",
        "Suspicious Login From an IP Flagged by FastPass",
        "IP flagged by FastPass",
    ),
    (
        "MEDIUM",
        "Suspected Brute Force Attack",
        "Password brute force",
    ),
    ("MEDIUM", "Brute Force Attack", "MFA brute force"),
    (
        "MEDIUM",
        "Session Influenced User Risk",
        "Associated sessionId is suspected to be hijacked",
    ),
    ("MEDIUM", "Suspicious App Access", "Unusual number of apps"),
];

/// A detection, the evaluation of the policy, and its action: one trace.
pub(super) fn risk(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|_| true) else {
        return;
    };
    let (level, detection, reasons) = *stage.log.dice.pick(&DETECTIONS);
    let at = stage.some_time();
    let tale = stage.tell(Kind::RiskDetection, 1, false);
    let since = stage.here();
    let text = format!(
        "{{previousLevel=LOW, level={level}, detectionName={detection}, reasons={reasons}, issuer=OKTA}}"
    );
    chain(stage, victim, at, &text);
    stage.evidence(tale, since, Some(victim));
}

fn chain(stage: &mut Stage<'_>, victim: usize, at: UtcMillis, risk: &str) {
    let trace = stage.log.request();
    let request = stage.log.request();
    let policy = Principal::new(
        "Policy",
        "00p0000000entityrisk",
        "unknown",
        "Entity Risk Policy",
    );
    for (event_type, seconds) in [
        ("user.risk.detect", 0),
        ("policy.entity_risk.evaluate", 1),
        ("policy.entity_risk.action", 2),
    ] {
        let event = Event::new(event_type, later(at, seconds))
            .request(&request)
            .on(Principal::member(&stage.people[victim].member))
            .debug("traceId", trace.clone())
            .debug("risk", risk);
        let event = if seconds == 0 {
            event
        } else {
            event.on(policy.clone())
        };
        stage.log.add(event);
    }
}

/// Somebody tried, the person was told, and presses the button.
pub(super) fn reported(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|_| true) else {
        return;
    };
    let tale = stage.tell(Kind::ReportedActivity, 1, false);
    let network = Network::attacker(&mut stage.log.dice);
    let client = stage.browser(network);
    let at = stage.daytime(victim);
    let since = stage.here();
    let engine = stage.scene.engine;
    let session = stage.log.session();
    let attempt = Try::of(&stage.people[victim], &client, at, &mut stage.log);
    enter(&mut stage.log, attempt, &session, None, engine);
    stage.people[victim].history.remember(&client, at);
    let noticed = later(at, stage.log.dice.skewed(2 * MINUTE, 600 * MINUTE));
    let person: &Person = &stage.people[victim];
    let home = person.at_home(stage.scene.seed, stage.scene.day);
    report(&mut stage.log, person, &home, noticed, &client.network.ip);
    stage.evidence(tale, since, Some(victim));
}

/// A copied refresh token is used after its owner renewed it.
pub(super) fn token_reuse(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|_| true) else {
        return;
    };
    let tale = stage.tell(Kind::TokenReuse, 1, false);
    let network = Network::attacker(&mut stage.log.dice);
    let client = stage.script(network);
    let at = stage.some_time();
    let since = stage.here();
    let user = Principal::member(&stage.people[victim].member);
    let request = stage.log.request();
    let event_type = *stage.log.dice.pick(&[
        "app.oauth2.as.token.detect_reuse",
        "app.oauth2.token.detect_reuse",
    ]);
    let token = Principal::new(
        "refresh_token",
        "oar000000000000token",
        "unknown",
        "Refresh token",
    );
    let event = Event::new(event_type, at)
        .from(&client)
        .request(&request)
        .outcome("FAILURE", "");
    // Who acted is the person or the application, as the log has it.
    let event = if stage.log.dice.chance(2, 3) {
        event.by(user).on(token)
    } else {
        let app = Principal::new(
            "PublicClientApp",
            "0oa0000000000example",
            "unknown",
            "Field App",
        );
        event.by(app).on(token).on(user)
    };
    stage.log.add(event);
    stage.evidence(tale, since, Some(victim));
}

/// A product on the person's machine saw something and tells Okta.
pub(super) fn partner(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|_| true) else {
        return;
    };
    let tale = stage.tell(Kind::PartnerRisk, 1, false);
    let level = *stage.log.dice.pick(&["MEDIUM", "HIGH"]);
    let at = stage.some_time();
    let since = stage.here();
    let provider = Principal::new(
        "SecurityEventProvider",
        "sse00000000000000000",
        "unknown",
        "Endpoint Watch",
    );
    let request = stage.log.request();
    let event = Event::new("security.events.provider.receive_event", at)
        .by(provider)
        .request(&request)
        .on(Principal::member(&stage.people[victim].member))
        .debug(
            "securityEventsProviderReportedRisk",
            format!(r#"{{"level":"{level}","reason":"malware detected"}}"#),
        );
    stage.log.add(event);
    if stage.scene.engine == Engine::Identity && stage.log.dice.chance(2, 3) {
        let text = format!(
            "{{previousLevel=LOW, level={level}, detectionName=Security Events Provider Reported Risk, reasons=malware detected, issuer=Endpoint Watch}}"
        );
        chain(stage, victim, later(at, 2), &text);
    }
    stage.evidence(tale, since, Some(victim));
}
