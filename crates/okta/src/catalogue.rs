//! Okta's public event-type catalogue: which types exist, and which of them a customer can see.
//!
//! ```
//! use af_okta::catalogue;
//!
//! assert!(catalogue::event_type("user.session.start").is_some());
//! assert_eq!(catalogue::event_type("zone.lifecycle.create"), None);
//! assert!(catalogue::event_type("security.password_spray.detected").unwrap().internal);
//! ```

use std::collections::HashMap;
use std::sync::LazyLock;

/// The catalogue's release.
pub const RELEASE: &str = "2026.08.1";

const LIST: &str = include_str!("../../../data/schemas/okta-event-types.csv");

/// What the catalogue says about one event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventType {
    /// Never reaches a customer's log: a rule on it can never fire.
    pub internal: bool,
    /// Not generally available yet; may change.
    pub beta: bool,
}

static BY_NAME: LazyLock<HashMap<&'static str, EventType>> =
    LazyLock::new(|| event_types().collect());

/// The event type of a name, which compares byte for byte; `None` if the catalogue does not have it.
pub fn event_type(name: &str) -> Option<EventType> {
    BY_NAME.get(name).copied()
}

/// All event types in name order, for messages that suggest a valid name.
pub fn event_types() -> impl Iterator<Item = (&'static str, EventType)> {
    LIST.lines().skip(1).filter_map(|line| {
        let mut fields = line.split(',');
        let (name, internal, beta) = (fields.next()?, fields.next()?, fields.next()?);
        let event_type = EventType {
            internal: internal == "true",
            beta: beta == "true",
        };
        Some((name, event_type))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete_sorted_and_well_formed() {
        let names: Vec<_> = event_types().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 1274);
        assert_eq!(LIST.lines().count(), 1275);
        assert!(names.is_sorted_by(|left, right| left < right));
        for line in LIST.lines().skip(1) {
            let flags: Vec<_> = line.split(',').skip(1).collect();
            assert_eq!(flags.len(), 2, "{line}");
            assert!(
                flags.iter().all(|flag| matches!(*flag, "true" | "false")),
                "{line}"
            );
        }
        assert_eq!(event_types().filter(|(_, t)| t.internal).count(), 13);
        assert_eq!(event_types().filter(|(_, t)| t.beta).count(), 83);
    }

    #[test]
    fn names_that_only_published_lists_have_are_not_in_it() {
        assert_eq!(event_type("application.policy.lifecycle.create"), None);
        assert_eq!(event_type("Zone.update"), None);
        assert!(event_type("zone.update").is_some());
    }
}
