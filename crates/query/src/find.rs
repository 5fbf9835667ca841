//! Whom a typed name means.

use std::collections::BTreeSet;
use std::path::Path;

use af_model::Person;
use af_model::key::normalize_key;
use af_model::tables::user_scores::TABLE;
use af_store::Key;

use crate::columns::{self, Repeated};
use crate::error::Error;
use crate::snapshot::{OpenTable, Snapshot, keys_of};

/// How many names are proposed to somebody who mistyped one.
const NEAREST: usize = 3;

/// Below this likeness (Jaro-Winkler, 0 to 1) a name is no proposal.
const LIKENESS: f64 = 0.8;

const COLUMNS: [&str; 3] = ["tenant_uid", "user_uid", "email"];

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
    let published = Published {
        table: Snapshot::open(snapshot)?.open_table(&TABLE)?,
        tenant: tenant.map(|tenant| Key::of("tenant_uid", tenant)),
    };
    let typed = typed.trim();
    let by_id = published.called(typed)?;
    if !by_id.is_empty() {
        return Ok(one_or_several(by_id));
    }
    let key = normalize_key(typed);
    let same = |text: &str| !key.is_empty() && normalize_key(text) == key;
    let listed = |holds: &dyn Fn(&Person) -> bool| -> BTreeSet<PersonKey> {
        let own = people
            .iter()
            .filter(|person| tenant.is_none_or(|tenant| person.tenant_uid == tenant));
        own.filter(|person| holds(person)).map(key_of).collect()
    };
    let has_alias = |person: &Person| {
        let mut aliases = person.aliases.iter().flatten();
        aliases.any(|alias| same(&alias.key))
    };
    let mut outside = None;
    let by_login = listed(&|person| person.login.as_deref().is_some_and(same));
    if let Some(found) = published.settle(by_login, &mut outside)? {
        return Ok(found);
    }
    let (by_email, by_id_in_any_case) = published.matching(same, typed)?;
    if !by_email.is_empty() {
        return Ok(one_or_several(by_email));
    }
    for holders in [listed(&|person| same(&person.email)), listed(&has_alias)] {
        if let Some(found) = published.settle(holders, &mut outside)? {
            return Ok(found);
        }
    }
    if !by_id_in_any_case.is_empty() {
        return Ok(one_or_several(by_id_in_any_case));
    }
    match outside {
        Some(person) => Ok(Found::NotInSnapshot(person)),
        None => Ok(Found::Nobody(published.nearest(&key)?)),
    }
}

fn one_or_several(mut people: BTreeSet<PersonKey>) -> Found {
    match (people.len(), people.pop_first()) {
        (1, Some(only)) => Found::One(only),
        (_, first) => Found::Several(first.into_iter().chain(people).collect()),
    }
}

/// The people of a snapshot, read anew for each question: a snapshot may hold millions.
struct Published {
    table: OpenTable,
    tenant: Option<Key>,
}

impl Published {
    /// Who has this user id, byte for byte.
    fn called(&self, user_uid: &str) -> Result<BTreeSet<PersonKey>, Error> {
        let mut keys: Vec<Key> = self.tenant.iter().cloned().collect();
        keys.push(Key::of("user_uid", user_uid));
        self.filtered(&keys, |_, _| true)
    }

    /// Whom these people of the directory are in the snapshot, if anybody; else remembers one of them.
    fn settle(
        &self,
        holders: BTreeSet<PersonKey>,
        outside: &mut Option<PersonKey>,
    ) -> Result<Option<Found>, Error> {
        let here = self.among(&holders)?;
        if here.is_empty() {
            *outside = outside.take().or(holders.into_iter().next());
            return Ok(None);
        }
        Ok(Some(one_or_several(here)))
    }

    /// Who of these is in the snapshot. The directory may say another address by now: tenant and id
    /// decide, and the snapshot's address comes back.
    fn among(&self, people: &BTreeSet<PersonKey>) -> Result<BTreeSet<PersonKey>, Error> {
        if people.is_empty() {
            return Ok(BTreeSet::new());
        }
        let pairs: BTreeSet<(&str, &str)> = people
            .iter()
            .map(|person| (person.tenant_uid.as_str(), person.user_uid.as_str()))
            .collect();
        self.filtered(&keys_of(pairs.iter().copied()), |tenant, user| {
            pairs.contains(&(tenant, user))
        })
    }

    fn filtered(
        &self,
        keys: &[Key],
        is_wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<BTreeSet<PersonKey>, Error> {
        let rows = self.table.rows(keys, Some(&COLUMNS))?;
        let [tenants, users, emails] = COLUMNS.map(|name| columns::texts(&rows, name));
        let wanted =
            (0..rows.num_rows()).filter(|&row| is_wanted(tenants.value(row), users.value(row)));
        let person = |row| PersonKey {
            tenant_uid: tenants.value(row).to_owned(),
            user_uid: users.value(row).to_owned(),
            email: emails.value(row).to_owned(),
        };
        Ok(wanted.map(person).collect())
    }

    /// Whose address is as wanted, and whose id is this one in any case.
    fn matching(
        &self,
        is_address: impl Fn(&str) -> bool,
        user_uid: &str,
    ) -> Result<(BTreeSet<PersonKey>, BTreeSet<PersonKey>), Error> {
        let mut by_email = BTreeSet::new();
        let mut by_id = BTreeSet::new();
        for batch in self.table.scan(self.tenant.as_slice(), &COLUMNS)? {
            let batch = batch?;
            let tenants = Repeated::of(&batch, "tenant_uid");
            let users = columns::texts(&batch, "user_uid");
            let emails = columns::texts(&batch, "email");
            for row in 0..batch.num_rows() {
                let (user, email) = (users.value(row), emails.value(row));
                let person = || PersonKey {
                    tenant_uid: tenants.text(row).unwrap_or_default().to_owned(),
                    user_uid: user.to_owned(),
                    email: email.to_owned(),
                };
                if is_address(email) {
                    by_email.insert(person());
                }
                if user.eq_ignore_ascii_case(user_uid) {
                    by_id.insert(person());
                }
            }
        }
        Ok((by_email, by_id))
    }

    /// The addresses of the people whose address, its local part, id or name is most like the text.
    fn nearest(&self, key: &str) -> Result<Vec<String>, Error> {
        let mut nearest = Vec::new();
        let columns = ["user_uid", "email", "display_name"];
        for batch in self.table.scan(self.tenant.as_slice(), &columns)? {
            let batch = batch?;
            let [users, emails, names] = columns.map(|name| columns::texts(&batch, name));
            for row in 0..batch.num_rows() {
                let name = columns::text(names, row).unwrap_or_default();
                let (user, email) = (users.value(row), emails.value(row));
                let likeness = likeness(key, user, email, name);
                if likeness >= LIKENESS {
                    nearest.push((likeness, email.to_owned()));
                }
            }
            keep_nearest(&mut nearest);
        }
        Ok(nearest.into_iter().map(|(_, email)| email).collect())
    }
}

fn key_of(person: &Person) -> PersonKey {
    PersonKey {
        tenant_uid: person.tenant_uid.clone(),
        user_uid: person.user_uid.clone(),
        email: person.email.clone(),
    }
}

/// How much a person's address, its local part, id or name is like a text, 0 to 1.
fn likeness(key: &str, user_uid: &str, email: &str, name: &str) -> f64 {
    let local = email.split('@').next().unwrap_or_default();
    [email, local, user_uid, name]
        .into_iter()
        .chain(name.split_whitespace())
        .map(|text| strsim::jaro_winkler(key, &text.to_lowercase()))
        .fold(0.0, f64::max)
}

/// Leaves the likest addresses, in that order.
fn keep_nearest(alike: &mut Vec<(f64, String)>) {
    alike.sort_by(|left, right| {
        right
            .0
            .total_cmp(&left.0)
            .then_with(|| left.1.cmp(&right.1))
    });
    alike.dedup_by(|later, earlier| later.1 == earlier.1);
    alike.truncate(NEAREST);
}
