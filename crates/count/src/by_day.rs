//! Rows whose days lie mixed, cut so that whole days, or whole tenants of them, can be counted apart.

use std::ops::Range;

use af_model::UtcMillis;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, interleave_record_batch};
use arrow::error::ArrowError;

use crate::columns::{tenant_column, time_column};
use crate::error::Error;

/// Rows of some batches of one schema in the order of their buckets.
pub struct ByDay {
    /// All rows.
    pub rows: RecordBatch,
    /// Every bucket that has rows, in ascending order, and where they are.
    pub buckets: Vec<(usize, Range<usize>)>,
}

/// Puts the rows of one UTC day into one of `buckets` buckets, and side by side. Consecutive days go
/// to different buckets, as long as there are enough. A row without a sound time goes to the first:
/// it will be quarantined wherever it is counted.
///
/// # Errors
/// As [`Counter::push`](crate::Counter::push) for the columns that are looked at.
///
/// # Panics
/// Without a batch or a bucket, for batches of different schemas, and for several that hold more than
/// 2 GiB of text together.
pub fn by_day(batches: &[RecordBatch], buckets: usize) -> Result<ByDay, Error> {
    let mut bucket_of: Vec<Vec<u32>> = Vec::with_capacity(batches.len());
    let mut ends = vec![0_usize; buckets];
    for batch in batches {
        let time = time_column(batch)?;
        let of_batch: Vec<u32> = time
            .iter()
            .map(|time| {
                let day = time.and_then(|time| UtcMillis::checked(time).ok())?.day();
                let bucket = i64::from(day.0).rem_euclid(i64::try_from(buckets).ok()?);
                u32::try_from(bucket).ok()
            })
            .map(Option::unwrap_or_default)
            .collect();
        for &bucket in &of_batch {
            ends[bucket as usize] += 1;
        }
        bucket_of.push(of_batch);
    }
    let mut found = Vec::new();
    let mut end = 0;
    for (bucket, count) in ends.iter_mut().enumerate() {
        if *count > 0 {
            found.push((bucket, end..end + *count));
        }
        end += *count;
        *count = end - *count;
    }
    let mut next = ends;
    let mut places = vec![(0, 0); end];
    for (number, of_batch) in bucket_of.iter().enumerate() {
        for (row, &bucket) in of_batch.iter().enumerate() {
            let place = &mut next[bucket as usize];
            places[*place] = (number, row);
            *place += 1;
        }
    }
    let sources: Vec<&RecordBatch> = batches.iter().collect();
    let rows = interleave_record_batch(&sources, &places);
    Ok(ByDay {
        rows: rows.expect("places of rows of batches of one schema"),
        buckets: found,
    })
}

/// The rows of a share of the tenants: of `shares` shares each row is in one, and so are all rows of
/// its tenant.
///
/// # Errors
/// As [`by_day`].
///
/// # Panics
/// Without shares.
pub fn of_tenants(batch: &RecordBatch, share: usize, shares: usize) -> Result<RecordBatch, Error> {
    let tenant = tenant_column(batch)?;
    let is_wanted: BooleanArray = (0..batch.num_rows())
        .map(|row| Some(share_of(tenant.get(row).unwrap_or_default(), shares) == share))
        .collect();
    let wanted: Result<RecordBatch, ArrowError> = filter_record_batch(batch, &is_wanted);
    Ok(wanted.expect("one answer for every row"))
}

/// FNV-1a: the same everywhere, and good enough to share work.
fn share_of(tenant: &str, shares: usize) -> usize {
    let hash = tenant
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    usize::try_from(hash % shares as u64).expect("less than a usize")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use af_model::UtcDay;
    use af_model::tables::attack_signals;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::signal;
    use arrow::array::AsArray;

    const DAY: i64 = 86_400_000;

    fn batch(days: &[i64]) -> RecordBatch {
        let rows: Vec<attack_signals::Row<'_>> = days
            .iter()
            .enumerate()
            .map(|(number, &day)| {
                let mut row = signal(&format!("s{number}"), "ana@acme.example");
                row.time = UtcMillis(day * DAY + 5);
                row.tenant_uid = format!("t{}", number % 7).into();
                row
            })
            .collect();
        attack_signals::batch(&rows)
    }

    fn uids(batch: &RecordBatch) -> Vec<String> {
        texts(batch, "signal_uid")
    }

    fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        column.iter().map(|text| text.unwrap().to_owned()).collect()
    }

    #[test]
    fn rows_of_a_day_come_to_lie_side_by_side() {
        let cut = by_day(&[batch(&[3, 1, 131]), batch(&[1, -1])], 128).unwrap();
        assert_eq!(cut.buckets, [(1, 0..2), (3, 2..4), (127, 4..5)]);
        // Day 131 shares the bucket of day 3; the names start anew with the second batch.
        assert_eq!(uids(&cut.rows), ["s1", "s0", "s0", "s2", "s1"]);
    }

    proptest! {
        #[test]
        fn no_row_is_lost_and_no_day_is_cut(
            days in proptest::collection::vec(-400_i64..400, 0..200),
            buckets in 1_usize..100,
        ) {
            let whole = batch(&days);
            let cut = by_day(std::slice::from_ref(&whole), buckets).unwrap();
            let mut names = uids(&cut.rows);
            names.sort();
            let mut all = uids(&whole);
            all.sort();
            prop_assert_eq!(names, all);
            let mut seen = BTreeMap::new();
            for (bucket, rows) in cut.buckets {
                let part = cut.rows.slice(rows.start, rows.len());
                for time in time_column(&part).unwrap().iter().flatten() {
                    let day: UtcDay = UtcMillis(time).day();
                    prop_assert_eq!(*seen.entry(day).or_insert(bucket), bucket);
                }
            }
        }

        #[test]
        fn every_tenant_is_in_one_share(rows in 0_usize..60, shares in 1_usize..5) {
            let whole = batch(&vec![0; rows]);
            let mut seen = BTreeMap::new();
            let mut total = 0;
            for share in 0..shares {
                let part = of_tenants(&whole, share, shares).unwrap();
                total += part.num_rows();
                for tenant in texts(&part, "tenant_uid") {
                    prop_assert_eq!(*seen.entry(tenant).or_insert(share), share);
                }
            }
            prop_assert_eq!(total, rows);
        }
    }
}
