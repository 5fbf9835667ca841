//! A small organization in a store: people, two directory versions, events in which they are named
//! in every way, foreign signals, retractions and two snapshots.

use std::path::PathBuf;
use std::sync::LazyLock;

use af_directory::ImportOptions;
use af_engine::input::Input;
use af_engine::normalize::{self, NormalizeOptions, NormalizeReport};
use af_engine::people;
use af_engine::pipeline::{RunFacts, ScoreReport, StoreJob, score_store};
use af_engine::tally::AskedCut;
use af_engine::{Progress, Silent};
use af_model::tables::{attack_signals, retractions};
use af_model::{HashKey, Params, UtcDay, UtcMillis};
use af_rules::RuleSet;
use af_store::{Partitioned, Store, WriteLock};
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) const KEY: HashKey = HashKey::new([7; 32]);
pub(crate) const PEOPLE: usize = 13;

pub(crate) fn instant(text: &str) -> UtcMillis {
    UtcMillis::parse(text).unwrap()
}

pub(crate) fn day(text: &str) -> UtcDay {
    UtcDay::parse(text).unwrap()
}

/// The n-th person. Every text is theirs alone, and none is part of another's.
pub(crate) struct Somebody {
    pub(crate) uid: String,
    pub(crate) login: String,
    pub(crate) email: String,
    pub(crate) alias: String,
    pub(crate) name: String,
}

pub(crate) fn somebody(n: usize) -> Somebody {
    let letter = char::from(b'a' + u8::try_from(n).unwrap());
    Somebody {
        uid: format!("00u{letter}{letter}7{letter}"),
        login: format!("{letter}.login@example.com"),
        email: format!("{letter}.mail@corp.example"),
        alias: format!("{letter}.alias@old.example"),
        name: format!("Given{letter} Family{letter}"),
    }
}

impl Somebody {
    /// What must be nowhere once they are erased.
    pub(crate) fn traces(&self) -> Vec<String> {
        [&self.uid, &self.login, &self.email, &self.alias, &self.name]
            .into_iter()
            .flat_map(|text| {
                let text = text.to_lowercase();
                [text.replace('@', "%40"), text.replace('@', "\\u0040"), text]
            })
            .collect()
    }

    pub(crate) fn hashes(&self) -> Vec<String> {
        [&self.uid, &self.login, &self.email, &self.alias]
            .map(|text| KEY.identifier("acme", text).to_string())
            .to_vec()
    }

    fn principal(&self) -> Value {
        json!({"id": self.uid, "type": "User", "alternateId": self.login, "displayName": self.name})
    }
}

/// Days of November with events.
const DAYS: [u32; 4] = [1, 2, 8, 11];

/// One event: kind, who, about whom else, on which day of November.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) kind: u8,
    pub(crate) who: usize,
    pub(crate) other: usize,
    pub(crate) day: u32,
}

pub(crate) fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let plan =
        (0..7_u8, 0..PEOPLE, 0..PEOPLE, 0..3_usize).prop_map(|(kind, who, other, day)| Plan {
            kind,
            who,
            other,
            day: DAYS[day],
        });
    prop::collection::vec(plan, 1..60)
}

/// Every kind with everybody, for tests that are no property.
pub(crate) fn everything() -> Vec<Plan> {
    (0..91)
        .map(|n| Plan {
            kind: u8::try_from(n % 7).unwrap(),
            who: n % PEOPLE,
            other: (n * 5 + 1) % PEOPLE,
            day: DAYS[n % DAYS.len()],
        })
        .collect()
}

pub(crate) fn event(id: &str, plan: Plan) -> Value {
    let (who, other) = (somebody(plan.who), somebody(plan.other));
    let mut event = json!({
        "uuid": id,
        "published": format!("2026-11-{:02}T08:00:00.000Z", plan.day),
        "eventType": "user.session.start",
        "severity": "INFO",
        "displayMessage": "User login to Okta",
        "actor": who.principal(),
        "client": {"ipAddress": "192.0.2.7"},
        "outcome": {"result": "SUCCESS"},
        "target": [],
        "transaction": {"type": "WEB", "id": format!("tx-{id}")},
        "debugContext": {"debugData": {"requestUri": "/api/v1/authn"}},
    });
    match plan.kind {
        0 => event["eventType"] = json!("security.breached_credential.detected"),
        1 => {
            // Typed by nobody known.
            event["actor"] =
                json!({"id": "unknown", "type": "User", "alternateId": who.login.to_uppercase()});
            event["outcome"] = json!({"result": "FAILURE", "reason": "VERIFICATION_ERROR"});
        }
        2 => {
            event["eventType"] = json!("user.account.privilege.grant");
            event["target"] = json!([other.principal()]);
            event["displayMessage"] = json!(format!("{} granted to {}", who.name, other.email));
        }
        3 => {
            event["debugContext"]["debugData"] = json!({
                "url": format!("/user?login={}&x=1", other.login.replace('@', "%40")),
                "note": format!(r#"{{"mail":"{}"}}"#, other.email.replace('@', "\\u0040")),
            });
        }
        4 => {
            event["eventType"] = json!("user.risk.detect");
            event["actor"] = json!({"id": "okta.1", "type": "SystemPrincipal", "alternateId": "system@okta.com"});
            event["target"] = json!([who.principal()]);
            event["debugContext"]["debugData"] = json!({
                "risk": "{level=HIGH, reasons=Anomalous Device}",
                "detectionName": "Okta Threat Intelligence",
            });
        }
        5 => {
            event["eventType"] = json!("application.user_membership.add");
            // An account in an application shows the application's name, not the person's.
            let account = json!({
                "id": "0ua1", "type": "AppUser", "alternateId": other.alias, "displayName": "Payroll Tool",
            });
            let application = json!({
                "id": "0oa1", "type": "AppInstance", "alternateId": "Payroll", "displayName": "Payroll Tool",
            });
            event["target"] = json!([account, application]);
        }
        _ => {}
    }
    event
}

pub(crate) fn shipped() -> RuleSet {
    RuleSet::load(af_rules::shipped().into_iter()).unwrap()
}

static SHIPPED: LazyLock<RuleSet> = LazyLock::new(shipped);

/// A store and the folder it lies in.
pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) root: PathBuf,
    pub(crate) store: Store,
    pub(crate) rules: &'static RuleSet,
}

impl World {
    /// An empty store with its key.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        let store = Store::create_or_open(&root).unwrap();
        store
            .hash_key(&store.lock().unwrap(), || *KEY.as_bytes())
            .unwrap();
        Self {
            _folder: folder,
            root,
            store,
            rules: &SHIPPED,
        }
    }

    /// Everything: events, people twice, foreign signals, retractions, two snapshots.
    pub(crate) fn of(plans: &[Plan]) -> Self {
        let world = Self::empty();
        world.import(false, "2026-11-01T00:00:00Z");
        world.normalize(plans, "e", "2026-11-13T00:00:00Z");
        world.foreign("gateway", 2, &[1, 4, 4, 9]);
        world.retract();
        world.score("2026-11-12T23:59:59.999Z");
        world.import(true, "2026-11-14T00:00:00Z");
        world.score("2026-11-14T23:59:59.999Z");
        world
    }

    /// The same store in another folder.
    pub(crate) fn copy(&self) -> Self {
        let world = Self::empty();
        super::look::copy_folder(&self.root, &world.root);
        world
    }

    pub(crate) fn lock(&self) -> WriteLock {
        self.store.lock().unwrap()
    }

    pub(crate) fn normalize(&self, plans: &[Plan], prefix: &str, at: &str) -> NormalizeReport {
        let events = plans.iter().enumerate();
        let lines: Vec<String> = events
            .map(|(n, plan)| event(&format!("{prefix}{n}"), *plan).to_string())
            .collect();
        self.normalize_lines(&lines, at)
    }

    pub(crate) fn normalize_lines(&self, lines: &[String], at: &str) -> NormalizeReport {
        let file = self.root.with_file_name("events.ndjson");
        fs_err::write(&file, lines.join("\n")).unwrap();
        let options = NormalizeOptions {
            tenant: "acme".to_owned(),
            integration: None,
            ingested_at: instant(at),
            buffer_bytes: 1 << 20,
        };
        let lock = self.lock();
        let inputs = [Input::File(file)];
        normalize::okta(Some((&self.store, &lock)), &KEY, &inputs, &options, &Silent).unwrap()
    }

    /// All people, everybody managed by their predecessor; `moved` lets one change department.
    pub(crate) fn import(&self, moved: bool, at: &str) -> people::ImportReport {
        let mut csv = "id,login,email,aliases,display_name,department,manager\n".to_owned();
        for n in 0..PEOPLE {
            let who = somebody(n);
            let manager = somebody(n / 6);
            let is_in_sales = n % 2 == 0 || (moved && n == 3);
            let department = if is_in_sales { "Sales" } else { "IT" };
            let manager = if n % 3 == 0 {
                manager.email
            } else {
                manager.uid
            };
            let keys = [who.uid, who.login, who.email, who.alias, who.name].join(",");
            csv += &[keys.as_str(), department, manager.as_str()].join(",");
            csv.push('\n');
        }
        self.import_csv(&csv, at)
    }

    pub(crate) fn import_csv(&self, csv: &str, at: &str) -> people::ImportReport {
        let file = self.root.with_file_name("people.csv");
        fs_err::write(&file, csv).unwrap();
        let options = ImportOptions {
            tenant: Some("acme".to_owned()),
            source: "hr".to_owned(),
            imported_at: Some(instant(at)),
            map: Vec::new(),
        };
        let lock = self.lock();
        people::import(Some((&self.store, &lock)), &file, &options).unwrap()
    }

    /// Signals of another program, for these people, one file.
    pub(crate) fn foreign(&self, name: &str, day_of_month: u32, people: &[usize]) {
        let mut rows = Vec::new();
        for (n, &who) in people.iter().enumerate() {
            let email = somebody(who).email;
            rows.push(attack_signals::Row {
                tenant_uid: "acme".into(),
                signal_uid: format!("{name}-{n}").into(),
                time: instant(&format!("2026-11-{day_of_month:02}T09:00:00Z")),
                ingested_at: None,
                subject_ref: Some(format!("email:{email}").into()),
                subject_uid: None,
                subject_login: None,
                subject_email: Some(email.into()),
                component: "email".into(),
                family: "phishing".into(),
                level: "medium".into(),
                rule_id: "gateway".into(),
                rule_version: None,
                incident_uid: None,
                event_uids: None,
                source: "gateway".into(),
                integration: None,
                attack_techniques: None,
            });
        }
        let batch = attack_signals::batch(&rows);
        let sorted = af_store::sorted_batch(&batch, &attack_signals::TABLE).unwrap();
        let day = day(&format!("2026-11-{day_of_month:02}"));
        self.store
            .add_day_file(&self.lock(), Partitioned::Signals, day, name, [sorted])
            .unwrap();
    }

    /// A retraction of everybody's first event and of a foreign signal, by the first person.
    fn retract(&self) {
        let target = |kind: &str, uid: &str| retractions::Row {
            tenant_uid: "acme".to_owned(),
            target_kind: kind.to_owned(),
            target_uid: uid.to_owned(),
            action: "retract".to_owned(),
            ingested_at: instant("2026-11-13T12:00:00Z"),
            reason: Some(format!("a test of {}", somebody(1).email)),
            by: Some(somebody(0).login),
        };
        let rows = [
            target("event", "e0"),
            target("event", "e7"),
            target("signal", "gateway-0"),
            target("signal", "not-there"),
        ];
        self.store
            .add_retractions(&self.lock(), [retractions::batch(&rows)])
            .unwrap();
    }

    pub(crate) fn score(&self, as_of: &str) -> ScoreReport {
        self.score_with(self.rules, as_of)
    }

    pub(crate) fn score_with(&self, rules: &RuleSet, as_of: &str) -> ScoreReport {
        self.score_at(rules, as_of, "2026-11-15T00:00:00Z")
    }

    pub(crate) fn score_at(&self, rules: &RuleSet, as_of: &str, known_at: &str) -> ScoreReport {
        let lock = self.lock();
        let job = StoreJob {
            store: &self.store,
            lock: &lock,
            key: &KEY,
            rules,
        };
        let asked = AskedCut {
            as_of: Some(instant(as_of)),
            known_at: Some(instant(known_at)),
        };
        let run = RunFacts {
            program: "test".to_owned(),
            started_at: instant("2026-11-15T00:00:00Z"),
        };
        score_store(&job, &Params::default(), asked, &run, &Silent).unwrap()
    }
}

/// Dies at the n-th thing it is told.
pub(crate) struct Mortal(pub(crate) std::sync::atomic::AtomicUsize);

impl Mortal {
    pub(crate) fn after(told: usize) -> Self {
        Self(told.into())
    }

    fn live_or_die(&self) {
        let left = self.0.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        assert!(left > 0 && left < usize::MAX / 2, "killed here");
    }
}

impl Progress for Mortal {
    fn begin(&self, _: &str, _: Option<u64>) {
        self.live_or_die();
    }

    fn advance(&self, _: u64) {
        self.live_or_die();
    }

    fn end(&self) {
        self.live_or_die();
    }
}
