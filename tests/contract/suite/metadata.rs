//! Records about changes of metadata files.

use serde_json::{Value, json};
use trueup_core::model::EventFilter;
use trueup_core::store::{MetadataAction, MetadataChange};

use crate::fixture::StoreFixture;
use crate::requests::new_provenance;

on_every_store! {
    a_mended_file_is_one_event_with_what_it_said_and_who_wrote_it
    a_fix_told_twice_is_recorded_once
}

pub(crate) fn metadata_fix() -> MetadataChange {
    let fields = |value: Value| value.as_object().cloned().unwrap();
    MetadataChange {
        action: MetadataAction::Fixed,
        id: "77c90e61".parse().unwrap(),
        path: "agents/77c90e61/adw_state.json".to_owned(),
        project: "/p".to_owned(),
        before: fields(json!({"status": "running", "current_phase": null})),
        after: fields(json!({"adw_id": "77c90e61"})),
        writer: Some("adw_build_iso".to_owned()),
    }
}

fn a_mended_file_is_one_event_with_what_it_said_and_who_wrote_it(f: &mut impl StoreFixture) {
    let provenance = new_provenance("me");
    f.store().record_metadata_change(&metadata_fix(), &provenance).unwrap();
    let events = f.store().list_events(&EventFilter::default()).unwrap();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(
        (event.entity.as_str(), event.key.as_str(), event.kind.as_str()),
        ("metadata", "77c90e61", "fixed")
    );
    assert_eq!(event.actor, "me");
    assert_eq!(event.op_id, Some(provenance.op_id));
    assert_eq!(event.before, json!({"status": "running", "current_phase": null}));
    assert_eq!(
        event.after,
        json!({
            "adw_id": "77c90e61", "path": "agents/77c90e61/adw_state.json", "project": "/p",
            "writer": "adw_build_iso",
        })
    );
}

fn a_fix_told_twice_is_recorded_once(f: &mut impl StoreFixture) {
    let provenance = new_provenance("me");
    for _ in 0..2 {
        f.store().record_metadata_change(&metadata_fix(), &provenance).unwrap();
    }
    assert_eq!(f.store().list_events(&EventFilter::default()).unwrap().len(), 1);
}
