//! One incident counts once a day, then signals become blocks (af-1 §2.2–2.3).

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use af_model::{UtcDay, UtcMillis};
use hashbrown::HashMap;

use crate::admit::Admitted;
use crate::interner::{NONE, Symbol};
use crate::kind::{Kinds, place};
use crate::output::{CountedBlock, REPRESENTATIVES, SignalUids};
use crate::texts::TextList;

/// Blocks of a tenant's day and how many signals others stand for.
#[derive(Default)]
pub(crate) struct Collapsed {
    /// Sorted by person, component, family and level.
    pub(crate) blocks: Vec<CountedBlock>,
    pub(crate) collapsed: u64,
}

/// Brings the signals of one tenant's day into the order in which they are counted: by person, component and family.
pub(crate) fn in_order(admitted: &mut [Admitted<'_>], kinds: &Kinds) {
    let ranks = Ranks::of(admitted, kinds);
    // Stable: rows sorted by subject are a few ascending runs, which this merges.
    admitted.sort_by_key(|signal| (signal.person, ranks.0[signal.series as usize]));
}

/// How many of the first signals, in order, are about whole people: as many as wanted, and the others of the last of
/// these people.
pub(crate) fn of_whole_people(admitted: &[Admitted<'_>], wanted: usize) -> usize {
    let Some((first, rest)) = admitted.split_at_checked(wanted) else {
        return admitted.len();
    };
    let last = first.last().map(|signal| signal.person);
    let others = rest.iter();
    first.len()
        + others
            .take_while(|signal| Some(signal.person) == last)
            .count()
}

/// Counts the incidents of whole people of one tenant's day, whose signals are in order.
pub(crate) fn collapse(admitted: &[Admitted<'_>], kinds: &Kinds, day: UtcDay) -> Collapsed {
    let mut buckets = Buckets {
        kinds,
        day,
        rules: HashMap::new(),
        found: Collapsed::default(),
        uids: TextList::default(),
        named: Vec::new(),
        none: SignalUids::new([]),
        candidates: Vec::new(),
    };
    for bucket in
        admitted.chunk_by(|left, right| (left.person, left.series) == (right.person, right.series))
    {
        buckets.bucket(bucket);
    }
    let Buckets {
        mut found,
        uids,
        named,
        ..
    } = buckets;
    let uids = Arc::new(uids);
    for (block, named) in found.blocks.iter_mut().zip(named) {
        block.signal_uids = SignalUids::of(&uids, named);
    }
    found
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

struct Buckets<'k, 'p> {
    kinds: &'k Kinds,
    day: UtcDay,
    /// Several rules of one block, by their symbols.
    rules: HashMap<Vec<Symbol>, Arc<[Arc<str>]>>,
    found: Collapsed,
    /// The signals that blocks name, and which of them each does.
    uids: TextList,
    named: Vec<Range<u32>>,
    none: SignalUids,
    /// Memory that every bucket uses.
    candidates: Vec<Candidate<'p>>,
}

/// A signal of a bucket with what decides who stands for an incident.
#[derive(Clone, Copy)]
struct Candidate<'p> {
    /// None comes first.
    incident: Option<&'p str>,
    source: Symbol,
    /// The place of the level, the weightiest first.
    slot: usize,
    time: i64,
    uid: &'p str,
    kind: u32,
}

impl<'p> Buckets<'_, 'p> {
    /// Counts the signals of one bucket.
    fn bucket(&mut self, signals: &[Admitted<'p>]) {
        let first = &signals[0];
        if let [alone] = signals {
            self.block(first, &[self.candidate(alone)]);
            return;
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        candidates.extend(signals.iter().map(|signal| self.candidate(signal)));
        candidates.sort_unstable_by(|left, right| {
            let incident = left.incident_order(right);
            incident.then_with(|| left.representative_order(right))
        });
        // The first of an incident stands for it; all that name none stand for themselves.
        candidates
            .dedup_by(|next, kept| next.incident.is_some() && kept.incident_order(next).is_eq());
        self.found.collapsed += (signals.len() - candidates.len()) as u64;
        candidates
            .sort_unstable_by(|left, right| (left.slot, left.uid).cmp(&(right.slot, right.uid)));
        for of_level in candidates.chunk_by(|left, right| left.slot == right.slot) {
            self.block(first, of_level);
        }
        self.candidates = candidates;
    }

    fn candidate(&self, signal: &Admitted<'p>) -> Candidate<'p> {
        let view = signal.view;
        let kind = self.kinds.get(view.row.kind);
        Candidate {
            incident: view.incident_uid(),
            source: kind.texts[place::SOURCE],
            slot: kind.level.slot(),
            time: view.row.time,
            uid: view.signal_uid(),
            kind: view.row.kind,
        }
    }

    /// Adds the block of incidents of one level, sorted by id, of the person and series of `of`.
    fn block(&mut self, of: &Admitted<'_>, incidents: &[Candidate<'_>]) {
        let kind = self.kinds.get(incidents[0].kind);
        let (component, family) = self.kinds.series(of.series);
        let (mut earliest, mut latest) = (incidents[0].time, incidents[0].time);
        for incident in incidents {
            earliest = earliest.min(incident.time);
            latest = latest.max(incident.time);
        }
        let named = &incidents[..incidents.len().min(REPRESENTATIVES)];
        let named = self.uids.extend(named.iter().map(|incident| incident.uid));
        self.named.push(named);
        let rule_ids = self.rule_ids(incidents);
        self.found.blocks.push(CountedBlock {
            person: of.person,
            component: Arc::clone(component),
            family: Arc::clone(family),
            day: self.day,
            level: kind.level,
            n: incidents.len() as u64,
            first_time: UtcMillis(earliest),
            last_time: UtcMillis(latest),
            rule_ids,
            // All ids of the day are one list, which is whole at its end.
            signal_uids: self.none.clone(),
        });
    }

    /// The rules behind a block, sorted, distinct; blocks of the same rules share the list.
    fn rule_ids(&mut self, incidents: &[Candidate<'_>]) -> Arc<[Arc<str>]> {
        let kind = |incident: &Candidate<'_>| self.kinds.get(incident.kind);
        let first = kind(&incidents[0]);
        let rule = |incident: &Candidate<'_>| kind(incident).texts[place::RULE_ID];
        let is_alone = |incident: &Candidate<'_>| rule(incident) == first.texts[place::RULE_ID];
        if incidents.iter().all(is_alone) {
            return Arc::clone(&first.rule_ids);
        }
        let mut symbols: Vec<Symbol> = incidents.iter().map(rule).collect();
        symbols.sort_unstable();
        symbols.dedup();
        if let Some(known) = self.rules.get(&symbols) {
            return Arc::clone(known);
        }
        let mut names: Vec<Arc<str>> = incidents
            .iter()
            .map(|incident| Arc::clone(&kind(incident).rule_ids[0]))
            .collect();
        names.sort_unstable();
        names.dedup();
        let names: Arc<[Arc<str>]> = names.into();
        self.rules.insert(symbols, Arc::clone(&names));
        names
    }
}

impl Candidate<'_> {
    /// By source and incident; all signals without one come first, in no order among themselves.
    fn incident_order(&self, other: &Self) -> Ordering {
        match (self.incident, other.incident) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(mine), Some(others)) => {
                let by_source = self.source.cmp(&other.source);
                by_source.then_with(|| mine.cmp(others))
            }
        }
    }

    /// Who stands for an incident: highest level, then earliest time, then smallest id.
    fn representative_order(&self, other: &Self) -> Ordering {
        (self.slot, self.time, self.uid).cmp(&(other.slot, other.time, other.uid))
    }
}
