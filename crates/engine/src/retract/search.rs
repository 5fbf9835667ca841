//! Looking for what a statement is about, and for what may have been meant instead.

use std::collections::BTreeSet;

use af_count::{PeopleIndex, Resolution, Retractions, Subject, TargetKind};
use af_model::name::Printable;
use af_model::tables::{attack_signals, identity_events};
use af_model::{Level, Params, Person};
use af_store::{Partitioned, Scan, Store, table_file};
use arrow::array::{Array, ArrayAccessor, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int32Type;

use super::{Hit, Request};
use crate::error::{Error, ErrorKind};

/// How much of an id must be the same for it to be near.
const NEAR: usize = 6;

/// How many near things are named.
const MOST_NEAR: usize = 3;

/// What the search through the signals brought.
#[derive(Default)]
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    /// The same id as another kind of thing or of another tenant, or an id that begins alike.
    near: BTreeSet<Near>,
}

/// Something that may have been meant. Ordered by how well it fits.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Near {
    is_other_id: bool,
    is_other_tenant: bool,
    kind: TargetKind,
    target_uid: String,
    tenant_uid: String,
}

pub(super) struct Search<'r> {
    pub(super) request: &'r Request,
    pub(super) index: PeopleIndex,
    /// Everybody, by position in the index.
    pub(super) people: Vec<Person>,
    /// What is retracted without the statement, and with it.
    pub(super) before: Retractions,
    pub(super) after: Retractions,
}

impl Search<'_> {
    /// Looks through every signal of the store.
    pub(super) fn signals(&self, store: &Store) -> Result<Found, Error> {
        let mut found = Found::default();
        for day in store.days(Partitioned::Signals)? {
            for path in store.day_files(Partitioned::Signals, day)? {
                let table = &attack_signals::TABLE;
                for batch in table_file::read(&path, table, None, Scan::AsWritten)? {
                    let batch = complete(&batch?).map_err(|problem| {
                        let message = format!("read {}: {problem}", path.display());
                        Error::new(ErrorKind::Io, message)
                    })?;
                    for row in 0..batch.num_rows() {
                        self.look_at(&attack_signals::row(&batch, row), &mut found);
                    }
                }
            }
        }
        let place = |hit: &Hit| (hit.time, hit.source.clone(), hit.signal_uid.clone());
        found.hits.sort_by_key(place);
        found.hits.dedup_by_key(|hit| place(hit));
        Ok(found)
    }

    fn look_at(&self, signal: &attack_signals::Row<'_>, found: &mut Found) {
        let request = self.request;
        let incident = signal.incident_uid.as_deref();
        let events = || signal.event_uids.iter().flatten().map(|uid| &**uid);
        let named = |kind: TargetKind| -> Box<dyn Iterator<Item = &str> + '_> {
            match kind {
                TargetKind::Event => Box::new(events()),
                TargetKind::Signal => Box::new([&*signal.signal_uid].into_iter()),
                TargetKind::Incident => Box::new(incident.into_iter()),
            }
        };
        let is_ours = signal.tenant_uid == request.tenant_uid;
        if is_ours && named(request.kind).any(|uid| uid == request.target_uid) {
            found.hits.push(self.hit(signal));
            return;
        }
        if !found.hits.is_empty() {
            return;
        }
        for kind in TargetKind::ALL {
            for uid in named(kind) {
                let is_other_id = uid != request.target_uid;
                if is_other_id && !(is_ours && is_near(uid, &request.target_uid)) {
                    continue;
                }
                found.near.insert(Near {
                    is_other_id,
                    is_other_tenant: !is_ours,
                    kind,
                    target_uid: uid.to_owned(),
                    tenant_uid: signal.tenant_uid.to_string(),
                });
                if found.near.len() > MOST_NEAR {
                    found.near.pop_last();
                }
            }
        }
    }

    fn hit(&self, signal: &attack_signals::Row<'_>) -> Hit {
        let subject = Subject {
            subject_ref: signal.subject_ref.as_deref(),
            uid: signal.subject_uid.as_deref(),
            login: signal.subject_login.as_deref(),
            email: signal.subject_email.as_deref(),
        };
        let tenant = &signal.tenant_uid;
        let email = match self
            .index
            .resolve(tenant, &subject, signal.time, self.request.at)
        {
            Resolution::Person(person) => Some(self.people[person as usize].email.clone()),
            _ => None,
        };
        let dies_by = |retractions: &Retractions| {
            let events = signal.event_uids.iter().flatten().map(|uid| &**uid);
            let incident = signal.incident_uid.as_deref();
            retractions.retract(tenant, &signal.signal_uid, incident, events)
        };
        let level = signal.level.parse::<Level>().ok();
        Hit {
            signal_uid: signal.signal_uid.to_string(),
            source: signal.source.to_string(),
            time: signal.time,
            email,
            component: signal.component.to_string(),
            family: signal.family.to_string(),
            level: signal.level.to_string(),
            rule_id: signal.rule_id.to_string(),
            points_micro: level.map_or(0, |level| Params::default().points_micro(level)),
            was_retracted: dies_by(&self.before),
            is_retracted: dies_by(&self.after),
        }
    }

    /// Whether the store knows the target although no signal names it: an event without a signal.
    ///
    /// # Errors
    /// It does not; the nearest things it knows are named.
    pub(super) fn is_known(&self, store: &Store, found: &Found) -> Result<(), Error> {
        let request = self.request;
        let is_event = self.is_event(store)?;
        if is_event && request.kind == TargetKind::Event {
            return Ok(());
        }
        let verb = |kind: TargetKind, uid: &str, tenant: &str| {
            let (uid, tenant) = (Printable(uid), Printable(tenant));
            format!("`retract {} {uid} --tenant {tenant}`", kind.as_str())
        };
        let mut near: Vec<String> = found
            .near
            .iter()
            .map(|near| verb(near.kind, &near.target_uid, &near.tenant_uid))
            .collect();
        if is_event && near.is_empty() {
            near.push(verb(
                TargetKind::Event,
                &request.target_uid,
                &request.tenant_uid,
            ));
        }
        let meant = if near.is_empty() {
            String::new()
        } else {
            format!("did you mean {}? Otherwise ", near.join(" or "))
        };
        let message = format!(
            "find the {} {} of tenant {}: the store knows no such thing",
            request.kind.as_str(),
            Printable(&request.target_uid),
            Printable(&request.tenant_uid)
        );
        Err(Error::new(ErrorKind::Usage, message).with_hint(format!(
            "{meant}check the id, or give --force to say it all the same, for something that is \
             still to come"
        )))
    }

    fn is_event(&self, store: &Store) -> Result<bool, Error> {
        let table = &identity_events::TABLE;
        let columns = Some(&["tenant_uid", "metadata_uid"][..]);
        for day in store.days(Partitioned::Events)? {
            for path in store.day_files(Partitioned::Events, day)? {
                for batch in table_file::read(&path, table, columns, Scan::Dictionaries)? {
                    let batch = batch?;
                    let tenants = batch.column(0).as_dictionary::<Int32Type>();
                    let tenants = tenants.downcast_dict::<StringArray>();
                    let events = batch.column(1).as_string::<i32>();
                    let is_it = |row: usize| {
                        events.value(row) == self.request.target_uid
                            && tenants.is_some_and(|tenants| {
                                tenants.value(row) == self.request.tenant_uid
                            })
                    };
                    if (0..batch.num_rows()).any(is_it) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}

/// Whether an id may have been meant by another: they begin alike, whatever their case.
fn is_near(uid: &str, asked: &str) -> bool {
    let alike = uid
        .chars()
        .zip(asked.chars())
        .take_while(|(a, b)| a.eq_ignore_ascii_case(b))
        .count();
    alike >= NEAR.min(asked.chars().count())
}

/// The rows that have every required column. The others are quarantined wherever they are counted.
fn complete(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let mut keep = vec![true; batch.num_rows()];
    for column in attack_signals::TABLE.columns {
        let nulls = batch
            .column_by_name(column.name)
            .filter(|_| !column.nullable)
            .and_then(Array::logical_nulls);
        if let Some(nulls) = nulls {
            for (keep, valid) in keep.iter_mut().zip(nulls.iter()) {
                *keep &= valid;
            }
        }
    }
    let kept = filter_record_batch(batch, &BooleanArray::from(keep));
    let kept = kept.map_err(|error| error.to_string())?;
    attack_signals::TABLE
        .conform(&kept)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_begin_alike_are_near() {
        assert!(is_near("11111111-2222", "11111111"));
        assert!(is_near("ABCDEF-1", "abcdef-2"));
        assert!(is_near("e1", "e1"));
        assert!(!is_near("e1", "e2"));
        assert!(!is_near("11111x", "111111"));
    }
}
