//! `/sim/*`: commands to the simulator. They are no part of Okta.

use std::time::Duration;

use af_model::UtcMillis;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::fault::{RandomFaults, Rule};
use crate::org::Org;
use crate::request::Call;

/// What can be commanded.
const HELP: [(&str, &str); 9] = [
    ("GET /sim/clock", "what time it is in the org"),
    (
        "POST /sim/clock",
        "move it on: {\"to\":\"2026-11-20T00:00:00Z\"} or {\"advance_millis\":60000}",
    ),
    ("GET /sim/stats", "calls, answers, tokens, events so far"),
    (
        "POST /sim/append",
        "add events: {\"events\":[…],\"seen_at\":\"…\"}; without published: now",
    ),
    (
        "POST /sim/faults",
        "add a rule: {\"on\":\"/api/v1/logs\",\"skip\":1,\"times\":2,\"fault\":{\"kind\":\"status\",\"status\":503}}",
    ),
    (
        "POST /sim/faults/random",
        "faults by chance: {\"seed\":1,\"per_mille\":50,\"faults\":[{\"kind\":\"cut\"}]}",
    ),
    ("DELETE /sim/faults", "take all faults back"),
    ("DELETE /sim/tokens", "end all access tokens"),
    (
        "POST /sim/nonce",
        "another DPoP nonce; {\"forget\":true} also forgets the one before",
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    to: Option<String>,
    advance_millis: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Append {
    events: Vec<Value>,
    seen_at: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nonce {
    #[serde(default)]
    forget: bool,
}

fn refused(why: &str) -> Answer {
    Answer::json(400, &json!({ "error": why }))
}

/// Answers a command.
pub(crate) fn answer(org: &Org, call: &Call) -> Answer {
    // A web page that somebody looks at must not command it through a name of its own.
    if !is_local(call) {
        return Answer::json(403, &json!({ "error": "by address of the loopback only" }));
    }
    let result = match (call.method.as_str(), call.path.as_str()) {
        ("GET", "/sim" | "/sim/") => Ok(Answer::ok(
            &HELP
                .iter()
                .map(|(verb, what)| ((*verb).to_owned(), Value::from(*what)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        )),
        ("GET", "/sim/clock") => Ok(clock(org)),
        ("POST", "/sim/clock") => read(call).and_then(|wanted| move_clock(org, &wanted)),
        ("GET", "/sim/stats") => serde_json::to_value(org.stats())
            .map(|stats| Answer::ok(&stats))
            .map_err(|_| "no statistics".to_owned()),
        ("POST", "/sim/append") => read(call).and_then(|events: Append| append(org, events)),
        ("POST", "/sim/faults") => read::<Rule>(call).map(|rule| {
            org.faults.add(rule);
            done()
        }),
        ("POST", "/sim/faults/random") => read::<RandomFaults>(call).map(|random| {
            org.faults.random(random);
            done()
        }),
        ("DELETE", "/sim/faults") => {
            org.faults.clear();
            Ok(done())
        }
        ("DELETE", "/sim/tokens") => {
            org.gate.expire_tokens();
            Ok(done())
        }
        ("POST", "/sim/nonce") => {
            let wanted = if call.body.is_empty() {
                Ok(Nonce::default())
            } else {
                read(call)
            };
            wanted.map(|Nonce { forget }| {
                org.gate.renew_nonce(forget);
                done()
            })
        }
        _ => {
            return Answer::json(404, &json!({ "error": "no such command; see GET /sim" }));
        }
    };
    result.unwrap_or_else(|why| refused(&why))
}

fn is_local(call: &Call) -> bool {
    let host = call.header("host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

fn read<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, String> {
    serde_json::from_slice(&call.body).map_err(|error| error.to_string())
}

fn done() -> Answer {
    Answer::ok(&json!({ "done": true }))
}

fn clock(org: &Org) -> Answer {
    Answer::ok(&json!({ "now": UtcMillis(org.clock.now()).to_string() }))
}

fn instant(text: &str) -> Result<i64, String> {
    UtcMillis::parse(text)
        .map(|instant| instant.0)
        .map_err(|error| error.to_string())
}

fn move_clock(org: &Org, wanted: &Move) -> Result<Answer, String> {
    if let Some(millis) = wanted.advance_millis {
        org.clock.advance(Duration::from_millis(millis));
    }
    if let Some(to) = &wanted.to
        && !org.clock.set(instant(to)?)
    {
        return Err("the clock never goes back".to_owned());
    }
    Ok(clock(org))
}

fn append(org: &Org, append: Append) -> Result<Answer, String> {
    let seen_at = append.seen_at.as_deref().map(instant).transpose()?;
    let count = append.events.len();
    org.append(append.events, seen_at)?;
    Ok(Answer::ok(&json!({ "added": count })))
}
