//! Stolen passwords, tricked help desks, floods, and the organization's own tools.

use af_model::UtcMillis;

use super::super::calendar::{HOUR, MINUTE, later};
use super::super::event::{Event, Principal};
use super::super::network::{Client, Network};
use super::super::ordinary::{activate, recovery};
use super::super::person::{Factor, Role};
use super::super::sign_in::{Try, enter, open_app};
use super::super::truth::Kind;
use super::Stage;

/// The attacker signs in; returns the session.
fn intrude(
    stage: &mut Stage<'_>,
    victim: usize,
    client: &Client,
    at: UtcMillis,
    factor: Option<Factor>,
) -> String {
    let session = stage.log.session();
    let attempt = Try::of(&stage.people[victim], client, at, &mut stage.log);
    enter(
        &mut stage.log,
        attempt,
        &session,
        factor,
        stage.scene.engine,
    );
    let member = stage.people[victim].member.clone();
    for turn in 1..=stage.log.dice.between(0, 4) {
        open_app(
            &mut stage.log,
            &member,
            client,
            later(at, 40 + turn * 100),
            &session,
            "Mail",
        );
    }
    stage.people[victim].history.remember(client, at);
    session
}

/// Through Tor or a service that Okta knows.
pub(super) fn anonymizer(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|_| true) else {
        return;
    };
    let mut network = match stage.log.dice.below(5) {
        0 | 1 => Network::tor(&mut stage.log.dice),
        2 | 3 => Network::consumer_tunnel(&mut stage.log.dice),
        _ => Network::residential(&mut stage.log.dice),
    };
    // Okta's list of such services is not complete, but this attack is about those it knows.
    network.is_proxy = true;
    let client = stage.browser(network);
    let at = stage.some_time();
    let tale = stage.tell(Kind::Anonymizer, 1, true);
    let since = stage.here();
    let factor = stage.log.dice.chance(1, 2).then_some(Factor::Text);
    intrude(stage, victim, &client, at, factor);
    stage.evidence(tale, since, Some(victim));
    stage.clean_up(victim, at);
}

/// From a rented server in another country, while the person works.
pub(super) fn far_away(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|person| person.session.is_some()) else {
        return;
    };
    let session = stage.people[victim]
        .session
        .clone()
        .expect("it was asked for");
    let home = stage.people[victim].member.place();
    let network = loop {
        let network = Network {
            is_proxy: false,
            ..Network::server(&mut stage.log.dice)
        };
        if network
            .place
            .is_some_and(|place| place.country != home.country)
        {
            break network;
        }
    };
    let client = stage.browser(network);
    let at = later(session.started, stage.log.dice.skewed(4 * MINUTE, 3 * HOUR));
    let tale = stage.tell(Kind::ImpossibleTravel, 1, true);
    let since = stage.here();
    let factor = stage.log.dice.chance(1, 2).then_some(Factor::Text);
    intrude(stage, victim, &client, at, factor);
    stage.evidence(tale, since, Some(victim));
    stage.clean_up(victim, at);
}

/// A friendly voice asks the help desk to reset the factors, then enrolls its own.
pub(super) fn help_desk(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|person| person.member.role != Role::HelpDesk) else {
        return;
    };
    let tale = stage.tell(Kind::HelpDeskTrick, 1, true);
    let mut at = stage.daytime(victim);
    let since = stage.here();
    let desk = stage.scene.help_desk(&mut stage.log.dice).clone();
    let mut resets = vec![
        *stage
            .log
            .dice
            .pick(&["user.mfa.factor.reset_all", "user.mfa.factor.deactivate"]),
    ];
    if stage.log.dice.chance(3, 5) {
        resets.push("user.account.reset_password");
    }
    for event_type in resets {
        let request = stage.log.request();
        let event = Event::new(event_type, at)
            .by(Principal::member(&desk))
            .request(&request)
            .on(Principal::member(&stage.people[victim].member));
        stage.log.add(event);
        at = later(at, stage.log.dice.between(20, 200));
    }
    at = later(at, stage.log.dice.skewed(MINUTE, 20 * HOUR));
    let network = Network::attacker(&mut stage.log.dice);
    let client = stage.browser(network);
    let session = intrude(stage, victim, &client, at, None);
    let enrolled = later(at, stage.log.dice.between(30, 600));
    activate(&mut stage.log, &stage.people[victim], &client, enrolled);
    let member = stage.people[victim].member.clone();
    for turn in 1..=stage.log.dice.between(2, 8) {
        open_app(
            &mut stage.log,
            &member,
            &client,
            later(enrolled, turn * 80),
            &session,
            "Source Code",
        );
    }
    stage.evidence(tale, since, Some(victim));
    stage.clean_up(victim, enrolled);
}

/// Messages until somebody clicks, or to hide another message among them.
pub(super) fn recovery_flood(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|_| true) else {
        return;
    };
    let size = stage.log.dice.skewed(3, 70);
    let pause = stage.log.dice.skewed(3, 8 * MINUTE);
    let tale = stage.tell(Kind::RecoveryFlood, size, false);
    let network = Network::attacker(&mut stage.log.dice);
    let client = stage.browser(network);
    let mut at = stage.some_time();
    let kinds = *stage.log.dice.pick(&[
        [
            "system.email.password_reset.sent_message",
            "system.email.account_unlock.sent_message",
        ],
        [
            "system.sms.send_password_reset_message",
            "system.voice.send_password_reset_call",
        ],
    ]);
    let since = stage.here();
    for _ in 0..size {
        let event_type = *stage.log.dice.pick(&kinds);
        recovery(
            &mut stage.log,
            &stage.people[victim],
            &client,
            at,
            event_type,
        );
        at = later(at, stage.log.dice.between(1, 2 * pause));
    }
    stage.evidence(tale, since, Some(victim));
}

/// An administrator's account at the Admin Console, from a device nobody knows, through a proxy.
pub(super) fn admin_console(stage: &mut Stage<'_>) {
    let Some(victim) =
        stage.victim(&|person| matches!(person.member.role, Role::Administrator | Role::HelpDesk))
    else {
        return;
    };
    let tale = stage.tell(Kind::AdminConsole, 1, true);
    let network = Network {
        is_proxy: true,
        ..Network::attacker(&mut stage.log.dice)
    };
    let client = stage.browser(network);
    let at = stage.some_time();
    let since = stage.here();
    let behaviors = stage.people[victim].history.judge(&client, at).text();
    let session = intrude(stage, victim, &client, at, Some(Factor::Text));
    let request = stage.log.request();
    let member = stage.people[victim].member.clone();
    let event = |event_type, seconds| {
        Event::new(event_type, later(at, seconds))
            .by(Principal::member(&member))
            .from(&client)
            .session(&session)
            .request(&request)
            .on(Principal::app("Okta Admin Console"))
            .debug("requestUri", "/admin/sso/request")
    };
    let policy = event("policy.evaluate_sign_on", 120)
        .outcome("ALLOW", "Sign-on policy evaluation resulted in ALLOW")
        .debug("behaviors", behaviors);
    stage.log.add(policy);
    stage.log.add(event("user.session.access_admin_app", 121));
    stage.evidence(tale, since, Some(victim));
    stage.clean_up(victim, at);
}

/// Somebody at the vendor's support takes over an administrator's view.
pub(super) fn impersonation(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|person| person.member.role == Role::Administrator) else {
        return;
    };
    let tale = stage.tell(Kind::Impersonation, 1, true);
    let at = stage.some_time();
    let since = stage.here();
    let support = Principal::new(
        "User",
        "00usupport0000000000",
        "support.engineer@okta.com",
        "Support Engineer",
    );
    for (event_type, seconds) in [
        ("user.session.impersonation.initiate", 0),
        (
            "user.session.impersonation.end",
            stage.log.dice.between(5 * MINUTE, 2 * HOUR),
        ),
    ] {
        let request = stage.log.request();
        let event = Event::new(event_type, later(at, seconds))
            .by(support.clone())
            .request(&request)
            .on(Principal::member(&stage.people[victim].member));
        stage.log.add(event);
    }
    stage.evidence(tale, since, Some(victim));
}
