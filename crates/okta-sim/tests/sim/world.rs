//! The simulated organization behind the API, and starting and stopping.

use std::collections::BTreeSet;
use std::time::Duration;

use af_okta_sim::{Sim, SimOptions, Time, World};

use crate::client::{DAY, NOW, all, get, instant, pages};

fn organization(seed: u64) -> SimOptions {
    SimOptions {
        world: World::Organization {
            people: 60,
            days: 9,
            seed,
        },
        time: Time::Stands(NOW),
        ..SimOptions::default()
    }
}

async fn log(sim: &Sim) -> Vec<String> {
    let target = format!("/api/v1/logs?limit=1000&since={}", instant(NOW - 60 * DAY));
    let pages = pages(sim, &target).await;
    pages.into_iter().map(|page| page.text).collect()
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes_by_the_calendar_of_the_clock() {
    let sim = Sim::start(organization(7)).await.unwrap();
    let first = log(&sim).await;
    assert_eq!(
        first,
        log(&Sim::start(organization(7)).await.unwrap()).await
    );
    assert_ne!(
        first,
        log(&Sim::start(organization(8)).await.unwrap()).await
    );
    let times: Vec<String> = first
        .iter()
        .flat_map(|page| {
            let page: serde_json::Value = serde_json::from_str(page).unwrap();
            let events = page.as_array().unwrap().clone();
            events
                .into_iter()
                .map(|event| event["published"].as_str().unwrap().to_owned())
        })
        .collect();
    assert!(times.len() > 1000, "{}", times.len());
    // Nine days at least and fifteen at most before the clock; nothing after it.
    let first = times.iter().min().unwrap();
    assert!(
        *first >= instant(NOW - 16 * DAY) && *first <= instant(NOW - 8 * DAY),
        "{first}"
    );
    assert!(*times.iter().max().unwrap() <= instant(NOW));
    // Delays differ, so polling is not in the order of publication.
    assert!(!times.is_sorted());
}

#[tokio::test]
async fn life_goes_on_and_everything_that_happens_is_polled() {
    let sim = Sim::start(organization(7)).await.unwrap();
    let mut target = format!("/api/v1/logs?limit=1000&since={}", instant(NOW));
    let mut polled = BTreeSet::new();
    // From Friday noon over the weekend to Tuesday.
    for hours in [1, 7, 30, 58] {
        sim.advance(Duration::from_secs(hours * 3600));
        for page in pages(&sim, &target).await {
            polled.extend(page.ids("uuid"));
            target = page.link("next").unwrap();
        }
    }
    // What was published since then is among it; late ones of before come on top.
    let window = format!(
        "/api/v1/logs?limit=1000&since={}&until={}",
        instant(NOW),
        instant(NOW + 5 * DAY)
    );
    let published = all(&sim, &window, "uuid").await;
    assert!(published.len() > 400, "{}", published.len());
    assert!(published.iter().all(|id| polled.contains(id)));
}

#[tokio::test]
async fn actors_of_the_log_are_users_of_the_org() {
    let sim = Sim::start(organization(7)).await.unwrap();
    let users: BTreeSet<String> = all(&sim, "/api/v1/users", "id").await.into_iter().collect();
    let page = get(&sim, "/api/v1/logs?limit=1000").await.json();
    let known = page
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| users.contains(event["actor"]["id"].as_str().unwrap()));
    assert!(known.count() > 500);
}

#[test]
fn it_runs_without_a_runtime_of_the_callers_and_gives_its_port_back() {
    let sim = Sim::start_blocking(SimOptions::given("[]", "", NOW)).unwrap();
    let port: u16 = sim.url().rsplit(':').next().unwrap().parse().unwrap();
    let again = || SimOptions {
        port,
        ..SimOptions::given("[]", "", NOW)
    };
    assert!(Sim::start_blocking(again()).is_err(), "the port is taken");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(get(&sim, "/api/v1/logs")).status, 200);
    drop(sim);
    let sim = Sim::start_blocking(again()).unwrap();
    assert_eq!(runtime.block_on(get(&sim, "/api/v1/logs")).status, 200);
}

#[tokio::test]
async fn it_runs_until_it_is_stopped_from_elsewhere() {
    let sim = Sim::start(SimOptions::given("[]", "", NOW)).await.unwrap();
    let stopper = sim.stopper();
    let running = tokio::spawn(sim.run());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!running.is_finished());
    stopper.stop();
    tokio::time::timeout(Duration::from_secs(5), running)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn time_runs_as_fast_as_it_is_told_to() {
    let sim = Sim::start(SimOptions {
        time: Time::Runs {
            from: Some(NOW),
            speed: 3_600_000,
        },
        ..SimOptions::given("[]", "", 0)
    })
    .await
    .unwrap();
    let before = sim.now();
    assert!(before >= NOW);
    tokio::time::sleep(Duration::from_millis(5)).await;
    // An hour and more a millisecond.
    assert!(sim.now() - before >= 5 * 3_600_000);
}

#[tokio::test]
async fn an_organization_that_is_too_small_is_refused() {
    for (people, days) in [(49, 9), (50, 8)] {
        let refused = Sim::start(SimOptions {
            world: World::Organization {
                people,
                days,
                seed: 1,
            },
            ..SimOptions::default()
        })
        .await;
        assert_eq!(
            refused.unwrap_err().kind(),
            std::io::ErrorKind::InvalidInput
        );
    }
}
