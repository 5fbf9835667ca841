//! What is kept says the same as a count from scratch, whatever changed in between, and is used.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use af_count::{PeopleIndex, Retractions};
use af_model::tables::attack_signals;
use af_model::{HashKey, Person, UtcMillis};
use af_store::{Metadata, Partitioned, sorted_batch, table_file};
use af_testkit::generate::{self, Size, organization};
use af_testkit::oracle::{OracleInput, OracleSignal};
use arrow::compute::concat_batches;

use super::index::{INDEX, PEOPLE};
use super::*;
use crate::progress::{Progress, Silent};
use crate::tally::{Cut, count_with};

const SIZE: Size = Size {
    people: 20,
    signals: 300,
};

/// A store, and what is known of it.
struct Case {
    _folder: tempfile::TempDir,
    store: Store,
    people: Vec<Person>,
    retracted: Vec<retractions::Row>,
    cut: Cut,
    key: HashKey,
}

impl Case {
    fn new(input: &OracleInput) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: Store::create_or_open(&folder.path().join("s")).unwrap(),
            _folder: folder,
            people: input.people.clone(),
            retracted: Vec::new(),
            cut: Cut {
                as_of: input.as_of,
                known_at: input.known_at,
            },
            key: input.key.clone(),
        }
    }

    fn add(&self, signals: &[OracleSignal]) {
        let mut days: BTreeMap<UtcDay, Vec<OracleSignal>> = BTreeMap::new();
        for signal in signals {
            if UtcMillis::checked(signal.time.0).is_ok() {
                days.entry(signal.time.day())
                    .or_default()
                    .push(signal.clone());
            }
        }
        let lock = self.store.lock().unwrap();
        for (day, signals) in days {
            let table = &attack_signals::TABLE;
            let batches = generate::to_batches(&signals, 1);
            let batch = concat_batches(&table.file_schema(), &batches).unwrap();
            let sorted = sorted_batch(&batch, table).unwrap();
            let written = self
                .store
                .add_day_stream(&lock, Partitioned::Signals, day, [Ok(sorted)]);
            written.unwrap();
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let days = self.store.days(Partitioned::Signals).unwrap();
        let files = days
            .into_iter()
            .filter(|day| (0..90).contains(&self.cut.as_of.day().days_since(*day)))
            .map(|day| self.store.day_files(Partitioned::Signals, day).unwrap());
        files.flatten().collect()
    }

    /// Counts with what is kept and without, and tells how many days were kept from before.
    fn count(&self) -> usize {
        self.count_files(&self.files())
    }

    fn count_files(&self, files: &[PathBuf]) -> usize {
        self.with_job(|job| compare(job, files))
    }

    fn with_job<T>(&self, act: impl FnOnce(StoreCount<'_>) -> T) -> T {
        let people = PeopleIndex::new(self.people.clone(), &self.key);
        let retractions = Retractions::new(&self.retracted, self.cut.known_at);
        let counting = Counting {
            people: &people,
            retractions: &retractions,
            cut: self.cut,
            key: Some(&self.key),
        };
        act(StoreCount {
            store: &self.store,
            lock: &self.store.lock().unwrap(),
            counting,
            retracted: &self.retracted,
            shelf: &Shelf::new(&self.store.tmp_dir(), 0),
        })
    }

    /// How many days a count leaves for the next.
    fn left(&self) -> usize {
        Index::read(&self.store).unwrap().days.len()
    }
}

/// A count of a store, compared with one from scratch; returned is how many days were kept.
fn compare(job: StoreCount<'_>, files: &[PathBuf]) -> usize {
    let found = count_store(job, files, &Silent).unwrap();
    let scratch = count_with(job.counting, &[], files, &Silent).unwrap();
    assert_eq!(found.counted.collect(), scratch);
    for people in [1, 4, 1_000] {
        assert_eq!(found.counted.collect_in_slices(people), scratch);
    }
    let mut inputs = found.inputs;
    inputs.sort();
    let mut expected = entries(files).unwrap();
    expected.sort();
    assert_eq!(inputs, expected);
    found.kept.len()
}

#[test]
fn what_is_kept_says_the_same_as_a_count_from_scratch() {
    let mut used = 0;
    for seed in 0..8 {
        let input = organization(seed, SIZE);
        let mut case = Case::new(&input);
        // Fewer people, no retractions, and only some of the signals.
        case.people.truncate(15);
        let (early, late) = input.signals.split_at(200);
        case.add(early);
        assert_eq!(case.count(), 0);
        let left = case.left();
        assert_eq!(case.count(), left, "seed {seed}");
        // Late signals change their days only.
        case.add(late);
        used += case.count();
        // Then the colleagues, then the retractions, and both back again.
        case.people = input.people.clone();
        used += case.count();
        case.retracted = input.retractions.clone();
        used += case.count();
        case.retracted.truncate(3);
        used += case.count();
        case.people.truncate(10);
        used += case.count();
        // The past is counted from scratch where it has to be, and takes nothing away.
        let left = case.left();
        case.cut.known_at = UtcMillis(case.cut.known_at.0 - 40 * 86_400_000);
        case.count();
        case.cut.known_at = input.known_at;
        assert_eq!(case.left(), left);
        assert_eq!(case.count(), left, "seed {seed}");
    }
    assert!(used > 200, "hardly anything was used again: {used}");
}

#[test]
fn what_is_damaged_or_gone_is_counted_anew() {
    let input = organization(4, SIZE);
    let case = Case::new(&input);
    case.add(&input.signals);
    case.count();
    let left = case.left();
    assert!(left > 10);
    let folder = case.store.counts_cache_dir();
    let day = fs_err::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "arrow"))
        .unwrap();
    let whole = fs_err::read(&day).unwrap();
    for broken in [&whole[..whole.len() / 2], &whole[..10], b"".as_slice()] {
        fs_err::write(&day, broken).unwrap();
        assert_eq!(case.count(), left - 1);
        assert_eq!(
            fs_err::read(&day).unwrap(),
            whole,
            "made again, byte for byte"
        );
    }
    fs_err::write(folder.join(PEOPLE), b"other people").unwrap();
    assert_eq!(case.count(), left, "nobody changed, so nobody is asked");
    fs_err::write(folder.join(INDEX), b"{").unwrap();
    assert_eq!(case.count(), 0);
    assert_eq!(case.count(), left);
    // What belongs to no day that is there goes.
    fs_err::write(folder.join("1999-01-01.arrow"), whole).unwrap();
    case.count();
    assert!(!folder.join("1999-01-01.arrow").exists());
}

#[test]
fn a_new_colleague_voids_no_day_that_does_not_name_them() {
    let input = organization(6, SIZE);
    let mut case = Case::new(&input);
    case.add(&input.signals);
    case.count();
    let left = case.left();
    let tenant = case.people[0].tenant_uid.clone();
    case.people
        .push(Person::new(&tenant, "00u-new", "somebody.new@example.com"));
    assert_eq!(case.count(), left);
}

#[test]
fn a_file_without_signals_keeps_no_day_from_being_kept() {
    let input = organization(7, SIZE);
    let case = Case::new(&input);
    case.add(&input.signals);
    let nothing = case
        .store
        .signals_dir(case.cut.as_of.day())
        .join("nothing.parquet");
    fs_err::create_dir_all(nothing.parent().unwrap()).unwrap();
    let table = &attack_signals::TABLE;
    table_file::write(
        &nothing,
        table,
        [attack_signals::batch(&[])],
        &Metadata::new(),
    )
    .unwrap();
    case.count();
    let left = case.left();
    assert!(left > 10);
    assert_eq!(case.count(), left);
}

#[test]
fn a_file_of_several_days_voids_the_days_that_it_shares() {
    let input = organization(8, SIZE);
    let case = Case::new(&input);
    case.add(&input.signals);
    case.count();
    let left = case.left();
    let of_two_days: Vec<OracleSignal> = [5, 3]
        .map(|back| OracleSignal {
            signal_uid: format!("late-{back}"),
            time: UtcMillis(case.cut.as_of.0 - back * 86_400_000),
            ..input.signals[0].clone()
        })
        .into();
    let batches = generate::to_batches(&of_two_days, 1);
    let path = case.store.signals_dir(UtcDay(0)).join("foreign.parquet");
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    table_file::write(&path, &attack_signals::TABLE, batches, &Metadata::new()).unwrap();
    let mut files = case.files();
    files.push(path);
    let kept = case.count_files(&files);
    assert!((left - 3..left).contains(&kept), "{kept} of {left}");
}

/// Dies as soon as anything is done.
struct Dies;

impl Progress for Dies {
    fn begin(&self, _: &str, _: Option<u64>) {}

    fn advance(&self, _: u64) {
        panic!("dies here");
    }

    fn end(&self) {}
}

#[test]
fn what_a_run_that_died_counted_under_other_retractions_is_not_believed() {
    let input = organization(4, SIZE);
    let mut case = Case::new(&input);
    case.add(&input.signals);
    case.count();
    let left = case.left();
    case.retracted = input.retractions.clone();
    let died = catch_unwind(AssertUnwindSafe(|| {
        case.with_job(|job| count_store(job, &case.files(), &Dies).map(|_| ()))
    }));
    assert!(died.is_err(), "something is retracted");
    // Then the retractions are taken back: some days of the first run are as they were.
    case.retracted.clear();
    let untouched = case.count();
    assert!((1..left).contains(&untouched), "{untouched} of {left}");
    assert_eq!(case.count(), left);
}
