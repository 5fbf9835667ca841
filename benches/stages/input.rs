//! One organization and the signals against it.

use std::borrow::Cow;
use std::path::Path;

use af_model::tables::attack_signals;
use af_model::{HashKey, Person, UtcMillis};
use af_store::{Metadata, Scan, table_file};
use arrow::array::RecordBatch;

/// People of the organization.
pub(crate) const PEOPLE: u64 = 20_000;
/// Signals against them.
pub(crate) const SIGNALS: u64 = 500_000;

pub(crate) fn as_of() -> UtcMillis {
    UtcMillis::parse_cut("2026-11-20").expect("a date")
}

pub(crate) fn key() -> HashKey {
    HashKey::new([7; 32])
}

/// Splitmix64: the same numbers on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

pub(crate) fn people() -> Vec<Person> {
    (0..PEOPLE)
        .map(|n| {
            let login = format!("person{n}@example.com");
            Person {
                login: Some(login.clone()),
                ..Person::new("bench", &format!("00u{n:017}"), &login)
            }
        })
        .collect()
}

/// Signals of 90 days, one person in a hundred hot, one in fifty nobody's, sorted as a partition is.
pub(crate) fn write_signals(path: &Path) {
    let mut dice = Dice::new(42);
    let mut builder = attack_signals::Builder::default();
    for n in 0..SIGNALS {
        let hot = dice.below(10) < 3;
        let person = if hot {
            dice.below(PEOPLE / 100)
        } else {
            dice.below(PEOPLE)
        };
        let email = match dice.below(50) {
            0 => format!("nobody{person}@example.net"),
            _ => format!("person{person}@example.com"),
        };
        let level = ["low", "low", "low", "medium", "medium", "high", "critical"];
        let text = Cow::Borrowed::<str>;
        builder.append(&attack_signals::Row {
            tenant_uid: text("bench"),
            signal_uid: Cow::Owned(format!("{n:032x}")),
            time: UtcMillis(as_of().0 - 1000 * i64::try_from(dice.below(7_776_000)).unwrap_or(0)),
            ingested_at: Some(as_of()),
            subject_ref: Some(Cow::Owned(format!("email:{email}"))),
            subject_uid: None,
            subject_login: None,
            subject_email: Some(Cow::Owned(email)),
            component: text(
                ["identity", "email", "malware"][usize::try_from(dice.below(3)).unwrap_or(0)],
            ),
            family: text("credential_attack"),
            level: text(level[usize::try_from(dice.below(7)).unwrap_or(0)]),
            rule_id: text("rule"),
            rule_version: None,
            incident_uid: Some(Cow::Owned(format!("i{}", n / 3))),
            event_uids: None,
            source: text("bench"),
            integration: None,
            attack_techniques: None,
        });
    }
    let table = &attack_signals::TABLE;
    let sorted = af_store::sorted_batch(&builder.finish(), table).expect("sortable");
    table_file::write(path, table, [sorted], &Metadata::new()).expect("written");
}

pub(crate) fn read(path: &Path) -> impl Iterator<Item = RecordBatch> {
    table_file::read(path, &attack_signals::TABLE, None, Scan::Dictionaries)
        .expect("readable")
        .map(|batch| batch.expect("decodable"))
}
