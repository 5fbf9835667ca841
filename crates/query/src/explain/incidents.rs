//! One incident counts once a day (af-1 §2.2): which signals stand together, and which for all.

use std::collections::BTreeMap;

use af_model::{Level, UtcDay};

use super::signals::StoredSignal;

/// The signals of one incident and day; the first stands for it.
pub(super) type Incident = Vec<StoredSignal>;

/// Incidents by component, family, day and level; each list by the id of the signal that stands for
/// the incident.
pub(super) type ByBlock = BTreeMap<(String, String, UtcDay, Level), Vec<Incident>>;

/// Puts the signals of one person together.
pub(super) fn collapse(signals: Vec<StoredSignal>) -> ByBlock {
    // A signal without an incident is its own: its number keeps it apart.
    let mut incidents: BTreeMap<_, Incident> = BTreeMap::new();
    for (number, signal) in signals.into_iter().enumerate() {
        let own = signal.incident_uid.is_none().then_some(number);
        let key = (
            signal.component.clone(),
            signal.family.clone(),
            signal.time.day(),
            signal.source.clone(),
            signal.incident_uid.clone(),
            own,
        );
        incidents.entry(key).or_default().push(signal);
    }
    let mut blocks = ByBlock::new();
    for ((component, family, day, ..), mut incident) in incidents {
        incident.sort_by(|left, right| {
            let order = |signal: &StoredSignal| (signal.level.slot(), signal.time);
            order(left)
                .cmp(&order(right))
                .then_with(|| left.signal_uid.cmp(&right.signal_uid))
        });
        let Some(first) = incident.first() else {
            continue;
        };
        let level = first.level;
        let block = blocks.entry((component, family, day, level)).or_default();
        block.push(incident);
    }
    for block in blocks.values_mut() {
        block.sort_by(|left, right| {
            let uid =
                |incident: &Incident| incident.first().map(|signal| signal.signal_uid.clone());
            uid(left).cmp(&uid(right))
        });
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use af_model::UtcMillis;

    fn signal(uid: &str, incident: Option<&str>, level: Level, minute: i64) -> StoredSignal {
        StoredSignal {
            source: "s".to_owned(),
            signal_uid: uid.to_owned(),
            ingested_at: None,
            time: UtcMillis(minute * 60_000),
            component: "identity".to_owned(),
            family: "other".to_owned(),
            level,
            rule_id: "r".to_owned(),
            rule_version: None,
            incident_uid: incident.map(str::to_owned),
            event_uids: Vec::new(),
            integration: None,
            subject_ref: None,
            attack_techniques: Vec::new(),
        }
    }

    fn names(blocks: &ByBlock) -> Vec<(Level, Vec<Vec<&str>>)> {
        let mut named = Vec::new();
        for ((.., level), incidents) in blocks {
            let mut of_block = Vec::new();
            for incident in incidents {
                of_block.push(incident.iter().map(|s| s.signal_uid.as_str()).collect());
            }
            named.push((*level, of_block));
        }
        named
    }

    #[test]
    fn the_highest_then_earliest_then_smallest_signal_stands_for_its_incident_and_day() {
        let day = 24 * 60;
        let blocks = collapse(vec![
            signal("d", Some("i"), Level::Low, 0),
            signal("c", Some("i"), Level::High, 9),
            signal("b", Some("i"), Level::High, 5),
            signal("a", Some("i"), Level::High, 9),
            // The same incident on the next day counts again.
            signal("e", Some("i"), Level::Low, day),
            // Two signals without an incident are two.
            signal("g", None, Level::High, 1),
            signal("f", None, Level::High, 1),
        ]);
        assert_eq!(
            names(&blocks),
            [
                (
                    Level::High,
                    vec![vec!["b", "a", "c", "d"], vec!["f"], vec!["g"]]
                ),
                (Level::Low, vec![vec!["e"]]),
            ]
        );
    }
}
