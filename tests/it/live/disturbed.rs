//! Killed at random calls, among random faults, and started again: nothing is lost, nothing comes twice.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::{Duration, Instant};

use af_okta_sim::{Fault, RandomFaults, Sim};
use serde_json::Value;

use super::org::{Days, Folder, Org};
use crate::support::rows;

/// How many stores are filled under disturbance.
const SEEDS: u64 = 200;
const KILLS: u32 = 3;
/// Little to fetch, so that a store is filled in little time.
const START: &str = "start = \"2026-11-12\"\ninventory = [\"users\"]";

/// Everything that heals by itself.
fn healing() -> Vec<Fault> {
    vec![
        Fault::RateLimit { seconds: 0 },
        Fault::ConcurrencyLimit,
        Fault::RateLimitTwice { seconds: 0 },
        Fault::RetryAfter { seconds: 0 },
        Fault::Status { status: 500 },
        Fault::Status { status: 503 },
        Fault::Slow { millis: 20 },
        Fault::Cut,
        Fault::Drop,
        Fault::BrokenJson,
        Fault::Repeat { events: 7 },
        Fault::Shuffle,
        Fault::StaleCursor,
    ]
}

/// A number below a bound that follows from a seed and a purpose.
fn below(bound: u64, seed: u64, purpose: u64) -> u64 {
    let mut mixed = (seed << 20 | purpose)
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 32) % bound
}

/// Kills the process once the org has been called so often more, unless it ends before.
fn kill_after_calls(child: &mut Child, org: &Org, calls: u64) -> bool {
    let counted = org.sim.calls();
    let target = *counted.borrow() + calls;
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return !status.success();
        }
        assert!(
            Instant::now() < patience,
            "the process neither calls nor ends"
        );
        if *counted.borrow() >= target {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// One store, filled under disturbance. How often it was killed.
fn fill(org: &Org, seed: u64) -> (Folder, u32) {
    org.sim.faults().clear();
    org.sim.faults().random(RandomFaults {
        seed,
        per_mille: u32::try_from(50 + below(200, seed, 1)).unwrap(),
        on: String::new(),
        faults: healing(),
        at_most: Some(7),
    });
    let folder = Folder::new(org.sim.url(), START);
    let mut killed = 0;
    for kill in 0..KILLS {
        let mut child = folder.spawn("okta pull");
        killed += u32::from(kill_after_calls(
            &mut child,
            org,
            1 + below(14, seed, u64::from(kill) + 2),
        ));
        // Now and then what is there is taken in before the rest comes.
        if below(4, seed, 90 + u64::from(kill)) == 0 {
            // Nothing may be there yet.
            let early = folder.take_in().run();
            assert!([0, 3].contains(&early.code), "{}", early.stderr);
        }
    }
    folder.succeed("okta pull");
    org.sim.faults().clear();
    (folder, killed)
}

/// The events of a store by id, without when they became known.
fn events(folder: &Folder) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for row in rows(&folder.store().join("events")) {
        let id = row["metadata_uid"].as_str().unwrap().to_owned();
        assert!(
            found.insert(id.clone(), row).is_none(),
            "{id} is there twice"
        );
    }
    found
}

fn all_seeds(of: u64, share: u64) -> u32 {
    let mut days = Days::demo(3);
    days.events
        .retain(|event| event["published"].as_str().unwrap() >= "2026-11-12");
    let sim = Sim::start_blocking(days.options()).unwrap();
    let place = Folder::new(sim.url(), START);
    let org = Org { sim, place };
    let expected = {
        org.place.succeed("okta pull");
        org.place.succeed("okta inventory");
        org.place.settle();
        org.place.content()
    };
    assert_eq!(events(&org.place).len(), days.distinct());
    let mut killed = 0;
    for seed in (0..SEEDS).filter(|seed| seed % of == share) {
        let (folder, kills) = fill(&org, seed);
        killed += kills;
        folder.succeed("okta inventory");
        folder.settle();
        let found = folder.content();
        let differing = found.iter().filter(|file| !expected.contains(file));
        let differing: Vec<_> = differing.map(|(name, _)| name).collect();
        assert!(
            found == expected,
            "seed {seed}: {} of {} events; {differing:#?}",
            events(&folder).len(),
            days.events.len()
        );
    }
    killed
}

#[test]
fn stores_filled_under_kills_and_faults_equal_the_undisturbed_one() {
    // Two orgs side by side: a test machine has at least two cores.
    let killed: u32 = std::thread::scope(|scope| {
        let halves = [0, 1].map(|share| scope.spawn(move || all_seeds(2, share)));
        halves.into_iter().map(|half| half.join().unwrap()).sum()
    });
    assert!(
        killed > u32::try_from(SEEDS).unwrap(),
        "only {killed} processes were killed"
    );
}
