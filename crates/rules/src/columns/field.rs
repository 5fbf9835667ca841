//! The one table that says which field name of a rule reads which column.

use crate::problem::nearest;

/// How a field's value is taken out of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Text.
    Text,
    /// True or false.
    Flag,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Real,
    /// 1, 2, 3 as low, medium, high.
    Level,
    /// An instant as RFC 3339 text.
    Instant,
    /// A list of texts; matches when any matches.
    Texts,
    /// A list of addresses, one object each.
    Chain,
    /// The keys of a map of texts.
    Keys,
    /// One text of each target, by its place in the struct.
    Target(usize),
    /// Whether the address is in a network of the tenant's own; never absent.
    OwnNetwork,
    /// The transaction, else the event: what one attempt has in common.
    Attempt,
}

/// A field that rules may name.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldEntry {
    /// The name in rules: the source's own path, or `derived.…` for what the normalizer understood.
    pub path: &'static str,
    /// The column of `identity_events` it reads.
    pub column: &'static str,
    pub(crate) read: Read,
}

impl FieldEntry {
    /// Whether the field has one plain value, which reads the same from the column and from JSON.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(
            self.read,
            Read::Text | Read::Attempt | Read::Flag | Read::Int | Read::Level
        )
    }

    /// What a rule compares with: text, true or false, a number, a level, ….
    pub fn kind(&self) -> &'static str {
        match self.read {
            Read::Text | Read::Attempt => "text",
            Read::Flag | Read::OwnNetwork => "true, false",
            Read::Int => "whole number",
            Read::Real => "number",
            Read::Level => "low, medium, high",
            Read::Instant => "instant, RFC 3339",
            Read::Texts | Read::Chain | Read::Keys => "list of texts",
            Read::Target(_) => "text of each target",
        }
    }
}

macro_rules! field_table {
    ($($path:literal => $column:literal $read:expr;)+) => {
        &[$(FieldEntry { path: $path, column: $column, read: $read }),+]
    };
}

use Read::{
    Attempt, Chain, Flag, Instant, Int, Keys, Level, OwnNetwork, Real, Target, Text, Texts,
};

static FIELDS: &[FieldEntry] = field_table! {
    "uuid" => "metadata_uid" Text;
    "published" => "time" Instant;
    "eventType" => "metadata_event_code" Text;
    "version" => "metadata_log_version" Text;
    "severity" => "severity" Text;
    "legacyEventType" => "legacy_event_type" Text;
    "displayMessage" => "message" Text;
    "outcome.result" => "status_code" Text;
    "outcome.reason" => "status_detail" Text;
    "actor.id" => "actor_user_uid" Text;
    "actor.type" => "actor_user_type" Text;
    "actor.alternateId" => "actor_user_name" Text;
    "actor.displayName" => "actor_user_display_name" Text;
    "target.id" => "targets" Target(0);
    "target.type" => "targets" Target(1);
    "target.alternateId" => "targets" Target(2);
    "target.displayName" => "targets" Target(3);
    "client.ipAddress" => "src_endpoint_ip" Text;
    "client.device" => "device_type" Text;
    "client.zone" => "src_endpoint_zone" Text;
    "client.userAgent.rawUserAgent" => "http_request_user_agent" Text;
    "client.userAgent.os" => "device_os_name" Text;
    "client.userAgent.browser" => "device_browser" Text;
    "client.geographicalContext.city" => "src_endpoint_location_city" Text;
    "client.geographicalContext.state" => "src_endpoint_location_region" Text;
    "client.geographicalContext.country" => "src_endpoint_location_country" Text;
    "client.geographicalContext.postalCode" => "src_endpoint_location_postal_code" Text;
    "client.geographicalContext.geolocation.lat" => "src_endpoint_location_lat" Real;
    "client.geographicalContext.geolocation.lon" => "src_endpoint_location_long" Real;
    "request.ipChain.ip" => "src_endpoint_ip_chain" Chain;
    "device.id" => "device_uid" Text;
    "device.name" => "device_name" Text;
    "device.managed" => "device_is_managed" Flag;
    "device.registered" => "device_is_registered" Flag;
    "transaction.id" => "metadata_correlation_uid" Text;
    "authenticationContext.externalSessionId" => "session_uid" Text;
    "authenticationContext.rootSessionId" => "session_uid_alt" Text;
    "authenticationContext.credentialType" => "credential_type" Text;
    "securityContext.asNumber" => "src_endpoint_autonomous_system_number" Int;
    "securityContext.asOrg" => "src_endpoint_autonomous_system_name" Text;
    "securityContext.isp" => "src_endpoint_isp" Text;
    "securityContext.domain" => "src_endpoint_domain" Text;
    "securityContext.isProxy" => "okta_is_proxy" Flag;
    "derived.risk_level" => "risk_level_id" Level;
    "derived.risk_previous_level" => "risk_previous_level_id" Level;
    "derived.risk_detection_name" => "risk_detection_name" Text;
    "derived.risk_issuer" => "risk_issuer" Text;
    "derived.risk_reasons" => "risk_reasons" Texts;
    "derived.partner_risk_level" => "partner_risk_level_id" Level;
    "derived.threat_level" => "threat_level_id" Level;
    "derived.threat_suspected" => "threat_suspected" Flag;
    "derived.threat_detections" => "threat_detections" Keys;
    "derived.behaviors_positive" => "behaviors_positive" Texts;
    "derived.ip_service_categories" => "okta_ip_service_categories" Texts;
    "derived.subject" => "subject_ref" Text;
    "derived.subject_kind" => "user_role" Text;
    "derived.attribution" => "attribution_method" Text;
    "derived.auth_factor" => "auth_factor" Text;
    "derived.is_mfa" => "is_mfa" Flag;
    "derived.app_name" => "resource_name" Text;
    "derived.app_id" => "resource_uid" Text;
    "derived.attempt" => "metadata_correlation_uid" Attempt;
    "derived.is_own_network" => "src_endpoint_ip" OwnNetwork;
};

/// The prefix of the fields that read the event's free map of details.
pub(crate) const DEBUG_PREFIX: &str = "debugContext.debugData.";

/// Names of the source that several encodings share; the normalizer reads them all into one column.
const REDIRECTS: [(&str, &str); 8] = [
    ("securityContext.risk.level", "derived.risk_level"),
    (
        "securityContext.risk.previousLevel",
        "derived.risk_previous_level",
    ),
    (
        "securityContext.risk.detectionName",
        "derived.risk_detection_name",
    ),
    ("securityContext.risk.issuer", "derived.risk_issuer"),
    ("securityContext.risk.reasons", "derived.risk_reasons"),
    (
        "securityContext.userBehaviors.name",
        "derived.behaviors_positive",
    ),
    (
        "securityContext.ipDetails.ipServiceCategories.type",
        "derived.ip_service_categories",
    ),
    ("target[0].type", "target.type"),
];

/// Every field that rules may name, except the open-ended `debugContext.debugData.…`.
///
/// ```
/// let risk = af_rules::fields().find(|field| field.path == "derived.risk_level").unwrap();
/// assert_eq!((risk.column, risk.kind()), ("risk_level_id", "low, medium, high"));
/// ```
pub fn fields() -> impl Iterator<Item = &'static FieldEntry> {
    FIELDS.iter()
}

/// What a field name of a rule stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// A row of the table above.
    Column(&'static FieldEntry),
    /// A key of the free map of details.
    Debug(String),
}

/// A field name that stands for nothing.
#[derive(Debug)]
pub(crate) struct UnknownField {
    pub(crate) hint: Option<String>,
}

impl Field {
    /// Finds a field by its exact name.
    pub(crate) fn find(path: &str) -> Result<Self, UnknownField> {
        if let Some(entry) = entry(path) {
            return Ok(Self::Column(entry));
        }
        if let Some(key) = path.strip_prefix(DEBUG_PREFIX) {
            return if key.is_empty() || key.contains(['.', '[', ']', '\\']) {
                Err(UnknownField {
                    hint: Some(format!(
                        "{DEBUG_PREFIX} takes one key without dots or brackets; values that are \
                         objects are JSON text, so use |contains"
                    )),
                })
            } else {
                Ok(Self::Debug(key.to_owned()))
            };
        }
        Err(UnknownField { hint: hint(path) })
    }

    /// How much asking for this field costs, in no unit: dictionaries first, the map last.
    pub(crate) fn cost(&self) -> u8 {
        match self {
            Self::Column(entry) => match entry.read {
                Read::Flag | Read::OwnNetwork | Read::Int | Read::Real | Read::Level => 0,
                Read::Text | Read::Attempt => 1,
                Read::Instant => 2,
                Read::Texts | Read::Chain | Read::Keys | Read::Target(_) => 3,
            },
            Self::Debug(_) => 4,
        }
    }

    pub(crate) fn is_subject(&self) -> bool {
        matches!(self, Self::Column(entry) if entry.path == "derived.subject")
    }

    pub(crate) fn is_event_type(&self) -> bool {
        matches!(self, Self::Column(entry) if entry.path == "eventType")
    }
}

/// The table's row of that exact name.
pub(crate) fn entry(path: &str) -> Option<&'static FieldEntry> {
    FIELDS.iter().find(|entry| entry.path == path)
}

fn hint(path: &str) -> Option<String> {
    let plain = path.replace("\\[", "[").replace("\\]", "]");
    if let Some((_, instead)) = REDIRECTS.iter().find(|(from, _)| *from == plain) {
        return Some(format!("use {instead}"));
    }
    if plain.starts_with("target[") {
        return Some(
            "the order of targets is not stable: use target.type, or `sigma-version: 3` and a \
             target[any] block"
                .to_owned(),
        );
    }
    let near = nearest(path, FIELDS.iter().map(|entry| entry.path));
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(", ")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use af_model::cell::Kind;
    use af_model::tables::identity_events::TABLE;

    use super::*;

    #[test]
    fn every_field_reads_a_column_of_its_kind() {
        for entry in fields() {
            let column = TABLE.column(entry.column).expect(entry.column);
            let fits = match entry.read {
                Read::Text | Read::OwnNetwork | Read::Attempt => column.kind == Kind::Text,
                Read::Flag => column.kind == Kind::Flag,
                Read::Int | Read::Level => column.kind == Kind::Int,
                Read::Real => column.kind == Kind::Real,
                Read::Instant => column.kind == Kind::Instant,
                Read::Texts | Read::Chain => column.kind == Kind::Texts,
                Read::Keys => column.kind == Kind::TextMap,
                Read::Target(place) => column.kind == Kind::Targets && place < 4,
            };
            assert!(fits, "{} reads {}", entry.path, entry.column);
        }
    }

    #[test]
    fn no_field_name_is_listed_twice_or_lies_inside_another() {
        let paths: BTreeSet<&str> = fields().map(|entry| entry.path).collect();
        assert_eq!(paths.len(), fields().count());
        for path in &paths {
            let inside = format!("{path}.");
            assert!(!paths.iter().any(|other| other.starts_with(&inside)));
        }
    }

    #[test]
    fn an_unknown_field_brings_its_nearest_or_its_replacement() {
        let hint = |path: &str| Field::find(path).unwrap_err().hint.unwrap();
        assert!(hint("outcome.reson").contains("outcome.reason"));
        assert_eq!(hint("securityContext.risk.level"), "use derived.risk_level");
        assert!(hint("target[1].id").contains("not stable"));
        assert!(hint("debugContext.debugData.a.b").contains("without dots"));
        assert_eq!(
            Field::find("debugContext.debugData.factor").unwrap(),
            Field::Debug("factor".to_owned())
        );
    }
}
