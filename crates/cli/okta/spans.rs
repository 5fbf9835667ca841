//! Spans of time in words.

/// A span in its largest whole unit: `12 s`, `4 min`, `3 h`, `5 d`; a negative one is none.
pub(crate) fn words(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_largest_unit_of_at_least_two() {
        let cases = [
            (-5_000, "0 s"),
            (119_999, "119 s"),
            (120_000, "2 min"),
            (7_199_000, "119 min"),
            (7_200_000, "2 h"),
            (172_799_000, "47 h"),
            (172_800_000, "2 d"),
        ];
        for (millis, expected) in cases {
            assert_eq!(words(millis), expected, "{millis}");
        }
    }
}
