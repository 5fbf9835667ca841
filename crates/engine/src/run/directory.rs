//! One source of people: read when something about it changed.

use af_directory::{ImportOptions, Imported};
use af_model::name::Printable;
use af_model::{HexHash, Person};

use super::ingest::{Ingest, say_read, warn};
use super::report::{PeopleRead, TenantReport};
use super::seen::{SourceSeen, source_key};
use super::survey::{News, Survey};
use crate::config::{PeopleSource, Tenant};
use crate::error::{Error, ErrorKind};
use crate::people;

pub(super) const STAGE: &str = "people";

/// Imports the people of a source, if its files or its settings changed. All files of a source are
/// one directory: one that changed brings the others along.
pub(super) fn read(
    ingest: &mut Ingest<'_>,
    tenant: &Tenant,
    source: &PeopleSource,
    report: &mut TenantReport,
) -> Result<(), Error> {
    let job = ingest.job;
    let key = source_key(STAGE, &source.source);
    let (known, survey) = ingest.survey(STAGE, &tenant.name, &key, &source.files, report)?;
    let read = PeopleRead {
        source: source.source.clone(),
        files: survey.files.len() as u64,
        ..PeopleRead::default()
    };
    let settings = settings_hash(tenant, source);
    if !has_news(&survey, &known, &settings) {
        report.people.push(read);
        return ingest.keep(&tenant.name, &key, &known, survey.kept(&known));
    }
    if survey.files.is_empty() {
        // The people imported before stay.
        report.people.push(read);
        return Ok(());
    }

    ingest.progress.begin("importing people", None);
    let options = ImportOptions {
        tenant: Some(tenant.name.clone()),
        source: source.source.clone(),
        imported_at: Some(job.options.ingested_at),
        map: source.map.clone(),
    };
    for file in &survey.files {
        say_read(STAGE, &tenant.name, &file.name, file.news);
    }
    let paths = survey.files.iter().map(|file| file.path.as_path());
    let imported = people_of(paths, &options, &tenant.service);
    ingest.progress.end();
    replace(ingest, tenant, imported?, &options, read, report)?;

    let mut seen = survey.kept(&known);
    seen.settings = settings;
    for file in survey.files {
        seen.files.insert(file.name, file.seen);
    }
    ingest.seen.set(&tenant.name, &key, seen);
    ingest.remember()
}

/// Makes people the new version of their source, unless nobody changed, and says what became of them.
pub(super) fn replace(
    ingest: &Ingest<'_>,
    tenant: &Tenant,
    mut imported: Imported,
    options: &ImportOptions,
    mut read: PeopleRead,
    report: &mut TenantReport,
) -> Result<(), Error> {
    let job = ingest.job;
    let (erased, version) = people::add_version(job.store, job.lock, &mut imported, options)?;
    let source = options.source.as_str();
    read.read = true;
    read.rows_read = imported.read;
    read.people = imported.people.len() as u64;
    read.duplicate = imported.duplicates;
    read.conflict = imported.conflicts.len() as u64;
    read.rejected = imported.rejects.len() as u64;
    read.version = version;
    warn(STAGE, &tenant.name, doubts(source, &imported), report);
    if erased > 0 {
        let source = Printable(source);
        let left_out = format!("{erased} people of source {source} were erased and are left out");
        warn(STAGE, &tenant.name, vec![left_out], report);
    }
    tracing::info!(
        stage = STAGE,
        tenant = tenant.name,
        source,
        people = read.people,
        rejected = read.rejected,
        changed = read.version.is_some(),
        "{} people of source {}",
        read.people,
        Printable(source)
    );
    report.people.push(read);
    Ok(())
}

fn has_news(survey: &Survey, known: &SourceSeen, settings: &str) -> bool {
    survey.files.iter().any(|file| file.news != News::Same)
        || !survey.vanished.is_empty()
        || known.settings != settings
}

/// What decides, beside the file, what its rows become.
pub(super) fn settings_hash(tenant: &Tenant, source: &PeopleSource) -> String {
    let map = source
        .map
        .iter()
        .flat_map(|(ours, theirs)| [ours.as_str(), theirs.as_str()]);
    let service = tenant.service.iter().map(String::as_str);
    HexHash::of_parts(map.chain(["service"]).chain(service)).to_string()
}

/// The people of all files of a source.
pub(super) fn people_of<'p>(
    paths: impl Iterator<Item = &'p std::path::Path>,
    options: &ImportOptions,
    service: &[String],
) -> Result<Imported, Error> {
    let mut files = Vec::new();
    for path in paths {
        let imported = people::read_people(path, options)?;
        if imported.people.is_empty() {
            // An export that broke off must not empty the directory.
            let shown = Printable(&path.display().to_string()).to_string();
            let message = format!("import people from {shown}: it holds nobody");
            return Err(Error::new(ErrorKind::Usage, message)
                .with_hint("export it again; the people imported before stay"));
        }
        files.push(imported);
    }
    let mut together = join(files);
    mark_service(&mut together.people, service);
    Ok(together)
}

/// Makes everybody a service account whose login or e-mail fits one of the patterns.
pub(super) fn mark_service(people: &mut [Person], service: &[String]) {
    let patterns: Vec<glob::Pattern> = service
        .iter()
        .filter_map(|pattern| glob::Pattern::new(&pattern.to_lowercase()).ok())
        .collect();
    for person in people {
        if is_service(person, &patterns) {
            person.user_type = Some("service".to_owned());
        }
    }
}

/// One directory of several files. Of somebody whom two files know, the row with the latest sign-in
/// stays, then the latest creation, then the smallest: what holds within a file.
fn join(files: Vec<Imported>) -> Imported {
    let mut files = files.into_iter();
    let mut all = files.next().expect("a source without files is not read");
    let several = files.len() > 0;
    for mut file in files {
        all.read += file.read;
        all.duplicates += file.duplicates;
        all.people.append(&mut file.people);
        all.rejects.append(&mut file.rejects);
        all.conflicts.append(&mut file.conflicts);
        all.warnings.append(&mut file.warnings);
    }
    if several {
        all.people.sort_by(|a, b| {
            let id = (&a.tenant_uid, &a.user_uid).cmp(&(&b.tenant_uid, &b.user_uid));
            id.then_with(|| (b.last_login, b.created).cmp(&(a.last_login, a.created)))
                .then_with(|| format!("{a:?}").cmp(&format!("{b:?}")))
        });
        let (mut duplicates, mut conflicts) = (0, 0);
        all.people.dedup_by(|later, kept| {
            let same = later.user_uid == kept.user_uid && later.tenant_uid == kept.tenant_uid;
            if same && later == kept {
                duplicates += 1;
            } else if same {
                conflicts += 1;
            }
            same
        });
        all.duplicates += duplicates;
        // Between files there is no line to name.
        all.conflicts.extend(std::iter::repeat_n(0, conflicts));
    }
    all
}

fn is_service(person: &Person, patterns: &[glob::Pattern]) -> bool {
    let names = [Some(&person.email), person.login.as_ref()];
    names.into_iter().flatten().any(|name| {
        let name = name.to_lowercase();
        patterns.iter().any(|pattern| pattern.matches(&name))
    })
}

fn doubts(source: &str, imported: &Imported) -> Vec<String> {
    let name = Printable(source);
    let mut doubts = Vec::new();
    if let Some(first) = imported.rejects.first() {
        doubts.push(format!(
            "{} rows of source {name} are no person, first line {}: {}",
            imported.rejects.len(),
            first.line,
            first.reason
        ));
    }
    for warning in &imported.warnings {
        doubts.push(format!(
            "source {name}: {}: {} in {} rows, first in line {}",
            warning.field, warning.kind, warning.count, warning.first_line
        ));
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_directory_are_one_and_patterns_make_service_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("1.csv"), folder.path().join("2.csv"));
        fs_err::write(
            &one,
            "id,mail,name\n1,ana@x.example,Ana\n2,svc-a@x.example,A\n",
        )
        .unwrap();
        fs_err::write(
            &two,
            "id,mail,name\n1,ana@x.example,Ana\n3,bob@x.example,Bob\n2,svc-a@x.example,B\n",
        )
        .unwrap();
        let options = ImportOptions {
            tenant: Some("x".to_owned()),
            source: "hr".to_owned(),
            ..ImportOptions::default()
        };
        let paths = [one.as_path(), two.as_path()];
        let service = ["SVC-*".to_owned()];
        let imported = people_of(paths.into_iter(), &options, &service).unwrap();
        let names: Vec<_> = imported
            .people
            .iter()
            .map(|p| {
                (
                    p.user_uid.as_str(),
                    p.display_name.as_deref(),
                    p.user_type.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            names,
            [
                ("1", Some("Ana"), None),
                ("2", Some("A"), Some("service")),
                ("3", Some("Bob"), None)
            ]
        );
        assert_eq!((imported.duplicates, imported.conflicts.len()), (1, 1));
        assert!(imported.closes());
        // The order of files makes no difference.
        let other = people_of(paths.into_iter().rev(), &options, &service).unwrap();
        assert_eq!(other.people, imported.people);
    }
}
