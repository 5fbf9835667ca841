//! The directory as a CSV file, the way somebody exports it.

use std::fmt::Write as _;

use af_model::UtcMillis;

use super::cast::Member;

/// The columns; a reader may know them by these names.
const HEADER: &str = "user_uid,login,email,aliases,display_name,status,user_type,department,location,manager_uid,title,privileged,vip,created,deactivated";

/// One line an account, in the order of the cast.
///
/// Aliases are separated by semicolons; a validity follows its alias as `[from..to]`, where an
/// absent bound does not bind.
pub(super) fn csv(cast: &[Member]) -> String {
    let mut csv = format!("{HEADER}\n");
    for member in cast {
        let instant = |at: Option<UtcMillis>| at.map_or_else(String::new, |at| at.to_string());
        let alias = |(key, from, to): &(String, Option<UtcMillis>, Option<UtcMillis>)| {
            if from.is_none() && to.is_none() {
                key.clone()
            } else {
                format!("{key}[{}..{}]", instant(*from), instant(*to))
            }
        };
        let aliases: Vec<String> = member.aliases.iter().map(alias).collect();
        let fields = [
            member.uid.clone(),
            member.login.clone(),
            member.email.clone(),
            aliases.join(";"),
            member.name.clone(),
            member.status.to_owned(),
            member.user_type.to_owned(),
            member.department.to_owned(),
            member.place.city.to_owned(),
            member
                .manager
                .map_or_else(String::new, |manager| cast[manager].uid.clone()),
            member.title.to_owned(),
            member.is_privileged.to_string(),
            member.is_vip.to_string(),
            instant(Some(member.created)),
            instant(member.deactivated),
        ];
        debug_assert!(fields.iter().all(|field| !field.contains([',', '"', '\n'])));
        writeln!(csv, "{}", fields.join(",")).expect("writing to a string never fails");
    }
    csv
}
