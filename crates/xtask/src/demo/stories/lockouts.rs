//! Somebody guesses one person's password, again and again.

use super::super::cast::role;
use super::super::clock::{later, moment};
use super::super::log::Log;
use super::super::network::{Client, LUXEMBOURG, REYKJAVIK};
use super::super::upkeep;
use super::password_spray::lock_out;

/// The executive assistant is locked out in four waves, three times within three hours in the
/// third; the help desk unlocks the account after each but the last. A program is locked out once.
pub(super) fn write(log: &mut Log) {
    log.chapter("lockouts");
    let number = role::EXECUTIVE_ASSISTANT;
    let waves = [
        "2026-11-03 06:40:00",
        "2026-11-09 21:15:00",
        "2026-11-14 10:02:00",
        "2026-11-14 11:10:00",
        "2026-11-14 12:26:00",
        "2026-11-20 20:05:00",
    ];
    for (wave, start) in waves.into_iter().enumerate() {
        let at = moment(start);
        let place = if wave.is_multiple_of(2) {
            &LUXEMBOURG
        } else {
            &REYKJAVIK
        };
        lock_out(log, number, &Client::servers(90 + wave, place), at);
        if wave + 1 < waves.len() {
            let unlock = upkeep::by_administrator(
                log,
                role::HELP_DESK,
                "user.account.unlock_by_admin",
                number,
                later(at, 2400),
            );
            log.add(unlock);
        }
    }
    lock_out(
        log,
        role::BACKUP_SERVICE,
        &Client::servers(120, &LUXEMBOURG),
        moment("2026-11-15 04:30:00"),
    );
}
