//! One incident counts once a day; incidents make buckets (§2.2, §2.3).

use std::collections::BTreeMap;

use af_model::{Level, UtcDay, UtcMillis};

use super::OracleSignal;

/// One incident of one day: the row that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The person.
    pub user_uid: String,
    /// Part of the attack factor.
    pub component: String,
    /// Kind of attack.
    pub family: String,
    /// UTC day.
    pub day: UtcDay,
    /// The highest level of the incident's signals that day.
    pub level: Level,
    /// When the representative happened.
    pub time: UtcMillis,
    /// The representative's id.
    pub signal_uid: String,
}

/// A person's incidents of one component, family and day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Incidents by level: critical, high, medium, low.
    pub counts: [u64; 4],
    /// The incidents.
    pub incidents: Vec<Incident>,
}

/// Names a bucket: user id, component, family, day.
pub type BucketKey = (String, String, String, UtcDay);

/// Collapses the signals of one tenant that joined to a person. A null or empty incident id makes
/// the signal its own incident.
///
/// # Panics
/// When a level is none of the four; such rows were quarantined.
pub fn incidents(joined: &[(String, &OracleSignal)]) -> Vec<Incident> {
    // An incident's own id and a signal's id are different name spaces, hence two places.
    type Key<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str, UtcDay);
    let mut groups: BTreeMap<Key<'_>, Vec<Incident>> = BTreeMap::new();
    for (user_uid, signal) in joined {
        let incident = signal.incident_uid.as_deref().unwrap_or_default();
        let own = if incident.is_empty() {
            signal.signal_uid.as_str()
        } else {
            ""
        };
        let key = (
            user_uid.as_str(),
            signal.component.as_str(),
            signal.family.as_str(),
            signal.source.as_str(),
            incident,
            own,
            signal.time.day(),
        );
        groups.entry(key).or_default().push(Incident {
            user_uid: user_uid.clone(),
            component: signal.component.clone(),
            family: signal.family.clone(),
            day: signal.time.day(),
            level: signal
                .level
                .parse()
                .expect("rows that name no level were quarantined"),
            time: signal.time,
            signal_uid: signal.signal_uid.clone(),
        });
    }
    groups
        .into_values()
        .map(|mut rows| {
            rows.sort_by(|a, b| {
                b.level
                    .cmp(&a.level)
                    .then(a.time.cmp(&b.time))
                    .then(a.signal_uid.cmp(&b.signal_uid))
            });
            rows.swap_remove(0)
        })
        .collect()
}

/// Counts incidents by level.
pub fn buckets(incidents: Vec<Incident>) -> BTreeMap<BucketKey, Bucket> {
    let mut buckets: BTreeMap<BucketKey, Bucket> = BTreeMap::new();
    for incident in incidents {
        let key = (
            incident.user_uid.clone(),
            incident.component.clone(),
            incident.family.clone(),
            incident.day,
        );
        let bucket = buckets.entry(key).or_default();
        bucket.counts[incident.level.slot()] += 1;
        bucket.incidents.push(incident);
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_counts_once_a_day_with_its_highest_level() {
        let signal = |uid: &str, level: &str, time: i64, incident: Option<&str>| OracleSignal {
            level: level.to_owned(),
            incident_uid: incident.map(str::to_owned),
            ..OracleSignal::new("acme", uid, UtcMillis(time))
        };
        let rows = [
            signal("d", "medium", 0, Some("i")),
            signal("c", "high", 2, Some("i")),
            signal("b", "high", 1, Some("i")),
            signal("a", "high", 1, Some("i")),
            signal("e", "low", 86_400_000, Some("i")),
            signal("i", "low", 3, None),
            signal("f", "low", 3, Some("")),
        ];
        let joined: Vec<(String, &OracleSignal)> =
            rows.iter().map(|row| ("ana".to_owned(), row)).collect();
        let found: Vec<(String, i64)> = incidents(&joined)
            .into_iter()
            .map(|incident| (incident.signal_uid, incident.time.0))
            .collect();
        let expected = [("f", 3), ("i", 3), ("a", 1), ("e", 86_400_000)];
        assert_eq!(found, expected.map(|(uid, time)| (uid.to_owned(), time)));
        let buckets = buckets(incidents(&joined));
        let counts: Vec<[u64; 4]> = buckets.values().map(|bucket| bucket.counts).collect();
        assert_eq!(counts, [[0, 1, 0, 2], [0, 0, 0, 1]]);
    }
}
