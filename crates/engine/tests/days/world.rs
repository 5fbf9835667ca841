//! A store with failed sign-ins from one address, and a rule that looks two days back.

use std::collections::BTreeMap;

use af_engine::input::Input;
use af_engine::normalize::{self, NormalizeOptions};
use af_engine::{Silent, detect};
use af_model::tables::attack_signals;
use af_model::{HashKey, UtcDay, UtcMillis};
use af_rules::{RuleFile, RuleSet};
use af_store::{Partitioned, Scan, Store, WriteLock, table_file};
use serde_json::{Value, json};

pub(crate) const KEY: HashKey = HashKey::new([7; 32]);

const BASE: &str = "
title: failed sign-in
id: 00000000-0000-4000-8000-000000000001
date: 2026-11-22
logsource: {product: okta, service: okta}
detection:
  selection: {eventType: user.session.start, outcome.result: FAILURE}
  condition: selection
attack_factor: {class: base}
";

/// Three different people from one address within two days.
const SPRAY: &str = "
title: spray
id: 00000000-0000-4000-8000-000000000002
date: 2026-11-22
tags: [attack.t1110.003]
correlation:
  type: value_count
  rules: [failed]
  group-by: [client.ipAddress]
  timespan: 2d
  condition: {field: derived.subject, gte: 3}
level: high
attack_factor:
  class: attack
  component: identity
  family: credential_attack
  subject: all_in_group
";

/// A request from a bad address, before anybody said who signs in.
const THREAT: &str = "
title: threat
id: 00000000-0000-4000-8000-000000000003
date: 2026-11-22
tags: [attack.t1110.003]
logsource: {product: okta, service: okta}
detection:
  selection: {eventType: security.threat.detected}
  condition: selection
level: medium
attack_factor: {class: attack, component: identity, family: threat_infrastructure}
";

pub(crate) fn rules() -> RuleSet {
    let file = |name: &str, text: &str| RuleFile {
        path: format!("rules/{name}.yml"),
        text: text.to_owned(),
        samples: None,
    };
    let files = [
        file("failed", BASE),
        file("spray", SPRAY),
        file("threat", THREAT),
    ];
    RuleSet::load(files.into_iter()).unwrap()
}

pub(crate) fn day(of_november: u32) -> UtcDay {
    UtcDay::parse(&format!("2026-11-{of_november:02}")).unwrap()
}

pub(crate) fn instant(text: &str) -> UtcMillis {
    UtcMillis::parse(text).unwrap()
}

/// A failed sign-in of a person (by name) from the address that sprays, at noon.
pub(crate) fn failed(who: &str, of_november: u32) -> Value {
    json!({
        "uuid": format!("{who}-{of_november}"),
        "published": format!("2026-11-{of_november:02}T12:00:00.000Z"),
        "eventType": "user.session.start",
        "outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"},
        "actor": {"id": format!("00u{who}"), "type": "User",
                  "alternateId": format!("{who}@example.com"), "displayName": format!("{who} Example")},
        "client": {"ipAddress": "203.0.113.9"},
        "transaction": {"type": "WEB", "id": format!("tx-{who}-{of_november}")},
    })
}

/// A request of a transaction that names nobody.
pub(crate) fn threat(transaction: &str, of_november: u32) -> Value {
    json!({
        "uuid": format!("threat-{transaction}"),
        "published": format!("2026-11-{of_november:02}T11:59:00.000Z"),
        "eventType": "security.threat.detected",
        "outcome": {"result": "ALLOW", "reason": "Password Spray"},
        "actor": {"id": "203.0.113.9", "type": "IP address", "alternateId": "unknown",
                  "displayName": "203.0.113.9"},
        "client": {"ipAddress": "203.0.113.9"},
        "transaction": {"type": "WEB", "id": transaction},
    })
}

pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) rules: RuleSet,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("store")).unwrap();
        let lock = store.lock().unwrap();
        store.hash_key(&lock, || *KEY.as_bytes()).unwrap();
        drop(lock);
        Self {
            folder,
            store,
            rules: rules(),
        }
    }

    /// Ana on the first, Ben on the second, Cleo on the third: each day became known the day after.
    pub(crate) fn sprayed() -> Self {
        let world = Self::new();
        for (who, on) in [("ana", 1), ("ben", 2), ("cleo", 3)] {
            world.take_in(
                &[failed(who, on)],
                &format!("2026-11-{:02}T01:00:00Z", on + 1),
            );
        }
        world
    }

    pub(crate) fn lock(&self) -> WriteLock {
        self.store.lock().unwrap()
    }

    pub(crate) fn take_in(&self, events: &[Value], known: &str) {
        let path = self.folder.path().join("events.ndjson");
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        fs_err::write(&path, lines.join("\n")).unwrap();
        let options = NormalizeOptions {
            tenant: "acme".to_owned(),
            integration: None,
            ingested_at: instant(known),
            buffer_bytes: 1 << 20,
        };
        let to = (&self.store, &self.lock());
        normalize::okta(Some(to), &KEY, &[Input::File(path)], &options, &Silent).unwrap();
    }

    pub(crate) fn detect(&self) -> detect::DetectReport {
        detect::detect(&self.store, &self.lock(), &self.rules, &Silent).unwrap()
    }

    pub(crate) fn pending(&self) -> Vec<UtcDay> {
        detect::pending(&self.store, &self.rules).unwrap()
    }

    /// All signals, everything about each.
    pub(crate) fn signals(&self) -> Vec<String> {
        let mut all = Vec::new();
        for day in self.store.days(Partitioned::Signals).unwrap() {
            for path in self.store.day_files(Partitioned::Signals, day).unwrap() {
                let table = &attack_signals::TABLE;
                for batch in table_file::read(&path, table, None, Scan::File).unwrap() {
                    let batch = batch.unwrap();
                    let rows = (0..batch.num_rows()).map(|row| attack_signals::row(&batch, row));
                    all.extend(rows.map(|row| format!("{day} {row:?}")));
                }
            }
        }
        all.sort();
        all
    }

    /// By day of November, who was found and since when that is known.
    pub(crate) fn found(&self) -> BTreeMap<String, Vec<String>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for day in self.store.days(Partitioned::Signals).unwrap() {
            for path in self.store.day_files(Partitioned::Signals, day).unwrap() {
                let table = &attack_signals::TABLE;
                for batch in table_file::read(&path, table, None, Scan::File).unwrap() {
                    let batch = batch.unwrap();
                    for row in (0..batch.num_rows()).map(|row| attack_signals::row(&batch, row)) {
                        let who = row.subject_ref.as_deref().unwrap_or("uid:00u-");
                        let who = who.strip_prefix("uid:00u").unwrap();
                        let known = row.ingested_at.unwrap().day();
                        let at = found.entry(day.to_string()).or_default();
                        at.push(format!("{who} {known}"));
                    }
                }
            }
        }
        found
    }
}

/// What [`World::found`] says when it is this.
pub(crate) fn told(days: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    days.iter()
        .map(|(day, found)| {
            let found = found.iter().map(|&text| text.to_owned()).collect();
            ((*day).to_owned(), found)
        })
        .collect()
}
