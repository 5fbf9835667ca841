//! What counts of one tenant on one UTC day. Nothing of a day depends on another day or tenant, so
//! days can be counted apart, in any order, and again.

use std::sync::Arc;

use af_model::{UtcDay, UtcMillis};

use crate::admit::{Admission, Gate, Unmatchable};
use crate::collapse::collapse;
use crate::counter::Cut;
use crate::dedupe::{Seen, duplicates};
use crate::interner::Names;
use crate::kind::{Kinds, place};
use crate::output::{TenantCounts, Unmatched};
use crate::part::View;
use crate::people::PeopleIndex;
use crate::retractions::Retractions;

/// What counting a day needs beside its rows.
pub(crate) struct DayCount<'c> {
    pub(crate) people: &'c PeopleIndex,
    pub(crate) retractions: &'c Retractions,
    pub(crate) cut: Cut,
    pub(crate) kinds: &'c Kinds,
    pub(crate) names: &'c Names,
}

/// Memory that is used again for the next tenant's day.
#[derive(Default)]
pub(crate) struct Scratch {
    seen: Seen,
}

impl DayCount<'_> {
    /// Counts the rows of one tenant's day.
    pub(crate) fn count(
        &self,
        tenant_uid: &str,
        day: UtcDay,
        rows: &[View<'_>],
        scratch: &mut Scratch,
    ) -> TenantCounts {
        let duplicates = duplicates(rows, self.kinds, self.names, &mut scratch.seen);
        let gate = Gate {
            people: self.people,
            tenant_uid,
            keys: self.people.keys_of(tenant_uid),
            retracted: self.retractions.of_tenant(tenant_uid),
            kinds: self.kinds,
            cut: self.cut,
            day,
        };
        let Admission {
            mut account,
            admitted,
            unmatched,
            heard,
        } = gate.admit(rows, &duplicates.is_dropped);
        account.duplicate = duplicates.dropped;
        let collapsed = collapse(admitted, self.kinds, day);
        account.collapsed = collapsed.collapsed;
        let mut counts = TenantCounts {
            account,
            conflicts: duplicates.conflicts,
            ..TenantCounts::default()
        };
        self.add_feeds(&mut counts, &heard);
        for block in &collapsed.blocks {
            counts.account.scored += block.n;
            if let Some(feed) = counts.feeds.get_mut(&*block.component) {
                feed.scored += block.n;
            }
        }
        counts.blocks = collapsed.blocks;
        counts.unmatched = self.unmatched(unmatched, day);
        counts
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
                    let name = self.names.get(kind.texts[place]);
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
