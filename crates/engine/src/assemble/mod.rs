//! From counts to the published tables: scores, ranks, attribution, summaries (af-1 §2.4–2.11, §7).

//!
//! [`assemble`] makes a [`Tenant`] of what was counted; [`crate::verify`] and [`crate::diff`] make one
//! of a published snapshot. From there on there is one way to make rows: [`Tenant::tables`].

use std::collections::BTreeMap;

use af_count::{Counted, CountedBlock, PeopleIndex, TenantCounts};
use af_model::params::WINDOW_DAYS;
use af_model::tables::{
    bucket_counts, component_scores, group_index, org_summary, signal_attribution, tombstones,
    unmatched_signals, user_scores,
};
use af_model::{Params, UtcDay, UtcMillis};
use arrow::array::RecordBatch;
use rayon::prelude::*;

use crate::error::{Error, ErrorKind};
use crate::pipeline::LeftOut;
use crate::tally::Cut;

mod cohort;
mod groups;
mod published;
mod rows;
mod tenant;

pub(crate) use cohort::{Cohort, Names, POPULATIONS};
pub(crate) use published::{
    Published, bucket_key, count_column, has_tombstones, levels, read_unmatched, snapshot_name,
    user_fault,
};
pub use tenant::{Erased, Member, MemberBucket, Tenant};

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
    /// What is left of the erased; none where nobody was.
    pub tombstones: Vec<tombstones::Row>,
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

    /// Takes the rows of tenants out.
    pub(crate) fn leave_out(&mut self, tenants: &LeftOut) {
        let stays = |tenant: &String| !tenants.contains_key(tenant);
        self.bucket_counts.retain(|row| stays(&row.tenant_uid));
        self.user_scores.retain(|row| stays(&row.tenant_uid));
        self.component_scores.retain(|row| stays(&row.tenant_uid));
        self.signal_attribution.retain(|row| stays(&row.tenant_uid));
        self.unmatched_signals.retain(|row| stays(&row.tenant_uid));
        self.org_summary.retain(|row| stays(&row.tenant_uid));
        self.group_index.retain(|row| stays(&row.tenant_uid));
        self.tombstones.retain(|row| stays(&row.tenant_uid));
        self.population.retain(|tenant, _| stays(tenant));
    }

    /// Moves the rows of another tenant, later in name order, behind these.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.bucket_counts.append(&mut other.bucket_counts);
        self.user_scores.append(&mut other.user_scores);
        self.component_scores.append(&mut other.component_scores);
        self.signal_attribution
            .append(&mut other.signal_attribution);
        self.unmatched_signals.append(&mut other.unmatched_signals);
        self.org_summary.append(&mut other.org_summary);
        self.group_index.append(&mut other.group_index);
        self.tombstones.append(&mut other.tombstones);
        self.population.append(&mut other.population);
    }
}

/// Scores every tenant of the directory and of the counts.
///
/// # Errors
/// [`ErrorKind::Gate`] when the kernel refuses the counts, which means that a stage before it broke
/// its promise.
pub fn assemble(
    people: &PeopleIndex,
    counted: &Counted,
    params: &Params,
    stamp: &Stamp,
) -> Result<SnapshotTables, Error> {
    let mut refused = LeftOut::new();
    let tables = assemble_without(&mut refused, people, counted, params, stamp);
    match refused.into_iter().next() {
        None => Ok(tables),
        Some((tenant, reason)) => Err(Error::new(
            ErrorKind::Gate,
            format!("score tenant {tenant}: {reason}"),
        )),
    }
}

/// As [`assemble`], without the tenants that are left out; one whose counts the kernel refuses is
/// left out as well, with its reason.
pub fn assemble_without(
    left_out: &mut LeftOut,
    people: &PeopleIndex,
    counted: &Counted,
    params: &Params,
    stamp: &Stamp,
) -> SnapshotTables {
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
    tenants.retain(|tenant, _| !left_out.contains_key(*tenant));
    let tenants: Vec<(&str, Vec<u32>)> = tenants.into_iter().collect();
    let parts: Vec<Result<SnapshotTables, Error>> = tenants
        .par_iter()
        .map(|(tenant, members)| {
            let counts = counted.tenants.get(*tenant).unwrap_or(&nothing);
            let mut tables = counted_tenant(tenant, people, members, counts, stamp)
                .tables(params, stamp)
                .map_err(|error| {
                    Error::new(ErrorKind::Gate, format!("score tenant {tenant}: {error}"))
                })?;
            tables.bucket_counts = af_count::bucket_counts(tenant, counts, people);
            tables.unmatched_signals = af_count::unmatched_signals(tenant, counts, stamp.cut);
            Ok(tables)
        })
        .collect();
    let mut all = SnapshotTables::default();
    for ((tenant, _), part) in tenants.iter().zip(parts) {
        match part {
            Ok(part) => all.append(part),
            Err(error) => {
                left_out.insert((*tenant).to_owned(), error.to_string());
            }
        }
    }
    all
}

/// A tenant of the directory with what was counted against its people: indices into the directory,
/// ascending, which is ascending by user id.
fn counted_tenant<'a>(
    name: &'a str,
    people: &'a PeopleIndex,
    members: &[u32],
    counts: &'a TenantCounts,
    stamp: &Stamp,
) -> Tenant<'a> {
    let person = |index: u32| &people.people()[index as usize];
    let buckets = counts
        .blocks
        .chunk_by(|a, b| bucket_of(a) == bucket_of(b))
        .map(|behind| {
            let (index, component, family, day) = bucket_of(&behind[0]);
            let member = members
                .binary_search(&index)
                .expect("signals are joined to people who exist at the cut");
            let mut counts = [0; 4];
            for block in behind {
                counts[block.level.slot()] += block.n;
            }
            let first = behind.iter().map(|block| block.first_time).min();
            let last = behind.iter().map(|block| block.last_time).max();
            MemberBucket {
                member: u32::try_from(member).expect("members are 32-bit indices themselves"),
                component,
                family,
                day,
                counts,
                first_time: first.unwrap_or_default(),
                last_time: last.unwrap_or_default(),
                behind,
            }
        })
        .collect();
    Tenant {
        name,
        members: members
            .iter()
            .map(|&member| Member::of_person(person(member), stamp.cut.as_of))
            .collect(),
        buckets,
        erased: Vec::new(),
    }
}

/// What makes blocks of several levels one bucket.
fn bucket_of(block: &CountedBlock) -> (u32, &str, &str, UtcDay) {
    (block.person, &block.component, &block.family, block.day)
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
