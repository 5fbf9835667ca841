//! What a record says is what its row said, wherever it waited; and what is none is found out.

use af_model::tables::attack_signals;
use af_model::{HexHash, UtcMillis};

use super::*;
use crate::columns::Columns;
use crate::context::Context;
use crate::counter::Cut;
use crate::ledger::Ledger;
use crate::part::Part;
use crate::people::PeopleIndex;
use crate::retractions::Retractions;
use crate::testing::{KEY, at, person, signal};

type Signal = attack_signals::Row<'static>;

/// Signals with all kinds of texts, present and absent, equal and different.
fn signals() -> Vec<Signal> {
    let long = "é".repeat(20_000);
    let references = [
        None,
        Some("uid:u1"),
        Some("login:k"),
        Some("email:"),
        Some("h:0123456789abcdef0123456789abcdef"),
        Some("k"),
        Some(""),
    ];
    let names = [None, Some(""), Some("u1"), Some("k")];
    let emails = [None, Some("Ana@acme.example"), Some("k"), Some(&*long)];
    let mut signals = Vec::new();
    for subject_ref in references {
        for uid in names {
            for login in names {
                for email in emails {
                    let number = signals.len();
                    let text = |text: Option<&str>| text.map(|text| text.to_owned().into());
                    let events = ["e1", "", &long];
                    let mut signal = signal(&format!("s{number}é"), "");
                    signal.time = UtcMillis(signal.time.0 + i64::try_from(number).unwrap());
                    signal.ingested_at = (number % 3 == 0).then_some(signal.time);
                    signal.subject_ref = text(subject_ref);
                    signal.subject_uid = text(uid);
                    signal.subject_login = text(login);
                    signal.subject_email = text(email);
                    signal.rule_id = format!("r{}", number % 5).into();
                    signal.incident_uid = text(names[number % 4]);
                    signal.event_uids = (number % 7 > 0).then(|| {
                        let events = events.iter().take(number % 7 - 1);
                        events.map(|event| (*event).to_owned().into()).collect()
                    });
                    signals.push(signal);
                }
            }
        }
    }
    signals
}

fn part(signals: &[Signal]) -> Part {
    let people = PeopleIndex::new(
        vec![person("u1", "ana@acme.example"), person("u2", "k")],
        &KEY,
    );
    let retractions = Retractions::default();
    let cut = Cut {
        as_of: at("2026-11-20"),
        known_at: at("2026-11-20"),
    };
    let context = Context::new(&people, &retractions, cut, &KEY);
    let columns = Columns::read(&attack_signals::batch(signals), true).unwrap();
    Ledger::default().adopt(context.decode(columns))
}

fn records(part: &Part) -> Records {
    let mut records = Records::default();
    for row in &part.rows {
        let view = View { part, row };
        records.push(view, whom(view));
    }
    records
}

/// What a signal is asked.
fn said(view: View<'_>) -> impl PartialEq + std::fmt::Debug {
    let row = view.row;
    // Of somebody's signal nobody asks for a hash.
    let hash = || view.keyed_hash();
    let whom = whom(view);
    let hash: Option<HexHash> = whom.person().err().and_then(|_| hash());
    (
        (
            row.time,
            row.ingested_at,
            row.key_hash,
            row.tenant,
            row.kind,
        ),
        (view.signal_uid(), view.incident_cell(), view.event_uids()),
        (whom, hash, view.subject_hash()),
    )
}

fn whom(view: View<'_>) -> Resolution {
    let whom = view.whom();
    whom.expect("nobody of these is called something for a time")
}

#[test]
fn a_record_says_what_its_row_said() {
    let signals = signals();
    let part = part(&signals);
    assert_eq!(part.rows.len(), signals.len());
    let records = records(&part);
    let (mut behind, mut settled) = (Part::of_records(), Part::of_records());
    for (record, row) in records.each().zip(&part.rows) {
        let (rows, tails) = behind.open().unwrap();
        rows.push(tails.add(&record.unwrap()));
        let view = View { part: &part, row };
        let (rows, tails) = settled.open().unwrap();
        rows.push(tails.settle(view, whom(view)));
    }
    assert_eq!(behind.rows.len(), signals.len());
    for number in 0..signals.len() {
        let [of_row, of_record, settled] = [&part, &behind, &settled].map(|part| View {
            part,
            row: &part.rows[number],
        });
        assert_eq!(said(of_record), said(of_row));
        assert_eq!(said(settled), said(of_row));
    }
    let views = part.rows.iter().map(|row| View { part: &part, row });
    let resolutions: Vec<Resolution> = views.map(whom).collect();
    for wanted in [
        Resolution::NoKey,
        Resolution::NoMatch,
        Resolution::Person(1),
    ] {
        assert!(
            resolutions.contains(&wanted),
            "{wanted:?} is among the cases"
        );
    }
}

#[test]
fn what_was_written_is_read_piece_by_piece() {
    let part = part(&signals()[..60]);
    let all = records(&part);
    let few = {
        let mut few = Records::default();
        few.push(
            View {
                part: &part,
                row: &part.rows[3],
            },
            Resolution::NoKey,
        );
        few
    };
    let mut written = Vec::new();
    for records in [&all, &Records::default(), &few] {
        records.write(&mut written).unwrap();
    }
    let mut from = written.as_slice();
    let mut read = Records::default();
    for records in [&all, &Records::default(), &few] {
        assert!(read.read(&mut from).unwrap());
        assert_eq!(read, *records);
    }
    assert!(!read.read(&mut from).unwrap());
    let mut both = all.room_for(2);
    assert!(both.has_room_for(&all));
    both.append(&all);
    both.append(&few);
    assert_eq!((both.rows(), both.bytes()), (61, all.bytes() + few.bytes()));
    assert_eq!(both.each().flatten().count(), 61);
    assert!(!both.room_for(1).room_for(1).has_room_for(&few));
    both.clear();
    assert_eq!(both, Records::default());
}

#[test]
fn what_ends_early_is_no_record() {
    let part = part(&signals()[40..44]);
    let records = records(&part);
    let mut written = Vec::new();
    records.write(&mut written).unwrap();
    for end in 1..written.len() {
        let read = Records::default().read(&mut &written[..end]);
        assert!(read.is_err(), "{end} of {} bytes", written.len());
    }
    let changed = |change: fn(&mut Records)| {
        let mut changed = records.clone();
        change(&mut changed);
        changed
    };
    for changed in [
        changed(|records| records.figures.truncate(records.figures.len() - 1)),
        changed(|records| records.figures.push(0)),
        changed(|records| records.figures.clear()),
        changed(|records| records.texts.clear()),
        changed(|records| records.texts.push('a')),
        changed(|records| records.rows -= 1),
        changed(|records| records.rows += 1),
    ] {
        assert!(changed.each().any(|record| record.is_none()));
    }
    assert!(records.each().all(|record| record.is_some()));
}
