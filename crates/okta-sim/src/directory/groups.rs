//! Groups: everybody, one for each department, and those of two applications.

use std::collections::BTreeSet;

use af_model::UtcMillis;
use serde_json::{Value, json};

use super::list::{PageSize, page};
use super::{Account, Asked, Directory, Found};
use crate::random::Random;

/// One group and who is in it.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    kind: &'static str,
    /// Everybody of this department.
    pub(super) department: Option<String>,
}

/// Groups that applications bring along.
const OF_APPS: [&str; 2] = ["Wiki Editors", "Source Code Reviewers"];

/// When groups were made: 2025-01-06.
const CREATED: UtcMillis = UtcMillis(1_736_150_400_000);

/// The groups of these accounts: always the same ones, in the order of their names.
pub(super) fn of(accounts: &[Account], seed: u64) -> Vec<Group> {
    let departments: BTreeSet<&str> = accounts
        .iter()
        .filter_map(|account| account.department.as_deref())
        .collect();
    let group = |name: &str, kind, department: Option<&str>| Group {
        id: Random::of(seed, &format!("{kind} {name}")).okta_id("00g"),
        name: name.to_owned(),
        kind,
        department: department.map(str::to_owned),
    };
    let mut groups = vec![group("Everyone", "BUILT_IN", None)];
    groups.extend(
        departments
            .iter()
            .map(|department| group(department, "OKTA_GROUP", Some(department))),
    );
    groups.extend(OF_APPS.iter().map(|name| group(name, "APP_GROUP", None)));
    groups
}

impl Group {
    /// Whether an account is in it.
    pub(super) fn has(&self, account: &Account, now: i64) -> bool {
        account.is_active(now)
            && match (self.kind, &self.department) {
                ("BUILT_IN", _) => true,
                (_, Some(department)) => account.department.as_ref() == Some(department),
                (_, None) => account.number(&self.id).is_multiple_of(4),
            }
    }

    fn json(&self, asked: Asked<'_>, members: Option<usize>) -> String {
        let class = if self.kind == "APP_GROUP" {
            "okta:windows_security_principal"
        } else {
            "okta:user_group"
        };
        let href = format!("{}/api/v1/groups/{}", asked.base, self.id);
        let mut group = json!({
            "id": self.id,
            "created": CREATED.to_string(),
            "lastUpdated": CREATED.to_string(),
            "lastMembershipUpdated": CREATED.to_string(),
            "objectClass": [class],
            "type": self.kind,
            "profile": { "name": self.name, "description": Value::Null },
            "_links": {
                "users": { "href": format!("{href}/users") },
                "apps": { "href": format!("{href}/apps") },
            },
        });
        if let Some(members) = members {
            group["_embedded"] = json!({ "stats": {
                "usersCount": members,
                "appsCount": 1,
                "groupPushMappingsCount": 0,
                "hasAdminPrivilege": false,
            }});
        }
        group.to_string()
    }
}

impl Directory {
    /// The accounts in a group.
    pub(super) fn members(&self, group: &Group, now: i64) -> Vec<&Account> {
        self.accounts
            .iter()
            .filter(|account| group.has(account, now))
            .collect()
    }

    pub(super) fn groups(&self, asked: Asked<'_>) -> Found {
        let counts = asked
            .call
            .parameter("expand")
            .is_some_and(|expand| expand.contains("stats"));
        let size = PageSize {
            usual: 200,
            largest: 10_000,
        };
        page(
            asked,
            &self.groups,
            size,
            |group| &group.id,
            |group| group.json(asked, counts.then(|| self.members(group, asked.now).len())),
        )
    }

    pub(super) fn group_users(&self, id: &str, asked: Asked<'_>) -> Found {
        let members = self.members(self.group(id)?, asked.now);
        let size = PageSize {
            usual: 1000,
            largest: 1000,
        };
        page(
            asked,
            &members,
            size,
            |account| &account.id,
            |account| account.json(asked.base, asked.now),
        )
    }

    /// Whoever is in a department is put into its group.
    pub(super) fn group_rules(&self, asked: Asked<'_>) -> Found {
        let rules: Vec<(String, &Group, &str)> = self
            .groups
            .iter()
            .filter_map(|group| {
                let department = group.department.as_deref()?;
                let id = Random::of(3, &group.id).okta_id("0pr");
                Some((id, group, department))
            })
            .collect();
        let size = PageSize {
            usual: 50,
            largest: 200,
        };
        page(
            asked,
            &rules,
            size,
            |(id, _, _)| id,
            |(id, group, department)| {
                json!({
                    "type": "group_rule",
                    "id": id,
                    "status": "ACTIVE",
                    "name": format!("People of {department}"),
                    "created": CREATED.to_string(),
                    "lastUpdated": CREATED.to_string(),
                    "conditions": {
                        "people": { "users": { "exclude": [] }, "groups": { "exclude": [] } },
                        "expression": {
                            "value": format!("user.department==\"{department}\""),
                            "type": "urn:okta:expression:1.0",
                        },
                    },
                    "actions": { "assignUserToGroups": { "groupIds": [group.id] } },
                })
                .to_string()
            },
        )
    }
}
