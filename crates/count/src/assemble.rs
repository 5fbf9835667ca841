//! From classes, admissions and buckets to the figures of each tenant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use af_model::UtcMillis;
use rayon::prelude::*;

use crate::admit::Unmatchable;
use crate::class::{Class, Classes, place};
use crate::collapse::Bucket;
use crate::interner::{Names, Symbol};
use crate::output::{TenantCounts, Unmatched};
use crate::people::PeopleIndex;

/// Component and family of every class, ranked by name.
pub(crate) struct Series {
    /// By rank.
    pub(crate) names: Vec<(Arc<str>, Arc<str>)>,
    /// Rank by class.
    pub(crate) of_class: Vec<u32>,
}

impl Series {
    pub(crate) fn of(classes: &Classes, names: &Names) -> Self {
        let series_of = |class: &Class| {
            // Quarantined classes may lack the names; they have no rows that would ask.
            let name = |place: usize| names.get(class.key[place]).map(Arc::clone);
            (
                name(place::COMPONENT).unwrap_or_default(),
                name(place::FAMILY).unwrap_or_default(),
            )
        };
        let distinct: BTreeSet<(Arc<str>, Arc<str>)> =
            classes.all().iter().map(series_of).collect();
        let ranked: Vec<(Arc<str>, Arc<str>)> = distinct.into_iter().collect();
        let of_class = classes
            .all()
            .iter()
            .map(|class| {
                let rank = ranked
                    .binary_search(&series_of(class))
                    .expect("every class's series is among the distinct ones");
                u32::try_from(rank).expect("classes are fewer than 2^32")
            })
            .collect();
        Self {
            names: ranked,
            of_class,
        }
    }
}

/// The tenants' figures while they are put together.
pub(crate) struct Assembly<'a> {
    pub(crate) names: &'a Names,
    pub(crate) classes: &'a Classes,
    pub(crate) people: &'a PeopleIndex,
}

impl Assembly<'_> {
    /// Accounts, conflicts and feeds, as far as they are known without the buckets.
    pub(crate) fn tenants(&self) -> BTreeMap<String, TenantCounts> {
        let mut tenants: BTreeMap<String, TenantCounts> = BTreeMap::new();
        for class in self.classes.all() {
            let tenant = tenants
                .entry(class.tenant(self.names).to_owned())
                .or_default();
            tenant.account += class.account;
            tenant.conflicts += class.conflicts;
            let Some((first, last)) = class.heard else {
                continue;
            };
            let (first, last) = (UtcMillis(first), UtcMillis(last));
            let feed = tenant
                .feeds
                .entry(self.name(class.key[place::COMPONENT]).to_string())
                .or_default();
            feed.first = Some(feed.first.map_or(first, |earlier| earlier.min(first)));
            feed.last = Some(feed.last.map_or(last, |later| later.max(last)));
            let integration = self
                .names
                .get(class.key[place::INTEGRATION])
                .filter(|integration| !integration.trim().is_empty())
                .unwrap_or_else(|| self.name(class.key[place::SOURCE]));
            if let Err(place) = feed
                .integrations
                .binary_search_by(|known| known.as_str().cmp(integration))
            {
                feed.integrations.insert(place, integration.to_string());
            }
        }
        tenants
    }

    /// Adds the signals of nobody, equal ones summed.
    pub(crate) fn add_unmatched(
        &self,
        tenants: &mut BTreeMap<String, TenantCounts>,
        mut unmatched: Vec<Unmatchable>,
    ) {
        unmatched.par_sort_unstable();
        for equal in unmatched.chunk_by(|left, right| left == right) {
            let signal = &equal[0];
            let class = self.classes.get(signal.class_id);
            let name = |place: usize| Arc::clone(self.name(class.key[place]));
            tenant_of(tenants, class.tenant(self.names))
                .unmatched
                .push(Unmatched {
                    reason: signal.reason,
                    source: name(place::SOURCE),
                    day: signal.day,
                    component: name(place::COMPONENT),
                    family: name(place::FAMILY),
                    level: class.level(),
                    rule_id: name(place::RULE_ID),
                    subject_hash: signal.hash.map(|hash| hash.to_string()),
                    n: equal.len() as u64,
                });
        }
        for tenant in tenants.values_mut() {
            // Classes that differ only in what the table does not show meet here.
            let rows = &mut tenant.unmatched;
            rows.par_sort_by(|left, right| left.key().cmp(&right.key()));
            rows.dedup_by(|next, kept| {
                let is_same = next.key() == kept.key();
                kept.n += if is_same { next.n } else { 0 };
                is_same
            });
        }
    }

    /// Adds the blocks, which come sorted by person, and so by tenant.
    pub(crate) fn add_buckets(
        &self,
        tenants: &mut BTreeMap<String, TenantCounts>,
        buckets: Vec<Bucket>,
    ) {
        for bucket in buckets {
            let Some(first) = bucket.blocks.first() else {
                continue;
            };
            let tenant_uid = &self.people.people()[first.person as usize].tenant_uid;
            let tenant = tenant_of(tenants, tenant_uid);
            let scored: u64 = bucket.blocks.iter().map(|block| block.n).sum();
            tenant.account.scored += scored;
            tenant.account.collapsed += bucket.collapsed;
            if let Some(feed) = tenant.feeds.get_mut(&*first.component) {
                feed.scored += scored;
            }
            tenant.blocks.extend(bucket.blocks);
        }
    }

    fn name(&self, symbol: Symbol) -> &Arc<str> {
        self.names
            .get(symbol)
            .expect("signals that lack a required name are quarantined")
    }
}

fn tenant_of<'t>(
    tenants: &'t mut BTreeMap<String, TenantCounts>,
    tenant_uid: &str,
) -> &'t mut TenantCounts {
    tenants
        .get_mut(tenant_uid)
        .expect("a tenant with admitted signals has read some")
}
