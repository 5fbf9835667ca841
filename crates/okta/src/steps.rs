//! What an inventory of an Okta org is made of.

/// One step of an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "see `as_str`")]
pub enum Step {
    Org,
    Support,
    Users,
    Groups,
    GroupMembers,
    GroupRules,
    Apps,
    AppUsers,
    AppGroups,
    Factors,
    UserRoles,
    GroupRoles,
    Idps,
    Devices,
}

impl Step {
    /// All of them, in the order in which they are taken.
    pub const ALL: [Self; 14] = [
        Self::Org,
        Self::Support,
        Self::Users,
        Self::Groups,
        Self::GroupMembers,
        Self::GroupRules,
        Self::Apps,
        Self::AppUsers,
        Self::AppGroups,
        Self::Factors,
        Self::UserRoles,
        Self::GroupRoles,
        Self::Idps,
        Self::Devices,
    ];

    /// Its name in configurations, files and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Org => "org",
            Self::Support => "support",
            Self::Users => "users",
            Self::Groups => "groups",
            Self::GroupMembers => "group_members",
            Self::GroupRules => "group_rules",
            Self::Apps => "apps",
            Self::AppUsers => "app_users",
            Self::AppGroups => "app_groups",
            Self::Factors => "factors",
            Self::UserRoles => "user_roles",
            Self::GroupRoles => "group_roles",
            Self::Idps => "idps",
            Self::Devices => "devices",
        }
    }
}
