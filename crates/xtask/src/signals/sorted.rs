//! The rows as the engine keeps them: a folder a day, one sorted file of its own writer.

use std::path::Path;

use af_model::tables::attack_signals::TABLE;
use af_store::{Metadata, TableWriter, content_name};
use anyhow::{Context, Result};
use rayon::prelude::*;

use super::make_folder;
use super::plan::{DAYS, Plan, Signal};
use super::text::Writer;

/// Rows a batch.
const BATCH: usize = 8192;

/// Tenant, kind of reference, its name, time, id: the order of the table, in numbers.
type Order = (usize, u8, (u64, u64), i64, u128);

/// Writes all days, as many at a time as there are cores; in memory is an order and a number for
/// every row of these days.
pub(super) fn write(folder: &Path, plan: &Plan) -> Result<()> {
    (0..DAYS)
        .into_par_iter()
        .try_for_each(|day| write_day(folder, plan, day))
}

fn write_day(folder: &Path, plan: &Plan, day: u64) -> Result<()> {
    let mut rows: Vec<(Order, u64)> = plan
        .rows_of(day)
        .map(|row| (order(plan, &plan.signal(row)), row))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_unstable();
    let folder = folder.join(format!("day={}", Plan::day(day)));
    make_folder(&folder)?;
    let path = folder.join("signals.parquet");
    let mut file = TableWriter::create(&path, &TABLE, &Metadata::new())?;
    let mut texts = Writer::new(plan);
    for some in rows.chunks(BATCH) {
        for (_, row) in some {
            texts.push(&plan.signal(*row));
        }
        file.append(&texts.finish())?;
    }
    let written = file.finish().context("finish a day of signals")?;
    let name = format!("{}.parquet", content_name(&written));
    fs_err::rename(path, folder.join(name))?;
    Ok(())
}

fn order(plan: &Plan, signal: &Signal) -> Order {
    let people = plan.population();
    // No reference, then `email:`, then `uid:`.
    let (kind, name) = match (signal.has_ref, signal.names_uid) {
        (false, _) => (0, (0, 0)),
        (true, false) => (1, people.email_order(signal.person)),
        (true, true) => (2, people.uid_order(signal.person)),
    };
    (
        people.tenant_of(signal.person),
        kind,
        name,
        signal.time.0,
        signal.uid,
    )
}
