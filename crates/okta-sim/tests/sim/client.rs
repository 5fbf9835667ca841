//! A small client.

use std::sync::LazyLock;

use reqwest::header::HeaderMap;
use serde_json::Value;

use af_okta_sim::{Sim, SimOptions};

/// 2026-11-20T12:00:00Z.
pub(crate) const NOW: i64 = 1_795_176_000_000;
pub(crate) const SECOND: i64 = 1000;
pub(crate) const DAY: i64 = 86_400_000;

/// One answer, taken apart.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// A link, however the headers carry it.
    pub(crate) fn link(&self, rel: &str) -> Option<String> {
        let wanted = format!("; rel=\"{rel}\"");
        self.headers
            .get_all("link")
            .iter()
            .flat_map(|value| value.to_str().unwrap().split(", "))
            .find_map(|link| link.strip_suffix(wanted.as_str()))
            .map(|link| link.trim_matches(['<', '>']).to_owned())
    }

    /// The ids of the objects of a list.
    pub(crate) fn ids(&self, name: &str) -> Vec<String> {
        self.json()
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item[name].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["errorCode"].as_str().unwrap().to_owned()
    }
}

/// Makes a call with the token of the default.
pub(crate) async fn get(sim: &Sim, target: &str) -> Got {
    get_as(
        sim,
        target,
        Some(&format!("SSWS {}", SimOptions::TOKEN)),
        &[],
    )
    .await
}

pub(crate) async fn get_as(
    sim: &Sim,
    target: &str,
    authorization: Option<&str>,
    headers: &[(&str, &str)],
) -> Got {
    let url = if target.starts_with("http") {
        target.to_owned()
    } else {
        format!("{}{target}", sim.url())
    };
    let mut request = plain().get(url);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    got(request.send().await.unwrap()).await
}

/// Sends a form for a token.
pub(crate) async fn post(sim: &Sim, body: String, headers: &[(&str, &str)]) -> Got {
    let mut request = plain()
        .post(format!("{}/oauth2/v1/token", sim.url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    got(request.send().await.unwrap()).await
}

/// Sends a command.
pub(crate) async fn command(sim: &Sim, method: &str, path: &str, body: &str) -> Got {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = plain()
        .request(method, format!("{}{path}", sim.url()))
        .body(body.to_owned());
    got(request.send().await.unwrap()).await
}

/// Follows no redirect, and connects anew for every call: tests have a runtime each.
pub(crate) fn plain() -> reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .no_proxy()
            .build()
            .unwrap()
    });
    CLIENT.clone()
}

async fn got(response: reqwest::Response) -> Got {
    Got {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// All pages from a target on, until there is no further link or a page is empty.
pub(crate) async fn pages(sim: &Sim, target: &str) -> Vec<Got> {
    let mut pages = Vec::new();
    let mut target = target.to_owned();
    loop {
        let page = get(sim, &target).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let next = page.link("next");
        let empty = page.text == "[]";
        pages.push(page);
        match next {
            Some(next) if !empty => target = next,
            _ => return pages,
        }
    }
}

/// The ids of all objects of all pages.
pub(crate) async fn all(sim: &Sim, target: &str, name: &str) -> Vec<String> {
    let pages = pages(sim, target).await;
    pages.iter().flat_map(|page| page.ids(name)).collect()
}

/// An event with an id, at an instant.
pub(crate) fn event(id: usize, published: i64) -> String {
    let published = instant(published);
    format!(
        "{{\"uuid\":\"e{id}\",\"published\":\"{published}\",\
         \"eventType\":\"type.{}\",\"actor\":{{\"id\":\"00u{}\"}}}}",
        id % 3,
        id % 5
    )
}

/// An instant as Okta writes it.
pub(crate) fn instant(millis: i64) -> String {
    let days = millis.div_euclid(DAY);
    let rest = millis.rem_euclid(DAY);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        rest / 3_600_000,
        rest / 60_000 % 60,
        rest / 1000 % 60,
        rest % 1000
    )
}

/// Year, month and day of a day since 1970, counted on from 2026-01-01 (day 20,454).
fn civil(days: i64) -> (i64, i64, i64) {
    const MONTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut left = days - 20_454;
    assert!((0..365).contains(&left), "a day of 2026");
    for (month, length) in (1..).zip(MONTHS) {
        if left < length {
            return (2026, month, left + 1);
        }
        left -= length;
    }
    unreachable!("a year has twelve months")
}

/// An org without people, with events at these instants.
pub(crate) fn events(published: &[i64]) -> String {
    let events = published.iter().enumerate();
    let events: Vec<String> = events.map(|(id, at)| event(id, *at)).collect();
    events.join("\n")
}
