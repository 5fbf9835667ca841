//! Which signals count, and for whom: the first reason against a signal decides (af-1 §2.1).

use af_model::accounting::SignalAccount;
use af_model::params::WINDOW_DAYS;
use af_model::{HexHash, UtcDay};

use crate::context::Context;
use crate::kind::Kinds;
use crate::output::UnmatchedReason;
use crate::part::View;
use crate::people::Resolution;
use crate::retractions::Targets;

/// A signal that counts, or another signal of its incident stands for it.
#[derive(Clone, Copy)]
pub(crate) struct Admitted<'p> {
    /// The position in the index.
    pub(crate) person: u32,
    /// Component and family.
    pub(crate) series: u32,
    pub(crate) view: View<'p>,
}

/// A signal of nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unmatchable {
    pub(crate) kind: u32,
    pub(crate) reason: UnmatchedReason,
    pub(crate) hash: Option<HexHash>,
}

/// What became of the signals of a tenant's day.
#[derive(Default)]
pub(crate) struct Admission<'p> {
    pub(crate) account: SignalAccount,
    pub(crate) admitted: Vec<Admitted<'p>>,
    pub(crate) unmatched: Vec<Unmatchable>,
    /// First and last time of every feed that was heard by the cut.
    pub(crate) heard: Vec<Option<(i64, i64)>>,
}

/// What admission needs beside the signals.
pub(crate) struct Gate<'g> {
    pub(crate) context: &'g Context<'g>,
    pub(crate) tenant_uid: &'g str,
    pub(crate) retracted: Option<&'g Targets>,
    pub(crate) kinds: &'g Kinds,
    pub(crate) day: UtcDay,
}

impl Gate<'_> {
    /// Judges every row that is no duplicate.
    pub(crate) fn admit<'p>(&self, rows: &[View<'p>], is_dropped: &[bool]) -> Admission<'p> {
        let mut admission = Admission {
            heard: vec![None; self.kinds.feeds()],
            ..Admission::default()
        };
        let is_too_old = self.context.cut.as_of.day().days_since(self.day) >= WINDOW_DAYS;
        if !is_too_old {
            admission.admitted.reserve(rows.len());
        }
        for (&view, _) in rows
            .iter()
            .zip(is_dropped)
            .filter(|(_, dropped)| !**dropped)
        {
            let time = view.row.time;
            // What lies after the cut was not heard by then.
            if time > self.context.cut.as_of.0 {
                admission.account.future += 1;
                continue;
            }
            let kind = self.kinds.get(view.row.kind);
            let heard = &mut admission.heard[kind.feed as usize];
            *heard = Some(heard.map_or((time, time), |(first, last)| {
                (first.min(time), last.max(time))
            }));
            if self.is_retracted(view) {
                admission.account.retracted += 1;
                continue;
            }
            if is_too_old {
                admission.account.too_old += 1;
                continue;
            }
            match self.resolve(view).person() {
                Ok(person) => admission.admitted.push(Admitted {
                    person,
                    series: kind.series,
                    view,
                }),
                Err(reason) => {
                    admission.account.unmatched += 1;
                    admission.unmatched.push(Unmatchable {
                        kind: view.row.kind,
                        reason,
                        hash: view.keyed_hash(),
                    });
                }
            }
        }
        admission
    }

    fn is_retracted(&self, view: View<'_>) -> bool {
        self.retracted.is_some_and(|targets| {
            targets.retract(
                view.signal_uid().as_bytes(),
                view.incident_uid().map(str::as_bytes),
                view.event_uids().into_iter().map(str::as_bytes),
            )
        })
    }

    /// Whom a signal means.
    pub(crate) fn resolve(&self, view: View<'_>) -> Resolution {
        self.context.resolve(view, self.tenant_uid)
    }
}
