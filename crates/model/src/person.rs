//! A person of the directory and whom they are compared with.

use serde::{Deserialize, Serialize};

use crate::tables::directory;
use crate::time::UtcMillis;

/// One person of the directory: a row of the `directory` table.
pub type Person = directory::Row;

/// Who is compared with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Population {
    /// People.
    Human,
    /// Service accounts, bots and other accounts without a person behind them.
    Service,
}

impl Population {
    /// The name written in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Service => "service",
        }
    }
}

impl Person {
    /// A person of whom only the required columns are known: active, human, always there.
    ///
    /// ```
    /// use af_model::Person;
    /// let ana = Person::new("acme", "00u1", "ana@example.com");
    /// assert_eq!(ana.status, None);
    /// ```
    pub fn new(tenant_uid: &str, user_uid: &str, email: &str) -> Self {
        Self {
            tenant_uid: tenant_uid.to_owned(),
            user_uid: user_uid.to_owned(),
            email: email.to_owned(),
            login: None,
            aliases: None,
            display_name: None,
            status: None,
            user_type: None,
            department: None,
            location: None,
            manager_uid: None,
            title: None,
            privileged: None,
            vip: None,
            created: None,
            deactivated: None,
            last_login: None,
            source: None,
            imported_at: None,
        }
    }

    /// Whom this account is compared with: accounts whose `user_type` is service, bot, generic or
    /// system (case does not matter) are no people.
    pub fn population(&self) -> Population {
        let service = self.user_type.as_deref().is_some_and(|user_type| {
            ["service", "bot", "generic", "system"]
                .iter()
                .any(|word| user_type.trim().eq_ignore_ascii_case(word))
        });
        if service {
            Population::Service
        } else {
            Population::Human
        }
    }

    /// Whether the person exists at `as_of`: created after it means no row at all.
    pub fn exists_at(&self, as_of: UtcMillis) -> bool {
        self.created.is_none_or(|created| created <= as_of)
    }

    /// Whether the person is part of the population at `as_of`: everyone except the deprovisioned,
    /// suspended and staged. A locked-out person is under attack, not gone. Somebody deactivated
    /// after `as_of` was still there then.
    pub fn in_population(&self, as_of: UtcMillis) -> bool {
        self.exists_at(as_of)
            && match self.status_word() {
                "DEPROVISIONED" => self.deactivated.is_some_and(|left| left > as_of),
                "SUSPENDED" | "STAGED" => false,
                _ => true,
            }
    }

    /// Whether the directory says the account is gone.
    pub fn is_deprovisioned(&self) -> bool {
        self.status_word() == "DEPROVISIONED"
    }

    /// Whether `[created, deactivated)` contains `time`; an absent bound does not bind.
    pub fn held_account_at(&self, time: UtcMillis) -> bool {
        self.created.is_none_or(|created| created <= time)
            && self.deactivated.is_none_or(|left| time < left)
    }

    fn status_word(&self) -> &str {
        // Directory imports write statuses in upper case; a foreign table may not.
        match self.status.as_deref() {
            Some(status) if status.eq_ignore_ascii_case("DEPROVISIONED") => "DEPROVISIONED",
            Some(status) if status.eq_ignore_ascii_case("SUSPENDED") => "SUSPENDED",
            Some(status) if status.eq_ignore_ascii_case("STAGED") => "STAGED",
            _ => "ACTIVE",
        }
    }
}
