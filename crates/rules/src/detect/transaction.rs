//! The person of an event that names nobody, found in the other events of its transaction.
//!
//! Some attacks are seen before anybody said who signs in: the event names nobody, and the person
//! stands in another event of the same transaction. They are looked for among the events of the
//! same tenant and batch (a whole day) that carry the same transaction id.
//!
//! What was published stays: a row takes its person from what was known when the row itself became
//! known. If nobody was known then, the row remains anonymous, and the first that become known
//! later name the person from that instant on ([`Lent::since`]). Where several people stand in a
//! transaction, nobody can be told apart and nobody is named; whoever comes later changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::TimestampMillisecondArray;
use hashbrown::HashMap;

use crate::columns::frame::{Column, Frame};
use crate::detect::marks::Marks;
use crate::detect::signal::{Named, People};
use crate::rule::Subject;

/// A transaction of more people than this is nobody's, and is not looked into further.
const MOST_NAMES: usize = 16;

/// A person lent by a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lent<'a> {
    /// The person, with the names that were known by then.
    pub(crate) named: Named<'a>,
    /// From when on this is known: the row's own instant, or a later one. Milliseconds.
    pub(crate) since: i64,
}

/// The people of transactions.
pub(crate) struct Transactions<'a> {
    tenant: Column<'a>,
    transaction: Column<'a>,
    ingested: &'a TimestampMillisecondArray,
    steps: HashMap<(&'a str, &'a str), Vec<Step<'a>>>,
}

/// Whom a transaction names from an instant on; nobody where it names several.
struct Step<'a> {
    at: i64,
    named: Option<Named<'a>>,
}

impl<'a> Transactions<'a> {
    /// Looks through a batch for those who stand in the transactions of `rows`: rows that name
    /// nobody. Costs nothing without such rows.
    pub(crate) fn of(
        frame: &'a Frame,
        people: &People<'a>,
        rows: impl Iterator<Item = usize>,
    ) -> Self {
        let mut transactions = Self {
            tenant: frame.text_column("tenant_uid"),
            transaction: frame.text_column("metadata_correlation_uid"),
            ingested: frame.instant_column("ingested_at"),
            steps: HashMap::new(),
        };
        let mut names: HashMap<(&str, &str), Vec<(i64, Named<'_>)>> = rows
            .filter_map(|row| transactions.key(row))
            .map(|key| (key, Vec::new()))
            .collect();
        if names.is_empty() {
            return transactions;
        }
        let marks = Marks::of(names.keys().map(|(_, transaction)| *transaction));
        let may_be_asked = |row: &usize| {
            let transaction = transactions.transaction.text(*row);
            transaction.is_some_and(|transaction| marks.may_have(transaction))
        };
        for row in (0..frame.len()).filter(may_be_asked) {
            let Some(found) = transactions.key(row).and_then(|key| names.get_mut(&key)) else {
                continue;
            };
            let named = people.named(Subject::Victim, row);
            if named.reference.is_some() {
                found.push((transactions.ingested.value(row), named));
            }
        }
        transactions.steps = names
            .into_iter()
            .map(|(key, found)| (key, steps(found)))
            .collect();
        transactions
    }

    fn key(&self, row: usize) -> Option<(&'a str, &'a str)> {
        Some((self.tenant.text(row)?, self.transaction.text(row)?))
    }

    /// The one person of the row's transaction, if there is one.
    pub(crate) fn person(&self, row: usize) -> Option<Lent<'a>> {
        let steps = self.steps.get(&self.key(row)?)?;
        let known = self.ingested.value(row);
        let by_then = steps.partition_point(|step| step.at <= known);
        // Nobody by then: whoever comes first.
        let step = steps.get(by_then.saturating_sub(1))?;
        Some(Lent {
            named: step.named.clone()?,
            since: step.at.max(known),
        })
    }
}

/// Whom the events of one transaction name, from each instant on at which one became known.
fn steps(mut found: Vec<(i64, Named<'_>)>) -> Vec<Step<'_>> {
    found.sort_unstable();
    found.dedup();
    let mut names = Names::default();
    let mut steps: Vec<Step<'_>> = Vec::new();
    for of_instant in found.chunk_by(|a, b| a.0 == b.0) {
        for (_, named) in of_instant {
            names.add(named);
        }
        let named = names.only();
        if steps.last().is_none_or(|last| last.named != named) {
            let at = of_instant[0].0;
            steps.push(Step { at, named });
        }
    }
    steps
}

/// The names met so far in one transaction.
#[derive(Default)]
struct Names<'a> {
    /// By reference, with the fullest row of names.
    by_reference: BTreeMap<String, Named<'a>>,
    /// Logins that came together with a user id.
    logins: BTreeSet<String>,
    too_many: bool,
}

impl<'a> Names<'a> {
    fn add(&mut self, named: &Named<'a>) {
        let Some(reference) = named.reference.as_deref() else {
            return;
        };
        if self.too_many {
            return;
        }
        if let (Some(_), Some(login)) = (&named.uid, &named.login) {
            self.logins.insert(login.to_string());
        }
        match self.by_reference.get_mut(reference) {
            Some(known) if fullness(named) < fullness(known) => *known = named.clone(),
            Some(_) => {}
            None => {
                self.by_reference
                    .insert(reference.to_owned(), named.clone());
            }
        }
        self.too_many = self.by_reference.len() > MOST_NAMES || self.logins.len() > MOST_NAMES;
    }

    /// The one person that all names mean: one reference, or one user id and logins that came
    /// together with it.
    fn only(&self) -> Option<Named<'a>> {
        if self.too_many {
            return None;
        }
        if self.by_reference.len() == 1 {
            return self.by_reference.values().next().cloned();
        }
        let is_uid = |reference: &str| reference.starts_with("uid:");
        let mut with_uid = self.by_reference.iter().filter(|(name, _)| is_uid(name));
        let (Some((_, person)), None) = (with_uid.next(), with_uid.next()) else {
            return None;
        };
        self.by_reference
            .keys()
            .filter(|name| !is_uid(name))
            .all(|name| {
                name.strip_prefix("login:")
                    .or_else(|| name.strip_prefix("email:"))
                    .is_some_and(|login| self.logins.contains(login))
            })
            .then(|| person.clone())
    }
}

/// Least for the row that names the most; the names themselves decide between equals.
fn fullness<'n>(named: &'n Named<'_>) -> (bool, bool, &'n Named<'n>) {
    (named.uid.is_none(), named.login.is_none(), named)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn person(reference: &'static str, login: Option<&'static str>) -> Named<'static> {
        Named {
            reference: Some(reference.into()),
            uid: reference.strip_prefix("uid:").map(Into::into),
            login: login.map(Into::into),
        }
    }

    /// Instant and reference of every step; `-` for nobody.
    fn told(found: &[(i64, Named<'static>)]) -> Vec<(i64, String)> {
        steps(found.to_vec())
            .into_iter()
            .map(|step| {
                let reference = step.named.and_then(|named| named.reference);
                (step.at, reference.as_deref().unwrap_or("-").to_owned())
            })
            .collect()
    }

    fn owned(steps: &[(i64, &str)]) -> Vec<(i64, String)> {
        steps
            .iter()
            .map(|&(at, name)| (at, name.to_owned()))
            .collect()
    }

    #[test]
    fn a_second_person_makes_it_nobody_from_then_on() {
        let (ana, ben) = (person("uid:ana", None), person("uid:ben", None));
        let found = [(20, ben), (10, ana.clone()), (30, ana)];
        assert_eq!(told(&found), owned(&[(10, "uid:ana"), (20, "-")]));
    }

    #[test]
    fn a_login_that_came_with_the_id_is_the_same_person() {
        let found = [
            (10, person("login:ana@example.com", Some("ana@example.com"))),
            (20, person("uid:ana", Some("ana@example.com"))),
        ];
        let steps = told(&found);
        assert_eq!(
            steps,
            owned(&[(10, "login:ana@example.com"), (20, "uid:ana")])
        );
        let other = [
            (10, person("login:ben@example.com", Some("ben@example.com"))),
            (20, person("uid:ana", Some("ana@example.com"))),
        ];
        assert_eq!(told(&other)[1], (20, "-".to_owned()));
        // A hashed name may be anybody's.
        let hashed = [
            (10, person("uid:ana", Some("ana@example.com"))),
            (20, person("h:0123", None)),
        ];
        assert_eq!(told(&hashed)[1], (20, "-".to_owned()));
    }

    #[test]
    fn a_transaction_of_a_crowd_is_nobodys_and_stays_so() {
        let crowd: Vec<(i64, Named<'static>)> = (0..40)
            .map(|n| (i64::from(n), person(format!("uid:{n}").leak(), None)))
            .collect();
        assert_eq!(told(&crowd), owned(&[(0, "uid:0"), (1, "-")]));
    }

    proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter_and_later_rows_change_no_earlier_step(
            found in prop::collection::vec((0_i64..5, 0_usize..4), 0..12),
            seed in any::<prop::sample::Index>(),
        ) {
            let names = [
                person("uid:ana", Some("ana@example.com")),
                person("uid:ana", None),
                person("login:ana@example.com", Some("ana@example.com")),
                person("uid:ben", None),
            ];
            let all: Vec<(i64, Named<'static>)> =
                found.iter().map(|&(at, who)| (at, names[who].clone())).collect();
            let mut turned = all.clone();
            if !turned.is_empty() {
                let by = seed.index(turned.len());
                turned.rotate_left(by);
                turned.reverse();
            }
            prop_assert_eq!(told(&all), told(&turned));
            for until in 0..5 {
                let early: Vec<_> = all.iter().filter(|(at, _)| *at <= until).cloned().collect();
                let cut: Vec<_> = told(&all).into_iter().filter(|(at, _)| *at <= until).collect();
                prop_assert_eq!(told(&early), cut);
            }
        }
    }
}
