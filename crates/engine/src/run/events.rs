//! One source of events: files that are new or changed are normalized.

use af_model::name::Printable;

use super::ingest::{Ingest, say_read, warn};
use super::report::{EventsRead, TenantReport};
use super::seen::source_key;
use super::survey::News;
use crate::config::{OktaSource, Tenant};
use crate::error::{Error, ErrorKind};
use crate::input::Input;
use crate::normalize::{self, NormalizeOptions, NormalizeReport};

pub(super) const STAGE: &str = "normalize";

/// Normalizes what is new of a source. A file that grew or changed is read as a whole; events that
/// are known already are duplicates.
pub(super) fn read(
    ingest: &mut Ingest<'_>,
    tenant: &Tenant,
    source: &OktaSource,
    report: &mut TenantReport,
) -> Result<(), Error> {
    let key = source_key("okta", source.name.as_deref().unwrap_or_default());
    let (known, survey) = ingest.survey(STAGE, &tenant.name, &key, &source.files, report)?;
    let mut read = EventsRead {
        integration: source.name.clone(),
        files: survey.files.len() as u64,
        ..EventsRead::default()
    };
    let mut seen = survey.kept(&known);
    let news: Vec<_> = survey
        .files
        .into_iter()
        .filter(|file| file.news != News::Same)
        .collect();
    if news.is_empty() {
        report.events.push(read);
        return ingest.keep(&tenant.name, &key, &known, seen);
    }

    for file in &news {
        say_read(STAGE, &tenant.name, &file.name, file.news);
        if matches!(file.news, News::Grew | News::Changed) {
            let name = Printable(&file.name);
            let word = file.news.as_str();
            let warning = format!("{name} {word} since it was read and is read again");
            report.warnings.push(warning);
        }
    }
    let inputs: Vec<Input> = news
        .iter()
        .map(|file| Input::File(file.path.clone()))
        .collect();
    let found = take_in(ingest, tenant, source, &inputs, &mut read, report)?;
    report.events.push(read);

    // An input that could not be opened was not read; the others were.
    let mut broken = None;
    for (file, input) in news.into_iter().zip(&found.inputs) {
        if let Some(error) = &input.error {
            let name = Printable(&file.name);
            broken = broken.or(Some(format!("read {name}: {error}")));
            continue;
        }
        let mut record = file.seen;
        record.events = input.events;
        record.refused = input.refused;
        seen.files.insert(file.name, record);
    }
    ingest.seen.set(&tenant.name, &key, seen);
    ingest.remember()?;
    match broken {
        Some(message) => Err(Error::new(ErrorKind::NoInput, message)),
        None => Ok(()),
    }
}

/// Normalizes the inputs of a source in one commit and says what became of them.
pub(super) fn take_in(
    ingest: &Ingest<'_>,
    tenant: &Tenant,
    source: &OktaSource,
    inputs: &[Input],
    read: &mut EventsRead,
    report: &mut TenantReport,
) -> Result<NormalizeReport, Error> {
    let job = ingest.job;
    let options = NormalizeOptions {
        tenant: tenant.name.clone(),
        integration: source.name.clone(),
        ingested_at: job.options.ingested_at,
        buffer_bytes: (job.config.buffer_mib as usize) << 20,
    };
    let store = Some((job.store, job.lock));
    let found = normalize::okta(store, job.key, inputs, &options, ingest.progress)?;

    read.files_read = inputs.len() as u64;
    read.account = found.account;
    read.reasons.clone_from(&found.reasons);
    read.span = found.span;
    report.read += found.account;
    let mut refusals = Vec::new();
    for row in &found.examples {
        let (file, line) = (Printable(&row.file), row.line);
        refusals.push(format!("refused {file}:{line}: {}", row.reason));
    }
    let more = found.account.quarantined - found.examples.len() as u64;
    if more > 0 {
        refusals.push(format!("… and {more} more; see the quarantine table"));
    }
    warn(STAGE, &tenant.name, refusals, report);
    let account = found.account;
    tracing::info!(
        stage = STAGE,
        tenant = tenant.name,
        integration = source.name,
        files = read.files_read,
        events_read = account.events_read,
        normalized = account.normalized,
        duplicate = account.duplicate,
        quarantined = account.quarantined,
        "{} new events",
        account.normalized
    );
    Ok(found)
}
