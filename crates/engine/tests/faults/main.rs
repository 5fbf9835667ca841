//! Every writer is stopped at every step: killed, cut off from power, out of space, without rights,
//! without its folder. What was published stays readable, the same command again completes the work,
//! and the result is byte for byte the one of an undisturbed run.
//!
//! The scenario is a row of commands on a small store. The state before and after each command is
//! kept; one trial copies the state before a command, runs it with one fault at one step, looks at
//! what is there, runs it again, and compares with the state after it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod dice;
mod plan;
mod power;
mod scenario;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use af_store::disk::witnessed;
use af_store::{Snapshot, Store};

use dice::Dice;
use plan::{Fault, Plan};
use scenario::{Inputs, Stage, output_of, stages, store_of};

/// Trials with faults that the process survives; kills and power cuts come at every step.
const TOLD_TRIALS: usize = 360;

/// One trial: what goes wrong where.
#[derive(Clone, Copy, Debug)]
struct Trial {
    stage: usize,
    step: usize,
    fault: Fault,
    seed: u64,
}

/// The undisturbed run.
struct Course {
    inputs: Inputs,
    stages: Vec<Stage>,
    /// The folders before each stage, and after the last.
    kept: Vec<PathBuf>,
    /// The same as trees.
    trees: Vec<BTreeMap<String, Option<Vec<u8>>>>,
    /// The names of the steps of each stage.
    steps: Vec<Vec<String>>,
}

impl Course {
    fn run(folder: &Path) -> Self {
        let inputs = Inputs::write(folder);
        let base = folder.join("undisturbed").join("base");
        std::fs::create_dir_all(&base).unwrap();
        let mut course = Self {
            inputs,
            stages: stages(),
            kept: Vec::new(),
            trees: Vec::new(),
            steps: Vec::new(),
        };
        for number in 0..=course.stages.len() {
            let kept = folder.join(format!("kept-{number}"));
            tree::link(&base, &kept);
            course.kept.push(kept);
            course.trees.push(tree::read(&base));
            if let Some(stage) = course.stages.get(number) {
                let plan = Rc::new(Plan::undisturbed(&base));
                witnessed(Rc::<Plan>::clone(&plan), || {
                    stage.run(&course.inputs, &base)
                })
                .unwrap_or_else(|error| panic!("{}: {error}", stage.name));
                let names = plan.names();
                assert!(!names.is_empty(), "{} writes nothing", stage.name);
                course.steps.push(names);
            }
        }
        course
    }

    /// A folder as it was before a stage.
    fn before(&self, stage: usize, folder: &Path) -> PathBuf {
        let base = folder.join("base");
        tree::link(&self.kept[stage], &base);
        base
    }

    /// Runs one trial; returns the name of the step that was struck.
    fn attempt(&self, trial: Trial) -> Result<Option<String>, String> {
        let Trial {
            stage: number,
            step,
            fault,
            seed,
        } = trial;
        let folder = tempfile::tempdir().unwrap();
        let base = self.before(number, folder.path());
        let stage = &self.stages[number];
        let plan = Rc::new(Plan::new(&base, Some((step, fault)), seed));
        let result = witnessed(Rc::<Plan>::clone(&plan), || stage.run(&self.inputs, &base));
        plan.end();
        if step == usize::MAX {
            // What a command reported as done stays done, whatever happens to the power.
            result.map_err(|error| format!("failed without a fault: {error}"))?;
            return self
                .expect(number + 1, &base, "after it was done")
                .map(|()| None);
        }
        match &result {
            // A run that had nothing more to do than to make the folder anew.
            Ok(()) if fault == Fault::Vanished => {}
            Ok(()) => self.expect(number + 1, &base, "although the run said that it is done")?,
            Err(error) if Fault::TOLD.contains(&fault) => check_message(error, fault, &base)?,
            Err(_) => {}
        }
        self.check_published(number, &base)?;
        let again = Rc::new(Plan::undisturbed(&base));
        witnessed(again, || stage.run(&self.inputs, &base))
            .map_err(|error| format!("the next run failed: {error} ({:?})", error.hint()))?;
        self.expect(number + 1, &base, "after the next run")?;
        check_nothing_unfinished(&base)?;
        Ok(plan.struck())
    }

    /// The folder is as it was kept, byte for byte.
    fn expect(&self, kept: usize, base: &Path, when: &str) -> Result<(), String> {
        let differing = tree::difference(&self.trees[kept], &tree::read(base));
        if differing.is_empty() {
            Ok(())
        } else {
            Err(format!("{when}, these differ: {differing:?}"))
        }
    }

    /// What was published is there and whole before anybody mends anything; the latest is the one of
    /// before or the new one.
    fn check_published(&self, stage: usize, base: &Path) -> Result<(), String> {
        let said = |error: af_store::Error| error.to_string();
        let earlier = snapshots_of(&self.trees[stage]);
        let now = tree::read(base);
        if !self.stages[stage].removes {
            for (name, content) in &earlier {
                if now.get(name) != Some(content) {
                    return Err(format!("published before and not there any more: {name}"));
                }
            }
        }
        if let Ok(store) = Store::open(&store_of(base)) {
            for id in store.snapshots().map_err(said)? {
                let snapshot = Snapshot::open(&store.snapshot_dir(id)).map_err(said)?;
                let wrong = snapshot.verify_files();
                if !wrong.is_empty() {
                    return Err(format!("{id} is damaged: {wrong:?}"));
                }
            }
            let latest = |base: &Path| -> Option<PathBuf> {
                let store = Store::open(&store_of(base)).ok()?;
                let path = Snapshot::open_in(&store, "latest").ok()?.path().to_owned();
                Some(path.strip_prefix(base).unwrap().to_owned())
            };
            let found = latest(base);
            let either = [latest(&self.kept[stage]), latest(&self.kept[stage + 1])];
            if !either.contains(&found) {
                return Err(format!("the latest is {found:?}, not one of {either:?}"));
            }
        } else if self.trees[stage].contains_key("store/state/store.json") {
            return Err("the store cannot be opened".to_owned());
        }
        if self.trees[stage].contains_key("out") {
            let out = Snapshot::open(&output_of(base)).map_err(said)?;
            if !out.verify_files().is_empty() {
                return Err("the output is damaged".to_owned());
            }
            let of = |tree: &BTreeMap<String, Option<Vec<u8>>>| {
                let mut files = tree.clone();
                files.retain(|name, _| name.starts_with("out/"));
                files
            };
            let out = of(&now);
            if out != of(&self.trees[stage]) && out != of(&self.trees[stage + 1]) {
                return Err("the output is neither the old nor the new one".to_owned());
            }
        }
        Ok(())
    }

    /// Runs trials on all processors; returns the names of the steps that each fault struck.
    fn attempt_all(&self, trials: &[Trial]) -> BTreeMap<Fault, BTreeSet<String>> {
        let next = AtomicUsize::new(0);
        let struck = Mutex::new(BTreeMap::<Fault, BTreeSet<String>>::new());
        let failed = Mutex::new(Vec::new());
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(&trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                        match self.attempt(trial) {
                            Ok(name) => {
                                let mut struck = struck.lock().unwrap();
                                struck.entry(trial.fault).or_default().extend(name);
                            }
                            Err(problem) => {
                                let name = self.steps[trial.stage].get(trial.step);
                                let stage = self.stages[trial.stage].name;
                                let what = format!("{trial:?} in {stage} at {name:?}: {problem}");
                                failed.lock().unwrap().push(what);
                            }
                        }
                    }
                });
            }
        });
        let failed = failed.into_inner().unwrap();
        assert!(
            failed.is_empty(),
            "{} of {} trials failed, among them:\n{}",
            failed.len(),
            trials.len(),
            failed[..failed.len().min(12)].join("\n")
        );
        struck.into_inner().unwrap()
    }
}

/// The files of published snapshots.
fn snapshots_of(tree: &BTreeMap<String, Option<Vec<u8>>>) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut files = tree.clone();
    files.retain(|name, _| name.starts_with("store/snapshots/2"));
    files
}

/// The message names the place and the hint says what to do.
fn check_message(error: &af_engine::Error, fault: Fault, base: &Path) -> Result<(), String> {
    let text = error.to_string();
    let hint = error.hint().unwrap_or_default();
    if !text.contains(&base.display().to_string()) {
        return Err(format!("the message names no place: {text}"));
    }
    // Of a snapshot that is gone as a whole, all that can be said is which ones there are.
    let is_listed = fault == Fault::Vanished && hint.contains("snapshots list");
    if !hint.contains(fault.advice()) && !is_listed {
        return Err(format!("the hint does not help: {text}; {hint:?}"));
    }
    Ok(())
}

/// Nothing unfinished lies about, in the store or beside the output.
fn check_nothing_unfinished(base: &Path) -> Result<(), String> {
    let mut left = Vec::new();
    for folder in [store_of(base).join("tmp"), base.to_owned()] {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if folder != base || name.starts_with('.') {
                left.push(name);
            }
        }
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("left over: {left:?}"))
    }
}

#[test]
fn killed_anywhere_and_run_again_is_the_undisturbed_run() {
    let folder = tempfile::tempdir().unwrap();
    let course = Course::run(folder.path());
    let mut trials = Vec::new();
    for (stage, steps) in course.steps.iter().enumerate() {
        for step in 0..steps.len() {
            // A power cut takes longer to play; every other step of each command will do.
            let faults = [Fault::Kill, Fault::PowerCut];
            for fault in faults.into_iter().take(1 + (step + stage) % 2) {
                let seed = trials.len() as u64;
                trials.push(Trial {
                    stage,
                    step,
                    fault,
                    seed,
                });
            }
        }
    }
    let killed = trials.len();
    assert!(killed >= 1_000, "{killed} trials are too few");
    let struck = course.attempt_all(&trials);
    let all: BTreeSet<String> = course.steps.iter().flatten().cloned().collect();
    assert_eq!(struck[&Fault::Kill], all);
    assert!(struck[&Fault::PowerCut].len() * 2 > all.len());
    assert!(all.len() > 100, "{} named steps are too few", all.len());
}

#[test]
fn killed_and_run_again_an_hour_later_no_event_is_lost_or_double() {
    let folder = tempfile::tempdir().unwrap();
    let course = Course::run(folder.path());
    let number = 3;
    let (events, account) = scenario::known_events(&course.kept[number + 1]);
    assert_eq!(events.len(), 18);
    for step in (0..course.steps[number].len()).step_by(2) {
        let folder = tempfile::tempdir().unwrap();
        let base = course.before(number, folder.path());
        let plan = Rc::new(Plan::new(&base, Some((step, Fault::Kill)), step as u64));
        let killed = witnessed(plan, || course.stages[number].run(&course.inputs, &base));
        let again = Rc::new(Plan::undisturbed(&base));
        witnessed(again, || scenario::normalize_later(&course.inputs, &base)).unwrap();
        let found = scenario::known_events(&base);
        assert_eq!(found, (events.clone(), account), "{step}: {killed:?}");
    }
}

#[test]
fn every_told_fault_says_what_to_do_and_the_next_run_completes() {
    let folder = tempfile::tempdir().unwrap();
    let course = Course::run(folder.path());
    let points: Vec<(usize, usize)> = course
        .steps
        .iter()
        .enumerate()
        .flat_map(|(stage, steps)| (0..steps.len()).map(move |step| (stage, step)))
        .collect();
    let trials: Vec<Trial> = (0..TOLD_TRIALS)
        .map(|number| {
            let mut dice = Dice::new(number as u64);
            let point = usize::try_from(dice.below(points.len() as u64)).unwrap();
            let (stage, step) = points[point];
            Trial {
                stage,
                step,
                fault: Fault::TOLD[number % Fault::TOLD.len()],
                seed: number as u64,
            }
        })
        .collect();
    let struck = course.attempt_all(&trials);
    for fault in Fault::TOLD {
        assert!(struck[&fault].len() > 20, "{fault:?} struck too few steps");
    }
}

#[test]
fn what_is_done_survives_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let course = Course::run(folder.path());
    let after = |fault| {
        (0..course.stages.len()).flat_map(move |stage| {
            (0..8).map(move |seed| Trial {
                stage,
                step: usize::MAX,
                fault,
                seed,
            })
        })
    };
    course.attempt_all(&after(Fault::PowerCut).collect::<Vec<_>>());
    // The same on a disk that lies about syncing, where it cannot hold: the model does lose things.
    for stage in 0..course.stages.len() {
        let lost = after(Fault::LyingDisk)
            .filter(|trial| trial.stage == stage)
            .any(|trial| course.attempt(trial).is_err());
        assert!(
            lost,
            "{} does not depend on syncing",
            course.stages[stage].name
        );
    }
}
