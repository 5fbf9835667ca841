//! Queries over small snapshots written as the engine writes them.

#![expect(
    clippy::unwrap_used,
    reason = "clippy exempts test functions, but not what they share"
)]

use std::path::{Path, PathBuf};

use af_model::tables::{signal_attribution, user_scores};
use af_model::{Level, Population, ScoreLevel, UtcDay, UtcMillis};
use af_query::{ErrorKind, TopQuery, top};
use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;

const AS_OF: UtcMillis = UtcMillis(1_795_219_199_999);

/// Rows in a row group.
const GROUP: i64 = 40;

struct Sample {
    _root: TempDir,
    folder: PathBuf,
}

fn score(tenant: &str, user: &str, score_micro: i64, odds_nano: i64) -> user_scores::Row {
    user_scores::Row {
        tenant_uid: tenant.to_owned(),
        as_of: AS_OF,
        known_at: AS_OF,
        formula: "af-1".to_owned(),
        config_hash: "c".to_owned(),
        rules_hash: None,
        population: "human".to_owned(),
        population_n: 4,
        in_population: true,
        user_uid: user.to_owned(),
        email: format!("{user}@example.com"),
        display_name: None,
        department: None,
        location: None,
        manager_uid: None,
        score_micro,
        level: ScoreLevel::of(score_micro, odds_nano).as_str().to_owned(),
        odds_nano,
        rank: Some(1),
        percentile: Some(97.5),
        pct_below: None,
        signal_count: 3,
        attack_days: 1,
        first_attack: None,
        last_attack: (odds_nano > 0).then_some(AS_OF),
    }
}

fn block(
    tenant: &str,
    user: &str,
    kind: Option<(&str, &str)>,
    share: i64,
    rules: &[&str],
) -> signal_attribution::Row {
    signal_attribution::Row {
        tenant_uid: tenant.to_owned(),
        as_of: AS_OF,
        known_at: AS_OF,
        user_uid: user.to_owned(),
        component: kind.map(|(component, _)| component.to_owned()),
        family: kind.map(|(_, family)| family.to_owned()),
        day: kind.map(|_| UtcDay(20_000)),
        level: kind.map(|_| Level::High.to_string()),
        n: 2,
        load_share_micro: 1,
        score_share_micro: share,
        without_micro: None,
        rule_ids: rules.iter().map(|&rule| rule.to_owned()).collect(),
        signal_uids: Vec::new(),
    }
}

fn write(path: &Path, batch: &RecordBatch) {
    let mut bytes = Vec::new();
    let group = usize::try_from(GROUP).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group));
    let properties = Some(properties.build());
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), properties).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn snapshot(scores: &[user_scores::Row], blocks: &[signal_attribution::Row]) -> Sample {
    let root = tempfile::tempdir().unwrap();
    // Named like a pattern and a partition, which must not matter.
    let folder = root
        .path()
        .join("day=1[*]")
        .join("2026-11-20T235959.999Z")
        .join("r12");
    std::fs::create_dir_all(&folder).unwrap();
    write(
        &folder.join("user_scores.parquet"),
        &user_scores::batch(scores),
    );
    write(
        &folder.join("signal_attribution.parquet"),
        &signal_attribution::batch(blocks),
    );
    let manifest = format!(
        r#"{{"manifest_version":1,"as_of":"{AS_OF}","known_at":"{AS_OF}","formula":"af-1","tables":{{"user_scores":1}},"later":true}}"#
    );
    std::fs::write(folder.join("manifest.json"), manifest).unwrap();
    Sample {
        _root: root,
        folder,
    }
}

fn shown(sample: &Sample, query: &TopQuery) -> Vec<String> {
    let view = top(&sample.folder, query).unwrap();
    let people = view.people.into_iter();
    people
        .map(|person| format!("{}/{}", person.tenant_uid, person.user_uid))
        .collect()
}

#[test]
fn the_most_attacked_come_first_and_ties_in_name_order() {
    // Equal scores but different odds: the odds decide, as they decide the rank.
    let sample = snapshot(
        &[
            score("b", "x", 9_000_000, 10),
            score("b", "y", 9_000_000, 11),
            score("a", "z", 9_000_000, 10),
            score("a", "a", 9_000_000, 10),
            score("a", "quiet", 0, 0),
        ],
        &[],
    );
    assert_eq!(
        shown(&sample, &TopQuery::default()),
        ["b/y", "a/a", "a/z", "b/x", "a/quiet"]
    );
    let two = TopQuery {
        limit: 2,
        ..TopQuery::default()
    };
    assert_eq!(shown(&sample, &two), ["b/y", "a/a"]);
    for (limit, n) in [(0, 0), (usize::MAX, 5)] {
        let query = TopQuery {
            limit,
            ..TopQuery::default()
        };
        assert_eq!(shown(&sample, &query).len(), n);
    }
}

#[test]
fn a_person_carries_what_the_snapshot_says() {
    let mut ana = score("acme", "ana", 6_190_442, 1_624_976_601);
    ana.display_name = Some("Ana".to_owned());
    ana.rank = None;
    ana.percentile = None;
    ana.in_population = false;
    let sample = snapshot(&[ana], &[]);
    assert!(shown(&sample, &TopQuery::default()).is_empty());
    let outside = TopQuery {
        include_outside: true,
        ..TopQuery::default()
    };
    let view = top(&sample.folder, &outside).unwrap();
    assert_eq!(view.snapshot, "2026-11-20T235959.999Z/r12");
    assert_eq!((view.as_of, view.known_at), (AS_OF, AS_OF));
    assert_eq!(view.formula, "af-1");
    let person = &view.people[0];
    assert_eq!((person.rank, person.percentile), (None, None));
    assert_eq!(person.display_name.as_deref(), Some("Ana"));
    assert_eq!(person.email, "ana@example.com");
    assert_eq!(
        (person.level.as_str(), person.score_micro),
        ("high", 6_190_442)
    );
    assert_eq!((person.population_n, person.signal_count), (4, 3));
    assert_eq!(person.last_attack, Some(AS_OF));
}

#[test]
fn filters_leave_only_whom_they_name() {
    let mut finance = score("a", "finance", 8_000_000, 4_000_000_000);
    finance.department = Some("Finance ".trim().to_owned());
    finance.location = Some("Århus".to_owned());
    let mut service = score("a", "service", 8_000_000, 4_000_000_000);
    service.population = "service".to_owned();
    let sample = snapshot(
        &[
            finance,
            service,
            score("a", "low", 2_000_000, 250_000_000),
            score("b", "trace", 0, 1),
            score("b", "none", 0, 0),
        ],
        &[],
    );
    let all = TopQuery::default;
    let cases = [
        (
            TopQuery {
                tenant: Some("b".to_owned()),
                ..all()
            },
            vec!["b/trace", "b/none"],
        ),
        (
            TopQuery {
                population: Population::Service,
                ..all()
            },
            vec!["a/service"],
        ),
        (
            TopQuery {
                department: Some(" fINANCE ".to_owned()),
                ..all()
            },
            vec!["a/finance"],
        ),
        (
            TopQuery {
                location: Some("ÅRHUS".to_owned()),
                ..all()
            },
            vec!["a/finance"],
        ),
        (
            TopQuery {
                department: Some("fin".to_owned()),
                ..all()
            },
            vec![],
        ),
        (
            TopQuery {
                min_level: Some(ScoreLevel::VeryHigh),
                ..all()
            },
            vec!["a/finance"],
        ),
        (
            TopQuery {
                min_level: Some(ScoreLevel::Low),
                ..all()
            },
            vec!["a/finance", "a/low"],
        ),
        (
            TopQuery {
                min_level: Some(ScoreLevel::VeryLow),
                ..all()
            },
            vec!["a/finance", "a/low", "b/trace"],
        ),
        (
            TopQuery {
                min_level: Some(ScoreLevel::None),
                ..all()
            },
            vec!["a/finance", "a/low", "b/trace", "b/none"],
        ),
        (
            TopQuery {
                tenant: Some("nobody".to_owned()),
                ..all()
            },
            vec![],
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(shown(&sample, &query), expected, "{query:?}");
    }
}

/// Overwrites the row groups of a table that hold other organizations' rows.
fn spoil_others(path: &Path, tenant: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    let file = std::fs::File::open(path).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    for group in reader.metadata().row_groups() {
        let least = group.column(0).statistics().unwrap().min_bytes_opt();
        if least != Some(tenant.as_bytes()) {
            for column in group.columns() {
                let (start, length) = column.byte_range();
                let (start, length) = (usize::try_from(start), usize::try_from(length));
                let start = start.unwrap();
                bytes[start..start + length.unwrap()].fill(0xa5);
            }
        }
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn of_one_organization_only_its_row_groups_are_decoded() {
    let people: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .flat_map(|tenant| {
            let person = move |n: i64| score(tenant, &format!("u{n:02}"), 5_000_000, 100 + n % 7);
            (0..GROUP).map(person)
        })
        .collect();
    let blocks: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .flat_map(|tenant| {
            let kind = Some(("identity", "mfa_attack"));
            (0..GROUP).map(move |n| block(tenant, &format!("u{n:02}"), kind, n, &[]))
        })
        .collect();
    let sample = snapshot(&people, &blocks);
    let of = |tenant: &str| TopQuery {
        tenant: Some(tenant.to_owned()),
        limit: 5,
        ..TopQuery::default()
    };
    let whole = top(&sample.folder, &of("b")).unwrap();
    assert_eq!(whole.people.len(), 5);
    for table in ["user_scores", "signal_attribution"] {
        spoil_others(&sample.folder.join(format!("{table}.parquet")), "b");
    }
    assert_eq!(top(&sample.folder, &of("b")).unwrap(), whole);
    for tenant in ["a", "c"] {
        let error = top(&sample.folder, &of(tenant)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Broken);
    }
}

#[test]
fn whoever_is_shown_is_the_same_by_any_limit() {
    let people: Vec<_> = (0..90_i64)
        .map(|n| {
            let tenant = ["a", "b", "c"][usize::try_from(n % 3).unwrap()];
            // Many ties, and people of one id in several organizations.
            score(
                tenant,
                &format!("u{}", n / 2 % 20 * 3),
                1_000_000,
                n * 37 % 11,
            )
        })
        .collect();
    let sample = snapshot(&people, &[]);
    let all = TopQuery {
        limit: usize::MAX,
        ..TopQuery::default()
    };
    let everybody = shown(&sample, &all);
    assert_eq!(everybody.len(), 90);
    for limit in [1, 2, 7, 60, 89, 90, 91] {
        let query = TopQuery {
            limit,
            ..TopQuery::default()
        };
        assert_eq!(shown(&sample, &query), everybody[..limit.min(90)]);
    }
}

#[test]
fn drivers_are_sums_by_kind_of_attack_weightiest_first() {
    let identity = |family| Some(("identity", family));
    let sample = snapshot(
        &[score("a", "x", 7_000_000, 5), score("b", "x", 1, 5)],
        &[
            block("a", "x", None, 900, &["r9"]),
            block("a", "x", identity("mfa_attack"), 500, &["r2", "r1"]),
            block("a", "x", identity("mfa_attack"), 600, &["r3", "r1"]),
            block("a", "x", identity("app_access"), 900, &["r4"]),
            block("a", "x", Some(("email", "phishing")), 10, &["r5"]),
            block("b", "x", identity("other"), 1, &[]),
            block("b", "somebody_else", identity("mfa_attack"), 10_000, &[]),
        ],
    );
    let view = top(&sample.folder, &TopQuery::default()).unwrap();
    let drivers = |person: usize| -> Vec<(Option<&str>, i64, i64, &[String])> {
        let drivers = view.people[person].drivers.iter();
        drivers
            .map(|d| {
                (
                    d.family.as_deref(),
                    d.n,
                    d.score_share_micro,
                    &d.rule_ids[..],
                )
            })
            .collect()
    };
    let rules =
        |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
    // 500 + 600 = 1100 in two blocks of two; the nameless rest comes after its equal; phishing is fourth.
    assert_eq!(
        drivers(0),
        [
            (
                Some("mfa_attack"),
                4,
                1_100,
                &rules(&["r1", "r2", "r3"])[..]
            ),
            (Some("app_access"), 2, 900, &rules(&["r4"])[..]),
            (None, 2, 900, &rules(&["r9"])[..]),
        ]
    );
    assert_eq!(drivers(1), [(Some("other"), 2, 1, &[][..])]);
    let only_b = TopQuery {
        tenant: Some("b".to_owned()),
        ..TopQuery::default()
    };
    assert_eq!(
        top(&sample.folder, &only_b).unwrap().people[0].drivers,
        view.people[1].drivers
    );
}

#[test]
fn what_is_missing_is_named_with_a_hint() {
    let sample = snapshot(&[score("a", "x", 0, 0)], &[]);
    for name in [
        "signal_attribution.parquet",
        "user_scores.parquet",
        "manifest.json",
    ] {
        std::fs::remove_file(sample.folder.join(name)).unwrap();
        let error = top(&sample.folder, &TopQuery::default()).unwrap_err();
        assert!(error.is_missing());
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn a_damaged_or_foreign_table_is_an_error() {
    let sample = snapshot(&[score("a", "x", 0, 0)], &[]);
    let scores = sample.folder.join("user_scores.parquet");
    let whole = std::fs::read(&scores).unwrap();
    let kind = || {
        top(&sample.folder, &TopQuery::default())
            .unwrap_err()
            .kind()
    };
    std::fs::write(&scores, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(kind(), ErrorKind::Broken);
    write(
        &scores,
        &signal_attribution::batch(&[block("a", "x", None, 1, &[])]),
    );
    let error = top(&sample.folder, &TopQuery::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Broken);
    assert!(error.to_string().contains("column odds_nano"), "{error}");
    assert!(
        error.to_string().contains("is required and absent"),
        "{error}"
    );
    std::fs::write(sample.folder.join("manifest.json"), "{}").unwrap();
    assert_eq!(kind(), ErrorKind::Broken);
}

#[test]
fn a_newer_snapshot_is_refused() {
    let sample = snapshot(&[score("a", "x", 0, 0)], &[]);
    let path = sample.folder.join("manifest.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    for (old, new) in [
        (r#""manifest_version":1"#, r#""manifest_version":2"#),
        (r#""user_scores":1"#, r#""user_scores":2"#),
    ] {
        std::fs::write(&path, manifest.replace(old, new)).unwrap();
        let error = top(&sample.folder, &TopQuery::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Newer);
    }
}

#[test]
fn damage_anywhere_is_an_error_or_a_view_but_never_a_panic() {
    let sample = snapshot(
        &[score("a", "x", 7_000_000, 5), score("a", "y", 1, 1)],
        &[block("a", "x", None, 900, &["r9"])],
    );
    for name in ["user_scores.parquet", "signal_attribution.parquet"] {
        let path = sample.folder.join(name);
        let whole = std::fs::read(&path).unwrap();
        for position in (4..whole.len()).step_by(37) {
            let mut damaged = whole.clone();
            damaged[position] ^= 0x55;
            std::fs::write(&path, damaged).unwrap();
            if let Err(error) = top(&sample.folder, &TopQuery::default()) {
                assert_eq!(error.kind(), ErrorKind::Broken);
            }
        }
        std::fs::write(&path, &whole).unwrap();
    }
}
