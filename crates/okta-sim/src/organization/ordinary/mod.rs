//! What happens anyway: people work and err, machines run, administrators administer.

mod borrowed;
mod machines;
mod mistakes;
mod phones;
mod testers;
mod upkeep;
mod workday;

pub(super) use mistakes::recovery;
pub(super) use phones::{activate, report};
pub(super) use workday::{evaluate, moved_away};

use super::dice::Dice;
use super::log::{Line, Log};
use super::person::{Member, Person, Role};
use super::sign_in::Engine;

/// The day that is being written.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) seed: u64,
    pub(super) day: i32,
    pub(super) engine: Engine,
    /// Administrators and the help desk.
    pub(super) staff: &'a [Member],
}

impl Scene<'_> {
    /// Somebody of the help desk.
    pub(super) fn help_desk(&self, dice: &mut Dice) -> &Member {
        let desk: Vec<&Member> = self
            .staff
            .iter()
            .filter(|member| member.role == Role::HelpDesk)
            .collect();
        desk[dice.below(desk.len())]
    }
}

/// The day of one account.
pub(super) fn day_of(person: &mut Person, scene: Scene<'_>) -> Vec<Line> {
    let parts = [
        person.member.number as u64,
        u64::from(scene.day.unsigned_abs()),
    ];
    let mut log = Log::new(Dice::of(scene.seed, "day", &parts));
    person.session = None;
    if person.member.is_there(scene.day) {
        if person.member.role.is_human() {
            workday::write(&mut log, person, scene);
            mistakes::old_password(&mut log, person, scene);
        } else {
            machines::write(&mut log, person, scene);
        }
    }
    log.lines
}

/// What concerns nobody in particular, or several.
pub(super) fn day_of_all(people: &mut [Person], scene: Scene<'_>, days: i32) -> Vec<Line> {
    let parts = [u64::from(scene.day.unsigned_abs())];
    let mut log = Log::new(Dice::of(scene.seed, "upkeep", &parts));
    upkeep::write(&mut log, people, scene);
    testers::write(&mut log, people, scene, days);
    log.lines
}
