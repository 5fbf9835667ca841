//! Applications and who may use them.

use af_model::UtcMillis;
use serde_json::{Value, json};

use super::groups::Group;
use super::list::{PageSize, page};
use super::{Account, Asked, Directory, Found};
use crate::answer::Refusal;

/// One application.
#[derive(Clone, Debug)]
pub(super) struct App {
    id: String,
    label: &'static str,
    sign_on: &'static str,
    active: bool,
    /// Groups that may use it, by their place.
    groups: Vec<usize>,
}

/// Label and sign-on mode. The labels are those of the simulated organization's log.
const APPS: [(&str, &str); 7] = [
    ("Mail", "SAML_2_0"),
    ("Calendar", "SAML_2_0"),
    ("Wiki", "OPENID_CONNECT"),
    ("Payroll", "SECURE_PASSWORD_STORE"),
    ("Source Code", "SAML_2_0"),
    ("Tickets", "OPENID_CONNECT"),
    ("Whiteboard", "BOOKMARK"),
];

/// Applications used by everybody; the others belong to a group.
const FOR_ALL: usize = 2;

const CREATED: UtcMillis = UtcMillis(1_736_150_400_000);

/// The applications of an org with these groups.
pub(super) fn of(groups: &[Group]) -> Vec<App> {
    let others = groups.len().saturating_sub(1).max(1);
    APPS.iter()
        .enumerate()
        .map(|(number, (label, sign_on))| {
            let short: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
            App {
                id: format!("0oa{short:0>17}"),
                label,
                sign_on,
                active: number + 1 < APPS.len(),
                groups: if number < FOR_ALL || groups.len() < 2 {
                    vec![0]
                } else {
                    let mut of_app = vec![1 + number % others, 1 + (number + 3) % others];
                    of_app.dedup();
                    of_app
                },
            }
        })
        .collect()
}

impl App {
    fn json(&self, base: &str) -> String {
        json!({
            "id": self.id,
            "name": self.label.to_lowercase().replace(' ', "_"),
            "label": self.label,
            "status": if self.active { "ACTIVE" } else { "INACTIVE" },
            "created": CREATED.to_string(),
            "lastUpdated": CREATED.to_string(),
            "accessibility": { "selfService": false, "errorRedirectUrl": Value::Null },
            "visibility": { "autoSubmitToolbar": false, "appLinks": { "login": true } },
            "features": [],
            "signOnMode": self.sign_on,
            "settings": { "app": {} },
            "_links": {
                "users": { "href": format!("{base}/api/v1/apps/{}/users", self.id) },
                "groups": { "href": format!("{base}/api/v1/apps/{}/groups", self.id) },
            },
        })
        .to_string()
    }
}

impl Directory {
    fn app(&self, id: &str) -> Result<&App, Refusal> {
        self.apps
            .iter()
            .find(|app| app.id == id)
            .ok_or_else(|| Refusal::not_found("the application"))
    }

    pub(super) fn apps(&self, asked: Asked<'_>) -> Found {
        let size = PageSize {
            usual: 200,
            largest: 200,
        };
        page(
            asked,
            &self.apps,
            size,
            |app| &app.id,
            |app| app.json(asked.base),
        )
    }

    /// Whoever is in one of its groups, and a few by themselves.
    pub(super) fn app_users(&self, id: &str, asked: Asked<'_>) -> Found {
        let app = self.app(id)?;
        let users: Vec<(&Account, &str)> = self
            .accounts
            .iter()
            .filter(|account| account.is_active(asked.now))
            .filter_map(|account| {
                let through = app
                    .groups
                    .iter()
                    .any(|group| self.groups[*group].has(account, asked.now));
                let direct = account.number(&app.id).is_multiple_of(20);
                match (direct, through) {
                    (true, _) => Some((account, "USER")),
                    (false, true) => Some((account, "GROUP")),
                    (false, false) => None,
                }
            })
            .collect();
        let size = PageSize {
            usual: 50,
            largest: 500,
        };
        page(
            asked,
            &users,
            size,
            |(account, _)| &account.id,
            |(account, scope)| {
                let created = UtcMillis(account.created().max(CREATED.0)).to_string();
                json!({
                    "id": account.id,
                    "externalId": Value::Null,
                    "created": created,
                    "lastUpdated": created,
                    "scope": scope,
                    "status": "ACTIVE",
                    "statusChanged": created,
                    "passwordChanged": Value::Null,
                    "syncState": "DISABLED",
                    "credentials": { "userName": account.login },
                    "profile": { "email": account.email },
                    "_links": {
                        "app": { "href": format!("{}/api/v1/apps/{}", asked.base, app.id) },
                        "user": { "href": format!("{}/api/v1/users/{}", asked.base, account.id) },
                    },
                })
                .to_string()
            },
        )
    }

    /// The groups of an application; one of them comes twice, with another role, as Okta does.
    pub(super) fn app_groups(&self, id: &str, asked: Asked<'_>) -> Found {
        let app = self.app(id)?;
        let mut assigned: Vec<(&Group, &str)> = app
            .groups
            .iter()
            .map(|group| (&self.groups[*group], "member"))
            .collect();
        if app.sign_on == "OPENID_CONNECT" {
            assigned.insert(1, (assigned[0].0, "editor"));
        }
        let size = PageSize {
            usual: 20,
            largest: 200,
        };
        page(
            asked,
            &assigned,
            size,
            |(group, _)| &group.id,
            |(group, role)| {
                let href = format!("{}/api/v1/groups/{}", asked.base, group.id);
                json!({
                    "id": group.id,
                    "lastUpdated": CREATED.to_string(),
                    "priority": 0,
                    "profile": { "role": role },
                    "_links": { "group": { "href": href } },
                })
                .to_string()
            },
        )
    }
}
