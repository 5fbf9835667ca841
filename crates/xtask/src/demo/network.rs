//! Where requests come from: offices, homes, airports and attackers.
//!
//! All addresses and network numbers are those reserved for documentation (RFC 5737, 3849, 5398).

/// Somewhere.
pub(crate) struct Place {
    pub(crate) city: &'static str,
    pub(crate) state: &'static str,
    pub(crate) country: &'static str,
    pub(crate) postal_code: &'static str,
    pub(crate) lat: f64,
    pub(crate) lon: f64,
    /// Hours that local time is ahead of UTC; no summer time in November.
    pub(crate) utc_offset: i64,
}

const fn place(
    (city, state, country): (&'static str, &'static str, &'static str),
    postal_code: &'static str,
    (lat, lon): (f64, f64),
    utc_offset: i64,
) -> Place {
    Place {
        city,
        state,
        country,
        postal_code,
        lat,
        lon,
        utc_offset,
    }
}

pub(crate) static LISBON: Place = place(
    ("Lisbon", "Lisbon", "Portugal"),
    "1100-148",
    (38.7223, -9.1393),
    0,
);
pub(crate) static DUBLIN: Place = place(
    ("Dublin", "Leinster", "Ireland"),
    "D02",
    (53.3498, -6.2603),
    0,
);
pub(crate) static TORONTO: Place = place(
    ("Toronto", "Ontario", "Canada"),
    "M5H",
    (43.6532, -79.3832),
    -5,
);
pub(crate) static SINGAPORE: Place = place(
    ("Singapore", "Singapore", "Singapore"),
    "018956",
    (1.2834, 103.8607),
    8,
);
pub(crate) static REYKJAVIK: Place = place(
    ("Reykjavik", "Capital Region", "Iceland"),
    "101",
    (64.1466, -21.9426),
    0,
);
pub(crate) static LUXEMBOURG: Place = place(
    ("Luxembourg", "Luxembourg", "Luxembourg"),
    "1009",
    (49.6116, 6.1319),
    1,
);

/// Who carries the traffic.
pub(crate) struct Provider {
    pub(crate) as_number: u32,
    pub(crate) name: &'static str,
    pub(crate) domain: &'static str,
}

static OFFICE: Provider = Provider {
    as_number: 64496,
    name: "demo company",
    domain: "example.com",
};
static HOME: Provider = Provider {
    as_number: 64497,
    name: "home broadband",
    domain: "example.net",
};
static MOBILE: Provider = Provider {
    as_number: 64498,
    name: "mobile carrier",
    domain: "example.net",
};
static HOSTING: Provider = Provider {
    as_number: 64500,
    name: "rented servers",
    domain: "example.net",
};
static ANONYMIZER: Provider = Provider {
    as_number: 64501,
    name: "anonymous proxies",
    domain: "example.net",
};

/// What speaks for the person.
pub(crate) struct Software {
    pub(crate) raw: &'static str,
    pub(crate) os: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) device: &'static str,
}

/// What the organization's people use; a person keeps one.
pub(crate) static SOFTWARE: [Software; 4] = [
    Software {
        raw: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        os: "Windows 11",
        browser: "CHROME",
        device: "Computer",
    },
    Software {
        raw: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
        os: "Mac OS X",
        browser: "SAFARI",
        device: "Computer",
    },
    Software {
        raw: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        os: "Linux",
        browser: "FIREFOX",
        device: "Computer",
    },
    Software {
        raw: "Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
        os: "Android",
        browser: "CHROME",
        device: "Mobile",
    },
];

static SCRIPT: Software = Software {
    raw: "python-requests/2.32.5",
    os: "Unknown",
    browser: "UNKNOWN",
    device: "Unknown",
};

static AGENT: Software = Software {
    raw: "demo-sync/3.4",
    os: "Unknown",
    browser: "UNKNOWN",
    device: "Unknown",
};

/// One way of reaching Okta.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) ip: String,
    /// The address inside the organization's own network, where there is one.
    pub(crate) inside: Option<String>,
    pub(crate) place: Option<&'static Place>,
    pub(crate) provider: &'static Provider,
    pub(crate) software: &'static Software,
    pub(crate) zone: Option<&'static str>,
    pub(crate) is_proxy: bool,
    pub(crate) dt_hash: Option<String>,
}

impl Client {
    /// At a desk.
    pub(crate) fn office(number: usize, place: &'static Place) -> Self {
        let site = if place.city == LISBON.city { 10 } else { 11 };
        Self {
            ip: format!("203.0.113.{site}"),
            inside: Some(format!("10.{site}.4.{}", number + 20)),
            place: Some(place),
            provider: &OFFICE,
            software: &SOFTWARE[number % 3],
            zone: Some("Offices"),
            is_proxy: false,
            dt_hash: None,
        }
    }

    /// At home; some homes have modern addresses.
    pub(crate) fn home(number: usize, place: &'static Place) -> Self {
        let ip = if number % 7 == 3 {
            format!("2001:db8:40:{number:x}::5")
        } else {
            format!("198.51.100.{}", number + 1)
        };
        Self {
            ip,
            inside: None,
            provider: &HOME,
            zone: None,
            ..Self::office(number, place)
        }
    }

    /// On the road, from a telephone's network.
    pub(crate) fn roaming(number: usize, place: &'static Place) -> Self {
        Self {
            ip: format!("198.51.100.{}", 130 + number % 60),
            provider: &MOBILE,
            software: &SOFTWARE[3],
            ..Self::home(number, place)
        }
    }

    /// A program of the organization.
    pub(crate) fn agent(number: usize) -> Self {
        Self {
            software: &AGENT,
            ..Self::office(number, &LISBON)
        }
    }

    /// Rented servers, which an attacker drives by script.
    pub(crate) fn servers(number: usize, place: &'static Place) -> Self {
        Self {
            ip: format!("192.0.2.{}", number % 200 + 1),
            inside: None,
            place: Some(place),
            provider: &HOSTING,
            software: &SCRIPT,
            zone: None,
            is_proxy: false,
            dt_hash: None,
        }
    }

    /// An attacker's browser behind a proxy that tells no place.
    pub(crate) fn proxy(number: usize) -> Self {
        Self {
            ip: format!("192.0.2.{}", 201 + number % 50),
            place: None,
            provider: &ANONYMIZER,
            software: &SOFTWARE[0],
            is_proxy: true,
            ..Self::servers(number, &LUXEMBOURG)
        }
    }
}
