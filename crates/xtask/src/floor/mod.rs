//! What no engine can do without, as whole processes for the comparison with other engines
//! (`benches/peers`): decoding the columns that counting or the rules read, parsing raw events into typed
//! values.

use std::path::{Path, PathBuf};

use af_model::contract::Table;
use af_model::tables::{attack_signals, identity_events};
use af_rules::{RuleSet, shipped};
use af_store::{Partitioned, Scan, Store, TableFile};
use anyhow::{Context, Result, anyhow};
use clap::Subcommand;
use rayon::prelude::*;

mod event;

use event::Event;

/// Columns of signals without which nobody can count.
const COLUMNS: [&str; 12] = [
    "tenant_uid",
    "signal_uid",
    "time",
    "ingested_at",
    "subject_ref",
    "subject_uid",
    "subject_email",
    "component",
    "family",
    "level",
    "incident_uid",
    "source",
];

/// Bytes of raw events that are parsed in one piece.
const PIECE: usize = 1 << 20;

/// What is read and thrown away.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Floor {
    /// Decode the columns of signals that counting reads, all row groups side by side.
    Signals {
        /// Folder of signals.
        folder: PathBuf,
    },
    /// Decode the columns of identity events that the shipped rules read, all row groups side by side.
    Rules {
        /// Folder of the store.
        store: PathBuf,
    },
    /// Parse raw events into typed values, in pieces side by side.
    Events {
        /// Folder of raw events.
        folder: PathBuf,
    },
}

/// Reads everything and says how much it was.
pub(crate) fn run(floor: &Floor) -> Result<String> {
    match floor {
        Floor::Signals { folder } => {
            let paths = files(folder, "parquet")?;
            let rows = decode(&paths, &attack_signals::TABLE, &COLUMNS, Scan::AsWritten)?;
            Ok(format!("{rows} rows decoded"))
        }
        Floor::Rules { store } => {
            let rules = RuleSet::load(shipped().into_iter());
            let rules = rules.map_err(|_| anyhow!("the shipped rules do not load"))?;
            let read = rules.reads().columns();
            let store = Store::open(store)?;
            let mut paths = Vec::new();
            for day in store.days(Partitioned::Events)? {
                paths.extend(store.day_files(Partitioned::Events, day)?);
            }
            let rows = decode(&paths, &identity_events::TABLE, &read, Scan::Dictionaries)?;
            Ok(format!("{rows} rows decoded"))
        }
        Floor::Events { folder } => {
            let mut events = 0;
            for path in files(folder, "ndjson")? {
                events += parse(&path)?;
            }
            Ok(format!("{events} events parsed"))
        }
    }
}

/// All files below a folder with that ending, sorted.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|own| own == ending) {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn decode(paths: &[PathBuf], table: &'static Table, columns: &[&str], scan: Scan) -> Result<usize> {
    let opened: Result<Vec<TableFile>, _> = paths
        .iter()
        .map(|path| TableFile::open(path, table))
        .collect();
    let opened = opened?;
    let groups: Vec<(&TableFile, usize)> = opened
        .iter()
        .flat_map(|file| (0..file.row_groups()).map(move |group| (file, group)))
        .collect();
    groups
        .into_par_iter()
        .map(|(file, group)| {
            let batches = file.read_row_groups(group..group + 1, Some(columns), scan)?;
            let mut rows = 0;
            for batch in batches {
                rows += batch?.num_rows();
            }
            Ok(rows)
        })
        .sum()
}

fn parse(path: &Path) -> Result<usize> {
    let bytes = fs_err::read(path)?;
    let text = std::str::from_utf8(&bytes).context("raw events are UTF-8")?;
    pieces(text)
        .into_par_iter()
        .map(|piece| {
            let mut known = 0;
            for line in piece.lines() {
                let event: Event<'_> = serde_json::from_str(line)?;
                known += usize::from(event.is_known());
            }
            Ok(known)
        })
        .sum()
}

/// The text cut at ends of lines into pieces of about [`PIECE`] bytes.
fn pieces(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while text.len() > PIECE {
        let border = text.as_bytes()[PIECE..]
            .iter()
            .position(|byte| *byte == b'\n');
        let Some(border) = border else { break };
        let (piece, rest) = text.split_at(PIECE + border + 1);
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_lines_and_all_of_the_text() {
        let line = "é".repeat(300) + "\n";
        let text = line.repeat(5_000);
        let cut = pieces(&text);
        assert!(cut.len() > 1);
        assert!(cut.iter().all(|piece| piece.ends_with('\n')));
        assert_eq!(cut.concat(), text);
        assert_eq!(pieces(""), [""]);
    }

    #[test]
    fn every_event_of_the_simulator_is_parsed() {
        let folder = tempfile::tempdir().unwrap();
        let raw = crate::raw_events::Arguments::of(2_001, folder.path());
        crate::raw_events::run(&raw).unwrap();
        let said = run(&Floor::Events {
            folder: folder.path().to_owned(),
        });
        assert_eq!(said.unwrap(), "2001 events parsed");
    }
}
