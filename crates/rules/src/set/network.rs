//! Networks as somebody writes them: `192.0.2.0/24`, `2001:db8::/32`, or one address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A block of addresses. An IPv4 address inside IPv6 (`::ffff:192.0.2.7`) is the IPv4 address, in
/// networks and in events.
///
/// ```
/// use af_rules::Network;
///
/// let office: Network = "192.0.2.0/24".parse().unwrap();
/// assert!(office.contains("192.0.2.200".parse().unwrap()));
/// assert!(office.contains("::ffff:192.0.2.200".parse().unwrap()));
/// assert!(!office.contains("198.51.100.1".parse().unwrap()));
/// let problem = "192.0.2.7/24".parse::<Network>().unwrap_err();
/// assert_eq!(problem.hint(), "write 192.0.2.0/24 for the network or 192.0.2.7 for the address");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct NetworkError {
    detail: String,
    hint: String,
}

impl NetworkError {
    fn new(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            hint: hint.into(),
        }
    }

    /// What to write instead.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl Network {
    /// Whether an address belongs to it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                masked_v4(address.to_bits(), self.bits) == first.to_bits()
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                masked_v6(address.to_bits(), self.bits) == first.to_bits()
            }
            _ => false,
        }
    }
}

fn masked_v4(address: u32, bits: u8) -> u32 {
    address & u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

fn masked_v6(address: u128, bits: u8) -> u128 {
    address & u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        const EXAMPLES: &str = "write an address or a network, such as 192.0.2.7, 192.0.2.0/24 or \
                                2001:db8::/32";
        let text = text.trim();
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let written: IpAddr = address
            .parse()
            .map_err(|_| NetworkError::new("no IP address", EXAMPLES))?;
        let most: u8 = if written.is_ipv4() { 32 } else { 128 };
        let too_long = || {
            let hint = format!("the length of such a network is 1 to {most}");
            NetworkError::new("no such length of a network", hint)
        };
        // `+8` and `008` parse as numbers and are typing errors here.
        let bits = match length {
            None => most,
            Some(length) if length.starts_with(|c: char| c.is_ascii_digit()) => length
                .parse::<u8>()
                .ok()
                .filter(|bits| *bits <= most && bits.to_string() == length)
                .ok_or_else(too_long)?,
            Some(_) => return Err(too_long()),
        };
        let address = written.to_canonical();
        let bits = if address.is_ipv4() && written.is_ipv6() {
            // The 96 bits in front say that an IPv4 address follows.
            bits.checked_sub(96).ok_or_else(too_long)?
        } else {
            bits
        };
        if bits == 0 {
            return Err(NetworkError::new(
                "a network of every address there is",
                EXAMPLES,
            ));
        }
        let first = match address {
            IpAddr::V4(address) => IpAddr::V4(masked_v4(address.to_bits(), bits).into()),
            IpAddr::V6(address) => IpAddr::V6(masked_v6(address.to_bits(), bits).into()),
        };
        let network = Self { first, bits };
        if first != address {
            return Err(NetworkError::new(
                "an address inside a network, not the network",
                format!("write {network} for the network or {address} for the address"),
            ));
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = if self.first.is_ipv4() { 32 } else { 128 };
        if self.bits == most {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}/{}", self.first, self.bits)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        let network: Network = network.parse().unwrap();
        network.contains(address.parse().unwrap())
    }

    #[test]
    fn the_first_and_the_last_address_belong_and_their_neighbours_do_not() {
        for (network, inside, outside) in [
            (
                "198.51.100.16/28",
                ["198.51.100.16", "198.51.100.31"],
                ["198.51.100.15", "198.51.100.32"],
            ),
            (
                "203.0.113.7",
                ["203.0.113.7"; 2],
                ["203.0.113.6", "203.0.113.8"],
            ),
            (
                "2001:db8:1::/48",
                ["2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"],
                ["2001:db8:0:ffff:ffff:ffff:ffff:ffff", "2001:db8:2::"],
            ),
            (
                "2001:db8::1/128",
                ["2001:db8::1"; 2],
                ["2001:db8::", "2001:db8::2"],
            ),
            (
                "128.0.0.0/1",
                ["128.0.0.0", "255.255.255.255"],
                ["127.255.255.255", "0.0.0.0"],
            ),
        ] {
            for address in inside {
                assert!(holds(network, address), "{network} {address}");
            }
            for address in outside {
                assert!(!holds(network, address), "{network} {address}");
            }
        }
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address_on_both_sides() {
        assert!(holds("::ffff:192.0.2.0/120", "192.0.2.9"));
        assert!(holds("192.0.2.0/24", "::ffff:192.0.2.9"));
        assert_eq!(
            "::ffff:192.0.2.0/120".parse::<Network>(),
            "192.0.2.0/24".parse()
        );
        // Families do not mix otherwise.
        assert!(!holds("::/1", "0.0.0.0"));
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_to_write() {
        for text in [
            "",
            "office",
            "192.0.2",
            "192.0.2.0/33",
            "192.0.2.0/-1",
            "192.0.2.0/+8",
            "192.0.2.0/08",
            "192.0.2.0/",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/129",
            "::ffff:192.0.2.0/24",
            "192.0.2.1/24",
            "fe80::1%eth0",
        ] {
            let problem = text.parse::<Network>().unwrap_err();
            assert!(!problem.hint().is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_network_reads_back_and_holds_what_shares_its_bits(
            address in any::<u32>(), other in any::<u32>(), bits in 1_u8..=32
        ) {
            let first = masked_v4(address, bits);
            let network: Network = format!("{}/{bits}", std::net::Ipv4Addr::from(first)).parse().unwrap();
            prop_assert_eq!(network.to_string().parse::<Network>().unwrap(), network);
            let shared = (address ^ other).leading_zeros() >= u32::from(bits);
            prop_assert_eq!(network.contains(IpAddr::V4(other.into())), shared);
        }
    }
}
