//! What an inventory of an Okta org is made of.

use std::fmt;

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

    /// The step of a name; none when there is no such step.
    ///
    /// ```
    /// use af_okta::Step;
    ///
    /// assert_eq!(Step::from_name("group_members"), Some(Step::GroupMembers));
    /// assert_eq!(Step::from_name("Groups"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }

    /// The step whose objects this one asks about, one by one; none when it needs no other.
    pub const fn needs(self) -> Option<Self> {
        match self {
            Self::GroupMembers | Self::GroupRoles => Some(Self::Groups),
            Self::AppUsers | Self::AppGroups => Some(Self::Apps),
            Self::Factors => Some(Self::Users),
            Self::Org
            | Self::Support
            | Self::Users
            | Self::Groups
            | Self::GroupRules
            | Self::Apps
            | Self::UserRoles
            | Self::Idps
            | Self::Devices => None,
        }
    }

    /// These steps and those that they need, each once, in the order in which they are taken.
    ///
    /// ```
    /// use af_okta::Step;
    ///
    /// let steps = Step::with_needs(&[Step::Factors, Step::Org]);
    /// assert_eq!(steps, [Step::Org, Step::Users, Step::Factors]);
    /// ```
    pub fn with_needs(wanted: &[Self]) -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|step| {
                wanted
                    .iter()
                    .any(|wanted| wanted == step || wanted.needs() == Some(*step))
            })
            .collect()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_comes_after_what_it_needs() {
        let place = |wanted: Step| Step::ALL.iter().position(|step| *step == wanted);
        for step in Step::ALL {
            assert_eq!(Step::from_name(&step.to_string()), Some(step));
            if let Some(needed) = step.needs() {
                assert!(place(needed) < place(step), "{step} before {needed}");
                // One level is all that `with_needs` looks at.
                assert_eq!(needed.needs(), None, "{needed}");
            }
        }
    }

    #[test]
    fn everything_wanted_is_everything_taken_once() {
        let mut wanted = Step::ALL.to_vec();
        wanted.extend(Step::ALL);
        wanted.reverse();
        assert_eq!(Step::with_needs(&wanted), Step::ALL);
        assert_eq!(Step::with_needs(&[]), []);
    }
}
