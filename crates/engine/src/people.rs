//! The directory of a store: imports become versions, a cut chooses among them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use af_directory::{ImportOptions, Imported, RowAccount};
use af_model::manifest::DirectoryVersion;
use af_model::tables::directory;
use af_model::{Person, UtcMillis};
use af_store::table_file::{self, Scan};
use af_store::{Store, WriteLock};

use crate::error::{Error, ErrorKind};
use crate::{known, upkeep};

/// What an import did.
#[derive(Debug)]
pub struct ImportReport {
    /// What was read from the file.
    pub imported: Imported,
    /// People left out because they were erased from the store.
    pub erased: u64,
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
    let mut imported = read_people(file, options)?;
    let Some((store, lock)) = store else {
        return Ok(ImportReport {
            imported,
            erased: 0,
            version: None,
        });
    };
    let (erased, version) = add_version(store, lock, &mut imported, options)?;
    Ok(ImportReport {
        imported,
        erased,
        version,
    })
}

/// Adds people as a new version of the directory. Whoever was erased is taken out of them first;
/// returned are their number and the new version, `None` if nobody changed since the latest one of
/// the same source.
///
/// # Errors
/// The store cannot be read or written.
pub fn add_version(
    store: &Store,
    lock: &WriteLock,
    imported: &mut Imported,
    options: &ImportOptions,
) -> Result<(u64, Option<String>), Error> {
    let erased = upkeep::leave_out_erased(store, &mut imported.people)?;
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
            Some(version) => people_of(store, std::slice::from_ref(version))?,
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
    if !changed {
        return Ok((erased, None));
    }
    let imported_at = options.imported_at.unwrap_or_default();
    let batch = directory::batch(&imported.people);
    known::remember_people(store, lock, imported_at)?;
    let version = store.add_directory(lock, imported_at, [batch])?.path;
    Ok((erased, Some(version)))
}

/// Reads a file of people without any store.
///
/// # Errors
/// The file cannot be read or its columns are unclear.
pub fn read_people(file: &Path, options: &ImportOptions) -> Result<Imported, Error> {
    exists(file)?;
    af_directory::import(file, options).map_err(|error| refused(file, &error))
}

/// As [`read_people`], one by one and without saying whom it tells of twice.
///
/// # Errors
/// As [`read_people`].
pub(crate) fn read_each(
    file: &Path,
    options: &ImportOptions,
    take: impl FnMut(Person),
) -> Result<RowAccount, Error> {
    exists(file)?;
    af_directory::import_each(file, options, take).map_err(|error| refused(file, &error))
}

fn exists(file: &Path) -> Result<(), Error> {
    if file.exists() {
        return Ok(());
    }
    let message = format!("read {}: no such file", file.display());
    Err(Error::new(ErrorKind::NoInput, message))
}

fn refused(file: &Path, error: &af_directory::Error) -> Error {
    let message = format!("import people from {}: {error}", file.display());
    let refused = Error::new(ErrorKind::Usage, message);
    match error.hint() {
        Some(hint) => refused.with_hint(hint),
        None => refused,
    }
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

/// The people as known at `known_at`: for each source of a tenant the latest version imported by
/// then. Of a tenant of whom nobody was known by then, the first import counts from the start (af-1
/// §3, "The directory is versioned"); a further source does not, because it became known later.
///
/// # Errors
/// A version cannot be read.
pub fn people_at(
    store: &Store,
    known_at: UtcMillis,
) -> Result<(Vec<Person>, Vec<DirectoryVersion>), Error> {
    let chosen = choose(versions(store)?, known_at);
    Ok((people_of(store, &chosen)?, chosen))
}

/// The people of some versions. A file may hold a thousand organizations; it is read once.
fn people_of(store: &Store, versions: &[DirectoryVersion]) -> Result<Vec<Person>, Error> {
    let mut wanted: BTreeMap<&str, BTreeSet<(&str, Option<&str>)>> = BTreeMap::new();
    for version in versions {
        let who = (version.tenant_uid.as_str(), version.source.as_deref());
        wanted.entry(&version.file).or_default().insert(who);
    }
    let mut people = Vec::new();
    for (file, wanted) in wanted {
        let is_wanted =
            |row: &Person| wanted.contains(&(row.tenant_uid.as_str(), row.source.as_deref()));
        let rows = rows(&file_of(store, file)?)?;
        people.extend(rows.into_iter().filter(is_wanted));
    }
    Ok(people)
}

/// The versions that count at `known_at`, by tenant and source.
pub(crate) fn choose(
    versions: Vec<DirectoryVersion>,
    known_at: UtcMillis,
) -> Vec<DirectoryVersion> {
    // A version without instant was known from the start.
    let known = |version: &DirectoryVersion| version.imported_at.is_none_or(|at| at <= known_at);
    let order = |version: &DirectoryVersion| (version.imported_at, version.file.clone());
    let mut of_tenant: BTreeMap<String, Vec<DirectoryVersion>> = BTreeMap::new();
    for version in versions {
        let tenant = version.tenant_uid.clone();
        of_tenant.entry(tenant).or_default().push(version);
    }
    let mut chosen = Vec::new();
    for mut versions in of_tenant.into_values() {
        versions.sort_by_key(order);
        if versions.iter().any(known) {
            versions.retain(known);
            // The last of each source stays.
            versions.reverse();
        } else {
            let first = versions.first().and_then(|version| version.imported_at);
            versions.retain(|version| version.imported_at == first);
        }
        versions.sort_by(|a, b| a.source.cmp(&b.source));
        versions.dedup_by(|later, kept| later.source == kept.source);
        chosen.append(&mut versions);
    }
    chosen
}

/// When the latest version of the directory was imported.
///
/// # Errors
/// A version cannot be read.
pub fn latest_import(store: &Store) -> Result<Option<UtcMillis>, Error> {
    let versions = versions(store)?;
    Ok(versions
        .iter()
        .filter_map(|version| version.imported_at)
        .max())
}

/// Every version of the directory, one entry per tenant and source it holds.
pub(crate) fn versions(store: &Store) -> Result<Vec<DirectoryVersion>, Error> {
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

fn file_of(store: &Store, file: &str) -> Result<PathBuf, Error> {
    let mut files = store.directories()?.into_iter();
    files
        .find(|path| path.file_name().is_some_and(|name| *name == *file))
        .ok_or_else(|| Error::new(ErrorKind::Io, format!("find directory {file}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn version(tenant: &str, source: &str, imported_at: Option<i64>) -> DirectoryVersion {
        DirectoryVersion {
            tenant_uid: tenant.to_owned(),
            source: Some(source.to_owned()),
            imported_at: imported_at.map(UtcMillis),
            file: format!("{tenant}-{source}-{imported_at:?}"),
            people: 1,
        }
    }

    fn chosen(versions: &[DirectoryVersion], known_at: i64) -> Vec<String> {
        let chosen = choose(versions.to_vec(), UtcMillis(known_at));
        chosen.into_iter().map(|version| version.file).collect()
    }

    #[test]
    fn the_latest_known_version_of_every_source_counts() {
        let versions = [
            version("acme", "okta", Some(30)),
            version("acme", "okta", Some(10)),
            version("acme", "hr", Some(20)),
            version("beta", "okta", None),
        ];
        assert_eq!(
            chosen(&versions, 25),
            ["acme-hr-Some(20)", "acme-okta-Some(10)", "beta-okta-None"]
        );
        assert_eq!(
            chosen(&versions, 30),
            ["acme-hr-Some(20)", "acme-okta-Some(30)", "beta-okta-None"]
        );
    }

    #[test]
    fn a_source_imported_later_does_not_reach_back() {
        let mut versions = vec![
            version("acme", "okta", Some(20)),
            version("acme", "okta", Some(30)),
        ];
        // Before the first import nobody was known: it counts from the start.
        assert_eq!(chosen(&versions, 5), ["acme-okta-Some(20)"]);
        versions.push(version("acme", "hr", Some(25)));
        assert_eq!(chosen(&versions, 5), ["acme-okta-Some(20)"]);
        assert_eq!(chosen(&versions, 20), ["acme-okta-Some(20)"]);
        assert_eq!(
            chosen(&versions, 25),
            ["acme-hr-Some(25)", "acme-okta-Some(20)"]
        );
        // Two sources of one first import are one start.
        versions.push(version("acme", "vpn", Some(20)));
        assert_eq!(
            chosen(&versions, 5),
            ["acme-okta-Some(20)", "acme-vpn-Some(20)"]
        );
    }
}
