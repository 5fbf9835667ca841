//! The log being written.

use super::dice::Dice;
use super::event::Event;
use super::truth::uuid_text;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// Milliseconds since 1970.
    pub(super) published: i64,
    pub(super) uuid: u128,
    pub(super) json: String,
}

/// The lines of one subject, and where its chance comes from.
pub(super) struct Log {
    pub(super) dice: Dice,
    pub(super) lines: Vec<Line>,
}

impl Log {
    pub(super) fn new(dice: Dice) -> Self {
        Self {
            dice,
            lines: Vec::new(),
        }
    }

    /// Adds an event a few milliseconds after its time and gives it its id, which is returned.
    pub(super) fn add(&mut self, mut event: Event) -> u128 {
        event.published.0 += self.dice.between(0, 899);
        // Version 4, variant 1.
        let uuid = self.dice.wide() & !(0xf000_u128 << 64) & !(0xc000_u128 << 48)
            | (0x4000_u128 << 64)
            | (0x8000_u128 << 48);
        event.uuid = uuid_text(uuid);
        self.lines.push(Line {
            published: event.published.0,
            uuid,
            json: serde_json::to_string(&event).expect("an event has text keys and plain values"),
        });
        uuid
    }

    /// A new id of a request.
    pub(super) fn request(&mut self) -> String {
        format!("{:032x}", self.dice.wide())
    }

    /// A new id of a session.
    pub(super) fn session(&mut self) -> String {
        self.dice.okta_id("idx")
    }
}
