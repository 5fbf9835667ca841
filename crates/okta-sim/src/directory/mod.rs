//! Who and what the org has besides its log: accounts, groups, applications and the rest.

mod account;
mod apps;
mod around;
mod groups;
mod list;
mod roles;
mod users;

use std::io;

use serde_json::Value;

pub(crate) use account::Account;
use apps::App;
use groups::Group;

use crate::answer::{Answer, Refusal};
use crate::links::Links;
use crate::random::Random;
use crate::request::Call;
use crate::route::Route;

/// Everything that an inventory can find. Made once; what changes with time is asked by instant.
#[derive(Debug)]
pub(crate) struct Directory {
    accounts: Vec<Account>,
    groups: Vec<Group>,
    apps: Vec<App>,
    /// Administrators, by their place among the accounts, with their roles.
    roles: Vec<(usize, roles::Kind)>,
    org_id: String,
}

/// What an endpoint answers: a body, and links where it is a list.
pub(crate) type Found = Result<(Answer, Option<Links>), Refusal>;

/// What every endpoint needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) call: &'a Call,
    /// Base URL of the org.
    pub(crate) base: &'a str,
    /// The org's now.
    pub(crate) now: i64,
}

impl Directory {
    /// The org of these accounts; the rest follows from them.
    pub(crate) fn of(accounts: Vec<Account>, seed: u64) -> Self {
        let groups = groups::of(&accounts, seed);
        let apps = apps::of(&groups);
        let roles = roles::of(&accounts);
        Self {
            accounts,
            groups,
            apps,
            roles,
            org_id: Random::of(seed, "org").okta_id("00o"),
        }
    }

    /// The org of somebody's own users: a JSON array, or one a line; gzip allowed.
    ///
    /// # Errors
    /// One is no user with an id; it is named by its number, never shown.
    pub(crate) fn given(users: &[u8]) -> io::Result<Vec<Account>> {
        let invalid = |number: usize| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("user {number} is no JSON object with an id"),
            )
        };
        let text = io::read_to_string(crate::log::text(users))?;
        let users: Vec<Value> = if text.trim_start().starts_with('[') {
            serde_json::from_str(&text).map_err(|_| invalid(1))?
        } else {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines
                .enumerate()
                .map(|(number, line)| serde_json::from_str(line).map_err(|_| invalid(number + 1)))
                .collect::<io::Result<_>>()?
        };
        users
            .iter()
            .enumerate()
            .map(|(number, user)| Account::given(user).ok_or_else(|| invalid(number + 1)))
            .collect()
    }

    /// Answers a call of an endpoint.
    pub(crate) fn answer(&self, route: &Route, asked: Asked<'_>) -> Found {
        match route {
            Route::Users => self.users(asked),
            Route::User(key) => self.user(key, asked),
            Route::Factors(key) => self.factors(key, asked),
            Route::UserRoles(key) => self.user_roles(key, asked),
            Route::Groups => self.groups(asked),
            Route::GroupRules => self.group_rules(asked),
            Route::GroupUsers(id) => self.group_users(id, asked),
            Route::GroupRoles(id) => self.group_roles(id, asked),
            Route::Apps => self.apps(asked),
            Route::AppUsers(id) => self.app_users(id, asked),
            Route::AppGroups(id) => self.app_groups(id, asked),
            Route::Assignees => self.assignees(asked),
            Route::Idps => Self::idps(asked),
            Route::Devices => self.devices(asked),
            Route::Org => Ok((self.org(asked), None)),
            Route::Support => Ok((around::support(asked.base), None)),
            Route::WellKnownOrganization => Ok((self.well_known(asked.base), None)),
            Route::WellKnownServer => Ok((around::server(asked.base), None)),
            Route::Logs | Route::Token => Err(Refusal::no_such_endpoint()),
        }
    }
}
