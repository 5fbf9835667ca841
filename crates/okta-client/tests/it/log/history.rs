//! What was before, and what is new.

use af_model::UtcMillis;
use af_okta_client::log::Start;

use super::org::{four_days, is_first_poll, param};
use super::{Place, now, options};
use crate::scripted::Reply;

fn at(text: &str) -> UtcMillis {
    UtcMillis::parse(text).unwrap()
}

#[tokio::test]
async fn history_and_news_are_complete_and_nothing_falls_between_days() {
    let (place, org) = (Place::new(), four_days());
    let server = org.serve().await;
    let start = Start::At(at("2023-11-11T20:00:00Z"));
    let report = place.pull(&server, &options(start)).await.unwrap();
    // The late event is in the history already, because the server is asked after it was stored; and
    // the live stream begins ten minutes before the history ends.
    assert_eq!(place.distinct_ids(), org.ids());
    assert_eq!(place.ids().len(), org.ids().len() + 2);
    assert!(report.caught_up);
    assert_eq!(report.events, 15);
    // The news is later than the server's clock, and no later than that is believed.
    let span = (at("2023-11-11T23:59:59.999Z"), at("2023-11-14T22:13:20Z"));
    assert_eq!(report.span, Some(span));
    let status = place.status();
    assert_eq!(status.origin, server.url());
    let log = status.log;
    assert_eq!(log.since, Some(at("2023-11-11T20:00:00Z")));
    assert_eq!((log.history_days, log.history_days_done), (4, 4));
    assert_eq!((log.events, log.pages), (report.events, report.pages));
    assert_eq!(log.caught_up_at, Some(now()));
    assert_eq!(log.last_event, Some(span.1));
    assert_eq!(
        (log.restarts, log.failing_since, log.problem),
        (0, None, None)
    );
    let seen = server.seen();
    assert_eq!(log.cost.calls, seen.len() as u64);
    assert_eq!(place.times_caught_up(), 1);
    assert_eq!(place.warnings(), [""; 0]);

    // The clock, then the live stream, then days, the newest first; and days touch each other.
    assert_eq!(param(&seen[0], "sortOrder"), None);
    assert!(is_first_poll(&seen[1]));
    assert_eq!(
        param(&seen[1], "since").unwrap(),
        "2023-11-14T22:03:20.000Z"
    );
    let mut parts: Vec<(String, String)> = seen
        .iter()
        .filter(|seen| param(seen, "after").is_none())
        .filter_map(|seen| Some((param(seen, "since")?, param(seen, "until")?)))
        .collect();
    assert_eq!(parts.len(), 4);
    parts.sort();
    assert_eq!(parts[0].0, "2023-11-11T20:00:00.000Z");
    for pair in parts.windows(2) {
        assert_eq!(pair[0].1, pair[1].0);
    }
    assert_eq!(parts[3].1, "2023-11-14T22:13:20.000Z");
}

#[tokio::test]
async fn a_second_pull_asks_only_for_what_is_new() {
    let (place, org) = (Place::new(), four_days());
    let server = org.serve().await;
    let options = options(Start::At(at("2023-11-11T20:00:00Z")));
    place.pull(&server, &options).await.unwrap();
    let (before, calls) = (place.landed(), server.seen().len());
    org.add("2023-11-14T22:20:00Z", "2023-11-14T22:20:00Z");
    let report = place.pull(&server, &options).await.unwrap();
    assert_eq!(
        (report.events, report.pages, report.caught_up),
        (1, 1, true)
    );
    let after = place.landed();
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(place.distinct_ids(), org.ids());
    // Whether it asks once more behind a page with the latest news is of no matter.
    assert!(server.seen().len() <= calls + 2);
    let status = place.status().log;
    assert_eq!(status.cost.calls, server.seen().len() as u64);
    assert_eq!(status.events, 16);
    let nothing = place.pull(&server, &options).await.unwrap();
    assert_eq!(
        (nothing.events, nothing.pages, nothing.caught_up),
        (0, 0, true)
    );
}

#[tokio::test]
async fn an_integration_begins_with_the_clock_of_the_server() {
    let (place, org) = (Place::new(), four_days());
    // The server's clock is a day ahead of ours.
    let server = org
        .serve_but(|seen, number| {
            (number == 0 && param(seen, "sortOrder").is_none()).then(|| Reply::ok().date(86_400))
        })
        .await;
    place
        .pull(&server, &options(Start::Integration))
        .await
        .unwrap();
    let seen = server.seen();
    assert_eq!(
        param(&seen[1], "since").unwrap(),
        "2023-11-15T22:13:20.000Z"
    );
    assert_eq!(place.landed(), []);
    assert_eq!(place.status().log.history_days, 0);
    org.add("2023-11-15T22:14:00Z", "2023-11-15T22:14:00Z");
    place
        .pull(&server, &options(Start::Integration))
        .await
        .unwrap();
    assert_eq!(place.ids(), ["e0013"]);
}

#[tokio::test]
async fn as_much_as_okta_keeps_is_ninety_days_side_by_side() {
    let (place, org) = (Place::new(), four_days());
    let server = org.serve().await;
    place
        .pull(&server, &options(Start::Backfill))
        .await
        .unwrap();
    // 90 times 24 hours before 22:13 of a day touch 91 days.
    let log = place.status().log;
    assert_eq!((log.history_days, log.history_days_done), (91, 91));
    assert_eq!(place.distinct_ids(), org.ids());
    assert_eq!(place.warnings(), [""; 0]);
}

#[tokio::test]
async fn an_old_start_is_cut_and_said() {
    let (place, org) = (Place::new(), four_days());
    let server = org.serve().await;
    let start = Start::At(at("2020-01-01T00:00:00Z"));
    place.pull(&server, &options(start)).await.unwrap();
    let seen = server.seen();
    let earliest = seen.iter().filter_map(|seen| param(seen, "since")).min();
    // 180 days before 14 November are 18 May; an hour less.
    assert_eq!(earliest.unwrap(), "2023-05-18T23:13:20.000Z");
    assert!(place.warnings()[0].contains("keeps events for 90 days"));
}

#[tokio::test]
async fn a_busy_org_does_not_keep_a_pull_from_ending() {
    let (place, org) = (Place::new(), four_days());
    let busy = org.clone();
    // Whenever it is asked, something new has happened.
    let server = org
        .serve_but(move |_, number| {
            let instant = format!("2023-11-14T22:14:{:02}Z", number.min(59));
            busy.add(&instant, &instant);
            None
        })
        .await;
    let mut options = options(Start::Integration);
    options.page_size = 1000;
    let report = place.pull(&server, &options).await.unwrap();
    assert!(report.caught_up);
    assert!(server.seen().len() < 5, "{}", server.seen().len());
}

#[tokio::test]
async fn a_lost_cursor_overwrites_no_page_and_opens_no_gap() {
    for start in [Start::Integration, Start::At(at("2023-11-13T00:00:00Z"))] {
        let (place, org) = (Place::new(), four_days());
        let server = org.serve().await;
        place.pull(&server, &options(start)).await.unwrap();
        let before = place.landed();
        let wanted = place.distinct_ids();
        std::fs::remove_file(place.document("cursor")).unwrap();
        // While nobody fetched.
        org.add("2023-11-14T22:15:00Z", "2023-11-14T22:15:00Z");
        place.pull(&server, &options(start)).await.unwrap();
        let after = place.landed();
        for page in &before {
            assert!(after.contains(page), "{page:?}");
        }
        let all = place.distinct_ids();
        assert!(all.is_superset(&wanted));
        assert!(all.contains("e0013"), "{start:?}");
    }
}

#[tokio::test]
async fn a_damaged_or_newer_cursor_is_no_new_start() {
    let (place, org) = (Place::new(), four_days());
    let server = org.serve().await;
    let options = options(Start::Integration);
    place.pull(&server, &options).await.unwrap();
    let whole = std::fs::read_to_string(place.document("cursor")).unwrap();
    let calls = server.seen().len();
    for (text, said) in [
        (whole[..whole.len() / 2].to_owned(), "not the document"),
        (
            whole.replace("\"version\": 1", "\"version\": 2"),
            "newer program",
        ),
    ] {
        std::fs::write(place.document("cursor"), &text).unwrap();
        let error = place.pull(&server, &options).await.unwrap_err();
        assert_eq!(error.kind(), af_okta_client::ErrorKind::Store);
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.hint().is_some());
        let problem = place.status().log.problem.unwrap();
        assert!(problem.message.contains(said));
        assert_eq!(
            std::fs::read_to_string(place.document("cursor")).unwrap(),
            text
        );
    }
    assert_eq!(server.seen().len(), calls);
    std::fs::write(place.document("cursor"), whole).unwrap();
    place.pull(&server, &options).await.unwrap();
    assert_eq!(place.status().log.problem, None);
}
