//! Whether the people of a tenant have addresses of its own: a directory that was mixed up does not.

use af_model::{Person, Population, UtcMillis};

use super::ingest::{Ingest, warn};
use super::report::TenantReport;
use crate::config::Tenant;
use crate::error::Error;
use crate::people;

/// Warns how many active people have an address in none of the tenant's domains.
pub(super) fn look(
    ingest: &Ingest<'_>,
    tenant: &Tenant,
    report: &mut TenantReport,
) -> Result<(), Error> {
    if tenant.own_domains.is_empty() {
        return Ok(());
    }
    let (people, _) = people::people_at(ingest.job.store, UtcMillis(i64::MAX))?;
    let of_tenant = people
        .iter()
        .filter(|person| person.tenant_uid == tenant.name);
    let now = ingest.job.options.ingested_at;
    warn(
        super::directory::STAGE,
        &tenant.name,
        elsewhere(of_tenant, &tenant.own_domains, now)
            .into_iter()
            .collect(),
        report,
    );
    Ok(())
}

fn elsewhere<'p>(
    people: impl Iterator<Item = &'p Person>,
    domains: &[String],
    now: UtcMillis,
) -> Option<String> {
    let (mut active, mut elsewhere) = (0_u64, 0_u64);
    let counts =
        |person: &&Person| person.in_population(now) && person.population() == Population::Human;
    for person in people.filter(counts) {
        active += 1;
        let domain = person
            .email
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain);
        elsewhere += u64::from(!domains.iter().any(|own| is_within(domain, own)));
    }
    (elsewhere > 0).then(|| {
        format!(
            "{elsewhere} of {active} active people have an address in none of the own domains ({})",
            domains.join(", ")
        )
    })
}

/// Whether a domain is another one or below it.
fn is_within(domain: &str, own: &str) -> bool {
    domain
        .strip_suffix(own)
        .is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_active_people_with_an_address_elsewhere_count() {
        let mut people: Vec<Person> = [
            "a@acme.example",
            "b@mail.acme.example",
            "c@notacme.example",
            "d@example.com",
            "e@example.com",
            "f@example.com",
        ]
        .iter()
        .map(|email| Person::new("acme", email, email))
        .collect();
        people[4].status = Some("SUSPENDED".to_owned());
        people[5].user_type = Some("service".to_owned());
        let own = ["acme.example".to_owned()];
        let said = elsewhere(people.iter(), &own, UtcMillis(0)).unwrap();
        assert!(said.starts_with("2 of 4 active people"), "{said}");
        assert_eq!(elsewhere(people[..2].iter(), &own, UtcMillis(0)), None);
    }
}
