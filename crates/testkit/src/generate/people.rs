//! People as directories have them: leavers, newcomers, shared logins, former names, robots.

use af_model::cell::Alias;
use af_model::{Person, UtcMillis};

use super::dice::pick;
use super::organization::{Calendar, TENANTS};

/// Dice a person.
pub(super) const DICE: usize = 12;

/// Names that hurt whoever prints, parses or concatenates them.
pub(super) const HOSTILE: [&str; 7] = [
    "\u{1b}[31mred\u{1b}[0m",
    "<script>alert(1)</script>",
    "=HYPERLINK(\"http://x.example\")",
    "drop'; table--",
    "\u{202e}gnp.exe",
    "line\nbreak,\"quote\"",
    "nul\u{0}byte",
];

/// A plain person of a tenant: active, human, known by one login that is also the e-mail address.
pub fn person(tenant_uid: &str, user_uid: &str, login: &str) -> Person {
    Person {
        login: Some(login.to_owned()),
        ..Person::new(tenant_uid, user_uid, login)
    }
}

/// Grows the people of all tenants. User ids are unique; logins, addresses and aliases are not.
pub(super) fn people(dice: &[[u8; DICE]], calendar: Calendar) -> Vec<Person> {
    let mut grown: Vec<Person> = Vec::new();
    for (index, dice) in dice.iter().enumerate() {
        let next = one(index, dice, &grown, calendar);
        grown.push(next);
    }
    grown
}

fn one(index: usize, dice: &[u8; DICE], earlier: &[Person], calendar: Calendar) -> Person {
    let [
        tenant,
        status,
        kind,
        created,
        left,
        login,
        email,
        aliases,
        name,
        other,
        day,
        span,
    ] = *dice;
    let tenant = pick(tenant, &[(190, 0), (45, 1), (21, 2)]);
    let mut person = person(
        TENANTS[tenant],
        &format!("00u{index:017}"),
        &format!("user{index}@example.com"),
    );
    // Somebody earlier in the same tenant with whom a key may be shared.
    let partner = earlier
        .iter()
        .filter(|earlier| earlier.tenant_uid == person.tenant_uid)
        .nth(usize::from(other) % earlier.len().max(1));

    person.status = pick(
        status,
        &[
            (60, None),
            (110, Some("ACTIVE")),
            (16, Some("LOCKED_OUT")),
            (10, Some("PASSWORD_EXPIRED")),
            (10, Some("SUSPENDED")),
            (10, Some("STAGED")),
            (6, Some("deprovisioned")),
            (34, Some("DEPROVISIONED")),
        ],
    )
    .map(str::to_owned);
    person.user_type = pick(
        kind,
        &[
            (180, None),
            (40, Some("Employee")),
            (20, Some("Service")),
            (8, Some(" bot ")),
            (8, Some("GENERIC")),
        ],
    )
    .map(str::to_owned);
    let some_days = i64::from(day) % 100;
    person.created = match pick(created, &[(140, 0), (60, 1), (46, 2), (10, 3)]) {
        0 => None,
        1 => Some(calendar.days_ago(some_days + 100)),
        2 => Some(calendar.days_ago(some_days)),
        _ => Some(calendar.days_ago(-1 - some_days)),
    };
    let gone = person
        .status
        .as_deref()
        .is_some_and(|status| status.eq_ignore_ascii_case("DEPROVISIONED"));
    if gone {
        person.deactivated = (left >= 60).then(|| {
            let since = person.created.map_or(i64::MIN, |created| created.0);
            let then = calendar.days_ago(i64::from(span) % 100);
            UtcMillis(then.0.max(since))
        });
    }
    person.login = match (pick(login, &[(180, 0), (20, 1), (44, 2), (12, 3)]), partner) {
        (1, _) => None,
        (2, Some(partner)) => partner.login.clone(), // re-created, or a shared account
        (3, _) => Some("j\u{f6}rg@xn--bcher-kva.example".to_owned()),
        _ => person.login,
    };
    person.email = match (pick(email, &[(170, 0), (40, 1), (46, 2)]), partner) {
        (1, _) => format!("mail{index}@example.org"),
        (2, Some(partner)) => partner.email.clone(),
        _ => person.email,
    };
    let alias = |key: String, from: Option<i64>, to: Option<i64>| Alias {
        key,
        valid_from: from.map(|days| calendar.days_ago(days)),
        valid_to: to.map(|days| calendar.days_ago(days)),
    };
    let former = format!("former{index}@example.org");
    person.aliases = match (
        pick(aliases, &[(150, 0), (30, 1), (30, 2), (24, 3), (22, 4)]),
        partner,
    ) {
        (1, _) => Some(vec![alias(former, None, None)]),
        (2, _) => Some(vec![alias(former, Some(some_days + 30), Some(some_days))]),
        // The former name of one is the present login of another.
        (3, Some(partner)) => Some(vec![alias(partner.email.clone(), None, Some(some_days))]),
        (4, _) => Some(vec![
            alias("info@example.com".to_owned(), Some(some_days), None),
            alias(former, None, Some(20)),
        ]),
        _ => None,
    };
    person.display_name = match pick(name, &[(100, 0), (100, 1), (56, 2)]) {
        0 => None,
        1 => Some(format!("User {index}")),
        _ => Some(HOSTILE[usize::from(name) % HOSTILE.len()].to_owned()),
    };
    person.department = Some(["Sales", "Finance", "Support"][usize::from(name) % 3].to_owned());
    person
}
