//! The organization's directory, as somebody exports it.

use std::fmt::Write as _;

use af_model::UtcMillis;

use super::calendar::{HOUR, later, utc_day};
use super::person::{Person, Role};

/// An account as its directory would show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Okta's id.
    pub uid: String,
    /// Login and e-mail address in one.
    pub login: String,
    /// The name that people read.
    pub name: String,
    /// Where in the organization.
    pub department: &'static str,
    /// Where in the world: city and country.
    pub place: (&'static str, &'static str),
    /// What they do.
    pub title: &'static str,
    /// `Employee` or `Service`.
    pub user_type: &'static str,
    /// Whether it is an administrator's.
    pub privileged: bool,
    /// When it was made.
    pub joined: UtcMillis,
    /// When it was taken away, be it in the future.
    pub left: Option<UtcMillis>,
}

/// Title and user type.
fn title(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Program | Role::LoadTest => ("Program", "Service"),
        Role::Administrator => ("Administrator", "Employee"),
        Role::HelpDesk => ("Help Desk", "Employee"),
        Role::Visible => ("Head", "Employee"),
        Role::Employee => ("Specialist", "Employee"),
    }
}

/// The working hour at which accounts are made and taken away.
fn morning(day: i32) -> UtcMillis {
    later(utc_day(day).start(), 4 * HOUR)
}

/// Every account that ever exists, in the order of the people.
pub(super) fn accounts(people: &[Person]) -> impl Iterator<Item = Account> {
    people.iter().map(|person| {
        let member = &person.member;
        let (title, user_type) = title(member.role);
        let place = member.place();
        Account {
            uid: member.uid.clone(),
            login: member.login.clone(),
            name: member.name.clone(),
            department: member.department,
            place: (place.city, place.country),
            title,
            user_type,
            privileged: member.role == Role::Administrator,
            joined: morning(member.joined),
            left: member.left.map(morning),
        }
    })
}

const HEADER: &str = "user_uid,login,email,display_name,status,user_type,department,location,title,privileged,vip,created,deactivated";

/// One line an account that exists or existed on a day, in the order of the people.
pub(super) fn csv(people: &[Person], day: i32) -> String {
    let mut csv = format!("{HEADER}\n");
    for person in people {
        let member = &person.member;
        if member.joined > day {
            continue;
        }
        let left = member.left.filter(|left| *left <= day);
        let instant = |day: i32| morning(day).to_string();
        let (title, user_type) = title(member.role);
        writeln!(
            csv,
            "{},{login},{login},{},{},{user_type},{},{},{title},{},{},{},{}",
            member.uid,
            member.name,
            if left.is_some() {
                "DEPROVISIONED"
            } else {
                "ACTIVE"
            },
            member.department,
            member.place().city,
            member.role == Role::Administrator,
            member.role == Role::Visible,
            instant(member.joined),
            left.map(instant).unwrap_or_default(),
            login = member.login,
        )
        .expect("writing to a string never fails");
    }
    csv
}
