//! Which signals count, and for whom: the first reason against a signal decides (af-1 §2.1).

use std::hash::BuildHasher;

use af_model::accounting::SignalAccount;
use af_model::params::WINDOW_DAYS;
use af_model::{HexHash, Level, UtcDay, UtcMillis};
use hashbrown::DefaultHashBuilder;

use crate::class::{Classes, place};
use crate::counter::Cut;
use crate::dedupe::At;
use crate::interner::{Names, Symbol};
use crate::output::UnmatchedReason;
use crate::people::{PeopleIndex, Resolution};
use crate::retractions::{Retractions, Targets};
use crate::rows::{Chunk, RowView};

/// A signal that counts, or another signal of its incident stands for it.
#[derive(Clone, Copy)]
pub(crate) struct Admitted {
    /// Position in the index's people.
    pub(crate) person: u32,
    /// Rank of (component, family) by name.
    pub(crate) series: u32,
    pub(crate) day: UtcDay,
    pub(crate) level: Level,
    /// Whether the signal names an incident.
    pub(crate) has_incident: bool,
    pub(crate) source: Symbol,
    /// Hash of the incident's id.
    pub(crate) incident_hash: u64,
    pub(crate) time: i64,
    pub(crate) at: At,
}

/// A signal of nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unmatchable {
    pub(crate) class_id: u32,
    pub(crate) reason: UnmatchedReason,
    pub(crate) day: UtcDay,
    pub(crate) hash: Option<HexHash>,
}

/// What became of one chunk.
pub(crate) struct Admission {
    pub(crate) admitted: Vec<Admitted>,
    pub(crate) unmatched: Vec<Unmatchable>,
    /// By the chunk's class.
    pub(crate) tallies: Vec<Tally>,
}

/// What became of the signals of one class in one chunk.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) account: SignalAccount,
    /// First and last time in milliseconds, up to the cut.
    pub(crate) heard: Option<(i64, i64)>,
}

/// What admission needs beside the chunk.
pub(crate) struct Gate<'g> {
    pub(crate) people: &'g PeopleIndex,
    pub(crate) retractions: &'g Retractions,
    pub(crate) cut: Cut,
    pub(crate) classes: &'g Classes,
    pub(crate) names: &'g Names,
    /// Rank of (component, family) by class.
    pub(crate) series: &'g [u32],
    pub(crate) hasher: &'g DefaultHashBuilder,
}

impl Gate<'_> {
    /// Judges every row of a chunk that is no duplicate.
    pub(crate) fn admit(&self, position: usize, chunk: &Chunk) -> Admission {
        let mut admission = Admission {
            admitted: Vec::new(),
            unmatched: Vec::new(),
            tallies: vec![Tally::default(); chunk.classes.len()],
        };
        let targets: Vec<Option<&Targets>> = chunk
            .class_ids
            .iter()
            .map(|&id| {
                self.retractions
                    .of_tenant(self.classes.get(id).tenant(self.names))
            })
            .collect();
        for view in chunk.kept() {
            let row = view.row();
            let tally = &mut admission.tallies[row.class as usize];
            let day = UtcMillis(row.time).day();
            let fate = self.judge(view, day, targets[row.class as usize]);
            // What lies after the cut was not heard by then.
            if !matches!(fate, Fate::Future) {
                let (first, last) = tally.heard.unwrap_or((row.time, row.time));
                tally.heard = Some((first.min(row.time), last.max(row.time)));
            }
            match fate {
                Fate::Future => tally.account.future += 1,
                Fate::Retracted => tally.account.retracted += 1,
                Fate::TooOld => tally.account.too_old += 1,
                Fate::Unmatched(reason) => {
                    tally.account.unmatched += 1;
                    admission.unmatched.push(Unmatchable {
                        class_id: view.class_id(),
                        reason,
                        day,
                        hash: view.subject().hash,
                    });
                }
                Fate::Admitted(person) => {
                    let class_id = view.class_id();
                    let class = self.classes.get(class_id);
                    let incident = view.incident_uid();
                    admission.admitted.push(Admitted {
                        person,
                        series: self.series[class_id as usize],
                        day,
                        level: class.level(),
                        has_incident: incident.is_some(),
                        source: class.key[place::SOURCE],
                        incident_hash: incident.map_or(0, |uid| self.hasher.hash_one(uid)),
                        time: row.time,
                        at: At::new(position, view.index()),
                    });
                }
            }
        }
        admission
    }

    fn judge(&self, view: RowView<'_>, day: UtcDay, targets: Option<&Targets>) -> Fate {
        let row = view.row();
        if row.time > self.cut.as_of.0 {
            return Fate::Future;
        }
        let is_retracted = targets.is_some_and(|targets| {
            targets.retract(view.signal_uid(), view.incident_uid(), view.event_uids())
        });
        if is_retracted {
            return Fate::Retracted;
        }
        if self.cut.as_of.day().days_since(day) >= WINDOW_DAYS {
            return Fate::TooOld;
        }
        let decision = view.subject().decision;
        let resolution = if decision.steady {
            decision.resolution
        } else {
            let tenant_uid = self.classes.get(view.class_id()).tenant(self.names);
            let subject = view.subject_columns();
            self.people
                .resolve(tenant_uid, &subject, UtcMillis(row.time), self.cut.as_of)
        };
        match resolution {
            Resolution::Person(person) => Fate::Admitted(person),
            Resolution::NoKey => Fate::Unmatched(UnmatchedReason::NoKey),
            Resolution::NoMatch => Fate::Unmatched(UnmatchedReason::NoMatch),
            Resolution::Ambiguous => Fate::Unmatched(UnmatchedReason::Ambiguous),
            Resolution::NotAPerson => Fate::Unmatched(UnmatchedReason::NotAPerson),
        }
    }
}

/// What becomes of a signal that is neither quarantined nor a duplicate.
enum Fate {
    Future,
    Retracted,
    TooOld,
    Unmatched(UnmatchedReason),
    Admitted(u32),
}
