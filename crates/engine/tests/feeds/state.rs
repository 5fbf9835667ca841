//! What a run says about fetching.

use af_engine::run::News;
use af_model::feed::{FeedStatus, Problem};
use af_store::Snapshot;
use af_store::feed::STATUS;

use super::world::{World, at, event, user};

fn failing() -> FeedStatus {
    let mut status = FeedStatus::default();
    status.log.caught_up_at = Some(at("2026-11-18T02:00:00.000Z"));
    status.log.last_event = Some(at("2026-11-18T01:00:00.000Z"));
    (status.log.history_days, status.log.history_days_done) = (90, 88);
    status.log.failing_since = Some(at("2026-11-19T00:00:00.000Z"));
    status.log.problem = Some(Problem {
        message: "the token is not valid".to_owned(),
        ..Problem::default()
    });
    status
}

#[test]
fn the_manifest_says_how_fetching_fares_and_the_run_warns() {
    let world = World::new("");
    world.land(1, &[event("a")]);
    world.inventory(
        "2026-11-19T00:00:00Z",
        &[user("00u1", "ana@acme.example")],
        &[],
    );
    world.feed().write(STATUS, &failing()).unwrap();
    let report = world.run("2026-11-21T02:00:00.000Z");
    let snapshot = Snapshot::open(report.snapshot.as_ref().unwrap()).unwrap();
    let [state] = snapshot.manifest().run.integrations.as_slice() else {
        panic!("{:?}", snapshot.manifest().run);
    };
    assert_eq!(*report.integrations, *std::slice::from_ref(state));
    assert_eq!(
        (state.tenant.as_str(), state.integration.as_str()),
        ("acme", "prod")
    );
    assert_eq!(state.caught_up_at, failing().log.caught_up_at);
    assert_eq!((state.history_days, state.history_days_done), (90, 88));
    assert_eq!(state.failing_since, failing().log.failing_since);
    assert_eq!(state.problem.as_deref(), Some("the token is not valid"));
    let said = report.tenants["acme"].warnings.join("\n");
    for word in [
        "fetching events of prod fails since 2026-11-19",
        "88 of 90 days",
        "credential key expires on 2026-12-04",
    ] {
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn the_gate_asks_when_an_integration_last_caught_up() {
    // 72 hours ago, and 48 are allowed.
    let world = World::new("");
    world.land(1, &[event("a")]);
    world.inventory(
        "2026-11-19T00:00:00Z",
        &[user("00u1", "ana@acme.example")],
        &[],
    );
    world.feed().write(STATUS, &failing()).unwrap();
    let report = world.try_run("2026-11-21T02:00:00.000Z", true).unwrap();
    let reason = "gate feed_age_hours of feed okta/prod: 72, limit 48";
    assert_eq!(report.left_out["acme"], reason);
    let mut status = failing();
    status.log.caught_up_at = Some(at("2026-11-21T01:00:00.000Z"));
    world.feed().write(STATUS, &status).unwrap();
    let report = world.try_run("2026-11-21T02:00:00.000Z", true).unwrap();
    assert!(report.left_out.is_empty(), "{:?}", report.left_out);
}

#[test]
fn a_plan_shows_what_waits_and_writes_nothing() {
    let world = World::new("");
    world.land(1, &[event("a")]);
    world.land(2, &[event("b")]);
    world.inventory(
        "2026-11-19T00:00:00Z",
        &[user("00u1", "ana@acme.example")],
        &[],
    );
    let shown = |plan: &af_engine::run::Plan| -> Vec<(String, News, bool)> {
        let files = plan.tenants[0].files.iter();
        files
            .map(|file| {
                (
                    format!("{} {}", file.stage, file.file),
                    file.news,
                    file.read,
                )
            })
            .collect()
    };
    let plan = world.plan("2026-11-21T02:00:00.000Z");
    let people = "people feeds/acme/prod/inventory/2026-11-19T000000.000Z".to_owned();
    let page = |n| format!("normalize feeds/acme/prod/log/live-1-{n}.json.zst");
    assert_eq!(
        shown(&plan),
        [
            (people.clone(), News::New, true),
            (page(1), News::New, true),
            (page(2), News::New, true),
        ]
    );
    assert!(plan.tenants[0].files.iter().all(|file| file.bytes > 0));
    assert_eq!(world.waiting(), 2);
    world.run("2026-11-21T02:00:00.000Z");
    assert_eq!(
        shown(&world.plan("2026-11-21T03:00:00.000Z")),
        [(people, News::Same, false)]
    );
}

#[test]
fn an_org_that_was_asked_and_had_no_event_is_an_answer() {
    let world = World::new("");
    world.inventory(
        "2026-11-19T00:00:00Z",
        &[user("00u1", "ana@acme.example")],
        &[],
    );
    let refused = world.try_run("2026-11-21T02:00:00.000Z", false);
    assert!(refused.is_err(), "nobody ever asked it");
    let mut status = FeedStatus::default();
    status.log.caught_up_at = Some(at("2026-11-21T01:00:00.000Z"));
    world.feed().write(STATUS, &status).unwrap();
    let report = world.run("2026-11-21T02:00:00.000Z");
    assert!(report.published);
    let entry = report.tenants["acme"].entry.as_ref().unwrap();
    assert_eq!(entry.population.values().sum::<u64>(), 1);
}
