//! A penetration test that the organization ordered.

use super::super::calendar::{HOUR, later, utc_day};
use super::super::log::Log;
use super::super::names::GUESSES;
use super::super::network::{Client, Network};
use super::super::person::Person;
use super::super::sign_in::{Way, unknown_name, wrong_password};
use super::super::software::Make;
use super::Scene;

/// In the middle of the simulation, on one day: a scanner tries accounts, real and invented.
pub(super) fn write(log: &mut Log, people: &mut [Person], scene: Scene<'_>, days: i32) {
    if scene.day != days / 2 {
        return;
    }
    let mut at = later(utc_day(scene.day).start(), 9 * HOUR);
    for turn in 0..3 * (people.len() / 100).clamp(5, 50) {
        let client = Client {
            network: Network::testers(turn),
            software: Make::Go.on(scene.day, 0),
            token: None,
            device: None,
        };
        at = later(at, log.dice.between(1, 50));
        if log.dice.chance(1, 2) {
            let number = log.dice.below(people.len());
            let person = &mut people[number];
            if person.member.role.is_human() && person.member.is_there(scene.day) {
                wrong_password(log, person, &client, at, Way::Api, scene.engine, false);
            }
        } else {
            let name = format!("{}{turn}@example.com", log.dice.pick(&GUESSES));
            unknown_name(log, &name, &client, at, Way::Api, false);
        }
    }
}
