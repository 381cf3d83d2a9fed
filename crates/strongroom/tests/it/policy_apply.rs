//! `strongroom policy apply`, as its operator runs it: under load, and killed again and again.

#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::vault::{POLICY, Vault, choice, customer, order, reveal};

/// Orders that are there before.
const ORDERS: usize = 3_000;

/// The policy as it is in force before: what is tested here is no limit, so callers at full speed must not meet one.
fn before() -> String {
    let wide = "limit = \"1000000 subjects per hour, 1000000 per day\"";
    ["account", "marketing_email"].iter().fold(POLICY.to_owned(), |policy, purpose| {
        let head = format!("[purpose.{purpose}]\n");
        assert!(policy.contains(&head), "{purpose}");
        policy.replacen(&head, &format!("{head}{wide}\n"), 1)
    })
}

/// The policy with a shorter end for payments that were never completed: every order moves.
fn shorter() -> String {
    let policy = before();
    let (before, payment) = policy.split_once("[purpose.payment]").unwrap();
    let shorter = payment.replacen("at_most = \"2y after collected\"", "at_most = \"1y after collected\"", 1);
    assert_ne!(shorter, payment);
    format!("{before}[purpose.payment]{shorter}")
}

/// A vault with many orders, taken in from a file.
fn full_vault() -> Vault {
    vault_with(ORDERS)
}

fn vault_with(orders: usize) -> Vault {
    let vault = Vault::of(&before());
    let rows: String = (0..orders)
        .map(|number| format!("c-{number},o-{number},Recipient {number},two teapots,88.00,PAY{number:012}\n"))
        .collect();
    std::fs::write(
        vault.path("orders.csv"),
        format!("customer,order,recipient,items,amount,payment\n{rows}"),
    )
    .unwrap();
    let customers: String = (0..orders).map(|number| format!("c-{number},Customer {number}\n")).collect();
    std::fs::write(vault.path("customers.csv"), format!("customer,name\n{customers}")).unwrap();
    std::fs::write(
        vault.path("customers.toml"),
        "kind = \"customer\"\nexternal_id = \"customer\"\n[fields]\nname = \"name\"\n",
    )
    .unwrap();
    std::fs::write(
        vault.path("orders.toml"),
        "kind = \"order\"\nexternal_id = \"order\"\n[subject]\nexternal_id = \"customer\"\n[fields]\nrecipient_name = \"recipient\"\nitems = \"items\"\namount = \"amount\"\npayment_reference = \"payment\"\n",
    )
    .unwrap();
    for name in ["customers", "orders"] {
        let (file, mapping) = (format!("{name}.csv"), format!("{name}.toml"));
        vault.run(&["import", &file, "--mapping", &mapping]).ends(0);
    }
    std::fs::write(vault.path("shorter.toml"), shorter()).unwrap();
    vault
}

fn apply(vault: &Vault) -> Child {
    let mut command = vault.command(&["policy", "apply", "shorter.toml", "--yes", "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until it follows the job: then it has found the server, and the policy is published. Gives what else it says.
fn follows(applying: &mut Child) -> BufReader<ChildStderr> {
    let mut talk = BufReader::new(applying.stderr.take().unwrap());
    let (mut line, mut all) = (String::new(), String::new());
    while talk.read_line(&mut line).unwrap() > 0 {
        if line.contains("in force") {
            return talk;
        }
        all.push_str(&std::mem::take(&mut line));
    }
    panic!("it does not come to follow the job: {all}");
}

fn ended(child: Child) -> Json {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Records by their version: how many have version 2, and how many a later one.
fn moved(vault: &Vault) -> (usize, usize) {
    let database = crate::vault::behind_the_back(vault.database()).unwrap();
    let count = |which: &str| {
        let sql = format!("SELECT count(*) FROM record WHERE version {which}");
        database.query_row(&sql, [], |row| row.get::<_, isize>(0)).unwrap().unsigned_abs()
    };
    (count("= 2"), count("> 2"))
}

fn is_whole(vault: &Vault) {
    assert_eq!(vault.ask(&["ledger", "verify"])["verified"], true);
    vault.is_well();
}

/// How far the job that lays out has come, as its row has it; `None` when it is done.
fn come_so_far(vault: &Vault) -> Option<u64> {
    let hex = "SELECT 'x' || encode(progress, 'hex') FROM job WHERE kind = 'lay-out'";
    if let Some(said) = crate::engine::ask_server(&vault.data(), hex) {
        let hex = said.trim().strip_prefix('x')?;
        return Some(hex.get(32..48).map_or(0, |last| u64::from_str_radix(last, 16).unwrap()));
    }
    let database = crate::vault::behind_the_back(vault.database()).unwrap();
    let row = database
        .query_row("SELECT progress FROM job WHERE kind = 'lay-out'", [], |row| row.get::<_, Vec<u8>>(0));
    let progress = row.ok()?;
    Some(progress.get(16..24).map_or(0, |last| u64::from_be_bytes(last.try_into().unwrap())))
}

#[test]
fn a_policy_is_applied_under_load_and_nobody_is_refused_wrongly() {
    let vault = full_vault();
    let (intake, officer) = (vault.credential("intake", &[]), vault.credential("officer", &[]));
    let service = vault.credential("service", &["account", "marketing_email"]);
    let server = vault.serve();
    let (over, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(1_000_000)));
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let (mut intake, mut officer, mut service) =
                (server.caller(&intake), server.caller(&officer), server.caller(&service));
            let (over, next) = (Arc::clone(&over), Arc::clone(&next));
            std::thread::spawn(move || {
                let mut done = 0_u64;
                while !over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    intake.post("/v1/records", &customer(number)).has(201);
                    intake.post("/v1/records", &order(number)).has(201);
                    officer.post("/v1/choices", &choice(number, "granted")).has(201);
                    service.post("/v1/records:reveal", &reveal(number, "account")).has(200);
                    service.post("/v1/records:reveal", &reveal(number, "marketing_email")).has(200);
                    // Somebody whose records are being laid out meanwhile.
                    let old = number % ORDERS as u64;
                    service.post("/v1/records:reveal", &reveal(old, "account")).has(200);
                    let chose = officer.post("/v1/choices", &choice(old, "granted"));
                    assert!(matches!(chose.status, 200 | 201), "{}", chose.text());
                    done += 1;
                }
                done
            })
        })
        .collect();
    let planned = vault.run(&["policy", "apply", "shorter.toml"]).ends(1);
    assert!(planned.err.contains("SR-CLI-005") && planned.out.contains("purpose.payment"), "{}", planned.out);
    vault.run(&["policy", "apply", "shorter.toml", "--yes", "--follows", "7"]).ends(1);
    let applied = ended(apply(&vault));
    over.store(true, Ordering::Relaxed);
    let done: u64 = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
    assert!(done > 10, "{done}");
    assert_eq!((&applied["version"], &applied["laid_out"]), (&json!(2), &json!(true)));
    assert_eq!(applied["stepped_over"], 0);
    let payment = applied["plan"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["about"] == "purpose.payment");
    assert!(payment.unwrap()["counted"]["records"].as_u64() >= Some(ORDERS as u64), "{applied}");
    // The same command again publishes nothing.
    let again = ended(apply(&vault));
    assert_eq!((&again["version"], &again["entry"]), (&json!(2), &Json::Null));
    server.stop();
    let (once, again) = moved(&vault);
    assert!(once + again >= ORDERS, "{once} orders were laid out once, {again} again");
    is_whole(&vault);
    eprintln!("applied over {ORDERS} orders while {done} customers came, chose and were revealed");
}

#[test]
fn a_policy_that_is_applied_goes_on_after_every_kill_and_ends() {
    let vault = full_vault();
    let (mut killed, mut reached, began) = (0, 0, Instant::now());
    // Behind a kill on a server its lease has to run out before the next one goes on.
    let kills = if crate::engine::is_for_a_server() { 4 } else { usize::MAX };
    loop {
        let server = vault.serve();
        let mut applying = apply(&vault);
        let talk = follows(&mut applying);
        // Killed as soon as it has come further than it had when it was killed before.
        let further = loop {
            match come_so_far(&vault) {
                Some(further) if further <= reached || killed >= kills => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                further => break further,
            }
            assert!(began.elapsed() < Duration::from_secs(180), "it does not come to an end");
        };
        let Some(further) = further else {
            let ended = applying.wait_with_output().unwrap();
            assert!(ended.status.success());
            drop(talk);
            server.stop();
            break;
        };
        server.kill();
        drop(talk);
        assert!(!applying.wait().unwrap().success(), "it says that it did not see the end");
        let now = come_so_far(&vault);
        assert!(now >= Some(further), "what was done is done: {now:?} after {further}");
        reached = now.unwrap_or(reached);
        killed += 1;
    }
    assert!(killed >= 2, "killed {killed} times only");
    assert_eq!(come_so_far(&vault), None);
    assert_eq!(vault.ask(&["policy", "versions"]).as_array().unwrap().len(), 2, "published once");
    assert_eq!(moved(&vault), (ORDERS, 0), "every order was laid out again, and none twice");
    is_whole(&vault);
    eprintln!("killed {killed} times in the middle of the job");
}

#[test]
fn rows_that_do_not_open_are_not_called_laid_out() {
    let vault = vault_with(600);
    let database = crate::vault::behind_the_back(vault.database()).unwrap();
    let broken = "UPDATE record SET sealed = zeroblob(length(sealed)) WHERE id IN (SELECT id FROM record ORDER BY id DESC LIMIT 3)";
    assert_eq!(database.execute(broken, []).unwrap(), 3);
    drop(database);
    let server = vault.serve();
    let applied = ended(apply(&vault));
    assert_eq!((&applied["laid_out"], &applied["stepped_over"]), (&json!(false), &json!(3)), "{applied}");
    let said = vault.run(&["policy", "apply", "shorter.toml", "--yes"]).ends(0);
    assert!(said.out.contains("1200 records") && said.out.contains("but for 3 rows"), "{}", said.out);
    server.stop();
    let again = vault.run(&["policy", "apply", "shorter.toml", "--yes", "--json"]).ends(0);
    let again: Json = serde_json::from_str(&again.out).unwrap();
    assert_eq!(again["stepped_over"], Json::Null, "what was before this start is not known: {again}");
}
