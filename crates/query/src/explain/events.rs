//! The events behind signals, looked up in a store by id.

use std::collections::{BTreeMap, BTreeSet};

use af_model::tables::identity_events;
use af_model::view::ExplainedEvent;
use af_model::{UtcDay, UtcMillis};
use af_store::{Error, Key, Partitioned, Scan, Store, TableFile};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;

/// What is read of an event.
const COLUMNS: [&str; 20] = [
    "metadata_uid",
    "time",
    "metadata_event_code",
    "status_code",
    "status_detail",
    "message",
    "src_endpoint_ip",
    "src_endpoint_location_city",
    "src_endpoint_location_country",
    "src_endpoint_autonomous_system_name",
    "src_endpoint_isp",
    "device_browser",
    "device_os_name",
    "resource_name",
    "risk_reasons",
    "actor_user_uid",
    "actor_user_name",
    "actor_user_type",
    "user_uid",
    "user_name",
];

/// The events of a tenant that are wanted, by the day on which they are looked for.
pub(super) type Wanted = BTreeMap<UtcDay, BTreeSet<String>>;

/// Finds events by id. First on the day of their signal; what is not there is looked for on the day
/// before and the day after, as a finding may rest on events around midnight.
pub(super) fn find(
    store: &Store,
    tenant: &str,
    person: &str,
    wanted: Wanted,
) -> Result<BTreeMap<String, ExplainedEvent>, Error> {
    let mut found = BTreeMap::new();
    let mut around = Wanted::new();
    for (day, uids) in wanted {
        read_day(store, tenant, person, day, &uids, &mut found)?;
        for uid in uids.into_iter().filter(|uid| !found.contains_key(uid)) {
            for neighbour in [day.0.saturating_sub(1), day.0.saturating_add(1)] {
                let uids = around.entry(UtcDay(neighbour)).or_default();
                uids.insert(uid.clone());
            }
        }
    }
    for (day, mut uids) in around {
        uids.retain(|uid| !found.contains_key(uid));
        read_day(store, tenant, person, day, &uids, &mut found)?;
    }
    Ok(found)
}

fn read_day(
    store: &Store,
    tenant: &str,
    person: &str,
    day: UtcDay,
    uids: &BTreeSet<String>,
    found: &mut BTreeMap<String, ExplainedEvent>,
) -> Result<(), Error> {
    if uids.is_empty() {
        return Ok(());
    }
    let wanted = [
        Key::of("tenant_uid", tenant),
        Key::any_of("metadata_uid", uids.iter().map(String::as_str)),
    ];
    for path in store.day_files(Partitioned::Events, day)? {
        let file = TableFile::open(&path, &identity_events::TABLE)?;
        for batch in file.read_where(&wanted, Some(&COLUMNS), Scan::File)? {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                let event = event(&batch, row, person);
                found.entry(event.event_uid.clone()).or_insert(event);
            }
        }
    }
    Ok(())
}

fn event(batch: &RecordBatch, row: usize, person: &str) -> ExplainedEvent {
    let text = |name: &str| -> Option<String> {
        let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let reasons = batch
        .column_by_name("risk_reasons")
        .and_then(|column| column.as_list_opt::<i32>())
        .filter(|lists| lists.is_valid(row))
        .map(|lists| lists.value(row));
    let risk_reasons = reasons
        .as_ref()
        .and_then(|list| list.as_string_opt::<i32>())
        .map(|texts| texts.iter().flatten().map(str::to_owned).collect());
    let time = batch
        .column_by_name("time")
        .and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>())
        .map(|times| UtcMillis(times.value(row)));
    let actor_uid = text("actor_user_uid");
    let actor_name = text("actor_user_name");
    // The event is about the person; who acted is they themselves when the ids or the names agree.
    let same = |left: &Option<String>, right: Option<String>| left.is_some() && *left == right;
    let actor_is_person = actor_uid.as_deref() == Some(person)
        || same(&actor_uid, text("user_uid"))
        || (actor_uid.is_none() && same(&actor_name, text("user_name")));
    ExplainedEvent {
        event_uid: text("metadata_uid").unwrap_or_default(),
        time: time.unwrap_or_default(),
        event_type: text("metadata_event_code").unwrap_or_default(),
        outcome: text("status_code"),
        reason: text("status_detail"),
        message: text("message"),
        address: text("src_endpoint_ip"),
        city: text("src_endpoint_location_city"),
        country: text("src_endpoint_location_country"),
        network: text("src_endpoint_autonomous_system_name").or_else(|| text("src_endpoint_isp")),
        browser: text("device_browser"),
        os: text("device_os_name"),
        application: text("resource_name"),
        risk_reasons: risk_reasons.unwrap_or_default(),
        actor_uid,
        actor_name,
        actor_type: text("actor_user_type"),
        actor_is_person,
    }
}
