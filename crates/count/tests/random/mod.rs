//! Small random worlds: few people with overlapping keys, few days, many coincidences.

use af_model::cell::Alias;
use af_model::key::SubjectRef;
use af_model::tables::{attack_signals, retractions};
use af_model::time::DAY_MILLIS;
use af_model::{HashKey, Person, UtcMillis};
use proptest::prelude::*;

/// The key of every keyed hash.
pub(crate) const KEY: HashKey = HashKey::new([9; 32]);

/// 2026-11-20T23:59:59.999Z.
pub(crate) const AS_OF: UtcMillis = UtcMillis(1_795_219_199_999);

/// The user id of the person who always exists and whose keys nobody shares.
pub(crate) const ANA: &str = "ana-uid";

/// One signal.
pub(crate) type Signal = attack_signals::Row<'static>;

/// One input.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The signals.
    pub(crate) signals: Vec<Signal>,
    /// The directory.
    pub(crate) people: Vec<Person>,
    /// What was taken back.
    pub(crate) retractions: Vec<retractions::Row>,
}

/// Any input.
pub(crate) fn sample() -> impl Strategy<Value = Sample> {
    (
        prop::collection::vec(signal(), 0..60),
        prop::collection::vec(person(), 0..12),
        prop::collection::vec(retraction(), 0..8),
    )
        .prop_map(|(signals, mut people, retractions)| {
            people.push(ana());
            Sample {
                signals,
                people,
                retractions,
            }
        })
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "k1@acme.example",
        "K2",
        "k2",
        " k3 ",
        "k4",
        "k5",
        "system@okta.com",
    ])
    .prop_map(str::to_owned)
}

fn uid() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["u1", "u2", "u3", "u4", "U1"]).prop_map(str::to_owned)
}

fn tenant() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just("acme"), 2 => Just("other"), 1 => Just("Not A Tenant")]
}

/// An instant within some days around the ends of the window and around `as_of`.
fn time() -> impl Strategy<Value = UtcMillis> {
    let day = prop_oneof![1 => Just(-1_i64), 3 => Just(0), 3 => 0_i64..4, 2 => 86_i64..92];
    (
        day,
        prop::sample::select(vec![0, 1, DAY_MILLIS / 2, DAY_MILLIS - 1]),
    )
        .prop_map(|(days_ago, rest)| UtcMillis(AS_OF.0 + 1 - (days_ago + 1) * DAY_MILLIS + rest))
}

fn instant() -> impl Strategy<Value = Option<UtcMillis>> {
    prop::option::of(time())
}

fn person() -> impl Strategy<Value = Person> {
    (
        (tenant(), uid(), key(), prop::option::of(key())),
        prop::option::of(prop::collection::vec((key(), instant(), instant()), 0..3)),
        prop::option::of(prop::sample::select(vec![
            "ACTIVE",
            "DEPROVISIONED",
            "STAGED",
        ])),
        (instant(), instant()),
    )
        .prop_map(
            |((tenant, uid, email, login), aliases, status, (created, deactivated))| Person {
                tenant_uid: tenant.to_owned(),
                login,
                aliases: aliases.map(|aliases| {
                    let alias = |(key, valid_from, valid_to)| Alias {
                        key,
                        valid_from,
                        valid_to,
                    };
                    aliases.into_iter().map(alias).collect()
                }),
                status: status.map(str::to_owned),
                created,
                deactivated,
                ..nobody(&uid, &email)
            },
        )
}

fn ana() -> Person {
    Person {
        login: Some("ana.login".to_owned()),
        aliases: Some(vec![Alias {
            key: "ana.alias".to_owned(),
            valid_from: None,
            valid_to: None,
        }]),
        ..nobody(ANA, "ana@acme.example")
    }
}

fn nobody(user_uid: &str, email: &str) -> Person {
    Person::new("acme", user_uid, email)
}

/// Any signal: mostly sound, with few ids, so that duplicates, conflicts and incidents abound.
pub(crate) fn signal() -> impl Strategy<Value = Signal> {
    let subject_ref = prop_oneof![
        3 => Just(None),
        1 => uid().prop_map(|uid| Some(format!("uid:{uid}"))),
        1 => key().prop_map(|key| Some(format!("login:{key}"))),
        1 => key().prop_map(|key| Some(SubjectRef::hashed(&KEY, "acme", &key).to_string())),
        1 => Just(Some("h:a typed password".to_owned())),
    ];
    let ids = (
        tenant(),
        0_u8..100,
        time(),
        prop::option::of(prop::sample::select(vec![
            -DAY_MILLIS,
            -600_000,
            0,
            1,
            DAY_MILLIS,
        ])),
    );
    let subject = prop_oneof![
        1 => Just((None, Some(ANA.to_owned()), None, None)),
        1 => (
            subject_ref,
            prop::option::of(uid()),
            prop::option::of(key()),
            prop::option::of(key()),
        ),
    ];
    let kind = (
        prop::sample::select(vec!["email", "email", "email", "identity"]),
        prop::sample::select(vec!["phishing", "phishing", "phishing", "other"]),
        prop_oneof![
            9 => prop::sample::select(vec!["low", "medium", "high", "critical"]),
            1 => Just("severe"),
        ],
        prop::sample::select(vec!["r1", "r2"]),
        prop::sample::select(vec!["okta", "okta", "gateway"]),
        prop::option::of(prop::sample::select(vec!["eu", "us"])),
    );
    let evidence = (
        prop::option::of(prop::sample::select(vec!["", "i1", "i2", "i2", "i2"])),
        prop::option::of(prop::collection::vec(
            prop::sample::select(vec!["e1", "e2", "e3"]),
            0..3,
        )),
    );
    (ids, subject, kind, evidence).prop_map(|(ids, subject, kind, evidence)| {
        let (tenant_uid, number, time, ingested_after) = ids;
        let (subject_ref, uid, login, email) = subject;
        let (component, family, level, rule_id, source, integration) = kind;
        let (incident_uid, event_uids) = evidence;
        Signal {
            tenant_uid: tenant_uid.into(),
            signal_uid: format!("s{number}").into(),
            time,
            ingested_at: ingested_after.map(|after| UtcMillis(time.0 + after)),
            subject_ref: subject_ref.map(Into::into),
            subject_uid: uid.map(Into::into),
            subject_login: login.map(Into::into),
            subject_email: email.map(Into::into),
            component: component.into(),
            family: family.into(),
            level: level.into(),
            rule_id: rule_id.into(),
            rule_version: None,
            incident_uid: incident_uid.map(Into::into),
            event_uids: event_uids.map(|uids| uids.into_iter().map(Into::into).collect()),
            source: source.into(),
            integration: integration.map(Into::into),
            attack_techniques: None,
        }
    })
}

fn retraction() -> impl Strategy<Value = retractions::Row> {
    (
        prop::sample::select(vec![
            ("event", "e1"),
            ("event", "e2"),
            ("incident", "i1"),
            ("signal", "s1"),
            ("signal", "s2"),
        ]),
        prop::sample::select(vec!["retract", "retract", "restore"]),
        time(),
    )
        .prop_map(
            |((target_kind, target_uid), action, ingested_at)| retractions::Row {
                tenant_uid: "acme".to_owned(),
                target_kind: target_kind.to_owned(),
                target_uid: target_uid.to_owned(),
                action: action.to_owned(),
                ingested_at,
                reason: None,
                by: None,
            },
        )
}
