//! What administrators and people do with accounts all the time, attacked or not.

use af_model::UtcMillis;

use super::cast::{okta_id, role};
use super::clock::{later, moment};
use super::event::{Event, Principal};
use super::log::Log;

/// Writes thirty days of administration.
pub(crate) fn write(log: &mut Log) {
    log.chapter("upkeep");
    leaver_and_newcomer(log);
    memberships(log);
    own_passwords(log);
    resets(log);
    admin_console(log);
}

/// An administrator does something to an account.
pub(crate) fn by_administrator(
    log: &mut Log,
    operator: usize,
    event_type: &'static str,
    number: usize,
    at: UtcMillis,
) -> Event {
    let client = log.cast[operator].at_office();
    let transaction = log.hex();
    Event::new(event_type, at)
        .by(log.user(operator))
        .from(&client)
        .transaction(&transaction)
        .debug("requestUri", "/api/v1/users")
        .debug("threatSuspected", "false")
        .on(log.user(number))
}

/// A person changes their own password.
pub(crate) fn own_password(log: &mut Log, number: usize, at: UtcMillis) {
    let client = log.cast[number].at_office();
    let transaction = log.hex();
    let event = Event::new("user.account.update_password", at)
        .by(log.user(number))
        .from(&client)
        .transaction(&transaction)
        .debug("requestUri", "/idp/idx/challenge/answer")
        .debug("threatSuspected", "false")
        .on(log.user(number));
    log.add(event);
}

fn leaver_and_newcomer(log: &mut Log) {
    let event = by_administrator(
        log,
        role::HEAD_OF_IT,
        "user.lifecycle.deactivate",
        role::LEAVER,
        moment("2026-11-05 17:00:00"),
    );
    log.add(event);
    let event = by_administrator(
        log,
        role::HELP_DESK,
        "user.lifecycle.create",
        role::NEWCOMER,
        moment("2026-11-18 10:12:00"),
    );
    log.add(event);
    let event = by_administrator(
        log,
        role::HELP_DESK,
        "user.lifecycle.suspend",
        role::ON_LEAVE,
        moment("2026-10-23 15:40:00"),
    );
    log.add(event);
}

fn memberships(log: &mut Log) {
    let groups = ["Projects", "Travel", "Newsletter", "On Call"];
    for step in 0..24_usize {
        let at = later(
            moment("2026-10-22 09:30:00"),
            i64::try_from(step).expect("small") * 104_000,
        );
        let number = (step * 17 + 5) % 60;
        let group = groups[step % groups.len()];
        let event_type = if step % 6 == 5 {
            "group.user_membership.remove"
        } else {
            "group.user_membership.add"
        };
        let event = by_administrator(log, role::HELP_DESK, event_type, number, at).on(
            Principal::new("UserGroup", &okta_id("00g", group), "unknown", group),
        );
        log.add(event);
        if step.is_multiple_of(3) {
            let name = super::workdays::APPLICATIONS[step % 6];
            let app = Principal::new("AppInstance", &okta_id("0oa", name), name, name);
            let event = by_administrator(
                log,
                role::HELP_DESK,
                "application.user_membership.add",
                number,
                at,
            )
            .on(app);
            log.add(event);
        }
    }
}

fn own_passwords(log: &mut Log) {
    for number in (2..60).step_by(5) {
        let hours = i64::try_from(number).expect("small") * 11;
        let at = later(moment("2026-10-23 10:05:00"), hours * 3600);
        if log.cast[number].works_at(at) {
            own_password(log, number, at);
        }
    }
}

fn resets(log: &mut Log) {
    for (number, at) in [(19, "2026-10-29 09:41:00"), (48, "2026-11-16 13:12:00")] {
        let at = moment(at);
        let reset = by_administrator(
            log,
            role::HELP_DESK,
            "user.account.reset_password",
            number,
            at,
        );
        log.add(reset);
        own_password(log, number, later(at, 900));
    }
    let at = moment("2026-11-09 11:00:00");
    let reset = by_administrator(log, role::HELP_DESK, "user.mfa.factor.reset_all", 6, at);
    log.add(reset);
    let client = log.cast[6].at_office();
    let activated = Event::new("user.mfa.factor.activate", later(at, 1200))
        .by(log.user(6))
        .from(&client)
        .on(log.user(6))
        .debug("factor", "OKTA_VERIFY_PUSH")
        .debug("threatSuspected", "false");
    log.add(activated);
    let granted = by_administrator(
        log,
        role::HEAD_OF_IT,
        "user.account.privilege.grant",
        role::HELP_DESK,
        moment("2026-11-03 14:20:00"),
    )
    .debug("privilegeGranted", "Help desk administrator");
    log.add(granted);
}

/// Administrators at their console.
fn admin_console(log: &mut Log) {
    for turn in 0..16_usize {
        let operator = [role::HEAD_OF_IT, role::ADMINISTRATOR, role::HELP_DESK][turn % 3];
        let at = later(
            moment("2026-10-22 13:20:00"),
            i64::try_from(turn).expect("small") * 154_800,
        );
        let client = log.cast[operator].at_office();
        let transaction = log.hex();
        let console = "Okta Admin Console";
        let opened = Event::new("user.session.access_admin_app", at)
            .by(log.user(operator))
            .from(&client)
            .transaction(&transaction)
            .on(Principal::new(
                "AppInstance",
                &okta_id("0oa", console),
                console,
                console,
            ))
            .debug("requestUri", "/admin/sso/request")
            .debug("threatSuspected", "false");
        log.add(opened);
    }
}
