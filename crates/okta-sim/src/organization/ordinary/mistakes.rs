//! Typing errors, forgotten passwords, missed pushes, and an old password on an old device.

use af_model::UtcMillis;

use super::super::calendar::{HOUR, MINUTE, later, local};
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::network::Client;
use super::super::person::{Factor, Person};
use super::super::sign_in::{Answer, Engine, Try, Way, push, unknown_name, wrong_password};
use super::super::software::Make;
use super::Scene;

/// What goes wrong before a sign-in succeeds; returns when it is tried for the last time.
pub(super) fn before_sign_in(
    log: &mut Log,
    person: &mut Person,
    scene: Scene<'_>,
    client: &Client,
    start: UtcMillis,
) -> UtcMillis {
    let mut at = start;
    let forgets = if person.is_back(scene.day) {
        log.dice.chance(1, 40)
    } else {
        log.dice.chance(1, 700)
    };
    if log.dice.chance(1, 150) {
        // A slip in the name: an account that does not exist.
        let mut name = person.member.login.clone();
        name.remove(log.dice.below(4));
        unknown_name(log, &name, client, at, Way::Page, false);
        at = later(at, log.dice.between(8, 40));
    }
    if forgets {
        at = forgotten(log, person, scene, client, at);
    } else if log.dice.chance(6, 100) {
        loop {
            wrong_password(log, person, client, at, Way::Page, scene.engine, false);
            at = later(at, log.dice.between(6, 40));
            if !log.dice.chance(1, 4) {
                break;
            }
        }
    }
    at = pushes(log, person, scene, client, at);
    if person.is_locked(at) {
        at = later(person.locked_until, log.dice.between(5, 600));
    }
    at
}

/// Somebody tries what they remember, then asks for a new password, now and then more than once.
fn forgotten(
    log: &mut Log,
    person: &mut Person,
    scene: Scene<'_>,
    client: &Client,
    start: UtcMillis,
) -> UtcMillis {
    let mut at = start;
    for _ in 0..log.dice.skewed(2, 11) {
        wrong_password(log, person, client, at, Way::Page, scene.engine, false);
        at = later(at, log.dice.between(8, 90));
    }
    if person.is_locked(at) && log.dice.chance(1, 2) {
        at = later(at, log.dice.between(10 * MINUTE, 50 * MINUTE));
        let desk = scene.help_desk(&mut log.dice);
        let event = Event::new("user.account.unlock_by_admin", at)
            .by(Principal::member(desk))
            .on(Principal::member(&person.member));
        log.add(event);
        person.locked_until = at;
    }
    let mails = if log.dice.chance(1, 5) {
        log.dice.skewed(2, 5)
    } else {
        1
    };
    for _ in 0..mails {
        at = later(at, log.dice.between(30, 400));
        recovery(
            log,
            person,
            client,
            at,
            "system.email.password_reset.sent_message",
        );
    }
    at = later(at, log.dice.between(60, 900));
    let request = log.request();
    for event_type in [
        "user.account.reset_password",
        "user.account.update_password",
    ] {
        let event = Event::new(event_type, at)
            .by(Principal::member(&person.member))
            .from(client)
            .request(&request)
            .on(Principal::member(&person.member));
        log.add(event);
    }
    person.failures = 0;
    person.locked_until = at;
    later(at, 30)
}

/// A message that helps somebody back into the account.
pub(in super::super) fn recovery(
    log: &mut Log,
    person: &Person,
    client: &Client,
    at: UtcMillis,
    event_type: &'static str,
) {
    let request = log.request();
    let event = Event::new(event_type, at)
        .by(Principal::member(&person.member))
        .from(client)
        .request(&request)
        .on(Principal::member(&person.member))
        .debug("requestUri", "/idp/idx/recover");
    log.add(event);
}

/// Pushes that are missed, refused by a slip of the thumb, or by the telephone itself.
fn pushes(
    log: &mut Log,
    person: &mut Person,
    scene: Scene<'_>,
    client: &Client,
    start: UtcMillis,
) -> UtcMillis {
    let mut at = start;
    if !matches!(person.factor, Factor::Push | Factor::NumberChallenge) {
        return at;
    }
    let broken = person
        .broken_phone
        .is_some_and(|(from, to)| (from..=to).contains(&scene.day));
    let answers: Vec<Answer> = if broken {
        let by_itself = *log.dice.pick(&[Answer::Refused, Answer::Unanswered]);
        vec![by_itself; usize::try_from(log.dice.skewed(2, 7)).expect("small")]
    } else if person.factor == Factor::NumberChallenge
        && scene.engine == Engine::Identity
        && log.dice.chance(1, 120)
    {
        vec![Answer::WrongNumber]
    } else if log.dice.chance(2, 100) {
        vec![Answer::Unanswered; 1 + log.dice.below(3)]
    } else if log.dice.chance(1, 500) {
        vec![Answer::Refused]
    } else {
        return at;
    };
    let session = log.session();
    for answer in answers {
        let attempt = Try::of(person, client, at, log);
        push(log, attempt, &session, answer, scene.engine);
        at = later(at, log.dice.between(40, 330));
    }
    at
}

/// A mail program on an old device retries all day, and locks the account again and again.
pub(super) fn old_password(log: &mut Log, person: &mut Person, scene: Scene<'_>) {
    let Some((from, to)) = person.old_password else {
        return;
    };
    if !(from..=to).contains(&scene.day) {
        return;
    }
    let mut at = local(scene.day, person.member.place(), 7 * HOUR);
    let end = local(scene.day, person.member.place(), 22 * HOUR);
    let every = log.dice.skewed(4, 40) * MINUTE;
    while at < end {
        let moment = log.dice.below(24);
        let mut client = if log.dice.chance(1, 2) {
            person.at_home(scene.seed, scene.day)
        } else {
            person.phone_somewhere(scene.day, moment)
        };
        client.software = Make::MailClient.on(scene.day, 0);
        (client.token, client.device) = (None, None);
        wrong_password(
            log,
            person,
            &client,
            at,
            Way::RichClient,
            scene.engine,
            false,
        );
        at = later(at, every + log.dice.between(0, 60));
    }
}
