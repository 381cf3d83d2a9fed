//! What Strongroom promises, as facts: one binary, so that it links once.
#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::duration_suboptimal_units,
    clippy::expect_used,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    clippy::manual_is_multiple_of,
    clippy::needless_for_each,
    clippy::needless_pass_by_value,
    clippy::print_stderr,
    clippy::sliced_string_as_bytes,
    clippy::string_slice,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "tests stop where something is wrong, say what they skip, and are read more often than run"
)]

mod api;
mod batches;
mod browser;
mod canary;
mod cli;
mod copies;
mod corpus;
mod damage;
mod demo;
mod demo_shop;
mod docs_page;
mod edited_rows;
mod engine;
mod erasure;
mod examples;
mod files;
mod flipped_pages;
mod flips;
mod hostile;
mod interview;
mod judges;
mod key_holders;
mod kill;
mod law;
mod limits;
mod mail_server;
mod moves;
mod my_data;
mod my_data_page;
mod neighbours;
mod notice_export;
mod opener;
mod operations;
mod outages;
mod policy_apply;
mod policy_change;
mod power;
mod put_back;
mod receipt_judges;
mod record;
mod releases;
mod selftest;
mod sheets;
mod suites;
mod support;
mod terms_on_time;
mod theft;
mod together;
mod vault;
mod verify;
mod verify_page;
mod weak_servers;
mod window_page;
mod witnesses;
