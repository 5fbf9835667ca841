//! Answers that lead nowhere or cannot be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use af_model::UtcMillis;
use af_okta_client::ErrorKind;
use af_okta_client::log::Start;

use super::org::{four_days, is_first_poll, is_live_link, param};
use super::{Place, options};
use crate::scripted::Reply;

const EVENT: &str = r#"[{"uuid":"x1","published":"2023-11-14T10:00:00.000Z"}]"#;

fn next(after: &str) -> String {
    format!("</api/v1/logs?limit=2&after={after}>; rel=\"next\"")
}

#[tokio::test]
async fn a_live_log_without_a_link_to_go_on_is_an_error_that_keeps_its_events() {
    for body in [EVENT, "[]"] {
        let place = Place::new();
        let server = four_days()
            .serve_but(move |seen, _| is_first_poll(seen).then(|| Reply::json(200, body).date(0)))
            .await;
        let error = place
            .pull(&server, &options(Start::Integration))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotOkta);
        assert!(error.to_string().contains("no link to what comes next"));
        // The clock, then once and three times more.
        assert_eq!(server.seen().len(), 5);
        let landed: Vec<String> = place
            .landed()
            .into_iter()
            .map(|(_, _, text)| text)
            .collect();
        assert_eq!(landed, [EVENT.to_owned()][..usize::from(body == EVENT)]);
        // Once it leads on, the page comes again in its place.
        let server = four_days().serve().await;
        place
            .pull(&server, &options(Start::Integration))
            .await
            .unwrap();
        assert_eq!(place.ids(), ["e0009", "e0010", "e0011", "e0012"]);
    }
}

#[tokio::test]
async fn a_log_that_turns_in_circles_is_an_error() {
    // A link to itself, and two links to each other.
    for (first, second) in [("7", "7"), ("7", "8")] {
        let place = Place::new();
        let server = four_days()
            .serve_but(move |seen, _| {
                let reply = Reply::json(200, EVENT).date(0);
                match param(seen, "after").as_deref() {
                    Some("7") => Some(reply.header("link", next(second))),
                    Some("8") => Some(reply.header("link", next(first))),
                    _ if is_first_poll(seen) => Some(reply.header("link", next("7"))),
                    _ => None,
                }
            })
            .await;
        let error = place
            .pull(&server, &options(Start::Integration))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotOkta);
        assert!(error.to_string().contains("circles"), "{error}");
        assert!(server.seen().len() < 10);
        assert!(
            place
                .status()
                .log
                .problem
                .unwrap()
                .message
                .contains("circles")
        );
    }
}

#[tokio::test]
async fn a_day_that_turns_in_circles_is_an_error_and_the_live_stream_goes_on() {
    let place = Place::new();
    let org = four_days();
    let server = org
        .serve_but(|seen, _| {
            let until = param(seen, "until")?;
            until.starts_with("2023-11-13").then(|| {
                let link = format!("</api/v1/logs?limit=2&after=1&until={until}>; rel=\"next\"");
                Reply::json(200, EVENT).date(0).header("link", link)
            })
        })
        .await;
    let start = Start::At(UtcMillis::parse("2023-11-12T00:00:00Z").unwrap());
    let error = place.pull(&server, &options(start)).await.unwrap_err();
    assert!(error.to_string().contains("2023-11-12"), "{error}");
    assert!(error.to_string().contains("circles"), "{error}");
    let log = place.status().log;
    assert_eq!((log.history_days, log.history_days_done), (3, 2));
    let new = ["e0009", "e0010", "e0011", "e0012"].map(str::to_owned);
    assert!(place.distinct_ids().is_superset(&new.into()));
}

#[tokio::test]
async fn a_page_that_is_no_json_is_asked_for_again() {
    for body in ["[{]", "[1]", "{}", "[{}] [{}]", "nonsense", "[{\"a\":1,}]"] {
        let (place, org) = (Place::new(), four_days());
        let bad = AtomicUsize::new(0);
        let server = org
            .serve_but(move |seen, _| {
                (is_live_link(seen) && bad.fetch_add(1, Ordering::SeqCst) < 2)
                    .then(|| Reply::json(200, body).date(0).header("link", next("9")))
            })
            .await;
        let report = place
            .pull(&server, &options(Start::Integration))
            .await
            .unwrap();
        assert!(report.caught_up, "{body}");
        assert_eq!(place.ids(), ["e0009", "e0010", "e0011", "e0012"], "{body}");
        assert_eq!(place.waits().len(), 2, "{body}: {:?}", place.waits());
        assert_eq!(place.warnings(), [""; 0]);
    }
}

#[tokio::test]
async fn a_page_that_is_unreadable_for_an_hour_is_kept_as_it_is_and_the_log_goes_on() {
    let (place, org) = (Place::new(), four_days());
    let hour = Arc::new(AtomicI64::new(0));
    let later = Arc::clone(&hour);
    let server = org
        .serve_but(move |seen, _| {
            (is_live_link(seen) && param(seen, "after").as_deref() == Some("2")).then(|| {
                let link =
                    "</api/v1/logs?limit=2&since=2023-11-14T22:13:20.000Z&after=3>; rel=\"next\"";
                Reply::json(200, "[{\"uuid\":\"broken]")
                    .date(later.load(Ordering::SeqCst))
                    .header("link", link)
            })
        })
        .await;
    let pull = async || place.pull(&server, &options(Start::Integration)).await;
    // Until then it may mend: the cursor stays before it.
    for seconds in [0, 3_599] {
        hour.store(seconds, Ordering::SeqCst);
        assert_eq!(pull().await.unwrap_err().kind(), ErrorKind::NotOkta);
    }
    hour.store(3_600, Ordering::SeqCst);
    let report = pull().await.unwrap();
    assert!(report.caught_up);
    assert_eq!((report.events, report.pages), (1, 2));
    let texts: Vec<String> = place
        .landed()
        .into_iter()
        .map(|(_, _, text)| text)
        .collect();
    assert!(texts.contains(&"[{\"uuid\":\"broken]".to_owned()));
    assert!(texts.iter().any(|text| text.contains("e0012")));
    assert_eq!(place.warnings().len(), 1);
    assert!(!place.warnings()[0].contains("uuid"));
}

#[tokio::test]
async fn an_unreadable_page_that_leads_nowhere_is_an_error() {
    let place = Place::new();
    let server = four_days()
        .serve_but(|seen, _| is_first_poll(seen).then(|| Reply::json(200, "[{]").date(0)))
        .await;
    let error = place
        .pull(&server, &options(Start::Integration))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotOkta);
    // The clock, then once and three times more.
    assert_eq!(server.seen().len(), 5);
    assert_eq!(place.landed(), []);
}

#[tokio::test]
async fn an_event_from_the_far_future_decides_nothing() {
    let (place, org) = (Place::new(), four_days());
    org.add("9999-01-01T00:00:00Z", "2023-11-14T22:14:00Z");
    let refuse = AtomicUsize::new(0);
    let server = org
        .serve_but(move |seen, _| {
            // The link behind all events, the first time.
            (param(seen, "after").as_deref() == Some("5")
                && refuse.fetch_add(1, Ordering::SeqCst) == 0)
                .then(|| Reply::error(400, "E0000031"))
        })
        .await;
    let report = place
        .pull(&server, &options(Start::Integration))
        .await
        .unwrap();
    assert!(report.caught_up);
    assert_eq!(place.status().log.restarts, 1);
    let last = UtcMillis::parse("2023-11-14T22:13:20Z").unwrap();
    assert_eq!(place.status().log.last_event, Some(last));
    let seen = server.seen();
    let again = seen.iter().rfind(|seen| is_first_poll(seen)).unwrap();
    assert_eq!(param(again, "since").unwrap(), "2023-11-14T22:13:20.000Z");
}
