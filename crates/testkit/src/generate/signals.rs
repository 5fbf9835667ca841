//! Signals as producers write them: duplicates, conflicts, shouted e-mails, clocks that run ahead.

use af_model::key::{SubjectRef, normalize_key};
use af_model::{HashKey, Person, UtcMillis};

use super::dice::pick;
use super::organization::{Calendar, TENANTS};
use super::people::HOSTILE;
use crate::oracle::OracleSignal;

/// Dice a signal.
pub(super) const DICE: usize = 16;

const HOUR: i64 = 3_600_000;

/// Grows signals about the people.
pub(super) fn signals(
    dice: &[[u8; DICE]],
    people: &[Person],
    calendar: Calendar,
    key: &HashKey,
) -> Vec<OracleSignal> {
    let mut grown: Vec<OracleSignal> = Vec::new();
    // The first row of each key, so that copies of copies still know when it became known.
    let mut origins: Vec<usize> = Vec::new();
    for (index, dice) in dice.iter().enumerate() {
        let copy = pick(dice[10], &[(130, 0), (14, 1), (12, 2), (12, 3), (88, 4)]);
        let of = origins
            .get(usize::from(dice[2]) % origins.len().max(1))
            .copied();
        let (origin, signal) = match (copy, of) {
            (1..=3, Some(origin)) => (origin, copied(&grown[origin], copy, index, dice)),
            (4, Some(origin)) => (index, sibling(&grown[origin], index, dice)),
            _ => (index, one(index, dice, people, calendar, key)),
        };
        grown.push(signal);
        origins.push(origin);
    }
    grown
}

/// A row that came twice: exactly (1), again later (2), or later and changed (3). A changed copy
/// never ties with another on `ingested_at`: which of them is kept would then be anybody's choice.
fn copied(origin: &OracleSignal, kind: u8, index: usize, dice: &[u8; DICE]) -> OracleSignal {
    let mut copy = origin.clone();
    if kind == 1 {
        return copy;
    }
    let known = origin.ingested_at.unwrap_or(origin.time).0;
    copy.ingested_at = Some(UtcMillis(
        known + 1 + i64::try_from(index).expect("an index"),
    ));
    if kind == 3 {
        match dice[3] % 3 {
            0 => "critical".clone_into(&mut copy.level),
            1 => "rule.changed".clone_into(&mut copy.rule_id),
            _ => copy.time = UtcMillis(copy.time.0 - HOUR),
        }
    }
    copy
}

/// Another signal of the same kind on the same person, mostly of the same incident and day: without
/// these nothing would collapse and hardly anything saturate.
fn sibling(elder: &OracleSignal, index: usize, dice: &[u8; DICE]) -> OracleSignal {
    let mut signal = elder.clone();
    signal.signal_uid = format!("s{index:04}");
    signal.event_uids = Some(vec![format!("e{index}")]);
    if elder
        .ingested_at
        .is_some_and(|known| known.0 < elder.time.0)
    {
        signal.ingested_at = None;
    }
    level_word(dice[7]).clone_into(&mut signal.level);
    signal.rule_id = format!("rule.{}", dice[13] % 6);
    let earlier = i64::from(dice[4]) % 4; // equal times too, so that ids break the tie
    let days = pick(dice[3], &[(200, 0), (56, 1)]);
    signal.time = UtcMillis(
        elder
            .time
            .0
            .saturating_sub(earlier * 60_000 + days * 24 * HOUR),
    );
    if dice[8] >= 200 {
        signal.incident_uid = None;
    }
    signal
}

fn level_word(die: u8) -> &'static str {
    pick(
        die,
        &[
            (110, "low"),
            (70, "medium"),
            (46, "high"),
            (20, "critical"),
            (6, "HIGH"),
            (4, "severe"),
        ],
    )
}

fn one(
    index: usize,
    dice: &[u8; DICE],
    people: &[Person],
    calendar: Calendar,
    key: &HashKey,
) -> OracleSignal {
    let [
        tenant,
        how,
        who,
        day,
        hour,
        component,
        family,
        level,
        incident,
        ingest,
        _,
        events,
        source,
        rule,
        case,
        broken,
    ] = *dice;
    let tenant = TENANTS[pick(tenant, &[(190, 0), (45, 1), (21, 2)])];
    let days = match day {
        0..=239 => i64::from(day) * 100 / 240, // 0 to 99 days old: some are too old
        _ => -i64::from(day % 3),              // today, or after as_of
    };
    let time = UtcMillis(calendar.days_ago(days).0 + i64::from(hour) * 24 * HOUR / 256);
    let mut signal = OracleSignal::new(tenant, &format!("s{index:04}"), time);
    let word = pick(
        component,
        &[
            (140, "identity"),
            (60, "email"),
            (40, "malware"),
            (16, "web_1"),
        ],
    );
    word.clone_into(&mut signal.component);
    let word = pick(
        family,
        &[
            (120, "credential_attack"),
            (70, "phishing"),
            (50, "mfa_attack"),
            (16, "other"),
        ],
    );
    word.clone_into(&mut signal.family);
    level_word(level).clone_into(&mut signal.level);
    signal.incident_uid = match pick(incident, &[(120, 0), (10, 1), (100, 2), (26, 3)]) {
        0 => None,
        1 => Some(String::new()),
        2 => Some(format!("trace:{}", incident % 8)),
        _ => Some(format!("s{:04}", index / 2)), // looks like a signal's id
    };
    signal.ingested_at = match pick(
        ingest,
        &[(60, 0), (80, 1), (60, 2), (30, 3), (16, 4), (10, 5)],
    ) {
        0 => None,
        1 => Some(UtcMillis(time.0 + 60_000)),
        2 => Some(UtcMillis(time.0 + 5 * HOUR)),
        3 => Some(UtcMillis(time.0 + 10 * 24 * HOUR)), // late, maybe after known_at
        4 => Some(UtcMillis(time.0 - 10 * 60_000)),    // just tolerated
        _ => Some(UtcMillis(time.0 - 10 * 60_000 - 1)), // a millisecond too far
    };
    signal.event_uids = match pick(events, &[(80, 0), (100, 1), (60, 2), (16, 3)]) {
        0 => None,
        1 => Some(vec![format!("e{index}")]),
        2 => Some(vec![format!("e{index}"), format!("shared{}", events % 5)]),
        _ => Some(Vec::new()),
    };
    let word = pick(source, &[(180, "okta"), (50, "gateway"), (26, "endpoint")]);
    word.clone_into(&mut signal.source);
    signal.integration = Some(format!("{}-{}", signal.source, rule % 2)).filter(|_| rule < 200);
    signal.rule_id = format!("rule.{}", rule % 6);
    signal.rule_version = Some("1".to_owned()).filter(|_| rule % 3 == 0);
    signal.attack_techniques = Some(vec!["T1110".to_owned()]).filter(|_| rule % 2 == 0);
    let candidates: Vec<&Person> = people.iter().filter(|p| p.tenant_uid == tenant).collect();
    let person = candidates
        .get(usize::from(who) % candidates.len().max(1))
        .copied();
    name_subject(&mut signal, how, case, person, key);
    match pick(broken, &[(244, 0), (4, 1), (4, 2), (2, 3), (2, 4)]) {
        1 => "Not A Component".clone_into(&mut signal.component),
        2 => signal.family = String::new(),
        3 => "../acme".clone_into(&mut signal.tenant_uid),
        4 => signal.time = UtcMillis(i64::MAX - 24 * HOUR),
        _ => {}
    }
    signal
}

/// Names the person in one of the ways the contract allows, or in one that leads nowhere.
fn name_subject(
    signal: &mut OracleSignal,
    how: u8,
    case: u8,
    person: Option<&Person>,
    key: &HashKey,
) {
    let shout = |text: &str| match case {
        0..=127 => text.to_owned(),
        128..=191 => text.to_ascii_uppercase(),
        192..=223 => format!("  {text}\t"),
        // Other spellings of the same domain.
        _ => text
            .replace("example", "eXample")
            .replace("xn--bcher-kva", "B\u{fc}cher"),
    };
    let hostile = || HOSTILE[usize::from(case) % HOSTILE.len()].to_owned();
    let uid = person.map(|person| person.user_uid.clone());
    let login = person.and_then(|person| person.login.clone());
    let email = person.map(|person| person.email.clone());
    let former = person
        .and_then(|person| person.aliases.as_ref())
        .and_then(|aliases| aliases.first())
        .map(|alias| alias.key.clone());
    let tenant = signal.tenant_uid.clone();
    let hashed = |name: &str| Some(SubjectRef::hashed(key, &tenant, name).to_string());
    let written = |kind: &str, name: &Option<String>| {
        name.as_ref()
            .map(|name| format!("{kind}:{}", normalize_key(name)))
    };
    match how / 16 {
        0 | 1 => signal.subject_uid = uid,
        2 | 3 => signal.subject_login = login.as_deref().map(shout),
        4 | 5 => signal.subject_email = email.as_deref().map(shout),
        6 => signal.subject_login = former.or(email).as_deref().map(shout),
        7 => {
            signal.subject_uid = Some("00uUNKNOWN0000000000".to_owned());
            signal.subject_login = login.as_deref().map(shout);
            signal.subject_email = email.as_deref().map(shout);
        }
        8 => signal.subject_ref = uid.map(|uid| format!("uid:{uid}")),
        9 => signal.subject_ref = written("login", &login),
        10 => signal.subject_ref = written("email", &email),
        11 => signal.subject_ref = hashed(&login.or(former).unwrap_or_else(hostile)),
        12 => signal.subject_ref = hashed(&email.unwrap_or_else(hostile)),
        13 => {
            signal.subject_login = match case % 4 {
                0 => Some("System@Okta.com".to_owned()),
                1 => Some(hostile()),
                2 => Some("  ".to_owned()), // blank names nobody
                _ => Some("nobody@example.net".to_owned()),
            }
        }
        14 => {
            // Foreign producers may fill everything; the reference then is the first of the columns.
            signal.subject_uid = uid;
            signal.subject_email = email;
            signal.subject_ref = SubjectRef::first_of(
                signal.subject_uid.as_deref(),
                None,
                signal.subject_email.as_deref(),
            )
            .map(|subject| subject.to_string());
        }
        _ => {}
    }
}
