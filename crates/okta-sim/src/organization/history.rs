//! What Okta remembers of a person's sign-ins, and what it therefore finds unusual.

use std::collections::VecDeque;

use af_model::UtcMillis;

use super::network::Client;
use super::places::Place;

/// The last successful sign-ins of one account.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    seen: VecDeque<Seen>,
    last: Option<(UtcMillis, &'static Place)>,
}

#[derive(Clone, Debug)]
struct Seen {
    ip: String,
    token: Option<u128>,
    place: Option<&'static Place>,
}

/// How many sign-ins are remembered, and how far each behavior looks back: Okta's defaults.
const KEPT: usize = 50;
const DEVICES: usize = 20;
const CITIES: usize = 20;
const COUNTRIES: usize = 10;
const GEO: usize = 20;
const KILOMETRES_PER_HOUR: f64 = 805.0;

/// What is unusual about a sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a behavior that Okta judges by itself"
)]
pub(super) struct Behaviors {
    pub(super) device: bool,
    pub(super) ip: bool,
    pub(super) city: bool,
    pub(super) country: bool,
    pub(super) geo: bool,
    pub(super) velocity: bool,
    /// Nothing to compare with, or no place.
    pub(super) unknown: bool,
}

/// Okta's risk of one sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Risk {
    Low,
    Medium,
    High,
}

impl History {
    /// Remembers a successful sign-in.
    pub(super) fn remember(&mut self, client: &Client, at: UtcMillis) {
        self.seen.push_front(Seen {
            ip: client.network.ip.clone(),
            token: client.token,
            place: client.network.place,
        });
        self.seen.truncate(KEPT);
        if let Some(place) = client.network.place {
            self.last = Some((at, place));
        }
    }

    /// Judges a sign-in against what is remembered.
    pub(super) fn judge(&self, client: &Client, at: UtcMillis) -> Behaviors {
        if self.seen.is_empty() {
            return Behaviors {
                unknown: true,
                ..Behaviors::default()
            };
        }
        let among =
            |count: usize, known: &dyn Fn(&Seen) -> bool| self.seen.iter().take(count).any(known);
        let places = |count, near: &dyn Fn(&Place, &Place) -> bool| {
            client.network.place.is_some_and(|here| {
                !among(count, &|seen| {
                    seen.place.is_some_and(|there| near(here, there))
                })
            })
        };
        let velocity = match (self.last, client.network.place) {
            (Some((then, there)), Some(here)) => {
                let hours =
                    f64::from(u32::try_from((at.0 - then.0).abs() / 1000).unwrap_or(u32::MAX))
                        / 3600.0;
                let distance = there.kilometres_to(here);
                distance > 50.0 && distance > hours * KILOMETRES_PER_HOUR
            }
            _ => false,
        };
        Behaviors {
            device: client.token.is_none() || !among(DEVICES, &|seen| seen.token == client.token),
            ip: !among(KEPT, &|seen| seen.ip == client.network.ip),
            city: places(CITIES, &|here, there| here.city == there.city),
            country: places(COUNTRIES, &|here, there| here.country == there.country),
            geo: places(GEO, &|here, there| here.kilometres_to(there) <= 20.0),
            velocity,
            unknown: client.network.place.is_none(),
        }
    }
}

impl Behaviors {
    /// As Okta writes them into `behaviors`.
    pub(super) fn text(self) -> String {
        let word = |positive: bool, of_place: bool| match (positive, of_place && self.unknown) {
            (_, true) => "UNKNOWN",
            (true, _) => "POSITIVE",
            (false, _) => "NEGATIVE",
        };
        format!(
            "{{New Geo-Location={}, New Device={}, New IP={}, New State={}, New Country={}, Velocity={}, New City={}}}",
            word(self.geo, true),
            word(self.device, false),
            word(self.ip, false),
            word(self.city, true),
            word(self.country, true),
            word(self.velocity, true),
            word(self.city, true),
        )
    }

    /// Okta's risk of a sign-in with these behaviors: how unusual it is, from what kind of address,
    /// with some luck (`die`, 0 to 99).
    pub(super) fn risk(self, client: &Client, suspected: bool, die: usize) -> Risk {
        let network = &client.network;
        let points = usize::from(self.device)
            + usize::from(self.city)
            + usize::from(self.country)
            + 2 * usize::from(self.velocity)
            + usize::from(network.is_proxy)
            + 3 * usize::from(suspected)
            + 2 * usize::from(network.service.is_some_and(|(kind, _)| kind == "Tor"));
        match points {
            0 | 1 => Risk::Low,
            2 | 3 => Risk::Medium,
            4 | 5 if die < 85 => Risk::Medium,
            6.. if die < 40 => Risk::Medium,
            _ => Risk::High,
        }
    }

    /// As Okta writes it into `risk`.
    pub(super) fn risk_text(self, risk: Risk) -> String {
        let level = match risk {
            Risk::Low => return "{level=LOW}".to_owned(),
            Risk::Medium => "MEDIUM",
            Risk::High => "HIGH",
        };
        let mut reasons = Vec::new();
        if self.city || self.country || self.velocity {
            reasons.push("Anomalous Location");
        }
        if self.device || reasons.is_empty() {
            reasons.push("Anomalous Device");
        }
        format!("{{reasons={}, level={level}}}", reasons.join(", "))
    }
}
