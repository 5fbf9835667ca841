//! Compacting changes files, never rows, and detection keeps its memory.

use af_engine::Silent;
use af_engine::upkeep::compact::compact;
use af_model::tables;
use af_store::Partitioned;
use proptest::prelude::*;

use super::cast::{Plan, World, everything, plans};

const AS_OF: &str = "2026-11-14T23:59:59.999Z";

/// A store of several runs: every half of the events is a file of its day.
fn in_pieces(plans: &[Plan]) -> World {
    let world = World::empty();
    world.import(false, "2026-11-01T00:00:00Z");
    let (early, late) = plans.split_at(plans.len() / 2);
    world.normalize(early, "e", "2026-11-12T00:00:00Z");
    world.normalize(late, "l", "2026-11-13T00:00:00Z");
    world.foreign("gateway", 2, &[1, 4]);
    world.foreign("proxy", 2, &[4, 5]);
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn a_compacted_store_has_the_same_rows_and_gives_the_same_snapshot(plans in plans()) {
        let world = in_pieces(&plans);
        let before = world.score(AS_OF);
        let kinds = [Partitioned::Events, Partitioned::Signals, Partitioned::Quarantine];
        let rows = kinds.map(|kind| world.day_rows(kind));
        let would = compact(&world.store, None, &Silent).unwrap();
        let report = compact(&world.store, Some(&world.lock()), &Silent).unwrap();
        for (would, did) in would.tables.iter().zip(&report.tables) {
            prop_assert_eq!(would.files_after, did.files_after, "{}", did.table);
            prop_assert_eq!(would.compacted, did.compacted);
        }
        prop_assert_eq!(kinds.map(|kind| world.day_rows(kind)), rows);
        for day in world.store.days(Partitioned::Events).unwrap() {
            prop_assert_eq!(world.store.day_files(Partitioned::Events, day).unwrap().len(), 1);
        }
        // Detection has nothing to do, and nothing new is published.
        let again = world.score(AS_OF);
        prop_assert_eq!(again.detected.unwrap().days_detected, 0);
        prop_assert!(!again.published);
        // A store that was never compacted gives the same bytes.
        world.store.remove_snapshot(&world.lock(), world.store.latest().unwrap().unwrap()).unwrap();
        let anew = world.score(AS_OF);
        prop_assert!(anew.published);
        prop_assert_eq!(anew.manifest.files, before.manifest.files);
        prop_assert!(compact(&world.store, Some(&world.lock()), &Silent).unwrap().is_nothing());
    }
}

#[test]
fn signals_of_other_programs_stay_theirs_when_rules_change() {
    let world = in_pieces(&everything());
    world.score(AS_OF);
    let foreign = |world: &World| {
        let rows = world.day_rows(Partitioned::Signals);
        rows.iter()
            .filter(|row| row.contains("source=gateway"))
            .count()
    };
    let own = |world: &World| world.day_rows(Partitioned::Signals).len() - foreign(world);
    assert_eq!(foreign(&world), 4);
    let before = own(&world);
    compact(&world.store, Some(&world.lock()), &Silent).unwrap();
    let day = super::cast::day("2026-11-02");
    let files = world.store.day_files(Partitioned::Signals, day).unwrap();
    assert_eq!(
        files.len(),
        2,
        "detection's file and one of everybody else's"
    );
    let mut fewer = super::cast::shipped();
    assert!(fewer.disable("okta_breached_credential"));
    world.score_with(&fewer, AS_OF);
    assert_eq!(foreign(&world), 4);
    assert!(
        own(&world) < before,
        "signals of the disabled rule are gone"
    );
    world.score(AS_OF);
    assert_eq!((foreign(&world), own(&world)), (4, before));
}

#[test]
fn a_foreign_file_out_of_order_is_left_as_it_is_and_said() {
    let world = in_pieces(&everything());
    let day = super::cast::day("2026-11-02");
    let table = &tables::attack_signals::TABLE;
    let path = world.store.signals_dir(day).join("gateway.parquet");
    // As another program would write it: the same rows the other way round, without our name.
    let rows = af_store::table_file::read(&path, table, None, af_store::Scan::File).unwrap();
    let rows = rows.map(Result::unwrap).next().unwrap();
    let turned = arrow::array::UInt32Array::from_iter_values((0..2).rev());
    let turned = arrow::compute::take_record_batch(&rows, &turned).unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, turned.schema(), None).unwrap();
    writer.write(&turned).unwrap();
    writer.close().unwrap();
    fs_err::write(&path, bytes).unwrap();
    let before = world.day_rows(Partitioned::Signals);
    let report = compact(&world.store, Some(&world.lock()), &Silent).unwrap();
    assert_eq!(report.skipped.len(), 1, "{:?}", report.skipped);
    assert!(report.skipped[0].contains("2026-11-02"));
    assert!(
        report.tables[0].compacted > 0,
        "the events are compacted all the same"
    );
    assert_eq!(world.day_rows(Partitioned::Signals), before);
}
