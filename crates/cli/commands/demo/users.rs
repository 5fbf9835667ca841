//! The demo's people as Okta would answer them, and what Okta would not know of them.

use std::fmt::Write;

use af_model::Person;
use serde_json::{Value, json};

/// People as `GET /api/v1/users` answers: a JSON array.
pub(super) fn okta_users(people: &[Person]) -> Vec<u8> {
    let users: Vec<Value> = people.iter().map(okta_user).collect();
    Value::Array(users).to_string().into_bytes()
}

fn okta_user(person: &Person) -> Value {
    let (first, last) = person
        .display_name
        .as_deref()
        .and_then(|name| name.split_once(' '))
        .unzip();
    json!({
        "id": person.user_uid,
        "status": person.status,
        "created": person.created,
        "activated": person.created,
        // The day somebody left is when their status changed last.
        "statusChanged": person.deactivated.or(person.created),
        "lastLogin": null,
        "lastUpdated": person.deactivated.or(person.created),
        "passwordChanged": null,
        "type": {"id": "otydemo"},
        "profile": {
            "login": person.login,
            "email": person.email,
            "displayName": person.display_name,
            "firstName": first,
            "lastName": last,
            "userType": person.user_type,
            "title": person.title,
            "department": person.department,
            "managerId": person.manager_uid,
            "city": person.location,
        },
        "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
    })
}

/// Former names and their time, which Okta does not keep, as a file of people to import beside it.
pub(super) fn former_names(people: &[Person]) -> String {
    let mut csv = String::from("user_uid,login,email,aliases\n");
    for person in people {
        let aliases: Vec<String> = person
            .aliases
            .iter()
            .flatten()
            .map(|alias| match (alias.valid_from, alias.valid_to) {
                (None, None) => alias.key.clone(),
                (from, to) => {
                    let bound = |at: Option<af_model::UtcMillis>| {
                        at.map_or_else(String::new, |at| at.to_string())
                    };
                    format!("{}[{}..{}]", alias.key, bound(from), bound(to))
                }
            })
            .collect();
        if aliases.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            csv,
            "{},{},{},{}",
            person.user_uid,
            person.login.as_deref().unwrap_or_default(),
            person.email,
            aliases.join(";")
        );
    }
    csv
}

#[cfg(test)]
mod tests {
    use af_directory::ImportOptions;

    use super::*;
    use crate::commands::demo::{DemoFacts, FACTS, import_people};

    fn demo_people() -> Vec<Person> {
        let facts: DemoFacts = toml::from_str(FACTS).unwrap();
        import_people(&facts, None).unwrap().imported.people
    }

    /// What no user object of Okta tells: privileges, importance, former names.
    fn as_okta_knows(person: &Person) -> Person {
        Person {
            aliases: None,
            privileged: None,
            vip: None,
            ..person.clone()
        }
    }

    #[test]
    fn everybody_comes_back_as_they_are_in_the_demo() {
        let people = demo_people();
        assert_eq!(people.len(), 63);
        let answer = okta_users(&people);
        let imported_at = people[0].imported_at;
        let read =
            af_okta::inventory::people("demo", &answer, Some("directory"), imported_at).unwrap();
        let read: Vec<Person> = read.into_iter().map(Result::unwrap).collect();
        let expected: Vec<Person> = people.iter().map(as_okta_knows).collect();
        assert_eq!(read, expected);
        // Leavers and service accounts are among them, or the comparison says little.
        assert!(read.iter().any(|person| person.deactivated.is_some()));
        assert!(
            read.iter()
                .any(|person| person.user_type.as_deref() == Some("service"))
        );
    }

    #[test]
    fn former_names_keep_their_time() {
        let people = demo_people();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("former-names.csv");
        fs_err::write(&file, former_names(&people)).unwrap();
        let options = ImportOptions {
            tenant: Some("demo".to_owned()),
            source: "former-names".to_owned(),
            ..ImportOptions::default()
        };
        let read = af_directory::import(&file, &options).unwrap();
        assert_eq!((read.rejects.len(), read.warnings.len()), (0, 0));
        let named = |people: &[Person]| -> Vec<_> {
            let with_names = people.iter().filter(|person| person.aliases.is_some());
            with_names
                .map(|person| (person.user_uid.clone(), person.aliases.clone()))
                .collect()
        };
        assert_eq!(named(&read.people), named(&people));
        assert_eq!(read.people.len(), 2);
        let bounded = read
            .people
            .iter()
            .flat_map(|person| person.aliases.iter().flatten());
        assert_eq!(bounded.filter(|alias| alias.valid_to.is_some()).count(), 1);
    }
}
