//! Somebody has the password and asks for the second factor until it is given.

use super::super::calendar::{MINUTE, later};
use super::super::network::Network;
use super::super::ordinary::{activate, evaluate};
use super::super::person::Factor;
use super::super::sign_in::{Answer, Engine, Try, enter, open_app, push};
use super::super::truth::Kind;
use super::Stage;

/// Pushes that are refused, ignored, or accepted in the end.
pub(super) fn bombing(stage: &mut Stage<'_>, kind: Kind) {
    let Some(victim) = stage.victim(&|person| person.factor == Factor::Push) else {
        return;
    };
    let size = stage.log.dice.skewed(2, 60);
    let pause = stage.log.dice.skewed(8, 20 * MINUTE);
    let accepted = kind == Kind::PushAccepted;
    let tale = stage.tell(kind, size, accepted);
    let network = Network::attacker(&mut stage.log.dice);
    let mut client = stage.browser(network);
    let mut at = stage.daytime(victim);
    let engine = stage.scene.engine;
    let mut session = stage.log.session();
    // In percent: some people refuse, some look away, most do a little of both.
    let refuses = match kind {
        Kind::PushIgnored => 0,
        Kind::PushRefused => stage.log.dice.between(50, 100),
        _ => stage.log.dice.between(0, 100),
    };
    for turn in 0..size {
        if turn > 0 && stage.log.dice.chance(1, 20) {
            let next = Network::attacker(&mut stage.log.dice);
            client = client.at(next);
        }
        let since = stage.here();
        let attempt = Try::of(&stage.people[victim], &client, at, &mut stage.log);
        if turn % 4 == 0 {
            session = stage.log.session();
            evaluate(&mut stage.log, attempt, &session);
        }
        let last = turn + 1 == size;
        let answer = if stage.log.dice.between(0, 99) < refuses || last && kind == Kind::PushRefused
        {
            Answer::Refused
        } else {
            Answer::Unanswered
        };
        push(&mut stage.log, attempt.later(2), &session, answer, engine);
        stage.evidence(tale, since, Some(victim));
        at = later(
            at,
            stage
                .log
                .dice
                .between(pause.div_euclid(2).max(5), 2 * pause),
        );
    }
    if !accepted {
        return;
    }
    let since = stage.here();
    let attempt = Try::of(&stage.people[victim], &client, at, &mut stage.log);
    enter(
        &mut stage.log,
        attempt,
        &session,
        Some(Factor::Push),
        engine,
    );
    let member = stage.people[victim].member.clone();
    for turn in 1..=stage.log.dice.between(1, 5) {
        open_app(
            &mut stage.log,
            &member,
            &client,
            later(at, 60 + turn * 90),
            &session,
            "Mail",
        );
    }
    if stage.log.dice.chance(1, 2) {
        activate(
            &mut stage.log,
            &stage.people[victim],
            &client,
            later(at, 400),
        );
    }
    stage.people[victim].history.remember(&client, at);
    stage.evidence(tale, since, Some(victim));
    stage.clean_up(victim, at);
}

/// The person is asked for a number that only the attacker sees, and guesses.
pub(super) fn wrong_number(stage: &mut Stage<'_>) {
    let Some(victim) = stage.victim(&|person| person.factor == Factor::NumberChallenge) else {
        return;
    };
    let size = stage.log.dice.skewed(1, 9);
    let tale = stage.tell(Kind::WrongNumber, size, false);
    let network = Network::attacker(&mut stage.log.dice);
    let client = stage.browser(network);
    let mut at = stage.daytime(victim);
    let session = stage.log.session();
    let since = stage.here();
    for _ in 0..size {
        let attempt = Try::of(&stage.people[victim], &client, at, &mut stage.log);
        evaluate(&mut stage.log, attempt, &session);
        push(
            &mut stage.log,
            attempt.later(2),
            &session,
            Answer::WrongNumber,
            Engine::Identity,
        );
        at = later(at, stage.log.dice.skewed(20, 15 * MINUTE));
    }
    stage.evidence(tale, since, Some(victim));
}
