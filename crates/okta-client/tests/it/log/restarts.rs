//! Links that Okta does not take any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use af_model::UtcMillis;
use af_okta_client::ErrorKind;
use af_okta_client::log::Start;

use super::org::{four_days, is_first_poll, is_live_link, param};
use super::{Place, options};
use crate::scripted::Reply;

fn old() -> Start {
    Start::At(UtcMillis::parse("2023-11-12T00:00:00Z").unwrap())
}

#[tokio::test]
async fn a_refused_link_begins_the_next_stream_with_an_overlap() {
    for (status, code) in [
        (400, "E0000031"),
        (400, "E0000053"),
        (404, "E0000007"),
        (410, "E0000007"),
    ] {
        let (place, org) = (Place::new(), four_days());
        let stale = Arc::new(AtomicBool::new(false));
        let refuse = Arc::clone(&stale);
        let server = org
            .serve_but(move |seen, _| {
                (is_live_link(seen) && refuse.swap(false, Ordering::SeqCst))
                    .then(|| Reply::error(status, code))
            })
            .await;
        let options = options(old());
        place.pull(&server, &options).await.unwrap();
        org.add("2023-11-14T22:23:00Z", "2023-11-14T22:23:00Z");
        org.add("2023-11-14T20:00:00Z", "2023-11-14T22:23:01Z");
        stale.store(true, Ordering::SeqCst);
        let report = place.pull(&server, &options).await.unwrap();
        assert!(report.caught_up);
        let asked_again = || {
            let seen = server.seen();
            param(
                seen.iter().rfind(|seen| is_first_poll(seen)).unwrap(),
                "since",
            )
            .unwrap()
        };
        // By the server's clock it is 22:13:20: what is later moves nothing. Ten minutes less.
        assert_eq!(asked_again(), "2023-11-14T22:03:20.000Z");
        let landed = place.landed();
        assert!(
            landed
                .iter()
                .any(|(stream, number, _)| stream == "live-2" && *number == 1)
        );
        let ids = place.distinct_ids();
        assert!(ids.contains("e0013") && ids.contains("e0014"), "{ids:?}");
        assert_eq!(place.status().log.restarts, 1);
        let warning = place.warnings().remove(0);
        assert!(warning.contains(&format!("{status}, {code}")), "{warning}");
        assert!(!warning.contains("after="), "{warning}");
        // Another time.
        stale.store(true, Ordering::SeqCst);
        place.pull(&server, &options).await.unwrap();
        assert_eq!(place.status().log.restarts, 2);
    }
}

#[tokio::test]
async fn an_overlap_reaches_no_further_back_than_what_is_wanted() {
    let (place, org) = (Place::new(), four_days());
    let refused = AtomicUsize::new(0);
    let server = org
        .serve_but(move |seen, _| {
            (is_live_link(seen) && refused.fetch_add(1, Ordering::SeqCst) == 1)
                .then(|| Reply::error(404, "E0000007"))
        })
        .await;
    place
        .pull(&server, &options(Start::Integration))
        .await
        .unwrap();
    let seen = server.seen();
    let firsts: Vec<_> = seen.iter().filter(|seen| is_first_poll(seen)).collect();
    assert_eq!(firsts.len(), 2);
    assert_eq!(
        param(firsts[1], "since").unwrap(),
        "2023-11-14T22:13:20.000Z"
    );
}

#[tokio::test]
async fn a_link_that_is_always_refused_is_an_error_and_heals_by_itself() {
    let (place, org) = (Place::new(), four_days());
    let broken = Arc::new(AtomicBool::new(true));
    let refuse = Arc::clone(&broken);
    let server = org
        .serve_but(move |seen, _| {
            (is_live_link(seen) && refuse.load(Ordering::SeqCst))
                .then(|| Reply::error(400, "E0000031"))
        })
        .await;
    let options = options(Start::Integration);
    let error = place.pull(&server, &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(
        (error.status(), error.code()),
        (Some(400), Some("E0000031"))
    );
    let calls = server.seen().len();
    assert!(calls < 8, "{calls}");
    let log = place.status().log;
    assert!(log.failing_since.is_some() && log.caught_up_at.is_none());
    assert_eq!(log.problem.unwrap().code.as_deref(), Some("E0000031"));
    broken.store(false, Ordering::SeqCst);
    assert!(place.pull(&server, &options).await.unwrap().caught_up);
    let log = place.status().log;
    assert_eq!((log.failing_since, log.problem), (None, None));
    let new = ["e0009", "e0010", "e0011", "e0012"].map(str::to_owned);
    assert!(place.distinct_ids().is_superset(&new.into()));
}

#[tokio::test]
async fn a_day_whose_link_is_refused_is_fetched_once_more() {
    let (place, org) = (Place::new(), four_days());
    let refused = AtomicUsize::new(0);
    let server = org
        .serve_but(move |seen, _| {
            let is_day_link = param(seen, "after").is_some() && param(seen, "until").is_some();
            (is_day_link && refused.fetch_add(1, Ordering::SeqCst) == 0)
                .then(|| Reply::error(400, "E0000053"))
        })
        .await;
    let report = place.pull(&server, &options(old())).await.unwrap();
    assert!(report.caught_up);
    let mut expected = org.ids();
    expected.remove("e0000");
    assert_eq!(place.distinct_ids(), expected);
    assert_eq!(place.status().log.restarts, 1);
}

#[tokio::test]
async fn a_day_that_cannot_be_had_keeps_nothing_else_away() {
    let (place, org) = (Place::new(), four_days());
    let server = org
        .serve_but(|seen, _| {
            let is_thirteenth =
                param(seen, "since").is_some_and(|since| since.starts_with("2023-11-13"));
            (is_thirteenth && param(seen, "until").is_some()).then(|| Reply::error(400, "E0000001"))
        })
        .await;
    let error = place.pull(&server, &options(old())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let log = place.status().log;
    assert_eq!((log.history_days, log.history_days_done), (3, 2));
    assert!(log.failing_since.is_some() && log.problem.is_some());
    // Not everything before now is here.
    assert_eq!(log.caught_up_at, None);
    let mut expected = org.ids();
    expected.remove("e0000");
    expected.remove("e0005");
    assert_eq!(place.distinct_ids(), expected);
    let server = org.serve().await;
    // The stored links name the port of the server that gave them.
    let cursor = std::fs::read_to_string(place.document("cursor")).unwrap();
    let port = cursor.find("http://127.0.0.1:").unwrap();
    let old_url = cursor[port..].split("/api").next().unwrap().to_owned();
    std::fs::write(
        place.document("cursor"),
        cursor.replace(&old_url, server.url()),
    )
    .unwrap();
    assert!(
        place
            .pull(&server, &options(old()))
            .await
            .unwrap()
            .caught_up
    );
    assert!(place.distinct_ids().contains("e0005"));
}

#[tokio::test]
async fn an_org_that_moved_to_another_address_goes_on_there() {
    let (place, org) = (Place::new(), four_days());
    let options = options(old());
    // Half of the history is here when the org gets another name.
    let before = org
        .serve_but(|seen, number| {
            (number > 3 && param(seen, "until").is_some()).then(|| Reply::error(403, "E0000006"))
        })
        .await;
    place.pull(&before, &options).await.unwrap_err();
    let called = before.seen().len();
    org.add("2023-11-14T22:30:00Z", "2023-11-14T22:30:00Z");
    let after = org.serve().await;
    let report = place.pull(&after, &options).await.unwrap();
    assert!(report.caught_up);
    let wanted = UtcMillis::parse("2023-11-12T00:00:00Z").unwrap();
    assert_eq!(place.status().log.since, Some(wanted));
    // All but the one that is older than the start.
    let mut ids = org.ids();
    ids.remove("e0000");
    assert_eq!(place.distinct_ids(), ids);
    assert_eq!(before.seen().len(), called, "the old address was called");
    assert!(
        place
            .warnings()
            .iter()
            .any(|said| said.contains("another address"))
    );
    assert_eq!(place.status().log.problem, None);
}
