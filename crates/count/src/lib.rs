//! From attack signals to bucket counts: deduplicate, admit, join, collapse, count
//! (af-1 §2.1–2.3 and §3).
//!
//! # Who calls whom
//!
//! The engine builds one [`PeopleIndex`] from all tenants' people and one [`Retractions`] from what
//! was taken back, gives both with a [`Cut`] to a [`Counter`], [pushes](Counter::push) every batch
//! of `attack_signals` it can find in any order, and [finishes](Counter::finish). The [`Counted`]
//! result holds, for every tenant of the input, an account that closes, the
//! [blocks](CountedBlock) the formula scores, the signals that [belong to nobody](Unmatched) and
//! what was heard of each component.
//!
//! ```
//! use af_count::{Counter, Cut, PeopleIndex, Retractions, bucket_counts};
//! use af_model::tables::attack_signals;
//! use af_model::{HashKey, Person, UtcMillis};
//!
//! let key = HashKey::new([7; 32]);
//! let ana = Person::new("acme", "00u1", "ana@acme.example");
//! let signal = attack_signals::Row {
//!     tenant_uid: "acme".into(), signal_uid: "s1".into(),
//!     time: UtcMillis::parse("2026-11-20T08:00:00Z").unwrap(), ingested_at: None,
//!     subject_ref: None, subject_uid: None, subject_login: None,
//!     subject_email: Some("Ana@Acme.example".into()),
//!     component: "email".into(), family: "phishing".into(), level: "high".into(),
//!     rule_id: "r1".into(), rule_version: None, incident_uid: None, event_uids: None,
//!     source: "gateway".into(), integration: None, attack_techniques: None,
//! };
//! let as_of = UtcMillis::parse_cut("2026-11-20").unwrap();
//! let people = PeopleIndex::new(vec![ana], &key);
//! let retractions = Retractions::new(&[], as_of);
//! let mut counter = Counter::new(&people, &retractions, Cut { as_of, known_at: as_of }, &key);
//! counter.push(&attack_signals::batch([&signal, &signal])).unwrap();
//!
//! let counted = counter.finish();
//! let acme = &counted.tenants["acme"];
//! assert_eq!((acme.account.signals_read, acme.account.duplicate, acme.account.scored), (2, 1, 1));
//! let rows = bucket_counts([("acme", acme)], None, &people);
//! let rows = af_model::tables::bucket_counts::rows(&rows).unwrap();
//! assert_eq!((rows[0].user_uid.as_str(), rows[0].n_high), ("00u1", 1));
//! ```
//!
//! # Days
//!
//! Nothing that is counted on a UTC day depends on another day: a signal's id names one signal of its
//! day, an incident counts once a day, a bucket is of a day. So days are counted apart, side by side,
//! and [added](Counted::absorb); what was counted once can be kept. Inside a day nothing depends on
//! another tenant. A [sorted partition](Partition) is therefore walked tenant by tenant.
//!
//! # Memory
//!
//! A row that is not counted yet takes 40 bytes beside its batch. Where it has to wait longer, for the end
//! of its tenant in a sorted partition or for its [day](ByDay), it becomes a record of its own, about a
//! hundred bytes, and the batch is let go. While it is counted it takes about 60 more. A block of
//! the result takes about 150 bytes with the ids it names; those of a partition are handed on before the next are
//! made. The index of people needs about 100 bytes a person with one address, and not the people themselves.
//!
//! # Order does not matter
//!
//! The result depends on the set of rows only: not on their order, on how they are cut into
//! batches, on how often they repeat, or on the number of threads. Sorted input is faster, because
//! a run of equal subjects is looked up once, but never required.
//!
//! # What it does not do
//!
//! No points, no decay, no scores (`af-score`); no files and no clock; no guessing: a signal whose
//! person is not certain is counted as unmatched.

mod admit;
mod by_day;
mod collapse;
mod columns;
mod context;
mod counter;
mod day;
mod decode;
mod dedupe;
mod error;
mod interner;
mod kind;
mod labels;
mod ledger;
mod output;
mod part;
mod partition;
mod people;
mod records;
mod retractions;
mod texts;

pub use af_model::manifest::Feed;
pub use by_day::{ByDay, Changed, SomeDays, WholeDays};
pub use columns::columns_read;
pub use counter::{Counter, Cut, INVALID_TENANT};
pub use error::{Error, ErrorKind};
pub use output::{
    Counted, CountedBlock, SignalUids, TenantCounts, Unmatched, UnmatchedReason, bucket_counts,
    unmatched_signals,
};
pub use partition::Partition;
pub use people::{ChangedKeys, IndexBuilder, KeyStates, PeopleIndex, Resolution, Subject};
pub use records::Records;
pub use retractions::{Retractions, Statement, Target, TargetKind, statements};
pub use texts::TextList;

#[cfg(test)]
mod testing;
