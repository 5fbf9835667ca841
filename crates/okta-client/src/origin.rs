//! Where a credential may be sent, and nowhere else.

use std::fmt;

use af_model::name::Printable;
use reqwest::Url;

use crate::error::{Error, ErrorKind};

/// The domains under which Okta hosts orgs.
const OKTA_DOMAINS: [&str; 5] = [
    ".okta.com",
    ".oktapreview.com",
    ".okta-emea.com",
    ".okta-gov.com",
    ".okta.mil",
];

/// What else than Okta's own domains may be an origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// A domain of the organization's own, e.g. `login.acme.example`.
    pub custom_domain: bool,
    /// `http://127.0.0.1:PORT` and `http://[::1]:PORT`, for a simulator.
    pub loopback: bool,
}

/// Scheme, host and port of an Okta org, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin(Url);

impl Origin {
    /// Checks the base URL of an org.
    ///
    /// The text is judged before any URL parser mends it: parsers drop tabs, turn backslashes
    /// around, decode `%2e` and read `0x7f.1` as an address, and whoever misreads the host sends
    /// the credential there.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] with a hint.
    pub fn parse(text: &str, allow: Allow) -> Result<Self, Error> {
        let text = text.trim();
        let (scheme, rest) = split_scheme(text)?;
        let authority = authority(rest)?;
        let origin = match scheme {
            Scheme::Http => loopback(&authority, allow)?,
            Scheme::Https => hosted(&authority, allow)?,
        };
        let url = Url::parse(&origin).map_err(|_| refused("the address is no URL", EXAMPLE))?;
        // Both readings of the host must agree; the guard compares what the parser says.
        if url.as_str().trim_end_matches('/') != origin {
            return Err(refused("the address can be read in two ways", EXAMPLE));
        }
        Ok(Self(url))
    }

    /// The URL of a path of the API, e.g. `/api/v1/logs`. What looks like a query or a fragment in
    /// it is part of the path.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }

    /// Whether a URL has the same scheme, host and port, and no user information.
    pub fn covers(&self, url: &Url) -> bool {
        url.scheme() == self.0.scheme()
            && url.host_str() == self.0.host_str()
            && url.port_or_known_default() == self.0.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
    }

    /// Whether it is a simulator on this machine, reached without encryption.
    pub(crate) fn is_loopback(&self) -> bool {
        self.0.scheme() == "http"
    }
}

const EXAMPLE: &str = "write the address of the org like this: https://acme.okta.com";

#[derive(Clone, Copy)]
enum Scheme {
    Http,
    Https,
}

fn refused(message: &str, hint: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, message).with_hint(hint)
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), Error> {
    if text.is_empty() {
        return Err(refused("the address of the org is empty", EXAMPLE));
    }
    // User information may be a password, so nothing of such a text is shown.
    if text.contains('@') {
        return Err(refused(
            "the address of the org holds user information",
            "leave out everything before the @; credentials are configured on their own",
        ));
    }
    if !text.is_ascii() {
        return Err(refused(
            "the address of the org has letters outside ASCII",
            "type the name anew; letters of other alphabets look alike. A domain with such letters is written as xn--…",
        ));
    }
    if text.bytes().any(|b| b.is_ascii_control() || b == b' ') {
        return Err(refused(
            "the address of the org has blanks or control characters in it",
            EXAMPLE,
        ));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let host = text.split(['/', '?', '#']).next().unwrap_or_default();
        let hint = if is_host(&host.to_ascii_lowercase()) {
            format!("write https://{}", Printable(&host.to_ascii_lowercase()))
        } else {
            EXAMPLE.to_owned()
        };
        return Err(refused(
            "the address of the org does not begin with https://",
            hint,
        ));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok((Scheme::Https, rest)),
        "http" => Ok((Scheme::Http, rest)),
        _ => Err(refused(
            "the address of the org does not begin with https://",
            EXAMPLE,
        )),
    }
}

/// Host and port as typed, in lower case, when nothing but a `/` follows.
fn authority(rest: &str) -> Result<String, Error> {
    let (authority, after) = match rest.find(['/', '?', '#', '\\']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if !matches!(after, "" | "/") {
        let what = match after.as_bytes()[0] {
            b'?' => "a query",
            b'#' => "a fragment",
            _ => "a path",
        };
        return Err(refused(
            &format!("the address of the org has {what} after the host"),
            "only scheme and host are wanted, e.g. https://acme.okta.com; paths of the API are added by themselves",
        ));
    }
    Ok(authority.to_ascii_lowercase())
}

fn loopback(authority: &str, allow: Allow) -> Result<String, Error> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if !matches!(host, "127.0.0.1" | "[::1]") {
        let hint = if host == "localhost" {
            "write 127.0.0.1 instead of localhost, which may point elsewhere"
        } else {
            "Okta is reached by https:// only; http:// is for a simulator at 127.0.0.1 or [::1]"
        };
        return Err(refused(
            "the address of the org does not begin with https://",
            hint,
        ));
    }
    if !allow.loopback {
        return Err(refused(
            "an address of this machine is not allowed here",
            EXAMPLE,
        ));
    }
    match port {
        None => Ok(format!("http://{host}")),
        Some(port) => match port.parse::<u16>() {
            // Other spellings of a number, such as +80 or 0080, are left to nobody's judgement.
            Ok(number) if number.to_string() != port || number == 0 => Err(not_a_port()),
            Ok(80) => Ok(format!("http://{host}")),
            Ok(number) => Ok(format!("http://{host}:{number}")),
            Err(_) => Err(not_a_port()),
        },
    }
}

fn not_a_port() -> Error {
    refused(
        "the port of the address is none",
        "write a number from 1 to 65535 after the colon",
    )
}

fn hosted(authority: &str, allow: Allow) -> Result<String, Error> {
    if matches!(authority, "127.0.0.1" | "[::1]")
        || authority.starts_with("127.0.0.1:")
        || authority.starts_with("[::1]:")
    {
        return Err(refused(
            "an address of this machine cannot be reached by https",
            "a simulator is reached by http://127.0.0.1:PORT",
        ));
    }
    if authority.contains(':') {
        return Err(refused(
            "the address of the org has a port",
            "leave the port out; Okta answers at the usual one",
        ));
    }
    if authority.ends_with('.') {
        return Err(refused(
            "the address of the org ends with a dot",
            "leave out the dot at the end of the host",
        ));
    }
    if !is_host(authority) {
        return Err(refused(
            "the address of the org has no proper host name",
            EXAMPLE,
        ));
    }
    let okta_labels = OKTA_DOMAINS
        .iter()
        .find_map(|domain| authority.strip_suffix(domain));
    if let Some(labels) = okta_labels {
        let (org, further) = labels.split_once('.').unwrap_or((labels, ""));
        if let Some(org) = org.strip_suffix("-admin").filter(|org| !org.is_empty()) {
            let domain = &authority[labels.len()..];
            let dot = if further.is_empty() { "" } else { "." };
            return Err(refused(
                "the address is the one of the admin console",
                format!("leave out -admin: https://{org}{dot}{further}{domain}"),
            ));
        }
        return Ok(format!("https://{authority}"));
    }
    if OKTA_DOMAINS.iter().any(|domain| &domain[1..] == authority) {
        return Err(refused(
            "the address names Okta itself, not an org",
            "put the name of the org before it, e.g. https://acme.okta.com",
        ));
    }
    if !allow.custom_domain {
        return Err(refused(
            &format!("{} is none of Okta's domains", Printable(authority)),
            "use the org's own address (https://acme.okta.com), or set allow_custom_domain = true if the domain is really yours",
        ));
    }
    if !authority.contains('.') || looks_like_address(authority) {
        return Err(refused(
            &format!("{} is no custom domain of an org", Printable(authority)),
            "a custom domain has a name of two or more parts, e.g. https://login.acme.example",
        ));
    }
    Ok(format!("https://{authority}"))
}

/// Whether a last label makes URL parsers read the host as an IPv4 address.
fn looks_like_address(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|b| b.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_host(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STRICT: Allow = Allow {
        custom_domain: false,
        loopback: false,
    };
    const OPEN: Allow = Allow {
        custom_domain: true,
        loopback: true,
    };

    fn hint(text: &str, allow: Allow) -> String {
        let error = Origin::parse(text, allow).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
        error.hint().expect("every refusal has a hint").to_owned()
    }

    #[test]
    fn orgs_under_every_domain_of_okta_are_accepted_and_written_in_one_way() {
        for (typed, read) in [
            ("https://acme.okta.com", "https://acme.okta.com"),
            (" https://acme.okta.com/ \r\n", "https://acme.okta.com"),
            ("HTTPS://ACME.Okta.Com", "https://acme.okta.com"),
            (
                "https://dev-1.oktapreview.com",
                "https://dev-1.oktapreview.com",
            ),
            ("https://acme.okta-emea.com", "https://acme.okta-emea.com"),
            ("https://acme.okta-gov.com", "https://acme.okta-gov.com"),
            ("https://acme.okta.mil", "https://acme.okta.mil"),
            ("https://acme.ca.okta.com", "https://acme.ca.okta.com"),
            (
                "https://integrator-12.okta.com",
                "https://integrator-12.okta.com",
            ),
        ] {
            assert_eq!(Origin::parse(typed, STRICT).unwrap().to_string(), read);
        }
    }

    #[test]
    fn what_may_mislead_is_refused_however_much_is_allowed() {
        for text in [
            "",
            "https://",
            "https:///",
            "https://okta.com",
            "https://.okta.com",
            "https://acme.okta.com.",
            "https://acme.okta.com:443",
            "https://acme.okta.com:8443",
            "https://acme.okta.com/api",
            "https://acme.okta.com//",
            "https://acme.okta.com?x=1",
            "https://acme.okta.com#x",
            "https://acme.okta.com\\@evil.example",
            "https://user:secret@acme.okta.com",
            "https://acme.okta.com@evil.example",
            "https://acme%2eokta.com",
            "https://acme.ok\tta.com",
            "https:/acme.okta.com",
            "https:\\\\acme.okta.com",
            "ftp://acme.okta.com",
            "http://acme.okta.com",
            "https://acme..okta.com",
            "https://-acme.okta.com",
            "https://acme_1.okta.com",
            "https://\u{430}cme.okta.com",
            "https://acme.\u{43e}kta.com",
            "https://acme-admin.okta.com",
            "https://127.0.0.1",
            "https://192.0.2.1",
            "https://0x7f.1",
            "https://0x7f000001",
            "https://2130706433",
            "https://localhost",
            "https://[2001:db8::1]",
            "http://localhost:80",
            "http://127.0.0.2:80",
            "http://127.1:80",
            "http://127.0.0.1:0",
            "http://127.0.0.1:+80",
            "http://127.0.0.1:99999",
            "http://127.0.0.1:8090/api",
            "http://[::1",
            "http://[::ffff:127.0.0.1]:80",
        ] {
            hint(text, OPEN);
        }
    }

    #[test]
    fn a_custom_domain_must_be_allowed() {
        let text = "https://login.acme.example";
        assert!(hint(text, STRICT).contains("allow_custom_domain"));
        assert_eq!(Origin::parse(text, OPEN).unwrap().to_string(), text);
        assert!(hint("https://acme.okta.com.evil.example", STRICT).contains("allow_custom_domain"));
        assert!(hint("https://acme-okta.com", STRICT).contains("allow_custom_domain"));
        assert!(Origin::parse("https://xn--bcher-kva.example", OPEN).is_ok());
    }

    #[test]
    fn loopback_must_be_allowed() {
        assert!(Origin::parse("http://127.0.0.1:8090", STRICT).is_err());
        for text in [
            "http://127.0.0.1:8090",
            "http://[::1]:8090",
            "http://127.0.0.1",
        ] {
            assert_eq!(Origin::parse(text, OPEN).unwrap().to_string(), text);
        }
    }

    #[test]
    fn hints_name_the_right_address() {
        assert_eq!(
            hint("Acme.okta.com/", STRICT),
            "write https://acme.okta.com"
        );
        assert!(hint("https://acme-admin.okta.com", STRICT).ends_with(" https://acme.okta.com"));
        assert!(hint("http://localhost:1", OPEN).contains("127.0.0.1"));
    }

    #[test]
    fn user_information_is_never_repeated() {
        let error = Origin::parse("https://u:hunter2@acme.okta.com", OPEN).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn only_the_same_scheme_host_and_port_without_user_information_are_covered() {
        let origin = Origin::parse("https://acme.okta.com", STRICT).unwrap();
        let covered = |text: &str| origin.covers(&Url::parse(text).unwrap());
        assert!(covered("https://acme.okta.com/api/v1/logs?after=1"));
        assert!(covered("https://ACME.okta.com:443/"));
        for foreign in [
            "http://acme.okta.com/",
            "https://acme.okta.com:8443/",
            "https://acme.okta.com./",
            "https://evil.example/acme.okta.com",
            "https://acme.okta.com.evil.example/",
            "https://acme.okta.com@evil.example/",
            "https://user@acme.okta.com/",
            "https://user:x@acme.okta.com/",
            "https://other.okta.com/",
            "data:text/plain,x",
        ] {
            assert!(!covered(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_path_cannot_leave_the_origin() {
        let origin = Origin::parse("https://acme.okta.com", STRICT).unwrap();
        for path in [
            "//evil.example/x",
            "/../../x",
            "\\\\evil.example",
            "@evil.example",
            "/x?y#z",
        ] {
            let url = origin.join(path);
            assert!(origin.covers(&url), "{url}");
            assert_eq!((url.query(), url.fragment()), (None, None), "{url}");
        }
    }

    proptest! {
        /// Whatever is accepted is covered by itself, prints as it is read, and has a host that ends
        /// as it must.
        #[test]
        fn nothing_slips_through(text in "(https?://)?[a-zA-Z0-9.:@/%\\\\\\[\\] -]{0,24}(okta\\.com)?[.:/@?#a-z0-9]{0,6}") {
            if let Ok(origin) = Origin::parse(&text, STRICT) {
                let shown = origin.to_string();
                prop_assert!(shown.starts_with("https://"));
                prop_assert!(OKTA_DOMAINS.iter().any(|domain| shown.ends_with(domain)));
                prop_assert!(origin.covers(&origin.join("/api/v1/logs")));
                prop_assert_eq!(Origin::parse(&shown, STRICT).unwrap(), origin);
            }
        }

        /// Any text at all is judged without a panic.
        #[test]
        fn any_text_is_judged(text in "\\PC{0,40}") {
            let _ = Origin::parse(&text, OPEN);
        }
    }
}
