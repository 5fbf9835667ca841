//! What a step of ours needs to be allowed.

/// An OAuth scope of Okta's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as Okta names them, see `as_str`")]
pub enum Scope {
    LogsRead,
    UsersRead,
    GroupsRead,
    AppsRead,
    RolesRead,
    IdpsRead,
    DevicesRead,
    OrgsRead,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::LogsRead,
        Self::UsersRead,
        Self::GroupsRead,
        Self::AppsRead,
        Self::RolesRead,
        Self::IdpsRead,
        Self::DevicesRead,
        Self::OrgsRead,
    ];

    /// Its place in [`Scope::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// Okta's name of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogsRead => "okta.logs.read",
            Self::UsersRead => "okta.users.read",
            Self::GroupsRead => "okta.groups.read",
            Self::AppsRead => "okta.apps.read",
            Self::RolesRead => "okta.roles.read",
            Self::IdpsRead => "okta.idps.read",
            Self::DevicesRead => "okta.devices.read",
            Self::OrgsRead => "okta.orgs.read",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_scopes_stand_at_their_index() {
        for (place, scope) in Scope::ALL.iter().enumerate() {
            assert_eq!(scope.index(), place);
        }
    }
}
