//! The shape of one System Log event, as far as it is used.

use std::borrow::Cow;
use std::fmt;

use af_model::cell::Target;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::lenient::{Flag, Int, List, Object, Real, Scalar, Text, TextMap, Texts, lenient_object};

lenient_object! {
    /// One event, as the log API and event hooks deliver it. Exports from warehouses whose columns
    /// have no case write the outermost names in lower case; they are read too.
    Event<'a> {
        uuid: Scalar<'a> = "uuid",
        published: Scalar<'a> = "published",
        kind: Scalar<'a> = "eventType" | "eventtype",
        version: Text<'a> = "version",
        severity: Text<'a> = "severity",
        legacy_event_type: Text<'a> = "legacyEventType" | "legacyeventtype",
        display_message: Text<'a> = "displayMessage" | "displaymessage",
        actor: Entity<'a> = "actor",
        client: Client<'a> = "client",
        device: Device<'a> = "device",
        outcome: Outcome<'a> = "outcome",
        target: List<Entity<'a>> = "target",
        transaction: Transaction<'a> = "transaction",
        authentication_context: AuthenticationContext<'a> = "authenticationContext" | "authenticationcontext",
        security_context: SecurityContext<'a> = "securityContext" | "securitycontext",
        request: Request<'a> = "request",
        debug_context: DebugContext<'a> = "debugContext" | "debugcontext",
    }
}

lenient_object! {
    /// Who acted, or what the event was about.
    Entity<'a> {
        id: Text<'a> = "id",
        kind: Text<'a> = "type",
        /// For users the login, for `AppUser` the name inside the application.
        alternate_id: Text<'a> = "alternateId",
        display_name: Text<'a> = "displayName",
    }
}

lenient_object! {
    /// Where a request came from; blank for events without one.
    Client<'a> {
        ip_address: Text<'a> = "ipAddress",
        device: Text<'a> = "device",
        zone: Text<'a> = "zone",
        user_agent: UserAgent<'a> = "userAgent",
        geographical_context: GeographicalContext<'a> = "geographicalContext",
        /// Only in event-hook deliveries; the log has it under `request`.
        ip_chain: List<IpChainLink<'a>> = "ipChain",
    }
}

lenient_object! {
    /// What the browser says of itself.
    UserAgent<'a> {
        raw: Text<'a> = "rawUserAgent",
        os: Text<'a> = "os",
        browser: Text<'a> = "browser",
    }
}

lenient_object! {
    /// Where the client address is.
    GeographicalContext<'a> {
        city: Text<'a> = "city",
        state: Text<'a> = "state",
        country: Text<'a> = "country",
        postal_code: Text<'a> = "postalCode",
        geolocation: Geolocation<'a> = "geolocation",
    }
}

lenient_object! {
    /// Coordinates in degrees.
    Geolocation<'a> {
        lat: Real = "lat",
        lon: Real = "lon",
    }
}

lenient_object! {
    /// A registered device.
    Device<'a> {
        id: Text<'a> = "id",
        name: Text<'a> = "name",
        managed: Flag = "managed",
        registered: Flag = "registered",
    }
}

lenient_object! {
    /// How it ended.
    Outcome<'a> {
        result: Text<'a> = "result",
        reason: Text<'a> = "reason",
    }
}

lenient_object! {
    /// The request or job that the event belongs to.
    Transaction<'a> {
        id: Text<'a> = "id",
    }
}

lenient_object! {
    /// How the actor was authenticated.
    AuthenticationContext<'a> {
        credential_type: Text<'a> = "credentialType",
        external_session_id: Text<'a> = "externalSessionId",
        root_session_id: Text<'a> = "rootSessionId",
    }
}

lenient_object! {
    /// What Okta thinks of the request.
    SecurityContext<'a> {
        as_number: Int = "asNumber",
        as_org: Text<'a> = "asOrg",
        isp: Text<'a> = "isp",
        domain: Text<'a> = "domain",
        is_proxy: Flag = "isProxy",
        risk: RiskField<'a> = "risk",
        user_behaviors: List<UserBehavior<'a>> = "userBehaviors",
        ip_details: IpDetails<'a> = "ipDetails",
    }
}

lenient_object! {
    /// One evaluated behavior.
    UserBehavior<'a> {
        name: Text<'a> = "name",
        result: Text<'a> = "result",
    }
}

lenient_object! {
    /// What Okta knows of the client address.
    IpDetails<'a> {
        as_number: Int = "asNumber",
        as_org: Text<'a> = "asOrg",
        isp: Text<'a> = "isp",
        domain: Text<'a> = "domain",
        services: List<IpService<'a>> = "ipServiceCategories",
    }
}

lenient_object! {
    /// One anonymizing service of an address (`ipServiceCategories[]`, `tunnels[]`).
    IpService<'a> {
        kind: Text<'a> = "type",
    }
}

lenient_object! {
    /// The way of the request.
    Request<'a> {
        ip_chain: List<IpChainLink<'a>> = "ipChain",
    }
}

lenient_object! {
    /// One address on the way.
    IpChainLink<'a> {
        ip: Text<'a> = "ip",
    }
}

lenient_object! {
    /// Holds the free map of details.
    DebugContext<'a> {
        debug_data: TextMap<'a> = "debugData",
    }
}

lenient_object! {
    /// A risk as an object.
    RiskObject<'a> {
        level: Text<'a> = "level",
        previous_level: Text<'a> = "previousLevel",
        detection_name: Text<'a> = "detectionName",
        issuer: Text<'a> = "issuer",
        reasons: Texts<'a> = "reasons",
        /// Names used inside `riskChange`.
        risk_level: Text<'a> = "riskLevel",
        prior_risk_level: Text<'a> = "priorRiskLevel",
        reason_code: Texts<'a> = "reasonCode",
        /// Names used in reports of security events providers.
        current_level: Text<'a> = "currentLevel",
        current_level_snake: Text<'a> = "current_level",
    }
}

lenient_object! {
    /// `debugData.logOnlySecurityData`, once unpacked.
    LogOnlySecurityData<'a> {
        risk: RiskField<'a> = "risk",
        behaviors: TextMap<'a> = "behaviors",
    }
}

/// `securityContext.risk`: an object, or in some re-exports a text.
#[derive(Debug, Default)]
pub(crate) enum RiskField<'a> {
    /// Absent, or of an unexpected type.
    #[default]
    Absent,
    /// A map printed as text.
    Text(Cow<'a, str>),
    /// An object.
    Object(Box<RiskObject<'a>>),
}

struct RiskFieldVisitor;

impl<'de> Visitor<'de> for RiskFieldVisitor {
    type Value = RiskField<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a risk")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(RiskField::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(RiskField::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(RiskField::Absent)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(RiskField::Absent)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(RiskField::Absent)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(RiskField::Absent)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(RiskField::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(RiskField::Absent)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(RiskField::Object(Box::new(RiskObject::from_map(map)?)))
    }
}

impl<'de> Deserialize<'de> for RiskField<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RiskFieldVisitor)
    }
}

impl<'a> Entity<'a> {
    /// Whether the entity has the type, whatever its case.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind
            .as_str()
            .is_some_and(|have| have.eq_ignore_ascii_case(kind))
    }

    /// Whether nothing is known of the entity.
    pub(crate) fn is_blank(&self) -> bool {
        [&self.id, &self.kind, &self.alternate_id, &self.display_name]
            .iter()
            .all(|field| field.0.is_none())
    }

    /// The entity as a cell of `targets`.
    pub(crate) fn into_target(self) -> Target<'a> {
        Target {
            uid: self.id.0,
            kind: self.kind.0,
            name: self.alternate_id.0,
            display_name: self.display_name.0,
        }
    }
}
