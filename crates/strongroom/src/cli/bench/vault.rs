//! A vault to measure, in a folder of its own, made by the same commands that anybody uses; and what is written into it.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value as Json;

use super::fault;
use super::load::{Next, Wire};
use super::server::{Server, command};
use crate::config::StoreConfig;
use crate::ground::Problem;
use crate::ground::keys_folder::{make_private_folder, write_new};

/// The policy that is measured with.
pub(super) const POLICY: &str = include_str!("shop.toml");
/// Records in one batch while a vault is filled.
const BATCH: usize = 500;

/// What stands in an address for the number of a vault's database.
const NUMBER: &str = "{vault}";

/// The databases of a server that vaults lie in, each in one of its own.
#[derive(Debug, Clone)]
pub(super) struct Databases {
    address: String,
    password_file: Option<PathBuf>,
}

impl Databases {
    /// Takes: an address whose `{vault}` stands for a number. Number 0 is the baseline's.
    pub(super) fn new(address: String, password_file: Option<PathBuf>) -> Result<Databases, Problem> {
        if address.contains(NUMBER) {
            Ok(Databases { address, password_file })
        } else {
            Err(fault(
                "each vault lies in a database of its own: the address needs `{vault}` where its number stands",
            ))
        }
    }

    /// Where a vault's rows are.
    pub(super) fn store(&self, number: usize) -> StoreConfig {
        StoreConfig {
            address: Some(self.address(number)),
            password_file: self.password_file.clone(),
            ..StoreConfig::default()
        }
    }

    /// The address of one of them.
    pub(super) fn address(&self, number: usize) -> String {
        self.address.replace(NUMBER, &number.to_string())
    }
}

/// A vault with a credential that writes and reveals, and one that erases.
pub(super) struct Vault {
    folder: PathBuf,
    store: StoreConfig,
    service: String,
    officer: String,
}

impl Vault {
    /// Makes one in a new folder; its rows in a database, where one is given.
    pub(super) fn make(folder: PathBuf, store: StoreConfig) -> Result<Vault, Problem> {
        make_private_folder(&folder)?;
        write_new(&folder.join("shop.toml"), POLICY.as_bytes())?;
        let config = format!(
            "[keys]\nfolder = {keys}\n[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n[limits]\nrequests_per_second = 0\n",
            keys = toml::Value::String(folder.join("keys").display().to_string()),
        );
        write_new(&folder.join("bench.toml"), config.as_bytes())?;
        let mut vault = Vault { folder, store, service: String::new(), officer: String::new() };
        let path = |name: &str| vault.folder.join(name).display().to_string();
        command(vault.arguments(&[
            "init",
            "--policy",
            &path("shop.toml"),
            "--credential-out",
            &path("admin"),
        ]))?;
        let add = ["credentials", "add", "--purpose", "delivery"];
        command(vault.arguments(
            &[&add[..], &["--role", "service", "--label", "service", "--out", &path("service")]].concat(),
        ))?;
        command(vault.arguments(
            &[&add[..], &["--role", "officer", "--label", "officer", "--out", &path("officer")]].concat(),
        ))?;
        let read = |name: &str| std::fs::read_to_string(path(name));
        (vault.service, vault.officer) = (read("service")?, read("officer")?);
        Ok(vault)
    }

    /// Arguments of a command on this vault.
    pub(super) fn arguments(&self, rest: &[&str]) -> Vec<String> {
        self.arguments_in("data", rest)
    }

    fn arguments_in(&self, data: &str, rest: &[&str]) -> Vec<String> {
        let path = |name: &str| self.folder.join(name).display().to_string();
        let mut all = vec![String::from("--config"), path("bench.toml"), String::from("--data"), path(data)];
        if let Some(address) = &self.store.address {
            all.extend([String::from("--store"), address.clone()]);
        }
        if let Some(file) = &self.store.password_file {
            all.extend([String::from("--store-password-file"), file.display().to_string()]);
        }
        all.extend(rest.iter().map(ToString::to_string));
        all
    }

    /// Serves it.
    pub(super) fn serve(&self) -> Result<Server, Problem> {
        Server::start(self.arguments(&["serve"]))
    }

    /// Serves it by a second process, which has the rows on a server and the keys in common with the first.
    pub(super) fn serve_beside(&self) -> Result<Server, Problem> {
        make_private_folder(&self.folder.join("beside"))?;
        Server::start(self.arguments_in("beside", &["serve"]))
    }

    /// Where its rows are.
    pub(super) fn store(&self) -> &StoreConfig {
        &self.store
    }

    /// A place for a file beside its data.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Its data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its keys folder.
    pub(super) fn keys(&self) -> PathBuf {
        self.folder.join("keys")
    }

    /// The credential that writes and reveals.
    pub(super) fn service(&self) -> &str {
        &self.service
    }

    /// The credential that erases.
    pub(super) fn officer(&self) -> &str {
        &self.officer
    }

    /// Adds customers, in batches. Gives their public ids.
    pub(super) async fn add_customers(
        &self,
        wire: &mut Wire,
        from: u64,
        count: usize,
    ) -> Result<Vec<String>, Problem> {
        let mut people = People::from(from);
        self.add(wire, count, "subject", &mut |item| customer(&mut people, item)).await
    }

    /// Adds orders of customers, in turn, in batches. Gives their public ids.
    pub(super) async fn add_orders(
        &self,
        wire: &mut Wire,
        of: &[String],
        count: usize,
    ) -> Result<Vec<String>, Problem> {
        let mut subjects = of.iter().cycle();
        self.add(wire, count, "record", &mut |item| {
            order(subjects.next().map_or("", String::as_str), 7, item);
        })
        .await
    }

    async fn add(
        &self,
        wire: &mut Wire,
        count: usize,
        wanted: &str,
        write: &mut dyn FnMut(&mut Vec<u8>),
    ) -> Result<Vec<String>, Problem> {
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let mut body = b"{\"items\":[".to_vec();
            for position in 0..BATCH.min(count - ids.len()) {
                if position > 0 {
                    body.push(b',');
                }
                write(&mut body);
            }
            body.extend_from_slice(b"]}");
            let mut request = Vec::with_capacity(body.len().saturating_add(256));
            post(&mut request, "/v1/records:batch", &self.service, &body);
            let (status, answer) = wire.ask(&request).await?;
            let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
            let results = || answer.get("results").and_then(Json::as_array).into_iter().flatten();
            if status != 200 || answer.get("refused").and_then(Json::as_u64) != Some(0) {
                let why = results()
                    .find_map(|result| result.pointer("/problem/title"))
                    .or_else(|| answer.get("title"));
                return Err(fault(format!(
                    "a batch was answered {status}: {}",
                    why.and_then(Json::as_str).unwrap_or_default()
                )));
            }
            let id = |result: &Json| Some(result.get("record")?.get(wanted)?.as_str()?.to_owned());
            ids.extend(results().filter_map(id));
        }
        Ok(ids)
    }

    /// Erases a subject.
    pub(super) async fn erase(&self, wire: &mut Wire, subject: &str) -> Result<(), Problem> {
        let mut request = Vec::new();
        post(&mut request, &format!("/v1/subjects/{subject}:erase"), &self.officer, b"{}");
        match wire.ask(&request).await? {
            (200, _) => Ok(()),
            (status, body) => {
                Err(fault(format!("an erasure was answered {status}: {}", String::from_utf8_lossy(body))))
            }
        }
    }

    /// Requests that write an order of one of these subjects, picked at random.
    pub(super) fn writes_known(&self, subjects: &Rc<Vec<String>>) -> Next {
        let (service, subjects, mut dice) = (self.service.clone(), Rc::clone(subjects), Dice(1));
        let mut body = Vec::with_capacity(1 << 10);
        Rc::new(RefCell::new(move |request: &mut Vec<u8>| {
            let number = dice.roll();
            body.clear();
            order(pick(&subjects, number), number, &mut body);
            post(request, "/v1/records", &service, &body);
        }))
    }

    /// Requests that say what these customers chose, in turn; who has said it is told it once more, the other way.
    pub(super) fn choices(&self, subjects: &Rc<Vec<String>>) -> Next {
        let (service, subjects, mut count) = (self.service.clone(), Rc::clone(subjects), 0_u64);
        let mut body = Vec::with_capacity(256);
        Rc::new(RefCell::new(move |request: &mut Vec<u8>| {
            body.clear();
            let subject = pick(&subjects, count);
            let turn = count / (subjects.len().max(1) as u64);
            let choice = if turn.is_multiple_of(2) { "refused" } else { "withdrawn" };
            count = count.saturating_add(1);
            let _ = write!(
                body,
                r#"{{"subject":{{"id":"{subject}"}},"purpose":"newsletter","choice":"{choice}","notice":{{"version":1,"language":"en"}}}}"#
            );
            post(request, "/v1/choices", &service, &body);
        }))
    }

    /// Requests that write a new customer with two lookups.
    pub(super) fn writes_new(&self, from: u64) -> Next {
        let (service, mut people) = (self.service.clone(), People::from(from));
        let mut body = Vec::with_capacity(1 << 10);
        Rc::new(RefCell::new(move |request: &mut Vec<u8>| {
            body.clear();
            customer(&mut people, &mut body);
            post(request, "/v1/records", &service, &body);
        }))
    }

    /// Requests that reveal seven fields of one of these orders, picked at random.
    pub(super) fn reveals(&self, orders: Vec<String>) -> Next {
        self.reveals_some(orders, "")
    }

    /// Requests that reveal one field of one of these orders.
    pub(super) fn reveals_one(&self, orders: Vec<String>) -> Next {
        self.reveals_some(orders, r#","fields":["recipient"]"#)
    }

    fn reveals_some(&self, orders: Vec<String>, fields: &'static str) -> Next {
        let (service, mut dice) = (self.service.clone(), Dice(2));
        let mut body = Vec::with_capacity(128);
        Rc::new(RefCell::new(move |request: &mut Vec<u8>| {
            body.clear();
            let record = pick(&orders, dice.roll());
            let _ = write!(body, r#"{{"purpose":"delivery","record":"{record}"{fields}}}"#);
            post(request, "/v1/records:reveal", &service, &body);
        }))
    }
}

/// Requests of the empty handler.
pub(super) fn empties() -> Next {
    Rc::new(RefCell::new(|request: &mut Vec<u8>| {
        request.extend_from_slice(b"GET / HTTP/1.1\r\nhost: bench\r\n\r\n");
    }))
}

/// Writes a POST.
pub(super) fn post(request: &mut Vec<u8>, path: &str, credential: &str, body: &[u8]) {
    // Writing to memory cannot fail.
    let _ = write!(
        request,
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {credential}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    request.extend_from_slice(body);
}

pub(super) fn pick(of: &[String], number: u64) -> &str {
    let at = usize::try_from(number % (of.len().max(1) as u64)).unwrap_or(0);
    of.get(at).map_or("", String::as_str)
}

/// Numbers that look random and are the same in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self) -> u64 {
        // SOURCE: splitmix64, Steele and others 2014.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// People who do not exist, one after another.
pub(super) struct People(u64);

impl People {
    /// From a number on.
    pub(super) fn from(number: u64) -> People {
        People(number)
    }
}

/// Twelve fields of a new customer.
fn customer(people: &mut People, out: &mut Vec<u8>) {
    let number = people.0;
    people.0 = number.saturating_add(1);
    let _ = write!(
        out,
        r#"{{"kind":"customer","external_id":"C{number:09}","fields":{{"name":"Nobody Number {number}","phone":"138{phone:08}","email":"nobody{number}@bench.example","street":"{house} Garden Lane, Room {room}","town":"Hangzhou","region":"Zhejiang","postcode":"310000","company":"Bench and Sons Trading","department":"Purchasing","language":"zh-CN","salutation":"Dear customer","wish":"No paper catalogue, please; call first"}}}}"#,
        phone = number % 100_000_000,
        house = number % 997,
        room = number % 61,
    );
}

/// Twelve fields of an order of a known customer: about 400 bytes of values.
pub(super) fn order(subject: &str, number: u64, out: &mut Vec<u8>) {
    let _ = write!(
        out,
        r#"{{"kind":"order","subject":{{"id":"{subject}"}},"fields":{{"recipient":"Nobody Number {short}","mobile":"139{phone:08}","address":"{house} Garden Lane, Building 4, Room {room}, by the lake","city":"Hangzhou","province":"Zhejiang","postcode":"310000","remark":"Please ring twice and leave it with the neighbour","items":"2 x tea tin, green, 250 g; 1 x tea pot, red clay, 0.4 l; 6 x tea cup","amount":"{yuan}.50","payment_reference":"PAY-2026-{reference:016}","invoice_title":"Bench and Sons Trading Company Limited","tax_number":"91330106MA{tax:08}"}}}}"#,
        short = number % 1_000_000,
        phone = number % 100_000_000,
        house = number % 997,
        room = number % 61,
        yuan = number % 9_000 + 100,
        reference = number % 10_000_000_000_000_000,
        tax = number % 100_000_000,
    );
}

/// Columns of customers in a file.
const CUSTOMERS_HEAD: &str =
    "id,name,phone,email,street,town,region,postcode,company,department,language,salutation,wish";
/// Columns of orders in a file.
const ORDERS_HEAD: &str = "customer,recipient,mobile,address,city,province,postcode,remark,items,amount,payment_reference,invoice_title,tax_number";

/// Writes files of new customers (two lookups each) and of orders of them in the order of time (no lookups), with their
/// mappings.
pub(super) fn write_files(folder: &Path, customers: u64, orders: u64) -> Result<(), Problem> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(folder.join("customers.csv"))?);
    writeln!(file, "{CUSTOMERS_HEAD}")?;
    for number in 0..customers {
        let (phone, house, room) = (number % 100_000_000, number % 997, number % 61);
        writeln!(
            file,
            "C{number:09},Nobody Number {number},138{phone:08},nobody{number}@bench.example,\"{house} Garden Lane, Room {room}\",Hangzhou,Zhejiang,310000,Bench and Sons Trading,Purchasing,zh-CN,Dear customer,\"No paper catalogue, please; call first\""
        )?;
    }
    file.flush()?;
    let mut file = std::io::BufWriter::new(std::fs::File::create(folder.join("orders.csv"))?);
    writeln!(file, "{ORDERS_HEAD}")?;
    let mut dice = Dice(3);
    for number in 0..orders {
        let customer = dice.roll() % customers.max(1);
        let (phone, house, room, yuan) =
            (number % 100_000_000, number % 997, number % 61, number % 9_000 + 100);
        writeln!(
            file,
            "C{customer:09},Nobody Number {customer},139{phone:08},\"{house} Garden Lane, Building 4, Room {room}, by the lake\",Hangzhou,Zhejiang,310000,Please ring twice and leave it with the neighbour,\"2 x tea tin, green, 250 g; 1 x tea pot, red clay, 0.4 l; 6 x tea cup\",{yuan}.50,PAY-2026-{number:016},Bench and Sons Trading Company Limited,91330106MA{phone:08}"
        )?;
    }
    file.flush()?;
    let fields = |head: &str| {
        head.split(',')
            .skip(1)
            .map(|column| format!("{column} = \"{column}\"\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    let customers =
        format!("kind = \"customer\"\nexternal_id = \"id\"\n[fields]\n{}", fields(CUSTOMERS_HEAD));
    let orders =
        format!("kind = \"order\"\n[subject]\nexternal_id = \"customer\"\n[fields]\n{}", fields(ORDERS_HEAD));
    std::fs::write(folder.join("customers.toml"), customers)?;
    std::fs::write(folder.join("orders.toml"), orders)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_clean_and_a_delivery_uses_seven_of_twelve_fields() {
        let report = policy::check(POLICY, "shop.toml", jiff::civil::date(2026, 11, 26));
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        let policy = report.policy.unwrap();
        let registry = policy::Registry::default().extended_by(&policy).unwrap();
        let compiled = policy::compile(&policy, &registry).unwrap();
        let order = compiled.find_kind("order").unwrap();
        let delivery = compiled.find_purpose("delivery").unwrap().ordinal;
        assert_eq!((order.declared().count(), order.grant(delivery).allowed.count()), (12, 7));
    }

    #[test]
    fn what_is_written_is_json_with_twelve_fields() {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        customer(&mut People::from(5), &mut one);
        order("sub_x", 5, &mut other);
        for body in [one, other] {
            let body: Json = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["fields"].as_object().unwrap().len(), 12);
        }
    }
}
