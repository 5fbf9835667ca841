//! Whatever envelopes events come in, in whatever order and split into whatever files: the store holds
//! the same bytes, nothing is lost, and reading again adds nothing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::io::Write;
use std::path::Path;

use af_engine::Silent;
use af_engine::input::Input;
use af_engine::normalize::{NormalizeOptions, NormalizeReport, okta};
use af_model::{HashKey, UtcMillis};
use af_store::Store;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

const KEY: HashKey = HashKey::new([5; 32]);

/// One event: sound, or broken in one way.
#[derive(Clone, Debug)]
struct Event {
    /// Several events may share an id; then their content is the same.
    id: u8,
    broken: bool,
    placeholder: bool,
}

impl Event {
    fn json(&self) -> Value {
        let Self {
            id,
            broken,
            placeholder,
        } = self;
        let day = 1 + id % 3;
        let mut event = json!({
            "uuid": if *placeholder { "unknown".to_owned() } else { format!("e{id}") },
            "published": format!("2026-11-0{day}T08:00:{:02}.000Z", id % 60),
            "eventType": "user.session.start",
            "actor": {"id": format!("00u{}", id % 5), "type": "User", "alternateId": "a\"b\\c@example.com"},
            "debugContext": {"debugData": {"n": id.to_string(), "risk": "{level=HIGH}"}},
        });
        if *broken {
            event["published"] = json!(format!("no time {id}"));
        }
        event
    }
}

fn lines(values: impl IntoIterator<Item = Value>) -> String {
    values.into_iter().fold(String::new(), |text, value| {
        text + &value.to_string() + "\n"
    })
}

/// Events in one envelope, as one line or as several.
fn wrapped(events: &[Event], envelope: u8) -> String {
    let all: Vec<Value> = events.iter().map(Event::json).collect();
    let each = |wrap: &dyn Fn(&Value) -> Value| -> String { lines(all.iter().map(wrap)) };
    match envelope {
        0 => each(&Value::clone),
        1 => each(&|event| json!({"time": 1, "event": event})),
        2 => each(&|event| json!({"time": 1, "event": format!("{event:#}")})),
        3 => each(&|event| json!({"_raw": json!({"detail": event}).to_string()})),
        4 => each(&|event| json!({"input": {"message": event.to_string()}})),
        5 => format!(
            "{}\n",
            json!({"eventType": "com.okta.event_hook", "data": {"events": all}})
        ),
        6 => {
            format!("{}\n", json!({"message": lines(all)}))
        }
        _ => format!("{}\n", json!({"logs": all, "status_code": 200})),
    }
}

fn normalize(store: &Path, inputs: &[Input], buffer_bytes: usize) -> NormalizeReport {
    let store = Store::create_or_open(store).unwrap();
    let lock = store.lock().unwrap();
    let options = NormalizeOptions {
        tenant: "acme".to_owned(),
        integration: None,
        ingested_at: UtcMillis::parse("2026-11-20T00:00:00Z").unwrap(),
        buffer_bytes,
    };
    let report = okta(Some((&store, &lock)), &KEY, inputs, &options, &Silent).unwrap();
    let dry = okta(None, &KEY, inputs, &options, &Silent).unwrap();
    assert!(report.account.closes() && dry.account.closes());
    assert_eq!(report.account.events_read, dry.account.events_read);
    report
}

/// Every file below a folder with its content.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn compressed(text: &str, how: u8) -> Vec<u8> {
    match how {
        0 => text.as_bytes().to_vec(),
        1 => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        _ => zstd::encode_all(text.as_bytes(), 1).unwrap(),
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (
        0..40_u8,
        proptest::bool::weighted(0.1),
        proptest::bool::weighted(0.2),
    )
        .prop_map(|(id, broken, placeholder)| Event {
            id,
            broken,
            placeholder,
        });
    proptest::collection::vec(event, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_store_holds_the_same_bytes_whatever_the_files_were(
        events in events(),
        order in any::<u64>(),
        envelopes in proptest::collection::vec((0..8_u8, 1..6_usize), 1..20),
        cuts in proptest::collection::vec(any::<Index>(), 0..3),
        compression in 0..3_u8,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let bare = folder.path().join("bare.ndjson");
        std::fs::write(&bare, wrapped(&events, 0)).unwrap();
        let expected = normalize(&folder.path().join("one"), &[Input::File(bare)], 1 << 20);
        let stored = contents(&folder.path().join("one/events"));

        // The same events in another order, in envelopes, in several files, with a buffer that is
        // always full.
        let mut shuffled = events;
        shuffled.sort_by_key(|event| blake3::hash(format!("{order}{event:?}").as_bytes()).to_string());
        let n = shuffled.len();
        let mut texts: Vec<String> = Vec::new();
        let mut rest = shuffled.as_slice();
        for (envelope, length) in envelopes.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (some, others) = rest.split_at(length.min(rest.len()));
            texts.push(wrapped(some, envelope));
            rest = others;
        }
        let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut.index(texts.len() + 1)).collect();
        bounds.extend([0, texts.len()]);
        bounds.sort_unstable();
        let inputs: Vec<Input> = bounds
            .windows(2)
            .enumerate()
            .map(|(number, bounds)| {
                let path = folder.path().join(format!("part{number}"));
                let text = texts[bounds[0]..bounds[1]].concat();
                std::fs::write(&path, compressed(&text, compression)).unwrap();
                Input::File(path)
            })
            .collect();
        let other = folder.path().join("other");
        let report = normalize(&other, &inputs, 0);
        prop_assert_eq!(report.account, expected.account);
        prop_assert_eq!(report.account.events_read, n as u64);
        prop_assert_eq!(&report.reasons, &expected.reasons);
        prop_assert_eq!(&contents(&other.join("events")), &stored);

        // Reading everything again, and the bare file after it, adds nothing.
        let quarantine = contents(&other.join("quarantine"));
        let mut again = inputs;
        again.push(Input::File(folder.path().join("bare.ndjson")));
        let report = normalize(&other, &again, 1 << 20);
        prop_assert_eq!(report.account.duplicate, 2 * n as u64);
        prop_assert_eq!(report.account.events_read, 2 * n as u64);
        prop_assert_eq!(&contents(&other.join("events")), &stored);
        prop_assert_eq!(contents(&other.join("quarantine")), quarantine);
    }
}

#[test]
fn more_refused_events_than_may_wait_are_all_filed_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rubbish.ndjson");
    let n = 300_000_u64;
    // Every line twice: half of them are duplicates.
    let text = lines((0..n).map(|line| json!({"n": line / 2})));
    std::fs::write(&path, text).unwrap();
    let store = folder.path().join("store");
    let report = normalize(&store, &[Input::File(path.clone())], 1 << 20);
    let account = report.account;
    assert_eq!((account.events_read, account.quarantined), (n, n / 2));
    assert_eq!(
        (account.duplicate, report.reasons["missing_uuid"]),
        (n / 2, n / 2)
    );
    assert_eq!((report.examples.len(), report.examples[1].line), (5, 3));
    let again = normalize(&store, &[Input::File(path)], 1 << 20).account;
    assert_eq!((again.duplicate, again.quarantined), (n, 0));
}

#[test]
fn one_event_over_and_over_is_one_event() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("same.ndjson");
    let event = Event {
        id: 1,
        broken: false,
        placeholder: false,
    };
    std::fs::write(&path, wrapped(&vec![event; 20_000], 0)).unwrap();
    let account = normalize(&folder.path().join("store"), &[Input::File(path)], 1 << 20).account;
    assert_eq!((account.normalized, account.duplicate), (1, 19_999));
}

#[test]
fn events_of_thousands_of_days_are_parted_by_day() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("days.ndjson");
    let last = UtcMillis::parse("2026-11-01T00:00:00Z").unwrap().0;
    let text = lines((0..300).map(|n| {
        let time = UtcMillis(last - n * 86_400_000).to_string();
        json!({"uuid": format!("e{n}"), "published": time, "eventType": "user.session.start"})
    }));
    std::fs::write(&path, text).unwrap();
    let store = folder.path().join("store");
    let report = normalize(&store, &[Input::File(path)], 0);
    assert_eq!((report.account.normalized, report.days.len()), (300, 300));
    assert_eq!(contents(&store.join("events")).len(), 300);
}
