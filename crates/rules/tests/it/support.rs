//! Events by hand: one default row, changed where a test cares.

use std::borrow::Cow;

use af_model::UtcMillis;
use af_model::cell::Target;
use af_model::tables::attack_signals;
use af_model::tables::identity_events::{Row, batch};
use af_rules::{Classified, RuleFile, RuleSet};
use arrow::array::RecordBatch;

/// A successful sign-in of `uid:u1` in the tenant `acme` that nothing speaks against.
pub(crate) fn event(event_uid: &str, event_type: &str) -> Row<'static> {
    Row {
        tenant_uid: "acme".into(),
        integration: Some("okta-main".into()),
        metadata_uid: Cow::Owned(event_uid.to_owned()),
        metadata_product: "Okta".into(),
        metadata_version: "1.6.0".into(),
        metadata_event_code: Cow::Owned(event_type.to_owned()),
        metadata_log_version: None,
        time: UtcMillis(1_795_000_000_000),
        ingested_at: UtcMillis(1_795_000_060_000),
        subject_ref: Some("uid:u1".into()),
        user_uid: Some("u1".into()),
        user_name: Some("ana@example.com".into()),
        user_role: "victim".into(),
        attribution_method: "actor".into(),
        metadata_correlation_uid: None,
        trace_uid: None,
        http_request_uid: None,
        category_uid: 3,
        class_uid: 3002,
        activity_id: 1,
        type_uid: 300_201,
        severity_id: 1,
        status_id: 1,
        status_code: Some("SUCCESS".into()),
        status_detail: None,
        action_id: 1,
        disposition_id: 1,
        severity: Some("INFO".into()),
        message: None,
        legacy_event_type: None,
        actor_user_uid: Some("u1".into()),
        actor_user_name: Some("ana@example.com".into()),
        actor_user_display_name: None,
        actor_user_type: Some("User".into()),
        actor_user_type_id: 1,
        src_endpoint_ip: Some("198.51.100.7".into()),
        src_endpoint_ip_chain: None,
        src_endpoint_location_city: None,
        src_endpoint_location_region: None,
        src_endpoint_location_country: None,
        src_endpoint_location_postal_code: None,
        src_endpoint_location_lat: None,
        src_endpoint_location_long: None,
        src_endpoint_autonomous_system_number: None,
        src_endpoint_autonomous_system_name: None,
        src_endpoint_isp: None,
        src_endpoint_domain: None,
        src_endpoint_zone: None,
        okta_is_proxy: Some(false),
        okta_ip_service_categories: None,
        http_request_user_agent: None,
        device_os_name: None,
        device_browser: None,
        device_type: None,
        device_uid: None,
        device_name: None,
        device_is_managed: None,
        device_is_registered: None,
        session_uid: None,
        session_uid_alt: None,
        okta_dt_hash: None,
        auth_factor_type_id: None,
        auth_factor: None,
        auth_protocol_id: None,
        is_mfa: None,
        credential_type: None,
        risk_level_id: None,
        risk_previous_level_id: None,
        risk_reasons: None,
        risk_detection_name: None,
        risk_issuer: None,
        partner_risk_level_id: None,
        behaviors_positive: None,
        threat_suspected: None,
        threat_detections: None,
        threat_level_id: None,
        targets: None,
        resource_name: None,
        resource_uid: None,
        debug_data: None,
    }
}

/// The rows as a batch of the table.
pub(crate) fn events(rows: &[Row<'_>]) -> RecordBatch {
    batch(rows)
}

/// A target that is a person.
pub(crate) fn person(uid: &'static str) -> Target<'static> {
    Target {
        uid: Some(uid.into()),
        kind: Some("User".into()),
        name: None,
        display_name: None,
    }
}

/// The map of details.
pub(crate) fn details(
    pairs: &[(&'static str, &'static str)],
) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    pairs
        .iter()
        .map(|&(key, value)| (key.into(), value.into()))
        .collect()
}

/// A rule file of one attack rule of the component identity.
pub(crate) fn attack_rule(name: &str, number: u8, detection: &str, block: &str) -> RuleFile {
    rule(
        name,
        number,
        detection,
        &format!("  class: attack\n  component: identity\n{block}"),
    )
}

/// A rule file of level medium with any `attack_factor` block.
pub(crate) fn rule(name: &str, number: u8, detection: &str, block: &str) -> RuleFile {
    let text = format!(
        "title: {name}\nid: 00000000-0000-4000-8000-0000000000{number:02x}\ndate: 2026-11-22\n\
         tags: [attack.t1110.003]\nlogsource: {{product: okta, service: okta}}\n\
         detection:\n{detection}\nlevel: medium\nattack_factor:\n{block}\n"
    );
    RuleFile {
        path: format!("rules/{name}.yml"),
        text,
        samples: None,
    }
}

/// A detection of one event type.
pub(crate) fn of_type(event_type: &str) -> String {
    format!("  selection: {{eventType: {event_type}}}\n  condition: selection")
}

/// Loads rules that must load.
pub(crate) fn set(files: impl IntoIterator<Item = RuleFile>) -> RuleSet {
    RuleSet::load(files.into_iter()).expect("the test's rules load")
}

/// Classifies events of known types.
pub(crate) fn found(rules: &RuleSet, rows: &[Row<'_>]) -> Classified {
    rules
        .classify(&events(rows), &|event_type| event_type != "no.such.type")
        .expect("the test's events are a table")
}

/// The signals as rows.
pub(crate) fn signals(found: &Classified) -> Vec<attack_signals::Row<'_>> {
    (0..found.signals.num_rows())
        .map(|row| attack_signals::row(&found.signals, row))
        .collect()
}
