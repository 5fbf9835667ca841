//! The bodies of the fuzz targets on arbitrary bytes and on valid documents with something broken.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

#[expect(unreachable_pub, reason = "it is the fuzz crate's library too")]
#[path = "../../../fuzz/bodies.rs"]
mod bodies;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The content of all files of a folder with one of these endings, in the order of their names.
fn files(folder: &str, endings: &[&str]) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            endings
                .iter()
                .any(|end| path.to_string_lossy().ends_with(end))
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder}");
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

static STREAMS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| files("tests/fixtures/inputs", &[".json", ".ndjson"]));
static EVENTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let streams = files("tests/fixtures/inputs", &[".ndjson"]);
    let lines = |text: &Vec<u8>| {
        text.split(|&byte| byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    };
    streams
        .iter()
        .flat_map(|text| -> Vec<Vec<u8>> { lines(text) })
        .collect()
});
static RULES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| files("data/rules/okta", &[".yml"]));
static PEOPLE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut people = files("data/samples/demo", &[".csv"]);
    people.push(
        br#"[{"id":"00u1","profile":{"login":"a@example.com"}},{"email":"b@example.com"}]"#
            .to_vec(),
    );
    people.push(
        b"{\"email\":\"a@example.com\",\"aliases\":[\"b@example.com\"]}\n{\"email\":null}\n"
            .to_vec(),
    );
    people.push("mail;Full Name;created\n\"a@example.com\";\"A\nB\";2026-01-01\n".into());
    people
});

static CONFIGURATIONS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    vec![b"[store]\npath = \"risk\"\n\n[[tenants]]\nname = \"acme\"\nevents = [\"logs/*.ndjson.gz\"]\n".to_vec()]
});

/// One thing broken in a document.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<Index>;
    let inserted = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..6),
        proptest::sample::select(vec![
            &b"{"[..],
            b"}",
            b"[",
            b"]",
            b"\"",
            b",",
            b":",
            b"\n",
            b"\0",
            b"\\u0000",
            b"\\ud800",
            b"null",
            b"1e999",
            b"-0",
            b"true",
            b"\xff\xfe",
            b"\x1b[31m",
            b"<script>",
            b"\r\n",
            b"'",
            b";",
            b"\t",
            b"- ",
            b"  ",
            b"&a *a ",
            b"!!x ",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        (place(), inserted).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (place(), 1..40_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        (place(), 1..200_usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
        place().prop_map(Damage::Cut),
    ]
}

/// A document with up to five things broken.
fn broken(documents: &'static LazyLock<Vec<Vec<u8>>>) -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), proptest::collection::vec(damage(), 0..5)).prop_map(|(which, damages)| {
        let mut bytes = which.get(documents).clone();
        for damage in damages {
            if bytes.is_empty() {
                break;
            }
            let length = bytes.len();
            match damage {
                Damage::Flip(at, byte) => bytes[at.index(length)] = byte,
                Damage::Insert(at, inserted) => {
                    let at = at.index(length);
                    bytes.splice(at..at, inserted);
                }
                Damage::Remove(at, count) => {
                    let at = at.index(length);
                    bytes.drain(at..length.min(at + count));
                }
                Damage::Repeat(at, count) => {
                    let at = at.index(length);
                    let part = bytes[at..length.min(at + count)].to_vec();
                    bytes.splice(at..at, part);
                }
                Damage::Cut(at) => bytes.truncate(at.index(length)),
            }
        }
        bytes
    })
}

fn arbitrary() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..300)
}

#[test]
fn every_document_is_sound_before_it_is_broken() {
    for event in EVENTS.iter().chain(STREAMS.iter()) {
        bodies::event_json(event);
        bodies::input_stream(event);
    }
    RULES.iter().for_each(|rule| bodies::rule_yaml(rule));
    PEOPLE.iter().for_each(|people| bodies::people_file(people));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn event_json(bytes in prop_oneof![1 => arbitrary(), 4 => broken(&EVENTS)]) {
        bodies::event_json(&bytes);
    }

    #[test]
    fn input_stream(bytes in prop_oneof![1 => arbitrary(), 4 => broken(&STREAMS)]) {
        bodies::input_stream(&bytes);
    }

    #[test]
    fn rule_yaml(bytes in prop_oneof![1 => arbitrary(), 4 => broken(&RULES)]) {
        bodies::rule_yaml(&bytes);
    }

    #[test]
    fn people_file(bytes in prop_oneof![1 => arbitrary(), 4 => broken(&PEOPLE)]) {
        bodies::people_file(&bytes);
    }

    #[test]
    fn config_toml(bytes in prop_oneof![1 => arbitrary(), 4 => broken(&CONFIGURATIONS)]) {
        bodies::config_toml(&bytes);
    }
}
