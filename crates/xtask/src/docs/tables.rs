//! `docs/tables.md`, written from the contracts of the tables.

use std::fmt::Write as _;

use af_model::contract::{Column, Table};
use af_model::tables;
use anyhow::{Result, bail};

use super::cell::escaped;

/// The page, in `docs/`.
pub(super) const PAGE: &str = "tables.md";

/// What stands above the tables.
const HEAD: &str = "\
<!-- Written by `cargo xtask docs` from crates/model/src/tables; do not edit. -->
# The tables

Every file that Attack Factor writes is one of these tables, as Parquet. `attack-factor schema TABLE` prints the same in a
terminal, `attack-factor schema --format json` for programs. How to open them in DuckDB, pyarrow, pandas, polars or Spark:
[read-the-tables.md](read-the-tables.md). How to write `attack_signals` yourself:
[bring-your-own-source.md](bring-your-own-source.md).

* Texts are plain UTF-8 strings; instants are `timestamp(ms, UTC)`; days are UTC days.
* Figures are signed 64-bit integers with the unit in the name: `score_micro / 1e6` is the score, `odds_nano / 1e9` the odds. Sums over
  products of them can leave 64 bits: use `HUGEINT` or `DECIMAL(38)` in SQL, `Int128` in polars.
* Rows are sorted as said, ascending, nulls first; the file declares it. Compression is zstd, with statistics and a page index;
  columns that hardly repeat are plain or `DELTA_BINARY_PACKED`, all others have a dictionary.
* A column that may be null may be absent from files that others write. Columns unknown to the contract are ignored.
* The version of a table stands in the file's metadata as `attack_factor.table_version`. It rises when a column changes its meaning or
  disappears; a new column that may be null does not raise it. A program refuses files of a newer version and reads all older ones.
";

/// Where a table lies, who writes it, and whether somebody else may.
struct Origin {
    table: &'static str,
    place: &'static str,
    writer: &'static str,
    others: &'static str,
}

/// One line per table; a table without one is refused.
const ORIGINS: [Origin; 13] = [
    Origin {
        table: "identity_events",
        place: "`STORE/events/day=…/` (UTC day of the event)",
        writer: "`normalize`",
        others: "no verb takes it from others; write `attack_signals` instead",
    },
    Origin {
        table: "quarantine",
        place: "`STORE/quarantine/day=…/` (UTC day of the ingest)",
        writer: "`normalize`",
        others: "no",
    },
    Origin {
        table: "directory",
        place: "`STORE/directory/`, one file per version",
        writer: "`users import`",
        others: "yes: `users import` and `score --users` take a Parquet file with these columns, as well as CSV and JSON",
    },
    Origin {
        table: "attack_signals",
        place: "`STORE/signals/day=…/` (UTC day of the signal)",
        writer: "`detect`, also as a part of `score`",
        others: "yes, anybody: [bring-your-own-source.md](bring-your-own-source.md)",
    },
    Origin {
        table: "retractions",
        place: "`STORE/retractions/`",
        writer: "`retract`, and `score` for what Okta's administrators label a false positive",
        others: "no; use `retract`",
    },
    Origin {
        table: "bucket_counts",
        place: "snapshot",
        writer: "`score`",
        others: "no verb takes it from others yet; it is what another engine would have to produce",
    },
    Origin {
        table: "user_scores",
        place: "snapshot",
        writer: "`score`",
        others: "no",
    },
    Origin {
        table: "component_scores",
        place: "snapshot",
        writer: "`score`",
        others: "no",
    },
    Origin {
        table: "signal_attribution",
        place: "snapshot",
        writer: "`score`",
        others: "no",
    },
    Origin {
        table: "unmatched_signals",
        place: "snapshot",
        writer: "`score`",
        others: "no",
    },
    Origin {
        table: "org_summary",
        place: "snapshot",
        writer: "`score`",
        others: "no",
    },
    Origin {
        table: "group_index",
        place: "snapshot",
        writer: "`score`",
        others: "no",
    },
    Origin {
        table: "tombstones",
        place: "snapshot, only where somebody was erased",
        writer: "`erase`",
        others: "no",
    },
];

/// The page's text.
pub(super) fn text() -> Result<String> {
    let mut text = HEAD.to_owned();
    text.push_str("\n| table | where | written by |\n|---|---|---|\n");
    for table in tables::ALL {
        let origin = origin(table)?;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| [{0}](#{0}) | {1} | {2} |",
            table.name, origin.place, origin.writer
        );
    }
    for table in tables::ALL {
        let origin = origin(table)?;
        let _ = write!(
            text,
            "\n## {}\n\n{}\n\nVersion {} · sorted by {} · written by {} · others may write it: {}\n\n",
            table.name,
            on_one_line(table.doc),
            table.version,
            table
                .sorted_by
                .iter()
                .map(|column| format!("`{column}`"))
                .collect::<Vec<_>>()
                .join(", "),
            origin.writer,
            origin.others,
        );
        text.push_str("| column | type | null | unit | meaning |\n|---|---|---|---|---|\n");
        for column in table.columns {
            text.push_str(&column_line(column));
        }
    }
    Ok(text)
}

fn origin(table: &Table) -> Result<&'static Origin> {
    match ORIGINS.iter().find(|origin| origin.table == table.name) {
        Some(origin) => Ok(origin),
        None => bail!(
            "nobody says who writes {}; add it to ORIGINS in crates/xtask/src/docs/tables.rs",
            table.name
        ),
    }
}

fn column_line(column: &Column) -> String {
    format!(
        "| `{}` | {} | {} | {} | {} |\n",
        column.name,
        escaped(column.kind.name()),
        if column.nullable { "yes" } else { "" },
        column.unit,
        escaped(&on_one_line(column.doc)),
    )
}

fn on_one_line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_every_table_has_its_line() {
        let text = text().unwrap();
        for table in tables::ALL {
            let heading = format!("\n## {}\n", table.name);
            let start = text.find(&heading).expect(table.name) + heading.len();
            let section = &text[start..];
            let section = &section[..section.find("\n## ").unwrap_or(section.len())];
            for column in table.columns {
                let line = format!("\n| `{}` | ", column.name);
                assert!(section.contains(&line), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn a_text_of_several_lines_becomes_one() {
        assert_eq!(on_one_line(" one\n two "), "one two");
    }
}
