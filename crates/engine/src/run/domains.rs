//! Whether the people of a tenant have addresses of its own: a directory that was mixed up does not.

use af_model::{Person, Population, UtcMillis};

use super::ingest::{Ingest, warn};
use super::report::TenantReport;
use crate::config::Tenant;
use crate::error::Error;
use crate::{people, tally};

/// Warns how many active people have an address in none of the tenant's domains.
pub(super) fn look(
    ingest: &Ingest<'_>,
    tenant: &Tenant,
    report: &mut TenantReport,
) -> Result<(), Error> {
    if tenant.own_domains.is_empty() {
        return Ok(());
    }
    let (mut people, _) = people::people_at(ingest.job.store, UtcMillis(i64::MAX))?;
    people.retain(|person| person.tenant_uid == tenant.name);
    let now = ingest.job.options.ingested_at;
    warn(
        super::directory::STAGE,
        &tenant.name,
        elsewhere(people, &tenant.own_domains, now)
            .into_iter()
            .collect(),
        report,
    );
    Ok(())
}

/// What is to be said of the rows of a tenant's people. Somebody whom two sources know counts once, as
/// in scores.
fn elsewhere(rows: Vec<Person>, domains: &[String], now: UtcMillis) -> Option<String> {
    let (_, people) = tally::index(rows, None);
    let (mut active, mut elsewhere) = (0_u64, 0_u64);
    let counts =
        |person: &&Person| person.in_population(now) && person.population() == Population::Human;
    for person in people.iter().filter(counts) {
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
        let said = elsewhere(people.clone(), &own, UtcMillis(0)).unwrap();
        assert!(said.starts_with("2 of 4 active people"), "{said}");
        people.truncate(2);
        assert_eq!(elsewhere(people, &own, UtcMillis(0)), None);
    }

    #[test]
    fn somebody_whom_two_sources_know_is_one_person_as_imported_last() {
        let row = |uid: &str, email: &str, source: &str, hour: i64| Person {
            source: Some(source.to_owned()),
            imported_at: Some(UtcMillis(hour * 3_600_000)),
            ..Person::new("acme", uid, email)
        };
        let rows = vec![
            row("00u1", "a@example.com", "hr", 1),
            row("00u1", "a@acme.example", "okta", 2),
            row("00u2", "b@acme.example", "hr", 1),
            row("00u2", "b@example.com", "okta", 2),
        ];
        let own = ["acme.example".to_owned()];
        let said = elsewhere(rows, &own, UtcMillis(0)).unwrap();
        assert!(said.starts_with("1 of 2 active people"), "{said}");
    }
}
