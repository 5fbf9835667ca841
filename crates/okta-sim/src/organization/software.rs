//! What speaks for people and programs: user agents as Okta reads them.

/// A user agent and what Okta makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Software {
    pub(super) raw: String,
    pub(super) os: &'static str,
    pub(super) browser: &'static str,
    pub(super) device: &'static str,
}

/// A family of user agents; the version follows the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    ChromeOnWindows,
    EdgeOnWindows,
    ChromeOnMac,
    SafariOnMac,
    FirefoxOnLinux,
    SafariOnPhone,
    ChromeOnPhone,
    MailClient,
    Python,
    Go,
    Node,
    Curl,
    Headless,
    Agent,
}

impl Make {
    /// The user agent of the simulation's day. Browsers update every four weeks, a few days apart
    /// from machine to machine (`lag`).
    pub(super) fn on(self, day: i32, lag: u32) -> Software {
        let step = (day - i32::try_from(lag % 9).expect("below nine")).div_euclid(28);
        let chrome = 139 + step;
        let (raw, os, browser, device) = match self {
            Self::ChromeOnWindows => (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36"),
                "Windows 10",
                "CHROME",
                "Computer",
            ),
            Self::EdgeOnWindows => (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36 Edg/{chrome}.0.0.0"),
                "Windows 10",
                "EDGE",
                "Computer",
            ),
            Self::ChromeOnMac => (
                format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36"),
                "Mac OS X",
                "CHROME",
                "Computer",
            ),
            Self::SafariOnMac => (
                format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.{} Safari/605.1.15", step.max(0)),
                "Mac OS X",
                "SAFARI",
                "Computer",
            ),
            Self::FirefoxOnLinux => (
                format!("Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0", 142 + step),
                "Linux",
                "FIREFOX",
                "Computer",
            ),
            Self::SafariOnPhone => (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1".to_owned(),
                "iOS",
                "SAFARI",
                "Mobile",
            ),
            Self::ChromeOnPhone => (
                format!("Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Mobile Safari/537.36"),
                "Android",
                "CHROME",
                "Mobile",
            ),
            Self::MailClient => (
                "Apple-iPhone15C2/2207.100".to_owned(),
                "iOS",
                "UNKNOWN",
                "Mobile",
            ),
            Self::Python => ("python-requests/2.32.5".to_owned(), "Unknown", "UNKNOWN", "Unknown"),
            Self::Go => ("Go-http-client/2.0".to_owned(), "Unknown", "UNKNOWN", "Unknown"),
            Self::Node => ("axios/1.12.2".to_owned(), "Unknown", "UNKNOWN", "Unknown"),
            Self::Curl => ("curl/8.16.0".to_owned(), "Unknown", "UNKNOWN", "Unknown"),
            Self::Headless => (
                format!("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/{chrome}.0.0.0 Safari/537.36"),
                "Linux",
                "CHROME",
                "Computer",
            ),
            Self::Agent => ("example-sync/3.4".to_owned(), "Unknown", "UNKNOWN", "Unknown"),
        };
        Software {
            raw,
            os,
            browser,
            device,
        }
    }
}
