//! A folder with two organizations, a configuration and a store, for tests of `run`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::support::{Outcome, Program, fingerprints, latest_snapshot, program};

const INGESTED: &str = "2026-11-21T00:00:00Z";
const INGESTED_DAY: &str = "2026-11-21";

pub(crate) fn demo_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/samples/demo")
        .join(name)
}

/// A folder with the demo's data as two tenants, a configuration, and a store with a key.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self::without_store();
        program([
            "normalize",
            "okta",
            "-",
            "--tenant",
            "acme",
            "--store",
            "risk",
        ])
        .inside(place.path())
        .input("")
        .succeed();
        place
    }

    pub(crate) fn without_store() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(place.path().join("drop")).unwrap();
        for tenant in ["acme", "globex"] {
            let people = format!("{tenant}.csv");
            std::fs::copy(demo_file("users.csv"), place.path().join(people)).unwrap();
            let events = format!("drop/{tenant}-1.ndjson.gz");
            std::fs::copy(demo_file("events.ndjson.gz"), place.path().join(events)).unwrap();
        }
        place.configure("");
        place.age();
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("risk")
    }

    /// Makes the input as old as it is when a night has passed.
    fn age(&self) {
        let yesterday = std::time::SystemTime::now() - std::time::Duration::from_hours(24);
        for name in [
            "acme.csv",
            "globex.csv",
            "drop/acme-1.ndjson.gz",
            "drop/globex-1.ndjson.gz",
        ] {
            let path = self.path().join(name);
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_modified(yesterday).unwrap();
        }
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// Writes the configuration: two tenants, and what a test adds in front of them.
    pub(crate) fn configure(&self, more: &str) {
        let tenants: String = ["acme", "globex"]
            .map(|tenant| {
                format!(
                    "[[tenant]]\nname = \"{tenant}\"\n[[tenant.people]]\nsource = \"hr\"\nfiles = \
                     [\"{tenant}.csv\"]\n[[tenant.okta]]\nname = \"prod\"\nfiles = \
                     [\"drop/{tenant}-*\"]\n"
                )
            })
            .concat();
        self.write(
            "attack-factor.toml",
            &format!("store = \"risk\"\n{more}\n{tenants}"),
        );
    }

    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        let mut all = vec!["run", "--ingested-at", INGESTED];
        all.extend(arguments);
        program(all).inside(self.path())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.program(arguments).run()
    }

    pub(crate) fn succeed(&self, arguments: &[&str]) -> Outcome {
        self.program(arguments).succeed()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let mut all = vec!["--format", "json"];
        all.extend(arguments);
        let outcome = self.run(&all);
        let value = serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", outcome.stdout, outcome.stderr));
        (outcome.code, value)
    }

    pub(crate) fn manifest(&self) -> Value {
        let path = latest_snapshot(&self.store()).join("manifest.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    pub(crate) fn snapshots(&self) -> Vec<(String, String)> {
        fingerprints(&self.store().join("snapshots"))
    }

    /// One step of a run, by hand.
    pub(crate) fn by_hand(&self, step: &str, tenant: &str) {
        let (people, events) = (
            format!("{tenant}.csv"),
            format!("drop/{tenant}-1.ndjson.gz"),
        );
        let arguments: Vec<&str> = match step {
            "people" => vec![
                "users",
                "import",
                &people,
                "--tenant",
                tenant,
                "--source",
                "hr",
                "--imported-at",
                INGESTED,
            ],
            "events" => vec![
                "normalize",
                "okta",
                &events,
                "--tenant",
                tenant,
                "--integration",
                "prod",
                "--ingested-at",
                INGESTED,
            ],
            "score" => vec!["score", "--as-of", INGESTED_DAY],
            other => vec![other],
        };
        // The store and the formula are the configuration's here, too.
        program(arguments).inside(self.path()).succeed();
    }

    /// A second place with the same data and the same key.
    pub(crate) fn twin(&self) -> Self {
        let twin = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        copy(self.path(), twin.path());
        twin
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
