//! The directory of a store: imports become versions, a cut chooses among them.

use std::collections::BTreeMap;
use std::path::Path;

use af_directory::{ImportOptions, Imported};
use af_model::manifest::DirectoryVersion;
use af_model::tables::directory;
use af_model::{Person, UtcMillis};
use af_store::table_file::{self, Scan};
use af_store::{Store, WriteLock};

use crate::error::{Error, ErrorKind};

/// What an import did.
#[derive(Debug)]
pub struct ImportReport {
    /// What was read from the file.
    pub imported: Imported,
    /// The new version's file; none when nobody changed or nothing was written on purpose.
    pub version: Option<String>,
}

/// Imports a file of people as a new version of the directory; if nobody changed since the latest
/// version of the same source, nothing is written.
///
/// # Errors
/// The file cannot be read, its columns are unclear, or the store cannot be written.
pub fn import(
    store: Option<(&Store, &WriteLock)>,
    file: &Path,
    options: &ImportOptions,
) -> Result<ImportReport, Error> {
    let imported = read_people(file, options)?;
    let Some((store, lock)) = store else {
        return Ok(ImportReport {
            imported,
            version: None,
        });
    };
    let tenants: std::collections::BTreeSet<&str> = imported
        .people
        .iter()
        .map(|person| person.tenant_uid.as_str())
        .collect();
    let mut changed = false;
    let versions = versions(store)?;
    for tenant in tenants {
        let latest = versions
            .iter()
            .filter(|version| {
                version.tenant_uid == tenant
                    && version.source.as_deref() == Some(options.source.as_str())
            })
            .max_by(|a, b| (a.imported_at, &a.file).cmp(&(b.imported_at, &b.file)));
        let before = match latest {
            Some(version) => people_of(store, version)?,
            None => Vec::new(),
        };
        let mut now = imported
            .people
            .iter()
            .filter(|person| person.tenant_uid == tenant);
        let same = before.len() == now.clone().count()
            && before
                .iter()
                .all(|old| now.next().is_some_and(|new| same_person(old, new)));
        changed |= !same;
    }
    let version = if changed {
        let imported_at = options.imported_at.unwrap_or_default();
        let batch = directory::batch(&imported.people);
        Some(store.add_directory(lock, imported_at, [batch])?.path)
    } else {
        None
    };
    Ok(ImportReport { imported, version })
}

/// Reads a file of people without any store.
///
/// # Errors
/// The file cannot be read or its columns are unclear.
pub fn read_people(file: &Path, options: &ImportOptions) -> Result<Imported, Error> {
    if !file.exists() {
        return Err(Error::new(
            ErrorKind::NoInput,
            format!("read {}: no such file", file.display()),
        ));
    }
    af_directory::import(file, options).map_err(|error| {
        let hint = error.hint();
        let message = format!("import people from {}: {error}", file.display());
        let error = Error::new(ErrorKind::Usage, message);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    })
}

fn same_person(old: &Person, new: &Person) -> bool {
    Person {
        imported_at: None,
        ..old.clone()
    } == Person {
        imported_at: None,
        ..new.clone()
    }
}

/// The people as known at `known_at`: for each tenant and source the latest version imported by
/// then, else its first (af-1 §3, "The directory is versioned").
///
/// # Errors
/// A version cannot be read.
pub fn people_at(
    store: &Store,
    known_at: UtcMillis,
) -> Result<(Vec<Person>, Vec<DirectoryVersion>), Error> {
    let mut chosen: BTreeMap<(String, Option<String>), DirectoryVersion> = BTreeMap::new();
    // A version without instant was known from the start.
    let known = |version: &DirectoryVersion| version.imported_at.is_none_or(|at| at <= known_at);
    for version in versions(store)? {
        let slot = (version.tenant_uid.clone(), version.source.clone());
        let better = chosen.get(&slot).is_none_or(|held| {
            let order = |version: &DirectoryVersion| (version.imported_at, version.file.clone());
            match (known(held), known(&version)) {
                (true, true) => order(held) < order(&version),
                (false, false) => order(&version) < order(held),
                (held_known, _) => !held_known,
            }
        });
        if better {
            chosen.insert(slot, version);
        }
    }
    let versions: Vec<DirectoryVersion> = chosen.into_values().collect();
    let mut people = Vec::new();
    for version in &versions {
        people.append(&mut people_of(store, version)?);
    }
    Ok((people, versions))
}

/// Every version of the directory, one entry per tenant and source it holds.
fn versions(store: &Store) -> Result<Vec<DirectoryVersion>, Error> {
    let mut versions = Vec::new();
    for path in store.directories()? {
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut found: BTreeMap<(String, Option<String>), DirectoryVersion> = BTreeMap::new();
        for row in rows(&path)? {
            found
                .entry((row.tenant_uid.clone(), row.source.clone()))
                .or_insert_with(|| DirectoryVersion {
                    tenant_uid: row.tenant_uid,
                    source: row.source,
                    imported_at: row.imported_at,
                    file: file.clone(),
                    people: 0,
                })
                .people += 1;
        }
        versions.extend(found.into_values());
    }
    Ok(versions)
}

fn people_of(store: &Store, version: &DirectoryVersion) -> Result<Vec<Person>, Error> {
    let path = store
        .directories()?
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| *name == *version.file))
        .ok_or_else(|| Error::new(ErrorKind::Io, format!("find directory {}", version.file)))?;
    Ok(rows(&path)?
        .into_iter()
        .filter(|row| row.tenant_uid == version.tenant_uid && row.source == version.source)
        .collect())
}

fn rows(path: &Path) -> Result<Vec<Person>, Error> {
    let mut rows = Vec::new();
    for batch in table_file::read(path, &directory::TABLE, None, Scan::File)? {
        let mut found = directory::rows(&batch?).map_err(|error| {
            Error::new(ErrorKind::Io, format!("read {}: {error}", path.display()))
        })?;
        rows.append(&mut found);
    }
    Ok(rows)
}
