//! What each fuzz target does with its bytes, and what must hold for any bytes at all.
//!
//! The library of the fuzz crate, and a module of the engine's property tests.

use std::fmt::Write as _;
use std::path::Path;

use af_engine::input::Splitter;
use af_model::tables::identity_events;
use af_model::{HashKey, UtcMillis};
use af_okta::{Normalizer, RejectReason, inventory};
use af_rules::{RuleFile, RuleSet};

const KEY: HashKey = HashKey::new([7; 32]);

fn normalizer() -> Normalizer<'static> {
    // 2026-11-20T00:00:00Z
    Normalizer::new("acme", None, UtcMillis(1_795_132_800_000), &KEY)
}

/// What becomes of a piece of input: each event as a row or a reject.
fn outcomes(bytes: &[u8]) -> Vec<Result<String, RejectReason>> {
    let mut outcomes = Vec::new();
    let mut rows = identity_events::Builder::default();
    normalizer().events(bytes, |found| {
        assert!(
            found.offset <= bytes.len(),
            "an event starts inside its piece"
        );
        outcomes.push(match &found.outcome {
            Ok(row) => {
                rows.append(row);
                Ok(format!("{row:?}"))
            }
            Err(reject) => Err(reject.reason),
        });
    });
    // Whatever was read fits the table and comes back as it went in.
    let batch = rows.finish();
    for (place, row) in outcomes.iter().flatten().enumerate() {
        assert_eq!(&format!("{:?}", identity_events::row(&batch, place)), row);
    }
    outcomes
}

/// One piece of input that should be an event, in whatever envelope.
pub fn event_json(bytes: &[u8]) {
    let first = outcomes(bytes);
    assert_eq!(first, outcomes(bytes), "the same piece, the same rows");
    let _ = inventory::people("acme", bytes, None, None);
    if let ([Ok(row)], Ok(text)) = (first.as_slice(), std::str::from_utf8(bytes)) {
        // Around an event an envelope changes nothing: as a text, and a text in a text.
        let text = serde_json::Value::from(text.trim_start_matches('\u{feff}'));
        let raw = format!("{{\"_raw\":{text},\"_time\":1}}");
        let nested = format!("{{\"message\":{}}}", serde_json::Value::from(raw.as_str()));
        for envelope in [raw, nested] {
            match outcomes(envelope.as_bytes()).as_slice() {
                [Ok(inside)] => assert_eq!(inside, row),
                // It may have stood in as many envelopes as may be.
                [Err(RejectReason::TooDeep)] => {}
                other => panic!("an event was lost in its envelope: {other:?}"),
            }
        }
    }
}

/// A whole input: cut into pieces, each of which is read.
pub fn input_stream(bytes: &[u8]) {
    let mut splitter = Splitter::new(bytes);
    let mut covered = 0;
    while let Some(chunk) = splitter.next_chunk() {
        for piece in &chunk.pieces {
            let from = usize::try_from(piece.byte_offset).expect("it is a place in the bytes");
            let text = chunk.text(piece);
            assert!(from >= covered, "pieces follow each other");
            assert_eq!(&bytes[from..from + text.len()], text);
            let lines = bytes[..from].split(|&byte| byte == b'\n').count();
            assert_eq!(piece.line, lines as u64, "a piece knows its line");
            covered = from + text.len();
            outcomes(text);
        }
    }
}

/// A rule file.
pub fn rule_yaml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let file = RuleFile {
        path: "fuzzed.yml".to_owned(),
        text: text.to_owned(),
        samples: Some(text.to_owned()),
    };
    match RuleSet::load([file].into_iter()) {
        Ok(rules) => assert_eq!(rules.rules().len(), 1),
        Err(problems) => {
            assert!(!problems.is_empty(), "a refused rule says why");
            let mut said = String::new();
            for problem in problems {
                write!(said, "{problem}").expect("a string takes any text");
            }
        }
    }
}

/// A people file, whatever its format.
pub fn people_file(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for the file");
    let path = folder.path().join("people");
    std::fs::write(&path, bytes).expect("the file can be written");
    let options = af_directory::ImportOptions {
        tenant: Some("acme".to_owned()),
        source: "hr".to_owned(),
        ..af_directory::ImportOptions::default()
    };
    match af_directory::import(&path, &options) {
        Ok(imported) => {
            assert!(imported.closes(), "every row is accounted for");
            for pair in imported.people.windows(2) {
                let id = |person: &af_model::Person| {
                    (person.tenant_uid.clone(), person.user_uid.clone())
                };
                assert!(id(&pair[0]) < id(&pair[1]), "people are sorted and unique");
            }
        }
        Err(error) => assert!(!error.to_string().contains('\u{1b}')),
    }
}

/// A configuration file.
pub fn config_toml(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = af_engine::config::read(Path::new("attack-factor.toml"), text);
    }
}
