//! Administration: assignments, the Admin Console, policies, limits.

use super::super::calendar::{HOUR, is_working_day, later, local, utc_day};
use super::super::event::{Event, Principal};
use super::super::log::Log;
use super::super::names::APPLICATIONS;
use super::super::person::{Person, Role};
use super::Scene;

/// Writes what administrators do on a day.
pub(super) fn write(log: &mut Log, people: &mut [Person], scene: Scene<'_>) {
    limits(log, scene);
    leavers(log, people, scene);
    if !is_working_day(scene.day) {
        return;
    }
    console(log, people);
    for _ in 0..(people.len() / 120).max(1) {
        let number = log.dice.below(people.len());
        let member = &people[number].member;
        if !member.role.is_human() {
            continue;
        }
        let at = later(
            utc_day(scene.day).start(),
            log.dice.between(8 * HOUR, 17 * HOUR),
        );
        let request = log.request();
        let desk = scene.help_desk(&mut log.dice);
        let event = |event_type| {
            Event::new(event_type, at)
                .by(Principal::member(desk))
                .request(&request)
                .on(Principal::member(member))
        };
        let done = match log.dice.below(12) {
            0..5 => event("group.user_membership.add").on(group()),
            5 | 6 => event("group.user_membership.remove").on(group()),
            7..11 => {
                let app = *log.dice.pick(&APPLICATIONS);
                event("application.user_membership.add").on(Principal::app(app))
            }
            _ => event("user.account.reset_password"),
        };
        log.add(done);
    }
}

/// Whoever left loses the account.
fn leavers(log: &mut Log, people: &[Person], scene: Scene<'_>) {
    for person in people {
        if person.member.left == Some(scene.day) {
            let seconds = log.dice.between(HOUR, 6 * HOUR);
            let at = later(utc_day(scene.day).start(), seconds);
            let desk = scene.help_desk(&mut log.dice);
            let event = Event::new("user.lifecycle.deactivate", at)
                .by(Principal::member(desk))
                .on(Principal::member(&person.member));
            log.add(event);
        }
    }
}

fn group() -> Principal {
    Principal::new("UserGroup", "00g000000000projects", "unknown", "Projects")
}

/// Administrators at their console, from where they are today; now and then a policy changes.
fn console(log: &mut Log, people: &[Person]) {
    for person in people {
        let on_duty = matches!(person.member.role, Role::Administrator | Role::HelpDesk);
        let Some(session) = person.session.as_ref().filter(|_| on_duty) else {
            continue;
        };
        let at = later(session.started, log.dice.between(60, 5 * HOUR));
        let request = log.request();
        let member = &person.member;
        let event = |event_type| {
            Event::new(event_type, at)
                .by(Principal::member(member))
                .from(&session.client)
                .session(&session.id)
                .request(&request)
                .on(Principal::app("Okta Admin Console"))
        };
        let behaviors = person.history.judge(&session.client, at);
        let policy = event("policy.evaluate_sign_on")
            .outcome("ALLOW", "Sign-on policy evaluation resulted in ALLOW")
            .debug("requestUri", "/admin/sso/request")
            .debug("risk", "{level=LOW}")
            .debug("behaviors", behaviors.text());
        log.add(policy);
        log.add(event("user.session.access_admin_app").debug("requestUri", "/admin/sso/request"));
        if member.role == Role::Administrator && log.dice.chance(1, 20) {
            let event_type = *log.dice.pick(&[
                "policy.rule.update",
                "policy.lifecycle.update",
                "zone.update",
                "application.lifecycle.update",
                "user.account.privilege.grant",
                "system.api_token.create",
            ]);
            let change = Event::new(event_type, later(at, 300))
                .by(Principal::member(member))
                .from(&session.client)
                .session(&session.id)
                .request(&request)
                .on(Principal::new(
                    "PolicyEntity",
                    "00p000000000example0",
                    "unknown",
                    "Access",
                ));
            log.add(change);
        }
    }
}

/// Limits are reached at the busiest hours.
fn limits(log: &mut Log, scene: Scene<'_>) {
    for _ in 0..log.dice.below(4) {
        let hour = log.dice.between(8, 11);
        let at = local(scene.day, &super::super::places::OFFICES[0], hour * HOUR);
        let event_type = *log.dice.pick(&[
            "system.org.rate_limit.warning",
            "system.org.rate_limit.warning",
            "system.org.rate_limit.violation",
        ]);
        log.add(Event::new(event_type, at).debug("requestUri", "/api/v1/users"));
    }
}
