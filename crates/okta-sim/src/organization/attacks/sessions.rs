//! Cookies and pages: what is stolen after the password.

use super::super::calendar::{HOUR, MINUTE, later};
use super::super::event::{Event, Principal};
use super::super::names::APPLICATIONS;
use super::super::network::Network;
use super::super::ordinary::moved_away;
use super::super::person::{Factor, Role};
use super::super::sign_in::{Engine, Try, enter, open_app};
use super::super::truth::Kind;
use super::Stage;

/// The cookie of an open session is used elsewhere, with another program.
pub(super) fn stolen(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|person| person.session.is_some()) else {
        return;
    };
    let session = stage.people[victim]
        .session
        .clone()
        .expect("it was asked for");
    let size = stage.log.dice.skewed(1, 14);
    let tale = stage.tell(Kind::StolenSession, size, true);
    let network = Network::attacker(&mut stage.log.dice);
    let mut thief = if stage.log.dice.chance(2, 5) {
        stage.script(network)
    } else {
        stage.browser(network)
    };
    // The whole jar of cookies, or only the one that matters.
    thief.token = stage
        .log
        .dice
        .chance(1, 2)
        .then_some(session.client.token)
        .flatten();
    let mut at = later(session.started, stage.log.dice.skewed(5 * MINUTE, 8 * HOUR));
    let since = stage.here();
    let engine = stage.scene.engine;
    if engine == Engine::Identity && stage.log.dice.chance(1, 2) {
        moved_away(&mut stage.log, &stage.people[victim], &thief, &session, at);
    }
    let member = stage.people[victim].member.clone();
    let request = stage.log.request();
    let attempt = Try::of(&stage.people[victim], &thief, at, &mut stage.log);
    let policy = Event::new("policy.evaluate_sign_on", at)
        .by(Principal::member(&member))
        .from(&thief)
        .session(&session.id)
        .request(&request)
        .outcome("ALLOW", "Sign-on policy evaluation resulted in ALLOW")
        .on(Principal::app("Mail"))
        .debug("requestUri", "/app/sso")
        .debug("behaviors", attempt.behaviors.text())
        .debug("risk", attempt.behaviors.risk_text(attempt.risk));
    stage.log.add(policy);
    for _ in 0..size {
        at = later(at, stage.log.dice.skewed(2, 10 * MINUTE));
        let app = *stage.log.dice.pick(&APPLICATIONS);
        open_app(&mut stage.log, &member, &thief, at, &session.id, app);
    }
    if member.role == Role::Administrator {
        let roaming = Event::new("security.session.detect_client_roaming", at)
            .by(Principal::member(&member))
            .from(&thief)
            .session(&session.id)
            .request(&request);
        stage.log.add(roaming);
    }
    stage.evidence(tale, since, Some(victim));
}

/// A page that looks like the sign-in: `FastPass` sees the wrong origin and declines.
pub(super) fn declined_by_fastpass(stage: &mut Stage<'_>) {
    let size = stage.log.dice.skewed(1, 12);
    let tale = stage.tell(Kind::FastPassPhishing, size, false);
    let network = Network::server(&mut stage.log.dice);
    let client = stage.browser(network);
    let mut at = stage.some_time();
    for _ in 0..size {
        let Some(victim) = stage.victim(&|person| person.factor == Factor::FastPass) else {
            return;
        };
        let since = stage.here();
        let member = stage.people[victim].member.clone();
        let request = stage.log.request();
        let event = Event::new("user.authentication.auth_via_mfa", at)
            .by(Principal::member(&member))
            .from(&client)
            .request(&request)
            .outcome("FAILURE", "FastPass declined phishing attempt")
            .on(Principal::enrollment(&member, "Okta Verify"))
            .debug("factor", "SIGNED_NONCE")
            .debug("requestUri", "/idp/idx/authenticators/poll")
            .debug("risk", "{level=LOW}");
        stage.log.add(event);
        stage.evidence(tale, since, Some(victim));
        at = later(at, stage.log.dice.skewed(30, 4 * HOUR));
    }
}

/// The page passes everything on: the person signs in through the attacker's server, a script goes
/// on in the same session from another address.
pub(super) fn proxied(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|person| person.factor != Factor::FastPass) else {
        return;
    };
    let size = stage.log.dice.skewed(1, 20);
    let tale = stage.tell(Kind::ProxiedSignIn, size, true);
    let network = Network::server(&mut stage.log.dice);
    let mut page = stage.browser(network.clone());
    if stage.log.dice.chance(1, 2) {
        // Some kits pass on the person's own user agent.
        page.software = stage.people[victim].at_desk(stage.scene.day).software;
    }
    let at = stage.daytime(victim);
    let since = stage.here();
    let session = stage.log.session();
    let factor = stage.people[victim].factor;
    let attempt = Try::of(&stage.people[victim], &page, at, &mut stage.log);
    enter(
        &mut stage.log,
        attempt,
        &session,
        Some(factor),
        stage.scene.engine,
    );
    stage.people[victim].history.remember(&page, at);
    let elsewhere = if stage.log.dice.chance(3, 4) {
        Network::attacker(&mut stage.log.dice)
    } else {
        network
    };
    let script = stage.script(elsewhere);
    let member = stage.people[victim].member.clone();
    let mut at = later(at, 30 + stage.log.dice.skewed(10, 2 * HOUR));
    for _ in 0..size {
        let app = *stage.log.dice.pick(&APPLICATIONS);
        open_app(&mut stage.log, &member, &script, at, &session, app);
        at = later(at, stage.log.dice.skewed(1, 5 * MINUTE));
    }
    stage.evidence(tale, since, Some(victim));
    stage.clean_up(victim, at);
}
