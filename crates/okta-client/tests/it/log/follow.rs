//! Following the log: pauses, failures that pass, failures that do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use af_model::UtcMillis;
use af_okta_client::log::{PullOptions, PullReport, Start, pull};
use af_okta_client::{Error, ErrorKind, Stopper};

use super::org::four_days;
use super::{Place, name, options};
use crate::scripted::{Reply, Scripted};

fn following() -> PullOptions {
    let start = UtcMillis::parse("2023-11-12T00:00:00Z").unwrap();
    PullOptions {
        follow: Some(Duration::from_millis(5)),
        ..options(Start::At(start))
    }
}

/// Follows until `is_enough`, then asks to stop.
async fn follow_until(
    place: &Place,
    server: &Scripted,
    mut is_enough: impl FnMut() -> bool,
) -> Result<PullReport, Error> {
    let (stopper, stop) = Stopper::new();
    let client = place.client(server, stop);
    let feed = place.store.feed(&name()).unwrap();
    let options = following();
    let pulling = pull(&client, &feed, &options);
    let watching = async {
        while !is_enough() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stopper.stop();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        report = pulling => report,
        () = watching => unreachable!(),
    }
}

#[tokio::test]
async fn it_goes_on_after_an_empty_page_until_asked_to_stop() {
    let (place, org) = (Place::new(), four_days());
    let server = org.serve().await;
    let mut step = 0;
    let report = follow_until(&place, &server, || {
        let landed = place.distinct_ids();
        if step == 0 && landed.len() == 12 && place.times_caught_up() == 1 {
            step = 1;
            org.add("2023-11-14T22:30:00Z", "2023-11-14T22:30:00Z");
        }
        landed.contains("e0013") && place.times_caught_up() == 2
    })
    .await
    .unwrap();
    assert!(report.caught_up);
    assert!(place.waits().iter().all(|why| why == "nothing new"));
    let log = place.status().log;
    assert_eq!(log.events, report.events);
    assert_eq!(log.history_days_done, 3);
}

#[tokio::test]
async fn a_service_that_fails_for_a_while_ends_nothing() {
    let (place, org) = (Place::new(), four_days());
    let fails = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let server = org
        .serve_but(move |_, _| {
            failing
                .load(Ordering::SeqCst)
                .then(|| Reply::error(503, "E0000010"))
        })
        .await;
    let mut had_problem = false;
    let report = follow_until(&place, &server, || {
        if !had_problem && place.document("status").exists() {
            let log = place.status().log;
            assert_eq!(log.problem.unwrap().code.as_deref(), Some("E0000010"));
            assert!(log.failing_since.is_some());
            had_problem = true;
            fails.store(false, Ordering::SeqCst);
        }
        place.times_caught_up() > 0
    })
    .await
    .unwrap();
    assert!(had_problem && report.caught_up);
    let log = place.status().log;
    assert_eq!((log.problem, log.failing_since), (None, None));
    assert!(
        place
            .waits()
            .iter()
            .any(|why| why == "trying again after a failure")
    );
    assert!(place.warnings()[0].contains("trying again"));
}

#[tokio::test]
async fn a_failure_that_waiting_does_not_heal_ends_it() {
    for (status, code, kind) in [
        (401, "E0000011", ErrorKind::Unauthorized),
        (403, "E0000006", ErrorKind::Forbidden),
    ] {
        let (place, org) = (Place::new(), four_days());
        let fails = Arc::new(AtomicBool::new(false));
        let failing = Arc::clone(&fails);
        let server = org
            .serve_but(move |_, _| {
                failing
                    .load(Ordering::SeqCst)
                    .then(|| Reply::error(status, code))
            })
            .await;
        let error = follow_until(&place, &server, || {
            if place.times_caught_up() > 0 {
                fails.store(true, Ordering::SeqCst);
            }
            false
        })
        .await
        .unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(
            place.status().log.problem.unwrap().code.as_deref(),
            Some(code)
        );
        // What was there stays there, and how long ago it was whole is still said.
        assert!(place.status().log.caught_up_at.is_some());
    }
    let place = Place::new();
    let server = four_days()
        .serve_but(|_, _| {
            Some(Reply::ok().header("link", "<https://evil.example/api/v1/logs>; rel=\"next\""))
        })
        .await;
    let error = follow_until(&place, &server, || false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForeignLink);
}

#[tokio::test]
async fn a_day_that_fails_does_not_hold_up_what_is_new() {
    let (place, org) = (Place::new(), four_days());
    let fails = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let server = org
        .serve_but(move |seen, _| {
            let is_day = super::org::param(seen, "until").is_some();
            (is_day && failing.load(Ordering::SeqCst)).then(|| Reply::error(400, "E0000001"))
        })
        .await;
    let mut step = 0;
    follow_until(&place, &server, || {
        if step == 0 && place.distinct_ids().contains("e0012") && !place.warnings().is_empty() {
            // Nothing of the history is here, so nothing is caught up.
            assert_eq!(place.times_caught_up(), 0);
            org.add("2023-11-14T22:30:00Z", "2023-11-14T22:30:00Z");
            step = 1;
        }
        if step == 1 && place.distinct_ids().contains("e0013") {
            assert!(place.status().log.problem.is_some());
            fails.store(false, Ordering::SeqCst);
            step = 2;
        }
        place.times_caught_up() > 0
    })
    .await
    .unwrap();
    assert_eq!(step, 2);
    let mut expected = org.ids();
    expected.remove("e0000");
    assert_eq!(place.distinct_ids(), expected);
    assert_eq!(place.status().log.problem, None);
}
