//! How a simulator is started.

use std::path::PathBuf;
use std::time::Duration;

/// What the org is made of.
#[derive(Clone)]
pub enum World {
    /// A simulated organization: people at work, and attacks among them. It lives on for 60 days
    /// after the start of the clock.
    Organization {
        /// People in it, at least 50.
        people: u32,
        /// Days of its System Log before the start of the clock, at least 9. Up to six more are
        /// there, so that weekdays fall on the calendar's.
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

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Organization { people, days, seed } => f
                .debug_struct("Organization")
                .field("people", people)
                .field("days", days)
                .field("seed", seed)
                .finish(),
            // Megabytes of somebody's events belong in no message.
            Self::Given { users, events } => f
                .debug_struct("Given")
                .field("users_bytes", &users.len())
                .field("events_bytes", &events.len())
                .finish(),
        }
    }
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

/// How long after `published` an event can be seen. Chance decides by the seed and the event's place
/// in the log, so the same world has the same delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// The longest usual delay. Two events of the same second may change places because of it.
    pub usual: Duration,
    /// Events in a thousand that come later than that.
    pub late_per_mille: u32,
    /// The longest delay of those.
    pub latest: Duration,
}

impl Lateness {
    /// Everything can be seen at once, in the order of publication.
    pub const NONE: Self = Self {
        usual: Duration::ZERO,
        late_per_mille: 0,
        latest: Duration::ZERO,
    };
}

impl Default for Lateness {
    /// Up to three seconds; five in a thousand up to two hours.
    fn default() -> Self {
        Self {
            usual: Duration::from_secs(3),
            late_per_mille: 5,
            latest: Duration::from_hours(2),
        }
    }
}

/// How links come: Okta sends both forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkStyle {
    /// One header line a link.
    Separate,
    /// One header line with all of them.
    Joined,
    /// Now this, now that.
    #[default]
    Mixed,
}

/// How a simulator is started. The default is a small organization at work, an API token, generous
/// limits and any free port; tests change what they are about:
///
/// ```
/// use af_okta_sim::{SimOptions, Time};
///
/// let options = SimOptions {
///     time: Time::Stands(1_790_000_000_000),
///     ..SimOptions::default()
/// };
/// assert_eq!(options.port, 0);
/// ```
#[derive(Clone)]
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
    /// How long a window of the limits is. Okta's last a minute; a test has no minute.
    pub limit_window: Duration,
    /// Calls at the same time before the concurrency limit strikes.
    pub concurrency: u32,
    /// How long an access token is good for.
    pub token_lifetime: Duration,
    /// Whether proofs of possession must carry a nonce on every call, not only for a token.
    pub nonce_on_calls: bool,
    /// How long after `published` an event can be seen.
    pub lateness: Lateness,
    /// How links come.
    pub links: LinkStyle,
    /// Whether answers are compressed for who takes that, as Okta's are.
    pub gzip: bool,
    /// Where days that were generated lie; none = a folder of its own that it removes.
    pub scratch: Option<PathBuf>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            port: 0,
            world: World::Organization {
                people: 60,
                days: 9,
                seed: 1,
            },
            time: Time::Runs {
                from: None,
                speed: 1,
            },
            api_token: Some(Self::TOKEN.to_owned()),
            clients: Vec::new(),
            logs_per_minute: 60_000,
            limit_window: Duration::from_mins(1),
            concurrency: 75,
            token_lifetime: Duration::from_hours(1),
            nonce_on_calls: false,
            lateness: Lateness::default(),
            links: LinkStyle::default(),
            gzip: true,
            scratch: None,
        }
    }
}

impl SimOptions {
    /// The API token of the default. It opens nothing but a simulator.
    pub const TOKEN: &'static str = "simulated-api-token";

    /// An org of somebody's own users and events, in which time stands still.
    pub fn given(users: impl Into<Vec<u8>>, events: impl Into<Vec<u8>>, now: i64) -> Self {
        Self {
            world: World::Given {
                users: users.into(),
                events: events.into(),
            },
            time: Time::Stands(now),
            ..Self::default()
        }
    }
}

impl std::fmt::Debug for SimOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimOptions")
            .field("port", &self.port)
            .field("world", &self.world)
            .field("time", &self.time)
            .field("api_token", &self.api_token.as_ref().map(|_| "…"))
            .field("clients", &self.clients)
            .field("logs_per_minute", &self.logs_per_minute)
            .field("limit_window", &self.limit_window)
            .field("concurrency", &self.concurrency)
            .field("token_lifetime", &self.token_lifetime)
            .field("nonce_on_calls", &self.nonce_on_calls)
            .field("lateness", &self.lateness)
            .field("links", &self.links)
            .field("gzip", &self.gzip)
            .field("scratch", &self.scratch)
            .finish()
    }
}

/// An OAuth client that the org knows.
#[derive(Clone, Default)]
pub struct SimClient {
    /// Its id.
    pub client_id: String,
    /// Its secret, for an API service integration.
    pub secret: Option<String>,
    /// Its public keys as JWK, for an API services app.
    pub public_keys: Vec<serde_json::Value>,
    /// Whether its tokens must be bound to a key (`DPoP`).
    pub requires_dpop: bool,
    /// Scopes that were granted; none = all.
    pub scopes: Option<Vec<String>>,
    /// Whether it has an admin role; without one a token is good for nothing.
    pub has_role: bool,
}

impl SimClient {
    /// An API service integration: a secret, every scope, a role.
    pub fn with_secret(client_id: &str, secret: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            secret: Some(secret.to_owned()),
            has_role: true,
            ..Self::default()
        }
    }

    /// An API services app: a public key (JWK), every scope, a role.
    pub fn with_key(client_id: &str, public_key: serde_json::Value, requires_dpop: bool) -> Self {
        Self {
            client_id: client_id.to_owned(),
            public_keys: vec![public_key],
            requires_dpop,
            has_role: true,
            ..Self::default()
        }
    }
}

impl std::fmt::Debug for SimClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimClient")
            .field("client_id", &self.client_id)
            .field("secret", &self.secret.as_ref().map(|_| "…"))
            .field("public_keys", &self.public_keys.len())
            .field("requires_dpop", &self.requires_dpop)
            .field("scopes", &self.scopes)
            .field("has_role", &self.has_role)
            .finish()
    }
}
