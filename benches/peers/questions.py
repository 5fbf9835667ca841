"""What every engine is asked, in the words that all of them share."""

import glob
import pathlib

# One step of an attack tells of itself by the highest level, then the earliest time. One number says
# both: level (1 to 4) · SPAN − time, of which the largest stands for the incident. SPAN is larger than
# any time in milliseconds.
SPAN = 10_000_000_000_000
DAY_MILLIS = 86_400_000

# `{signals}`, `{kept}` (of every signal the copy that was known first) and the rest are filled in by each engine (`engines.py`).
COUNTS = f"""
WITH signals AS (
    SELECT tenant_uid, source, signal_uid, component, family, incident_uid,
           lower(trim(subject_email)) AS email,
           CASE level WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END AS rank,
           {{time_millis}} AS millis,
           {{ingested_millis}} AS ingested
    FROM {{signals}}
),
kept AS (
    {{kept}}
),
incidents AS (
    SELECT kept.tenant_uid AS tenant_uid, people.user_uid AS user_uid, component, family, kept.source AS source,
           coalesce(incident_uid, signal_uid) AS incident, day,
           max(rank * {SPAN} - millis) AS strongest
    FROM kept JOIN {{people}} AS people
      ON people.tenant_uid = kept.tenant_uid AND people.email = kept.email
    GROUP BY kept.tenant_uid, people.user_uid, component, family, kept.source,
             coalesce(incident_uid, signal_uid), day
),
representatives AS (
    SELECT tenant_uid, user_uid, component, family, day,
           {{quotient_span}} + 1 AS rank,
           ({{quotient_span}} + 1) * {SPAN} - strongest AS millis
    FROM incidents
)
SELECT tenant_uid, user_uid, component, family, day,
       sum(CASE WHEN rank = 4 THEN 1 ELSE 0 END) AS n_critical,
       sum(CASE WHEN rank = 3 THEN 1 ELSE 0 END) AS n_high,
       sum(CASE WHEN rank = 2 THEN 1 ELSE 0 END) AS n_medium,
       sum(CASE WHEN rank = 1 THEN 1 ELSE 0 END) AS n_low,
       min(millis) AS first_time,
       max(millis) AS last_time
FROM representatives
GROUP BY tenant_uid, user_uid, component, family, day
"""

SIGNAL_COLUMNS = [
    "tenant_uid", "source", "signal_uid", "component", "family", "incident_uid", "subject_email", "level",
    "time", "ingested_at",
]
KEYS = ["tenant_uid", "user_uid", "component", "family", "day"]
FIGURES = ["n_critical", "n_high", "n_medium", "n_low", "first_time", "last_time"]

# Raw events: the path in the event, our column.
TEXT, NUMBER, INTEGER, FLAG = "text", "number", "integer", "flag"
EVENT_COLUMNS = [
    ("uuid", "metadata_uid", TEXT),
    ("published", "time", TEXT),
    ("eventType", "metadata_event_code", TEXT),
    ("displayMessage", "message", TEXT),
    ("severity", "severity", TEXT),
    ("legacyEventType", "legacy_event_type", TEXT),
    ("outcome.result", "status_code", TEXT),
    ("outcome.reason", "status_detail", TEXT),
    ("actor.id", "actor_user_uid", TEXT),
    ("actor.alternateId", "actor_user_name", TEXT),
    ("actor.displayName", "actor_user_display_name", TEXT),
    ("actor.type", "actor_user_type", TEXT),
    ("client.ipAddress", "src_endpoint_ip", TEXT),
    ("client.zone", "src_endpoint_zone", TEXT),
    ("client.device", "device_type", TEXT),
    ("client.userAgent.rawUserAgent", "http_request_user_agent", TEXT),
    ("client.userAgent.os", "device_os_name", TEXT),
    ("client.userAgent.browser", "device_browser", TEXT),
    ("client.geographicalContext.city", "src_endpoint_location_city", TEXT),
    ("client.geographicalContext.state", "src_endpoint_location_region", TEXT),
    ("client.geographicalContext.country", "src_endpoint_location_country", TEXT),
    ("client.geographicalContext.postalCode", "src_endpoint_location_postal_code", TEXT),
    ("client.geographicalContext.geolocation.lat", "src_endpoint_location_lat", NUMBER),
    ("client.geographicalContext.geolocation.lon", "src_endpoint_location_long", NUMBER),
    ("securityContext.asNumber", "src_endpoint_autonomous_system_number", INTEGER),
    ("securityContext.asOrg", "src_endpoint_autonomous_system_name", TEXT),
    ("securityContext.isp", "src_endpoint_isp", TEXT),
    ("securityContext.domain", "src_endpoint_domain", TEXT),
    ("securityContext.isProxy", "okta_is_proxy", FLAG),
    ("authenticationContext.externalSessionId", "session_uid", TEXT),
    ("authenticationContext.rootSessionId", "session_uid_alt", TEXT),
    ("authenticationContext.credentialType", "credential_type", TEXT),
    ("transaction.id", "metadata_correlation_uid", TEXT),
    ("debugContext.debugData.requestUri", "request_uri", TEXT),
    ("debugContext.debugData.dtHash", "okta_dt_hash", TEXT),
]
TARGET_FIELDS = ["id", "type", "alternateId", "displayName"]


def event_tree() -> dict:
    """The columns as the event nests them: a name leads to a kind, or to the names below."""
    tree: dict = {}
    for path, _, kind in EVENT_COLUMNS:
        *above, last = path.split(".")
        node = tree
        for name in above:
            node = node.setdefault(name, {})
        node[last] = kind
    return tree


def files(folder: str, ending: str = "parquet") -> list[str]:
    """All files below a folder, sorted."""
    return sorted(glob.glob(str(pathlib.Path(folder) / "**" / f"*.{ending}"), recursive=True))
