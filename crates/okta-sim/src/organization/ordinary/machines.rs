//! Programs with accounts: jobs, an expired secret, load tests.

use super::super::calendar::{HOUR, MINUTE, later, utc_day};
use super::super::dice::Dice;
use super::super::log::Log;
use super::super::network::Network;
use super::super::person::{Person, Role};
use super::super::sign_in::{Try, Way, enter, open_app, wrong_password};
use super::Scene;

/// Writes the day of an account without a person.
pub(super) fn write(log: &mut Log, person: &mut Person, scene: Scene<'_>) {
    if person.member.role == Role::LoadTest {
        load_test(log, person, scene);
        return;
    }
    let client = person
        .laptop
        .on(scene.day, Network::cloud(person.member.number));
    let week = u64::from(scene.day.unsigned_abs()) / 7;
    let secret_expired = Dice::of(
        scene.seed,
        "expired secret",
        &[person.member.number as u64, week],
    )
    .chance(1, 150);
    for turn in 0..3 {
        let at = later(
            utc_day(scene.day).start(),
            turn * 7 * HOUR + log.dice.between(0, 600),
        );
        if secret_expired && scene.day % 7 < 2 {
            for step in 0..7 {
                let at = later(at, step * HOUR);
                wrong_password(log, person, &client, at, Way::Api, scene.engine, false);
            }
            continue;
        }
        let session = log.session();
        let attempt = Try::of(person, &client, at, log);
        enter(log, attempt, &session, None, scene.engine);
        person.failures = 0;
        open_app(
            log,
            &person.member,
            &client,
            later(at, 5),
            &session,
            "Reports",
        );
    }
}

/// One week in four: hundreds of wrong secrets from one of the organization's own addresses.
fn load_test(log: &mut Log, person: &mut Person, scene: Scene<'_>) {
    let week = u64::from(scene.day.unsigned_abs()) / 7;
    if scene.day % 7 != 1 || !Dice::of(scene.seed, "load test", &[week]).chance(1, 4) {
        return;
    }
    let client = person.laptop.on(scene.day, Network::cloud(3));
    let mut at = later(utc_day(scene.day).start(), 13 * HOUR);
    for _ in 0..log.dice.between(60, 200) {
        wrong_password(log, person, &client, at, Way::Api, scene.engine, false);
        at = later(at, log.dice.between(1, 20 * MINUTE / 100));
    }
}
