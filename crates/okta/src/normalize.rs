//! One raw event becomes one row of `identity_events`.

use std::borrow::Cow;
use std::net::IpAddr;

use af_model::key::{SubjectRef, normalize_key};
use af_model::tables::identity_events::Row;
use af_model::{HashKey, UtcMillis};

use crate::attribution::{Attribution, attribute};
use crate::behaviors;
use crate::event::{Entity, Event, IpChainLink};
use crate::factors::{Factor, protocol_id};
use crate::lenient::{List, Scalar, TextMap, flag_of, trim};
use crate::ocsf::{self, Class, Verdict};
use crate::parse;
use crate::privacy::{Scrubber, typed_hash};
use crate::published;
use crate::reject::{Reject, RejectReason};
use crate::risk::{Risk, RiskLevel, partner_level};
use crate::secrets::redact;
use crate::uid;

/// How far an event may lie after its ingestion before its clock is not believed: ten minutes.
pub const CLOCK_SKEW_MILLIS: i64 = 10 * 60 * 1000;

/// Turns raw System Log events of one integration into rows of `identity_events`.
///
/// Pure: the same event gives the same row, whatever came before it. Text that needs no change is
/// borrowed from the event.
///
/// ```
/// use af_model::{HashKey, UtcMillis};
/// use af_okta::Normalizer;
///
/// let key = HashKey::new([7; 32]);
/// let ingested_at = UtcMillis::parse("2026-11-20T12:00:00Z").unwrap();
/// let normalizer = Normalizer::new("acme", Some("okta-main"), ingested_at, &key);
/// let row = normalizer
///     .event(
///         br#"{"uuid":"e1","published":"2026-11-20T11:59:00.000Z","eventType":"user.session.start",
///              "actor":{"id":"00u1joe","type":"User","alternateId":"Joe@Example.com"},
///              "debugContext":{"debugData":{"risk":"{reasons=Anomalous Device, level=HIGH}"}}}"#,
///     )
///     .unwrap();
/// assert_eq!(row.subject_ref.as_deref(), Some("uid:00u1joe"));
/// assert_eq!(row.user_name.as_deref(), Some("joe@example.com"));
/// assert_eq!(row.risk_level_id, Some(3));
/// ```
#[derive(Debug)]
pub struct Normalizer<'k> {
    tenant: String,
    integration: Option<String>,
    ingested_at: UtcMillis,
    key: &'k HashKey,
}

impl<'k> Normalizer<'k> {
    /// A normalizer for one tenant and integration. `ingested_at` is written to every row and
    /// bounds the events' own times; `key` hashes typed-in names.
    pub fn new(
        tenant: &str,
        integration: Option<&str>,
        ingested_at: UtcMillis,
        key: &'k HashKey,
    ) -> Self {
        Self {
            tenant: tenant.to_owned(),
            integration: integration.map(str::to_owned),
            ingested_at,
            key,
        }
    }

    /// The row of one event, given as the JSON text of one `LogEvent`. An event as an event hook
    /// delivers it (without the hook's envelope) is read too, and one whose outermost names are in
    /// lower case.
    ///
    /// A field of an unexpected type counts as absent; of a key given twice the last value counts.
    /// An id that is evidently none ("unknown", all zeros) is replaced by a keyed hash of the event.
    ///
    /// # Errors
    /// A [`Reject`] when the text is no JSON object, when `uuid`, `eventType` or `published` is
    /// absent or no text, or when `published` is no instant or too far in the future. The caller
    /// counts it and goes on.
    pub fn event<'a>(&'a self, json: &'a [u8]) -> Result<Row<'a>, Reject> {
        let mut event = Event::default();
        parse::object(json, &mut event)?;
        let uuid = required(&mut event.uuid, "uuid", RejectReason::MissingUuid)?;
        let event_type = required(&mut event.kind, "eventType", RejectReason::MissingEventType)?;
        let time = published::instant(&event.published)?;
        if time.0 > self.ingested_at.0.saturating_add(CLOCK_SKEW_MILLIS) {
            return Err(Reject::at(RejectReason::FromTheFuture, "published"));
        }
        let uuid = if uid::is_placeholder(&uuid) {
            Cow::Owned(uid::of_content(self.key, &self.tenant, json))
        } else {
            uid::canonical(uuid)
        };
        Ok(self.row(event, uuid, event_type, time))
    }

    fn row<'a>(
        &'a self,
        event: Event<'a>,
        uuid: Cow<'a, str>,
        event_type: Cow<'a, str>,
        time: UtcMillis,
    ) -> Row<'a> {
        let Event {
            version,
            severity,
            legacy_event_type,
            display_message,
            actor,
            client,
            device,
            outcome,
            target,
            transaction,
            authentication_context: authentication,
            mut security_context,
            request,
            debug_context,
            ..
        } = event;
        let debug = debug_context.debug_data;
        let targets = target.0;

        let scrubber = Scrubber::new(self.key, &self.tenant, &actor, &targets);
        let free = |text: Option<Cow<'a, str>>| text.and_then(|text| scrubber.text(text));
        let subject = self.subject(&attribute(&event_type, &actor, &targets));

        let risk = Risk::of_event(std::mem::take(&mut security_context.risk), &debug);
        let (threat_detections, threat_level) = behaviors::threats(&debug);
        let behaviors_positive =
            behaviors::positive(std::mem::take(&mut security_context.user_behaviors), &debug);
        let mut ip_details = security_context.ip_details;
        let services = behaviors::ip_services(ip_details.take_services(), &debug);

        let class = Class::of(&event_type);
        let verdict = Verdict::of(outcome.result.as_str());
        let severity_id = ocsf::severity_id(severity.as_str(), risk.level, &event_type);

        let credential_type = authentication.credential_type.0;
        let authenticator = first_of_type(&targets, "AuthenticatorEnrollment");
        let factor = Factor::of(
            &event_type,
            detail(&debug, "factor"),
            authenticator.and_then(|target| target.display_name.0.clone()),
            credential_type.as_deref(),
        );
        let auth_protocol_id = protocol_id(
            &event_type,
            debug.get("signOnMode").map(|mode| &**mode),
            credential_type.as_deref(),
        );

        let (resource_name, resource_uid) = match first_of_type(&targets, "AppInstance") {
            Some(app) => (
                app.display_name.0.clone().or(app.alternate_id.0.clone()),
                app.id.0.clone(),
            ),
            None => (None, None),
        };
        let named = actor.id.0.is_some() || actor.alternate_id.0.is_some();
        let actor_user_type_id = ocsf::user_type_id(actor.kind.as_str(), named);
        let actor = self.disclosable(actor, true, &scrubber);
        let targets: Vec<_> = targets
            .into_iter()
            .filter(|target| !target.is_blank())
            .map(|target| self.disclosable(target, false, &scrubber).into_target())
            .collect();
        let chain = if request.ip_chain.0.is_empty() {
            client.ip_chain
        } else {
            request.ip_chain
        };
        let place = client.geographical_context;

        Row {
            tenant_uid: Cow::Borrowed(&self.tenant),
            integration: self.integration.as_deref().map(Cow::Borrowed),
            metadata_uid: uuid,
            metadata_product: Cow::Borrowed("Okta"),
            metadata_version: Cow::Borrowed(ocsf::VERSION),
            metadata_log_version: version.0,
            time,
            ingested_at: self.ingested_at,
            subject_ref: subject.reference.map(Cow::Owned),
            user_uid: subject.uid,
            user_name: subject.name,
            user_role: Cow::Borrowed(subject.role),
            attribution_method: Cow::Borrowed(subject.method),
            metadata_correlation_uid: transaction.id.0,
            trace_uid: detail(&debug, "traceId"),
            http_request_uid: detail(&debug, "requestId"),
            category_uid: class.category_uid(),
            class_uid: class.class_uid,
            activity_id: class.activity_id,
            type_uid: class.type_uid(),
            severity_id,
            status_id: verdict.status,
            status_code: outcome.result.0,
            status_detail: free(outcome.reason.0),
            action_id: verdict.action,
            disposition_id: verdict.disposition,
            severity: severity.0,
            message: display_message
                .0
                .and_then(|message| scrubber.sentence(message)),
            legacy_event_type: legacy_event_type.0,
            actor_user_uid: actor.id.0,
            actor_user_name: actor.alternate_id.0,
            actor_user_display_name: actor.display_name.0,
            actor_user_type: actor.kind.0,
            actor_user_type_id,
            src_endpoint_ip: client.ip_address.0.and_then(canonical_ip),
            src_endpoint_ip_chain: ip_chain(chain),
            src_endpoint_location_city: place.city.0,
            src_endpoint_location_region: place.state.0,
            src_endpoint_location_country: place.country.0,
            src_endpoint_location_postal_code: place.postal_code.0,
            src_endpoint_location_lat: within(place.geolocation.lat.0, 90.0),
            src_endpoint_location_long: within(place.geolocation.lon.0, 180.0),
            src_endpoint_autonomous_system_number: security_context
                .as_number
                .0
                .or(ip_details.as_number.0),
            src_endpoint_autonomous_system_name: security_context.as_org.0.or(ip_details.as_org.0),
            src_endpoint_isp: security_context.isp.0.or(ip_details.isp.0),
            src_endpoint_domain: security_context.domain.0.or(ip_details.domain.0),
            src_endpoint_zone: client.zone.0,
            okta_is_proxy: security_context.is_proxy.0,
            okta_ip_service_categories: services,
            http_request_user_agent: free(client.user_agent.raw.0),
            device_os_name: client.user_agent.os.0,
            device_browser: client.user_agent.browser.0,
            device_type: client.device.0,
            device_uid: device.id.0,
            device_name: free(device.name.0),
            device_is_managed: device.managed.0,
            device_is_registered: device.registered.0,
            session_uid: authentication.external_session_id.0,
            session_uid_alt: authentication.root_session_id.0,
            okta_dt_hash: detail(&debug, "dtHash"),
            auth_factor_type_id: factor.type_id,
            auth_factor: free(factor.name),
            auth_protocol_id,
            is_mfa: factor.is_mfa,
            credential_type,
            risk_level_id: risk.level.map(RiskLevel::id),
            risk_previous_level_id: risk.previous.map(RiskLevel::id),
            risk_reasons: list(risk.reasons.into_iter().filter_map(|r| scrubber.text(r))),
            risk_detection_name: free(risk.detection_name),
            risk_issuer: free(risk.issuer),
            partner_risk_level_id: partner_level(&debug).map(RiskLevel::id),
            behaviors_positive: behaviors_positive
                .map(|names| names.into_iter().filter_map(|n| scrubber.text(n)).collect()),
            threat_suspected: debug.get("threatSuspected").and_then(|text| flag_of(text)),
            threat_detections: threat_detections.map(|all| {
                all.into_iter()
                    .filter_map(|(name, level)| Some((scrubber.text(name)?, scrubber.text(level)?)))
                    .collect()
            }),
            threat_level_id: threat_level.map(RiskLevel::id),
            targets: (!targets.is_empty()).then_some(targets),
            resource_name: free(resource_name),
            resource_uid,
            debug_data: debug_data(debug, &scrubber),
            metadata_event_code: event_type,
        }
    }

    /// How the row names the attributed person.
    fn subject<'a>(&self, attribution: &Attribution<'_, 'a>) -> Subject<'a> {
        let Some(person) = attribution.person else {
            return Subject {
                reference: None,
                uid: None,
                name: None,
                role: attribution.role.as_str(),
                method: attribution.method.as_str(),
            };
        };
        // The id of an AppUser is the assignment's, not the user's: only the name leads to somebody.
        let uid = person.id.0.clone().filter(|_| !person.is("AppUser"));
        let known = person.id.0.is_some();
        let name = person.alternate_id.0.clone().filter(|_| known);
        let name = name.map(|name| match name {
            Cow::Borrowed(name) => normalize_key(name),
            Cow::Owned(name) => Cow::Owned(normalize_key(&name).into_owned()),
        });
        let reference = match (&uid, &name) {
            (Some(uid), _) => Some(SubjectRef::Uid(Cow::Borrowed(uid)).to_string()),
            (None, Some(name)) => Some(SubjectRef::Login(Cow::Borrowed(name)).to_string()),
            (None, None) if known => None,
            (None, None) => typed_hash(self.key, &self.tenant, person),
        };
        if reference.is_none() {
            return self.subject(&Attribution::NOBODY);
        }
        Subject {
            reference,
            uid,
            name,
            role: attribution.role.as_str(),
            method: attribution.method.as_str(),
        }
    }

    /// The entity with nothing in it that somebody unknown typed.
    fn disclosable<'a>(
        &self,
        entity: Entity<'a>,
        is_actor: bool,
        scrubber: &Scrubber,
    ) -> Entity<'a> {
        let mut entity = entity;
        if scrubber.is_idle() {
            return entity;
        }
        if entity.name_was_typed(is_actor) {
            let hash = typed_hash(self.key, &self.tenant, &entity).map(Cow::Owned);
            entity.display_name.0 = entity.display_name.0.and(hash.clone());
            entity.alternate_id.0 = entity.alternate_id.0.and(hash);
            return entity;
        }
        entity.display_name.0 = entity.display_name.0.and_then(|text| scrubber.text(text));
        entity.alternate_id.0 = entity.alternate_id.0.and_then(|text| scrubber.text(text));
        entity
    }
}

/// The columns that name the attributed person.
struct Subject<'a> {
    reference: Option<String>,
    uid: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    role: &'static str,
    method: &'static str,
}

/// A text without which an event is none.
fn required<'a>(
    field: &mut Scalar<'a>,
    path: &'static str,
    missing: RejectReason,
) -> Result<Cow<'a, str>, Reject> {
    match std::mem::take(field) {
        Scalar::Text(text) if !text.trim().is_empty() => Ok(trim(text)),
        Scalar::Text(_) | Scalar::Null => Err(Reject::at(missing, path)),
        _ => Err(Reject::at(RejectReason::FieldOfWrongType, path)),
    }
}

fn detail<'a>(debug: &TextMap<'a>, key: &str) -> Option<Cow<'a, str>> {
    debug.get(key).cloned().map(trim)
}

fn first_of_type<'e, 'a>(targets: &'e [Entity<'a>], kind: &str) -> Option<&'e Entity<'a>> {
    targets.iter().find(|target| target.is(kind))
}

fn list<'a>(texts: impl Iterator<Item = Cow<'a, str>>) -> Option<Vec<Cow<'a, str>>> {
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then_some(texts)
}

fn within(degrees: Option<f64>, most: f64) -> Option<f64> {
    degrees.filter(|degrees| degrees.abs() <= most)
}

/// The address in its one canonical spelling (IPv4 inside IPv6 as IPv4); `None` for anything that
/// is no address, because the column promises addresses only.
fn canonical_ip(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let address: IpAddr = text.parse().ok()?;
    let canonical = address.to_canonical();
    // Only one spelling of an IPv4 address is read at all.
    if address.is_ipv4() {
        return Some(text);
    }
    Some(Cow::Owned(canonical.to_string()))
}

fn ip_chain(chain: List<IpChainLink<'_>>) -> Option<Vec<Cow<'_, str>>> {
    list(
        chain
            .0
            .into_iter()
            .filter_map(|link| link.ip.0)
            .filter_map(canonical_ip),
    )
}

/// debugData for rules: without secrets, and without names that somebody unknown typed.
fn debug_data<'a>(
    debug: TextMap<'a>,
    scrubber: &Scrubber,
) -> Option<Vec<(Cow<'a, str>, Cow<'a, str>)>> {
    let entries: Vec<_> = debug
        .into_entries()
        .into_iter()
        .filter_map(|(key, value)| {
            let value = redact(&key, value);
            Some((key, scrubber.detail(value)?))
        })
        .collect();
    (!entries.is_empty()).then_some(entries)
}
