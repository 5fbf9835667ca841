//! A simulated org, a configuration that points to it, and a store.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use af_model::UtcMillis;
use af_okta_sim::{Lateness, Sim, SimOptions};
use af_store::Store;
use serde_json::Value;

use crate::place::demo_file;
use crate::support::{Outcome, Program, fingerprints, latest_snapshot, program};

/// The clock of the org stands when even its latest event can be seen.
pub(crate) const NOW: &str = "2026-11-21T03:00:00Z";
/// What `run` is told about when things became known.
pub(crate) const INGESTED: &str = "2026-11-21T03:30:00Z";

pub(crate) const TOKEN: &str = "00token-that-must-never-be-seen";

pub(crate) fn now() -> i64 {
    UtcMillis::parse(NOW).unwrap().0
}

/// Some days of somebody's work: users and events, as Okta answers.
pub(crate) struct Days {
    pub(crate) users: Vec<Value>,
    pub(crate) events: Vec<Value>,
}

impl Days {
    /// The demo's people and every `share`-th of its events, so that a test is quick.
    pub(crate) fn demo(share: usize) -> Self {
        let packed = std::fs::read(demo_file("events.ndjson.gz")).unwrap();
        let mut text = String::new();
        let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
        std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
        let events = text.lines().step_by(share);
        let events = events
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let people = std::fs::read_to_string(demo_file("users.csv")).unwrap();
        let users = people.lines().skip(1).map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            serde_json::json!({
                "id": cells[0],
                "status": cells[5],
                "created": "2022-01-01T00:00:00.000Z",
                "profile": {"login": cells[1], "email": cells[2], "displayName": cells[4], "department": cells[7]},
            })
        });
        Self {
            users: users.collect(),
            events,
        }
    }

    /// Events, those that come twice counted once.
    pub(crate) fn distinct(&self) -> usize {
        let ids = self.events.iter().map(|event| event["uuid"].as_str());
        ids.collect::<std::collections::BTreeSet<_>>().len()
    }

    fn lines(values: &[Value]) -> Vec<u8> {
        let lines = values.iter().map(|value| format!("{value}\n"));
        lines.collect::<String>().into_bytes()
    }

    pub(crate) fn options(&self) -> SimOptions {
        SimOptions {
            api_token: Some(TOKEN.to_owned()),
            lateness: Lateness::default(),
            ..SimOptions::given(Self::lines(&self.users), Self::lines(&self.events), now())
        }
    }
}

/// A simulated org and a folder with a configuration of it.
pub(crate) struct Org {
    pub(crate) sim: Sim,
    pub(crate) place: Folder,
}

impl Org {
    pub(crate) fn of(days: &Days) -> Self {
        Self::start(days.options())
    }

    pub(crate) fn start(options: SimOptions) -> Self {
        let sim = Sim::start_blocking(options).unwrap();
        let place = Folder::new(sim.url(), "");
        Self { sim, place }
    }
}

/// A folder with `attack-factor.toml`, and a store in it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// `more` goes into `[[tenant.okta]]`.
    pub(crate) fn new(url: &str, more: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        // Equal keys, so that equal input gives equal bytes.
        let store = Store::create_or_open(&folder.store()).unwrap();
        let lock = store.lock().unwrap();
        store.hash_key(&lock, || [7; 32]).unwrap();
        drop(lock);
        folder.configure(&format!(
            "[[credential]]\nname = \"key\"\nauth = \"api_token\"\nfrom_env = \"OKTA_TOKEN\"\n\n\
             [[tenant]]\nname = \"acme\"\n[[tenant.okta]]\nname = \"prod\"\nurl = \"{url}\"\n\
             credential = \"key\"\n{more}\n"
        ));
        folder
    }

    pub(crate) fn configure(&self, text: &str) {
        let text = format!("store = \"risk\"\n{text}");
        std::fs::write(self.path().join("attack-factor.toml"), text).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("risk")
    }

    pub(crate) fn program(&self, line: &str) -> Program {
        program(line.split_whitespace())
            .inside(self.path())
            .env("OKTA_TOKEN", TOKEN)
    }

    pub(crate) fn succeed(&self, line: &str) -> Outcome {
        self.program(line).succeed()
    }

    pub(crate) fn json(&self, line: &str) -> (Outcome, Value) {
        let outcome = self.program(&format!("{line} --format json")).run();
        let value = serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", outcome.stdout, outcome.stderr));
        (outcome, value)
    }

    /// What `okta status` says about the one integration, and the log's part of it.
    pub(crate) fn status(&self) -> (Value, Value) {
        let (_, mut rows) = self.json("okta status");
        let row = rows[0].take();
        let log = row["status"]["log"].clone();
        (row, log)
    }

    /// A process that a test may kill.
    pub(crate) fn spawn(&self, line: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_attack-factor"))
            .env_clear()
            .env("OKTA_TOKEN", TOKEN)
            .args(line.split_whitespace())
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Fetches nothing, does everything else.
    pub(crate) fn take_in(&self) -> Program {
        self.program(&format!("run --offline --ingested-at {INGESTED}"))
    }

    /// The same, and makes one file of every day.
    pub(crate) fn settle(&self) {
        self.take_in().succeed();
        self.succeed("compact --store risk");
    }

    pub(crate) fn manifest(&self) -> Value {
        let path = latest_snapshot(&self.store()).join("manifest.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// What the store has of data, and the figures of its latest snapshot: everything but locks, keys,
    /// what was fetched on the way, how often it was read, and what was published before.
    pub(crate) fn content(&self) -> Vec<(String, String)> {
        let mut files = fingerprints(&self.store());
        files.retain(|(name, _)| {
            ["events/", "signals/", "quarantine/", "directory/"]
                .iter()
                .any(|kept| name.starts_with(kept))
        });
        let tables = fingerprints(&latest_snapshot(&self.store())).into_iter();
        let tables = tables.filter(|(name, _)| name != "manifest.json");
        files.extend(tables.map(|(name, sum)| (format!("latest/{name}"), sum)));
        let mut manifest = self.manifest();
        let parts = manifest.as_object_mut().unwrap();
        // Who computed it, and after how many others.
        for part in ["run", "revision", "supersedes"] {
            parts.remove(part);
        }
        files.push(("latest/manifest.json".to_owned(), manifest.to_string()));
        files
    }
}
