//! Whom a typed name means.

use std::collections::BTreeSet;
use std::path::Path;

use af_model::Person;
use af_model::key::normalize_key;
use af_model::tables::user_scores::TABLE;
use polars::prelude::{col, lit};

use crate::columns;
use crate::error::Error;
use crate::snapshot::{Snapshot, cols};

/// How many names are proposed to somebody who mistyped one.
const NEAREST: usize = 3;

/// Below this likeness (Jaro-Winkler, 0 to 1) a name is no proposal.
const LIKENESS: f64 = 0.8;

/// One person of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonKey {
    /// The customer organization.
    pub tenant_uid: String,
    /// The person's id.
    pub user_uid: String,
    /// Primary e-mail address.
    pub email: String,
}

/// What a typed name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This person.
    One(PersonKey),
    /// Several people, by tenant and id.
    Several(Vec<PersonKey>),
    /// Somebody of the directory who is not in the snapshot: created after its `as_of`, or imported
    /// since.
    NotInSnapshot(PersonKey),
    /// Nobody; the addresses most like it, the likest first.
    Nobody(Vec<String>),
}

/// Finds a person of a snapshot by user id, else by login, else by e-mail address, else by a former
/// or additional name (at any time); the first kind that has a holder decides, as in the formula's
/// join. Logins and addresses compare normalized; a user id byte for byte and, where nobody is
/// called so at all, without regard to case.
///
/// A snapshot knows ids and addresses only; logins and former names come from the directory, whose
/// `people` may be empty.
///
/// # Errors
/// [`Error`] when the snapshot cannot be read.
pub fn find(
    snapshot: &Path,
    typed: &str,
    tenant: Option<&str>,
    people: &[Person],
) -> Result<Found, Error> {
    let known = known(&Snapshot::open(snapshot)?, tenant)?;
    let people: Vec<&Person> = people
        .iter()
        .filter(|person| tenant.is_none_or(|tenant| person.tenant_uid == tenant))
        .collect();
    let typed = typed.trim();
    let key = normalize_key(typed);
    let same = |text: &str| !key.is_empty() && normalize_key(text) == key;
    let published = |holds: &dyn Fn(&Known) -> bool| -> BTreeSet<PersonKey> {
        let holders = known.iter().filter(|person| holds(person));
        holders.map(|person| person.key.clone()).collect()
    };
    let listed = |holds: &dyn Fn(&Person) -> bool| -> BTreeSet<PersonKey> {
        let holders = people.iter().filter(|person| holds(person));
        holders.map(|person| key_of(person)).collect()
    };
    let has_alias = |person: &Person| {
        let mut aliases = person.aliases.iter().flatten();
        aliases.any(|alias| same(&alias.key))
    };
    let kinds = [
        published(&|person| person.key.user_uid == typed),
        listed(&|person| person.login.as_deref().is_some_and(same)),
        published(&|person| same(&person.key.email)),
        listed(&|person| same(&person.email)),
        listed(&has_alias),
        published(&|person| person.key.user_uid.eq_ignore_ascii_case(typed)),
    ];
    let mut outside = None;
    for holders in kinds {
        let mut here = BTreeSet::new();
        for holder in holders {
            // The directory may say another address by now: tenant and id decide.
            match known.iter().find(|person| person.is(&holder)) {
                Some(person) => {
                    here.insert(person.key.clone());
                }
                None => outside = outside.or(Some(holder)),
            }
        }
        if here.len() > 1 {
            return Ok(Found::Several(here.into_iter().collect()));
        }
        if let Some(only) = here.into_iter().next() {
            return Ok(Found::One(only));
        }
    }
    Ok(match outside {
        Some(person) => Found::NotInSnapshot(person),
        None => Found::Nobody(nearest(&key, &known)),
    })
}

/// A person as the snapshot knows them.
struct Known {
    key: PersonKey,
    display_name: Option<String>,
}

impl Known {
    fn is(&self, other: &PersonKey) -> bool {
        self.key.tenant_uid == other.tenant_uid && self.key.user_uid == other.user_uid
    }
}

fn known(snapshot: &Snapshot, tenant: Option<&str>) -> Result<Vec<Known>, Error> {
    const COLUMNS: [&str; 4] = ["tenant_uid", "user_uid", "email", "display_name"];
    let scan = snapshot.scan(&TABLE, &COLUMNS)?;
    let scan = match tenant {
        Some(tenant) => scan.filter(col("tenant_uid").eq(lit(tenant))),
        None => scan,
    };
    let rows = snapshot.collect(&TABLE, scan.select(cols(&COLUMNS)))?;
    let broken = |error| snapshot.broken(&TABLE, &error);
    let tenants = columns::required_texts(&rows, "tenant_uid").map_err(broken)?;
    let users = columns::required_texts(&rows, "user_uid").map_err(broken)?;
    let emails = columns::required_texts(&rows, "email").map_err(broken)?;
    let names = columns::texts(&rows, "display_name").map_err(broken)?;
    let keys = tenants.into_iter().zip(users).zip(emails).zip(names);
    Ok(keys
        .map(|(((tenant_uid, user_uid), email), display_name)| Known {
            key: PersonKey {
                tenant_uid,
                user_uid,
                email,
            },
            display_name,
        })
        .collect())
}

fn key_of(person: &Person) -> PersonKey {
    PersonKey {
        tenant_uid: person.tenant_uid.clone(),
        user_uid: person.user_uid.clone(),
        email: person.email.clone(),
    }
}

/// The addresses of the people whose address, its local part, id or name is most like the text.
fn nearest(key: &str, known: &[Known]) -> Vec<String> {
    let mut alike: Vec<(f64, &str)> = known
        .iter()
        .map(|person| {
            let email = person.key.email.as_str();
            let local = email.split('@').next().unwrap_or_default();
            let name = person.display_name.as_deref().unwrap_or_default();
            let parts = name.split_whitespace();
            let texts = [email, local, &person.key.user_uid, name].into_iter();
            let best = texts
                .chain(parts)
                .map(|text| strsim::jaro_winkler(key, &text.to_lowercase()))
                .fold(0.0, f64::max);
            (best, email)
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .collect();
    alike.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
    alike.dedup_by(|later, earlier| later.1 == earlier.1);
    let texts = alike.into_iter().take(NEAREST);
    texts.map(|(_, email)| email.to_owned()).collect()
}
