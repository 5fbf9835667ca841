//! The organization's directory, as somebody exports it.

use std::fmt::Write as _;

use super::calendar::{HOUR, later, utc_day};
use super::person::{Person, Role};

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
        let instant = |day: i32| later(utc_day(day).start(), 4 * HOUR).to_string();
        let (title, user_type) = match member.role {
            Role::Program | Role::LoadTest => ("Program", "Service"),
            Role::Administrator => ("Administrator", "Employee"),
            Role::HelpDesk => ("Help Desk", "Employee"),
            Role::Visible => ("Head", "Employee"),
            Role::Employee => ("Specialist", "Employee"),
        };
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
