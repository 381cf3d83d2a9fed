//! `strongroom bench`: how fast this machine is, with everything on: authentication, gate, seal, ledger, fsync.
//!
//! Every figure stands beside a baseline of the same run, for machines differ and neighbours make noise: ratios are what
//! can be compared. The server is a process of its own (this same program), so its CPU time and memory are its own; the
//! load generator shares the machine with it. `docs/benchmarks.md` says how to read the table.

mod inside;
mod load;
mod on_server;
mod openbao;
mod raw;
mod report;
mod server;
mod soak;
mod vault;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use clap::{Args, ValueEnum};
use seal::Suite;

use self::inside::Inside;
use self::load::{Bounds, Next, Wire};
use self::report::{Goal, Report, Row, Sample, StoreShare};
use self::server::{Server, command, folder_bytes};
use self::vault::{Databases, Vault};
use super::{Context, Exit, Voice, blocking};
use crate::config::StoreConfig;
use crate::ground::Problem;

/// What `bench` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Takes a few minutes and about 3 GB of disk; with --quick about 20 seconds, and figures that say less.
With --store the vaults lie in databases of a server: `{vault}` in its address stands for a number, and bench0 to bench4, or
whatever you call them, have to be there and empty. `cargo xtask bench --on postgres` starts such a server.
Build with --release. On a machine that does other work, compare ratios and not figures."
)]
pub(super) struct BenchArgs {
    /// Short runs, fewer of them, small files
    #[arg(long)]
    quick: bool,
    /// Measure only this; may be said several times
    #[arg(long, value_name = "NAME", value_enum)]
    only: Vec<Part>,
    /// Where to work, instead of the system's temporary folder: the disk that is measured
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Connections, instead of 1, 16, 64 and 256
    #[arg(long, value_name = "N", value_delimiter = ',')]
    connections: Vec<usize>,
    /// Measure this `bao` server instead, in turns with ours: a transit decrypt with its audit against a reveal of one field,
    /// a write of twelve fields to its kv-v2 against a record's. Its data lie in the same folder as ours
    #[arg(long, value_name = "BAO", conflicts_with = "only")]
    openbao: Option<PathBuf>,
    /// Measure nothing: send a server so many mixed requests, and fail if its memory, handles or threads grow
    #[arg(long, value_name = "REQUESTS", conflicts_with_all = ["quick", "only", "connections"])]
    soak: Option<u64>,
    /// Serve the empty handler: the baseline, for the bench's own use
    #[arg(long, hide = true)]
    serve_empty: bool,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Writes and reveals over HTTP, under load; memory
    Http,
    /// Erasures
    Erase,
    /// Writes without HTTP, against plain SQLite
    Inside,
    /// The gate, and the seal
    Gate,
    /// Start on an empty vault
    Start,
    /// Imports, and behind them disk, start and verification of what was imported
    Import,
}

impl BenchArgs {
    /// Threads of this process: the empty handler has as many as a server has.
    pub(super) fn threads(&self, context: &Context) -> usize {
        if self.serve_empty { super::serve::ServeArgs::threads(context) } else { 1 }
    }
}

pub(super) async fn run(args: BenchArgs, context: &Context) -> Result<Exit, Problem> {
    if args.serve_empty {
        let router = Router::new().route("/", get(async || "{\"ok\":true}"));
        crate::desk::serve_router(([127, 0, 0, 1], 0).into(), router, None, 4_096).await?;
        return Ok(Exit::Done);
    }
    let voice = context.voice;
    if cfg!(debug_assertions) {
        voice.say("this is a debug build: build with --release for figures that mean something");
    }
    if let Some(requests) = args.soak {
        let soaked = move || {
            let folder = temporary_folder(args.folder)?;
            soak::run(requests, folder.path().join("vault"), voice)
        };
        return blocking(soaked).await.map(|()| Exit::Done);
    }
    let flags = &context.flags;
    let databases =
        flags.store.clone().map(|address| Databases::new(address, flags.store_password_file.clone()));
    let databases = databases.transpose()?;
    let report = blocking(move || {
        let mut bench = Bench::new(args, databases, voice)?;
        bench.run()?;
        Ok(bench.report)
    })
    .await?;
    report.print(voice);
    Ok(Exit::Done)
}

/// How much is measured.
struct Scale {
    connections: Vec<usize>,
    rounds: usize,
    run: Duration,
    customers: usize,
    orders: usize,
    import_customers: u64,
    import_orders: u64,
    erasures: usize,
    starts: usize,
}

impl Scale {
    fn quick() -> Scale {
        Scale {
            connections: vec![1, 64, 256],
            rounds: 1,
            run: Duration::from_millis(700),
            customers: 2_000,
            orders: 2_000,
            import_customers: 5_000,
            import_orders: 20_000,
            erasures: 3,
            starts: 3,
        }
    }

    fn full() -> Scale {
        Scale {
            connections: vec![1, 16, 64, 256],
            rounds: 3,
            run: Duration::from_millis(2_500),
            customers: 10_000,
            orders: 20_000,
            import_customers: 100_000,
            import_orders: 900_000,
            erasures: 9,
            starts: 5,
        }
    }
}

/// Requests of one run at the most.
const REQUESTS_LIMIT: u64 = 400_000;
/// Records of a subject that is erased.
const ERASED_RECORDS: usize = 1_000;

struct Bench {
    only: Vec<Part>,
    openbao: Option<PathBuf>,
    databases: Option<Databases>,
    scale: Scale,
    voice: Voice,
    folder: tempfile::TempDir,
    report: Report,
    made: usize,
}

impl Bench {
    fn new(args: BenchArgs, databases: Option<Databases>, voice: Voice) -> Result<Bench, Problem> {
        let mut scale = if args.quick { Scale::quick() } else { Scale::full() };
        let openbao = args.openbao.as_deref().map(openbao::must_run).transpose()?;
        if openbao.is_some() {
            scale.connections = vec![1, 8, 64];
        }
        if !args.connections.is_empty() {
            scale.connections =
                args.connections.into_iter().map(|connections| connections.clamp(1, 1_024)).collect();
            scale.connections.sort_unstable();
            scale.connections.dedup();
        }
        let folder = temporary_folder(args.folder)?;
        let report = Report { ratios_to: "the empty handler", ..Report::default() };
        Ok(Bench { only: args.only, openbao, databases, scale, voice, folder, report, made: 0 })
    }

    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    fn say(&self, what: &str) {
        self.voice.say(format!("  measuring {what}"));
    }

    fn add(&mut self, row: Row) {
        self.report.rows.push(row);
    }

    fn vault(&mut self) -> Result<Vault, Problem> {
        self.made = self.made.saturating_add(1);
        let store = match &self.databases {
            Some(databases) => databases.store(self.made),
            None => StoreConfig::default(),
        };
        Vault::make(self.folder.path().join(format!("vault-{}", self.made)), store)
    }

    /// What plain rows reach where the vaults lie, `batch` a commit, and what that is called.
    fn plain(&self, sizes: raw::Sizes, batch: u32) -> Result<f64, Problem> {
        match &self.databases {
            Some(databases) => {
                let sent = raw::Sent::InTurn;
                raw::group_commit_on(&databases.address(0), sizes, batch, sent, self.scale.run)
            }
            None => raw::group_commit(self.folder.path(), sizes, batch, self.scale.run),
        }
    }

    fn run(&mut self) -> Result<(), Problem> {
        let sync = raw::sync_micros(self.folder.path(), 200)?;
        self.report.facts = facts(sync, self.folder.path());
        if let Some(binary) = self.openbao.take() {
            self.against_openbao(&binary)?;
            self.report.facts.push(("load after", load_average()));
            return Ok(());
        }
        if self.wants(Part::Start) {
            self.start()?;
        }
        if [Part::Http, Part::Erase, Part::Inside, Part::Gate].into_iter().any(|part| self.wants(part)) {
            self.served()?;
        }
        if self.wants(Part::Import) {
            self.import()?;
        }
        self.report.facts.push(("load after", load_average()));
        Ok(())
    }

    /// From the start of the process until it listens, and memory before anybody asked for anything.
    fn start(&mut self) -> Result<(), Problem> {
        self.say("start on an empty vault");
        let vault = self.vault()?;
        let (ours, idle) = self.starts(|| vault.serve())?;
        let (empty, empty_idle) = self.starts(serve_empty)?;
        self.add(
            Row::new("start, empty vault", ours, "ms", empty, "empty handler").goal(Goal::AtMost(100.0)),
        );
        self.add(Row::new("memory, idle", idle, "MiB", empty_idle, "empty handler").goal(Goal::AtMost(25.0)));
        Ok(())
    }

    /// The median time to start, ms, and the median memory then, MiB.
    fn starts(&self, start: impl Fn() -> Result<Server, Problem>) -> Result<(f64, f64), Problem> {
        let (mut times, mut memory) = (Vec::new(), Vec::new());
        for _ in 0..self.scale.starts {
            let server = start()?;
            times.push(server.started.as_secs_f64() * 1e3);
            memory.push(float(server.memory_kib()?.0) / 1_024.0);
        }
        Ok((median(&mut times), median(&mut memory)))
    }

    /// Everything that is measured on one vault with customers in it.
    fn served(&mut self) -> Result<(), Problem> {
        let vault = self.vault()?;
        let server = vault.serve()?;
        let (customers, orders) = self.fill(&vault, &server)?;
        if self.wants(Part::Http) {
            if self.databases.is_some() {
                self.http_on_server(&vault, &server, &customers, orders)?;
            } else {
                self.http(&vault, &server, &customers, orders)?;
            }
        }
        if self.wants(Part::Erase) {
            self.erase(&vault, &server)?;
        }
        server.close()?;
        if self.wants(Part::Inside) || self.wants(Part::Gate) {
            self.inside(&vault, &customers)?;
        }
        Ok(())
    }

    fn fill(&self, vault: &Vault, server: &Server) -> Result<(Vec<String>, Vec<String>), Problem> {
        self.voice.say(format!(
            "  filling a vault: {} customers, {} orders",
            self.scale.customers, self.scale.orders
        ));
        on_this_thread(async {
            let mut wire = Wire::connect(server.api).await?;
            let customers = vault.add_customers(&mut wire, 0, self.scale.customers).await?;
            let orders = vault.add_orders(&mut wire, &customers, self.scale.orders).await?;
            Ok((customers, orders))
        })
    }

    /// Rounds of all requests at all numbers of connections, the empty handler first in each: noise meets all alike.
    fn http(
        &mut self,
        vault: &Vault,
        server: &Server,
        customers: &[String],
        orders: Vec<String>,
    ) -> Result<(), Problem> {
        let empty = serve_empty()?;
        let customers = Rc::new(customers.to_vec());
        let runs: [(&'static str, &Server, Next); 4] = [
            (EMPTY, &empty, vault::empties()),
            (WRITE, server, vault.writes_known(&customers)),
            (WRITE_NEW, server, vault.writes_new(self.scale.customers as u64)),
            (REVEAL, server, vault.reveals(orders)),
        ];
        let mut rounds = Vec::new();
        for round in 1..=self.scale.rounds {
            for connections in self.scale.connections.clone() {
                self.say(&format!("{connections} connections, round {round} of {}", self.scale.rounds));
                let mut baseline: Option<Sample> = None;
                for (workload, server, next) in &runs {
                    let mut sample = self.sample(workload, server, connections, next)?;
                    let empty = baseline.get_or_insert_with(|| sample.clone());
                    sample.cpu_ratio = sample.cpu_micros / empty.cpu_micros;
                    sample.rate_ratio = sample.rate / empty.rate;
                    rounds.push(sample);
                }
            }
        }
        for (workload, _, _) in &runs {
            for connections in &self.scale.connections {
                let same =
                    |sample: &&Sample| sample.workload == *workload && sample.connections == *connections;
                let of_this: Vec<Sample> = rounds.iter().filter(same).cloned().collect();
                self.report.load.extend(report::over_rounds(&of_this));
            }
        }
        self.report.rounds = rounds;
        self.http_rows();
        let (_, most) = server.memory_kib()?;
        let (_, empty_most) = empty.memory_kib()?;
        let memory =
            Row::new("memory, under load", float(most) / 1_024.0, "MiB", float(empty_most) / 1_024.0, EMPTY);
        self.add(memory.goal(Goal::AtMost(160.0)));
        Ok(())
    }

    /// Rounds in which ours and OpenBao's take turns, each first in every other round: noise meets both alike.
    fn against_openbao(&mut self, binary: &std::path::Path) -> Result<(), Problem> {
        let vault = self.vault()?;
        let server = vault.serve()?;
        let (customers, orders) = self.fill(&vault, &server)?;
        self.say("OpenBao's start");
        let bao = openbao::Bao::start(binary, &self.folder.path().join("openbao"))?;
        self.report.facts.push(("against", format!("{}, raft storage, audit to a file", bao.version)));
        self.report.ratios_to = "OpenBao";
        let customers = Rc::new(customers);
        let pairs: [[(&'static str, &Server, Next); 2]; 2] = [
            [(DECRYPT, &bao.server, bao.decrypts()), (REVEAL_ONE, &server, vault.reveals_one(orders))],
            [(KV_WRITE, &bao.server, bao.writes()), (WRITE, &server, vault.writes_known(&customers))],
        ];
        let mut rounds = Vec::new();
        for round in 1..=self.scale.rounds {
            for connections in self.scale.connections.clone() {
                self.say(&format!("{connections} connections, round {round} of {}", self.scale.rounds));
                for pair in &pairs {
                    let mut turns: Vec<&(&'static str, &Server, Next)> = pair.iter().collect();
                    if round % 2 == 0 {
                        turns.reverse();
                    }
                    let mut samples = Vec::with_capacity(2);
                    for (workload, server, next) in turns {
                        samples.push(self.sample(workload, server, connections, next)?);
                    }
                    let theirs = samples.iter().find(|sample| sample.store.is_none()).cloned();
                    let theirs = theirs.ok_or_else(|| fault("a round has no baseline"))?;
                    for mut sample in samples {
                        sample.cpu_ratio = sample.cpu_micros / theirs.cpu_micros;
                        sample.rate_ratio = sample.rate / theirs.rate;
                        rounds.push(sample);
                    }
                }
            }
        }
        for [(theirs, ..), (ours, ..)] in &pairs {
            for connections in self.scale.connections.clone() {
                let of = |workload: &str| {
                    let same =
                        |sample: &&Sample| sample.workload == workload && sample.connections == connections;
                    report::over_rounds(&rounds.iter().filter(same).cloned().collect::<Vec<_>>())
                };
                let (Some(theirs), Some(ours)) = (of(theirs), of(ours)) else { continue };
                self.rows_against(&ours, &theirs);
                self.report.load.extend([theirs, ours]);
            }
        }
        self.report.rounds = rounds;
        drop(pairs);
        server.close()
    }

    fn rows_against(&mut self, ours: &Sample, theirs: &Sample) {
        let what = |end: &str| format!("{}, {} connections, {end}", ours.workload, ours.connections);
        let against = theirs.workload;
        let mut cpu = Row::new(what("server CPU"), ours.cpu_micros, "µs", theirs.cpu_micros, against);
        cpu.ratio = ours.cpu_ratio; // the median of the ratios, not the ratio of the medians
        if ours.workload == REVEAL_ONE {
            cpu = cpu.goal_of_ratio(Goal::AtMost(1.0 / 20.0));
        }
        let mut rate = Row::new(what("rate"), ours.rate, "/s", theirs.rate, against);
        rate.ratio = ours.rate_ratio;
        let p50 = (ours.p50_micros / 1e3, theirs.p50_micros / 1e3);
        let p99 = (ours.p99_micros / 1e3, theirs.p99_micros / 1e3);
        let p50 = Row::new(what("p50"), p50.0, "ms", p50.1, against);
        let p99 = Row::new(what("p99"), p99.0, "ms", p99.1, against);
        self.report.rows.extend([cpu, rate, p50, p99]);
    }

    fn sample(
        &self,
        workload: &'static str,
        server: &Server,
        connections: usize,
        next: &Next,
    ) -> Result<Sample, Problem> {
        let bounds = Bounds { connections, time: self.scale.run, requests: REQUESTS_LIMIT, expected: done };
        let has_store = ![EMPTY, DECRYPT, KV_WRITE].contains(&workload);
        let (store_before, before) = (has_store.then(|| store_counts(server)).transpose()?, server.cpu()?);
        let load = load::run(&[server.api], bounds, next, None)?;
        let after = server.cpu()?;
        let store = match store_before {
            Some(before) => Some(store_counts(server)?.since(before)),
            None => None,
        };
        let mut sample = Sample {
            workload,
            connections,
            rate: float(load.requests) / load.seconds,
            cpu_micros: 0.0,
            http_micros: 0.0,
            writer_micros: 0.0,
            checkpoint_micros: 0.0,
            p50_micros: f64::from(load.p50_micros),
            p99_micros: f64::from(load.p99_micros),
            store,
            cpu_ratio: 1.0,
            rate_ratio: 1.0,
        };
        sample.shares(&before, &after, load.requests);
        Ok(sample)
    }

    /// The lines of the table that come of the load: at the most connections, where goals are set.
    fn http_rows(&mut self) {
        let most = self.scale.connections.iter().max().copied().unwrap_or(0);
        let at_most = |workload: &str| {
            self.report
                .load
                .iter()
                .find(|sample| sample.workload == workload && sample.connections == most)
                .cloned()
        };
        let Some(empty) = at_most(EMPTY) else { return };
        let mut rows = Vec::new();
        let goals =
            [(WRITE, 2.9, Some((0.38, 15.0))), (WRITE_NEW, 8.0, None), (REVEAL, 2.9, Some((0.38, 8.0)))];
        for (workload, cpu_goal, others) in goals {
            let Some(sample) = at_most(workload) else { continue };
            let mut cpu =
                Row::new(format!("{workload}, server CPU"), sample.cpu_micros, "µs", empty.cpu_micros, EMPTY);
            cpu.ratio = sample.cpu_ratio; // the median of the ratios, not the ratio of the medians
            rows.push(cpu.goal_of_ratio(Goal::AtMost(cpu_goal)));
            let Some((rate_goal, p99_goal)) = others else { continue };
            let mut rate = Row::new(format!("{workload}, rate"), sample.rate, "/s", empty.rate, EMPTY);
            rate.ratio = sample.rate_ratio;
            rows.push(rate.goal_of_ratio(Goal::AtLeast(rate_goal)));
            let p99 = Row::new(
                format!("{workload}, p99"),
                sample.p99_micros / 1e3,
                "ms",
                empty.p99_micros / 1e3,
                EMPTY,
            );
            rows.push(p99.goal(Goal::AtMost(p99_goal)));
        }
        self.report.rows.extend(rows);
    }

    /// Erasures of subjects with many records, and with one: a key is destroyed either way.
    fn erase(&mut self, vault: &Vault, server: &Server) -> Result<(), Problem> {
        self.say("erasures");
        let (count, first) = (self.scale.erasures, 900_000_000);
        let (mut many, mut few) = on_this_thread(async {
            let mut wire = Wire::connect(server.api).await?;
            let subjects = vault.add_customers(&mut wire, first, count * 2).await?;
            let (many, few) = subjects.split_at(count);
            for subject in many {
                vault.add_orders(&mut wire, std::slice::from_ref(subject), ERASED_RECORDS - 1).await?;
            }
            Ok((erasures(vault, &mut wire, many).await?, erasures(vault, &mut wire, few).await?))
        })?;
        let (many, few) = (median(&mut many), median(&mut few));
        let what = format!("erase a subject with {ERASED_RECORDS} records");
        self.add(Row::new(what, many, "ms", few, "a subject with one record").goal(Goal::AtMost(5.0)));
        Ok(())
    }

    /// The house without HTTP.
    fn inside(&mut self, vault: &Vault, customers: &[String]) -> Result<(), Problem> {
        let house = Inside::open(vault)?;
        if self.wants(Part::Inside) {
            self.say("writes without HTTP, and plain SQLite");
            let sizes = house.sizes()?;
            let (mut ours, mut raw, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..self.scale.rounds {
                let rate = self.plain(sizes, 64)?;
                let own = house.writes(customers, 256, self.scale.run)?;
                ratios.push(own / rate);
                raw.push(rate);
                ours.push(own);
            }
            let against = if self.databases.is_some() {
                "driver, 64 rows a commit"
            } else {
                "rusqlite, 64 rows a commit"
            };
            let mut row =
                Row::new("durable writes without HTTP", median(&mut ours), "/s", median(&mut raw), against);
            row.ratio = median(&mut ratios);
            self.add(row.goal_of_ratio(Goal::AtLeast(0.8)));
        }
        if self.wants(Part::Gate) {
            self.say("the gate and the seal");
            let (gate, seal) = (house.gate()?, house.seal()?);
            self.add(
                Row::new("gate, one decision", gate, "ns", raw::aes_gcm(1, 32)?, "AES-256-GCM, 32 bytes")
                    .goal(Goal::AtMost(100.0)),
            );
            self.add(Row::new(
                "seal a record of 12 fields",
                seal,
                "ns",
                raw::aes_gcm(12, 32)?,
                "AES-256-GCM, 12 × 32 bytes",
            ));
            let (sm4, aes) = (house.seal_and_open(Suite::Sm4Gcm)?, house.seal_and_open(Suite::Aes256Gcm)?);
            let name = "seal and open a record of 12 fields with SM4 and SM3";
            self.add(
                Row::new(name, sm4, "ns", aes, "the same with AES and SHA-256")
                    .goal_of_ratio(Goal::AtMost(8.0)),
            );
        }
        house.close();
        Ok(())
    }

    /// Imports, and what they leave: disk, a start with many records, a ledger to verify.
    fn import(&mut self) -> Result<(), Problem> {
        let (customers, orders) = (self.scale.import_customers, self.scale.import_orders);
        self.say(&format!("imports of {customers} customers and {orders} orders"));
        let vault = self.vault()?;
        vault::write_files(&vault.beside(""), customers, orders)?;
        let (with_lookups, lookups_cpu) = import_file(&vault, "customers", customers)?;
        let before = stored_bytes(&vault)?;
        let (without, without_cpu) = import_file(&vault, "orders", orders)?;
        let bytes = float(stored_bytes(&vault)?.saturating_sub(before)) / float(orders);

        let house = Inside::open(&vault)?;
        let sizes = house.sizes()?;
        house.close();
        let raw = self.plain(sizes, 1_000)?;
        let against = if self.databases.is_some() {
            "driver, 1,000 rows a commit"
        } else {
            "rusqlite, 1,000 rows a commit"
        };
        self.add(
            Row::new("import, no lookups, per CPU second", without_cpu, "/s", raw, against)
                .goal(Goal::AtLeast(if self.databases.is_some() { 30_000.0 } else { 100_000.0 })),
        );
        self.add(Row::new("import, no lookups, rate", without, "/s", raw, against));
        self.add(
            Row::new("import, two lookups, per CPU second", lookups_cpu, "/s", raw, against)
                .goal(Goal::AtLeast(20_000.0)),
        );
        self.add(Row::new("import, two lookups, rate", with_lookups, "/s", raw, against));
        let rows = float((sizes.record.saturating_add(sizes.entry)) as u64);
        self.add(
            Row::new("disk, a record of 12 fields, all in", bytes, "bytes", rows, "its row and its entry")
                .goal(Goal::AtMost(1_500.0)),
        );

        self.say("start with these records");
        let (ours, _) = self.starts(|| vault.serve())?;
        let (empty, _) = self.starts(serve_empty)?;
        let records = report::short(float(customers.saturating_add(orders)));
        self.add(
            Row::new(format!("start, {records} records"), ours, "ms", empty, "empty handler")
                .goal(Goal::AtMost(1_000.0)),
        );

        self.say("verification of the exported ledger");
        let export = vault.beside("export");
        let to = export.display().to_string();
        let (said, _, _) = command(vault.arguments(&["--json", "ledger", "export", "--to", &to]))?;
        let said: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        let key = said.get("verifier_key").and_then(serde_json::Value::as_str).unwrap_or_default();
        let (entries, rate) = inside::verify(&export, key, 2)?;
        let hashes = 1e9 / raw::leaf_and_node(sizes.entry)?;
        let what = format!("verify {} entries offline, two threads", report::short(float(entries)));
        // The goal is 10 million entries in 3 seconds.
        self.add(
            Row::new(what, rate, "/s", hashes, "SHA-256 of a leaf and a node, one thread")
                .goal(Goal::AtLeast(3_333_333.0)),
        );
        Ok(())
    }
}

const EMPTY: &str = "empty handler";
const WRITE: &str = "write, known subject, 12 fields";
const WRITE_NEW: &str = "write, new subject, two lookups";
const REVEAL: &str = "reveal of 7 fields";
const CHOICE: &str = "choice with receipt";
const REVEAL_ONE: &str = "reveal of one field";
const DECRYPT: &str = "OpenBao: transit decrypt";
const KV_WRITE: &str = "OpenBao: kv-v2 write, 12 fields";

fn serve_empty() -> Result<Server, Problem> {
    Server::start(["bench", "--serve-empty"])
}

/// Milliseconds of each erasure.
async fn erasures(vault: &Vault, wire: &mut Wire, subjects: &[String]) -> Result<Vec<f64>, Problem> {
    let mut taken = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let began = std::time::Instant::now();
        vault.erase(wire, subject).await?;
        taken.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(taken)
}

/// Imports a file by the command. Gives records a second of time, and of CPU time.
fn import_file(vault: &Vault, name: &str, records: u64) -> Result<(f64, f64), Problem> {
    let path = |end: &str| vault.beside(&format!("{name}.{end}")).display().to_string();
    let arguments = vault.arguments(&["--json", "import", &path("csv"), "--mapping", &path("toml")]);
    let (said, took, cpu) = command(arguments)?;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
    if said.pointer("/counts/created").and_then(serde_json::Value::as_u64) != Some(records) {
        return Err(fault("an import did not take every record"));
    }
    Ok((float(records) / took.as_secs_f64(), float(records) / cpu.as_secs_f64().max(0.01)))
}

/// What the rows of a vault take.
fn stored_bytes(vault: &Vault) -> Result<u64, Problem> {
    match &vault.store().address {
        Some(address) => raw::database_bytes(address),
        None => Ok(folder_bytes(&vault.data())),
    }
}

/// The store's counters.
#[derive(Debug, Clone, Copy)]
struct StoreCounts {
    commits: f64,
    units: f64,
    apply: f64,
    commit: f64,
}

impl StoreCounts {
    fn since(self, before: StoreCounts) -> StoreShare {
        let commits = (self.commits - before.commits).max(1.0);
        let units = (self.units - before.units).max(1.0);
        StoreShare {
            batch: units / commits,
            apply_micros: (self.apply - before.apply) / units,
            commit_micros: (self.commit - before.commit) / commits,
        }
    }
}

fn store_counts(server: &Server) -> Result<StoreCounts, Problem> {
    let text = on_this_thread(async {
        let mut wire = Wire::connect(server.admin).await?;
        let (_, body) = wire.ask(b"GET /metrics HTTP/1.1\r\nhost: bench\r\n\r\n").await?;
        Ok(String::from_utf8_lossy(body).into_owned())
    })?;
    let read = |name: &str| {
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix("strongroom_store_")?.strip_prefix(name)?.strip_prefix(' '));
        value
            .and_then(|value| value.trim().parse().ok())
            .ok_or_else(|| fault("a server does not count what its store does"))
    };
    Ok(StoreCounts {
        commits: read("commits")?,
        units: read("units")?,
        apply: read("apply_micros")?,
        commit: read("commit_micros")?,
    })
}

/// A figure of refusals is no figure.
fn done(status: u16) -> bool {
    (200..300).contains(&status)
}

fn temporary_folder(within: Option<PathBuf>) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("strongroom-bench-");
    match within {
        Some(folder) => builder.tempdir_in(folder),
        None => builder.tempdir(),
    }
}

fn on_this_thread<T>(act: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(act)
}

/// What was measured, and where.
fn facts(sync_micros: f64, folder: &std::path::Path) -> Vec<(&'static str, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let line = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
        line.map_or_else(|| String::from("unknown"), |(_, value)| value.trim().to_owned())
    };
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let build =
        if cfg!(debug_assertions) { "debug build: its figures mean nothing" } else { "release build" };
    let where_to = folder.parent().unwrap_or(folder).display();
    vec![
        ("release", format!("strongroom {}, {build}", env!("CARGO_PKG_VERSION"))),
        ("commit", commit()),
        ("processor", format!("{processors} × {}", line(&read("/proc/cpuinfo"), "model name"))),
        ("memory", line(&read("/proc/meminfo"), "MemTotal")),
        ("system", format!("Linux {}", read("/proc/sys/kernel/osrelease").trim())),
        ("disk", format!("4 KiB written and synced in {} µs, in {where_to}", report::short(sync_micros))),
        ("load before", load_average()),
    ]
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// The commit of the folder that this runs in, if it is a checkout.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match git(&["rev-parse", "--short=12", "HEAD"]) {
        Some(commit) if git(&["status", "--porcelain"]).is_some_and(|changes| changes.is_empty()) => commit,
        Some(commit) => format!("{commit}, with changes"),
        None => String::from("unknown: not run in a checkout"),
    }
}

fn fault(title: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new("SR-BENCH-001", 500, title)
}

/// The middle of some figures; 0 of none.
fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "figures are shown with three digits")]
fn float(number: u64) -> f64 {
    number as f64
}
