//! Whose feed it is, and where everything of it lies.

use std::path::{Path, PathBuf};

use af_model::UtcDay;

use crate::disk;
use crate::error::Error;
use crate::layout::{Store, check_name, entries};

/// Whose feed it is: a tenant and one of its integrations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedName {
    /// The tenant.
    pub tenant: String,
    /// The integration; `okta` where it has no name.
    pub integration: String,
}

/// The folder of one feed.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn of(store: &Store, name: &FeedName) -> Result<Self, Error> {
        check_name(&name.tenant)?;
        check_name(&name.integration)?;
        Ok(Self(
            feeds_dir(store).join(&name.tenant).join(&name.integration),
        ))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    pub(super) fn pages_lock(&self) -> PathBuf {
        self.0.join("pages.lock")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    pub(super) fn raw(&self, day: UtcDay) -> PathBuf {
        self.0.join("raw").join(day.to_string())
    }

    pub(super) fn inventory(&self) -> PathBuf {
        self.0.join("inventory")
    }

    pub(super) fn tmp(&self) -> PathBuf {
        self.0.join("tmp")
    }

    pub(super) fn document(&self, name: &str) -> Result<PathBuf, Error> {
        check_name(name)?;
        Ok(self.0.join(format!("{name}.json")))
    }
}

/// Makes a folder below `feeds/` and those above it, none of them open to others.
pub(super) fn create_private(store: &Store, folder: &Path) -> Result<(), Error> {
    let feeds = feeds_dir(store);
    let mut above: Vec<&Path> = folder
        .ancestors()
        .take_while(|above| above.starts_with(&feeds))
        .collect();
    above.reverse();
    for folder in above {
        // One by one, so that nothing is ever made in a folder that others can look into.
        if !is_private(folder) {
            store.create_folder(folder)?;
            protect(folder)?;
        }
    }
    Ok(())
}

/// Lets only the owner into a folder.
pub(super) fn protect(folder: &Path) -> Result<(), Error> {
    disk::protect_folder(folder).map_err(|error| Error::io("protect", folder, &error))
}

fn is_private(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        const OTHERS: u32 = 0o077;
        fs_err::metadata(folder)
            .is_ok_and(|found| found.is_dir() && found.permissions().mode() & OTHERS == 0)
    }
    #[cfg(not(unix))]
    {
        folder.is_dir()
    }
}

fn feeds_dir(store: &Store) -> PathBuf {
    store.root().join("feeds")
}

impl Store {
    /// The integrations that something was ever fetched for, sorted.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn feeds(&self) -> Result<Vec<FeedName>, Error> {
        let feeds = feeds_dir(self);
        let mut found = Vec::new();
        for tenant in folders(&feeds)? {
            for integration in folders(&feeds.join(&tenant))? {
                found.push(FeedName {
                    tenant: tenant.clone(),
                    integration,
                });
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// The folders in a folder whose names we could have given.
fn folders(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = entries(folder)?;
    names.retain(|name| check_name(name).is_ok() && folder.join(name).is_dir());
    Ok(names)
}
