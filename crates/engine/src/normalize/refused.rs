//! Refused events: filed under the day of ingest, unless the same content was refused before.

use std::collections::HashSet;

use af_model::tables::quarantine;
use af_store::{Partitioned, Scan, Store, WriteLock, table_file};

use super::{NormalizeOptions, NormalizeReport, texts};
use crate::error::Error;

/// Refused events that a report shows.
const EXAMPLES: usize = 5;

/// Files refused events under the day of ingest, unless the same content was refused before.
pub(super) fn settle(
    store: Option<(&Store, &WriteLock)>,
    mut refused: Vec<quarantine::Row>,
    report: &mut NormalizeReport,
    options: &NormalizeOptions,
) -> Result<(), Error> {
    let mut known = HashSet::new();
    if let Some((store, _)) = store {
        for day in store.days(Partitioned::Quarantine)? {
            for path in store.day_files(Partitioned::Quarantine, day)? {
                let columns = Some(&["reject_uid"][..]);
                for batch in table_file::read(&path, &quarantine::TABLE, columns, Scan::File)? {
                    known.extend(texts(&batch?, "reject_uid"));
                }
            }
        }
    }
    let place = |row: &quarantine::Row| (row.file.clone(), row.line, row.byte_offset);
    refused.sort_by(|a, b| {
        place(a)
            .cmp(&place(b))
            .then_with(|| a.reject_uid.cmp(&b.reject_uid))
    });
    let before = refused.len();
    refused.retain(|row| known.insert(row.reject_uid.clone()));
    report.account.duplicate += (before - refused.len()) as u64;
    report.account.quarantined += refused.len() as u64;
    for row in &refused {
        *report.reasons.entry(row.reason.clone()).or_default() += 1;
    }
    if let Some((store, lock)) = store
        && !refused.is_empty()
    {
        let batch = quarantine::batch(&refused);
        let day = options.ingested_at.day();
        let sorted = af_store::sorted_batch(&batch, &quarantine::TABLE)?;
        store.add_day_stream(lock, Partitioned::Quarantine, day, [Ok(sorted)])?;
    }
    refused.truncate(EXAMPLES);
    report.examples = refused;
    Ok(())
}
