//! From the cells of one row to a person.

use std::collections::BTreeMap;

use af_model::cell::Alias;
use af_model::key::normalize_key;
use af_model::name::check_tenant;
use af_model::{Person, Population, UtcMillis};

use crate::aliases;
use crate::cell::{Cell, Fields};
use crate::field::Field;
use crate::import::{ImportOptions, Warning};
use crate::instant;

/// The longest user id, login, e-mail or alias, in bytes.
pub(crate) const KEY_BYTES: usize = 512;
/// The longest label such as a name or a department, in bytes.
const LABEL_BYTES: usize = 1_024;
/// The longest cell of aliases, in bytes.
const ALIASES_BYTES: usize = 65_536;

/// The statuses that Okta has and the population knows.
const STATUSES: [&str; 8] = [
    "ACTIVE",
    "LOCKED_OUT",
    "PASSWORD_EXPIRED",
    "PROVISIONED",
    "RECOVERY",
    "STAGED",
    "SUSPENDED",
    "DEPROVISIONED",
];

/// Why a row is no person, and the field to blame.
pub(crate) type Refusal = (&'static str, Option<&'static str>);

/// Counts of values that were not understood.
#[derive(Debug, Default)]
pub(crate) struct Warnings(BTreeMap<(&'static str, &'static str), (u64, u64)>);

impl Warnings {
    fn add(&mut self, field: Field, kind: &'static str, line: u64, count: u64) {
        let (total, first_line) = self.0.entry((field.name(), kind)).or_insert((0, line));
        *total += count;
        *first_line = line.min(*first_line);
    }

    pub(crate) fn into_list(self) -> Vec<Warning> {
        self.0
            .into_iter()
            .map(|((field, kind), (count, first_line))| Warning {
                field,
                kind,
                count,
                first_line,
            })
            .collect()
    }
}

/// Makes people of rows, and counts what it did not understand of them.
pub(crate) struct PersonBuilder<'o> {
    options: &'o ImportOptions,
    warnings: Warnings,
}

impl<'o> PersonBuilder<'o> {
    pub(crate) fn new(options: &'o ImportOptions) -> Self {
        Self {
            options,
            warnings: Warnings::default(),
        }
    }

    pub(crate) fn into_warnings(self) -> Vec<Warning> {
        self.warnings.into_list()
    }

    /// The person of one row. A refused row adds no warnings.
    pub(crate) fn person(&mut self, line: u64, mut row: Fields) -> Result<Person, Refusal> {
        if row.is_empty() {
            return Err(("empty_row", None));
        }
        let mut found = Row {
            line,
            warnings: Warnings::default(),
        };
        let person = found.person(&mut row, self.options)?;
        for ((field, kind), (count, first_line)) in found.warnings.0 {
            let (total, first) = self
                .warnings
                .0
                .entry((field, kind))
                .or_insert((0, first_line));
            *total += count;
            *first = first_line.min(*first);
        }
        Ok(person)
    }
}

struct Row {
    line: u64,
    warnings: Warnings,
}

impl Row {
    fn person(&mut self, row: &mut Fields, options: &ImportOptions) -> Result<Person, Refusal> {
        let tenant_uid = tenant(row, options)?;
        let login = key(row, Field::Login)?.map(|login| normalize_key(&login).into_owned());
        let email = key(row, Field::Email)?.map(|email| normalize_key(&email).into_owned());
        let user_uid = key(row, Field::UserUid)?;
        let user_type = self.label(row, Field::UserType);

        // `n/a` as an e-mail would make one key of everybody who has none. What equals the login
        // may be anything: our own table writes a service account's login there.
        let email = email.filter(|email| {
            let usable = is_email_like(email) || login.as_ref() == Some(email);
            if !usable {
                self.warn(Field::Email, "not_an_email");
            }
            usable
        });
        let mut person = Person {
            tenant_uid,
            user_uid: String::new(),
            email: String::new(),
            login,
            aliases: self.aliases(std::mem::take(&mut row.aliases)),
            display_name: self.display_name(row),
            status: self.status(row),
            user_type,
            department: self.label(row, Field::Department),
            location: self.label(row, Field::Location),
            manager_uid: self.label(row, Field::ManagerUid).map(manager),
            title: self.label(row, Field::Title),
            privileged: self.flag(row, Field::Privileged),
            vip: self.flag(row, Field::Vip),
            created: self.instant(row, Field::Created),
            deactivated: self.instant(row, Field::Deactivated),
            last_login: self.instant(row, Field::LastLogin),
            source: Some(options.source.clone()),
            imported_at: options.imported_at,
        };
        person.email = match (email, &person.login) {
            (Some(email), _) => email,
            (None, Some(login))
                if is_email_like(login) || person.population() == Population::Service =>
            {
                login.clone()
            }
            (None, Some(_)) => return Err(("no_email", Some("email"))),
            (None, None) => return Err(("no_email_and_no_login", None)),
        };
        person.user_uid = user_uid.unwrap_or_else(|| person.email.clone());
        Ok(person)
    }

    fn warn(&mut self, field: Field, kind: &'static str) {
        self.warnings.add(field, kind, self.line, 1);
    }

    /// Text of a field that nobody is known by; what cannot be used is absent and counted.
    fn label(&mut self, row: &mut Fields, field: Field) -> Option<String> {
        let kind = match row.take(field)? {
            Cell::Text(text) if text.len() <= LABEL_BYTES => return Some(text.trim().to_owned()),
            Cell::Text(_) => "too_long",
            Cell::Flag(flag) => return Some(flag.to_string()),
            Cell::NotUtf8 => "not_utf8",
            Cell::Texts(_) | Cell::Instant(_) | Cell::Aliases(_) | Cell::Foreign => "wrong_type",
        };
        self.warn(field, kind);
        None
    }

    fn display_name(&mut self, row: &mut Fields) -> Option<String> {
        let whole = self.label(row, Field::DisplayName);
        let parts = [
            self.label(row, Field::FirstName),
            self.label(row, Field::LastName),
        ];
        whole.or_else(|| {
            let joined = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
            (!joined.is_empty()).then_some(joined)
        })
    }

    fn status(&mut self, row: &mut Fields) -> Option<String> {
        let status = self.label(row, Field::Status)?.to_uppercase();
        if !STATUSES.contains(&status.as_str()) {
            self.warn(Field::Status, "unknown_status");
        }
        Some(status)
    }

    fn flag(&mut self, row: &mut Fields, field: Field) -> Option<bool> {
        match row.take(field)? {
            Cell::Flag(flag) => return Some(flag),
            Cell::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "y" | "t" | "1" | "x" => return Some(true),
                "false" | "no" | "n" | "f" | "0" => return Some(false),
                _ => {}
            },
            _ => {}
        }
        self.warn(field, "bad_flag");
        None
    }

    fn instant(&mut self, row: &mut Fields, field: Field) -> Option<UtcMillis> {
        let instant = match row.take(field)? {
            Cell::Instant(instant) => UtcMillis::checked(instant.0).ok(),
            Cell::Text(text) => instant::parse(&text),
            _ => None,
        };
        if instant.is_none() {
            self.warn(field, "bad_date");
        }
        instant
    }

    fn aliases(&mut self, cells: Vec<Cell>) -> Option<Vec<Alias>> {
        let mut all = Vec::new();
        let mut bad = 0;
        let mut read = |text: &str| {
            if text.len() > ALIASES_BYTES {
                bad += 1;
                return;
            }
            let (aliases, not_understood) = aliases::parse_list(text);
            all.extend(aliases);
            bad += not_understood;
        };
        let mut given = Vec::new();
        let mut foreign = 0;
        for cell in cells {
            match cell {
                Cell::Text(text) => read(&text),
                Cell::Texts(texts) => texts.iter().for_each(|text| read(text)),
                Cell::Aliases(aliases) => given.extend(aliases),
                Cell::Flag(_) | Cell::Instant(_) | Cell::Foreign | Cell::NotUtf8 => foreign += 1,
            }
        }
        for alias in given {
            match aliases::normalized(&alias) {
                Some(alias) => all.push(alias),
                None => bad += 1,
            }
        }
        if bad + foreign > 0 {
            self.warnings
                .add(Field::Aliases, "bad_alias", self.line, bad + foreign);
        }
        all.sort_unstable();
        all.dedup();
        (!all.is_empty()).then_some(all)
    }
}

fn tenant(row: &mut Fields, options: &ImportOptions) -> Result<String, Refusal> {
    let named = key(row, Field::TenantUid)?;
    let blame = Some(Field::TenantUid.name());
    match (named, &options.tenant) {
        // Never file one organization's people under another's name.
        (Some(named), Some(expected)) if named != *expected => Err(("other_tenant", blame)),
        (Some(named), _) if check_tenant(&named).is_err() => Err(("bad_tenant", blame)),
        (Some(named), _) => Ok(named),
        (None, Some(expected)) => Ok(expected.clone()),
        (None, None) => Err(("no_tenant", blame)),
    }
}

/// Text by which somebody is known, trimmed: what cannot be used refuses the whole row, since
/// a person filed under half a key would be matched with the wrong attacks.
fn key(row: &mut Fields, field: Field) -> Result<Option<String>, Refusal> {
    let text = match row.take(field) {
        None => return Ok(None),
        Some(Cell::Text(text)) => text,
        Some(Cell::NotUtf8) => return Err(("not_utf8", Some(field.name()))),
        Some(_) => return Err(("wrong_type", Some(field.name()))),
    };
    let text = text.trim();
    if text.len() > KEY_BYTES {
        return Err(("too_long", Some(field.name())));
    }
    if text.chars().any(char::is_control) {
        return Err(("control_character", Some(field.name())));
    }
    Ok(Some(text.to_owned()))
}

fn is_email_like(key: &str) -> bool {
    !key.contains(char::is_whitespace)
        && key
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// A manager named by e-mail is written as that e-mail is written in the manager's own row; an id
/// compares byte for byte.
fn manager(text: String) -> String {
    if text.contains('@') {
        normalize_key(&text).into_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> ImportOptions {
        ImportOptions {
            tenant: Some("acme".to_owned()),
            source: "hr".to_owned(),
            ..ImportOptions::default()
        }
    }

    fn built(cells: &[(Field, &str)]) -> (Result<Person, Refusal>, Vec<Warning>) {
        let mut row = Fields::default();
        for &(field, text) in cells {
            row.set(field, Cell::Text(text.to_owned()));
        }
        let options = options();
        let mut builder = PersonBuilder::new(&options);
        let person = builder.person(7, row);
        (person, builder.into_warnings())
    }

    fn refused(cells: &[(Field, &str)]) -> Refusal {
        built(cells).0.unwrap_err()
    }

    #[test]
    fn keys_are_normalized_and_the_email_stands_in_for_a_missing_id() {
        let (person, warnings) = built(&[(Field::Email, " Ana@Bücher.example ")]);
        let person = person.unwrap();
        assert_eq!(person.email, "ana@xn--bcher-kva.example");
        assert_eq!(person.user_uid, person.email);
        assert_eq!(person.login, None);
        assert_eq!(person.source.as_deref(), Some("hr"));
        assert_eq!(warnings, []);
    }

    #[test]
    fn an_id_compares_byte_for_byte_so_its_case_stays() {
        let (person, _) = built(&[(Field::Email, "a@x.example"), (Field::UserUid, "00uABC")]);
        assert_eq!(person.unwrap().user_uid, "00uABC");
    }

    #[test]
    fn a_login_that_looks_like_an_email_serves_as_one() {
        let (person, _) = built(&[(Field::Login, "Ana@x.example")]);
        assert_eq!(person.unwrap().email, "ana@x.example");
        assert_eq!(
            refused(&[(Field::Login, "ana")]),
            ("no_email", Some("email"))
        );
        assert_eq!(
            refused(&[(Field::DisplayName, "Ana")]),
            ("no_email_and_no_login", None)
        );
        assert_eq!(refused(&[(Field::Email, " ")]), ("empty_row", None));
    }

    #[test]
    fn a_service_account_needs_a_login_only() {
        let (person, _) = built(&[(Field::Login, "SVC-Backup"), (Field::UserType, "Service")]);
        let person = person.unwrap();
        assert_eq!(
            (person.email.as_str(), person.user_uid.as_str()),
            ("svc-backup", "svc-backup")
        );
    }

    #[test]
    fn what_is_no_email_is_not_a_key_of_everybody() {
        let (person, warnings) = built(&[(Field::Email, "n/a"), (Field::Login, "a@x.example")]);
        assert_eq!(person.unwrap().email, "a@x.example");
        assert_eq!(
            (warnings[0].field, warnings[0].kind),
            ("email", "not_an_email")
        );
        assert_eq!(
            refused(&[(Field::Email, "n/a")]),
            ("no_email_and_no_login", None)
        );
    }

    #[test]
    fn what_is_not_understood_is_absent_and_counted() {
        let (person, warnings) = built(&[
            (Field::Email, "a@x.example"),
            (Field::Created, "03/04/2026"),
            (Field::LastLogin, "2026-11-20"),
            (Field::Vip, "maybe"),
            (Field::Privileged, "Yes"),
            (Field::Status, " terminated "),
            (Field::Aliases, "old@x.example; b[x..]"),
        ]);
        let person = person.unwrap();
        assert_eq!(person.created, None);
        assert_eq!(
            person.last_login,
            UtcMillis::parse("2026-11-20T00:00:00Z").ok()
        );
        assert_eq!((person.vip, person.privileged), (None, Some(true)));
        assert_eq!(person.status.as_deref(), Some("TERMINATED"));
        assert_eq!(person.aliases.unwrap().len(), 1);
        let seen: Vec<_> = warnings
            .iter()
            .map(|w| (w.field, w.kind, w.count, w.first_line))
            .collect();
        assert_eq!(
            seen,
            [
                ("aliases", "bad_alias", 1, 7),
                ("created", "bad_date", 1, 7),
                ("status", "unknown_status", 1, 7),
                ("vip", "bad_flag", 1, 7),
            ]
        );
    }

    #[test]
    fn keys_with_control_characters_or_without_end_refuse_the_row() {
        assert_eq!(
            refused(&[(Field::Email, "a\0b@x.example")]),
            ("control_character", Some("email"))
        );
        let long = "a".repeat(KEY_BYTES + 1);
        assert_eq!(
            refused(&[(Field::Email, "a@x.example"), (Field::UserUid, &long)]),
            ("too_long", Some("user_uid"))
        );
    }

    #[test]
    fn a_row_of_another_tenant_is_refused() {
        let email = (Field::Email, "a@x.example");
        assert_eq!(
            refused(&[email, (Field::TenantUid, "other")]),
            ("other_tenant", Some("tenant_uid"))
        );
        assert!(built(&[email, (Field::TenantUid, "acme")]).0.is_ok());
        let mut row = Fields::default();
        row.set(Field::Email, Cell::Text("a@x.example".to_owned()));
        row.set(Field::TenantUid, Cell::Text("../acme".to_owned()));
        let anyone = ImportOptions {
            tenant: None,
            ..options()
        };
        let refusal = PersonBuilder::new(&anyone).person(1, row).unwrap_err();
        assert_eq!(refusal, ("bad_tenant", Some("tenant_uid")));
    }

    #[test]
    fn first_and_last_name_make_a_name_unless_there_is_one() {
        let email = (Field::Email, "a@x.example");
        let parts = [email, (Field::FirstName, "Ana"), (Field::LastName, "Lopez")];
        assert_eq!(
            built(&parts).0.unwrap().display_name.as_deref(),
            Some("Ana Lopez")
        );
        let whole = [
            email,
            (Field::FirstName, "Ana"),
            (Field::DisplayName, "A. L."),
        ];
        assert_eq!(
            built(&whole).0.unwrap().display_name.as_deref(),
            Some("A. L.")
        );
    }
}
