//! Cities: where people work, travel and are attacked from.

/// A city as Okta names it from an address.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    pub(super) city: &'static str,
    pub(super) state: &'static str,
    pub(super) country: &'static str,
    pub(super) postal_code: &'static str,
    pub(super) lat: f64,
    pub(super) lon: f64,
    /// Minutes that local time is ahead of UTC; without summer time.
    pub(super) offset_minutes: i64,
}

const fn place(
    (city, state, country): (&'static str, &'static str, &'static str),
    postal_code: &'static str,
    (lat, lon): (f64, f64),
    offset_minutes: i64,
) -> Place {
    Place {
        city,
        state,
        country,
        postal_code,
        lat,
        lon,
        offset_minutes,
    }
}

/// The cities with an office, the largest first.
pub(super) static OFFICES: [Place; 6] = [
    place(
        ("Hamburg", "Hamburg", "Germany"),
        "20095",
        (53.55, 9.99),
        60,
    ),
    place(
        ("Leeds", "England", "United Kingdom"),
        "LS1",
        (53.80, -1.55),
        0,
    ),
    place(
        ("Denver", "Colorado", "United States"),
        "80202",
        (39.74, -104.99),
        -420,
    ),
    place(
        ("Pune", "Maharashtra", "India"),
        "411001",
        (18.52, 73.86),
        330,
    ),
    place(
        ("Lyon", "Auvergne-Rhone-Alpes", "France"),
        "69001",
        (45.76, 4.84),
        60,
    ),
    place(
        ("Gdansk", "Pomerania", "Poland"),
        "80-001",
        (54.35, 18.65),
        60,
    ),
];

/// Where people are sent, or spend their holidays.
pub(super) static DESTINATIONS: [Place; 12] = [
    place(("Madrid", "Madrid", "Spain"), "28001", (40.42, -3.70), 60),
    place(("Milan", "Lombardy", "Italy"), "20121", (45.46, 9.19), 60),
    place(("Vienna", "Vienna", "Austria"), "1010", (48.21, 16.37), 60),
    place(
        ("Amsterdam", "North Holland", "Netherlands"),
        "1011",
        (52.37, 4.90),
        60,
    ),
    place(
        ("Stockholm", "Stockholm", "Sweden"),
        "111 20",
        (59.33, 18.07),
        60,
    ),
    place(
        ("Dubai", "Dubai", "United Arab Emirates"),
        "00000",
        (25.20, 55.27),
        240,
    ),
    place(
        ("Singapore", "Singapore", "Singapore"),
        "018956",
        (1.28, 103.86),
        480,
    ),
    place(
        ("Tokyo", "Tokyo", "Japan"),
        "100-0001",
        (35.68, 139.69),
        540,
    ),
    place(
        ("New York", "New York", "United States"),
        "10001",
        (40.71, -74.01),
        -300,
    ),
    place(
        ("Toronto", "Ontario", "Canada"),
        "M5H",
        (43.65, -79.38),
        -300,
    ),
    place(
        ("Sao Paulo", "Sao Paulo", "Brazil"),
        "01001",
        (-23.55, -46.63),
        -180,
    ),
    place(("Berlin", "Berlin", "Germany"), "10115", (52.52, 13.40), 60),
];

/// Where rented servers, anonymizers and hijacked home connections stand; some share a country with
/// an office.
pub(super) static ELSEWHERE: [Place; 10] = [
    place(
        ("Amsterdam", "North Holland", "Netherlands"),
        "1011",
        (52.37, 4.90),
        60,
    ),
    place(
        ("Frankfurt am Main", "Hesse", "Germany"),
        "60311",
        (50.11, 8.68),
        60,
    ),
    place(
        ("Ashburn", "Virginia", "United States"),
        "20147",
        (39.04, -77.49),
        -300,
    ),
    place(
        ("Luxembourg", "Luxembourg", "Luxembourg"),
        "1009",
        (49.61, 6.13),
        60,
    ),
    place(
        ("Reykjavik", "Capital Region", "Iceland"),
        "101",
        (64.15, -21.94),
        0,
    ),
    place(
        ("Bucharest", "Bucharest", "Romania"),
        "010011",
        (44.43, 26.10),
        120,
    ),
    place(
        ("Singapore", "Singapore", "Singapore"),
        "018956",
        (1.28, 103.86),
        480,
    ),
    place(
        ("London", "England", "United Kingdom"),
        "EC1A",
        (51.51, -0.13),
        0,
    ),
    place(
        ("Sao Paulo", "Sao Paulo", "Brazil"),
        "01001",
        (-23.55, -46.63),
        -180,
    ),
    place(
        ("Los Angeles", "California", "United States"),
        "90012",
        (34.05, -118.24),
        -480,
    ),
];

impl Place {
    /// Kilometres to another place, within a few percent. Arithmetic only, so that every machine
    /// finds the same distance.
    pub(super) fn kilometres_to(&self, other: &Self) -> f64 {
        const PER_DEGREE: f64 = 111.2;
        let middle = f64::midpoint(self.lat, other.lat) * 0.017_453_3;
        let square = middle * middle;
        let cosine = 1.0 - square / 2.0 + square * square / 24.0;
        let around = (self.lon - other.lon).abs();
        let east = around.min(360.0 - around) * cosine;
        let north = self.lat - other.lat;
        PER_DEGREE * (east * east + north * north).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_about_right() {
        let [hamburg, leeds, ..] = &OFFICES;
        // 759 km along the great circle.
        let found = hamburg.kilometres_to(leeds);
        assert!((700.0..830.0).contains(&found), "{found}");
        assert!(hamburg.kilometres_to(hamburg) < 0.1);
    }
}
