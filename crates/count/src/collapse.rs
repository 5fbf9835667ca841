//! One incident counts once a day, then signals become blocks (af-1 §2.2–2.3).

use std::cmp::Ordering;
use std::sync::Arc;

use af_model::{UtcDay, UtcMillis};
use hashbrown::HashMap;

use crate::admit::Admitted;
use crate::interner::{NONE, Symbol};
use crate::kind::{Kinds, place};
use crate::output::{CountedBlock, REPRESENTATIVES, SignalUids};

/// The blocks of a tenant's day and how many signals others stand for.
#[derive(Default)]
pub(crate) struct Collapsed {
    /// Sorted by person, component, family and level.
    pub(crate) blocks: Vec<CountedBlock>,
    pub(crate) collapsed: u64,
}

/// Counts the incidents of one tenant's day.
pub(crate) fn collapse(mut admitted: Vec<Admitted<'_>>, kinds: &Kinds, day: UtcDay) -> Collapsed {
    let ranks = Ranks::of(&admitted, kinds);
    // Stable: rows sorted by subject are a few ascending runs, which this merges.
    admitted.sort_by_key(|signal| (signal.person, ranks.0[signal.series as usize]));
    let mut buckets = Buckets {
        kinds,
        day,
        rules: HashMap::new(),
        found: Collapsed::default(),
        incidents: Vec::new(),
    };
    for bucket in admitted
        .chunk_by_mut(|left, right| (left.person, left.series) == (right.person, right.series))
    {
        buckets.bucket(bucket);
    }
    buckets.found
}

/// The place of every series in the order of names.
struct Ranks(Vec<u32>);

impl Ranks {
    fn of(admitted: &[Admitted<'_>], kinds: &Kinds) -> Self {
        let mut used: Vec<u32> = Vec::new();
        let mut ranks = Vec::new();
        for signal in admitted {
            let series = signal.series;
            let place = series as usize;
            if place >= ranks.len() {
                ranks.resize(place + 1, NONE);
            }
            if ranks[place] == NONE {
                ranks[place] = 0;
                used.push(series);
            }
        }
        used.sort_unstable_by(|&left, &right| kinds.series(left).cmp(kinds.series(right)));
        for (rank, series) in (0_u32..).zip(used) {
            ranks[series as usize] = rank;
        }
        Self(ranks)
    }
}

struct Buckets<'k> {
    kinds: &'k Kinds,
    day: UtcDay,
    /// Several rules of one block, by their symbols.
    rules: HashMap<Vec<Symbol>, Arc<[Arc<str>]>>,
    found: Collapsed,
    /// Positions of the bucket's signals that stand for their incidents.
    incidents: Vec<usize>,
}

impl Buckets<'_> {
    /// Counts the signals of one bucket.
    fn bucket(&mut self, signals: &mut [Admitted<'_>]) {
        if let [alone] = signals {
            let block = self.block(std::slice::from_ref(alone), &[0]);
            self.found.blocks.push(block);
            return;
        }
        signals.sort_unstable_by(|left, right| {
            self.incident_order(left, right)
                .then_with(|| self.representative_order(left, right))
        });
        self.incidents.clear();
        for position in 0..signals.len() {
            let stands_for_itself = position == 0
                || signals[position].view.incident_uid().is_none()
                || self
                    .incident_order(&signals[position - 1], &signals[position])
                    .is_ne();
            if stands_for_itself {
                self.incidents.push(position);
            }
        }
        let mut incidents = std::mem::take(&mut self.incidents);
        self.found.collapsed += (signals.len() - incidents.len()) as u64;
        incidents.sort_unstable_by(|&left, &right| {
            let (left, right) = (&signals[left], &signals[right]);
            self.slot(left)
                .cmp(&self.slot(right))
                .then_with(|| left.view.signal_uid().cmp(right.view.signal_uid()))
        });
        let mut levels = incidents.as_slice();
        while let Some(&first) = levels.first() {
            let level = self.slot(&signals[first]);
            let (of_level, rest) =
                levels.split_at(levels.partition_point(|&next| self.slot(&signals[next]) == level));
            let block = self.block(signals, of_level);
            self.found.blocks.push(block);
            levels = rest;
        }
        self.incidents = incidents;
    }

    /// By source and incident; all signals without one come first, in no order among themselves.
    fn incident_order(&self, left: &Admitted<'_>, right: &Admitted<'_>) -> Ordering {
        let (left, right) = (left.view, right.view);
        match (left.incident_uid(), right.incident_uid()) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => {
                let source = |kind: u32| self.kinds.get(kind).texts[place::SOURCE];
                let by_source = source(left.row.kind).cmp(&source(right.row.kind));
                by_source.then_with(|| a.cmp(b))
            }
        }
    }

    /// Who stands for an incident: highest level, then earliest time, then smallest id.
    fn representative_order(&self, left: &Admitted<'_>, right: &Admitted<'_>) -> Ordering {
        let key = |signal: &Admitted<'_>| (self.slot(signal), signal.view.row.time);
        key(left)
            .cmp(&key(right))
            .then_with(|| left.view.signal_uid().cmp(right.view.signal_uid()))
    }

    /// The place of a signal's level, the weightiest first.
    fn slot(&self, signal: &Admitted<'_>) -> usize {
        self.kinds.get(signal.view.row.kind).level.slot()
    }

    /// The block of the signals at `positions`, which are of one level and sorted by id.
    fn block(&mut self, signals: &[Admitted<'_>], positions: &[usize]) -> CountedBlock {
        let of_block = || positions.iter().map(|&position| &signals[position]);
        let first = &signals[positions[0]];
        let kind = self.kinds.get(first.view.row.kind);
        let (component, family) = self.kinds.series(first.series);
        let (mut earliest, mut latest) = (first.view.row.time, first.view.row.time);
        for signal in of_block() {
            earliest = earliest.min(signal.view.row.time);
            latest = latest.max(signal.view.row.time);
        }
        CountedBlock {
            person: first.person,
            component: Arc::clone(component),
            family: Arc::clone(family),
            day: self.day,
            level: kind.level,
            n: positions.len() as u64,
            first_time: UtcMillis(earliest),
            last_time: UtcMillis(latest),
            rule_ids: self.rule_ids(signals, positions),
            signal_uids: SignalUids::new(
                of_block()
                    .take(REPRESENTATIVES)
                    .map(|signal| signal.view.signal_uid()),
            ),
        }
    }

    /// The rules behind a block, sorted, distinct; blocks of the same rules share the list.
    fn rule_ids(&mut self, signals: &[Admitted<'_>], positions: &[usize]) -> Arc<[Arc<str>]> {
        let kind = |position: usize| self.kinds.get(signals[position].view.row.kind);
        let first = kind(positions[0]);
        let rule = |position: usize| kind(position).texts[place::RULE_ID];
        let is_alone = |&position: &usize| rule(position) == first.texts[place::RULE_ID];
        if positions.iter().all(is_alone) {
            return Arc::clone(&first.rule_ids);
        }
        let mut symbols: Vec<Symbol> = positions.iter().map(|&position| rule(position)).collect();
        symbols.sort_unstable();
        symbols.dedup();
        if let Some(known) = self.rules.get(&symbols) {
            return Arc::clone(known);
        }
        let mut names: Vec<Arc<str>> = positions
            .iter()
            .map(|&position| Arc::clone(&kind(position).rule_ids[0]))
            .collect();
        names.sort_unstable();
        names.dedup();
        let names: Arc<[Arc<str>]> = names.into();
        self.rules.insert(symbols, Arc::clone(&names));
        names
    }
}
