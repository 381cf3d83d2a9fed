//! The examples import what they say: their samples always, the whole data where it lies beside the checkout.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn example(path: &str) -> PathBuf {
    checkout().join("examples").join(path)
}

/// A folder beside the checkout that holds the whole data, where there is one.
fn whole(folder: &str) -> Option<PathBuf> {
    let data = checkout().parent()?.join("shared/data").join(folder);
    if data.is_dir() {
        return Some(data);
    }
    eprintln!("SKIPPED: {} is not there, so only the samples were imported", data.display());
    None
}

/// A vault of its own, and the binary that works on it.
struct Vault {
    folder: tempfile::TempDir,
}

impl Vault {
    fn of(example_name: &str) -> Vault {
        let vault = Vault { folder: tempfile::tempdir().unwrap() };
        let policy = example(example_name).join("shop.toml");
        let policy = policy.to_str().unwrap();
        vault.done(&["init", "--policy", policy, "--keys", "keys", "--credential-out", "admin.txt"]);
        vault
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command.args(args).args(["--data", "vault", "--json"]).current_dir(self.folder.path());
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command that must succeed. Gives what it printed.
    fn done(&self, args: &[&str]) -> Json {
        let output = self.output(args);
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {talk}");
        serde_json::from_slice(&output.stdout).unwrap_or(Json::Null)
    }

    /// Runs a command that must fail. Gives the code of its problem.
    fn refused(&self, args: &[&str], input: &str) -> String {
        let mut command = self.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success(), "{args:?}");
        let talk = String::from_utf8(output.stderr).unwrap();
        let problem: Json = serde_json::from_str(talk.lines().last().unwrap()).unwrap();
        problem["code"].as_str().unwrap().to_owned()
    }

    fn import(&self, file: &Path, mapping: &Path) -> Counts {
        let answer = self.done(&["import", file.to_str().unwrap(), "--mapping", mapping.to_str().unwrap()]);
        let counts = Counts(answer["counts"].clone());
        counts.add_up();
        counts
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn verifies(&self) {
        let answer = self.done(&["ledger", "verify"]);
        assert_eq!(answer["verified"], true, "{answer}");
    }
}

/// What an import counted.
#[derive(Debug)]
struct Counts(Json);

const OUTCOMES: [&str; 9] = [
    "created",
    "updated",
    "unchanged",
    "removed",
    "skipped",
    "absent",
    "past_end",
    "nothing_kept",
    "rejected",
];

impl Counts {
    fn of(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap()
    }

    fn list(&self, name: &str) -> BTreeMap<&str, u64> {
        self.0[name]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, n)| (name.as_str(), n.as_u64().unwrap()))
            .collect()
    }

    /// Every row is in one outcome.
    fn add_up(&self) {
        assert_eq!(OUTCOMES.iter().map(|name| self.of(name)).sum::<u64>(), self.of("rows"), "{self:?}");
    }

    /// These outcomes and no others.
    #[track_caller]
    fn are(&self, rows: u64, outcomes: &[(&str, u64)]) {
        assert_eq!(self.of("rows"), rows, "{self:?}");
        for name in OUTCOMES {
            let wanted = outcomes.iter().find(|(wanted, _)| *wanted == name).map_or(0, |(_, n)| *n);
            assert_eq!(self.of(name), wanted, "{name} of {self:?}");
        }
    }
}

/// Files of AdventureWorks with their mappings, in the order of the guide.
const ADVENTUREWORKS: [(&str, &str); 5] = [
    ("customers", "customers"),
    ("orders", "orders"),
    ("addresses", "home-addresses"),
    ("addresses", "shipping-addresses"),
    ("cards", "cards"),
];

fn import_adventureworks(vault: &Vault, data: &Path, ending: &str) -> [Counts; 5] {
    ADVENTUREWORKS.map(|(file, mapping)| {
        let mapping = example("adventureworks").join(format!("{mapping}.toml"));
        vault.import(&data.join(format!("{file}.{ending}")), &mapping)
    })
}

fn lines_of(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_policies_of_the_examples_have_no_faults() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["adventureworks", "zh-shop", "harbour-hill"] {
        let policy = example(name).join("shop.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        let output =
            command.args(["check", "--json"]).arg(policy).current_dir(folder.path()).output().unwrap();
        let report: Json = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["findings"], Json::Array(Vec::new()), "{name}");
    }
}

#[test]
fn the_sample_of_adventureworks_is_taken_in_with_every_row_accounted_for() {
    let vault = Vault::of("adventureworks");
    let sample = example("adventureworks/sample");
    let [customers, orders, homes, shipping, cards] = import_adventureworks(&vault, &sample, "csv");

    customers.are(120, &[("created", 113), ("skipped", 7)]);
    assert_eq!(customers.of("choices"), 226);
    let dropped = customers.list("dropped_columns");
    for column in
        ["birth_date", "yearly_income", "marital_status", "total_children", "commute_distance", "gender"]
    {
        assert_eq!(dropped.get(column), Some(&105), "{column}");
    }
    assert_eq!(dropped.get("email"), None);
    orders.are(254, &[("created", 214), ("past_end", 40)]);
    homes
        .are(124, &[("updated", HOMES_KEPT), ("skipped", 13), ("absent", 6), ("past_end", 105 - HOMES_KEPT)]);
    shipping.are(124, &[("updated", 2), ("skipped", 118), ("absent", 2), ("past_end", 2)]);
    cards.are(113, &[("updated", CARDS_KEPT), ("past_end", 19 - CARDS_KEPT), ("rejected", 94)]);

    let rejects = lines_of(&vault.folder.path().join("cards.csv.rejects.csv"));
    assert_eq!(rejects.len(), 95);
    assert_eq!(rejects[0], "line,column,code,what");
    assert!(rejects[1..].iter().all(|line| line.contains(",card_number,SR-IMPORT-018,")), "{rejects:?}");
    for (line, row) in lines_of(&sample.join("cards.csv")).iter().enumerate().skip(1) {
        let number = row.split(',').nth(3).unwrap();
        assert!(
            !rejects.iter().any(|reject| reject.contains(number)),
            "the number of line {} is told",
            line + 1
        );
    }
    vault.verifies();
}

/// Homes of those to whom a parcel left in the last 90 days, or who never ordered.
const HOMES_KEPT: u64 = 46;
/// Cards with a right check digit of those who paid in the last 180 days.
const CARDS_KEPT: u64 = 10;

#[test]
fn a_sample_that_is_imported_again_changes_nothing() {
    let vault = Vault::of("adventureworks");
    let sample = example("adventureworks/sample");
    let first = import_adventureworks(&vault, &sample, "csv");
    let show = || vault.done(&["subject", "show", "9063"])["records"].clone();
    let before = show();
    let again = import_adventureworks(&vault, &sample, "csv");
    for (first, again) in first.iter().zip(&again) {
        let there = first.of("created") + first.of("updated");
        assert_eq!((again.of("unchanged"), again.of("created"), again.of("updated")), (there, 0, 0));
        assert_eq!(again.of("choices"), 0);
        for outcome in ["skipped", "absent", "past_end", "rejected"] {
            assert_eq!(again.of(outcome), first.of(outcome), "{outcome}");
        }
    }
    assert_eq!(show(), before, "what is kept lasts no longer because a file was read again");
    vault.verifies();
}

#[test]
fn people_who_share_a_telephone_stay_people_of_their_own() {
    let vault = Vault::of("adventureworks");
    let sample = example("adventureworks/sample");
    vault.import(&sample.join("customers.csv"), &example("adventureworks/customers.toml"));
    let shared = "1 (11) 500 555-0118";
    let sharing = lines_of(&sample.join("customers.csv")).iter().filter(|line| line.contains(shared)).count();
    assert_eq!(sharing, 12);
    assert_eq!(vault.refused(&["subject", "show", "--match", "phone"], shared), "SR-KEEP-019");
}

#[test]
fn a_file_that_is_imported_again_turns_no_no_into_a_yes() {
    let vault = Vault::of("adventureworks");
    let sample = example("adventureworks/sample/customers.csv");
    let mapping = example("adventureworks/customers.toml");
    vault.import(&sample, &mapping);
    let no = vault.write("no.csv", "person_id,email_promotion\n9063,0\n");
    let no_mapping = std::fs::read_to_string(&mapping).unwrap();
    let (head, choices) =
        (no_mapping.split("[fields]").next().unwrap(), no_mapping.split_once("[choice").unwrap().1);
    let no_mapping = vault.write("no.toml", &format!("{head}\n[choice{choices}"));
    assert_eq!(vault.import(&no, &no_mapping).of("choices"), 1);

    assert_eq!(vault.import(&sample, &mapping).of("choices"), 0);
    let found = vault.done(&["subject", "show", "9063"]);
    let last =
        found["choices"].as_array().unwrap().iter().rfind(|choice| choice["purpose"] == "marketing_email");
    assert_eq!(last.unwrap()["said"], "refused");
    vault.done(&[
        "credentials",
        "add",
        "--role",
        "service",
        "--purpose",
        "marketing_email",
        "--label",
        "news",
        "--out",
        "news.txt",
    ]);
    let reveal =
        ["reveal", "--subject", "9063", "--purpose", "marketing_email", "--credential-file", "news.txt"];
    assert_eq!(vault.refused(&reveal, ""), "SR-REVEAL-001");
}

#[test]
fn a_field_that_needs_consent_comes_in_alone_once_the_consent_is_there() {
    let vault = Vault::of("zh-shop");
    let sample = example("zh-shop/sample");
    vault.import(&sample.join("customers.csv"), &example("zh-shop/customers.toml"));
    vault.import(&sample.join("customs.csv"), &example("zh-shop/customs.toml"));
    let text = "kind = \"customer\"\nexternal_id = \"row\"\n[fields]\nid_number = \"id_card\"\n";
    let mapping = vault.write("numbers.toml", text);
    let counts = vault.import(&sample.join("customers.csv"), &mapping);
    counts.are(100, &[("updated", 40), ("nothing_kept", 60)]);
}

#[test]
fn an_old_file_does_not_bring_an_erased_person_back() {
    let vault = Vault::of("adventureworks");
    let sample = example("adventureworks/sample");
    let (customers, mapping) = (sample.join("customers.csv"), example("adventureworks/customers.toml"));
    vault.import(&customers, &mapping).are(120, &[("created", 113), ("skipped", 7)]);
    vault.done(&["erase", "9063", "--yes"]);
    for _ in 0..2 {
        vault.import(&customers, &mapping).are(120, &[("unchanged", 112), ("skipped", 7), ("absent", 1)]);
    }
    // What is left of her is removed behind her key, so she is first known as erased, and then not known.
    let code = vault.refused(&["subject", "show", "9063"], "");
    assert!(["SR-KEEP-001", "SR-KEEP-002", "SR-KEEP-018"].contains(&code.as_str()), "{code}");
    // Nor do the orders: they are nobody's now.
    let orders = vault.import(&sample.join("orders.csv"), &example("adventureworks/orders.toml"));
    assert_eq!((orders.of("created"), orders.of("past_end"), orders.of("rejected")), (213, 40, 1));
}

#[test]
fn identity_numbers_come_in_only_with_their_own_consent() {
    let vault = Vault::of("zh-shop");
    let sample = example("zh-shop/sample");
    let (customers, mapping) = (sample.join("customers.csv"), example("zh-shop/customers.toml"));
    let first = vault.import(&customers, &mapping);
    first.are(100, &[("created", 100)]);
    assert_eq!(first.list("dropped_fields"), BTreeMap::from([("id_number", 100)]));
    let dropped =
        ["bank_card", "birth_date", "city_suffix", "company", "job", "plate", "province", "user_name"];
    assert_eq!(first.list("dropped_columns"), dropped.map(|column| (column, 100)).into());

    let said = vault.import(&sample.join("customs.csv"), &example("zh-shop/customs.toml"));
    said.are(51, &[("updated", 40), ("unchanged", 10), ("absent", 1)]);
    assert_eq!(said.of("choices"), 50);

    vault.import(&customers, &mapping).are(100, &[("updated", 40), ("unchanged", 60)]);
    vault.import(&customers, &mapping).are(100, &[("unchanged", 100)]);
    let kept = |row: &str| {
        let found = vault.done(&["subject", "show", row]);
        found["records"][0]["fields"].as_array().unwrap().iter().any(|field| field == "id_number")
    };
    assert!(kept("1") && !kept("2"));
    vault.verifies();
}

#[test]
fn a_bad_value_is_told_without_its_words_and_may_leave_the_rest_of_its_row() {
    let vault = Vault::of("zh-shop");
    let file = vault.write(
        "bad.csv",
        "row,name,phone\n1,陈玉珍,15326541554\n2,宋晨,not-a-number\n3,刘雷,5\n,无名,15326541555\n",
    );
    let mapping = |bad: &str| {
        let phone = format!("{{ from = \"phone\", bad = \"{bad}\" }}");
        let text = format!(
            "kind = \"customer\"\nexternal_id = \"row\"\n[fields]\nname = \"name\"\nphone = {phone}\n"
        );
        vault.write("bad.toml", &text)
    };
    vault.import(&file, &mapping("reject")).are(4, &[("created", 1), ("rejected", 3)]);
    let rejects = vault.folder.path().join("bad.csv.rejects.csv");
    let told = lines_of(&rejects);
    assert!(
        told[1].starts_with("3,phone,SR-KEEP-016,") && told[2].starts_with("4,phone,SR-KEEP-016,"),
        "{told:?}"
    );
    assert!(told[3].starts_with("5,row,SR-COLLECT-003,") && told.len() == 4, "{told:?}");
    assert!(!told.join(" ").contains("not-a-number"));

    let dropped = vault.import(&file, &mapping("drop"));
    dropped.are(4, &[("created", 2), ("unchanged", 1), ("rejected", 1)]);
    assert_eq!(dropped.list("bad_values"), BTreeMap::from([("phone", 2)]));
    assert_eq!(lines_of(&rejects).len(), 4);
}

#[test]
fn an_import_that_is_killed_goes_on_and_loses_no_row_and_no_reject() {
    const ROWS: u64 = 6_000;
    let vault = Vault::of("zh-shop");
    let mut text = String::from("row,name,phone,email,address,postcode,id_card\n");
    for row in 1..=ROWS {
        let phone = if row % 10 == 0 { "none".to_owned() } else { format!("138{row:08}") };
        text.push_str(&format!("{row},顾客,{phone},c{row}@shop.example,上海市,200000,\n"));
    }
    let file = vault.write("many.csv", &text);
    let mapping = example("zh-shop/customers.toml");
    let args = ["import", file.to_str().unwrap(), "--mapping", mapping.to_str().unwrap()];
    // A chunk has 102 rejects or 103. Once some of the next are told, the chunk counts as done.
    let rejects = vault.folder.path().join("many.csv.rejects.csv");
    let told = || std::fs::read_to_string(&rejects).unwrap_or_default().lines().count();
    let mut child = vault.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while told() < 110 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = vault.output(&args);
    assert!(String::from_utf8_lossy(&output.stderr).contains("going on behind"), "{output:?}");
    let counts = Counts(serde_json::from_slice::<Json>(&output.stdout).unwrap()["counts"].clone());
    assert_eq!((counts.of("rows"), counts.of("rejected")), (ROWS, 600));
    let rejects = lines_of(&rejects);
    let lines: Vec<u64> =
        rejects[1..].iter().map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(lines, (1..=600).map(|n| n * 10 + 1).collect::<Vec<u64>>());
    vault.import(&file, &mapping).are(ROWS, &[("unchanged", ROWS - 600), ("rejected", 600)]);
    vault.verifies();
}

/// Orders whose parcel left so many days before the last one, or longer: their time is over.
fn orders_past_end(file: &Path) -> u64 {
    let reader = flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap());
    let last = jiff::civil::date(2014, 7, 7);
    let mut rows = csv::Reader::from_reader(reader);
    let shipped = rows.headers().unwrap().iter().position(|name| name == "ship_date").unwrap();
    let ages = rows.records().map(|row| {
        let date: jiff::civil::Date = row.unwrap()[shipped][..10].parse().unwrap();
        last.since(date).unwrap().get_days()
    });
    ages.filter(|days| *days >= 730).count() as u64
}

#[test]
fn the_whole_of_adventureworks_is_taken_in_with_every_row_accounted_for() {
    let Some(data) = whole("adventureworks") else { return };
    let vault = Vault::of("adventureworks");
    let [customers, orders, homes, shipping, cards] = import_adventureworks(&vault, &data, "csv.gz");
    customers.are(19_820, &[("created", 19_119), ("skipped", 701)]);
    assert_eq!(customers.of("choices"), 2 * 19_119);
    let dropped = customers.list("dropped_columns");
    for column in ["birth_date", "yearly_income", "marital_status"] {
        assert_eq!(dropped.get(column), Some(&18_484), "{column}");
    }
    let past_end = orders_past_end(&data.join("orders.csv.gz"));
    orders.are(31_465, &[("created", 31_465 - past_end), ("past_end", past_end)]);
    assert_eq!(
        (homes.of("rows"), homes.of("skipped"), homes.of("absent"), homes.of("rejected")),
        (19_614, 840, 290, 0)
    );
    assert_eq!((shipping.of("skipped"), shipping.of("absent")), (19_579, 11));
    assert_eq!((cards.of("rows"), cards.of("rejected")), (19_118, 17_201));
    assert_eq!(cards.of("updated") + cards.of("past_end"), 1_917);
    vault.verifies();
}

#[test]
fn all_twelve_thousand_chinese_customers_are_taken_in_without_their_identity_numbers() {
    let Some(data) = whole("zh-addresses") else { return };
    let vault = Vault::of("zh-shop");
    let file = data.join("faker_zh_CN_customers_12000.csv.gz");
    let counts = vault.import(&file, &example("zh-shop/customers.toml"));
    counts.are(12_000, &[("created", 12_000)]);
    assert_eq!(counts.list("dropped_fields"), BTreeMap::from([("id_number", 12_000)]));
    assert_eq!(counts.list("dropped_columns").len(), 8);
    vault.verifies();
}
