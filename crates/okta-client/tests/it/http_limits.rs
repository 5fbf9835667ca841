//! Waiting: for rate limits, within our share of them, and for nothing any more when asked to stop.

use std::sync::Arc;
use std::time::Duration;

use af_okta_client::http::Get;
use af_okta_client::{ErrorKind, Scope, Stopper};
use tokio::time::Instant;

use crate::http::{Heard, api_token, ask, client, logs};
use crate::scripted::{Reply, Scripted};

#[tokio::test]
async fn too_many_calls_are_waited_for_until_the_window_is_over() {
    let server = Scripted::list([
        Reply::error(429, "E0000047")
            .limits(60, 0, 0)
            .date(0)
            .header("x-okta-request-id", "req-1"),
        Reply::ok(),
    ])
    .await;
    let heard = Arc::new(Heard::default());
    let mut options = server.options(api_token());
    options.progress = Arc::<Heard>::clone(&heard);
    let client = client(options);
    let began = Instant::now();
    client.get(&logs()).await.unwrap();
    // No second until the reset, and one on top.
    assert!(began.elapsed() >= Duration::from_secs(1));
    let waits = heard.waits();
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert_eq!(waits[0].0, "rate limit of /api/v1/logs");
    let cost = client.cost();
    assert_eq!((cost.calls, cost.repeated, cost.limited), (2, 1, 1));
    assert!(cost.waited_millis >= 990, "{}", cost.waited_millis);
    assert_eq!(server.seen()[1].header("x-okta-retry-for"), Some("req-1"));
}

#[tokio::test]
async fn too_many_calls_at_one_time_are_a_short_pause() {
    let server = Scripted::list([
        Reply::error(429, "E0000047").limits(0, 0, 3000).date(0),
        Reply::ok(),
    ])
    .await;
    let client = client(server.options(api_token()));
    client.get(&logs()).await.unwrap();
    let cost = client.cost();
    assert_eq!((cost.calls, cost.limited), (2, 1));
    assert!(cost.waited_millis < 100);
}

#[tokio::test]
async fn a_service_that_never_lets_us_in_is_given_up() {
    let server =
        Scripted::answering(|_, _| Reply::error(429, "E0000047").header("retry-after", "0")).await;
    let error = ask(&server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(
        (error.status(), error.code()),
        (Some(429), Some("E0000047"))
    );
    // Ten that are waited for, and the one that is too many.
    assert_eq!(server.seen().len(), 11);
}

#[tokio::test]
async fn no_more_than_our_share_of_a_window_is_used() {
    // Windows of four calls, two of which are ours; each ends at once, so one second is waited.
    let server = Scripted::answering(|_, number| {
        let number = i64::try_from(number).expect("few");
        let window = number / 2 * 60;
        Reply::ok()
            .limits(4, 3 - u64::try_from(number % 2).expect("positive"), window)
            .date(window)
    })
    .await;
    let heard = Arc::new(Heard::default());
    let mut options = server.options(api_token());
    options.rate_percent = 50;
    options.progress = Arc::<Heard>::clone(&heard);
    let client = client(options);
    let began = Instant::now();
    // Clones share the budget, on whatever thread they are.
    let calls = (0..4).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.get(&logs()).await })
    });
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap().unwrap();
    }
    assert!(began.elapsed() >= Duration::from_secs(1));
    // Two calls waited together; that is one news.
    let waits = heard.waits();
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert_eq!(client.cost().limited, 0);
    // Another group of paths has a window of its own.
    client
        .get(&Get::path("/api/v1/users", Scope::UsersRead))
        .await
        .unwrap();
    assert_eq!(heard.waits().len(), 1);
}

#[tokio::test]
async fn it_stops_in_the_middle_of_anything() {
    for reply in [
        Reply::json(200, "[1,2,3]").stall_after(3),
        Reply::error(429, "E0000047").header("retry-after", "100"),
        Reply::error(503, "E0000010").header("retry-after", "100"),
        Reply::error(429, "E0000047"),
    ] {
        let server = Scripted::answering(move |_, _| reply.clone()).await;
        let (stopper, stop) = Stopper::new();
        let mut options = server.options(api_token());
        options.stop = stop;
        let client = client(options);
        let call = logs();
        let (answer, ()) = tokio::join!(client.get(&call), async {
            while client.cost().calls == 0 || server.seen().is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            stopper.stop();
        });
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Stopped);
        // And makes no further call.
        assert_eq!(
            client.get(&call).await.unwrap_err().kind(),
            ErrorKind::Stopped
        );
        assert_eq!(server.seen().len(), 1);
    }
}
