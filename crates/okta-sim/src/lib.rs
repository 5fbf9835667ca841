//! An Okta org on loopback: endpoints, paging, limits, credentials and faults on command.

use std::path::PathBuf;

/// What the org is made of.
#[derive(Clone, Debug)]
pub enum World {
    /// A simulated organization: people at work, and attacks among them.
    Organization {
        /// People in it.
        people: u32,
        /// Days of its System Log before the start of the clock.
        days: u32,
        /// The same seed gives the same org.
        seed: u64,
    },
    /// Somebody's own: users (a JSON array or one a line) and events (NDJSON, gzip allowed).
    Given {
        /// Users, as Okta answers.
        users: Vec<u8>,
        /// Events, as Okta answers.
        events: Vec<u8>,
    },
}

/// What time it is in the org.
#[derive(Clone, Copy, Debug)]
pub enum Time {
    /// It runs, from an instant (milliseconds since 1970 UTC), so many times as fast as ours.
    Runs {
        /// Where it starts; none = now.
        from: Option<i64>,
        /// How fast.
        speed: u32,
    },
    /// It stands still until somebody moves it.
    Stands(i64),
}

/// How a simulator is started.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// The port on 127.0.0.1; 0 = any free one.
    pub port: u16,
    /// What the org is made of.
    pub world: World,
    /// What time it is in there.
    pub time: Time,
    /// An API token that it accepts; none = none is.
    pub api_token: Option<String>,
    /// OAuth clients that it knows.
    pub clients: Vec<SimClient>,
    /// Calls a minute to `/api/v1/logs`; other limits follow from it as in Okta.
    pub logs_per_minute: u32,
    /// Where days that were generated lie; none = a folder of its own that it removes.
    pub scratch: Option<PathBuf>,
}

/// An OAuth client that the org knows.
#[derive(Clone, Debug, Default)]
pub struct SimClient {
    /// Its id.
    pub client_id: String,
    /// Its secret, for an API service integration.
    pub secret: Option<String>,
    /// Its public keys as JWK, for an API services app.
    pub public_keys: Vec<serde_json::Value>,
    /// Whether its tokens must be bound to a key (DPoP).
    pub requires_dpop: bool,
    /// Scopes that were granted; none = all.
    pub scopes: Option<Vec<String>>,
    /// Whether it has an admin role; without one a token is good for nothing.
    pub has_role: bool,
}

/// A running simulator. Dropped, it stops.
pub struct Sim {}

impl Sim {
    /// Starts it; it answers when this returns.
    ///
    /// # Errors
    /// The port is taken, or the world cannot be read.
    pub async fn start(_options: SimOptions) -> std::io::Result<Self> {
        todo!()
    }

    /// Its base URL, e.g. `http://127.0.0.1:8090`.
    pub fn url(&self) -> &str {
        todo!()
    }

    /// Waits until it is stopped from outside (`stop`), or for ever.
    pub async fn run(self) {
        todo!()
    }
}
