//! The way of one datum over HTTP: collect, reveal, search, tokens, choices, entries.

use serde_json::json;

use super::support::Bench;

#[test]
fn a_record_comes_in_sealed_and_goes_out_for_a_purpose() {
    let bench = Bench::new();
    let service = bench.service();
    let subject = bench.customer(&service, "42");
    let shown = bench.post(&service, "/v1/records:reveal", &json!({ "purpose": "account", "subject": { "id": subject } })).is(200);
    assert_eq!(shown["subject"], subject);
    assert_eq!(shown["records"][0]["external_id"], "42");
    assert_eq!(
        shown["records"][0]["fields"],
        json!({ "name": "Ann Lee", "email": "42@shop.example", "phone": "+8613812345678" })
    );
}
