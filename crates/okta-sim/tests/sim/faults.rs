//! What goes wrong on command, limits, and the commands themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use af_okta_sim::{Fault, Lateness, RandomFaults, Rule, Sim, SimOptions};

use crate::client::{Got, NOW, SECOND, command, events, get, get_as, instant, plain};

const LOGS: &str = "/api/v1/logs";

async fn start() -> Sim {
    let published: Vec<i64> = (0..10).map(|n| NOW - 10 * SECOND + n * SECOND).collect();
    Sim::start(SimOptions {
        lateness: Lateness::NONE,
        ..SimOptions::given("[]", events(&published), NOW)
    })
    .await
    .unwrap()
}

/// One call with one fault, and that the next one is as it should be.
async fn struck(fault: Fault) -> Got {
    let sim = start().await;
    sim.faults().add(Rule::new(fault).on(LOGS).once());
    let got = get(&sim, LOGS).await;
    assert_eq!(get(&sim, LOGS).await.ids("uuid").len(), 10);
    assert_eq!(sim.stats().faults, 1);
    got
}

fn limits(got: &Got, name: &str) -> Vec<i64> {
    let values = got.headers.get_all(name).iter();
    values
        .map(|value| value.to_str().unwrap().parse().unwrap())
        .collect()
}

#[tokio::test]
async fn every_429_says_what_its_kind_says() {
    let now = NOW / 1000;
    let names = [
        "x-rate-limit-limit",
        "x-rate-limit-remaining",
        "x-rate-limit-reset",
    ];
    for (fault, expected) in [
        (
            Fault::RateLimit { seconds: 7 },
            [vec![120], vec![0], vec![now + 7]],
        ),
        (Fault::ConcurrencyLimit, [vec![0], vec![0], vec![now + 1]]),
        (Fault::RateLimitWithoutHeaders, [vec![], vec![], vec![]]),
        (
            Fault::RateLimitTwice { seconds: 7 },
            [vec![1200, 120], vec![700, 0], vec![now + 67, now + 7]],
        ),
    ] {
        let got = struck(fault.clone()).await;
        assert_eq!((got.status, got.code().as_str()), (429, "E0000047"));
        assert_eq!(names.map(|name| limits(&got, name)), expected, "{fault:?}");
        assert_eq!(got.header("date"), "Fri, 20 Nov 2026 12:00:00 GMT");
    }
    let got = struck(Fault::RetryAfter { seconds: 3 }).await;
    assert_eq!((got.status, got.header("retry-after")), (429, "3"));
}

#[tokio::test]
async fn refusals_and_failures_have_oktas_bodies() {
    for (fault, status, code) in [
        (Fault::Status { status: 500 }, 500, "E0000009"),
        (Fault::Status { status: 503 }, 503, "E0000010"),
        (Fault::Status { status: 501 }, 501, "E0000060"),
        (Fault::Forbidden, 403, "E0000006"),
        (Fault::NotEnabled, 401, "E0000015"),
        (Fault::NotFound, 404, "E0000007"),
        (Fault::BadRequest, 400, "E0000001"),
    ] {
        let got = struck(fault).await;
        assert_eq!((got.status, got.code().as_str()), (status, code));
    }
}

#[tokio::test]
async fn bodies_come_broken() {
    let page = struck(Fault::LoginPage).await;
    assert!(page.status == 200 && page.text.starts_with("<!DOCTYPE html>"));
    assert!(page.header("content-type").starts_with("text/html"));
    let half = struck(Fault::BrokenJson).await;
    assert!(half.status == 200 && serde_json::from_str::<serde_json::Value>(&half.text).is_err());

    let sim = start().await;
    let call = || {
        plain()
            .get(format!("{}{LOGS}", sim.url()))
            .header("authorization", format!("SSWS {}", SimOptions::TOKEN))
    };
    sim.faults().add(Rule::new(Fault::Cut).once());
    let cut = call().send().await.unwrap();
    assert_eq!(cut.status(), 200);
    assert!(cut.bytes().await.is_err(), "the body ends in the middle");
    sim.faults().add(Rule::new(Fault::Drop).once());
    assert!(call().send().await.is_err(), "there is no answer");
    sim.faults()
        .add(Rule::new(Fault::Slow { millis: 400 }).once());
    let slow = call().send().await.unwrap();
    let hurried = tokio::time::timeout(Duration::from_millis(100), slow.bytes()).await;
    assert!(hurried.is_err(), "a slow body takes its time");
    sim.faults()
        .add(Rule::new(Fault::Slow { millis: 20 }).once());
    assert_eq!(get(&sim, LOGS).await.ids("uuid").len(), 10);
}

#[tokio::test]
async fn pages_repeat_and_mix_events_and_lead_astray() {
    let sim = start().await;
    let first = get(&sim, "/api/v1/logs?limit=4").await;
    let next = first.link("next").unwrap();
    sim.faults()
        .add(Rule::new(Fault::Repeat { events: 2 }).once());
    let repeated = get(&sim, &next).await;
    assert_eq!(repeated.ids("uuid"), ["e2", "e3", "e4", "e5", "e6", "e7"]);
    let rest = get(&sim, &repeated.link("next").unwrap()).await;
    assert_eq!(rest.ids("uuid"), ["e8", "e9"]);

    sim.faults().add(Rule::new(Fault::Shuffle).once());
    let mixed = get(&sim, LOGS).await;
    let mut ids = mixed.ids("uuid");
    assert!(!ids.is_sorted());
    ids.sort();
    assert_eq!(ids, get(&sim, LOGS).await.ids("uuid"));
    assert_eq!(get(&sim, &mixed.link("next").unwrap()).await.text, "[]");

    sim.faults().add(Rule::new(Fault::hostile_next()).once());
    let astray = get(&sim, "/api/v1/logs?limit=4")
        .await
        .link("next")
        .unwrap();
    assert!(
        astray.starts_with("https://collector.example/api/v1/logs?"),
        "{astray}"
    );
    sim.faults().add(Rule::new(Fault::redirect()).once());
    let redirect = get(&sim, LOGS).await;
    assert_eq!(redirect.status, 302);
    assert!(
        redirect
            .header("location")
            .starts_with("https://collector.example/")
    );

    sim.faults().add(Rule::new(Fault::StaleCursor).once());
    assert_eq!(get(&sim, LOGS).await.status, 200);
    let stale = get(&sim, &next).await;
    assert_eq!((stale.status, stale.code().as_str()), (400, "E0000001"));
}

#[tokio::test]
async fn limits_are_counted_and_their_windows_end() {
    let options = |limit_window| SimOptions {
        logs_per_minute: 3,
        limit_window,
        ..SimOptions::given("[]", "", NOW)
    };
    let sim = Sim::start(options(Duration::from_mins(1))).await.unwrap();
    // Whoever is not let in does not count.
    get_as(&sim, LOGS, Some("SSWS wrong"), &[]).await;
    let mut left = Vec::new();
    for _ in 0..3 {
        let got = get(&sim, LOGS).await;
        assert_eq!(got.header("x-rate-limit-limit"), "3");
        left.push(got.header("x-rate-limit-remaining").to_owned());
        let reset: i64 = got.header("x-rate-limit-reset").parse().unwrap();
        assert!((1..=60).contains(&(reset - NOW / 1000)), "{reset}");
    }
    assert_eq!(left, ["2", "1", "0"]);
    let refused = get(&sim, LOGS).await;
    assert_eq!(
        (refused.status, refused.header("x-rate-limit-remaining")),
        (429, "0")
    );
    assert!(refused.header("x-okta-request-id").starts_with("Req"));
    // Another bucket has another limit, and calls left.
    let users = get(&sim, "/api/v1/users").await;
    assert_eq!(users.header("x-rate-limit-limit"), "15");
    assert_eq!(users.header("x-rate-limit-remaining"), "14");

    let sim = Sim::start(options(Duration::from_millis(1))).await.unwrap();
    for _ in 0..4 {
        assert_eq!(get(&sim, LOGS).await.header("x-rate-limit-remaining"), "2");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn commands_come_over_http_from_the_loopback_only() {
    let sim = start().await;
    let help = command(&sim, "GET", "/sim", "").await.json();
    assert!(help.as_object().unwrap().len() >= 9);
    let rule = r#"{"on":"/api/v1/logs","times":1,"fault":{"kind":"status","status":503}}"#;
    assert_eq!(command(&sim, "POST", "/sim/faults", rule).await.status, 200);
    assert_eq!(get(&sim, LOGS).await.status, 503);
    let chance = r#"{"seed":1,"per_mille":1000,"faults":[{"kind":"forbidden"}]}"#;
    assert_eq!(
        command(&sim, "POST", "/sim/faults/random", chance)
            .await
            .status,
        200
    );
    assert_eq!(get(&sim, LOGS).await.status, 403);
    assert_eq!(command(&sim, "DELETE", "/sim/faults", "").await.status, 200);
    assert_eq!(get(&sim, LOGS).await.status, 200);

    let to = format!("{{\"to\":\"{}\"}}", instant(NOW + 60 * SECOND));
    let moved = command(&sim, "POST", "/sim/clock", &to).await.json();
    assert_eq!(moved["now"], instant(NOW + 60 * SECOND));
    let back = format!("{{\"to\":\"{}\"}}", instant(NOW));
    assert_eq!(command(&sim, "POST", "/sim/clock", &back).await.status, 400);
    command(&sim, "POST", "/sim/clock", "{\"advance_millis\":500}").await;
    assert_eq!(sim.now(), NOW + 60 * SECOND + 500);

    let added = command(
        &sim,
        "POST",
        "/sim/append",
        "{\"events\":[{\"eventType\":\"x\"}]}",
    )
    .await;
    assert_eq!(added.json()["added"], 1);
    let last = get(&sim, LOGS).await.json()[10].clone();
    assert_eq!(last["published"], instant(NOW + 60 * SECOND + 500));
    assert!(last["uuid"].as_str().unwrap().len() == 36);
    assert_eq!(command(&sim, "POST", "/sim/nonce", "").await.status, 200);

    let stats = command(&sim, "GET", "/sim/stats", "").await.json();
    assert_eq!(stats["calls"]["GET /api/v1/logs"], 4);
    assert_eq!(
        (&stats["answers"]["200"], &stats["faults"]),
        (&2.into(), &2.into())
    );
    assert_eq!(stats["events_served"], 10 + 11);

    for (method, path, body, status) in [
        ("POST", "/sim/faults", "{}", 400),
        ("POST", "/sim/faults", r#"{"fault":{"kind":"x"}}"#, 400),
        ("POST", "/sim/append", "{\"events\":[1]}", 400),
        (
            "POST",
            "/sim/append",
            "{\"events\":[{\"published\":\"x\"}]}",
            400,
        ),
        ("POST", "/sim/nothing", "", 404),
    ] {
        assert_eq!(
            command(&sim, method, path, body).await.status,
            status,
            "{path} {body}"
        );
    }
    let elsewhere = plain()
        .get(format!("{}/sim/stats", sim.url()))
        .header("host", "attacker.example");
    assert_eq!(elsewhere.send().await.unwrap().status(), 403);
    assert_eq!(command(&sim, "GET", "/api/v1/logs", "").await.status, 401);
    assert_eq!(
        command(&sim, "DELETE", "/api/v1/logs", "").await.status,
        405
    );
}

#[tokio::test]
async fn a_test_is_told_at_the_nth_call() {
    let sim = start().await;
    let told = Arc::new(AtomicU64::new(0));
    let of_watcher = Arc::clone(&told);
    sim.on_call(move |number, path| {
        assert_eq!(path, LOGS);
        of_watcher.store(number, Ordering::SeqCst);
    });
    let mut calls = sim.calls();
    get(&sim, LOGS).await;
    get(&sim, LOGS).await;
    assert_eq!(*calls.wait_for(|calls| *calls >= 2).await.unwrap(), 2);
    assert_eq!(told.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn chance_strikes_over_http_and_the_log_still_comes_whole() {
    let sim = start().await;
    sim.faults().random(RandomFaults {
        seed: 5,
        per_mille: 400,
        on: String::new(),
        faults: vec![
            Fault::Status { status: 500 },
            Fault::BrokenJson,
            Fault::Repeat { events: 3 },
            Fault::StaleCursor,
        ],
        at_most: None,
    });
    let mut target = "/api/v1/logs?limit=2".to_owned();
    let mut seen = Vec::new();
    for _ in 0..200 {
        let got = get(&sim, &target).await;
        let page: Option<serde_json::Value> = serde_json::from_str(&got.text).ok();
        if let (200, Some(_), Some(next)) = (got.status, page, got.link("next")) {
            seen.extend(got.ids("uuid"));
            target = next;
        }
    }
    assert!(sim.faults().struck() > 20);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 10);
}
