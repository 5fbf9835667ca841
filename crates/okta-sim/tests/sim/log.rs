//! `GET /api/v1/logs`: every event once, in both modes, whatever the page.

use std::collections::BTreeSet;
use std::time::Duration;

use af_okta_sim::{Lateness, LinkStyle, Sim, SimOptions};
use proptest::prelude::*;
use serde_json::json;

use crate::client::{DAY, NOW, SECOND, all, event, events, get, get_as, instant, pages};

fn options(published: &[i64]) -> SimOptions {
    SimOptions {
        lateness: Lateness::NONE,
        ..SimOptions::given("[]", events(published), NOW)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

/// Ids in text order, so that they can be compared as sets.
fn names(count: usize) -> BTreeSet<String> {
    (0..count).map(|id| format!("e{id}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn polling_brings_every_event_once_however_late_it_is(
        ages in proptest::collection::vec(0_i64..6 * DAY, 0..120),
        limit in 1_usize..40,
        usual in 0_u64..5_000,
        late in 0_u32..300,
        steps in proptest::collection::vec(1_u64..4 * 3600, 1..5),
    ) {
        let published: Vec<i64> = ages.iter().map(|age| NOW - age).collect();
        let options = SimOptions {
            lateness: Lateness {
                usual: Duration::from_millis(usual),
                late_per_mille: late,
                latest: Duration::from_hours(3),
            },
            ..options(&published)
        };
        runtime().block_on(async {
            let sim = Sim::start(options).await.unwrap();
            let since = instant(NOW - 7 * DAY);
            let mut target = format!("/api/v1/logs?since={since}&limit={limit}");
            let mut seen = Vec::new();
            // Polls until it has caught up, then again when time has passed.
            for step in steps.into_iter().chain([4 * 3600]) {
                sim.advance(Duration::from_secs(step));
                for page in pages(&sim, &target).await {
                    seen.extend(page.ids("uuid"));
                    target = page.link("next").expect("polling never ends");
                }
            }
            let once: BTreeSet<String> = seen.iter().cloned().collect();
            assert_eq!(once.len(), seen.len(), "an event came twice");
            assert_eq!(once, names(published.len()));
        });
    }

    #[test]
    fn bounded_windows_part_the_log(
        ages in proptest::collection::vec(1_i64..5 * DAY, 0..80),
        cuts in proptest::collection::btree_set(1_i64..5 * DAY, 0..4),
        limit in 1_usize..20,
        descending: bool,
    ) {
        let published: Vec<i64> = ages.iter().map(|age| NOW - age).collect();
        let mut bounds: Vec<i64> = cuts.into_iter().map(|age| NOW - age).collect();
        bounds.extend([NOW - 5 * DAY, NOW]);
        bounds.sort_unstable();
        let order = if descending { "DESCENDING" } else { "ASCENDING" };
        runtime().block_on(async {
            let sim = Sim::start(options(&published)).await.unwrap();
            let mut seen = Vec::new();
            for window in bounds.windows(2) {
                let target = format!(
                    "/api/v1/logs?since={}&until={}&sortOrder={order}&limit={limit}",
                    instant(window[0]),
                    instant(window[1]),
                );
                let pages = pages(&sim, &target).await;
                assert!(pages.last().unwrap().link("next").is_none(), "the last page has no next");
                let mut times: Vec<String> = Vec::new();
                for page in &pages {
                    seen.extend(page.ids("uuid"));
                    times.extend(page.ids("published"));
                }
                if descending {
                    times.reverse();
                }
                assert!(times.is_sorted(), "{times:?}");
                let (low, high) = (instant(window[0]), instant(window[1]));
                assert!(times.iter().all(|time| low <= *time && *time < high));
            }
            let once: BTreeSet<String> = seen.iter().cloned().collect();
            assert_eq!(once.len(), seen.len(), "an event is in two windows");
            assert_eq!(once, names(published.len()));
        });
    }
}

#[tokio::test]
async fn polling_always_has_a_next_and_a_bounded_query_ends() {
    let sim = Sim::start(options(&[NOW - 2 * SECOND, NOW - SECOND]))
        .await
        .unwrap();
    let polled = get(&sim, "/api/v1/logs?limit=5").await;
    assert_eq!(polled.ids("uuid"), ["e0", "e1"]);
    let empty = get(&sim, &polled.link("next").unwrap()).await;
    assert_eq!(empty.text, "[]");
    // An empty page leads to itself, and to what comes later.
    let again = empty.link("next").unwrap();
    sim.append(vec![json!({ "uuid": "new" })], None).unwrap();
    assert_eq!(get(&sim, &again).await.ids("uuid"), ["new"]);

    let until = instant(NOW + SECOND);
    let bounded = get(&sim, &format!("/api/v1/logs?until={until}&limit=2")).await;
    let last = get(&sim, &bounded.link("next").unwrap()).await;
    assert_eq!(last.ids("uuid"), ["new"]);
    assert_eq!(last.link("next"), None);
    assert!(last.link("self").is_some());
    // A page that is full and the last one has no next either.
    let whole = get(&sim, &format!("/api/v1/logs?until={until}&limit=3")).await;
    assert_eq!((whole.ids("uuid").len(), whole.link("next")), (3, None));
}

#[tokio::test]
async fn a_late_event_is_polled_but_missed_by_the_window_that_was_read_before() {
    let sim = Sim::start(options(&[NOW - 10 * SECOND, NOW - 5 * SECOND]))
        .await
        .unwrap();
    let polled = get(&sim, "/api/v1/logs").await;
    let late = json!({ "uuid": "late", "published": instant(NOW - 7 * SECOND) });
    sim.append(vec![late], Some(NOW + 60 * SECOND)).unwrap();
    let window = format!(
        "/api/v1/logs?since={}&until={}",
        instant(NOW - DAY),
        instant(NOW)
    );
    assert_eq!(all(&sim, &window, "uuid").await, ["e0", "e1"]);
    let next = polled.link("next").unwrap();
    assert_eq!(get(&sim, &next).await.text, "[]");
    sim.advance(Duration::from_mins(1));
    assert_eq!(get(&sim, &next).await.ids("uuid"), ["late"]);
    assert_eq!(all(&sim, &window, "uuid").await, ["e0", "late", "e1"]);
    // Polled from the start it stands where it came to be seen.
    assert_eq!(
        all(&sim, "/api/v1/logs", "uuid").await,
        ["e0", "e1", "late"]
    );
}

#[tokio::test]
async fn links_are_opaque_and_lead_on_after_a_restart() {
    let published: Vec<i64> = (0..10).map(|n| NOW - 100 * SECOND + n * SECOND).collect();
    let sim = Sim::start(options(&published)).await.unwrap();
    let next = get(&sim, "/api/v1/logs?limit=4")
        .await
        .link("next")
        .unwrap();
    let (port, url) = (
        sim.url().rsplit(':').next().unwrap().parse().unwrap(),
        sim.url().to_owned(),
    );
    let after = next
        .split("after=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    assert!(!after.contains("e3") && !after.contains("2026"));
    // One character changed, and it is refused.
    let flipped = if after.ends_with('0') { '1' } else { '0' };
    let wrong = next.replace(after, &format!("{}{flipped}", &after[..after.len() - 1]));
    let refused = get(&sim, &wrong).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "E0000001"));
    sim.shutdown().await;

    let again = Sim::start(SimOptions {
        port,
        ..options(&published)
    })
    .await
    .unwrap();
    assert_eq!(again.url(), url);
    let rest = all(&again, &next, "uuid").await;
    assert_eq!(rest, ["e4", "e5", "e6", "e7", "e8", "e9"]);
}

#[tokio::test]
async fn parameters_are_refused_as_okta_refuses_them() {
    let sim = Sim::start(options(&[])).await.unwrap();
    for (query, code) in [
        ("limit=1001", "E0000001"),
        ("limit=-1", "E0000001"),
        ("limit=x", "E0000001"),
        ("sortOrder=UP", "E0000001"),
        ("since=yesterday", "E0000001"),
        ("until=2026-11-20", "E0000001"),
        ("since=2026-05-01T00:00:00Z", "E0000053"),
        (
            "since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z",
            "E0000001",
        ),
        ("after=abc", "E0000001"),
        ("filter=published+gt+%22x%22", "E0000053"),
        ("q=a+b+c+d+e+f+g+h+i+j+k", "E0000001"),
    ] {
        let refused = get(&sim, &format!("/api/v1/logs?{query}")).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, code),
            "{query}"
        );
        let body = refused.json();
        for name in ["errorSummary", "errorLink", "errorId", "errorCauses"] {
            assert!(!body[name].is_null(), "{query}: {name}");
        }
    }
    assert_eq!(get(&sim, "/api/v1/logs?limit=0").await.text, "[]");
    // 180 days are a question, 90 days an answer.
    assert_eq!(
        get(&sim, "/api/v1/logs?since=2026-05-25T00:00:00Z")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn ninety_days_are_kept_and_seven_are_shown_unasked() {
    let published = [NOW - 91 * DAY, NOW - 89 * DAY, NOW - 8 * DAY, NOW - 6 * DAY];
    let sim = Sim::start(options(&published)).await.unwrap();
    let since = instant(NOW - 120 * DAY);
    let kept = ["e1", "e2", "e3"];
    assert_eq!(
        all(&sim, &format!("/api/v1/logs?since={since}"), "uuid").await,
        kept
    );
    let bounded = format!("/api/v1/logs?since={since}&until={}", instant(NOW));
    assert_eq!(all(&sim, &bounded, "uuid").await, kept);
    assert_eq!(all(&sim, "/api/v1/logs", "uuid").await, ["e3"]);
}

#[tokio::test]
async fn filters_and_keywords_choose() {
    let published: Vec<i64> = (0..9).map(|n| NOW - 9 * SECOND + n * SECOND).collect();
    let sim = Sim::start(options(&published)).await.unwrap();
    let filter = "/api/v1/logs?limit=2&filter=eventType+eq+%22type.1%22";
    let pages = pages(&sim, filter).await;
    let ids: Vec<Vec<String>> = pages.iter().map(|page| page.ids("uuid")).collect();
    assert_eq!(ids, [vec!["e1", "e4"], vec!["e7"], vec![]]);
    let two = "/api/v1/logs?filter=actor.id+eq+%2200u0%22+or+eventType+eq+%22type.2%22";
    assert_eq!(all(&sim, two, "uuid").await, ["e0", "e2", "e5", "e8"]);
    assert_eq!(
        all(&sim, "/api/v1/logs?q=TYPE.1", "uuid").await,
        ["e1", "e4", "e7"]
    );
}

#[tokio::test]
async fn events_come_byte_for_byte_also_compressed_and_out_of_an_array() {
    let published = [NOW - 2 * SECOND, NOW - SECOND];
    let lines = events(&published);
    let expected = format!("[{}]", lines.replace('\n', ","));
    let array = format!("[{},\n {}]", event(1, published[1]), event(0, published[0]));
    for given in [lines, array] {
        let sim = Sim::start(SimOptions {
            lateness: Lateness::NONE,
            ..SimOptions::given("[]", given, NOW)
        })
        .await
        .unwrap();
        assert_eq!(get(&sim, "/api/v1/logs").await.text, expected);
    }
    let sim = Sim::start(options(&(0..200).map(|n| NOW - n).collect::<Vec<_>>()))
        .await
        .unwrap();
    let plain = get_as(
        &sim,
        "/api/v1/logs?limit=200",
        Some("SSWS simulated-api-token"),
        &[("accept-encoding", "identity")],
    )
    .await;
    // The client of these tests asks for gzip and takes it off again.
    let zipped = get(&sim, "/api/v1/logs?limit=200").await;
    assert_eq!(plain.text, zipped.text);
    assert!(plain.headers.contains_key("content-length"));
    assert_eq!(zipped.header("vary"), "Accept-Encoding");
}

#[tokio::test]
async fn a_broken_world_is_refused_by_number_and_never_shown() {
    for (users, events, says) in [
        (
            "[]",
            "{\"published\":\"2026-11-20T00:00:00Z\"}\n{\"secret\":1}",
            "event 2",
        ),
        ("[]", "\"secret\"", "event 1"),
        ("[]", "[{\"published\":\"secret\"}]", "event 1"),
        ("{\"id\":\"1\"}\n{\"secret\":1}", "", "user 2"),
    ] {
        let refused = Sim::start(SimOptions::given(users, events, NOW))
            .await
            .unwrap_err();
        let text = refused.to_string();
        assert!(text.starts_with(says) && !text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn links_come_in_both_forms() {
    for (links, lines) in [(LinkStyle::Separate, 2), (LinkStyle::Joined, 1)] {
        let sim = Sim::start(SimOptions {
            links,
            ..options(&[])
        })
        .await
        .unwrap();
        let page = get(&sim, "/api/v1/logs").await;
        assert_eq!(page.headers.get_all("link").iter().count(), lines);
        assert!(page.link("self").is_some() && page.link("next").is_some());
    }
    let sim = Sim::start(options(&[])).await.unwrap();
    let mut lines = BTreeSet::new();
    for _ in 0..2 {
        let page = get(&sim, "/api/v1/logs").await;
        lines.insert(page.headers.get_all("link").iter().count());
    }
    assert_eq!(lines, BTreeSet::from([1, 2]));
}
