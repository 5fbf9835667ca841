//! One incident counts once a day, then signals become blocks (af-1 §2.2–2.3).

use std::cmp::Ordering;
use std::sync::Arc;

use af_model::UtcMillis;
use rayon::prelude::*;

use crate::admit::Admitted;
use crate::class::{Classes, place};
use crate::interner::{Names, Symbol};
use crate::output::{CountedBlock, REPRESENTATIVES};
use crate::rows::Chunk;

/// The blocks of one bucket and how many signals others stand for.
pub(crate) struct Bucket {
    /// Weightiest level first; never empty.
    pub(crate) blocks: Vec<CountedBlock>,
    pub(crate) collapsed: u64,
}

/// What collapsing needs beside the signals.
pub(crate) struct Collapse<'c> {
    pub(crate) chunks: &'c [Chunk],
    pub(crate) classes: &'c Classes,
    pub(crate) names: &'c Names,
    /// Component and family by rank.
    pub(crate) series: &'c [(Arc<str>, Arc<str>)],
}

impl Collapse<'_> {
    /// All buckets, sorted by person, component, family and day.
    pub(crate) fn buckets(&self, mut admitted: Vec<Admitted>) -> Vec<Bucket> {
        let bucket_of = |signal: &Admitted| (signal.person, signal.series, signal.day);
        admitted.par_sort_unstable_by_key(bucket_of);
        admitted
            .par_chunk_by_mut(|left, right| bucket_of(left) == bucket_of(right))
            .map(|signals| self.bucket(signals))
            .collect()
    }

    fn bucket(&self, signals: &mut [Admitted]) -> Bucket {
        signals.sort_unstable_by(|left, right| {
            self.incident_order(left, right)
                .then_with(|| self.representative_order(left, right))
        });
        let mut representatives: Vec<&Admitted> = signals
            .chunk_by(|left, right| left.has_incident && self.incident_order(left, right).is_eq())
            .filter_map(<[Admitted]>::first)
            .collect();
        representatives.sort_unstable_by(|left, right| {
            let level_order = left.level.slot().cmp(&right.level.slot());
            level_order.then_with(|| self.signal_uid(left).cmp(self.signal_uid(right)))
        });
        Bucket {
            blocks: representatives
                .chunk_by(|left, right| left.level == right.level)
                .filter_map(|of_level| self.block(of_level))
                .collect(),
            collapsed: (signals.len() - representatives.len()) as u64,
        }
    }

    /// By source and incident; all signals without one come first, in no order among themselves.
    fn incident_order(&self, left: &Admitted, right: &Admitted) -> Ordering {
        let key = |signal: &Admitted| {
            let named = signal.has_incident;
            (
                named,
                named.then_some((signal.source, signal.incident_hash)),
            )
        };
        key(left).cmp(&key(right)).then_with(|| {
            if left.has_incident {
                let incident = |signal: &Admitted| signal.at.view(self.chunks).incident_uid();
                incident(left).cmp(&incident(right))
            } else {
                Ordering::Equal
            }
        })
    }

    /// Who stands for an incident: highest level, then earliest time, then smallest id.
    fn representative_order(&self, left: &Admitted, right: &Admitted) -> Ordering {
        (left.level.slot(), left.time)
            .cmp(&(right.level.slot(), right.time))
            .then_with(|| self.signal_uid(left).cmp(self.signal_uid(right)))
    }

    /// The block of representatives of one level, which are sorted by id; `None` for none.
    fn block(&self, signals: &[&Admitted]) -> Option<CountedBlock> {
        let first = signals.first()?;
        let times = signals.iter().map(|signal| signal.time);
        let (component, family) = &self.series[first.series as usize];
        Some(CountedBlock {
            person: first.person,
            component: Arc::clone(component),
            family: Arc::clone(family),
            day: first.day,
            level: first.level,
            n: signals.len() as u64,
            first_time: UtcMillis(times.clone().min()?),
            last_time: UtcMillis(times.max()?),
            rule_ids: self.rule_ids(signals),
            signal_uids: signals
                .iter()
                .take(REPRESENTATIVES)
                .map(|signal| {
                    std::str::from_utf8(self.signal_uid(signal))
                        .expect("the buffer holds whole texts")
                        .to_owned()
                })
                .collect(),
        })
    }

    fn rule_ids(&self, signals: &[&Admitted]) -> Vec<Arc<str>> {
        let mut symbols: Vec<Symbol> = signals
            .iter()
            .map(|signal| {
                let class_id = signal.at.view(self.chunks).class_id();
                self.classes.get(class_id).key[place::RULE_ID]
            })
            .collect();
        symbols.sort_unstable();
        symbols.dedup();
        let mut rule_ids: Vec<Arc<str>> = symbols
            .into_iter()
            .filter_map(|symbol| self.names.get(symbol).map(Arc::clone))
            .collect();
        rule_ids.sort_unstable();
        rule_ids
    }

    fn signal_uid(&self, signal: &Admitted) -> &[u8] {
        signal.at.view(self.chunks).signal_uid()
    }
}
