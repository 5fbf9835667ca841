//! What must not come back: events older than a purge, and people who were erased.

use std::collections::{BTreeMap, BTreeSet};

use af_model::key::{SubjectRef, normalize_key};
use af_model::tables::identity_events;
use af_model::{HashKey, Person, UtcDay};
use af_okta::Readings;
use af_store::Store;
use arrow::array::RecordBatch;

use super::erase::{Erased, Identity, Scrubber, is_account};
use super::purge::Purged;
use crate::error::Error;

/// Reason in `quarantine` of an event older than the last purge.
const PURGED: &str = "purged";
/// Reason in `quarantine` of an event about somebody who was erased.
const ERASED: &str = "erased";

/// What a store no longer takes in.
#[derive(Debug, Default)]
pub(crate) struct Barred {
    before: Option<UtcDay>,
    erased: Option<ErasedKeys>,
}

/// What is to be done with one event.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// It is taken in as it is.
    Welcome,
    /// It is about somebody else and names somebody who was erased: taken in without the name, as
    /// the only row of this batch.
    Cleaned(RecordBatch),
    /// It is refused, for this reason.
    Barred(&'static str),
}

/// Keyed hashes of the keys of everybody who was erased, by tenant.
#[derive(Debug)]
struct ErasedKeys {
    key: HashKey,
    hashes: BTreeMap<String, BTreeSet<String>>,
}

impl Barred {
    /// What the store says of it; `key` is the store's.
    ///
    /// # Errors
    /// The store's state cannot be read.
    pub(crate) fn of(store: &Store, key: &HashKey) -> Result<Self, Error> {
        Ok(Self {
            before: Purged::read(store)?.before,
            erased: ErasedKeys::of(store, || Ok(Some(key.clone())))?,
        })
    }

    /// What is to be done with an event.
    pub(crate) fn judge(&self, row: &identity_events::Row<'_>) -> Judgement {
        if self.before.is_some_and(|before| row.time.day() < before) {
            return Judgement::Barred(PURGED);
        }
        let Some((erased, hashes)) = self.erased.as_ref().and_then(|erased| {
            let hashes = erased.hashes.get(&*row.tenant_uid)?;
            Some((erased, hashes))
        }) else {
            return Judgement::Welcome;
        };
        let tenant = &*row.tenant_uid;
        let holds = |text: &str| erased.holds(hashes, tenant, text);
        let subject = row.subject_ref.as_deref().and_then(SubjectRef::parse);
        let named = match &subject {
            Some(SubjectRef::Hashed(hash)) => hashes.contains(&**hash),
            Some(SubjectRef::Uid(text) | SubjectRef::Login(text) | SubjectRef::Email(text)) => {
                holds(text)
            }
            None => false,
        };
        let subjects = [&row.user_uid, &row.user_name];
        if named || subjects.into_iter().flatten().any(|text| holds(text)) {
            return Judgement::Barred(ERASED);
        }
        let mentioned = mentioned(row, &holds);
        if mentioned.is_nobody() {
            return Judgement::Welcome;
        }
        let batch = identity_events::batch([row]);
        let scrubber = Scrubber::new(&mentioned, &erased.key, &BTreeSet::new());
        let cleaned = scrubber.clean_events(&batch);
        cleaned.map_or(Judgement::Welcome, Judgement::Cleaned)
    }
}

/// The erased people whom an event names beside its subject, as far as their keys recognize them.
fn mentioned(row: &identity_events::Row<'_>, holds: &dyn Fn(&str) -> bool) -> Identity {
    let mut found = Identity::nobody(&row.tenant_uid);
    let mut look = |uid: Option<&str>, name: Option<&str>, shown: Option<&str>| {
        let (uid, name) = (
            uid.filter(|uid| holds(uid)),
            name.filter(|name| holds(name)),
        );
        if uid.is_some() || name.is_some() {
            found.add(uid, name, shown.filter(|_| uid.is_some()));
        }
    };
    look(
        row.actor_user_uid.as_deref(),
        row.actor_user_name.as_deref(),
        row.actor_user_display_name.as_deref(),
    );
    for target in row.targets.iter().flatten() {
        let Some(is_account) = is_account(target.kind.as_deref()) else {
            continue;
        };
        look(
            target.uid.as_deref().filter(|_| !is_account),
            target.name.as_deref(),
            target.display_name.as_deref(),
        );
    }
    let details = row.debug_data.iter().flatten().map(|(_, value)| value);
    for text in row.message.iter().chain(details) {
        addresses(text, &mut |address| {
            if holds(address) {
                found.add(None, Some(address), None);
            }
        });
    }
    found
}

/// The e-mail addresses in a text, in every encoding that is seen through.
fn addresses(text: &str, found: &mut dyn FnMut(&str)) {
    if !["@", "%", "\\u", "&"]
        .iter()
        .any(|sign| text.contains(sign))
    {
        return;
    }
    let is_part = |character: char| character.is_alphanumeric() || "._+-'@".contains(character);
    for reading in Readings::of(text)
        .folded()
        .filter(|text| text.contains('@'))
    {
        let words = reading.split(|character| !is_part(character));
        for word in words.filter(|word| word.contains('@')) {
            found(word.trim_matches(|character: char| !character.is_alphanumeric()));
        }
    }
}

impl ErasedKeys {
    /// None when nobody was erased.
    fn of(
        store: &Store,
        key: impl FnOnce() -> Result<Option<HashKey>, af_store::Error>,
    ) -> Result<Option<Self>, Error> {
        let hashes = Erased::read(store)?.hashes();
        if hashes.is_empty() {
            return Ok(None);
        }
        Ok(key()?.map(|key| Self { key, hashes }))
    }

    /// Whether a key belongs to somebody who was erased: a user id as it is written, anything else
    /// also in its normalized form.
    fn holds(&self, hashes: &BTreeSet<String>, tenant: &str, text: &str) -> bool {
        if let Some(hash) = text.strip_prefix("h:") {
            return hashes.contains(hash);
        }
        let known = |text: &str| hashes.contains(&self.key.identifier(tenant, text).to_string());
        let key = normalize_key(text);
        known(&key) || (*key != *text && known(text))
    }
}

/// Takes those out of a list of people who were erased, and their ids out of the rows of those whom
/// they managed. Returns how many were taken out.
///
/// # Errors
/// The store's state or key cannot be read.
pub(crate) fn leave_out_erased(store: &Store, people: &mut Vec<Person>) -> Result<u64, Error> {
    let Some(erased) = ErasedKeys::of(store, || store.existing_hash_key())? else {
        return Ok(0);
    };
    let before = people.len();
    people.retain(|person| {
        let Some(hashes) = erased.hashes.get(&person.tenant_uid) else {
            return true;
        };
        !keys_of(person).any(|key| erased.holds(hashes, &person.tenant_uid, key))
    });
    for person in people.iter_mut() {
        if let Some(hashes) = erased.hashes.get(&person.tenant_uid) {
            let tenant = &person.tenant_uid;
            person
                .manager_uid
                .take_if(|manager| erased.holds(hashes, tenant, manager));
        }
    }
    Ok((before - people.len()) as u64)
}

/// Everything a person is known by.
pub(super) fn keys_of(person: &Person) -> impl Iterator<Item = &str> {
    let aliases = person.aliases.iter().flatten();
    [person.user_uid.as_str(), person.email.as_str()]
        .into_iter()
        .chain(person.login.as_deref())
        .chain(aliases.map(|alias| alias.key.as_str()))
}
