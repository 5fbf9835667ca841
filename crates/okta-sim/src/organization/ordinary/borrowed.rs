//! Somebody abroad, on a computer that is not theirs.

use af_model::UtcMillis;

use super::super::calendar::{HOUR, later};
use super::super::log::Log;
use super::super::network::Network;
use super::super::person::Person;
use super::super::places::Place;
use super::super::sign_in::{Way, sign_in, wrong_password};
use super::Scene;

/// A friend's computer, a hotel's, or a private window: a new device in a new place, and a foreign
/// keyboard on which passwords go wrong. Some try again from the next network.
pub(super) fn sign_in_abroad(
    log: &mut Log,
    person: &mut Person,
    scene: Scene<'_>,
    place: &'static Place,
    start: UtcMillis,
) {
    let mut at = start;
    let mut machine = person.laptop.clone();
    if log.dice.chance(1, 2) {
        machine = machine.replaced(&mut log.dice);
    } else {
        machine.forget(&mut log.dice);
    }
    let mut client = machine.on(scene.day, Network::guest(place, &mut log.dice));
    while log.dice.chance(2, 5) {
        wrong_password(log, person, &client, at, Way::Page, scene.engine, false);
        at = later(at, log.dice.between(6, 60));
        if log.dice.chance(1, 8) {
            client = machine.on(scene.day, Network::guest(place, &mut log.dice));
            at = later(at, log.dice.between(HOUR / 4, 3 * HOUR));
        }
    }
    // Some give up and wait until they are home.
    if !person.is_locked(at) && log.dice.chance(4, 5) {
        sign_in(log, person, &client, at, scene.engine, false);
    }
}
