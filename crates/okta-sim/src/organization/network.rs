//! How requests reach Okta: offices, homes, carriers, tunnels, and what attackers rent.
//!
//! Addresses and network numbers are reserved ones: documentation (RFC 5737, 3849, 5398) and, where
//! thousands are needed, benchmarking (RFC 2544).

use super::dice::Dice;
use super::places::{ELSEWHERE, OFFICES, Place};
use super::software::Software;

/// Who carries the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) as_number: u32,
    pub(super) name: &'static str,
    pub(super) domain: &'static str,
}

const fn provider(as_number: u32, name: &'static str, domain: &'static str) -> Provider {
    Provider {
        as_number,
        name,
        domain,
    }
}

const COMPANY: Provider = provider(64_496, "example company", "example.com");
const TUNNEL: Provider = provider(64_497, "example secure edge", "edge.example");
const HOTEL: Provider = provider(64_506, "guest networks", "guests.example");
const CLOUD: Provider = provider(64_507, "example cloud", "cloud.example");
const CONSUMER_TUNNEL: Provider = provider(65_550, "private browsing", "tunnel.example");
const TESTERS: Provider = provider(65_551, "penetration testers", "testers.example");
const BROADBAND: [Provider; 8] = [
    provider(64_498, "broadband one", "one.example"),
    provider(64_499, "broadband two", "two.example"),
    provider(64_500, "broadband three", "three.example"),
    provider(64_501, "broadband four", "four.example"),
    provider(64_502, "broadband five", "five.example"),
    provider(64_503, "broadband six", "six.example"),
    provider(64_504, "broadband seven", "seven.example"),
    provider(64_505, "broadband eight", "eight.example"),
];
const CARRIERS: [Provider; 6] = [
    provider(65_536, "carrier red", "red.example"),
    provider(65_537, "carrier red roaming", "red.example"),
    provider(65_538, "carrier blue", "blue.example"),
    provider(65_539, "carrier blue roaming", "blue.example"),
    provider(65_540, "carrier green", "green.example"),
    provider(65_541, "carrier green roaming", "green.example"),
];
const HOSTING: [Provider; 6] = [
    provider(65_542, "cheap servers", "cheap.example"),
    provider(65_543, "fast servers", "fast.example"),
    provider(65_544, "big cloud", "big.example"),
    provider(65_545, "old hosting", "old.example"),
    provider(65_546, "game servers", "game.example"),
    provider(65_547, "bulletproof hosting", "proof.example"),
];
const RELAYS: [Provider; 2] = [
    provider(65_548, "relay friends", "relay.example"),
    provider(65_549, "exit nodes", "exit.example"),
];

/// The networks that belong to the organization, or that it hired to test it, as a list of CIDRs:
/// what an administrator would write into a configuration.
pub(super) const OWN: [&str; 3] = ["203.0.113.0/24", "198.51.100.0/25", "192.0.2.64/28"];

/// One way of reaching Okta.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) ip: String,
    /// The address inside the organization's own network, where there is one.
    pub(super) inside: Option<String>,
    /// Nothing where Okta knows no place.
    pub(super) place: Option<&'static Place>,
    pub(super) provider: Provider,
    pub(super) zone: Option<&'static str>,
    pub(super) is_proxy: bool,
    /// Kind and operator of an anonymizing service.
    pub(super) service: Option<(&'static str, &'static str)>,
}

/// An address of the benchmarking range: 131,072 of them.
fn benchmark(number: usize) -> String {
    let number = number % (1 << 17);
    format!(
        "198.{}.{}.{}",
        18 + (number >> 16),
        (number >> 8) & 255,
        number & 255
    )
}

// Parts of the benchmarking range: first address and how many.
const HOMES: (usize, usize) = (0, 1 << 16);
const GUESTS: (usize, usize) = (1 << 16, 1 << 13);
const POOLS: (usize, usize) = (0x1_2000, 1 << 11);
const SERVERS: (usize, usize) = (0x1_4000, 1 << 14);
const EXITS: (usize, usize) = (0x1_8000, 1 << 8);
const PRIVATE: (usize, usize) = (0x1_9000, 1 << 8);

fn of_range((first, size): (usize, usize), number: usize) -> String {
    benchmark(first + number % size)
}

impl Network {
    fn plain(ip: String, place: &'static Place, provider: Provider) -> Self {
        Self {
            ip,
            inside: None,
            place: Some(place),
            provider,
            zone: None,
            is_proxy: false,
            service: None,
        }
    }

    /// At a desk: everybody of an office shares two addresses.
    pub(super) fn office(office: usize, person: usize) -> Self {
        let ip = format!("203.0.113.{}", 10 * (office + 1) + person % 2);
        Self {
            inside: Some(format!(
                "10.{office}.{}.{}",
                person / 200 % 250,
                person % 200 + 20
            )),
            zone: Some("Offices"),
            ..Self::plain(ip, &OFFICES[office], COMPANY)
        }
    }

    /// At home. The provider gives another address now and then (`lease`); some couples share one.
    pub(super) fn home(office: usize, person: usize, lease: usize) -> Self {
        let house = if person.is_multiple_of(140) {
            person + 1
        } else {
            person
        };
        let provider = BROADBAND[(house * 7 + office) % BROADBAND.len()];
        let ip = if house % 5 == 2 {
            format!(
                "2001:db8:{:x}:{:x}::{:x}",
                house,
                lease % 0xffff,
                0x10 + house % 7
            )
        } else {
            of_range(HOMES, house * 11 + lease * 4099)
        };
        Self::plain(ip, &OFFICES[office], provider)
    }

    /// A telephone's network in a country: few addresses for everybody, and they change within the
    /// hour, sometimes with the carrier's second network.
    pub(super) fn mobile(place: &'static Place, person: usize, moment: usize) -> Self {
        let carrier = 2 * (person % 3) + usize::from(moment % 5 == 4);
        let region = place.city.bytes().map(usize::from).sum::<usize>() % 16;
        let ip = of_range(
            POOLS,
            region * 128 + carrier * 20 + (person * 31 + moment * 17) % 20,
        );
        Self::plain(ip, place, CARRIERS[carrier])
    }

    /// A hotel, a train, a café.
    pub(super) fn guest(place: &'static Place, dice: &mut Dice) -> Self {
        Self::plain(of_range(GUESTS, dice.below(GUESTS.1)), place, HOTEL)
    }

    /// The organization's tunnel: hundreds share an egress, which stands in another country for
    /// some; Okta calls one of them a proxy.
    pub(super) fn tunnel(office: usize) -> Self {
        let egress = office % 3;
        Self {
            is_proxy: egress == 2,
            service: (egress == 2).then_some(("VPN", "EXAMPLE_EDGE")),
            zone: Some("Tunnel"),
            ..Self::plain(
                format!("198.51.100.{}", 10 + egress),
                &OFFICES[egress],
                TUNNEL,
            )
        }
    }

    /// A private tunnel that people buy, attackers too.
    pub(super) fn consumer_tunnel(dice: &mut Dice) -> Self {
        let place = dice.pick(&ELSEWHERE);
        Self {
            is_proxy: dice.chance(3, 4),
            service: Some(("VPN", "PRIVATE_BROWSING")),
            ..Self::plain(
                of_range(PRIVATE, dice.below(PRIVATE.1)),
                place,
                CONSUMER_TUNNEL,
            )
        }
    }

    /// The organization's own machines in a cloud: its addresses, its programs.
    pub(super) fn cloud(number: usize) -> Self {
        Self {
            zone: Some("Programs"),
            ..Self::plain(
                format!("198.51.100.{}", 64 + number % 16),
                &OFFICES[0],
                CLOUD,
            )
        }
    }

    /// Whom the organization pays to attack it.
    pub(super) fn testers(number: usize) -> Self {
        Self::plain(format!("192.0.2.{}", 66 + number % 8), &OFFICES[1], TESTERS)
    }

    /// A rented server.
    pub(super) fn server(dice: &mut Dice) -> Self {
        let provider = *dice.pick(&HOSTING);
        Self {
            is_proxy: dice.chance(1, 4),
            ..Self::plain(
                of_range(SERVERS, dice.below(SERVERS.1)),
                dice.pick(&ELSEWHERE),
                provider,
            )
        }
    }

    /// Tor: Okta marks it, and often knows no place.
    pub(super) fn tor(dice: &mut Dice) -> Self {
        let known = dice.chance(1, 2);
        let place = dice.pick(&ELSEWHERE);
        Self {
            place: known.then_some(place),
            is_proxy: true,
            service: Some(("Tor", "TOR")),
            ..Self::plain(
                of_range(EXITS, dice.below(EXITS.1)),
                place,
                *dice.pick(&RELAYS),
            )
        }
    }

    /// Somebody's hijacked home connection, possibly in the victim's own country. Okta knows some.
    pub(super) fn residential(dice: &mut Dice) -> Self {
        let place = if dice.chance(1, 3) {
            dice.pick(&OFFICES)
        } else {
            dice.pick(&ELSEWHERE)
        };
        let known = dice.chance(1, 3);
        Self {
            is_proxy: known,
            service: known.then_some(("Residential Proxy", "HOME_PROXIES")),
            ..Self::plain(
                of_range(HOMES, dice.below(HOMES.1)),
                place,
                *dice.pick(&BROADBAND),
            )
        }
    }

    /// What an attacker rents.
    pub(super) fn attacker(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..4 => Self::server(dice),
            4..7 => Self::residential(dice),
            7 | 8 => Self::consumer_tunnel(dice),
            _ => Self::tor(dice),
        }
    }
}

/// A request's origin: network, software and the browser's memory.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) network: Network,
    pub(super) software: Software,
    /// The device token cookie; scripts have none.
    pub(super) token: Option<u128>,
    /// Id of the registered device.
    pub(super) device: Option<String>,
}

impl Client {
    /// The same software somewhere else.
    pub(super) fn at(&self, network: Network) -> Self {
        Self {
            network,
            ..self.clone()
        }
    }
}
