//! A store with one feed, and runs of its configuration.

use af_engine::config::{self, Config};
use af_engine::pipeline::RunFacts;
use af_engine::run::{self, Plan, RunJob, RunOptions, RunReport};
use af_engine::tally::AskedCut;
use af_engine::{Error, Silent};
use af_model::accounting::{EventAccount, PerTenant};
use af_model::{HashKey, UtcMillis};
use af_rules::RuleSet;
use af_store::feed::{Feed, FeedName};
use af_store::{Partitioned, Store};
use serde_json::{Value, json};

pub(crate) fn at(text: &str) -> UtcMillis {
    UtcMillis::parse(text).unwrap()
}

pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) store: Store,
    config: Config,
    rules: RuleSet,
}

impl World {
    /// `settings` stand in the `[[tenant.okta]]`, then may come other tables.
    pub(crate) fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("store")).unwrap();
        let text = format!(
            "[[credential]]\nname = \"key\"\nfrom_env = \"KEY\"\nexpires = \"2026-12-04\"\n\
             [[tenant]]\nname = \"acme\"\nown_domains = [\"acme.example\"]\n\
             [[tenant.okta]]\nname = \"prod\"\nurl = \"http://127.0.0.1:9\"\ncredential = \"key\"\n{settings}"
        );
        let (config, problems) = config::read(&folder.path().join("x.toml"), &text);
        assert_eq!(problems, []);
        Self {
            config,
            store,
            rules: RuleSet::load(af_rules::shipped().into_iter()).unwrap(),
            _folder: folder,
        }
    }

    pub(crate) fn name() -> FeedName {
        FeedName {
            tenant: "acme".to_owned(),
            integration: "prod".to_owned(),
        }
    }

    pub(crate) fn feed(&self) -> Feed {
        self.store.feed(&Self::name()).unwrap()
    }

    pub(crate) fn land(&self, number: u64, events: &[Value]) {
        let body = serde_json::to_vec(events).unwrap();
        self.feed().land("live-1", number, &body).unwrap();
    }

    pub(crate) fn inventory(&self, taken: &str, users: &[Value], administrators: &[&str]) {
        let feed = self.feed();
        let inventory = feed.begin_inventory(at(taken)).unwrap();
        let mut step = inventory.step("users").unwrap();
        for user in users {
            step.push(user.to_string().as_bytes()).unwrap();
        }
        step.close().unwrap();
        let mut step = inventory.step("user_roles").unwrap();
        for user in administrators {
            let line = json!({"user": user, "role": {"type": "SUPER_ADMIN", "status": "ACTIVE"}});
            step.push(line.to_string().as_bytes()).unwrap();
        }
        step.close().unwrap();
        inventory.finish(&()).unwrap();
    }

    fn options(now: &str, strict: bool) -> RunOptions {
        RunOptions {
            asked: AskedCut {
                as_of: None,
                known_at: None,
            },
            ingested_at: at(now),
            run: RunFacts {
                program: "test".to_owned(),
                started_at: at(now),
            },
            strict,
            reread: false,
            fail_on: None,
        }
    }

    pub(crate) fn run(&self, now: &str) -> RunReport {
        self.try_run(now, false).unwrap()
    }

    pub(crate) fn try_run(&self, now: &str, strict: bool) -> Result<RunReport, Error> {
        let lock = self.store.lock()?;
        let key = HashKey::new([7; 32]);
        let options = Self::options(now, strict);
        let job = RunJob {
            config: &self.config,
            store: &self.store,
            lock: &lock,
            key: &key,
            rules: &self.rules,
            options: &options,
        };
        run::execute(&job, &Silent)
    }

    pub(crate) fn plan(&self, now: &str) -> Plan {
        let options = Self::options(now, false);
        run::plan(&self.config, self.store.root(), &self.rules, &options).unwrap()
    }

    /// Events in the store, and the account of all that was read.
    pub(crate) fn events(&self) -> (u64, EventAccount) {
        let mut rows = 0;
        for day in self.store.days(Partitioned::Events).unwrap() {
            for path in self.store.day_files(Partitioned::Events, day).unwrap() {
                let table = Partitioned::Events.table();
                rows += af_store::TableFile::open(&path, table).unwrap().rows();
            }
        }
        let accounts: PerTenant<EventAccount> = self
            .store
            .read_state(af_engine::pipeline::EVENTS_STATE)
            .unwrap()
            .unwrap_or_default();
        (rows, accounts.get("acme").copied().unwrap_or_default())
    }

    pub(crate) fn waiting(&self) -> usize {
        self.store.waiting_pages(&Self::name()).unwrap().len()
    }
}

/// An attack on somebody.
pub(crate) fn event(id: &str) -> Value {
    json!({
        "uuid": id,
        "published": "2026-11-20T08:00:00.000Z",
        "eventType": "security.breached_credential.detected",
        "severity": "WARN",
        "actor": {"id": "00u1", "type": "User", "alternateId": "ana@acme.example"},
        "outcome": {"result": "SUCCESS"},
        "transaction": {"type": "WEB", "id": format!("tx-{id}")},
    })
}

pub(crate) fn user(id: &str, email: &str) -> Value {
    json!({"id": id, "status": "ACTIVE", "profile": {"login": email, "email": email}})
}
