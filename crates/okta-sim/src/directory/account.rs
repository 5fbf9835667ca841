//! One account of the org.

use af_model::UtcMillis;
use serde_json::{Value, json};

use crate::organization;
use crate::random::Random;

/// One account, and when it is what.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(super) id: String,
    /// In lower case.
    pub(super) login: String,
    pub(super) email: String,
    pub(super) department: Option<String>,
    pub(super) administrator: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Somebody of the simulated organization; instants by the org's clock.
    Simulated {
        name: String,
        title: &'static str,
        user_type: &'static str,
        place: (&'static str, &'static str),
        joined: i64,
        left: Option<i64>,
    },
    /// Somebody's own user, answered as it was given.
    Given { status: String, json: String },
}

impl Account {
    /// An account of the simulated organization, whose calendar is moved by so many milliseconds.
    pub(crate) fn simulated(account: organization::Account, moved: i64) -> Self {
        Self {
            id: account.uid,
            email: account.login.clone(),
            login: account.login,
            department: Some(account.department.to_owned()),
            administrator: account.privileged,
            kind: Kind::Simulated {
                name: account.name,
                title: account.title,
                user_type: account.user_type,
                place: account.place,
                joined: account.joined.0 + moved,
                left: account.left.map(|left| left.0 + moved),
            },
        }
    }

    /// Somebody's own user; none without an id.
    pub(super) fn given(user: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let profile = &user["profile"];
        let id = text(&user["id"]).filter(|id| !id.is_empty())?;
        let login = text(&profile["login"]).unwrap_or_else(|| id.clone());
        let title = text(&profile["title"]).unwrap_or_default();
        Some(Self {
            email: text(&profile["email"]).unwrap_or_else(|| login.clone()),
            login: login.to_lowercase(),
            department: text(&profile["department"]).filter(|text| !text.is_empty()),
            administrator: title.to_lowercase().contains("administrator"),
            kind: Kind::Given {
                status: text(&user["status"]).unwrap_or_else(|| "ACTIVE".to_owned()),
                json: user.to_string(),
            },
            id,
        })
    }

    /// Its status at an instant; none before it exists.
    pub(super) fn status(&self, now: i64) -> Option<&str> {
        match &self.kind {
            Kind::Given { status, .. } => Some(status),
            Kind::Simulated { joined, .. } if now < *joined => None,
            Kind::Simulated {
                left: Some(left), ..
            } if *left <= now => Some("DEPROVISIONED"),
            Kind::Simulated { .. } => Some("ACTIVE"),
        }
    }

    /// Whether it is in groups and uses applications.
    pub(super) fn is_active(&self, now: i64) -> bool {
        self.status(now)
            .is_some_and(|status| status != "DEPROVISIONED")
    }

    /// A number that is always the same for the account and a purpose.
    pub(super) fn number(&self, purpose: &str) -> u64 {
        let mut random = Random::of(0, &self.id);
        Random::of(random.next_u64(), purpose).next_u64()
    }

    /// When something about it happened: some day before the instant it was made known.
    pub(super) fn created(&self) -> i64 {
        match &self.kind {
            Kind::Simulated { joined, .. } => *joined,
            // 2025-01-06; what was given says nothing about its devices.
            Kind::Given { .. } => 1_736_150_400_000,
        }
    }

    /// The object as `GET /api/v1/users` shows it.
    pub(super) fn json(&self, base: &str, now: i64) -> String {
        let (name, title, user_type, place, joined, left) = match &self.kind {
            Kind::Given { json, .. } => return json.clone(),
            Kind::Simulated {
                name,
                title,
                user_type,
                place,
                joined,
                left,
            } => (name, title, user_type, place, *joined, *left),
        };
        let text = |millis: i64| UtcMillis(millis).to_string();
        let left = left.filter(|left| *left <= now);
        let (first, last) = name.split_once(' ').unwrap_or((name.as_str(), ""));
        let password = joined + i64::try_from(self.number("password") % 86_400_000).unwrap_or(0);
        let seen = left.unwrap_or(now).max(joined);
        // Somebody uses an account on most days; the minute is anybody's guess.
        let seen = seen - i64::try_from(self.number("seen") % 36_000_000).unwrap_or(0);
        json!({
            "id": self.id,
            "status": self.status(now),
            "created": text(joined),
            "activated": text(joined),
            "statusChanged": text(left.unwrap_or(joined)),
            "lastLogin": text(seen.max(joined)),
            "lastUpdated": text(left.unwrap_or(password)),
            "passwordChanged": text(password),
            "realmId": Value::Null,
            "type": { "id": "oty000000000000Default" },
            "profile": {
                "login": self.login,
                "email": self.email,
                "firstName": first,
                "lastName": last,
                "displayName": name,
                "userType": user_type,
                "title": title,
                "department": self.department,
                "city": place.0,
                "countryCode": place.1,
                "secondEmail": Value::Null,
                "mobilePhone": Value::Null,
                "locale": "en_US",
            },
            "credentials": {
                "emails": [{ "value": self.email, "status": "VERIFIED", "type": "PRIMARY" }],
                "provider": { "type": "OKTA", "name": "OKTA" },
            },
            "_links": { "self": { "href": format!("{base}/api/v1/users/{}", self.id) } },
        })
        .to_string()
    }
}
