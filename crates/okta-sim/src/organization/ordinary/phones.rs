//! New telephones and laptops: factors are reset, devices are unknown for a day.

use af_model::UtcMillis;

use super::super::calendar::{HOUR, MINUTE, later};
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::network::Client;
use super::super::person::Person;
use super::super::sign_in::sign_in;
use super::Scene;

/// What happens on the day of a new machine, and on the first day of all; returns when work begins.
pub(super) fn new_machines(
    log: &mut Log,
    person: &mut Person,
    scene: Scene<'_>,
    client: &Client,
    start: UtcMillis,
) -> UtcMillis {
    let mut at = start;
    let day = scene.day;
    if person.member.joined == day {
        let early = later(start, -40 * MINUTE);
        by_desk(log, scene, person, "user.lifecycle.create", early);
        by_desk(
            log,
            scene,
            person,
            "user.lifecycle.activate",
            later(early, 20),
        );
        activate(log, person, client, later(start, -5 * MINUTE));
    }
    let new_laptop = person.new_laptop == Some(day);
    let new_phone = person.new_phone == Some(day);
    if new_laptop {
        person.laptop = person.laptop.replaced(&mut log.dice);
    }
    if new_phone {
        person.phone = person.phone.replaced(&mut log.dice);
    }
    let with_help = new_phone && log.dice.chance(2, 5) || new_laptop && log.dice.chance(1, 6);
    if with_help {
        let event_type = *log.dice.pick(&[
            "user.mfa.factor.reset_all",
            "user.mfa.factor.reset_all",
            "user.mfa.factor.deactivate",
        ]);
        by_desk(log, scene, person, event_type, at);
        at = later(at, log.dice.skewed(2 * MINUTE, 3 * HOUR));
        if new_phone {
            // The first sign-in is on the new telephone, in the office, at home or on the way.
            let network = match log.dice.below(4) {
                0 => person.phone_somewhere(day, log.dice.below(24)).network,
                1 => person.at_home(scene.seed, day).network,
                _ => client.network.clone(),
            };
            let phone = person.phone.on(day, network);
            sign_in(log, person, &phone, at, scene.engine, false);
            at = later(at, 3 * MINUTE);
        }
    }
    if new_phone || with_help {
        activate(log, person, client, at);
        at = later(at, 2 * MINUTE);
    }
    if (new_phone || new_laptop) && log.dice.chance(1, 150) {
        report_by_mistake(log, person, client, later(at, HOUR));
    }
    at
}

fn by_desk(
    log: &mut Log,
    scene: Scene<'_>,
    person: &Person,
    event_type: &'static str,
    at: UtcMillis,
) {
    let request = log.request();
    let desk = scene.help_desk(&mut log.dice);
    let event = Event::new(event_type, at)
        .by(Principal::member(desk))
        .request(&request)
        .on(Principal::member(&person.member));
    log.add(event);
}

/// A factor is enrolled by its owner.
pub(in super::super) fn activate(log: &mut Log, person: &Person, client: &Client, at: UtcMillis) {
    let request = log.request();
    let event = Event::new("user.mfa.factor.activate", at)
        .by(Principal::member(&person.member))
        .from(client)
        .request(&request)
        .on(Principal::member(&person.member))
        .debug("factor", "OKTA_VERIFY_PUSH");
    log.add(event);
}

/// The owner reports the own new device.
fn report_by_mistake(log: &mut Log, person: &Person, client: &Client, at: UtcMillis) {
    report(log, person, client, at, &client.network.ip);
}

/// "This was not me."
pub(in super::super) fn report(
    log: &mut Log,
    person: &Person,
    client: &Client,
    at: UtcMillis,
    reported_ip: &str,
) {
    let request = log.request();
    let event = Event::new("user.account.report_suspicious_activity_by_enduser", at)
        .by(Principal::member(&person.member))
        .from(client)
        .request(&request)
        .on(Principal::member(&person.member))
        .debug(
            "suspiciousActivityEventType",
            "system.email.new_device_notification.sent_message",
        )
        .debug("suspiciousActivityEventIp", reported_ip);
    log.add(event);
}
