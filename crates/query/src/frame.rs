//! A published table as a polars frame, for whoever has a question of their own: roll-ups by department,
//! a join with other data.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use af_model::contract::Table;
use af_model::name::Printable;
use polars::prelude::{LazyFrame, PlRefPath, ScanArgsParquet};

use crate::error::{Error, ErrorKind};
use crate::snapshot::Snapshot;

/// Scans one table of a snapshot. Nothing but the footer is read before the frame is collected.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use af_model::tables::user_scores;
/// use polars::prelude::*;
/// let scores = af_query::frame("snapshots/2026-11-20T235959.999Z/r1".as_ref(), &user_scores::TABLE)?;
/// let by_department = scores
///     .filter(col("in_population"))
///     .group_by([col("department")])
///     .agg([col("score_micro").max()]);
/// println!("{}", by_department.collect()?.height());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The folder is no snapshot, a newer program wrote it, or the file is damaged.
pub fn frame(folder: &Path, table: &'static Table) -> Result<LazyFrame, Error> {
    let snapshot = Snapshot::open(folder)?;
    snapshot.open_table(table)?;
    let path = snapshot.file(table);
    let broken = |problem: &str| {
        let first = problem.lines().next().unwrap_or_default();
        Error::new(&path, ErrorKind::Broken, Printable(first).to_string())
    };
    // On some damaged footers polars panics instead of saying so.
    let scanned = catch_unwind(AssertUnwindSafe(|| {
        let arguments = ScanArgsParquet {
            // A folder may be named like a pattern or like a partition; it is neither.
            glob: false,
            hive_options: polars::io::HiveOptions::new_disabled(),
            ..ScanArgsParquet::default()
        };
        let mut frame = LazyFrame::scan_parquet(PlRefPath::try_from_path(&path)?, arguments)?;
        frame.collect_schema()?;
        Ok::<_, polars::prelude::PolarsError>(frame)
    }));
    match scanned {
        Ok(frame) => frame.map_err(|error| broken(&error.to_string())),
        Err(_) => Err(broken("its pages do not fit together")),
    }
}
