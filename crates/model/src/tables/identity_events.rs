//! `identity_events`: what the source said, normalized; one row per raw event.

use std::borrow::Cow;

use crate::cell::Target;
use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// One normalized identity event, with OCSF 1.6.0 names (dots written as underscores).
    /// Sentinels of the source (empty, "unknown", "-", "null", "None") are nulls.
    "identity_events", version 1,
    sorted by ["tenant_uid", "subject_ref", "time", "metadata_uid"];
    Row<'a> {
        /// The customer organization.
        tenant_uid: Cow<'a, str>, repeats;
        /// The configured source, e.g. one Okta org.
        integration: Option<Cow<'a, str>>, repeats;
        /// The event's id in its source; with the tenant, the duplicate key.
        metadata_uid: Cow<'a, str>;
        /// The source product: "Okta".
        metadata_product: Cow<'a, str>, repeats;
        /// The OCSF version whose names and numbers the row uses.
        metadata_version: Cow<'a, str>, repeats;
        /// The source's own event type, e.g. user.session.start.
        metadata_event_code: Cow<'a, str>, repeats;
        /// The source's version of the event type.
        metadata_log_version: Option<Cow<'a, str>>, repeats;
        /// When it happened, by the source's clock.
        time: UtcMillis;
        /// When this engine stored it.
        ingested_at: UtcMillis;
        /// Who the event is about, before the join: uid:…, login:…, email:… or h:… (keyed hash of a typed-in name). Null when the event names nobody.
        subject_ref: Option<Cow<'a, str>>;
        /// The attributed person's id in the source.
        user_uid: Option<Cow<'a, str>>;
        /// The attributed person's login, normalized; null when only a hash may be kept.
        user_name: Option<Cow<'a, str>>;
        /// What the attributed person is in this event: victim, subject, operator or none.
        user_role: Cow<'a, str>, repeats;
        /// How the person was found: actor, target or none.
        attribution_method: Cow<'a, str>, repeats;
        /// The source's request or transaction id.
        metadata_correlation_uid: Option<Cow<'a, str>>;
        /// The id shared by all events of one risk incident.
        trace_uid: Option<Cow<'a, str>>;
        /// The HTTP request id.
        http_request_uid: Option<Cow<'a, str>>;
        /// OCSF category.
        category_uid: i64;
        /// OCSF class.
        class_uid: i64;
        /// OCSF activity within the class.
        activity_id: i64;
        /// class_uid · 100 + activity_id.
        type_uid: i64;
        /// OCSF severity: 0 unknown, 1 informational, 2 low, 3 medium, 4 high.
        severity_id: i64;
        /// OCSF status: 0 unknown, 1 success, 2 failure, 99 other.
        status_id: i64;
        /// The outcome as the source wrote it.
        status_code: Option<Cow<'a, str>>, repeats;
        /// The outcome's reason as the source wrote it.
        status_detail: Option<Cow<'a, str>>, repeats;
        /// OCSF action: 0 unknown, 1 allowed, 2 denied, 99 other.
        action_id: i64;
        /// OCSF disposition: 0 unknown, 1 allowed, 2 blocked, 23 challenge, 99 other.
        disposition_id: i64;
        /// The source's severity word.
        severity: Option<Cow<'a, str>>, repeats;
        /// The source's sentence about the event, with typed-in names hashed.
        message: Option<Cow<'a, str>>, repeats;
        /// The source's older name of the event type.
        legacy_event_type: Option<Cow<'a, str>>, repeats;
        /// Who acted: id in the source.
        actor_user_uid: Option<Cow<'a, str>>;
        /// Who acted: login; a keyed hash h:… when it was typed in by nobody known.
        actor_user_name: Option<Cow<'a, str>>;
        /// Who acted: name shown to people.
        actor_user_display_name: Option<Cow<'a, str>>;
        /// Who acted: the source's type, e.g. User, SystemPrincipal.
        actor_user_type: Option<Cow<'a, str>>, repeats;
        /// Who acted, OCSF: 1 user, 3 system, 4 service, 99 other.
        actor_user_type_id: i64;
        /// Client address, canonical text.
        src_endpoint_ip: Option<Cow<'a, str>>, repeats;
        /// Addresses the request passed through, client first.
        src_endpoint_ip_chain: Option<Vec<Cow<'a, str>>>;
        /// City of the client address.
        src_endpoint_location_city: Option<Cow<'a, str>>, repeats;
        /// State or region of the client address.
        src_endpoint_location_region: Option<Cow<'a, str>>, repeats;
        /// Country of the client address.
        src_endpoint_location_country: Option<Cow<'a, str>>, repeats;
        /// Postal code of the client address.
        src_endpoint_location_postal_code: Option<Cow<'a, str>>, repeats;
        /// Latitude of the client address, degrees.
        src_endpoint_location_lat: Option<f64>, unit "degree";
        /// Longitude of the client address, degrees.
        src_endpoint_location_long: Option<f64>, unit "degree";
        /// Autonomous system number of the client address.
        src_endpoint_autonomous_system_number: Option<i64>;
        /// Autonomous system's organization.
        src_endpoint_autonomous_system_name: Option<Cow<'a, str>>, repeats;
        /// Internet provider of the client address.
        src_endpoint_isp: Option<Cow<'a, str>>, repeats;
        /// Domain of the client address.
        src_endpoint_domain: Option<Cow<'a, str>>, repeats;
        /// The source's network zone.
        src_endpoint_zone: Option<Cow<'a, str>>, repeats;
        /// Whether Okta calls the address a proxy.
        okta_is_proxy: Option<bool>;
        /// Anonymizing services of the address: VPN, Proxy, Tor, ….
        okta_ip_service_categories: Option<Vec<Cow<'a, str>>>;
        /// The user agent as sent.
        http_request_user_agent: Option<Cow<'a, str>>, repeats;
        /// Operating system by user agent.
        device_os_name: Option<Cow<'a, str>>, repeats;
        /// Browser by user agent.
        device_browser: Option<Cow<'a, str>>, repeats;
        /// Computer, Mobile, ….
        device_type: Option<Cow<'a, str>>, repeats;
        /// Registered device: id.
        device_uid: Option<Cow<'a, str>>;
        /// Registered device: name.
        device_name: Option<Cow<'a, str>>;
        /// Registered device: managed by the organization.
        device_is_managed: Option<bool>;
        /// Registered device: registered with the source.
        device_is_registered: Option<bool>;
        /// Session id.
        session_uid: Option<Cow<'a, str>>;
        /// Root session id, shared by what the system does for the user.
        session_uid_alt: Option<Cow<'a, str>>;
        /// Hash of the device token cookie.
        okta_dt_hash: Option<Cow<'a, str>>;
        /// OCSF factor type: 1 SMS, 2 question, 3 call, 4 biometric, 5 push, 6 hardware token, 7 OTP, 8 e-mail, 9 U2F, 10 WebAuthn, 11 password, 99 other.
        auth_factor_type_id: Option<i64>;
        /// The factor as the source named it.
        auth_factor: Option<Cow<'a, str>>, repeats;
        /// OCSF protocol: 4 OpenID, 5 SAML, 6 OAuth 2, 10 RADIUS, 11 basic, 12 LDAP, 99 other.
        auth_protocol_id: Option<i64>;
        /// Whether a second factor took part.
        is_mfa: Option<bool>;
        /// Credential type as the source wrote it.
        credential_type: Option<Cow<'a, str>>, repeats;
        /// Risk of the event: 1 low, 2 medium, 3 high.
        risk_level_id: Option<i64>;
        /// Risk before the event: 1 low, 2 medium, 3 high.
        risk_previous_level_id: Option<i64>;
        /// Reasons of the risk as the source wrote them; a reason may contain commas.
        risk_reasons: Option<Vec<Cow<'a, str>>>;
        /// The source's detection that found the risk.
        risk_detection_name: Option<Cow<'a, str>>, repeats;
        /// Who reported the risk.
        risk_issuer: Option<Cow<'a, str>>, repeats;
        /// Highest level a third party reported: 1 low, 2 medium, 3 high.
        partner_risk_level_id: Option<i64>;
        /// Behaviors out of the ordinary, e.g. New Device.
        behaviors_positive: Option<Vec<Cow<'a, str>>>;
        /// Whether ThreatInsight suspected the request.
        threat_suspected: Option<bool>;
        /// ThreatInsight's detections and their levels.
        threat_detections: Option<Vec<(Cow<'a, str>, Cow<'a, str>)>>;
        /// Highest level among threat_detections: 1 low, 2 medium, 3 high.
        threat_level_id: Option<i64>;
        /// Everything the event was about, in the source's order.
        targets: Option<Vec<Target<'a>>>;
        /// First application among the targets: name.
        resource_name: Option<Cow<'a, str>>, repeats;
        /// First application among the targets: id.
        resource_uid: Option<Cow<'a, str>>, repeats;
        /// The source's free map of details (debugContext.debugData), for rules; values that are objects are JSON text, typed-in names are hashed.
        debug_data: Option<Vec<(Cow<'a, str>, Cow<'a, str>)>>;
    }
}
