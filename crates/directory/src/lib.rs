//! People of an organization from CSV, NDJSON, JSON, Parquet and Okta answers.
//!
//! [`import`] reads one file whose format it recognizes by its content, finds out which of its
//! columns is which of ours (synonyms, or [`ImportOptions::map`]), normalizes keys and dates and
//! hands back [`Imported`]: [people](af_model::Person) sorted by tenant and user, and an account of
//! every row that did not become one. A bad row is a counted [reject](RejectedPerson); a value that
//! is not understood but not needed is a counted [warning](Warning); a file that cannot be trusted
//! as a whole is an [`Error`].
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use af_directory::{ImportOptions, import};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("people.csv");
//! std::fs::write(&path, "Employee ID;E-Mail;Full Name\n17;Ana@Example.com;Ana\n18;;Bob\n")?;
//!
//! let imported = import(&path, &ImportOptions {
//!     tenant: Some("acme".to_owned()),
//!     source: "hr".to_owned(),
//!     ..ImportOptions::default()
//! })?;
//! assert_eq!(imported.people[0].email, "ana@example.com");
//! assert_eq!(imported.rejects[0].line, 3);
//! assert_eq!(imported.rejects[0].reason, "no_email_and_no_login");
//! assert!(imported.closes());
//! # Ok(())
//! # }
//! ```
//!
//! What it does not do: write anything, decide which import replaces which (the engine does), match
//! events to people (`af-count` does), or guess: `03/04/2026` is no date, and two columns that
//! both could be the user id are an error that names them.

mod aliases;
mod build;
mod cell;
mod columns;
mod csv_file;
mod error;
mod field;
mod format;
mod import;
mod instant;
mod json_file;
mod lines;
mod merge;
mod okta;
mod parquet_file;

pub use error::{Error, ErrorKind};
pub use import::{
    ImportOptions, Imported, RejectedPerson, RowAccount, Warning, import, import_each,
    import_okta_users,
};
