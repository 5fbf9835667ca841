//! From counts to the published tables: scores, ranks, attribution, summaries (af-1 §2.4–2.11, §7).

use std::collections::{BTreeMap, BTreeSet};

use af_count::{Counted, CountedBlock, PeopleIndex, TenantCounts};
use af_model::params::WINDOW_DAYS;
use af_model::tables::{
    bucket_counts, component_scores, group_index, org_summary, signal_attribution,
    unmatched_signals, user_scores,
};
use af_model::{Params, Person, Population, UtcDay, UtcMillis};
use arrow::array::RecordBatch;
use rayon::prelude::*;

use crate::error::Error;
use crate::tally::Cut;

mod population;

use population::Scoring;

/// What every published row carries.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The cut the figures are for.
    pub cut: Cut,
    /// Hash of the parameters.
    pub config_hash: String,
    /// Hash of the rules; null when the signals came from elsewhere.
    pub rules_hash: Option<String>,
}

/// All rows of a snapshot, sorted as their tables promise.
#[derive(Debug, Default)]
pub struct SnapshotTables {
    /// Counts within the window.
    pub bucket_counts: Vec<bucket_counts::Row>,
    /// The answer.
    pub user_scores: Vec<user_scores::Row>,
    /// By component.
    pub component_scores: Vec<component_scores::Row>,
    /// By block.
    pub signal_attribution: Vec<signal_attribution::Row>,
    /// Attacks on nobody the directory knows.
    pub unmatched_signals: Vec<unmatched_signals::Row>,
    /// By population.
    pub org_summary: Vec<org_summary::Row>,
    /// By group.
    pub group_index: Vec<group_index::Row>,
    /// Members by tenant and population name, for the manifest.
    pub population: BTreeMap<String, BTreeMap<String, u64>>,
}

impl SnapshotTables {
    /// Every table with its rows as one batch, in the order of
    /// [`af_model::tables::SNAPSHOT`].
    pub fn batches(&self) -> [RecordBatch; 7] {
        [
            bucket_counts::batch(&self.bucket_counts),
            user_scores::batch(&self.user_scores),
            component_scores::batch(&self.component_scores),
            signal_attribution::batch(&self.signal_attribution),
            unmatched_signals::batch(&self.unmatched_signals),
            org_summary::batch(&self.org_summary),
            group_index::batch(&self.group_index),
        ]
    }

    fn append(&mut self, mut other: Self) {
        self.bucket_counts.append(&mut other.bucket_counts);
        self.user_scores.append(&mut other.user_scores);
        self.component_scores.append(&mut other.component_scores);
        self.signal_attribution
            .append(&mut other.signal_attribution);
        self.unmatched_signals.append(&mut other.unmatched_signals);
        self.org_summary.append(&mut other.org_summary);
        self.group_index.append(&mut other.group_index);
        self.population.append(&mut other.population);
    }
}

/// Scores every tenant of the directory and of the counts.
///
/// # Errors
/// [`ErrorKind::Gate`](crate::ErrorKind::Gate) when the kernel refuses the counts, which means that a stage before it broke
/// its promise.
pub fn assemble(
    people: &PeopleIndex,
    counted: &Counted,
    params: &Params,
    stamp: &Stamp,
) -> Result<SnapshotTables, Error> {
    let nothing = TenantCounts::default();
    let mut tenants: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for tenant in counted.tenants.keys() {
        tenants.insert(tenant, Vec::new());
    }
    for (index, person) in (0_u32..).zip(people.people()) {
        if person.exists_at(stamp.cut.as_of) {
            tenants.entry(&person.tenant_uid).or_default().push(index);
        }
    }
    let parts: Vec<(&str, Vec<u32>)> = tenants.into_iter().collect();
    let parts: Result<Vec<SnapshotTables>, Error> = parts
        .par_iter()
        .map(|(tenant, members)| {
            let counts = counted.tenants.get(*tenant).unwrap_or(&nothing);
            Tenant {
                name: tenant,
                index: people,
                counts,
                params,
                stamp,
            }
            .tables(members)
        })
        .collect();
    let mut all = SnapshotTables::default();
    for part in parts? {
        all.append(part);
    }
    Ok(all)
}

struct Tenant<'a> {
    name: &'a str,
    index: &'a PeopleIndex,
    counts: &'a TenantCounts,
    params: &'a Params,
    stamp: &'a Stamp,
}

impl Tenant<'_> {
    fn tables(&self, members: &[u32]) -> Result<SnapshotTables, Error> {
        let components = self.distinct(|block| &block.component);
        let families = self.distinct(|block| &block.family);
        let mut tables = SnapshotTables {
            bucket_counts: af_count::bucket_counts(self.name, self.counts, self.index),
            unmatched_signals: af_count::unmatched_signals(self.name, self.counts, self.stamp.cut),
            ..SnapshotTables::default()
        };
        for population in [Population::Human, Population::Service] {
            let members: Vec<u32> = members
                .iter()
                .copied()
                .filter(|&member| self.person(member).population() == population)
                .collect();
            if members.is_empty() {
                continue;
            }
            Scoring::new(self, population, &members, &components, &families)?.write(&mut tables);
        }
        // Two populations were written one after the other; the tables promise one order.
        tables
            .user_scores
            .sort_by(|a, b| a.user_uid.cmp(&b.user_uid));
        tables
            .component_scores
            .sort_by(|a, b| (&a.user_uid, &a.component).cmp(&(&b.user_uid, &b.component)));
        tables.signal_attribution.sort_by(|a, b| {
            let key = |row: &signal_attribution::Row| {
                (
                    row.user_uid.clone(),
                    row.component.clone(),
                    row.family.clone(),
                    row.day,
                    row.level.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        Ok(tables)
    }

    fn distinct(&self, name: impl Fn(&CountedBlock) -> &str) -> Vec<String> {
        let names: BTreeSet<&str> = self.counts.blocks.iter().map(name).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    fn person(&self, index: u32) -> &Person {
        &self.index.people()[index as usize]
    }
}

/// The first UTC day that still counts at `as_of`.
#[expect(
    clippy::missing_panics_doc,
    reason = "the window is a constant that fits"
)]
pub fn window_start(as_of: UtcMillis) -> UtcDay {
    let span = i32::try_from(WINDOW_DAYS - 1).expect("the window is 90 days");
    UtcDay(as_of.day().0.saturating_sub(span))
}
