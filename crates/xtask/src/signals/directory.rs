//! Everybody, as the engine keeps a directory.

use std::path::Path;

use af_model::tables::directory::{Builder, Row, TABLE};
use af_store::{Metadata, TableWriter};
use anyhow::{Context, Result};

use super::population::{Population, push_tenant};

const DEPARTMENTS: [&str; 8] = [
    "Engineering",
    "Finance",
    "Legal",
    "Marketing",
    "Operations",
    "People",
    "Sales",
    "Support",
];

/// Writes everybody, sorted by organization and id.
pub(super) fn write(path: &Path, population: &Population) -> Result<()> {
    let mut file = TableWriter::create(path, &TABLE, &Metadata::new())?;
    let mut builder = Builder::default();
    for tenant in 0..population.tenants() {
        let mut people: Vec<u64> = population.people_of(tenant).collect();
        people.sort_unstable_by_key(|person| population.uid_order(*person));
        for person in people {
            builder.append(&row(population, tenant, person));
            if builder.len() == 8192 {
                file.append(&builder.finish())?;
            }
        }
    }
    file.append(&builder.finish())?;
    file.finish().context("finish the directory")?;
    Ok(())
}

fn row(population: &Population, tenant: usize, person: u64) -> Row {
    let mut tenant_uid = String::new();
    push_tenant(&mut tenant_uid, tenant);
    let (mut user_uid, mut email) = (String::new(), String::new());
    population.push_uid(&mut user_uid, person);
    population.push_email(&mut email, person);
    let department = usize::try_from(person % 8).expect("below eight");
    Row {
        tenant_uid,
        user_uid,
        login: Some(email.clone()),
        email,
        aliases: None,
        display_name: Some(population.display_name(person)),
        status: Some("ACTIVE".to_owned()),
        user_type: None,
        department: Some(DEPARTMENTS[department].to_owned()),
        location: None,
        manager_uid: None,
        title: None,
        privileged: Some(person % 250 == 3),
        vip: Some(person % 1000 == 7),
        created: None,
        deactivated: None,
        last_login: None,
        source: None,
        imported_at: None,
    }
}
