//! Running the real binary in a scrubbed environment, and reading what it wrote.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use af_model::contract::Table;
use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::render::json_lines;

/// One run of `attack-factor`.
pub(crate) struct Program {
    command: Command,
    input: Option<Vec<u8>>,
}

/// What one run said and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary in an environment without any of the developer's settings.
pub(crate) fn program<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attack-factor"));
    command
        .env_clear()
        .args(arguments)
        .current_dir(std::env::temp_dir());
    Program {
        command,
        input: None,
    }
}

impl Program {
    /// Runs in this folder.
    pub(crate) fn inside(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives it a variable of the environment, which is empty otherwise.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives it standard input.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Outcome {
        use std::io::Write;
        let stdin = if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built with the tests");
        if let Some(bytes) = self.input {
            let mut stdin = child.stdin.take().expect("standard input is piped");
            // A program that refuses its arguments does not read; that is its right.
            let _ = stdin.write_all(&bytes);
        }
        let output = child.wait_with_output().expect("the run can be waited for");
        Outcome {
            code: output.status.code().expect("the run was not killed"),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Runs it and insists on success.
    pub(crate) fn succeed(self) -> Outcome {
        let outcome = self.run();
        assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
        outcome
    }
}

/// The latest snapshot of a store.
pub(crate) fn latest_snapshot(store: &Path) -> PathBuf {
    let latest = std::fs::read_to_string(store.join("snapshots/LATEST")).unwrap();
    store.join("snapshots").join(latest.trim())
}

/// All rows of one table of a snapshot, as written.
pub(crate) fn table(folder: &Path, table: &Table) -> RecordBatch {
    let path = folder.join(format!("{}.parquet", table.name));
    let file =
        std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    arrow::compute::concat_batches(&table.file_schema(), &batches).unwrap()
}

/// Every file below a folder with the checksum of its content, the manifest's run data aside.
pub(crate) fn fingerprints(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let mut bytes = std::fs::read(&path).unwrap();
            if name.ends_with("manifest.json") {
                let mut manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                manifest.as_object_mut().unwrap().remove("run");
                bytes = manifest.to_string().into_bytes();
            }
            found.push((name, blake3::hash(&bytes).to_string()));
        }
    }
    found.sort();
    found
}

/// The rows of a folder of daily tables.
pub(crate) fn rows(folder: &Path) -> Vec<serde_json::Value> {
    let mut rows = Vec::new();
    let Ok(days) = std::fs::read_dir(folder) else {
        return rows;
    };
    for day in days {
        for file in std::fs::read_dir(day.unwrap().path()).unwrap() {
            let file = std::fs::File::open(file.unwrap().path()).unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(file);
            for batch in reader.unwrap().build().unwrap() {
                let text = json_lines(&batch.unwrap());
                rows.extend(text.lines().map(|line| serde_json::from_str(line).unwrap()));
            }
        }
    }
    rows
}

/// A folder of third-party samples, or a visible skip where it is absent.
pub(crate) fn third_party_samples() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples/okta");
    if root.is_dir() {
        return Some(root);
    }
    eprintln!(
        "SKIPPED: third-party samples are not beside the project ({})",
        root.display()
    );
    None
}

/// The files below a folder whose content holds a text, Parquet files by their decoded cells.
pub(crate) fn files_holding(folder: &Path, text: &str) -> Vec<String> {
    let mut holding = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if holds(&path, text) {
                holding.push(format!("{} holds {text}", path.display()));
            }
        }
    }
    holding
}

fn holds(path: &Path, text: &str) -> bool {
    let bytes = std::fs::read(path).unwrap();
    let plain = bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes());
    if plain
        || path
            .extension()
            .is_none_or(|extension| extension != "parquet")
    {
        return plain;
    }
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file);
    reader
        .unwrap()
        .build()
        .unwrap()
        .any(|batch| json_lines(&batch.unwrap()).contains(text))
}
