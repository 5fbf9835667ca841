//! Who is meant, and everything they are known by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use af_model::key::normalize_key;
use af_model::tables::{attack_signals, directory, identity_events, user_scores};
use af_model::{HashKey, Person};
use af_store::{Partitioned, Scan, Snapshot, Store, table_file};
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use serde::{Deserialize, Serialize};

use super::super::barred::keys_of;
use super::super::day_files;
use super::feeds;
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

/// Everything one person is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::upkeep) struct Identity {
    tenant: String,
    /// User ids, byte for byte; one, unless other systems gave them further ones.
    uids: BTreeSet<String>,
    /// Logins, e-mail addresses and aliases, normalized, that nobody else holds.
    keys: BTreeSet<String>,
    /// The same as sources spelled them.
    spellings: BTreeSet<String>,
    /// Names shown to people.
    names: BTreeSet<String>,
    /// Those of them that are several words and nobody else's: they tell the person in any text.
    distinct_names: BTreeSet<String>,
}

/// What was found out about a person.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) identity: Identity,
    /// Keys of other people that contain one of this person's: `mary.joe@…` contains `joe@…`.
    pub(super) colleagues: BTreeSet<String>,
    /// Keys that the person shares with others.
    pub(super) shared: u64,
}

/// One person of the directory versions and snapshots.
#[derive(Debug, Default)]
struct Candidate {
    keys: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Identity {
    /// Nobody yet.
    pub(in crate::upkeep) fn nobody(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            uids: BTreeSet::new(),
            keys: BTreeSet::new(),
            spellings: BTreeSet::new(),
            names: BTreeSet::new(),
            distinct_names: BTreeSet::new(),
        }
    }

    /// Adds what one row says of the person.
    pub(in crate::upkeep) fn add(
        &mut self,
        uid: Option<&str>,
        key: Option<&str>,
        name: Option<&str>,
    ) {
        self.uids.extend(uid.map(str::to_owned));
        if let Some(key) = key.filter(|key| !key.trim().is_empty() && !key.starts_with("h:")) {
            self.keys.insert(normalize_key(key).into_owned());
            self.spellings.insert(key.trim().to_owned());
        }
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        self.names.extend(name.map(str::to_owned));
    }

    pub(in crate::upkeep) fn is_nobody(&self) -> bool {
        self.uids.is_empty() && self.keys.is_empty()
    }

    pub(super) fn tenant(&self) -> &str {
        &self.tenant
    }

    pub(super) const fn uids(&self) -> &BTreeSet<String> {
        &self.uids
    }

    pub(super) const fn keys(&self) -> &BTreeSet<String> {
        &self.keys
    }

    pub(super) const fn spellings(&self) -> &BTreeSet<String> {
        &self.spellings
    }

    pub(super) const fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    pub(super) const fn distinct_names(&self) -> &BTreeSet<String> {
        &self.distinct_names
    }

    /// The keyed hash by which tombstones call the person: of the user id where there is one.
    pub(super) fn person_hash(&self, key: &HashKey) -> String {
        let first = self.uids.first().or_else(|| self.keys.first());
        let first = first.map(String::as_str).unwrap_or_default();
        key.identifier(&self.tenant, first).to_string()
    }

    /// The keyed hashes of every user id, as it is and normalized, and of every key.
    pub(super) fn hashes(&self, key: &HashKey) -> BTreeSet<String> {
        let normalized = self.uids.iter().map(|uid| normalize_key(uid).into_owned());
        let all = normalized
            .chain(self.uids.iter().cloned())
            .chain(self.keys.iter().cloned());
        all.map(|text| key.identifier(&self.tenant, &text).to_string())
            .collect()
    }
}

/// Finds the person by user id, else by login, e-mail address or alias: in every directory version
/// and snapshot, else in events and signals. `None` when nobody has that name.
pub(super) fn find(
    store: &Store,
    tenant: &str,
    person: &str,
    progress: &dyn Progress,
) -> Result<Option<Found>, Error> {
    let person = person.trim();
    if person.is_empty() {
        return Ok(None);
    }
    progress.begin("looking for the person", None);
    let candidates = candidates(store, tenant)?;
    let uids: Vec<&String> = if candidates.contains_key(person) {
        candidates.keys().filter(|uid| *uid == person).collect()
    } else {
        let key = normalize_key(person);
        let holders = candidates.iter();
        let holders = holders.filter(|(_, candidate)| candidate.keys.contains(&*key));
        holders.map(|(uid, _)| uid).collect()
    };
    let mut identity = Identity::nobody(tenant);
    let mut asked = Identity::nobody(tenant);
    match uids.as_slice() {
        [] => asked.add(Some(person), Some(person), None),
        [uid] => {
            let candidate = &candidates[*uid];
            identity.uids.insert((*uid).clone());
            identity.keys.extend(candidate.keys.iter().cloned());
            identity.names.extend(candidate.names.iter().cloned());
            asked.clone_from(&identity);
        }
        several => return Err(ambiguous(several)),
    }
    look_through_events(store, &asked, &mut identity)?;
    progress.end();
    if identity.is_nobody() {
        return Ok(None);
    }
    if identity.uids.len() > 1 && uids.is_empty() {
        return Err(ambiguous(&identity.uids.iter().collect::<Vec<_>>()));
    }
    let others = candidates
        .iter()
        .filter(|(uid, _)| !identity.uids.contains(*uid))
        .map(|(_, candidate)| candidate);
    let (mut keys, mut names) = (BTreeSet::new(), BTreeSet::new());
    for other in others {
        keys.extend(other.keys.iter().map(String::as_str));
        names.extend(other.names.iter().map(|name| name.to_lowercase()));
    }
    Ok(Some(identity.among(&keys, &names)))
}

impl Identity {
    /// Tells apart what is the person's own and what colleagues share.
    fn among(mut self, keys: &BTreeSet<&str>, names: &BTreeSet<String>) -> Found {
        let before = self.keys.len();
        self.keys.retain(|key| !keys.contains(key.as_str()));
        let shared = (before - self.keys.len()) as u64;
        let own = &self.keys;
        self.spellings
            .retain(|spelling| own.contains(&*normalize_key(spelling)));
        let several_words = |name: &&String| name.split_whitespace().nth(1).is_some();
        self.distinct_names = self
            .names
            .iter()
            .filter(several_words)
            .filter(|name| !names.contains(&name.to_lowercase()))
            .cloned()
            .collect();
        let own: Vec<&String> = self.keys.iter().chain(&self.uids).collect();
        let colleagues = keys
            .iter()
            .filter(|other| own.iter().any(|key| other.contains(key.as_str())))
            .map(|other| (*other).to_owned())
            .collect();
        Found {
            colleagues,
            shared,
            identity: self,
        }
    }
}

fn ambiguous(uids: &[&String]) -> Error {
    let shown: Vec<String> = uids
        .iter()
        .take(5)
        .map(|uid| af_model::name::Printable(uid).to_string())
        .collect();
    Error::new(
        ErrorKind::Usage,
        format!(
            "tell whom to erase: {} people have had that name (user ids {}{})",
            uids.len(),
            shown.join(", "),
            if uids.len() > shown.len() {
                ", …"
            } else {
                ""
            }
        ),
    )
    .with_hint("give the user id instead; the name goes with the last of them")
}

/// Everybody of a tenant whom a directory version, an inventory or a snapshot knows, by user id.
fn candidates(store: &Store, tenant: &str) -> Result<BTreeMap<String, Candidate>, Error> {
    let mut candidates: BTreeMap<String, Candidate> = BTreeMap::new();
    for path in store.directories()? {
        for person in people(&path)? {
            if person.tenant_uid != tenant {
                continue;
            }
            let keys = keys_of(&person)
                .skip(1)
                .map(|key| normalize_key(key).into_owned());
            let keys: Vec<String> = keys.filter(|key| !key.is_empty()).collect();
            let candidate = candidates.entry(person.user_uid).or_default();
            candidate.keys.extend(keys);
            candidate.names.extend(person.display_name);
        }
    }
    for person in feeds::people(store, tenant)? {
        let person = person?;
        let keys = keys_of(&person).skip(1);
        let keys: Vec<String> = keys.map(|key| normalize_key(key).into_owned()).collect();
        let candidate = candidates.entry(person.user_uid).or_default();
        candidate.keys.extend(keys);
        candidate.names.extend(person.display_name);
    }
    for id in store.snapshots()? {
        let snapshot = Snapshot::open(&store.snapshot_dir(id))?;
        let columns = ["tenant_uid", "user_uid", "email", "display_name"];
        let file = snapshot.table_file(&user_scores::TABLE)?;
        for batch in file.read(Some(&columns), Scan::File)? {
            let batch = batch?;
            let [tenants, uids, emails, names] = [0, 1, 2, 3].map(|at| text_column(&batch, at));
            for row in (0..batch.num_rows()).filter(|&row| tenants.value(row) == tenant) {
                let uid = uids.value(row);
                if !candidates.contains_key(uid) {
                    candidates.insert(uid.to_owned(), Candidate::default());
                }
                let candidate = candidates.get_mut(uid).expect("it was just entered");
                let email = normalize_key(emails.value(row));
                if !email.is_empty() && !candidate.keys.contains(&*email) {
                    candidate.keys.insert(email.into_owned());
                }
                if names.is_valid(row) && !candidate.names.contains(names.value(row)) {
                    candidate.names.insert(names.value(row).to_owned());
                }
            }
        }
    }
    Ok(candidates)
}

/// All rows of a directory version.
pub(super) fn people(path: &Path) -> Result<Vec<Person>, Error> {
    let mut people = Vec::new();
    for batch in table_file::read(path, &directory::TABLE, None, Scan::File)? {
        people.extend(directory::rows(&batch?).map_err(|error| {
            Error::new(ErrorKind::Io, format!("read {}: {error}", path.display()))
        })?);
    }
    Ok(people)
}

/// Learns from events and signals how else the person who is asked for is called. Someone whom no
/// directory knows may be found there by either name.
fn look_through_events(
    store: &Store,
    asked: &Identity,
    identity: &mut Identity,
) -> Result<(), Error> {
    // With another user id beside it, a known person's key may have changed hands.
    let is_known = !identity.uids.is_empty();
    let mut learn = |uid: Option<&str>, key: Option<&str>, name: Option<&str>| {
        let by_uid = uid.is_some_and(|uid| asked.uids.contains(uid));
        let by_key = key.is_some_and(|key| asked.keys.contains(&*normalize_key(key)));
        if by_uid || (by_key && (!is_known || uid.is_none())) {
            // Without a user id, what is shown may be the name of an application.
            identity.add(uid, key, name.filter(|_| uid.is_some()));
        }
    };
    for path in day_files(store, Partitioned::Events)? {
        let columns = [
            "tenant_uid",
            "user_uid",
            "user_name",
            "actor_user_uid",
            "actor_user_name",
            "actor_user_display_name",
            "targets",
        ];
        let table = &identity_events::TABLE;
        for batch in table_file::read(&path, table, Some(&columns), Scan::File)? {
            let batch = batch?;
            let texts = [0, 1, 2, 3, 4, 5].map(|at| text_column(&batch, at));
            let [tenants, ..] = texts;
            let text = |at: usize, row: usize| {
                let column: &StringArray = texts[at];
                column.is_valid(row).then(|| column.value(row))
            };
            let targets = batch.column(6).as_list::<i32>();
            let parts = targets.values().as_struct();
            let part = |at: usize, place: usize| {
                let column = parts.column(at).as_string::<i32>();
                column.is_valid(place).then(|| column.value(place))
            };
            let of_tenant = |row: &usize| tenants.value(*row) == asked.tenant;
            for row in (0..batch.num_rows()).filter(of_tenant) {
                learn(text(1, row), text(2, row), None);
                learn(text(3, row), text(4, row), text(5, row));
                let offsets = targets.value_offsets();
                let span = offsets[row]..offsets[row + 1];
                for place in span.filter_map(|place| usize::try_from(place).ok()) {
                    let Some(is_account) = is_account(part(1, place)) else {
                        continue;
                    };
                    let uid = part(0, place).filter(|_| !is_account);
                    learn(uid, part(2, place), part(3, place));
                }
            }
        }
    }
    for path in day_files(store, Partitioned::Signals)? {
        let columns = [
            "tenant_uid",
            "subject_uid",
            "subject_login",
            "subject_email",
        ];
        let table = &attack_signals::TABLE;
        for batch in table_file::read(&path, table, Some(&columns), Scan::File)? {
            let batch = batch?;
            let texts = [0, 1, 2, 3].map(|at| text_column(&batch, at));
            let text = |at: usize, row: usize| {
                let column: &StringArray = texts[at];
                column.is_valid(row).then(|| column.value(row))
            };
            for row in 0..batch.num_rows() {
                if text(0, row) == Some(&asked.tenant) {
                    learn(text(1, row), text(2, row), None);
                    learn(text(1, row), text(3, row), None);
                }
            }
        }
    }
    Ok(())
}

/// Whether a target is somebody's account in an application, whose id is not the user's and whose
/// name shown may be the application's; `None` when it is nobody at all.
pub(in crate::upkeep) fn is_account(kind: Option<&str>) -> Option<bool> {
    match kind {
        None => Some(false),
        Some(kind) if kind.eq_ignore_ascii_case("User") => Some(false),
        Some(kind) if kind.eq_ignore_ascii_case("AppUser") => Some(true),
        Some(_) => None,
    }
}

fn text_column(batch: &RecordBatch, at: usize) -> &StringArray {
    batch.column(at).as_string::<i32>()
}
