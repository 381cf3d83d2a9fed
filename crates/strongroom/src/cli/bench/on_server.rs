//! Single operations where the rows lie on a PostgreSQL server: against the same in a folder, in the same rounds.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::load::{self, Bounds, Next};
use super::report::{self, Goal, Row, Sample};
use super::server::Server;
use super::vault::{self, Vault};
use super::{
    Bench, CHOICE, EMPTY, REQUESTS_LIMIT, REVEAL, WRITE, WRITE_NEW, done, float, inside, median, raw,
    serve_empty,
};
use crate::config::StoreConfig;
use crate::ground::Problem;

const FOLDER_WRITE: &str = "in a folder: write, known subject";
const FOLDER_NEW: &str = "in a folder: write, new subject";
const FOLDER_REVEAL: &str = "in a folder: reveal of 7 fields";
const FOLDER_CHOICE: &str = "in a folder: choice with receipt";

/// Single operations a second. SOURCE: DESIGN section 11.
const GOAL: f64 = 3_000.0;

/// Which work on the server is held against which in a folder.
const PAIRS: [(&str, &str); 4] =
    [(WRITE, FOLDER_WRITE), (WRITE_NEW, FOLDER_NEW), (REVEAL, FOLDER_REVEAL), (CHOICE, FOLDER_CHOICE)];

impl Bench {
    /// Rounds of all requests at all numbers of connections, on the server and in a folder in turn, and through two processes on
    /// the one database.
    pub(super) fn http_on_server(
        &mut self,
        vault: &Vault,
        server: &Server,
        customers: &[String],
        orders: Vec<String>,
    ) -> Result<(), Problem> {
        let folder = Vault::make(self.folder.path().join("in-a-folder"), StoreConfig::default())?;
        let near = folder.serve()?;
        let (near_customers, near_orders) = self.fill(&folder, &near)?;
        let empty = serve_empty()?;
        let beside = vault.serve_beside()?;
        let (customers, near_customers) = (Rc::new(customers.to_vec()), Rc::new(near_customers));
        let new_from = self.scale.customers as u64;
        let writes = vault.writes_known(&customers);
        let runs: [(&'static str, &Server, Next); 9] = [
            (EMPTY, &empty, vault::empties()),
            (WRITE, server, Rc::clone(&writes)),
            (FOLDER_WRITE, &near, folder.writes_known(&near_customers)),
            (WRITE_NEW, server, vault.writes_new(new_from)),
            (FOLDER_NEW, &near, folder.writes_new(new_from)),
            (REVEAL, server, vault.reveals(orders)),
            (FOLDER_REVEAL, &near, folder.reveals(near_orders)),
            (CHOICE, server, vault.choices(&customers)),
            (FOLDER_CHOICE, &near, folder.choices(&near_customers)),
        ];
        let mut rounds: Vec<Sample> = Vec::new();
        let mut both: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for round in 1..=self.scale.rounds {
            for connections in self.scale.connections.clone() {
                self.say(&format!("{connections} connections, round {round} of {}", self.scale.rounds));
                let mut baseline: Option<Sample> = None;
                for (workload, of, next) in &runs {
                    let mut sample = self.sample(workload, of, connections, next)?;
                    let empty = baseline.get_or_insert_with(|| sample.clone());
                    sample.cpu_ratio = sample.cpu_micros / empty.cpu_micros;
                    sample.rate_ratio = sample.rate / empty.rate;
                    rounds.push(sample);
                }
                let bounds =
                    Bounds { connections, time: self.scale.run, requests: REQUESTS_LIMIT, expected: done };
                let load = load::run(&[server.api, beside.api], bounds, &writes, None)?;
                both.entry(connections).or_default().push(float(load.requests) / load.seconds);
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
        self.rows_on_server(&mut both);
        let (_, most) = server.memory_kib()?;
        let (_, near_most) = near.memory_kib()?;
        self.add(Row::new(
            "memory, under load",
            float(most) / 1_024.0,
            "MiB",
            float(near_most) / 1_024.0,
            "the same in a folder",
        ));
        drop(runs);
        beside.close()?;
        near.close()?;
        self.plain_rows(&folder)
    }

    fn rows_on_server(&mut self, both: &mut BTreeMap<usize, Vec<f64>>) {
        let load = self.report.load.clone();
        let find = |workload: &str, connections: usize| {
            load.iter().find(|sample| sample.workload == workload && sample.connections == connections)
        };
        for connections in self.scale.connections.clone() {
            for (here, near) in PAIRS {
                let (Some(here), Some(near)) = (find(here, connections), find(near, connections)) else {
                    continue;
                };
                let what = format!("{}, {connections} connections", here.workload);
                let row = Row::new(what, here.rate, "/s", near.rate, "the same in a folder");
                // The goal is for whoever fills the machine; one caller alone waits for a sync each time.
                self.add(if connections > 1 { row.goal(Goal::AtLeast(GOAL)) } else { row });
            }
            if let (Some(rates), Some(one)) = (both.get_mut(&connections), find(WRITE, connections)) {
                let what = format!("{WRITE}, {connections} connections to two servers");
                self.add(Row::new(what, median(rates), "/s", one.rate, "to one server"));
            }
        }
    }

    /// What the driver reaches by itself with rows of the same size.
    fn plain_rows(&mut self, folder: &Vault) -> Result<(), Problem> {
        let Some(databases) = self.databases.clone() else { return Ok(()) };
        self.say("plain rows");
        let house = inside::Inside::open(folder)?;
        let sizes = house.sizes()?;
        house.close();
        let run =
            |batch, sent| raw::group_commit_on(&databases.address(0), sizes, batch, sent, self.scale.run);
        let sqlite = |batch| raw::group_commit(self.folder.path(), sizes, batch, self.scale.run);
        let mut rows = Vec::new();
        for batch in [1, 64] {
            let (in_turn, together, near) =
                (run(batch, raw::Sent::InTurn)?, run(batch, raw::Sent::Together)?, sqlite(batch)?);
            let what = |how: &str| format!("plain rows, {batch} a commit, {how}");
            rows.push(Row::new(what("each answered"), in_turn, "/s", near, "rusqlite"));
            rows.push(Row::new(what("sent together"), together, "/s", in_turn, "each answered"));
        }
        self.report.rows.extend(rows);
        Ok(())
    }
}
