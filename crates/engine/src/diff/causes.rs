//! Why a person's own counts differ between two snapshots.
//!
//! Only two snapshots are at hand, neither signals nor retractions, so causes are told apart by what
//! snapshots show: days, hashes, directory versions, and where else a count went.

use std::collections::{BTreeMap, BTreeSet};

use af_model::manifest::Manifest;
use af_model::tables::unmatched_signals;
use af_model::{UtcDay, UtcMillis};
use af_score::{Scale, load_of_counts};

use crate::assemble::{Buckets, MemberBucket, Tenant};

/// Why one bucket of a person is not what it was, in the order in which causes are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    Retracted,
    Directory,
    Rules,
    Late,
    NewSignals,
}

impl Cause {
    pub(super) const ALL: [Self; 5] = [
        Self::Retracted,
        Self::Directory,
        Self::Rules,
        Self::Late,
        Self::NewSignals,
    ];
}

/// What a bucket is, whoever's it is.
pub(super) type Place<'a> = (&'a str, &'a str, UtcDay);

/// One bucket of one person before and after; at least one of them is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    pub(super) place: Place<'a>,
    /// Load before, on the earlier day.
    pub(super) then: u64,
    /// The same counts on the later day.
    pub(super) now: u64,
    /// Load after, on the later day.
    pub(super) after: u64,
    last_after: Option<UtcMillis>,
}

/// Both days and the scale they are measured with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Days<'s> {
    pub(super) before: UtcMillis,
    pub(super) after: UtcMillis,
    pub(super) scale: &'s Scale,
}

impl Days<'_> {
    /// Pairs the buckets of one person; both lists ascend by component, family and day.
    pub(super) fn changes<'a>(
        &self,
        before: impl Iterator<Item = MemberBucket<'a>>,
        after: impl Iterator<Item = MemberBucket<'a>>,
    ) -> Vec<Change<'a>> {
        let place = |bucket: &MemberBucket<'a>| (bucket.component, bucket.family, bucket.day);
        let (mut before, mut after) = (before.peekable(), after.peekable());
        let mut changes = Vec::new();
        loop {
            let next = match (before.peek(), after.peek()) {
                (None, None) => return changes,
                (Some(one), None) | (None, Some(one)) => place(one),
                (Some(a), Some(b)) => place(a).min(place(b)),
            };
            let a = before.next_if(|bucket| place(bucket) == next);
            let b = after.next_if(|bucket| place(bucket) == next);
            let load = |bucket: Option<MemberBucket<'_>>, at: UtcMillis| {
                bucket.map_or(0, |bucket| {
                    load_of_counts(&bucket.counts, at.day().days_since(bucket.day), self.scale)
                })
            };
            changes.push(Change {
                place: next,
                then: load(a, self.before),
                now: load(a, self.after),
                after: load(b, self.after),
                last_after: b.map(|bucket| bucket.last_time),
            });
        }
    }
}

/// What is known of a tenant beyond the counts of one person.
pub(super) struct Evidence<'a> {
    before: UtcMillis,
    rules_differ: bool,
    /// None where the directory is the same.
    movements: Option<BTreeMap<Place<'a>, Movement>>,
}

/// Where else a bucket's incidents went or came from.
#[derive(Clone, Copy, Debug, Default)]
struct Movement {
    gainers: u32,
    losers: u32,
    /// Signals of nobody: after minus before.
    unmatched: i128,
}

/// Signals of nobody at a place, by tenant.
pub(super) type Unmatched = BTreeMap<(String, String, String, UtcDay), i128>;

/// Adds up signals of nobody.
pub(super) fn unmatched(rows: &[unmatched_signals::Row]) -> Unmatched {
    let mut sums = Unmatched::new();
    for row in rows {
        let place = (
            row.tenant_uid.clone(),
            row.component.clone(),
            row.family.clone(),
            row.day,
        );
        *sums.entry(place).or_default() += i128::from(row.n);
    }
    sums
}

/// Whether the two snapshots join a tenant's signals to other versions of its directory.
pub(super) fn directories_differ(tenant: &str, manifests: [&Manifest; 2]) -> bool {
    let [before, after] = manifests.map(|manifest| {
        let versions = manifest.directories.iter();
        let own = versions.filter(|v| v.tenant_uid == tenant || v.tenant_uid.is_empty());
        own.map(|v| (&v.source, v.imported_at, &v.file, v.people))
            .collect::<BTreeSet<_>>()
    });
    before != after
}

impl<'a> Evidence<'a> {
    pub(super) fn of(
        tenants: [&'a Tenant<'a>; 2],
        manifests: [&Manifest; 2],
        unmatched: [&'a Unmatched; 2],
        days: Days<'_>,
    ) -> Self {
        let name = tenants[0].name;
        let rules_differ = manifests[0].rules_hash != manifests[1].rules_hash;
        let movements =
            directories_differ(name, manifests).then(|| movements(tenants, unmatched, days));
        Self {
            before: days.before,
            rules_differ,
            movements,
        }
    }

    /// Why a bucket changed otherwise than by time.
    pub(super) fn cause(&self, change: &Change<'a>) -> Cause {
        let day = change.place.2;
        let has_grown = change.after > change.now;
        let covered = self.before.day();
        // On the day of a cut within the day, what came after the cut is new.
        let is_new =
            day > covered || (day == covered && has_grown && change.last_after > Some(self.before));
        if is_new {
            return Cause::NewSignals;
        }
        if self.rules_differ {
            return Cause::Rules;
        }
        let movement = self
            .movements
            .as_ref()
            .and_then(|all| all.get(&change.place));
        let has_counterpart = movement.is_some_and(|movement| {
            if has_grown {
                movement.losers > 0 || movement.unmatched < 0
            } else {
                movement.gainers > 0 || movement.unmatched > 0
            }
        });
        match (has_counterpart, has_grown) {
            (true, _) => Cause::Directory,
            (false, true) => Cause::Late,
            (false, false) => Cause::Retracted,
        }
    }
}

/// Who gained and who lost at each place on days that both snapshots cover.
fn movements<'a>(
    tenants: [&'a Tenant<'a>; 2],
    unmatched: [&'a Unmatched; 2],
    days: Days<'_>,
) -> BTreeMap<Place<'a>, Movement> {
    let mut all: BTreeMap<Place<'a>, Movement> = BTreeMap::new();
    let mut by_person: BTreeMap<&str, [Option<Buckets<'a>>; 2]> = BTreeMap::new();
    for (side, tenant) in tenants.into_iter().enumerate() {
        for (place, member) in tenant.members.iter().enumerate() {
            let own = tenant.buckets_of(place);
            by_person.entry(member.user_uid).or_default()[side] = Some(own);
        }
    }
    for [before, after] in by_person.into_values() {
        let (before, after) = (before.into_iter().flatten(), after.into_iter().flatten());
        for change in days.changes(before, after) {
            let movement = all.entry(change.place).or_default();
            match change.after.cmp(&change.now) {
                std::cmp::Ordering::Greater => movement.gainers += 1,
                std::cmp::Ordering::Less => movement.losers += 1,
                std::cmp::Ordering::Equal => {}
            }
        }
    }
    for (sign, unmatched) in [-1, 1].into_iter().zip(unmatched) {
        for ((tenant, component, family, day), n) in unmatched {
            if tenant == tenants[0].name {
                all.entry((component, family, *day)).or_default().unmatched += sign * n;
            }
        }
    }
    all
}
