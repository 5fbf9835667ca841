//! Calls: what is sent, what is taken for an answer, what is repeated, and where nothing ever goes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use af_model::UtcMillis;
use af_okta_client::http::{Answer, Get, Link};
use af_okta_client::{Client, ClientOptions, Credential, Error, ErrorKind, News, Progress, Scope};
use secrecy::SecretString;

use crate::scripted::{NOW, Reply, Scripted};

pub(crate) const TOKEN: &str = "00api-token-of-the-tests";

pub(crate) fn api_token() -> Credential {
    Credential::ApiToken(SecretString::from(TOKEN))
}

pub(crate) fn logs() -> Get {
    Get::path("/api/v1/logs", Scope::LogsRead)
}

pub(crate) fn client(options: ClientOptions) -> Client {
    Client::new(options).expect("the options are good")
}

pub(crate) async fn ask(server: &Scripted) -> Result<Answer, Error> {
    client(server.options(api_token())).get(&logs()).await
}

/// Remembers what it was told about waiting, and the warnings.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<(String, Duration)>>);

impl Progress for Heard {
    fn tell(&self, news: &News<'_>) {
        if let News::Waiting { why, time } = news {
            self.0
                .lock()
                .expect("nobody panics with it")
                .push(((*why).to_owned(), *time));
        }
    }
}

impl Heard {
    pub(crate) fn waits(&self) -> Vec<(String, Duration)> {
        self.0.lock().expect("nobody panics with it").clone()
    }
}

#[tokio::test]
async fn a_call_says_who_and_what_and_an_answer_is_read() {
    let server = Scripted::list([Reply::json(200, "[{\"uuid\":\"1\"}]")]).await;
    let url = server.url().to_owned();
    let server = Scripted::list([Reply::json(200, "[{\"uuid\":\"1\"}]")
        .header("link", format!("<{url}/self>; rel=\"self\""))
        .header("link", "</api/v1/logs?after=a%2C1>; rel=\"next\"")
        .date(60)
        .limits(120, 119, 90)])
    .await;
    let client = client(server.options(api_token()));
    let mut call = logs()
        .query("since", "2023-11-01T00:00:00Z")
        .query("q", "a&b=ü");
    call.content_type = Some("application/json; okta-response=omitCredentials");
    let answer = client.get(&call).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, b"[{\"uuid\":\"1\"}]");
    assert_eq!(answer.date, Some(UtcMillis((NOW + 60) * 1000)));
    assert_eq!(answer.budget, Some((119, 120)));
    assert_eq!(client.clock_skew_millis(), Some(60_000));
    let cost = client.cost();
    assert_eq!(
        (cost.calls, cost.repeated, cost.limited, cost.bytes),
        (1, 0, 0, 14)
    );

    let seen = &server.seen()[0];
    assert_eq!(seen.method, "GET");
    assert_eq!(
        seen.target,
        "/api/v1/logs?since=2023-11-01T00%3A00%3A00Z&q=a%26b%3D%C3%BC"
    );
    assert_eq!(
        seen.header("authorization"),
        Some(format!("SSWS {TOKEN}").as_str())
    );
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(
        seen.header("user-agent"),
        Some(concat!("attack-factor/", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(
        seen.header("content-type"),
        Some("application/json; okta-response=omitCredentials")
    );
    assert!(seen.header("x-okta-retry-for").is_none());
    assert!(seen.header("dpop").is_none());
    // The link is opaque to everybody but the next call.
    let next = answer.next.unwrap();
    assert_eq!(format!("{next:?}"), "Link(…)");
}

#[tokio::test]
async fn the_next_link_is_followed_as_it_is() {
    let server = Scripted::list([
        Reply::ok().header("link", "</api/v1/logs?after=a%2C1&limit=2>; rel=\"next\""),
        Reply::ok(),
    ])
    .await;
    let client = client(server.options(api_token()));
    let first = client.get(&logs()).await.unwrap();
    // Also when it lay in a file meanwhile.
    let stored = serde_json::to_string(&first.next.unwrap()).unwrap();
    let link: Link = serde_json::from_str(&stored).unwrap();
    let second = client
        .get(&Get::link(link, Scope::LogsRead).query("ignored", "1"))
        .await
        .unwrap();
    assert_eq!(second.next, None);
    assert_eq!(server.seen()[1].target, "/api/v1/logs?after=a%2C1&limit=2");
}

#[tokio::test]
async fn a_next_link_to_another_host_gets_no_request() {
    let trap = Scripted::list([]).await;
    let server = Scripted::list([Reply::ok().header(
        "link",
        format!("<{}/api/v1/logs?after=1>; rel=\"next\"", trap.url()),
    )])
    .await;
    let error = ask(&server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForeignLink);
    assert!(!format!("{error:?}").contains(trap.url()));

    // Neither does one that was stored, or one that names a user.
    let client = client(server.options(api_token()));
    let port = server.url().rsplit_once(':').unwrap().1;
    for stored in [
        format!("{}/api/v1/logs", trap.url()),
        format!("http://127.0.0.1:{port}@{}/", &trap.url()[7..]),
        format!("http://user@127.0.0.1:{port}/api/v1/logs"),
        format!("https://127.0.0.1:{port}/api/v1/logs"),
        format!("http://localhost:{port}/api/v1/logs"),
    ] {
        let link: Link = serde_json::from_value(stored.clone().into()).unwrap();
        let error = client
            .get(&Get::link(link, Scope::LogsRead))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ForeignLink, "{stored}");
    }
    let link: Link = serde_json::from_str("\"no url\"").unwrap();
    let error = client
        .get(&Get::link(link, Scope::LogsRead))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(server.seen().len(), 1);
    assert!(trap.seen().is_empty());
}

#[tokio::test]
async fn redirects_are_never_followed() {
    let trap = Scripted::list([]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/api/v1/logs", trap.url());
        let server = Scripted::list([
            Reply::json(status, "").header("location", location),
            Reply::json(status, "").header("location", "/login"),
            Reply::json(status, ""),
        ])
        .await;
        for kind in [
            ErrorKind::ForeignLink,
            ErrorKind::NotOkta,
            ErrorKind::NotOkta,
        ] {
            let error = ask(&server).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (kind, Some(status)));
            assert!(error.hint().is_some());
        }
        assert_eq!(server.seen().len(), 3);
    }
    assert!(trap.seen().is_empty());
}

#[tokio::test]
async fn failures_that_pass_are_repeated() {
    for first in [
        Reply::error(500, "E0000009"),
        Reply::error(503, "E0000010"),
        Reply::html(502),
        Reply::json(504, ""),
        Reply::json(408, ""),
        Reply::nothing(),
        Reply::json(200, "[{\"uuid\":\"1\"}]").cut_after(5),
        Reply::json(200, "[{\"uuid\":\"1\"}]").cut_after(0),
        Reply::json(200, "[{\"uuid\":\"1\"}]")
            .chunked()
            .cut_after(9),
        Reply::json(200, "[{\"uuid\":\"1\"}]").gzip().cut_after(20),
        // Whoever cut this one counted the bytes anew.
        Reply::json(200, "[{\"uuid\":\"1\"}"),
        Reply::json(200, ""),
    ] {
        let first = first.header("x-okta-request-id", "req-1");
        let server = Scripted::list([
            first.clone(),
            Reply::error(500, "E0000009").header("x-okta-request-id", "req-2"),
            Reply::json(200, "[{\"uuid\":\"2\"}]"),
        ])
        .await;
        let heard = Arc::new(Heard::default());
        let mut options = server.options(api_token());
        options.progress = Arc::<Heard>::clone(&heard);
        let client = client(options);
        let answer = client.get(&logs()).await.unwrap();
        assert_eq!(answer.body, b"[{\"uuid\":\"2\"}]", "{first:?}");
        let cost = client.cost();
        assert_eq!(
            (cost.calls, cost.repeated, cost.limited),
            (3, 2, 0),
            "{first:?}"
        );
        let waits = heard.waits();
        assert_eq!(waits.len(), 2, "{first:?}");
        assert!(
            waits
                .iter()
                .all(|(_, time)| *time <= Duration::from_millis(4))
        );
        let seen = server.seen();
        assert_eq!(seen.len(), 3);
        // A call that was refused says so when it is repeated, by the name of its first request.
        if first.is_answered() {
            assert_eq!(seen[1].header("x-okta-retry-for"), Some("req-1"));
            assert_eq!(seen[1].header("x-okta-retry-count"), Some("1"));
            assert_eq!(seen[2].header("x-okta-retry-for"), Some("req-1"));
        } else {
            assert_eq!(seen[2].header("x-okta-retry-for"), Some("req-2"));
        }
        assert_eq!(seen[2].header("x-okta-retry-count"), Some("2"));
    }
}

#[tokio::test]
async fn a_failure_that_lasts_is_given_up() {
    let server = Scripted::answering(|_, _| Reply::error(503, "E0000010")).await;
    let error = ask(&server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        (error.status(), error.code()),
        (Some(503), Some("E0000010"))
    );
    assert_eq!(
        error.to_string(),
        "read /api/v1/logs: Okta answered 503 E0000010: As it is. (3 tries)"
    );
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn nobody_at_the_address_is_unavailable() {
    let server = Scripted::list([]).await;
    let options = server.options(api_token());
    drop(server);
    tokio::task::yield_now().await;
    let error = client(options).get(&logs()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_repeated() {
    let server = Scripted::list([
        Reply::json(200, "[1,2,3]").stall_after(3),
        Reply::json(200, "[4]"),
    ])
    .await;
    let mut options = server.options(api_token());
    options.timeout = Duration::from_millis(300);
    assert_eq!(client(options).get(&logs()).await.unwrap().body, b"[4]");
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    for (status, code, kind) in [
        (400, "E0000001", ErrorKind::Refused),
        (401, "E0000011", ErrorKind::Unauthorized),
        (401, "E0000015", ErrorKind::Forbidden),
        (403, "E0000006", ErrorKind::Forbidden),
        (404, "E0000007", ErrorKind::NotFound),
        (410, "E0000007", ErrorKind::Refused),
        (501, "E0000060", ErrorKind::Refused),
    ] {
        let server = Scripted::list([Reply::error(status, code)]).await;
        let error = ask(&server).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {code}");
        assert_eq!((error.status(), error.code()), (Some(status), Some(code)));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_call_takes_for_an_answer_what_it_accepts() {
    let server = Scripted::list([
        Reply::error(404, "E0000007"),
        Reply::error(500, "E0000009"),
        Reply::json(404, ""),
        Reply::html(404),
    ])
    .await;
    let client = client(server.options(api_token()));
    let call = logs().accepts(&[404, 500]);
    let answer = client.get(&call).await.unwrap();
    assert_eq!(
        (answer.status, answer.code.as_deref()),
        (404, Some("E0000007"))
    );
    let answer = client.get(&call).await.unwrap();
    assert_eq!(
        (answer.status, answer.code.as_deref()),
        (500, Some("E0000009"))
    );
    assert_eq!(client.get(&call).await.unwrap().code, None);
    assert_eq!(
        client.get(&call).await.unwrap_err().kind(),
        ErrorKind::NotOkta
    );
    assert_eq!(client.cost().repeated, 0);
}

#[tokio::test]
async fn what_is_not_okta_is_said_at_once() {
    for reply in [
        Reply::html(200),
        Reply::html(403),
        Reply::json(200, "<!DOCTYPE html><p>log in</p>"),
        Reply::json(200, "blocked"),
        Reply::ok().header("link", "nonsense; rel=next"),
    ] {
        let server = Scripted::list([reply.clone()]).await;
        let error = ask(&server).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotOkta, "{reply:?}");
        assert!(error.hint().is_some());
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn packed_answers_are_unpacked() {
    let body = format!("[{}1]", "0,".repeat(5000));
    let server = Scripted::list([
        Reply::json(200, &body).gzip(),
        Reply::json(200, &body).gzip().chunked(),
    ])
    .await;
    let client = client(server.options(api_token()));
    for _ in 0..2 {
        assert_eq!(client.get(&logs()).await.unwrap().body, body.as_bytes());
    }
    assert_eq!(client.cost().bytes, 2 * 10_003);
    assert!(
        server.seen()[0]
            .header("accept-encoding")
            .unwrap()
            .contains("gzip")
    );
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_while_it_comes() {
    let body = format!("[{}1]", "0,".repeat(500_000));
    for reply in [
        Reply::json(200, &body),
        Reply::json(200, &body).chunked(),
        // A few kilobytes that become a megabyte.
        Reply::json(200, &body).gzip(),
    ] {
        let server = Scripted::list([reply]).await;
        let mut options = server.options(api_token());
        options.largest_answer = 100_000;
        let client = client(options);
        let error = client.get(&logs()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotOkta);
        assert_eq!(server.seen().len(), 1);
        assert!(
            client.cost().bytes < 400_000,
            "read on: {}",
            client.cost().bytes
        );
    }
}

#[tokio::test]
async fn an_answer_that_its_reader_cannot_read_is_repeated() {
    let server = Scripted::list([
        Reply::json(200, "[nonsense]"),
        Reply::json(200, "[1,2]"),
        Reply::json(200, "[nonsense]"),
        Reply::json(200, "[nonsense]"),
        Reply::json(200, "[nonsense]"),
    ])
    .await;
    let client = client(server.options(api_token()));
    let read = |answer: &Answer| {
        serde_json::from_slice::<Vec<u32>>(&answer.body).map_err(|_| "no numbers")
    };
    let (_, numbers) = client.get_read(&logs(), read).await.unwrap();
    assert_eq!(numbers, [1, 2]);
    let error = client.get_read(&logs(), read).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.to_string(),
        "read /api/v1/logs: the answer cannot be read: no numbers (3 tries)"
    );
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_before_any_call() {
    let server = Scripted::list([]).await;
    for token in ["", "  \n", "two words", "two\nlines", "schlüssel"] {
        let options = server.options(Credential::ApiToken(SecretString::from(token)));
        let error = Client::new(options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{token:?}");
        assert!(error.hint().is_some());
        assert!(token.trim().is_empty() || !format!("{error:?}").contains(token.trim()));
    }
}

#[tokio::test]
async fn blank_space_around_a_token_is_no_part_of_it() {
    let server = Scripted::list([Reply::ok(), Reply::ok()]).await;
    for text in [format!(" {TOKEN}\r\n"), format!("SSWS {TOKEN}")] {
        let options = server.options(Credential::ApiToken(SecretString::from(text)));
        client(options).get(&logs()).await.unwrap();
    }
    for seen in server.seen() {
        assert_eq!(
            seen.header("authorization"),
            Some(format!("SSWS {TOKEN}").as_str())
        );
    }
}

#[tokio::test]
async fn the_token_is_in_no_text_of_ours_however_an_answer_throws_it_back() {
    let body = format!(
        "{{\"errorCode\":\"{TOKEN}\",\"errorSummary\":\"bad {TOKEN} for SSWS+{TOKEN}!\",\"errorCauses\":[{{\"errorSummary\":\"'{TOKEN}'\"}}]}}"
    );
    let location = format!("https://evil.example/?t={TOKEN}");
    for status in [301, 400, 401, 403, 404, 410, 429, 500, 501, 503, 418] {
        let (body, location) = (body.clone(), location.clone());
        let server = Scripted::answering(move |_, _| {
            Reply::json(status, &body)
                .header("location", location.clone())
                .header("retry-after", "0")
                .header("x-okta-request-id", "req-1")
        })
        .await;
        let heard = Arc::new(Heard::default());
        let mut options = server.options(api_token());
        options.progress = Arc::<Heard>::clone(&heard);
        let client = client(options);
        let error = client.get(&logs()).await.unwrap_err();
        let shown = format!(
            "{error} {error:?} {:?} {:?} {:?} {client:?} {:?} {:?}",
            error.hint(),
            error.code(),
            error.problem(),
            client.options(),
            heard.waits(),
        );
        assert!(!shown.contains(TOKEN), "{status}: {shown}");
    }
}
