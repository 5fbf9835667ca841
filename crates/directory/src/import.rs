//! The door: one file in, people and an account of every row out.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use af_model::name::check_tenant;
use af_model::{Person, UtcMillis};
use serde::Serialize;

use crate::build::PersonBuilder;
use crate::cell::Fields;
use crate::columns::Mapping;
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::format::{self, Format};
use crate::{csv_file, json_file, merge, okta, parquet_file};

/// How to read a people file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Whose people these are; needed unless every row says so in `tenant_uid`. A row that names
    /// another tenant is refused.
    pub tenant: Option<String>,
    /// Name of the source; an import replaces the tenant's people of the same source. A `source`
    /// column of the file is ignored.
    pub source: String,
    /// When this version became known; `None` = it was known from the start. An `imported_at`
    /// column of the file is ignored.
    pub imported_at: Option<UtcMillis>,
    /// Columns named by hand: (ours, theirs). They win over everything the names suggest.
    pub map: Vec<(String, String)>,
}

/// What a people file held.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// People, sorted by `tenant_uid` and `user_uid`, each (tenant, user) once.
    pub people: Vec<Person>,
    /// Rows read, the header not counted.
    pub read: u64,
    /// Rows that are no person, by line.
    pub rejects: Vec<RejectedPerson>,
    /// Rows that repeat another exactly.
    pub duplicates: u64,
    /// Lines of rows that say something else about a user than the row that was kept: the one with
    /// the latest `last_login`, then the latest `created`, then the smallest in column order.
    pub conflicts: Vec<u64>,
    /// Values that were not understood; the person is there, without them (an unknown status stays).
    pub warnings: Vec<Warning>,
    /// Their column, our column. Empty for Okta's own user objects.
    pub mapping: Vec<(String, &'static str)>,
    /// Columns that were not read, sorted.
    pub ignored_columns: Vec<String>,
}

impl Imported {
    /// Whether every row read became a person or was counted otherwise.
    pub fn closes(&self) -> bool {
        let parts = self.people.len() + self.rejects.len() + self.conflicts.len();
        self.read == parts as u64 + self.duplicates
    }
}

/// What the rows of a people file were, whoever is told of twice.
#[derive(Clone, Debug, PartialEq)]
pub struct RowAccount {
    /// Rows read, the header not counted.
    pub read: u64,
    /// Rows that are no person, by line.
    pub rejects: Vec<RejectedPerson>,
    /// As [`Imported::warnings`].
    pub warnings: Vec<Warning>,
    /// As [`Imported::mapping`].
    pub mapping: Vec<(String, &'static str)>,
    /// As [`Imported::ignored_columns`].
    pub ignored_columns: Vec<String>,
}

impl RowAccount {
    fn settle(self, rows: Vec<(u64, Person)>) -> Imported {
        let settled = merge::settle(rows);
        Imported {
            people: settled.people,
            read: self.read,
            rejects: self.rejects,
            duplicates: settled.duplicates,
            conflicts: settled.conflicts,
            warnings: self.warnings,
            mapping: self.mapping,
            ignored_columns: self.ignored_columns,
        }
    }
}

/// A row that is no person. Says where and why, never what it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectedPerson {
    /// The line on which the row begins, from 1 and the header included; the row's number from 1 in
    /// Parquet.
    pub line: u64,
    /// Why: `empty_row`, `wrong_column_count`, `not_utf8`, `not_json`, `not_an_object`,
    /// `no_email_and_no_login`, `no_email` (a person with a login that is no e-mail address),
    /// `too_long`, `control_character`, `wrong_type`, `no_tenant`, `bad_tenant`, `other_tenant`; or
    /// a reason of `af-okta` for Okta's user objects.
    pub reason: &'static str,
    /// The field to blame, by our name.
    pub field: Option<&'static str>,
}

/// Values of one field that were not understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The field, by our name.
    pub field: &'static str,
    /// Why: `unknown_status` (kept, and counted as active), `not_an_email`, `bad_date`, `bad_flag`,
    /// `bad_alias`, `too_long`, `not_utf8`, `wrong_type` (all absent).
    pub kind: &'static str,
    /// How many values.
    pub count: u64,
    /// The first line with one.
    pub first_line: u64,
}

/// Reads the people of one file.
///
/// The content tells the format: CSV (`,`, `;` or tab; quoted cells may span lines), JSON objects
/// one after the other or in an array, Parquet, or Okta's `/api/v1/users` answers, also wrapped as
/// `{"object": {…}}`. Column names are taken liberally: case, spaces, `_`, `-` and `.` do not
/// matter, and common synonyms are known. Keys are normalized
/// ([`normalize_key`](af_model::key::normalize_key)); user ids are only trimmed; a missing user id
/// is the e-mail; a missing e-mail is the login where that is an e-mail address or belongs to a
/// service account. A date is its first millisecond in UTC, also where it ends something.
///
/// The result does not depend on the order of rows, lines aside. Memory grows with the file for
/// text formats and with the people for Parquet.
///
/// # Errors
/// [`Error`] when the file is absent, unreadable, of another format, or broken as a whole, when
/// a column is missing or ambiguous, and when no tenant or source is named.
pub fn import(path: &Path, options: &ImportOptions) -> Result<Imported, Error> {
    let mut rows = Vec::new();
    let mut keep = |line, person| rows.push((line, person));
    let account = read(path, options, &mut keep)?;
    Ok(account.settle(rows))
}

/// Reads the people of one file as [`import`] does and hands them on one by one, in the file's order. Rows
/// about one user are all handed on; what becomes of them is told by [`import`] alone. Memory is that
/// of the file for text formats, and none to speak of for Parquet.
///
/// # Errors
/// As [`import`].
pub fn import_each(
    path: &Path,
    options: &ImportOptions,
    mut take: impl FnMut(Person),
) -> Result<RowAccount, Error> {
    read(path, options, &mut |_, person| take(person))
}

fn read(
    path: &Path,
    options: &ImportOptions,
    take: &mut dyn FnMut(u64, Person),
) -> Result<RowAccount, Error> {
    if options.source.trim().is_empty() {
        return Err(Error::new(path, ErrorKind::Source, "needs a source name")
            .with_hint("name where the people come from with --source, e.g. --source okta"));
    }
    if let Some(tenant) = &options.tenant {
        check_tenant(tenant)
            .map_err(|error| Error::new(path, ErrorKind::Tenant, error.to_string()))?;
    }
    let mut intake = Intake::new(options, take);
    let mapping = if starts_as_parquet(path)? {
        parquet_file::read(path, &mut intake)?
    } else {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
        let text = format::without_bom(&bytes);
        match format::of(path, text)? {
            Format::Csv => csv_file::read(path, text, &mut intake)?,
            json => json_file::read(path, text, json, &mut intake)?,
        }
    };
    Ok(intake.finish(mapping))
}

/// Makes people of Okta's user objects, one JSON text each, as [`import`] does of a file of them. The
/// number of an object, from 1, stands for its line.
///
/// # Errors
/// The first failure among `users`.
pub fn import_okta_users<E>(
    users: impl IntoIterator<Item = Result<String, E>>,
    options: &ImportOptions,
) -> Result<Imported, E> {
    let mut rows = Vec::new();
    let mut keep = |line, person| rows.push((line, person));
    let mut intake = Intake::new(options, &mut keep);
    for (number, user) in (1..).zip(users) {
        let user = user?;
        if options.tenant.is_some() {
            intake.okta_user(number, &user);
        } else {
            intake.refuse(number, "no_tenant", Some("tenant_uid"));
        }
    }
    let account = intake.finish(Mapping::default());
    Ok(account.settle(rows))
}

/// Parquet is read in place; only text is worth having in memory as a whole.
fn starts_as_parquet(path: &Path) -> Result<bool, Error> {
    let mut first = Vec::new();
    File::open(path)
        .and_then(|file| file.take(4).read_to_end(&mut first))
        .map_err(|error| Error::io(path, &error))?;
    Ok(first == parquet_file::MAGIC)
}

/// Takes rows in, whatever format they come from.
pub(crate) struct Intake<'o> {
    options: &'o ImportOptions,
    builder: PersonBuilder<'o>,
    /// Takes people, each with its line.
    take: &'o mut dyn FnMut(u64, Person),
    read: u64,
    rejects: Vec<RejectedPerson>,
}

impl<'o> Intake<'o> {
    fn new(options: &'o ImportOptions, take: &'o mut dyn FnMut(u64, Person)) -> Self {
        Self {
            options,
            builder: PersonBuilder::new(options),
            take,
            read: 0,
            rejects: Vec::new(),
        }
    }

    pub(crate) fn options(&self) -> &ImportOptions {
        self.options
    }

    /// Refuses the file when neither the options nor a column say whose people these are.
    pub(crate) fn check_tenant_column(&self, path: &Path, mapping: &Mapping) -> Result<(), Error> {
        if mapping.has(Field::TenantUid) {
            return Ok(());
        }
        self.check_tenant_given(path)
    }

    /// Refuses the file when the options do not say whose people these are.
    pub(crate) fn check_tenant_given(&self, path: &Path) -> Result<(), Error> {
        if self.options.tenant.is_some() {
            return Ok(());
        }
        Err(Error::new(
            path,
            ErrorKind::Tenant,
            "does not say to which tenant its people belong",
        )
        .with_hint("name it with --tenant"))
    }

    pub(crate) fn row(&mut self, line: u64, row: Fields) {
        let person = self.builder.person(line, row);
        self.settle(line, person);
    }

    pub(crate) fn okta_user(&mut self, line: u64, user_json: &str) {
        let tenant = self.options.tenant.as_deref().unwrap_or_default();
        let person = okta::person(tenant, user_json, self.options);
        self.settle(line, person);
    }

    pub(crate) fn refuse(&mut self, line: u64, reason: &'static str, field: Option<&'static str>) {
        self.settle(line, Err((reason, field)));
    }

    fn settle(&mut self, line: u64, person: Result<Person, crate::build::Refusal>) {
        self.read += 1;
        match person {
            Ok(person) => (self.take)(line, person),
            Err((reason, field)) => self.rejects.push(RejectedPerson {
                line,
                reason,
                field,
            }),
        }
    }

    fn finish(self, mapping: Mapping) -> RowAccount {
        RowAccount {
            read: self.read,
            rejects: self.rejects,
            warnings: self.builder.into_warnings(),
            mapping: mapping.named,
            ignored_columns: mapping.ignored,
        }
    }
}
