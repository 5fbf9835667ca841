//! Administrators.

use af_model::UtcMillis;
use serde_json::{Value, json};

use super::list::{PageSize, page, whole};
use super::{Account, Asked, Directory, Found};
use crate::answer::{Answer, Refusal};
use crate::random::Random;

/// Type and label of a role.
pub(super) type Kind = (&'static str, &'static str);

const SUPER: Kind = ("SUPER_ADMIN", "Super Organization Administrator");

const OTHERS: [Kind; 4] = [
    ("HELP_DESK_ADMIN", "Help Desk Administrator"),
    ("READ_ONLY_ADMIN", "Read-only Administrator"),
    ("APP_ADMIN", "Application Administrator"),
    ("USER_ADMIN", "Group Administrator"),
];

/// Who is an administrator of what; there is always one if there is anybody.
pub(super) fn of(accounts: &[Account]) -> Vec<(usize, Kind)> {
    let mut administrators: Vec<usize> = (0..accounts.len())
        .filter(|place| accounts[*place].administrator)
        .collect();
    if administrators.is_empty() && !accounts.is_empty() {
        administrators.push(0);
    }
    let kinds = std::iter::once(SUPER).chain(OTHERS.into_iter().cycle());
    administrators.into_iter().zip(kinds).collect()
}

fn role(holder: &str, (kind, label): Kind, by: &str, href: &str) -> Value {
    // 2025-01-06.
    let created = UtcMillis(1_736_150_400_000).to_string();
    json!({
        "id": Random::of(7, &format!("{holder} {kind}")).okta_id("ra1"),
        "label": label,
        "type": kind,
        "status": "ACTIVE",
        "created": created,
        "lastUpdated": created,
        "assignmentType": by,
        "_links": { "assignee": { "href": href } },
    })
}

impl Directory {
    pub(super) fn user_roles(&self, key: &str, asked: Asked<'_>) -> Found {
        let account = self.account(key, asked.now)?;
        let href = format!("{}/api/v1/users/{}", asked.base, account.id);
        let roles = self
            .roles
            .iter()
            .filter(|(place, _)| self.accounts[*place].id == account.id);
        let roles = roles.map(|(_, kind)| role(&account.id, *kind, "USER", &href).to_string());
        Ok(whole(roles))
    }

    /// The group of the first department helps people; it holds its role as a group.
    pub(super) fn group_roles(&self, id: &str, asked: Asked<'_>) -> Found {
        let group = self.group(id)?;
        let href = format!("{}/api/v1/groups/{id}", asked.base);
        let holds = self.helping_group() == Some(group.id.as_str());
        let roles = holds.then(|| role(id, OTHERS[0], "GROUP", &href).to_string());
        Ok(whole(roles))
    }

    /// Only who holds a role, so that nobody needs to ask for everybody.
    pub(super) fn assignees(&self, asked: Asked<'_>) -> Found {
        let holders: Vec<&Account> = self
            .roles
            .iter()
            .map(|(place, _)| &self.accounts[*place])
            .filter(|account| account.is_active(asked.now))
            .collect();
        let size = PageSize {
            usual: 100,
            largest: 100,
        };
        let (list, links) = page(
            asked,
            &holders,
            size,
            |account| &account.id,
            |account| {
                json!({
                    "id": account.id,
                    "orn": format!("orn:okta:directory:{}:users:{}", self.org_id, account.id),
                    "_links": { "self": { "href":
                        format!("{}/api/v1/users/{}", asked.base, account.id) } },
                })
                .to_string()
            },
        )?;
        // The one list that is wrapped; its next page is named inside as well as in the header.
        let mut body = b"{\"value\":".to_vec();
        body.extend_from_slice(&list.body);
        let next = links.as_ref().and_then(|links| links.next.clone());
        let inside = match next {
            Some(next) => json!({ "next": { "href": next } }),
            None => json!({}),
        };
        body.extend_from_slice(format!(",\"_links\":{inside}}}").as_bytes());
        Ok((Answer::of(200, body), links))
    }

    fn helping_group(&self) -> Option<&str> {
        self.groups
            .iter()
            .find(|group| group.department.is_some())
            .map(|group| group.id.as_str())
    }

    /// A group by its id.
    pub(super) fn group(&self, id: &str) -> Result<&super::Group, Refusal> {
        self.groups
            .iter()
            .find(|group| group.id == id)
            .ok_or_else(|| Refusal::not_found("the group"))
    }
}
