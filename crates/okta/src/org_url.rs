//! Which base URLs may be an Okta org: the rules that need no network.
//!
//! A credential is sent to this address and nowhere else, so that what is written has to be exactly
//! an origin: `https://acme.okta.com`, without path, user or query.

use std::fmt;

/// Okta's own domains.
pub const DOMAINS: [&str; 5] = [
    "okta.com",
    "oktapreview.com",
    "okta-emea.com",
    "okta-gov.com",
    "okta.mil",
];

/// What kind of address an org has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrgUrl {
    /// Below one of Okta's own domains.
    Okta,
    /// A domain of the organization's own.
    Custom,
    /// This machine: a simulator.
    Loopback,
}

/// Why a text is not the URL of an org. Its text fits "failed to …" and repeats nothing of the URL
/// but its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOrgUrl {
    problem: String,
    hint: &'static str,
}

impl InvalidOrgUrl {
    /// What to write instead.
    pub const fn hint(&self) -> &'static str {
        self.hint
    }
}

impl fmt::Display for InvalidOrgUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for InvalidOrgUrl {}

const EXAMPLE: &str = "write scheme and host alone, e.g. https://acme.okta.com";

fn wrong<T>(problem: impl Into<String>, hint: &'static str) -> Result<T, InvalidOrgUrl> {
    Err(InvalidOrgUrl {
        problem: problem.into(),
        hint,
    })
}

/// Checks the base URL of an org. A slash at its end is fine.
///
/// # Errors
/// [`InvalidOrgUrl`] for anything but `https` and the host of an org, or `http` and the address of
/// this machine. Whether a custom domain is allowed is the caller's to decide.
///
/// ```
/// use af_okta::org_url::{OrgUrl, check};
///
/// assert_eq!(check("https://acme.okta.com/"), Ok(OrgUrl::Okta));
/// assert_eq!(check("https://login.acme.example"), Ok(OrgUrl::Custom));
/// assert_eq!(check("http://127.0.0.1:8080"), Ok(OrgUrl::Loopback));
/// assert!(check("https://acme-admin.okta.com").unwrap_err().hint().contains("-admin"));
/// ```
pub fn check(text: &str) -> Result<OrgUrl, InvalidOrgUrl> {
    let is_odd = |character: char| !character.is_ascii_graphic() || character == '\\';
    if text.is_empty() || text.len() > 300 || text.contains(is_odd) {
        return wrong("is no URL", EXAMPLE);
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return wrong("has no scheme", EXAMPLE);
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('@') {
        return wrong("has a user in it", EXAMPLE);
    }
    if rest.contains(['/', '?', '#']) {
        return wrong("has more than a host", EXAMPLE);
    }
    let (host, port) = split_port(rest)?;
    if matches!(host, "127.0.0.1" | "[::1]") {
        return match scheme.to_ascii_lowercase().as_str() {
            "http" => Ok(OrgUrl::Loopback),
            _ => wrong("is this machine, which has no certificate", "write http://"),
        };
    }
    if !scheme.eq_ignore_ascii_case("https") {
        return wrong(
            "is not https",
            "write https://; http is for 127.0.0.1 and [::1] alone",
        );
    }
    let host = host.to_ascii_lowercase();
    check_name(&host)?;
    let of_okta = DOMAINS.iter().find_map(|domain| {
        let label = host.strip_suffix(domain)?;
        (label.is_empty() || label.ends_with('.')).then_some(label.trim_end_matches('.'))
    });
    let Some(org) = of_okta else {
        return Ok(OrgUrl::Custom);
    };
    if org.is_empty() {
        return wrong(format!("has no org before {host}"), EXAMPLE);
    }
    if org.ends_with("-admin") {
        let hint = "leave -admin out: that is the address of the admin console";
        return wrong("is the address of the admin console", hint);
    }
    if port.is_some_and(|port| port != "443") {
        return wrong("has a port, and Okta has none", EXAMPLE);
    }
    Ok(OrgUrl::Okta)
}

/// Host and port; a port that is there is a number.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), InvalidOrgUrl> {
    let name_ends = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority[name_ends..].find(':') else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(name_ends + colon);
    let port = &port[1..];
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || port.parse::<u16>().is_ok_and(|port| port == 0) || port.parse::<u16>().is_err()
    {
        return wrong("has a port that is none", EXAMPLE);
    }
    Ok((host, Some(port)))
}

/// A host's name: letters, digits and dashes between dots, at least one dot, and no IP address.
fn check_name(host: &str) -> Result<(), InvalidOrgUrl> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let labels: Vec<&str> = host.split('.').collect();
    let is_name =
        labels.len() > 1 && host.len() <= 253 && labels.iter().all(|label| is_label(label));
    // A last label of digits makes it an address to every URL parser.
    let is_address = labels.last().is_some_and(|last| {
        let hexadecimal = last.strip_prefix("0x").unwrap_or(last);
        last.bytes().all(|byte| byte.is_ascii_digit())
            || (hexadecimal.len() < last.len()
                && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    if is_name && !is_address {
        return Ok(());
    }
    wrong(
        "has no name of a host",
        "write the host's name, e.g. https://acme.okta.com; of IP addresses only 127.0.0.1 and [::1]",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_domain_of_okta_is_known_and_nothing_that_looks_like_one() {
        for domain in DOMAINS {
            assert_eq!(check(&format!("https://acme.{domain}")), Ok(OrgUrl::Okta));
            assert_eq!(check(&format!("HTTPS://Acme.{domain}/")), Ok(OrgUrl::Okta));
            assert!(check(&format!("https://{domain}")).is_err());
        }
        for text in [
            "https://acme.okta.com.evil.example",
            "https://acmeokta.com",
            "https://okta.com.example",
            "https://login.acme.example:8443",
        ] {
            assert_eq!(check(text), Ok(OrgUrl::Custom), "{text}");
        }
    }

    #[test]
    fn only_this_machine_goes_without_https() {
        assert_eq!(check("http://127.0.0.1:4711/"), Ok(OrgUrl::Loopback));
        assert_eq!(check("http://[::1]:4711"), Ok(OrgUrl::Loopback));
        for text in [
            "http://acme.okta.com",
            "ftp://acme.okta.com",
            "http://localhost:80",
            "http://127.0.0.2",
            "http://127.0.0.1.evil.example",
            "https://127.0.0.1",
            "https://192.0.2.1",
            "https://[2001:db8::1]",
            "https://0x7f000001",
            "https://acme.0x1",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_more_than_an_origin_is_refused_and_not_repeated() {
        for text in [
            "",
            "acme.okta.com",
            "https://",
            "https://user:hunter2@acme.okta.com",
            "https://acme.okta.com/api/v1?token=hunter2",
            "https://acme.okta.com#hunter2",
            "https://acme.okta.com//hunter2",
            "https://acme.okta.com:hunter2",
            "https://acme.okta.com:0",
            "https://acme.okta.com:99999",
            "https://acme.okta.com:8443",
            "https://acme.okta.com\\hunter2",
            "https://acme .okta.com",
            "https://ac\u{445}me.okta.com",
            "https://.okta.com",
            "https://-a.okta.com",
            "https://acme-admin.okta.com",
        ] {
            let error = check(text).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{text}: {error}");
            assert!(!error.hint().is_empty());
        }
    }
}
