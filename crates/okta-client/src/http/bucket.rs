//! Which calls share a rate limit.

use std::fmt;

/// A group of paths that Okta counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bucket {
    Logs,
    Users,
    User,
    Groups,
    Group,
    Apps,
    Devices,
    Token,
    Rest,
}

impl Bucket {
    pub(super) const COUNT: usize = 9;

    pub(super) fn of(path: &str) -> Self {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let (first, second) = (segments.next(), segments.next());
        if first == Some("oauth2") {
            return Self::Token;
        }
        if (first, second) != (Some("api"), Some("v1")) {
            return Self::Rest;
        }
        let name = segments.next().unwrap_or_default();
        match (name, segments.next()) {
            ("logs", _) => Self::Logs,
            ("users", None) => Self::Users,
            ("users", Some(_)) => Self::User,
            ("groups", None) => Self::Groups,
            ("groups", Some(_)) => Self::Group,
            ("apps", _) => Self::Apps,
            ("devices", _) => Self::Devices,
            _ => Self::Rest,
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Logs => "/api/v1/logs",
            Self::Users => "/api/v1/users",
            Self::User => "/api/v1/users/{id}",
            Self::Groups => "/api/v1/groups",
            Self::Group => "/api/v1/groups/{id}",
            Self::Apps => "/api/v1/apps",
            Self::Devices => "/api/v1/devices",
            Self::Token => "/oauth2/v1/token",
            Self::Rest => "/api/v1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_as_okta_counts_them() {
        for (path, bucket) in [
            ("/api/v1/logs", Bucket::Logs),
            ("/api/v1/users", Bucket::Users),
            ("/api/v1/users/", Bucket::Users),
            ("/api/v1/users/00u1", Bucket::User),
            ("/api/v1/users/00u1/factors", Bucket::User),
            ("/api/v1/groups", Bucket::Groups),
            ("/api/v1/groups/00g1/users", Bucket::Group),
            ("/api/v1/apps", Bucket::Apps),
            ("/api/v1/apps/0oa1/users", Bucket::Apps),
            ("/api/v1/devices", Bucket::Devices),
            ("/api/v1/iam/assignees/users", Bucket::Rest),
            ("/api/v1/org/privacy/oktaSupport", Bucket::Rest),
            ("/oauth2/v1/token", Bucket::Token),
            ("/other", Bucket::Rest),
            ("", Bucket::Rest),
        ] {
            assert_eq!(Bucket::of(path), bucket, "{path}");
            assert!(bucket.index() < Bucket::COUNT);
        }
    }
}
