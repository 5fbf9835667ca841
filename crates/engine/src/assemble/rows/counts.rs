//! `bucket_counts` and `unmatched_signals`: counts as they are, none of the formula's figures.

use std::ops::Range;
use std::sync::Arc;

use af_count::{Cut, Unmatched};
use af_model::Level;
use af_model::tables::{bucket_counts, unmatched_signals};
use arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::column::{batch, days, instants, integers, key, named, names, repeated};
use super::{Slice, to_i64};
use crate::assemble::cohort::{Names, Places};
use crate::assemble::tenant::MemberBucket;

pub(super) fn bucket_counts<'a>(
    slice: Slice<'_, 'a>,
    all_names: &'a Names,
    members: Range<usize>,
) -> RecordBatch {
    let own = members.clone().map(|member| slice.member(member));
    let uids = names(own.map(|member| member.user_uid));
    let mut person = Vec::new();
    let mut buckets: Vec<MemberBucket<'_>> = Vec::new();
    for (place, member) in members.enumerate() {
        buckets.extend(slice.buckets_of(member));
        person.resize(buckets.len(), key(place));
    }
    let rows = buckets.len();
    let n = |level: Level| {
        let counts = buckets.iter().map(|bucket| bucket.counts[level.slot()]);
        integers(counts.map(to_i64).collect())
    };
    let components = buckets.iter().map(|bucket| bucket.component);
    let families = buckets.iter().map(|bucket| bucket.family);
    let dictionary = |list: &[String]| names(list.iter().map(String::as_str));
    batch(
        &bucket_counts::TABLE,
        [
            ("tenant_uid", repeated(slice.tenant.name, rows)),
            ("user_uid", named(person, &uids)),
            (
                "component",
                named(
                    keys(&all_names.components, components),
                    &dictionary(&all_names.components),
                ),
            ),
            (
                "family",
                named(
                    keys(&all_names.families, families),
                    &dictionary(&all_names.families),
                ),
            ),
            ("day", days(buckets.iter().map(|bucket| Some(bucket.day)))),
            ("n_critical", n(Level::Critical)),
            ("n_high", n(Level::High)),
            ("n_medium", n(Level::Medium)),
            ("n_low", n(Level::Low)),
            (
                "first_time",
                instants(buckets.iter().map(|bucket| bucket.first_time)),
            ),
            (
                "last_time",
                instants(buckets.iter().map(|bucket| bucket.last_time)),
            ),
        ],
    )
}

/// Names as places in a list that holds them.
fn keys<'a>(list: &'a [String], names: impl Iterator<Item = &'a str>) -> Vec<i32> {
    let mut places = Places::new(list);
    let places = names.map(|name| places.place(name));
    places
        .map(|place| i32::try_from(place).expect("a tenant's names are few"))
        .collect()
}

/// A tenant's signals of nobody, some rows of them.
pub(in crate::assemble) fn unmatched(
    tenant_uid: &str,
    unmatched: &[Unmatched],
    cut: Cut,
) -> RecordBatch {
    let rows = unmatched.len();
    let text = |of: fn(&Unmatched) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(unmatched.iter().map(of)))
    };
    let hashes = unmatched.iter().map(|row| row.subject_hash.as_deref());
    batch(
        &unmatched_signals::TABLE,
        [
            ("tenant_uid", repeated(tenant_uid, rows)),
            ("as_of", instants((0..rows).map(|_| cut.as_of))),
            ("known_at", instants((0..rows).map(|_| cut.known_at))),
            ("reason", text(|row| row.reason.as_str())),
            ("source", text(|row| &row.source)),
            ("day", days(unmatched.iter().map(|row| Some(row.day)))),
            ("component", text(|row| &row.component)),
            ("family", text(|row| &row.family)),
            ("level", text(|row| row.level.as_str())),
            ("rule_id", text(|row| &row.rule_id)),
            ("subject_hash", Arc::new(hashes.collect::<StringArray>())),
            (
                "n",
                integers(unmatched.iter().map(|row| to_i64(row.n)).collect()),
            ),
        ],
    )
}
