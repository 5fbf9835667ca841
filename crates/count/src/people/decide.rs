//! Whom a subject means: one at a time, or many side by side.

use std::borrow::Cow;

use af_model::UtcMillis;
use af_model::key::SubjectRef;

use super::hashed::parse_hash;
use super::holder;
use super::index::PeopleIndex;
use super::keys::{Holders, TenantKeys};
use super::places::TextHash;
use super::subject::Subject;
use crate::output::UnmatchedReason;

/// The name under which the identity provider itself acts.
pub(super) const PROVIDER: &str = "system@okta.com";

/// Whom a signal hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// This person: a position in the index.
    Person(u32),
    /// Nothing names a subject.
    NoKey,
    /// Nobody of the tenant holds any of the names.
    NoMatch,
    /// Several people hold the deciding key and the signal's time does not tell them apart.
    Ambiguous,
    /// The identity provider itself.
    NotAPerson,
}

impl Resolution {
    /// The person, or why it is none.
    pub(crate) fn person(self) -> Result<u32, UnmatchedReason> {
        match self {
            Self::Person(person) => Ok(person),
            Self::NoKey => Err(UnmatchedReason::NoKey),
            Self::NoMatch => Err(UnmatchedReason::NoMatch),
            Self::Ambiguous => Err(UnmatchedReason::Ambiguous),
            Self::NotAPerson => Err(UnmatchedReason::NotAPerson),
        }
    }
}

/// A resolution, and whether it is the same at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) resolution: Resolution,
    pub(crate) steady: bool,
}

/// A subject, and where and when somebody is called that.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'s> {
    pub(crate) tenant: &'s str,
    pub(crate) keys: Option<&'s TenantKeys>,
    pub(crate) subject: Subject<'s>,
    pub(crate) time: UtcMillis,
}

/// The first name of a subject on its way through the places of memory that tell who holds it.
struct Way<'s> {
    keys: &'s TenantKeys,
    is_uid: bool,
    name: Cow<'s, str>,
    hash: TextHash,
    place: Option<u32>,
}

impl PeopleIndex {
    /// How many subjects are looked up side by side: many times what a processor can wait for at once, and
    /// few enough that what is noted of them stays in its cache.
    pub(crate) const SIDE_BY_SIDE: usize = 256;

    /// [`PeopleIndex::decide`] for many.
    ///
    /// A look-up goes from hash to place, from place to text, from text to holder, and none of them lies in
    /// the processor's cache when signals come in nobody's order. All subjects take each step before
    /// one takes the next: so the processor waits for many places at once. A subject whose first name is not
    /// simply one person's is decided alone.
    pub(crate) fn decide_all(&self, sought: &[Sought<'_>], as_of: UtcMillis) -> Vec<Decision> {
        let mut ways: Vec<Option<Way<'_>>> = sought.iter().map(|one| self.way(one)).collect();
        for way in ways.iter_mut().flatten() {
            way.place = way.keys.likely(way.is_uid, way.hash);
        }
        for way in ways.iter_mut().flatten() {
            let Way { keys, name, .. } = &*way;
            way.place = way.place.filter(|&place| {
                let found = if way.is_uid {
                    self.uids.get(place)
                } else {
                    keys.text_at(place)
                };
                found == name
            });
        }
        let persons: Vec<Option<u32>> = ways
            .iter()
            .map(|way| {
                let way = way.as_ref()?;
                let place = way.place?;
                if way.is_uid {
                    return Some(place);
                }
                match way.keys.holders(place) {
                    Holders::Sole(person, _) => Some(person),
                    Holders::Shared(_) => None,
                }
            })
            .collect();
        let decisions = persons.iter().zip(sought).map(|(person, one)| {
            let person = person.filter(|&person| self.tenures.exists_at(person, as_of));
            match person {
                Some(person) => Decision {
                    resolution: Resolution::Person(person),
                    steady: true,
                },
                None => self.decide(*one, as_of),
            }
        });
        decisions.collect()
    }

    /// The way of a subject whose first name is no hash.
    fn way<'s>(&self, sought: &Sought<'s>) -> Option<Way<'s>> {
        let keys = sought.keys?;
        let (is_uid, name) = match sought.subject.names().next()? {
            SubjectRef::Uid(uid) => (true, uid),
            SubjectRef::Login(key) | SubjectRef::Email(key) => (false, key),
            SubjectRef::Hashed(_) => return None,
        };
        Some(Way {
            keys,
            is_uid,
            hash: TextHash::of(&name, &self.hasher),
            name,
            place: None,
        })
    }

    /// Whom a subject means among the people who exist at `as_of`: see [`PeopleIndex::resolve`].
    pub(crate) fn decide(&self, sought: Sought<'_>, as_of: UtcMillis) -> Decision {
        let Sought {
            tenant,
            keys,
            subject,
            time,
        } = sought;
        let mut steady = true;
        let mut resolution = Resolution::NoKey;
        for name in subject.names() {
            resolution = Resolution::NoMatch;
            let holders = match &name {
                SubjectRef::Uid(uid) => {
                    let holder = keys
                        .and_then(|keys| keys.uid(&self.uids, uid, &self.hasher))
                        .filter(|&person| self.tenures.exists_at(person, as_of));
                    if let Some(person) = holder {
                        resolution = Resolution::Person(person);
                        break;
                    }
                    continue;
                }
                SubjectRef::Login(key) | SubjectRef::Email(key) => {
                    if key == PROVIDER {
                        resolution = Resolution::NotAPerson;
                        break;
                    }
                    keys.and_then(|keys| keys.text(key, &self.hasher))
                }
                SubjectRef::Hashed(text) => {
                    let Some(hash) = parse_hash(text) else {
                        continue;
                    };
                    let provider = keys.map_or_else(
                        || self.hash_key.identifier(tenant, PROVIDER),
                        |keys| keys.provider,
                    );
                    if hash == provider {
                        resolution = Resolution::NotAPerson;
                        break;
                    }
                    keys.and_then(|keys| keys.hashed(tenant, &hash, &self.hash_key))
                }
            };
            match holders {
                // Nearly every key is one person's login or e-mail, or both.
                Some(Holders::Sole(person, _)) if self.tenures.exists_at(person, as_of) => {
                    resolution = Resolution::Person(person);
                    break;
                }
                None | Some(Holders::Sole(..)) => {}
                Some(Holders::Shared(holdings)) => {
                    let tenures = &self.tenures;
                    if let Some(found) = holder::decide(holdings, tenures, time, as_of, &mut steady)
                    {
                        resolution = found;
                        break;
                    }
                }
            }
        }
        Decision { resolution, steady }
    }
}
