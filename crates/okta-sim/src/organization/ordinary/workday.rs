//! An ordinary day of work, at a desk, at home or abroad.

use af_model::UtcMillis;

use super::super::calendar::{HOUR, MINUTE, is_working_day, later, local, utc_day};
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::names::APPLICATIONS;
use super::super::network::{Client, Network};
use super::super::person::{Person, Session};
use super::super::places::{DESTINATIONS, Place};
use super::super::sign_in::{Engine, Try, open_app, sign_in};
use super::{Scene, borrowed, mistakes, phones};

/// Writes the day of a person who has an account.
pub(super) fn write(log: &mut Log, person: &mut Person, scene: Scene<'_>) {
    let day = scene.day;
    let is_new = person.member.joined == day;
    if person.is_on_holiday(day) && !is_new {
        if log.dice.chance(1, 12) {
            phone_glance(
                log,
                person,
                scene,
                local(day, person.member.place(), 11 * HOUR),
            );
        }
        if log.dice.chance(1, 60) {
            let place: &'static Place = &DESTINATIONS[log.dice.below(DESTINATIONS.len())];
            let at = local(day, place, 10 * HOUR + log.dice.between(0, 8 * HOUR));
            borrowed::sign_in_abroad(log, person, scene, place, at.max(utc_day(day).start()));
        }
        return;
    }
    let works = if is_working_day(day) {
        log.dice.chance(92, 100)
    } else {
        log.dice.chance(4, 100)
    };
    if !works && !is_new {
        return;
    }
    if log.dice.chance(1, 250) {
        person.laptop.forget(&mut log.dice);
    }
    let trip = person.trip(day).cloned();
    let begin = person.begins * HOUR + log.dice.between(0, 90 * MINUTE);
    let (client, start) = match &trip {
        Some(trip) => {
            let network = if person.tunnels > 0 && log.dice.chance(1, 2) {
                Network::tunnel(person.member.office)
            } else {
                Network::guest(trip.place, &mut log.dice)
            };
            let client = person.laptop.on(day, network);
            let mut start = local(day, trip.place, begin);
            if trip.from == day {
                start = fly(log, person, scene, trip.place);
            }
            (client, start)
        }
        None => (
            usual_client(log, person, scene),
            local(day, person.member.place(), begin),
        ),
    };
    // In the far east a working day begins on the UTC day before; here it waits.
    let start = start.max(later(utc_day(day).start(), HOUR));
    let mut at = phones::new_machines(log, person, scene, &client, start);
    let is_shared = client.network.zone == Some("Offices") && person.shares_a_terminal();
    let client = if is_shared {
        client
    } else {
        person.laptop.on(day, client.network)
    };
    at = mistakes::before_sign_in(log, person, scene, &client, at);
    let session = sign_in(log, person, &client, at, scene.engine, false);
    work(log, person, scene, &session, trip.is_some());
    person.session = Some(session);
    if log.dice.chance(15, 100) {
        let moment = later(at, log.dice.between(HOUR, 9 * HOUR));
        phone_glance(log, person, scene, moment);
    }
    if let Some(trip) = &trip
        && log.dice.chance(1, 40)
    {
        let evening = later(at, log.dice.between(9 * HOUR, 12 * HOUR));
        borrowed::sign_in_abroad(log, person, scene, trip.place, evening);
    }
    rarely(log, person, scene, &client, at);
}

/// Desk, home, or the tunnel from home; some like to hide.
fn usual_client(log: &mut Log, person: &Person, scene: Scene<'_>) -> Client {
    let desk = log.dice.below(100) < person.at_office;
    let home = person.at_home(scene.seed, scene.day);
    if desk {
        person.at_desk(scene.day)
    } else if person.hides && log.dice.chance(1, 6) {
        home.at(Network::consumer_tunnel(&mut log.dice))
    } else if log.dice.below(100) < person.tunnels {
        home.at(Network::tunnel(person.member.office))
    } else {
        home
    }
}

/// The day of departure: perhaps a look before the flight, then the time it takes to get there.
fn fly(
    log: &mut Log,
    person: &mut Person,
    scene: Scene<'_>,
    to: &'static super::super::places::Place,
) -> UtcMillis {
    let from = person.member.place();
    let early = local(scene.day, from, 6 * HOUR + log.dice.between(0, HOUR));
    if log.dice.chance(1, 3) {
        let client = person.at_home(scene.seed, scene.day);
        let session = sign_in(log, person, &client, early, scene.engine, false);
        open_app(
            log,
            &person.member,
            &client,
            later(early, 4 * MINUTE),
            &session.id,
            "Travel",
        );
    }
    // 800 km in an hour, three hours at airports; no finer than a minute.
    let mut minutes = 180;
    let mut flown = 0.0;
    while flown < from.kilometres_to(to) {
        flown += 800.0 / 60.0;
        minutes += 1;
    }
    later(early, minutes * MINUTE + log.dice.between(0, 2 * HOUR))
}

/// Applications over the day; networks change under an open session.
fn work(log: &mut Log, person: &mut Person, scene: Scene<'_>, session: &Session, away: bool) {
    let mut client = session.client.clone();
    let mut at = session.started;
    let count = log
        .dice
        .weighted(&[(30, 1), (30, 2), (20, 3), (12, 5), (6, 8), (2, 14)]);
    // Some let the browser open everything at once.
    let pause = if log.dice.chance(1, 60) {
        3
    } else {
        70 * MINUTE
    };
    for _ in 0..count {
        at = later(at, log.dice.between(1, pause));
        if !away && log.dice.chance(1, 25) {
            let home = person.at_home(scene.seed, scene.day);
            let next = match log.dice.below(3) {
                0 if person.tunnels > 0 => Network::tunnel(person.member.office),
                1 => Network::mobile(
                    person.member.place(),
                    person.member.number,
                    log.dice.below(24),
                ),
                _ => home.network,
            };
            moved(log, person, scene, &client, &next, session, at);
            client = client.at(next);
        }
        let app = *log.dice.pick(&APPLICATIONS);
        open_app(log, &person.member, &client, later(at, 1), &session.id, app);
    }
    if log.dice.chance(15, 100) {
        at = later(at, log.dice.between(HOUR, 4 * HOUR));
        let again = sign_in(log, person, &client, at, scene.engine, false);
        open_app(
            log,
            &person.member,
            &client,
            later(at, 50),
            &again.id,
            "Mail",
        );
    }
    if log.dice.chance(40, 100) {
        let request = log.request();
        let event = Event::new(
            "user.session.end",
            later(at, log.dice.between(10 * MINUTE, 3 * HOUR)),
        )
        .by(Principal::member(&person.member))
        .from(&client)
        .session(&session.id)
        .request(&request)
        .debug("requestUri", "/login/signout");
        log.add(event);
    }
}

/// The same session from another network, which Identity Engine may mention.
fn moved(
    log: &mut Log,
    person: &Person,
    scene: Scene<'_>,
    before: &Client,
    next: &Network,
    session: &Session,
    at: UtcMillis,
) {
    let mentioned = scene.engine == Engine::Identity && before.network.ip != next.ip;
    if mentioned && log.dice.chance(1, 2) {
        moved_away(log, person, &before.at(next.clone()), session, at);
    }
}

/// A session is used from another client than the one that opened it.
pub(in super::super) fn moved_away(
    log: &mut Log,
    person: &Person,
    client: &Client,
    session: &Session,
    at: UtcMillis,
) {
    let attempt = Try::of(person, client, at, log);
    let request = log.request();
    let event = Event::new("user.session.context.change", at)
        .by(Principal::member(&person.member))
        .from(client)
        .session(&session.id)
        .request(&request)
        .on(Principal::new("Session", &session.id, "unknown", "unknown"))
        .on(Principal::member(&person.member))
        .debug("causes", "[ipAddress.change]")
        .debug("previousIpAddress", session.client.network.ip.clone())
        .debug("newIpAddress", client.network.ip.clone())
        .debug("risk", attempt.behaviors.risk_text(attempt.risk))
        .debug("behaviors", attempt.behaviors.text());
    log.add(event);
}

/// The sign-on policy asks for more.
pub(in super::super) fn evaluate(log: &mut Log, attempt: Try<'_>, session: &str) {
    let request = log.request();
    let event = Event::new("policy.evaluate_sign_on", attempt.at)
        .by(Principal::member(attempt.member))
        .from(attempt.client)
        .session(session)
        .request(&request)
        .outcome(
            "CHALLENGE",
            "Sign-on policy evaluation resulted in CHALLENGE",
        )
        .on(Principal::app("Okta Dashboard"))
        .debug("risk", attempt.behaviors.risk_text(attempt.risk))
        .debug("behaviors", attempt.behaviors.text());
    log.add(event);
}

/// A sign-in on the telephone; its address changes between one application and the next.
fn phone_glance(log: &mut Log, person: &mut Person, scene: Scene<'_>, at: UtcMillis) {
    let moment = log.dice.below(24);
    let client = person.phone_somewhere(scene.day, moment);
    let suspected = is_falsely_suspected(&client, scene);
    let session = sign_in(log, person, &client, at, scene.engine, suspected);
    for step in 1..=log.dice.below(4) {
        let client = person.phone_somewhere(scene.day, moment + step);
        let at = later(
            at,
            i64::try_from(step).expect("small") * log.dice.between(40, 900),
        );
        let app = *log.dice.pick(&APPLICATIONS);
        open_app(log, &person.member, &client, at, &session.id, app);
    }
}

/// Somebody who shares the carrier's address misbehaves, and ThreatInsight suspects all of them.
fn is_falsely_suspected(client: &Client, scene: Scene<'_>) -> bool {
    let subject = format!("suspected {}", client.network.ip);
    let day = u64::from(scene.day.unsigned_abs());
    super::super::dice::Dice::of(scene.seed, &subject, &[day]).chance(1, 4000)
}

/// What happens to somebody once in years.
fn rarely(log: &mut Log, person: &mut Person, scene: Scene<'_>, client: &Client, at: UtcMillis) {
    let member = &person.member;
    if log.dice.chance(1, 2500) {
        // A bookmark of an application that was taken away.
        let request = log.request();
        let event = Event::new("app.generic.unauth_app_access_attempt", later(at, 2 * HOUR))
            .by(Principal::member(member))
            .from(client)
            .request(&request)
            .outcome("FAILURE", "User attempted unauthorized access to app")
            .on(Principal::app("Reports"));
        log.add(event);
    }
    if scene.engine == Engine::Identity && log.dice.chance(1, 1500) {
        let trace = log.request();
        for event_type in ["user.risk.detect", "policy.entity_risk.evaluate"] {
            let event = Event::new(event_type, later(at, HOUR))
                .on(Principal::member(member))
                .debug("traceId", trace.clone())
                .debug(
                    "risk",
                    "{previousLevel=LOW, level=LOW, detectionName=Entity Risk, reasons=Anomalous Location, issuer=OKTA}",
                );
            log.add(event);
        }
    }
}
