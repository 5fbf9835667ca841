//! `okta sim`: play an Okta org on this machine.

use std::path::{Path, PathBuf};

use af_model::UtcMillis;
use af_model::name::Printable;
use af_okta_sim::{Sim as Simulator, SimClient, SimOptions, Time, World};
use af_report::{Cell, Column, Format};
use clap::Args;
use serde_json::{Map, Value};

use crate::args::{FormatArgument, parse_cut};
use crate::exit::Refusal;
use crate::okta::network::Network;
use crate::{clock, console};

/// Where the token may come from, and what the printed configuration names.
const TOKEN_VARIABLE: &str = "ATTACK_FACTOR_SIM_TOKEN";

/// The OAuth clients that every simulator knows. They open nothing else.
const SECRET_CLIENT: &str = "0oasimulatedsecret";
const SECRET: &str = "simulated-client-secret";
const KEY_CLIENT: &str = "0oasimulatedkey";

/// `okta sim`.
#[derive(Args, Debug)]
#[command(after_help = "\
An Okta org on 127.0.0.1 that nobody else can reach: System Log, users, groups, applications and the
rest, with paging, rate limits, API tokens, OAuth and DPoP. Its people are invented, its log goes on
while it runs, and attacks happen in it. It ends with Ctrl-C and keeps nothing.

Standard output is a configuration to begin with; standard error says how to call it.

Examples:
  attack-factor okta sim > attack-factor.toml
  attack-factor okta sim --people 5000 --days 90 --port 9000
  attack-factor okta sim --events export.ndjson.gz --users users.json --speed 0 --at 2026-11-20
  attack-factor okta sim --logs-per-minute 120 --public-key key.public.json")]
pub(crate) struct Sim {
    /// The port on 127.0.0.1; 0 = any free one.
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    pub(crate) port: u16,

    /// People in the invented organization.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(50..=1_000_000))]
    pub(crate) people: u32,

    /// Days of its System Log before now.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(9..=365))]
    pub(crate) days: u32,

    /// The same seed gives the same organization.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Serve these events instead: System Log events as NDJSON, plain or gzip.
    #[arg(long, value_name = "FILE", requires = "users", conflicts_with_all = ["people", "days", "seed"])]
    pub(crate) events: Option<PathBuf>,

    /// Serve these users: answers of /api/v1/users, a JSON array or one user a line.
    #[arg(long, value_name = "FILE", requires = "events")]
    pub(crate) users: Option<PathBuf>,

    /// How many times as fast as ours its clock goes; 0 = it stands still.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) speed: u32,

    /// When its clock starts: a date (its last millisecond) or an instant. Default: now.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) at: Option<UtcMillis>,

    /// The API token that it accepts. Default: one that everybody knows.
    #[arg(long, value_name = "TOKEN", env = TOKEN_VARIABLE, hide_env_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) token: Option<String>,

    /// The public key (JWK) of an OAuth client that signs, with DPoP.
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,

    /// Calls a minute to /api/v1/logs; the other limits follow from it as in Okta.
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) logs_per_minute: u32,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Sim, quiet: bool) -> anyhow::Result<()> {
    let options = options(arguments, clock::now())?;
    let network = Network::start()?;
    let simulator = network
        .block_on(Simulator::start(options))
        .map_err(|error| {
            let message = format!("start a simulator on port {}: {error}", arguments.port);
            Refusal::usage(message, "give another port: --port 0 takes any free one")
        })?;
    let url = simulator.url().to_owned();
    tell(arguments, &url, quiet)?;
    let stop = network.stop();
    network.block_on(async {
        tokio::select! {
            () = simulator.run() => {}
            () = stop.asked() => {}
        }
    });
    Ok(())
}

fn options(arguments: &Sim, now: UtcMillis) -> anyhow::Result<SimOptions> {
    let world = match (&arguments.users, &arguments.events) {
        (Some(users), Some(events)) => World::Given {
            users: file(users)?,
            events: file(events)?,
        },
        _ => World::Organization {
            people: arguments.people,
            days: arguments.days,
            seed: arguments.seed,
        },
    };
    let time = match arguments.speed {
        0 => Time::Stands(arguments.at.unwrap_or(now).0),
        speed => Time::Runs {
            from: arguments.at.map(|at| at.0),
            speed,
        },
    };
    let mut clients = vec![SimClient::with_secret(SECRET_CLIENT, SECRET)];
    if let Some(path) = &arguments.public_key {
        let key = public_key(&file(path)?).ok_or_else(|| {
            let shown = Printable(&path.display().to_string()).to_string();
            let hint = "one key as JSON: {\"kty\": \"RSA\", \"kid\": …, \"n\": …, \"e\": …} or of \
                        kty EC with crv, x and y";
            Refusal::usage(format!("read {shown}: no public key as JWK"), hint)
        })?;
        clients.push(SimClient::with_key(KEY_CLIENT, key, true));
    }
    let token = arguments.token.clone();
    Ok(SimOptions {
        port: arguments.port,
        world,
        time,
        api_token: Some(token.unwrap_or_else(|| SimOptions::TOKEN.to_owned())),
        clients,
        logs_per_minute: arguments.logs_per_minute,
        ..SimOptions::default()
    })
}

fn file(path: &Path) -> Result<Vec<u8>, Refusal> {
    std::fs::read(path).map_err(|error| {
        let shown = Printable(&path.display().to_string()).to_string();
        Refusal::usage(
            format!("read {shown}: {error}"),
            "give a file that is there",
        )
    })
}

/// The public part of a key; what would be secret of it is left behind.
fn public_key(text: &[u8]) -> Option<Value> {
    const PUBLIC: [&str; 9] = ["kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"];
    let key: Map<String, Value> = serde_json::from_slice(text).ok()?;
    let public: Map<String, Value> = key
        .into_iter()
        .filter(|(name, _)| PUBLIC.contains(&name.as_str()))
        .collect();
    let has = |names: &[&str]| names.iter().all(|name| public.contains_key(*name));
    let is_whole = match public.get("kty")?.as_str()? {
        "RSA" => has(&["n", "e"]),
        "EC" => has(&["crv", "x", "y"]),
        _ => false,
    };
    is_whole.then_some(Value::Object(public))
}

fn tell(arguments: &Sim, url: &str, quiet: bool) -> anyhow::Result<()> {
    // A token that somebody chose is theirs to know.
    let token = match &arguments.token {
        None => SimOptions::TOKEN.to_owned(),
        Some(_) => format!("${TOKEN_VARIABLE}"),
    };
    if arguments.format.format == Format::Table {
        console::print(&configuration(url))?;
    } else {
        let columns = ["url", "token_variable", "client_id", "client_secret"].map(Column::new);
        let row: Vec<Cell> = vec![
            url.into(),
            TOKEN_VARIABLE.into(),
            SECRET_CLIENT.into(),
            SECRET.into(),
        ];
        console::print_rows(&columns, &[row], arguments.format.format)?;
    }
    if quiet {
        return Ok(());
    }
    let mut text = format!(
        "An Okta org answers on {url}; Ctrl-C ends it. The configuration above works in another shell \
         after

  export {TOKEN_VARIABLE}={}

or call it yourself:

  curl -H \"Authorization: SSWS {token}\" '{url}/api/v1/users?limit=2'

OAuth: client {SECRET_CLIENT} with the secret {SECRET}",
        match &arguments.token {
            None => SimOptions::TOKEN,
            Some(_) => "…  # the token you gave",
        }
    );
    if arguments.public_key.is_some() {
        text.push_str(", and ");
        text.push_str(KEY_CLIENT);
        text.push_str(" with the key you gave, DPoP required");
    }
    console::say(&text);
    Ok(())
}

/// A configuration that fetches from the simulator.
fn configuration(url: &str) -> String {
    format!(
        "\
store = \"risk\"

[[credential]]
name = \"simulator\"
auth = \"api_token\"
from_env = \"{TOKEN_VARIABLE}\"

[[tenant]]
name = \"acme\"

[[tenant.okta]]
name = \"sim\"
url = \"{url}\"
credential = \"simulator\"
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_configuration_is_one() {
        let text = configuration("http://127.0.0.1:8090");
        let file = Path::new("attack-factor.toml");
        let (config, problems) = af_engine::config::read(file, &text);
        assert_eq!(problems, []);
        let api = config.tenants[0].okta[0].api.as_ref().unwrap();
        assert_eq!(api.url, "http://127.0.0.1:8090");
        assert_eq!(config.credentials[0].name, api.credential);
    }

    #[test]
    fn only_the_public_part_of_a_key_is_taken() {
        let key = br#"{"kty":"EC","kid":"k1","crv":"P-256","x":"AA","y":"BB","d":"secret"}"#;
        let public = public_key(key).unwrap();
        let expected =
            serde_json::json!({"kty": "EC", "kid": "k1", "crv": "P-256", "x": "AA", "y": "BB"});
        assert_eq!(public, expected);
        for broken in [
            &b"not json"[..],
            b"[]",
            br#"{"kty":"EC","x":"AA"}"#,
            br#"{"kty":"oct","k":"secret"}"#,
        ] {
            assert_eq!(public_key(broken), None);
        }
    }
}
