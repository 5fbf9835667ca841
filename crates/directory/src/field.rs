//! The facts about a person that a file may hold, and the names other systems give them.

/// One fact about a person: a column of the `directory` table, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    TenantUid,
    UserUid,
    Email,
    Login,
    Aliases,
    DisplayName,
    FirstName,
    LastName,
    Status,
    UserType,
    Department,
    Location,
    ManagerUid,
    Title,
    Privileged,
    Vip,
    Created,
    Deactivated,
    LastLogin,
}

impl Field {
    pub(crate) const ALL: [Self; 19] = [
        Self::TenantUid,
        Self::UserUid,
        Self::Email,
        Self::Login,
        Self::Aliases,
        Self::DisplayName,
        Self::FirstName,
        Self::LastName,
        Self::Status,
        Self::UserType,
        Self::Department,
        Self::Location,
        Self::ManagerUid,
        Self::Title,
        Self::Privileged,
        Self::Vip,
        Self::Created,
        Self::Deactivated,
        Self::LastLogin,
    ];

    /// Our name, as written in tables and in `--map`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TenantUid => "tenant_uid",
            Self::UserUid => "user_uid",
            Self::Email => "email",
            Self::Login => "login",
            Self::Aliases => "aliases",
            Self::DisplayName => "display_name",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Status => "status",
            Self::UserType => "user_type",
            Self::Department => "department",
            Self::Location => "location",
            Self::ManagerUid => "manager_uid",
            Self::Title => "title",
            Self::Privileged => "privileged",
            Self::Vip => "vip",
            Self::Created => "created",
            Self::Deactivated => "deactivated",
            Self::LastLogin => "last_login",
        }
    }

    /// The field with this name; case, spaces, underscores, hyphens and dots do not matter.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let name = canonical(name);
        Self::ALL
            .into_iter()
            .find(|field| canonical(field.name()) == name)
    }

    /// What other systems call it, in canonical form and beside our own name. Deliberately absent:
    /// a secondary e-mail, which is often private, and LDAP's `uid`, which is a login to some and
    /// an id to others; both can be mapped by hand.
    pub(crate) const fn synonyms(self) -> &'static [&'static str] {
        match self {
            Self::TenantUid => &[],
            Self::UserUid => &[
                "id",
                "userid",
                "oktaid",
                "oktauserid",
                "employeeid",
                "employeenumber",
                "employeeno",
                "personid",
                "workerid",
                "staffid",
                "objectid",
            ],
            Self::Email => &[
                "mail",
                "emailaddress",
                "primaryemail",
                "primaryemailaddress",
                "workemail",
                "workemailaddress",
                "businessemail",
                "companyemail",
            ],
            // A user principal name looks like an e-mail and serves as one where none is given.
            Self::Login => &[
                "username",
                "loginname",
                "userlogin",
                "userprincipalname",
                "upn",
                "samaccountname",
                "accountname",
                "logonname",
                "signinname",
            ],
            Self::Aliases => &["alias", "emailaliases", "proxyaddresses", "formerlogins"],
            Self::DisplayName => &["name", "fullname", "employeename"],
            Self::FirstName => &["givenname", "forename"],
            Self::LastName => &["surname", "familyname", "sn"],
            Self::Status => &["userstatus", "accountstatus", "employmentstatus"],
            Self::UserType => &["accounttype", "employeetype", "workertype"],
            Self::Department => &["dept", "departmentname"],
            Self::Location => &["city", "office", "site", "officelocation", "worklocation"],
            Self::ManagerUid => &[
                "manager",
                "managerid",
                "manageremail",
                "managerlogin",
                "reportsto",
                "supervisor",
                "linemanager",
            ],
            Self::Title => &["jobtitle", "position"],
            Self::Privileged => &["isprivileged", "isadmin", "admin"],
            Self::Vip => &["isvip"],
            Self::Created => &[
                "createdat",
                "createdon",
                "createddate",
                "createddatetime",
                "creationdate",
                "whencreated",
                "startdate",
                "hiredate",
            ],
            Self::Deactivated => &[
                "deactivatedat",
                "deactivatedon",
                "enddate",
                "terminationdate",
                "leavedate",
                "exitdate",
            ],
            Self::LastLogin => &[
                "lastloginat",
                "lastlogindate",
                "lastlogon",
                "lastlogondate",
                "lastsignin",
            ],
        }
    }
}

/// A column's name with everything removed that people write differently: case, spaces,
/// underscores, hyphens, dots, and the `profile.` under which Okta exports nest.
pub(crate) fn canonical(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let bare = lower.strip_prefix("profile.").unwrap_or(&lower);
    bare.chars()
        .filter(|character| {
            !character.is_whitespace() && !matches!(character, '_' | '-' | '.' | '\u{feff}')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_means_two_things() {
        let mut seen = BTreeSet::new();
        for field in Field::ALL {
            assert!(seen.insert(canonical(field.name())), "{field:?}");
            for synonym in field.synonyms() {
                assert_eq!(*synonym, canonical(synonym));
                assert!(seen.insert((*synonym).to_owned()), "{synonym}");
            }
        }
    }

    #[test]
    fn every_field_but_the_parts_of_a_name_is_a_column_of_the_table() {
        for field in Field::ALL {
            let part = matches!(field, Field::FirstName | Field::LastName);
            let column = af_model::tables::directory::TABLE.column(field.name());
            assert_eq!(column.is_none(), part, "{field:?}");
        }
    }

    #[test]
    fn spelling_of_a_column_does_not_matter() {
        for written in [
            "User UID",
            "user-uid",
            "USER_UID",
            " user.uid ",
            "profile.UserUid",
        ] {
            assert_eq!(Field::from_name(written), Some(Field::UserUid), "{written}");
        }
        assert_eq!(Field::from_name("behavior"), None);
    }
}
