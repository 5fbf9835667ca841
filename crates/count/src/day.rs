//! What counts of one tenant on one UTC day. Nothing of a day depends on another day or tenant, so
//! days can be counted apart, in any order, and again.

use std::convert::Infallible;
use std::iter;
use std::sync::Arc;

use af_model::{UtcDay, UtcMillis};
use rayon::prelude::*;

use crate::admit::{Admission, Gate, Unmatchable};
use crate::collapse::{collapse, in_order, of_whole_people};
use crate::context::Context;
use crate::dedupe::{Seen, duplicates};
use crate::kind::{Kinds, place};
use crate::ledger::Ledger;
use crate::output::{TenantCounts, Unmatched};
use crate::part::{Part, View};

/// What counting a day needs beside its rows.
#[derive(Clone, Copy)]
pub(crate) struct DayCount<'c> {
    pub(crate) context: &'c Context<'c>,
    pub(crate) ledger: &'c Ledger,
    pub(crate) kinds: &'c Kinds,
}

/// Where a row is: its tenant and day, the part, its place in the part.
type Place = (u32, UtcDay, u32, u32);

/// Memory that is used again for the next tenant's day.
#[derive(Default)]
pub(crate) struct Scratch {
    seen: Seen,
}

impl DayCount<'_> {
    /// Counts the rows of one tenant's day.
    pub(crate) fn count(
        self,
        tenant_day: (u32, UtcDay),
        rows: &[View<'_>],
        scratch: &mut Scratch,
    ) -> TenantCounts {
        let mut all = TenantCounts::default();
        let Ok(()) = self.count_in_pieces(tenant_day, rows, usize::MAX, scratch, |counts| {
            all = counts;
            Ok::<(), Infallible>(())
        });
        debug_assert!(all.account.closes(), "every signal went somewhere");
        all
    }

    /// The same, handed on in pieces of whole people, of about so many signals, in ascending order. The first one has
    /// all that is not about blocks.
    pub(crate) fn count_in_pieces<E>(
        self,
        (tenant, day): (u32, UtcDay),
        rows: &[View<'_>],
        signals: usize,
        scratch: &mut Scratch,
        mut tell: impl FnMut(TenantCounts) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self {
            context,
            ledger,
            kinds,
        } = self;
        let tenant_uid = ledger.tenant(tenant);
        let gate = Gate {
            context,
            tenant_uid,
            retracted: context.retractions.of_tenant(tenant_uid),
            kinds,
            day,
        };
        let duplicates = duplicates(rows, &gate, &ledger.names, &mut scratch.seen);
        let Admission {
            mut account,
            mut admitted,
            unmatched,
            heard,
        } = gate.admit(rows, &duplicates.is_dropped);
        account.signals_read = rows.len() as u64;
        account.duplicate = duplicates.dropped;
        let mut counts = TenantCounts {
            account,
            conflicts: duplicates.conflicts,
            unmatched: self.unmatched(unmatched, day),
            ..TenantCounts::default()
        };
        self.add_feeds(&mut counts, &heard);
        in_order(&mut admitted, kinds);
        let mut rest = admitted.as_slice();
        loop {
            let (piece, others) = rest.split_at(of_whole_people(rest, signals));
            rest = others;
            let collapsed = collapse(piece, kinds, day);
            counts.account.collapsed += collapsed.collapsed;
            for block in &collapsed.blocks {
                counts.account.scored += block.n;
                match counts.feeds.get_mut(&*block.component) {
                    Some(feed) => feed.scored += block.n,
                    // The first piece tells what was heard.
                    None => counts.hear(&block.component, (None, None), block.n, iter::empty()),
                }
            }
            counts.blocks = collapsed.blocks;
            tell(std::mem::take(&mut counts))?;
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// Counts all rows of some parts, by tenant and day.
    pub(crate) fn count_all(
        self,
        parts: &[Part],
        on_this_thread: bool,
    ) -> Vec<(u32, TenantCounts)> {
        let mut rows: Vec<Place> = Vec::new();
        for (part, number) in parts.iter().zip(0_u32..) {
            let of_part = part.rows.iter().zip(0_u32..);
            rows.extend(
                of_part.map(|(row, place)| (row.tenant, UtcMillis(row.time).day(), number, place)),
            );
        }
        if on_this_thread {
            rows.sort_unstable();
        } else {
            rows.par_sort_unstable();
        }
        let groups: Vec<&[Place]> = rows
            .chunk_by(|left, right| (left.0, left.1) == (right.0, right.1))
            .collect();
        let count_group = |scratch: &mut Scratch, group: &&[Place]| {
            let (tenant, day, ..) = group[0];
            let view = |&(_, _, part, row): &Place| {
                let part = &parts[part as usize];
                let row = &part.rows[row as usize];
                View { part, row }
            };
            let views: Vec<View<'_>> = group.iter().map(view).collect();
            (tenant, self.count((tenant, day), &views, scratch))
        };
        if on_this_thread {
            let mut scratch = Scratch::default();
            let groups = groups.iter();
            groups
                .map(|group| count_group(&mut scratch, group))
                .collect()
        } else {
            groups
                .par_iter()
                .map_init(Scratch::default, count_group)
                .collect()
        }
    }

    fn add_feeds(&self, counts: &mut TenantCounts, heard: &[Option<(i64, i64)>]) {
        for (id, span) in (0_u32..).zip(heard) {
            let Some((first, last)) = span.map(|(first, last)| (UtcMillis(first), UtcMillis(last)))
            else {
                continue;
            };
            let (component, integration) = self.kinds.feed(id);
            let feed = counts.feeds.entry(component.to_string()).or_default();
            feed.first = Some(feed.first.map_or(first, |earlier| earlier.min(first)));
            feed.last = feed.last.max(Some(last));
            feed.integrations.push(integration.to_string());
        }
        for feed in counts.feeds.values_mut() {
            feed.integrations.sort_unstable();
        }
    }

    /// The signals of nobody, equal ones summed.
    fn unmatched(&self, mut signals: Vec<Unmatchable>, day: UtcDay) -> Vec<Unmatched> {
        signals.sort_unstable();
        let mut rows: Vec<Unmatched> = signals
            .chunk_by(|left, right| left == right)
            .map(|equal| {
                let kind = self.kinds.get(equal[0].kind);
                let name = |place: usize| {
                    let name = self.ledger.names.get(kind.texts[place]);
                    Arc::clone(name.expect("a kind that keeps the contract names its source"))
                };
                let (component, family) = self.kinds.series(kind.series);
                Unmatched {
                    reason: equal[0].reason,
                    source: name(place::SOURCE),
                    day,
                    component: Arc::clone(component),
                    family: Arc::clone(family),
                    level: kind.level,
                    rule_id: name(place::RULE_ID),
                    subject_hash: equal[0].hash.map(|hash| hash.to_string()),
                    n: equal.len() as u64,
                }
            })
            .collect();
        // Kinds that differ only in what the table does not show meet here.
        rows.sort_by(|left, right| left.key().cmp(&right.key()));
        rows.dedup_by(|next, kept| {
            let is_same = next.key() == kept.key();
            kept.n += if is_same { next.n } else { 0 };
            is_same
        });
        rows
    }
}
