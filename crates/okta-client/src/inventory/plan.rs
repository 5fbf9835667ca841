//! How every step of an inventory is asked for.

use af_okta::Step;

use crate::http::Get;
use crate::scope::Scope;

/// One step: what it asks, and how its answers are to be read.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The step.
    pub(crate) step: Step,
    /// What it needs to be allowed.
    pub(crate) scope: Scope,
    /// The path; `{}` stands for the object that it asks about.
    pub(crate) path: &'static str,
    /// The query; page sizes are the largest that Okta takes without growing slow.
    pub(crate) query: &'static [(&'static str, &'static str)],
    /// The form of its answers.
    pub(crate) form: Form,
    /// What cannot be done when it fails, as it follows "failed to".
    pub(crate) purpose: &'static str,
    /// What one does not learn without it.
    pub(crate) gives: &'static str,
}

/// The form of the answers of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One object.
    One,
    /// A list in pages.
    List,
    /// A list in pages about every one of certain objects; a line of the file says about which.
    About {
        /// The objects.
        subjects: Subjects,
        /// The member that holds the id of the subject.
        subject: &'static str,
        /// The member that holds what was found.
        found: &'static str,
    },
}

/// The objects that a step asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subjects {
    /// Users that are not deprovisioned.
    Users,
    /// Users that hold an admin role.
    Administrators,
    /// Groups, but neither empty ones nor the built-in Everyone.
    GroupsWithMembers,
    /// Groups of Okta itself: only they can hold an admin role.
    OktaGroups,
    /// Applications.
    Apps,
}

const fn about(subjects: Subjects, subject: &'static str, found: &'static str) -> Form {
    Form::About {
        subjects,
        subject,
        found,
    }
}

/// Leaves out links of single users and a field that costs Okta a look-up. `omitCredentials` would leave
/// out the verified addresses as well, which tell whom an event is about; what is secret in
/// `credentials` is removed here instead (`strip`).
pub(crate) const USERS_CONTENT_TYPE: &str =
    "application/json; okta-response=omitCredentialsLinks,omitTransitioningToStatus";

/// Users who left: the list of users leaves them out.
pub(crate) const LEAVERS: (&str, &str) = ("search", "status eq \"DEPROVISIONED\"");

/// The users who hold an admin role, directly or through a group.
pub(crate) const ADMINISTRATORS: &str = "/api/v1/iam/assignees/users";

/// The plan of every step, in the order of [`Step::ALL`].
pub(crate) const PLANS: [Plan; 14] = [
    Plan {
        step: Step::Org,
        scope: Scope::OrgsRead,
        path: "/api/v1/org",
        query: &[],
        form: Form::One,
        purpose: "read the settings of the org",
        gives: "name and id of the org",
    },
    Plan {
        step: Step::Support,
        scope: Scope::OrgsRead,
        path: "/api/v1/org/privacy/oktaSupport",
        query: &[],
        form: Form::One,
        purpose: "read whether Okta Support may enter",
        gives: "whether Okta Support may enter the org",
    },
    Plan {
        step: Step::Users,
        scope: Scope::UsersRead,
        path: "/api/v1/users",
        query: &[("limit", "200")],
        form: Form::List,
        purpose: "list users",
        gives: "the people that scores are about",
    },
    Plan {
        step: Step::Groups,
        scope: Scope::GroupsRead,
        path: "/api/v1/groups",
        query: &[],
        form: Form::List,
        purpose: "list groups",
        gives: "groups and their sizes",
    },
    Plan {
        step: Step::GroupMembers,
        scope: Scope::GroupsRead,
        path: "/api/v1/groups/{}/users",
        query: &[("limit", "1000")],
        form: about(Subjects::GroupsWithMembers, "group", "user"),
        purpose: "list the members of groups",
        gives: "who is in which group",
    },
    Plan {
        step: Step::GroupRules,
        scope: Scope::GroupsRead,
        path: "/api/v1/groups/rules",
        query: &[("limit", "200")],
        form: Form::List,
        purpose: "list group rules",
        gives: "the rules that put people into groups",
    },
    Plan {
        step: Step::Apps,
        scope: Scope::AppsRead,
        path: "/api/v1/apps",
        query: &[("limit", "200")],
        form: Form::List,
        purpose: "list applications",
        gives: "the applications",
    },
    Plan {
        step: Step::AppUsers,
        scope: Scope::AppsRead,
        path: "/api/v1/apps/{}/users",
        query: &[("limit", "500")],
        form: about(Subjects::Apps, "app", "user"),
        purpose: "list the users of applications",
        gives: "who can reach which application",
    },
    Plan {
        step: Step::AppGroups,
        scope: Scope::AppsRead,
        path: "/api/v1/apps/{}/groups",
        query: &[("limit", "200")],
        form: about(Subjects::Apps, "app", "group"),
        purpose: "list the groups of applications",
        gives: "which groups give access to which application",
    },
    Plan {
        step: Step::Factors,
        scope: Scope::UsersRead,
        path: "/api/v1/users/{}/factors",
        query: &[],
        form: about(Subjects::Users, "user", "factor"),
        purpose: "list the factors of users",
        gives: "which factors people have enrolled",
    },
    Plan {
        step: Step::UserRoles,
        scope: Scope::RolesRead,
        path: "/api/v1/users/{}/roles",
        query: &[],
        form: about(Subjects::Administrators, "user", "role"),
        purpose: "list the admin roles of users",
        gives: "who is an administrator",
    },
    Plan {
        step: Step::GroupRoles,
        scope: Scope::RolesRead,
        path: "/api/v1/groups/{}/roles",
        query: &[],
        form: about(Subjects::OktaGroups, "group", "role"),
        purpose: "list the admin roles of groups",
        gives: "which groups make administrators",
    },
    Plan {
        step: Step::Idps,
        scope: Scope::IdpsRead,
        path: "/api/v1/idps",
        query: &[("limit", "200")],
        form: Form::List,
        purpose: "list identity providers",
        gives: "the identity providers that people may come from",
    },
    Plan {
        step: Step::Devices,
        scope: Scope::DevicesRead,
        path: "/api/v1/devices",
        query: &[("limit", "200"), ("expand", "user")],
        form: Form::List,
        purpose: "list devices",
        gives: "registered devices and whose they are",
    },
];

impl Plan {
    /// The plan of a step.
    pub(crate) fn of(step: Step) -> &'static Self {
        PLANS
            .iter()
            .find(|plan| plan.step == step)
            .expect("every step has a plan; a test proves it")
    }

    /// Its first call.
    pub(crate) fn first(&self) -> Get {
        self.call(self.path.to_owned())
    }

    /// Its first call about one object, by a plain id. Gone meanwhile (404) is an answer.
    pub(crate) fn first_about(&self, id: &str) -> Get {
        self.call(self.path.replace("{}", id)).accepts(&[404])
    }

    fn call(&self, path: String) -> Get {
        self.query
            .iter()
            .fold(Get::path(path, self.scope), |call, (name, value)| {
                call.query(name, *value)
            })
    }
}

/// Whether an id can stand in a path as it is. Okta's are letters and digits; whatever else somebody
/// may send must not lead elsewhere.
pub(crate) fn is_plain(id: &str) -> bool {
    !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_those_of_the_steps_in_their_order() {
        for (plan, step) in PLANS.iter().zip(Step::ALL) {
            assert_eq!(plan.step, step);
            assert_eq!(Plan::of(step).path, plan.path);
            let about = matches!(plan.form, Form::About { .. });
            assert_eq!(plan.path.contains("{}"), about, "{step}");
        }
    }

    #[test]
    fn a_step_asks_about_what_it_needs() {
        for plan in &PLANS {
            let needed = match plan.form {
                Form::One | Form::List => None,
                Form::About { subjects, .. } => match subjects {
                    Subjects::Users => Some(Step::Users),
                    Subjects::Administrators => None,
                    Subjects::GroupsWithMembers | Subjects::OktaGroups => Some(Step::Groups),
                    Subjects::Apps => Some(Step::Apps),
                },
            };
            assert_eq!(plan.step.needs(), needed, "{}", plan.step);
        }
    }

    #[test]
    fn only_a_plain_id_is_put_into_a_path() {
        assert!(is_plain("00u1-b_C"));
        for hostile in ["", "..", "%2e%2e", "a/b", "a?b", "a#b", "é", "a b"] {
            assert!(!is_plain(hostile), "{hostile}");
        }
    }
}
