//! Everything that may stand in a configuration, in the order in which it is shown.

use super::key::{Key, Kind, Section, Starter};

/// The tables of the file, in the order in which they are shown.
pub const SECTIONS: &[Section] = &[
    section("", "Paths are relative to the folder of this file."),
    section(
        "formula",
        "Parameters of the formula af-1; part of every snapshot's config_hash.",
    ),
    section("rules", "Your own rules, and what you change about ours."),
    section(
        "gates",
        "Limits that `run --strict` puts on every tenant; a tenant beyond one is left out.",
    ),
    several(
        "credential",
        "What proves to an Okta org who we are. The secret itself is in the environment or in a file.",
    ),
    several(
        "tenant",
        "One organization: its people are compared with each other.",
    ),
    several(
        "tenant.people",
        "Where its people come from; an import replaces the people of the same source.",
    ),
    several(
        "tenant.okta",
        "Where its Okta System Log is dropped (NDJSON, arrays, pages; plain, gzip or zstd), or the \
         org that is asked for it.",
    ),
    section(
        "tenant.population",
        "Who is compared with whom beyond what the directory says.",
    ),
];

const fn section(path: &'static str, meaning: &'static str) -> Section {
    Section {
        path,
        repeats: false,
        meaning,
    }
}

const fn several(path: &'static str, meaning: &'static str) -> Section {
    Section {
        path,
        repeats: true,
        meaning,
    }
}

/// What a rule may leave alone.
pub(super) const EXCLUDE: &[&str] = &["people", "addresses"];

const WHOLE: Kind = Kind::Integer(i64::MIN, i64::MAX);
const PERMILLE: Kind = Kind::Integer(0, 1000);

/// All keys.
pub const KEYS: &[Key] = &[
    key(
        "store",
        Kind::Text,
        "",
        "Folder of the store; --store and ATTACK_FACTOR_STORE win over it.",
        Starter::Set("\"risk\""),
    ),
    defaulted(
        "threads",
        Kind::Integer(0, 65_535),
        "0",
        "Worker threads; 0 = all cores. Results do not depend on it.",
    ),
    defaulted(
        "buffer_mib",
        Kind::Integer(1, 1 << 20),
        "256",
        "Memory for events that wait to be written, in MiB; beyond it days are written early.",
    ),
    defaulted("formula.points.low", WHOLE, "1", "Points of a low signal."),
    defaulted(
        "formula.points.medium",
        WHOLE,
        "3",
        "Points of a medium signal; each step at least 2.613 times the one below.",
    ),
    defaulted(
        "formula.points.high",
        WHOLE,
        "9",
        "Points of a high signal.",
    ),
    defaulted(
        "formula.points.critical",
        WHOLE,
        "27",
        "Points of a critical signal.",
    ),
    defaulted(
        "formula.lambda",
        WHOLE,
        "9",
        "Points of absolute scale: one fresh high signal.",
    ),
    defaulted(
        "formula.q",
        WHOLE,
        "3",
        "How many times the colleagues' average the relative scale asks for.",
    ),
    defaulted(
        "formula.kappa",
        WHOLE,
        "5",
        "Pseudo-colleagues without load; small organizations lean on the absolute scale.",
    ),
    defaulted(
        "formula.cap",
        WHOLE,
        "10",
        "A colleague counts up to so many times lambda, or the mean of the others.",
    ),
    key(
        "formula.weights",
        Kind::Integers,
        "{}",
        "Weight of a component in per mille; one not named weighs 1000.",
        Starter::Comment("{ email = 1000 }"),
    ),
    key(
        "rules.folders",
        Kind::Texts,
        "[]",
        "Folders of your own Sigma rules (*.yml), loaded beside the shipped ones.",
        Starter::Comment("[\"my-rules\"]"),
    ),
    key(
        "rules.disable",
        Kind::Texts,
        "[]",
        "Rules that are not used, by name or id.",
        Starter::Comment("[\"okta_context_plain_failure\"]"),
    ),
    key(
        "rules.levels",
        Kind::TextMap,
        "{}",
        "Another level for a rule, by name or id: low, medium, high or critical.",
        Starter::Comment("{ okta_high_risk_sign_in = \"medium\" }"),
    ),
    key(
        "rules.exclude",
        Kind::TextsMap(EXCLUDE),
        "{}",
        "Whom and which client addresses a rule leaves alone, by its name or id, or all for every attack rule.",
        Starter::Comment(
            "{ okta_push_refused = { people = [\"kiosk@acme.example\"], addresses = [\"192.0.2.10\"] } }",
        ),
    ),
    defaulted(
        "gates.quarantined_permille",
        PERMILLE,
        "10",
        "Refused events in the files read since the last snapshot, per mille.",
    ),
    defaulted(
        "gates.unmatched_permille",
        PERMILLE,
        "800",
        "Signals within the window that belong to nobody in the directory, per mille: sprays try many \
         invented names, a broken directory matches nobody.",
    ),
    defaulted(
        "gates.feed_age_hours",
        Kind::Integer(1, 1_000_000),
        "48",
        "Hours since the last event of a feed, and since an Okta org that is asked had nothing more to give; \
         measured against --known-at, else against now.",
    ),
    key(
        "gates.left_out_tenants",
        Kind::Integer(0, 1_000_000),
        "",
        "Tenants that may be left out before nothing is published at all; no limit when absent.",
        Starter::Comment("0"),
    ),
    key(
        "credential.name",
        Kind::Text,
        "",
        "Its name.",
        Starter::Other("\"acme-okta\""),
    ),
    key(
        "credential.description",
        Kind::Text,
        "",
        "What it is, for people.",
        Starter::Other("\"API services app, read-only administrator\""),
    ),
    key(
        "credential.auth",
        Kind::Text,
        "",
        "api_token, client_secret or private_key; may be left out where the other keys tell.",
        Starter::Other("\"private_key\""),
    ),
    key(
        "credential.client_id",
        Kind::Text,
        "",
        "The client of client_secret and private_key.",
        Starter::Other("\"0oa1example\""),
    ),
    key(
        "credential.from_env",
        Kind::Text,
        "",
        "Name of the environment variable that holds the API token, client secret or private key.",
        Starter::Other("\"ACME_OKTA_KEY\""),
    ),
    key(
        "credential.from_file",
        Kind::Text,
        "",
        "File that holds it instead, readable by its owner only.",
        Starter::Instead("\"secrets/acme.pem\""),
    ),
    key(
        "credential.key_id",
        Kind::Text,
        "",
        "Id of the private key (kid), unless the key says it itself.",
        Starter::Other("\"acme-2026\""),
    ),
    key(
        "credential.dpop",
        Kind::Boolean,
        "true",
        "Whether tokens of a private_key are bound to a key of ours (DPoP).",
        Starter::Other("true"),
    ),
    key(
        "credential.expires",
        Kind::TextOrDate,
        "",
        "The day on which it expires; said from 14 days before.",
        Starter::Other("\"2027-01-31\""),
    ),
    key(
        "tenant.name",
        Kind::Text,
        "",
        "Its name in every table: [a-z0-9][a-z0-9._-]{0,62}.",
        Starter::Set("\"acme\""),
    ),
    key(
        "tenant.own_networks",
        Kind::Texts,
        "[]",
        "Its own networks, for rules that ask derived.is_own_network: offices, VPN exits, data centres.",
        Starter::Comment("[\"192.0.2.0/24\", \"2001:db8::/32\"]"),
    ),
    key(
        "tenant.own_domains",
        Kind::Texts,
        "[]",
        "Domains of its e-mail addresses; a run warns how many active people have an address elsewhere.",
        Starter::Comment("[\"acme.example\"]"),
    ),
    key(
        "tenant.people.source",
        Kind::Text,
        "\"directory\"",
        "Name of the source.",
        Starter::Set("\"hr\""),
    ),
    key(
        "tenant.people.files",
        Kind::Texts,
        "",
        "Files or patterns (*, ?, [a-z], **); CSV, NDJSON, JSON, Parquet or Okta users.",
        Starter::Set("[\"people.csv\"]"),
    ),
    key(
        "tenant.people.map",
        Kind::TextMap,
        "{}",
        "Our column = theirs, where the names leave a doubt.",
        Starter::Comment("{ email = \"work_mail\" }"),
    ),
    key(
        "tenant.okta.name",
        Kind::Text,
        "",
        "Name of the Okta org; needed when a tenant has several.",
        Starter::Set("\"prod\""),
    ),
    key(
        "tenant.okta.files",
        Kind::Texts,
        "",
        "Files or patterns; a file is read again when it changed.",
        Starter::Set("[\"drop/*.ndjson.gz\"]"),
    ),
    key(
        "tenant.okta.description",
        Kind::Text,
        "",
        "What it is, for people.",
        Starter::Other("\"production org\""),
    ),
    key(
        "tenant.okta.url",
        Kind::Text,
        "",
        "Base URL of the org, instead of files.",
        Starter::Other("\"https://acme.okta.com\""),
    ),
    key(
        "tenant.okta.allow_custom_domain",
        Kind::Boolean,
        "false",
        "Whether the URL may be a domain of your own: the credential is sent there.",
        Starter::Other("false"),
    ),
    key(
        "tenant.okta.credential",
        Kind::Text,
        "",
        "Name of the [[credential]].",
        Starter::Other("\"acme-okta\""),
    ),
    key(
        "tenant.okta.start",
        Kind::TextOrDate,
        "\"backfill\"",
        "Events from when on: integration (the first call), backfill (all that Okta keeps), a day or an instant.",
        Starter::Other("\"backfill\""),
    ),
    key(
        "tenant.okta.poll_seconds",
        Kind::Integer(0, 86_400),
        "60",
        "Seconds between two looks of okta pull --follow; 0 = fetched by hand only, not by run.",
        Starter::Other("60"),
    ),
    key(
        "tenant.okta.rate_percent",
        Kind::Integer(1, 100),
        "50",
        "The share of Okta's rate limits that is used up at the most, in per cent.",
        Starter::Other("50"),
    ),
    key(
        "tenant.okta.inventory_hours",
        Kind::Integer(0, 8_760),
        "24",
        "Hours after which run takes a new inventory; 0 = by hand only.",
        Starter::Other("24"),
    ),
    key(
        "tenant.okta.inventory",
        Kind::Texts,
        "",
        "The steps of an inventory; all of them when absent.",
        Starter::Other("[\"org\", \"users\", \"groups\", \"user_roles\"]"),
    ),
    key(
        "tenant.okta.people",
        Kind::Boolean,
        "",
        "Whether its users are the tenant's people; true unless there is a [[tenant.people]].",
        Starter::Other("true"),
    ),
    key(
        "tenant.okta.keep_raw",
        Kind::Boolean,
        "false",
        "Whether pages are kept as received after they were taken in.",
        Starter::Other("false"),
    ),
    key(
        "tenant.population.service",
        Kind::Texts,
        "[]",
        "Patterns of logins or e-mails that make an account a service account.",
        Starter::Comment("[\"svc-*@acme.example\"]"),
    ),
];

const fn key(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
    starter: Starter,
) -> Key {
    Key {
        path,
        kind,
        default,
        meaning,
        starter,
    }
}

const fn defaulted(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    key(path, kind, default, meaning, Starter::Default)
}
