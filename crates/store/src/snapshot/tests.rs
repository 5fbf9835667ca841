use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use af_model::manifest::{Manifest, RuleChanges, Run};
use af_model::tables::{bucket_counts, user_scores};
use af_model::{FORMULA, Params};
use arrow::array::{ArrayRef, RecordBatch, TimestampMillisecondArray};

use super::*;
use crate::checksum::same_tables;
use crate::table_file::Metadata;
use crate::table_file::samples::random_batch;

fn instant(text: &str) -> UtcMillis {
    UtcMillis::parse_cut(text).unwrap()
}

pub(super) fn manifest() -> Manifest {
    Manifest {
        manifest_version: 0,
        as_of: instant("2026-11-20"),
        known_at: instant("2026-11-21"),
        revision: 1,
        supersedes: None,
        formula: FORMULA.to_owned(),
        params: Params::default(),
        config_hash: "c".to_owned(),
        rules_hash: None,
        rule_changes: RuleChanges::default(),
        tables: BTreeMap::new(),
        directories: Vec::new(),
        files: Vec::new(),
        tenants: BTreeMap::new(),
        left_out: BTreeMap::new(),
        erased: 0,
        run: Run::default(),
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create_or_open(&folder.path().join("s")).unwrap();
    (folder, store)
}

/// Scores known at a given instant, otherwise made of the seed.
fn scores(seed: u64, known_at: &str) -> RecordBatch {
    let batch = random_batch(&user_scores::TABLE, 20, seed);
    let mut columns = batch.columns().to_vec();
    let index = batch.schema().index_of("known_at").unwrap();
    let known = TimestampMillisecondArray::from(vec![instant(known_at).0; 20]).with_timezone("UTC");
    columns[index] = Arc::new(known) as ArrayRef;
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

/// Publishes what was known at an instant.
fn publish_known(store: &Store, lock: &WriteLock, known_at: &str, seed: u64) -> SnapshotId {
    let mut publication = store.begin_snapshot(lock, instant("2026-11-20")).unwrap();
    write_tables(&mut publication, seed, known_at);
    let manifest = Manifest {
        known_at: instant(known_at),
        ..manifest()
    };
    publication.publish(manifest).unwrap().id.unwrap()
}

fn publish(store: &Store, lock: &WriteLock, as_of: &str, seed: u64) -> Published {
    let mut publication = store.begin_snapshot(lock, instant(as_of)).unwrap();
    write_tables(&mut publication, seed, "2026-11-21");
    publication.publish(manifest()).unwrap()
}

fn write_tables(publication: &mut Publication<'_>, seed: u64, known_at: &str) {
    let metadata = Metadata::new().with_formula(FORMULA);
    publication
        .write(&user_scores::TABLE, [scores(seed, known_at)], &metadata)
        .unwrap();
    let buckets = random_batch(&bucket_counts::TABLE, 10, seed);
    publication
        .write(&bucket_counts::TABLE, [buckets], &metadata)
        .unwrap();
}

fn latest_text(store: &Store) -> String {
    fs_err::read_to_string(store.snapshots_dir().join("LATEST")).unwrap()
}

#[test]
fn names_are_read_back_and_nothing_else_is() {
    let id = SnapshotId {
        as_of: instant("2026-11-20"),
        revision: 12,
    };
    assert_eq!(id.to_string(), "2026-11-20T235959.999Z/r12");
    assert_eq!(id.to_string().parse::<SnapshotId>().unwrap(), id);
    for wrong in [
        "2026-11-20/r1",
        "2026-11-20T235959.999Z/r01",
        "2026-11-20T235959.999Z/r0",
        "x",
        "",
    ] {
        let error = wrong.parse::<SnapshotId>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{wrong}");
    }
}

#[test]
fn revisions_rise_and_latest_never_goes_back() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let first = publish(&store, &lock, "2026-11-20", 1);
    assert_eq!(
        first.path,
        store.root().join("snapshots/2026-11-20T235959.999Z/r1")
    );
    assert_eq!(first.manifest.supersedes, None);
    assert_eq!(latest_text(&store), "2026-11-20T235959.999Z/r1\n");
    let second = publish(&store, &lock, "2026-11-20", 2);
    assert_eq!(second.manifest.revision, 2);
    let before = first.id.unwrap().to_string();
    assert_eq!(second.manifest.supersedes, Some(before));
    assert_eq!(latest_text(&store), "2026-11-20T235959.999Z/r2\n");

    // An older as_of is published beside it.
    let older = publish(&store, &lock, "2026-10-01", 3);
    assert_eq!(latest_text(&store), "2026-11-20T235959.999Z/r2\n");
    assert_eq!(store.latest().unwrap(), second.id);
    assert_eq!(store.latest_of(instant("2026-10-01")).unwrap(), older.id);
    let all = [older.id, first.id, second.id].map(Option::unwrap);
    assert_eq!(store.snapshots().unwrap(), all);

    store.remove_snapshot(&lock, second.id.unwrap()).unwrap();
    assert_eq!(latest_text(&store), "2026-11-20T235959.999Z/r1\n");
    store.remove_snapshot(&lock, first.id.unwrap()).unwrap();
    store.remove_snapshot(&lock, older.id.unwrap()).unwrap();
    assert_eq!(store.latest().unwrap(), None);
    assert_eq!(fs_err::read_dir(store.tmp_dir()).unwrap().count(), 0);
}

#[test]
fn a_tenth_revision_follows_the_ninth() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    for revision in 1..=11 {
        let published = publish(&store, &lock, "2026-11-20", 1);
        assert_eq!(published.manifest.revision, revision);
    }
    assert_eq!(latest_text(&store), "2026-11-20T235959.999Z/r11\n");
}

#[test]
fn a_revision_is_the_answer_until_the_next_and_the_latest_knows_most() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let as_of = instant("2026-11-20");
    let answer = |known_at: &str| store.answer(as_of, instant(known_at)).unwrap();
    let later = publish_known(&store, &lock, "2026-11-25", 1);
    let earlier = publish_known(&store, &lock, "2026-11-22", 2);
    assert_eq!((later.revision, earlier.revision), (1, 2));
    assert_eq!(latest_text(&store), "2026-11-20T235959.999Z/r1\n");
    assert_eq!(store.latest_of(as_of).unwrap(), Some(later));
    let folder = store.snapshot_dir(later).parent().unwrap().to_owned();
    assert_eq!(
        Snapshot::open(&folder).unwrap().path(),
        store.snapshot_dir(later)
    );
    assert_eq!(answer("2026-11-21"), None);
    assert_eq!(answer("2026-11-22"), Some(earlier));
    assert_eq!(answer("2026-11-24"), Some(earlier));
    assert_eq!(answer("2026-12-24"), Some(later));
    // Of two for one instant the later publication holds, and says whose place it takes.
    let again = publish_known(&store, &lock, "2026-11-22", 3);
    assert_eq!(answer("2026-11-24"), Some(again));
    let supersedes = Snapshot::open(&store.snapshot_dir(again)).unwrap();
    let supersedes = supersedes.manifest().supersedes.clone();
    assert_eq!(supersedes, Some(earlier.to_string()));
}

#[test]
fn a_confirmed_revision_stays_the_latest_and_stays_as_it_is() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let as_of = instant("2026-11-20");
    let first = publish_known(&store, &lock, "2026-11-22", 1);
    let manifest = store.snapshot_dir(first).join(MANIFEST);
    let before = fs_err::read(&manifest).unwrap();
    store.confirm(&lock, first, instant("2026-11-25")).unwrap();
    let past = publish_known(&store, &lock, "2026-11-24", 2);
    assert_eq!(store.latest_of(as_of).unwrap(), Some(first));
    assert_eq!(store.latest().unwrap(), Some(first));
    assert_eq!(
        store.answer(as_of, instant("2026-11-24")).unwrap(),
        Some(past)
    );
    assert_eq!(
        store.answer(as_of, instant("2026-11-25")).unwrap(),
        Some(first)
    );
    assert_eq!(fs_err::read(&manifest).unwrap(), before);
    // A confirmation of what is not the latest moves nothing back.
    store.confirm(&lock, past, instant("2026-11-24")).unwrap();
    drop(lock);
    let lock = store.lock().unwrap();
    assert_eq!(store.latest().unwrap(), Some(first));
    // The note goes with its revision, and the folder with the last of them.
    store.remove_snapshot(&lock, first).unwrap();
    assert_eq!(store.latest().unwrap(), Some(past));
    store.remove_snapshot(&lock, past).unwrap();
    assert_eq!(store.latest().unwrap(), None);
    assert_eq!(entries(&store.snapshots_dir()).unwrap(), [""; 0]);
}

#[test]
fn a_damaged_manifest_is_not_passed_over_in_silence() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    publish_known(&store, &lock, "2026-11-22", 1);
    let damaged = publish_known(&store, &lock, "2026-11-25", 2);
    fs_err::write(store.snapshot_dir(damaged).join(MANIFEST), "{").unwrap();
    drop(lock);
    drop(store.lock().unwrap());
    let error = Snapshot::open(store.root()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_crash_before_latest_is_mended_and_readers_are_not_misled() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    publish(&store, &lock, "2026-11-19", 1);
    let stale = latest_text(&store);
    let newer = publish(&store, &lock, "2026-11-20", 2);
    let latest = store.snapshots_dir().join("LATEST");
    fs_err::write(&latest, &stale).unwrap();
    drop(lock);
    // Until a writer comes, LATEST is what it says.
    assert_eq!(
        store.latest().unwrap().unwrap().as_of,
        instant("2026-11-19")
    );
    drop(store.lock().unwrap());
    assert_eq!(store.latest().unwrap(), newer.id);
    // Without LATEST, or with nonsense in it, the greatest is the latest.
    for nonsense in [
        None,
        Some("../../etc/r1\n"),
        Some("2030-01-01T000000.000Z/r1\n"),
    ] {
        match nonsense {
            None => fs_err::remove_file(&latest).unwrap(),
            Some(text) => fs_err::write(&latest, text).unwrap(),
        }
        assert_eq!(store.latest().unwrap(), newer.id);
    }
}

#[test]
fn a_dropped_publication_leaves_nothing() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let mut publication = store.begin_snapshot(&lock, instant("2026-11-20")).unwrap();
    write_tables(&mut publication, 1, "2026-11-21");
    let error = publication
        .write(
            &user_scores::TABLE,
            [scores(1, "2026-11-21")],
            &Metadata::new(),
        )
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    drop(publication);
    assert_eq!(fs_err::read_dir(store.tmp_dir()).unwrap().count(), 0);
    assert_eq!(store.snapshots().unwrap(), []);
}

#[test]
fn equal_publications_are_equal_bytes() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let first = publish(&store, &lock, "2026-11-20", 1);
    let second = publish(&store, &lock, "2026-11-20", 1);
    let other = publish(&store, &lock, "2026-11-20", 2);
    assert!(same_tables(&first.manifest.files, &second.manifest.files));
    assert!(!same_tables(&first.manifest.files, &other.manifest.files));
    for file in ["user_scores.parquet", "bucket_counts.parquet"] {
        let read = |published: &Published| fs_err::read(published.path.join(file)).unwrap();
        assert_eq!(read(&first), read(&second));
    }
    let text = fs_err::read_to_string(first.path.join(MANIFEST)).unwrap();
    assert!(text.starts_with("{\n  \"as_of\": \"2026-11-20T23:59:59.999Z\",\n  \"config_hash\""));
    assert!(text.ends_with("}\n"));
}

#[test]
fn a_later_known_at_alone_is_no_new_revision() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    publish(&store, &lock, "2026-11-20", 1);
    let snapshot = Snapshot::open(store.root()).unwrap();
    let same = |seed, ignoring: &[&str]| {
        let mut publication = store.begin_snapshot(&lock, instant("2026-11-20")).unwrap();
        write_tables(&mut publication, seed, "2026-12-24");
        publication.same_rows_as(&snapshot, ignoring).unwrap()
    };
    assert!(same(1, &["known_at"]));
    assert!(!same(1, &[]));
    assert!(!same(2, &["known_at"]));
    let mut fewer = store.begin_snapshot(&lock, instant("2026-11-20")).unwrap();
    let batch = scores(1, "2026-11-21");
    fewer
        .write(&user_scores::TABLE, [batch], &Metadata::new())
        .unwrap();
    assert!(!fewer.same_rows_as(&snapshot, &["known_at"]).unwrap());
}

#[test]
fn a_snapshot_is_found_by_folder_store_day_and_revision() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let error = Snapshot::open(store.root()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let first = publish(&store, &lock, "2026-11-20", 1);
    let second = publish(&store, &lock, "2026-11-20", 2);
    let by_path = |path: &Path| Snapshot::open(path).unwrap().path().to_owned();
    assert_eq!(by_path(&first.path), first.path);
    assert_eq!(by_path(second.path.parent().unwrap()), second.path);
    assert_eq!(by_path(store.root()), second.path);
    let by_name = |name| Snapshot::open_in(&store, name).unwrap().path().to_owned();
    assert_eq!(by_name("latest"), second.path);
    assert_eq!(by_name("2026-11-20"), second.path);
    assert_eq!(by_name("2026-11-20T23:59:59.999Z/r1"), first.path);
    assert_eq!(by_name("2026-11-20T235959.999Z/r1"), first.path);
    for (name, kind) in [
        ("2026-11-21", ErrorKind::NotFound),
        ("2026-11-20/r9", ErrorKind::NotFound),
        ("2026-11-20/../r1", ErrorKind::InvalidName),
        ("yesterday", ErrorKind::InvalidName),
    ] {
        assert_eq!(
            Snapshot::open_in(&store, name).unwrap_err().kind(),
            kind,
            "{name}"
        );
    }
    let rows: usize = Snapshot::open(&first.path)
        .unwrap()
        .table(&user_scores::TABLE)
        .unwrap()
        .map(|batch| batch.unwrap().num_rows())
        .sum();
    assert_eq!(rows, 20);
    assert_eq!(
        Snapshot::open(&first.path).unwrap().manifest(),
        &first.manifest
    );
}

#[test]
fn damage_to_a_published_file_is_found() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let published = publish(&store, &lock, "2026-11-20", 1);
    let verify = || {
        let wrong = Snapshot::open(&published.path).unwrap().verify_files();
        wrong.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(verify(), [""; 0]);
    let path = published.path.join("user_scores.parquet");
    let mut bytes = fs_err::read(&path).unwrap();
    bytes[100] ^= 1;
    fs_err::write(&path, &bytes).unwrap();
    fs_err::write(published.path.join("notes.txt"), "x").unwrap();
    let wrong = verify();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(
        wrong[0].contains("not the one that was published"),
        "{wrong:?}"
    );
    assert!(wrong[1].contains("notes.txt"), "{wrong:?}");
    bytes.truncate(50);
    fs_err::write(&path, &bytes).unwrap();
    assert!(verify()[0].contains("50 bytes, not"));
    fs_err::remove_file(&path).unwrap();
    assert!(verify()[0].contains("user_scores.parquet"));
}

#[test]
fn a_manifest_cannot_lead_out_of_its_folder_nor_come_from_the_future() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let published = publish(&store, &lock, "2026-11-20", 1);
    let path = published.path.join(MANIFEST);
    let text = fs_err::read_to_string(&path).unwrap();
    let hostile = text.replace("\"user_scores.parquet\"", "\"../../../lock\"");
    fs_err::write(&path, &hostile).unwrap();
    let wrong = Snapshot::open(&published.path).unwrap().verify_files();
    assert!(
        wrong
            .iter()
            .any(|error| error.kind() == ErrorKind::InvalidName),
        "{wrong:?}"
    );
    let newer = text.replace(
        "\"manifest_version\": 1",
        "\"manifest_version\": 2, \"x\": []",
    );
    fs_err::write(&path, newer).unwrap();
    let error = Snapshot::open(&published.path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NewerVersion);
    fs_err::write(&path, &text[..text.len() / 2]).unwrap();
    let error = Snapshot::open(&published.path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

fn put(path: &Path, force: bool, seed: u64) -> Result<Published, Error> {
    let mut publication = begin_output(path, force)?;
    write_tables(&mut publication, seed, "2026-11-21");
    publication.publish(manifest())
}

#[test]
fn an_output_folder_is_new_empty_or_replaced_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/out");
    let first = put(&out, false, 1).unwrap();
    assert_eq!((first.id, first.manifest.revision), (None, 1));
    assert_eq!(Snapshot::open(&out).unwrap().verify_files().len(), 0);

    let error = put(&out, false, 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.hint().unwrap().contains("--force"));
    assert_eq!(Snapshot::open(&out).unwrap().manifest(), &first.manifest);
    let second = put(&out, true, 2).unwrap();
    assert_ne!(second.manifest.files, first.manifest.files);
    assert_eq!(Snapshot::open(&out).unwrap().manifest(), &second.manifest);

    let empty = folder.path().join("empty");
    fs_err::create_dir(&empty).unwrap();
    put(&empty, false, 1).unwrap();
    assert_eq!(Snapshot::open(&empty).unwrap().verify_files().len(), 0);

    drop(begin_output(&folder.path().join("deep/dropped"), false).unwrap());
    let names = entries(&folder.path().join("deep")).unwrap();
    assert_eq!(names, ["out"]);
}

#[test]
fn a_folder_with_other_content_is_not_even_replaced_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    put(&out, false, 1).unwrap();
    fs_err::write(out.join("thesis.txt"), "years of work").unwrap();
    let file = folder.path().join("file");
    fs_err::write(&file, "x").unwrap();
    for path in [&out, &file] {
        let error = put(path, true, 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(error.hint().unwrap().contains("not even with --force"));
    }
    assert!(out.join("thesis.txt").is_file());
    assert_eq!(entries(folder.path()).unwrap(), ["file", "out"]);
}

#[test]
fn what_crashed_runs_left_beside_an_output_is_cleared_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let beside = |name: &str| folder.path().join(name);
    put(&beside("earlier"), false, 1).unwrap();
    let half = beside(".out.new.17-3");
    fs_err::create_dir(&half).unwrap();
    fs_err::copy(
        beside("earlier/user_scores.parquet"),
        half.join("user_scores.parquet"),
    )
    .unwrap();
    // Not ours: other content, another name, another output, a run that is alive.
    let others = [
        ".out.new.17-4",
        ".out.new.copy",
        ".other.new.17-3",
        ".out.new.17-5",
    ];
    for name in others {
        fs_err::create_dir(beside(name)).unwrap();
    }
    fs_err::write(beside(".out.new.17-4/thesis.txt"), "years of work").unwrap();
    let alive = fs_err::File::open(beside(".out.new.17-5")).unwrap();
    alive.try_lock().unwrap();
    let out = beside("out");
    put(&out, false, 2).unwrap();
    let mut expected: Vec<&str> = others.to_vec();
    expected.extend(["earlier", "out"]);
    expected.sort_unstable();
    assert_eq!(entries(folder.path()).unwrap(), expected);
    drop(alive);

    // Killed between two renames: the earlier result comes back before anything is decided.
    fs_err::rename(&out, beside(".out.old.17-6")).unwrap();
    let error = put(&out, false, 3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(Snapshot::open(&out).unwrap().verify_files().is_empty());
    // With a result in place, what was aside is superfluous.
    fs_err::rename(beside("earlier"), beside(".out.old.17-7")).unwrap();
    mend_output(&out).unwrap();
    assert!(!beside(".out.old.17-7").exists());
    assert!(Snapshot::open(&out).unwrap().verify_files().is_empty());
}

#[test]
fn an_output_that_two_names_cannot_be_swapped_for_is_replaced_in_two_steps() {
    use std::rc::Rc;

    use crate::disk::{Operation, Step, Verdict, Witness, witnessed};

    /// A system that cannot exchange names, and a process that dies at the first rename of an output
    /// if `kills`.
    struct NoExchange {
        kills: bool,
        is_dead: std::cell::Cell<bool>,
    }
    impl Witness for NoExchange {
        fn step(&self, step: &Step<'_>) -> Verdict {
            let is_new = |path: &Path| path.to_string_lossy().contains(".out.new.");
            if self.kills && step.operation == Operation::Rename && is_new(step.path) {
                self.is_dead.set(true);
            }
            if self.is_dead.get() {
                return Verdict::Fail(std::io::Error::other("dead"));
            }
            match step.operation {
                Operation::Exchange => Verdict::Fail(std::io::ErrorKind::Unsupported.into()),
                _ => Verdict::Go,
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let first = put(&out, false, 1).unwrap();
    for kills in [true, false] {
        let witness = Rc::new(NoExchange {
            kills,
            is_dead: std::cell::Cell::new(false),
        });
        let second = witnessed(witness, || put(&out, true, 2));
        assert_eq!(second.is_err(), kills);
        mend_output(&out).unwrap();
        let now = Snapshot::open(&out).unwrap();
        assert!(now.verify_files().is_empty());
        assert_eq!(now.manifest().files == first.manifest.files, kills);
        assert_eq!(entries(folder.path()).unwrap(), ["out"]);
    }
}
