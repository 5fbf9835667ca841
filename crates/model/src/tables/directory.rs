//! `directory`: the tenant's people with every key they are known by.

use crate::cell::Alias;
use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// One person of the organization (or one service account), as of one import.
    "directory", version 1, sorted by ["tenant_uid", "user_uid"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// The person's id in the source of truth; compares byte for byte.
        user_uid: String;
        /// Primary e-mail address, normalized.
        email: String;
        /// Login, normalized.
        login: Option<String>;
        /// Former or additional logins and addresses, with validity.
        aliases: Option<Vec<Alias>>;
        /// Name shown to people.
        display_name: Option<String>;
        /// ACTIVE, LOCKED_OUT, PASSWORD_EXPIRED, PROVISIONED, RECOVERY, STAGED, SUSPENDED or DEPROVISIONED; null counts as ACTIVE.
        status: Option<String>, repeats;
        /// Free text of the source; service, bot, generic and system mean no human.
        user_type: Option<String>, repeats;
        /// Department.
        department: Option<String>, repeats;
        /// Location.
        location: Option<String>, repeats;
        /// user_uid, login or e-mail of the manager.
        manager_uid: Option<String>, repeats;
        /// Job title.
        title: Option<String>, repeats;
        /// Holds an administrative role. A column to sort by, never a multiplier.
        privileged: Option<bool>;
        /// Named as a very important person. A column to sort by, never a multiplier.
        vip: Option<bool>;
        /// When the account was created; null = always was.
        created: Option<UtcMillis>;
        /// When the account was deactivated; null = never.
        deactivated: Option<UtcMillis>;
        /// Last sign-in the source knows of.
        last_login: Option<UtcMillis>;
        /// Name of the import's source; an import replaces the people of the same source.
        source: Option<String>, repeats;
        /// When this version was imported; null = known from the start.
        imported_at: Option<UtcMillis>;
    }
}
