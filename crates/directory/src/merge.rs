//! What becomes of two rows about the same user.

use std::cmp::Ordering;

use af_model::Person;

/// People without repetition, sorted by tenant and user id; how many rows repeated one exactly; and
/// the lines of rows that said something else about a user of whom another row was kept.
#[derive(Debug, PartialEq)]
pub(crate) struct Settled {
    pub(crate) people: Vec<Person>,
    pub(crate) duplicates: u64,
    pub(crate) conflicts: Vec<u64>,
}

/// Keeps one row for each (tenant, user id): the one with the latest sign-in, then the latest
/// creation, then the smallest in column order. So the order of rows in the file does not matter.
/// A user who was deleted and created anew has another id under the same login: both stay, and the
/// join decides by time who held the login.
pub(crate) fn settle(mut rows: Vec<(u64, Person)>) -> Settled {
    rows.sort_by(|(line, a), (other_line, b)| {
        id(a)
            .cmp(&id(b))
            .then_with(|| freshness(b).cmp(&freshness(a)))
            .then_with(|| column_order(a, b))
            .then(line.cmp(other_line))
    });
    let mut duplicates = 0;
    let mut conflicts = Vec::new();
    // Of rows about one user, what was said last before this one; the first is the one that is kept.
    let mut said: Option<Person> = None;
    // In place: a second list of everybody would be as large.
    rows.dedup_by(|(line, person), (_, kept)| {
        if id(person) != id(kept) {
            said = None;
            return false;
        }
        if *person == *said.as_ref().unwrap_or(kept) {
            duplicates += 1;
        } else {
            conflicts.push(*line);
            said = Some(person.clone());
        }
        true
    });
    conflicts.sort_unstable();
    Settled {
        people: rows.into_iter().map(|(_, person)| person).collect(),
        duplicates,
        conflicts,
    }
}

fn id(person: &Person) -> (&str, &str) {
    (&person.tenant_uid, &person.user_uid)
}

fn freshness(person: &Person) -> impl Ord {
    (person.last_login, person.created)
}

fn column_order(a: &Person, b: &Person) -> Ordering {
    // Tuples compare up to twelve columns.
    fn first(person: &Person) -> impl Ord + '_ {
        (
            &person.email,
            &person.login,
            &person.aliases,
            &person.display_name,
            &person.status,
            &person.user_type,
            &person.department,
            &person.location,
        )
    }
    fn second(person: &Person) -> impl Ord + '_ {
        (
            &person.manager_uid,
            &person.title,
            person.privileged,
            person.vip,
            person.deactivated,
            &person.source,
            person.imported_at,
        )
    }
    first(a)
        .cmp(&first(b))
        .then_with(|| second(a).cmp(&second(b)))
}

#[cfg(test)]
mod tests {
    use af_model::UtcMillis;
    use proptest::prelude::*;

    use super::*;

    fn person(user_uid: &str, title: &str, last_login: Option<i64>) -> Person {
        Person {
            tenant_uid: "acme".to_owned(),
            user_uid: user_uid.to_owned(),
            email: "same@example.com".to_owned(),
            login: None,
            aliases: None,
            display_name: None,
            status: None,
            user_type: None,
            department: None,
            location: None,
            manager_uid: None,
            title: Some(title.to_owned()),
            privileged: None,
            vip: None,
            created: None,
            deactivated: None,
            last_login: last_login.map(UtcMillis),
            source: None,
            imported_at: None,
        }
    }

    #[test]
    fn the_row_with_the_latest_sign_in_is_kept() {
        let rows = vec![
            (2, person("1", "a", None)),
            (3, person("1", "z", Some(5))),
            (4, person("1", "b", Some(4))),
            (5, person("1", "z", Some(5))),
        ];
        let settled = settle(rows);
        assert_eq!(settled.people, [person("1", "z", Some(5))]);
        assert_eq!(settled.duplicates, 1);
        assert_eq!(settled.conflicts, [2, 4]);
    }

    #[test]
    fn one_login_under_two_ids_is_two_people() {
        let settled = settle(vec![
            (2, person("2", "a", None)),
            (3, person("1", "a", None)),
        ]);
        let ids: Vec<&str> = settled
            .people
            .iter()
            .map(|person| person.user_uid.as_str())
            .collect();
        assert_eq!(ids, ["1", "2"]);
        assert_eq!((settled.duplicates, settled.conflicts.len()), (0, 0));
    }

    proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter(
            rows in proptest::collection::vec((0..3_u8, 0..3_u8, proptest::option::of(0..3_i64)), 0..12)
        ) {
            let forward: Vec<(u64, Person)> = rows
                .iter()
                .zip(1..)
                .map(|((user, title, login), line)| (line, person(&user.to_string(), &title.to_string(), *login)))
                .collect();
            let backward: Vec<(u64, Person)> = forward.iter().rev().cloned().collect();
            let (one, other) = (settle(forward), settle(backward));
            prop_assert_eq!(&one, &other);
            let accounted = one.people.len() + one.conflicts.len();
            prop_assert_eq!(accounted as u64 + one.duplicates, rows.len() as u64);
        }
    }
}
