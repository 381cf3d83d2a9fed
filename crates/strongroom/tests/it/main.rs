//! What Strongroom promises, as facts: one binary, so that it links once.

mod api;
mod canary;
mod cli;
mod copies;
mod damage;
mod demo;
mod docs_page;
mod erasure;
mod examples;
mod hostile;
mod kill;
mod put_back;
mod releases;
mod support;
mod vault;
