//! What is kept in memory while an inventory is taken: ids, and what decides whether to ask about them.

use std::collections::{BTreeMap, BTreeSet};

use af_okta::Step;
use serde_json::Value;

use super::plan::{Subjects, is_plain};

/// The objects that later steps ask about, sorted by id.
#[derive(Debug, Default)]
pub(super) struct Known {
    users: BTreeMap<Box<str>, Status>,
    groups: BTreeMap<Box<str>, Group>,
    apps: BTreeSet<Box<str>>,
    /// Users of every status, by its name.
    statuses: BTreeMap<String, u64>,
}

/// Whether somebody left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Here,
    Deprovisioned,
}

/// Which later questions a group is worth.
#[derive(Clone, Copy, Debug)]
struct Group {
    has_members: bool,
    is_everyone: bool,
    is_okta: bool,
}

impl Known {
    /// Remembers an object of a list; `false` when its id is known already.
    pub(super) fn is_new(&mut self, step: Step, object: &Value) -> bool {
        let Some(id) = text(object, "/id") else {
            return true;
        };
        match step {
            Step::Users => {
                if self.users.contains_key(id) {
                    return false;
                }
                let status = text(object, "/status").unwrap_or("UNKNOWN");
                let known = if status == "DEPROVISIONED" {
                    Status::Deprovisioned
                } else {
                    Status::Here
                };
                self.users.insert(id.into(), known);
                *self.statuses.entry(status.to_owned()).or_default() += 1;
                true
            }
            Step::Groups => {
                if self.groups.contains_key(id) {
                    return false;
                }
                let kind = text(object, "/type");
                let users = object.pointer("/_embedded/stats/usersCount");
                let built_in = kind == Some("BUILT_IN");
                let group = Group {
                    has_members: users.and_then(Value::as_u64) != Some(0),
                    is_everyone: built_in && text(object, "/profile/name") == Some("Everyone"),
                    is_okta: kind == Some("OKTA_GROUP"),
                };
                self.groups.insert(id.into(), group);
                true
            }
            Step::Apps => self.apps.insert(id.into()),
            _ => true,
        }
    }

    /// The ids to ask about, sorted. Administrators are not among what is known.
    pub(super) fn subjects(&self, subjects: Subjects) -> Vec<Box<str>> {
        let ids: Box<dyn Iterator<Item = &Box<str>>> = match subjects {
            Subjects::Users => Box::new(
                self.users
                    .iter()
                    .filter(|(_, status)| **status == Status::Here)
                    .map(|(id, _)| id),
            ),
            Subjects::GroupsWithMembers => Box::new(
                self.groups
                    .iter()
                    .filter(|(_, group)| group.has_members && !group.is_everyone)
                    .map(|(id, _)| id),
            ),
            Subjects::OktaGroups => Box::new(
                self.groups
                    .iter()
                    .filter(|(_, group)| group.is_okta)
                    .map(|(id, _)| id),
            ),
            Subjects::Apps => Box::new(self.apps.iter()),
            Subjects::Administrators => Box::new(std::iter::empty()),
        };
        ids.filter(|id| is_plain(id)).cloned().collect()
    }

    /// Whether the built-in group of all users is among the groups.
    pub(super) fn has_everyone(&self) -> bool {
        self.groups.values().any(|group| group.is_everyone)
    }

    /// Users by status.
    pub(super) const fn statuses(&self) -> &BTreeMap<String, u64> {
        &self.statuses
    }
}

fn text<'v>(object: &'v Value, pointer: &str) -> Option<&'v str> {
    object.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(known: &Known, subjects: Subjects) -> Vec<String> {
        known
            .subjects(subjects)
            .into_iter()
            .map(String::from)
            .collect()
    }

    #[test]
    fn leavers_are_counted_but_not_asked_about() {
        let mut known = Known::default();
        for (id, status) in [
            ("00u3", "ACTIVE"),
            ("00u1", "ACTIVE"),
            ("00u2", "DEPROVISIONED"),
        ] {
            assert!(known.is_new(Step::Users, &json!({"id": id, "status": status})));
        }
        let again = json!({"id": "00u1", "status": "DEPROVISIONED"});
        assert!(!known.is_new(Step::Users, &again));
        assert!(known.is_new(Step::Users, &json!({"id": "../x", "status": 7})));
        assert_eq!(ids(&known, Subjects::Users), ["00u1", "00u3"]);
        let counted: Vec<(&str, u64)> = known
            .statuses()
            .iter()
            .map(|(status, users)| (status.as_str(), *users))
            .collect();
        assert_eq!(
            counted,
            [("ACTIVE", 2), ("DEPROVISIONED", 1), ("UNKNOWN", 1)]
        );
    }

    #[test]
    fn a_group_is_asked_about_only_where_there_is_something_to_learn() {
        let mut known = Known::default();
        let group = |id: &str, kind: &str, name: &str, users: Option<u64>| {
            json!({"id": id, "type": kind, "profile": {"name": name},
                   "_embedded": users.map(|users| json!({"stats": {"usersCount": users}}))})
        };
        for group in [
            group("00g1", "BUILT_IN", "Everyone", Some(9)),
            group("00g2", "OKTA_GROUP", "Everyone", Some(9)),
            group("00g3", "OKTA_GROUP", "Empty", Some(0)),
            group("00g4", "APP_GROUP", "Mail", None),
            group("00g5", "BUILT_IN", "Okta Administrators", Some(2)),
        ] {
            assert!(known.is_new(Step::Groups, &group));
        }
        assert!(known.has_everyone());
        assert_eq!(
            ids(&known, Subjects::GroupsWithMembers),
            ["00g2", "00g4", "00g5"]
        );
        assert_eq!(ids(&known, Subjects::OktaGroups), ["00g2", "00g3"]);
    }
}
