//! Who keeps what locks the keyring: officers with shares, an OpenBao server, a PKCS#11 token. Each of them through the life of a
//! vault, and each of them away, wrong, slow or emptied.

#![cfg(test)]

mod bao;
mod grace;
mod openbao;
mod shares;

use serde_json::json;

use crate::vault::{Server, Vault, customer, reveal};

/// A customer is written and read, an epoch changes, and what was written still opens: all that a keyring is for.
fn lives(vault: &Vault, server: &Server, number: u64) {
    let (intake, service) = (vault.credential("intake", &[]), vault.credential("service", &["account"]));
    server.caller(&intake).post("/v1/records", &customer(number)).has(201);
    let before = epoch(vault);
    vault.run(&["keys", "rotate", "--yes"]).ends(0);
    assert_eq!(epoch(vault), before + 1);
    opens(server, &service, number);
}

fn opens(server: &Server, service: &str, number: u64) {
    let opened =
        server.caller(service).post("/v1/records:reveal", &reveal(number, "account")).has(200).json();
    assert_eq!(opened["records"][0]["fields"]["name"], json!(format!("Customer {number}")));
}

fn epoch(vault: &Vault) -> u64 {
    vault.ask(&["keys", "status"])["epoch"].as_u64().unwrap()
}
