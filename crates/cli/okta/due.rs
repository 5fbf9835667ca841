//! When an inventory is taken without being asked for.

use af_engine::config::OktaApi;
use af_model::UtcMillis;
use af_model::feed::InventoryStatus;
use af_okta::Step;

/// Whether an inventory is due: the one that is here is too old or, taken by hand, lacks a step that is
/// wanted, and the last attempt is no quarter of an hour ago, so that one that keeps failing does not
/// eat up the budget of the log.
pub(crate) fn is_due(api: &OktaApi, inventory: &InventoryStatus, now: UtcMillis) -> bool {
    const HOUR: i64 = 3_600_000;
    let older = |at: Option<UtcMillis>, millis: i64| at.is_none_or(|at| now.0 - at.0 >= millis);
    let (taken_at, attempted_at) = (inventory.taken_at, inventory.attempted_at);
    let is_old = older(taken_at, i64::from(api.inventory_hours) * HOUR);
    let was_tried = |step: &Step| inventory.steps.iter().any(|had| had.step == step.as_str());
    let is_partial = !Step::with_needs(&api.inventory).iter().all(was_tried);
    let failed_lately = attempted_at > taken_at && !older(attempted_at, HOUR / 4);
    api.inventory_hours > 0 && (is_old || is_partial) && !failed_lately
}

#[cfg(test)]
mod tests {
    use af_model::feed::StepStatus;

    use super::*;
    use crate::okta::integrations::tests::config;

    const HOUR: i64 = 3_600_000;
    const NOW: UtcMillis = at(100);

    /// Whether one is due that is configured so and was taken and tried at these instants.
    fn due(
        (hours, wanted): (u32, &[Step]),
        (taken_at, attempted_at): (Option<UtcMillis>, Option<UtcMillis>),
        steps: &[&str],
    ) -> bool {
        let mut api = config().tenants[0].okta[0].api.clone().unwrap();
        api.inventory_hours = hours;
        api.inventory = wanted.to_vec();
        let steps = steps.iter().map(|&step| StepStatus {
            step: step.to_owned(),
            ..StepStatus::default()
        });
        let inventory = InventoryStatus {
            taken_at,
            attempted_at,
            steps: steps.collect(),
            ..InventoryStatus::default()
        };
        is_due(&api, &inventory, NOW)
    }

    const fn at(hour: i64) -> UtcMillis {
        UtcMillis(hour * HOUR)
    }

    #[test]
    fn an_inventory_is_due_when_it_is_too_old() {
        let due = |hours, taken_at, attempted_at| due((hours, &[]), (taken_at, attempted_at), &[]);
        assert!(due(24, None, None));
        assert!(due(24, Some(at(76)), Some(at(76))));
        assert!(!due(24, Some(at(77)), Some(at(77))));
        assert!(!due(0, None, None), "by hand only");
        // One that failed just now is left alone for a while.
        let lately = Some(UtcMillis(NOW.0 - 60_000));
        assert!(!due(24, Some(at(1)), lately));
        assert!(!due(24, None, lately));
        assert!(due(24, Some(at(1)), Some(at(99))));
    }

    #[test]
    fn a_part_taken_by_hand_does_not_stand_for_the_whole() {
        let wanted = [Step::Org, Step::Factors];
        let fresh = (Some(at(99)), Some(at(99)));
        assert!(due((24, &wanted), fresh, &["org"]));
        assert!(
            due((24, &wanted), fresh, &["org", "factors"]),
            "users belong to it"
        );
        assert!(!due((24, &wanted), fresh, &["org", "users", "factors"]));
        assert!(!due((24, &wanted[..1]), fresh, &["org"]));
        assert!(!due((0, &wanted), fresh, &["org"]), "by hand only");
        let lately = Some(UtcMillis(NOW.0 - 60_000));
        assert!(!due((24, &wanted), (Some(at(99)), lately), &["org"]));
    }
}
