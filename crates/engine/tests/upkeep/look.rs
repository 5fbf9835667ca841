//! Looking into a store: its files, its rows as text, and where a text is found.

use std::collections::BTreeMap;
use std::path::Path;

use af_model::contract::Table;
use af_model::tables;
use af_store::{Partitioned, Scan, table_file};
use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::cast::World;

impl World {
    /// Rows of all day files of a table, rendered, sorted.
    pub(crate) fn day_rows(&self, kind: Partitioned) -> Vec<String> {
        let mut rows = Vec::new();
        for day in self.store.days(kind).unwrap() {
            for path in self.store.day_files(kind, day).unwrap() {
                rows.extend(file_rows(&path, kind.table()));
            }
        }
        rows.sort();
        rows
    }

    /// Every table of every snapshot, as rows.
    pub(crate) fn snapshot_rows(&self) -> BTreeMap<(String, &'static str), Vec<String>> {
        let mut found = BTreeMap::new();
        for id in self.store.snapshots().unwrap() {
            for table in tables::SNAPSHOT
                .into_iter()
                .chain([&tables::tombstones::TABLE])
            {
                let path = self
                    .store
                    .snapshot_dir(id)
                    .join(format!("{}.parquet", table.name));
                if path.is_file() {
                    found.insert((id.to_string(), table.name), file_rows(&path, table));
                }
            }
        }
        found
    }

    /// All files by relative path with their content, what runs differ in aside.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(&self.root, &self.root, &mut found);
        found.remove("lock");
        found
    }

    /// Where one of the texts is, in any case: names of files, raw bytes, decoded cells.
    pub(crate) fn places_of(&self, traces: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        for (name, content) in self.files() {
            let text = String::from_utf8_lossy(&content).to_lowercase();
            let mut all = vec![name.to_lowercase(), text];
            let of_table = |table: &&&'static Table| {
                let path = Path::new(&name);
                path.file_stem().is_some_and(|stem| *stem == *table.name)
                    || name.starts_with(table.name)
                    || name.starts_with("events/") && table.name == "identity_events"
                    || name.starts_with("signals/") && table.name == "attack_signals"
            };
            if name.ends_with(".parquet") {
                let table = tables::ALL.iter().find(of_table).unwrap();
                all.extend(
                    file_rows(&self.root.join(&name), table)
                        .into_iter()
                        .map(|row| row.to_lowercase()),
                );
            }
            for trace in traces {
                if all.iter().any(|text| text.contains(trace.as_str())) {
                    found.push(format!("{trace} in {name}"));
                }
            }
        }
        found
    }
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            found.insert(name, fs_err::read(&path).unwrap());
        }
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs_err::copy(&path, &target).unwrap();
        }
    }
}

/// Rows as `column=value|…`, nulls left out.
pub(crate) fn file_rows(path: &Path, table: &'static Table) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in table_file::read(path, table, None, Scan::File).unwrap() {
        rows.extend(render(&batch.unwrap()));
    }
    rows
}

fn render(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default();
    let schema = batch.schema();
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            (
                field.name(),
                ArrayFormatter::try_new(column, &options).unwrap(),
            )
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let cells = columns.iter().filter_map(|(name, cell)| {
                let text = cell.value(row).to_string();
                (!text.is_empty()).then(|| format!("{name}={text}"))
            });
            cells.collect::<Vec<_>>().join("|") + "|"
        })
        .collect()
}
