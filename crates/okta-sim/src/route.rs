//! The endpoints: their paths, what they need and which limit they count against.

use crate::request::decoded;

/// An endpoint of the org, with what its path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Logs,
    Users,
    User(String),
    Factors(String),
    UserRoles(String),
    Groups,
    GroupRules,
    GroupUsers(String),
    GroupRoles(String),
    Apps,
    AppUsers(String),
    AppGroups(String),
    Assignees,
    Idps,
    Devices,
    Org,
    Support,
    WellKnownOrganization,
    WellKnownServer,
    Token,
}

/// Which limit a call counts against, and how many calls a minute for every one of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bucket {
    Logs,
    Users,
    OneUser,
    Groups,
    Apps,
    Roles,
    Rest,
}

impl Bucket {
    /// Calls a minute, by those of the log: 120 and 600, 2,000, 500, 600 in a usual org.
    pub(crate) fn limit(self, logs_per_minute: u32) -> u32 {
        let (times, of) = match self {
            Self::Logs => (1, 1),
            Self::Users | Self::Apps => (5, 1),
            Self::OneUser => (50, 3),
            Self::Groups => (25, 6),
            Self::Roles | Self::Rest => (10, 1),
        };
        (logs_per_minute.saturating_mul(times) / of).max(1)
    }
}

impl Route {
    /// The endpoint of a path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let id = |segment: &str| decoded(segment.replace('+', "%2B").as_bytes());
        let route = match segments.as_slice() {
            ["oauth2", "v1", "token"] => Self::Token,
            [".well-known", "okta-organization"] => Self::WellKnownOrganization,
            [
                ".well-known",
                "oauth-authorization-server" | "openid-configuration",
            ] => Self::WellKnownServer,
            ["api", "v1", rest @ ..] => match rest {
                ["logs"] => Self::Logs,
                ["users"] => Self::Users,
                ["users", user] if !user.is_empty() => Self::User(id(user)),
                ["users", user, "factors"] => Self::Factors(id(user)),
                ["users", user, "roles"] => Self::UserRoles(id(user)),
                ["groups"] => Self::Groups,
                ["groups", "rules"] => Self::GroupRules,
                ["groups", group, "users"] => Self::GroupUsers(id(group)),
                ["groups", group, "roles"] => Self::GroupRoles(id(group)),
                ["apps"] => Self::Apps,
                ["apps", app, "users"] => Self::AppUsers(id(app)),
                ["apps", app, "groups"] => Self::AppGroups(id(app)),
                ["iam", "assignees", "users"] => Self::Assignees,
                ["idps"] => Self::Idps,
                ["devices"] => Self::Devices,
                ["org"] => Self::Org,
                ["org", "privacy", "oktaSupport"] => Self::Support,
                _ => return None,
            },
            _ => return None,
        };
        Some(route)
    }

    /// The path with its ids left out, for statistics and rules.
    pub(crate) fn template(&self) -> &'static str {
        match self {
            Self::Logs => "/api/v1/logs",
            Self::Users => "/api/v1/users",
            Self::User(_) => "/api/v1/users/{id}",
            Self::Factors(_) => "/api/v1/users/{id}/factors",
            Self::UserRoles(_) => "/api/v1/users/{id}/roles",
            Self::Groups => "/api/v1/groups",
            Self::GroupRules => "/api/v1/groups/rules",
            Self::GroupUsers(_) => "/api/v1/groups/{id}/users",
            Self::GroupRoles(_) => "/api/v1/groups/{id}/roles",
            Self::Apps => "/api/v1/apps",
            Self::AppUsers(_) => "/api/v1/apps/{id}/users",
            Self::AppGroups(_) => "/api/v1/apps/{id}/groups",
            Self::Assignees => "/api/v1/iam/assignees/users",
            Self::Idps => "/api/v1/idps",
            Self::Devices => "/api/v1/devices",
            Self::Org => "/api/v1/org",
            Self::Support => "/api/v1/org/privacy/oktaSupport",
            Self::WellKnownOrganization => "/.well-known/okta-organization",
            Self::WellKnownServer => "/.well-known/oauth-authorization-server",
            Self::Token => "/oauth2/v1/token",
        }
    }

    /// The scope it needs; none for what everybody may see.
    pub(crate) fn scope(&self) -> Option<&'static str> {
        match self {
            Self::Logs => Some("okta.logs.read"),
            Self::Users | Self::User(_) | Self::Factors(_) => Some("okta.users.read"),
            Self::Groups | Self::GroupRules | Self::GroupUsers(_) => Some("okta.groups.read"),
            Self::Apps | Self::AppUsers(_) | Self::AppGroups(_) => Some("okta.apps.read"),
            Self::UserRoles(_) | Self::GroupRoles(_) | Self::Assignees => Some("okta.roles.read"),
            Self::Idps => Some("okta.idps.read"),
            Self::Devices => Some("okta.devices.read"),
            Self::Org | Self::Support => Some("okta.orgs.read"),
            Self::WellKnownOrganization | Self::WellKnownServer | Self::Token => None,
        }
    }

    /// The limit it counts against; none for what has none.
    pub(crate) fn bucket(&self) -> Option<Bucket> {
        let bucket = match self {
            Self::Logs => Bucket::Logs,
            Self::Users => Bucket::Users,
            Self::User(_) => Bucket::OneUser,
            Self::Groups | Self::GroupRules | Self::GroupUsers(_) => Bucket::Groups,
            Self::Apps | Self::AppUsers(_) | Self::AppGroups(_) => Bucket::Apps,
            Self::UserRoles(_) | Self::GroupRoles(_) | Self::Assignees => Bucket::Roles,
            Self::Factors(_) | Self::Idps | Self::Devices | Self::Org | Self::Support => {
                Bucket::Rest
            }
            Self::Token | Self::WellKnownOrganization | Self::WellKnownServer => return None,
        };
        Some(bucket)
    }
}

/// Every scope that this org could grant.
pub(crate) const SCOPES: [&str; 8] = [
    "okta.logs.read",
    "okta.users.read",
    "okta.groups.read",
    "okta.apps.read",
    "okta.roles.read",
    "okta.idps.read",
    "okta.devices.read",
    "okta.orgs.read",
];
