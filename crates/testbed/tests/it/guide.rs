//! docs/guide/postgresql.md, from its first command to its last.

#![cfg(test)]

use std::path::Path;
use std::time::{Duration, Instant};

use testbed::{Site, Version};

/// A frame of the guide: what it holds, for which machine, under which heading.
#[derive(Debug)]
struct Frame {
    language: String,
    machine: String,
    heading: String,
    text: String,
}

fn frames() -> Vec<Frame> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/postgresql.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let mut frames: Vec<Frame> = Vec::new();
    let (mut heading, mut is_inside) = (String::new(), false);
    for line in guide.lines() {
        if let Some(info) = line.strip_prefix("```") {
            is_inside = !is_inside;
            if is_inside {
                let (language, machine) =
                    info.split_once(' ').expect("each frame says where its commands belong");
                let (language, machine) = (language.to_owned(), machine.to_owned());
                frames.push(Frame { language, machine, heading: heading.clone(), text: String::new() });
            }
        } else if is_inside {
            let text = &mut frames.last_mut().unwrap().text;
            text.push_str(line);
            text.push('\n');
        } else if let Some(words) = line.strip_prefix("## ") {
            heading = words.to_owned();
        }
    }
    frames
}

/// The machines of the guide, which are all this one.
struct Machines {
    db1: Site,
    db2: Site,
    drill: Site,
    archive: String,
    backups: String,
    /// When the rows were still there.
    before: String,
}

const PASSWORD: &str = "a-password-of-the-test";

impl Machines {
    fn new() -> Option<Machines> {
        let site = || {
            let site = Site::new(Version::V15)?;
            site.folder("logs");
            Some(site)
        };
        let (db1, db2, drill) = (site()?, site()?, site()?);
        let folder = |name| db1.folder(name).display().to_string();
        let (archive, backups) = (folder("archive"), folder("backups"));
        Some(Machines { db1, db2, drill, archive, backups, before: String::new() })
    }

    /// The names of what is in the archive.
    fn archived(&self) -> Vec<String> {
        let pieces = std::fs::read_dir(&self.archive).unwrap();
        pieces.map(|piece| piece.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn site(&self, name: &str) -> &Site {
        match name {
            "db1" => &self.db1,
            "db2" => &self.db2,
            "drill" => &self.drill,
            other => panic!("the guide has no machine `{other}`"),
        }
    }

    /// The text with what is here in place of what is there.
    fn here(&self, frame: &Frame) -> String {
        let site = self.site(&frame.machine);
        let host = |of: &Site| format!("host=127.0.0.1 port={} password={PASSWORD}", of.server().port());
        let data = site.server().data_dir();
        let mut text = frame.text.clone();
        for (there, here) in [
            ("/srv/postgresql", data.display().to_string()),
            ("/srv/log", data.parent().unwrap().join("logs").display().to_string()),
            ("/srv/archive", self.archive.clone()),
            ("/srv/backups", self.backups.clone()),
            ("/etc/postgresql/ca.pem", self.db1.server().ca().display().to_string()),
            ("/etc/postgresql/server", self.db1.certificate().display().to_string()),
            ("host=db1.internal", host(&self.db1)),
            ("host=db2.internal", host(&self.db2)),
            ("10.0.0.0/24", "127.0.0.1/32".to_owned()),
            ("listen_addresses = '*'", "listen_addresses = '127.0.0.1'".to_owned()),
            ("2026-11-27 10:00:00+00", self.before.clone()),
            // The folder of the socket is closed to others, and not everybody who runs this is called postgres.
            (" peer", " trust".to_owned()),
            ("=peer", "=trust".to_owned()),
        ] {
            text = text.replace(there, &here);
        }
        text
    }

    /// Does what a frame says. Gives what came of it.
    fn run(&self, frame: &Frame) -> Result<String, String> {
        let (site, text) = (self.site(&frame.machine), self.here(frame));
        match frame.language.as_str() {
            "sql" => site.server().try_sql("postgres", &text),
            "ini" => {
                site.add("postgresql.conf", &text);
                Ok(String::new())
            }
            "conf" => {
                std::fs::write(site.server().data_dir().join("pg_hba.conf"), text).unwrap();
                Ok(String::new())
            }
            "sh" => {
                let ran = site.shell(&text);
                Machines::tell_apart(site);
                ran
            }
            other => panic!("nobody knows what to do with `{other}`"),
        }
    }

    /// On three machines all servers have one port; here each has its own.
    fn tell_apart(site: &Site) {
        let settings = site.server().data_dir().join("postgresql.conf");
        let own = site.whereabouts();
        if std::fs::read_to_string(settings).is_ok_and(|text| !text.ends_with(&own)) {
            site.add("postgresql.conf", &own);
        }
    }

    fn ask(
        &self,
        site: &Site,
        role: &str,
        database: &str,
        sslmode: &str,
        statements: &str,
    ) -> Result<String, String> {
        let (port, ca) = (site.server().port(), self.db1.server().ca());
        let url = format!(
            "postgres://{role}:{PASSWORD}@127.0.0.1:{port}/{database}?sslmode={sslmode}&sslrootcert={}",
            ca.display()
        );
        site.server().ask(&url, statements)
    }

    fn ask_as(&self, site: &Site, role: &str, statements: &str) -> Result<String, String> {
        self.ask(site, role, "strongroom", "verify-full", statements)
    }
}

/// A value that belongs into no log.
const CANARY: &str = "zhang.wei@example.com";

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}: not within 20 s");
        std::thread::yield_now();
    }
}

fn log_of(site: &Site) -> String {
    std::fs::read_to_string(site.server().data_dir().parent().unwrap().join("logs/postgresql")).unwrap()
}

/// A statement fails on a row, as somebody's bug would make it.
fn fail_on_a_row(site: &Site) {
    let row = format!("CREATE TEMPORARY TABLE t (n text CHECK (n = '')); INSERT INTO t VALUES ('{CANARY}')");
    assert!(site.server().try_sql("postgres", &row).unwrap_err().contains("violates check constraint"));
}

/// Who goes from frame to frame, and leaves none out.
struct Walk {
    frames: std::vec::IntoIter<Frame>,
}

impl Walk {
    /// Does what the next frame says, which must stand under this heading. Gives what came of it.
    fn one(&mut self, machines: &Machines, heading: &str) -> String {
        let frame = self.frames.next().expect("the guide has another frame");
        assert_eq!(frame.heading, heading, "{frame:#?}");
        machines.run(&frame).unwrap_or_else(|error| panic!("{error}\nin: {frame:#?}"))
    }

    /// The same with all that are left under this heading.
    fn all(&mut self, machines: &Machines, heading: &str) {
        while self.frames.as_slice().first().is_some_and(|next| next.heading == heading) {
            self.one(machines, heading);
        }
    }
}

#[test]
fn every_command_of_the_guide_works_and_does_what_it_says() {
    let Some(mut machines) = Machines::new() else { return };
    let mut walk = Walk { frames: frames().into_iter() };
    set_up(&mut walk, &machines);
    back_up_and_restore(&mut walk, &mut machines);
    fail_over(&mut walk, &machines);
    assert!(walk.frames.next().is_none(), "the walk has left none out");
}

fn set_up(walk: &mut Walk, m: &Machines) {
    let server = m.db1.server();
    walk.all(m, "The server");
    assert_eq!(server.sql("postgres", "SHOW data_checksums"), "on");

    walk.all(m, "Roles");
    for role in ["strongroom_owner", "strongroom_run"] {
        server.sql("postgres", &format!("ALTER ROLE {role} PASSWORD '{PASSWORD}'"));
    }

    fail_on_a_row(&m.db1);
    assert!(log_of(&m.db1).contains(CANARY), "as PostgreSQL comes, it logs the row");
    let length = log_of(&m.db1).len();
    walk.all(m, "Settings");
    fail_on_a_row(&m.db1);
    let log = log_of(&m.db1).split_off(length);
    assert!(log.contains("violates check constraint") && !log.contains(CANARY), "{log}");

    walk.all(m, "TLS, and who may come in");
    m.ask_as(
        &m.db1,
        "strongroom_owner",
        "CREATE TABLE kept (n bigint PRIMARY KEY); INSERT INTO kept VALUES (1)",
    )
    .unwrap();
    m.ask_as(&m.db1, "strongroom_run", "INSERT INTO kept VALUES (2)").unwrap();
    for refused in [
        "CREATE TABLE b (n bigint)",
        "CREATE TEMPORARY TABLE b (n bigint)",
        "DROP TABLE kept",
        "TRUNCATE kept",
    ] {
        m.ask_as(&m.db1, "strongroom_run", refused).unwrap_err();
    }
    for (role, database, sslmode) in [
        ("strongroom_run", "strongroom", "disable"),
        ("strongroom_run", "postgres", "verify-full"),
        ("postgres", "postgres", "verify-full"),
    ] {
        let said = m.ask(&m.db1, role, database, sslmode, "SELECT 1").unwrap_err();
        assert!(said.contains("no pg_hba.conf entry"), "{role} {database} {sslmode}: {said}");
    }
    let faults = "SELECT name, setting, error FROM pg_file_settings WHERE error IS NOT NULL";
    assert_eq!(server.sql("postgres", faults), "", "each setting is known");
    assert_eq!(server.sql("postgres", "SELECT name FROM pg_settings WHERE pending_restart"), "");
}

fn back_up_and_restore(walk: &mut Walk, machines: &mut Machines) {
    for _ in 0..3 {
        walk.one(machines, "Backup");
    }
    let waiting = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";
    until("all pieces are in the archive", || machines.db1.server().sql("postgres", waiting) == "0");
    walk.one(machines, "Backup");
    let made = |name| Path::new(&machines.backups).join(name).exists();
    assert_eq!((made("monday"), made("tuesday")), (false, true), "what is from an ended epoch is gone");
    let label = std::fs::read_to_string(Path::new(&machines.backups).join("tuesday/backup_label")).unwrap();
    let first = label.split_once("(file ").unwrap().1.split_once(')').unwrap().0;
    let pieces = machines.archived();
    // Labels of backups stay; they hold no row.
    let (labels, pieces): (Vec<&String>, Vec<&String>) =
        pieces.iter().partition(|piece| piece.ends_with(".backup"));
    assert!(
        labels.iter().any(|label| label.as_str() < first),
        "there was a piece before {first}: {labels:?}"
    );
    assert!(pieces.iter().all(|piece| piece.as_str() >= first), "{pieces:?} from {first} on");

    machines.ask_as(&machines.db1, "strongroom_run", "INSERT INTO kept VALUES (3)").unwrap();
    machines.before = machines.db1.server().sql("postgres", "SELECT clock_timestamp()");
    let m = &*machines;
    m.ask_as(&m.db1, "strongroom_run", "DELETE FROM kept").unwrap();
    let piece = m.db1.server().sql("postgres", "SELECT pg_walfile_name(pg_switch_wal())");
    until("the piece is in the archive", || Path::new(&m.archive).join(&piece).exists());
    walk.one(m, "A restore, as a drill");
    walk.one(m, "A restore, as a drill");
    let server = m.drill.server();
    until("the drill is served", || {
        server.try_sql("strongroom", "SELECT pg_is_in_recovery()").is_ok_and(|said| said == "f")
    });
    assert_eq!(
        (server.sql("strongroom", ROWS), m.db1.server().sql("strongroom", ROWS)),
        ("1 2 3".into(), String::new())
    );
    server.sql("strongroom", "SELECT pg_switch_wal()");
    let waits = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";
    until("nothing of the drill waits for the archive", || server.sql("postgres", waits) == "0");
    let of_another_life = m.archived().into_iter().find(|piece| !piece.starts_with("00000001"));
    assert_eq!(of_another_life, None, "the drill writes into nobody's archive");
    walk.one(m, "A restore, as a drill");
    assert_eq!(std::fs::read_dir(server.data_dir()).unwrap().count(), 0);
}

const ROWS: &str = "SELECT string_agg(n::text, ' ' ORDER BY n) FROM kept";

fn fail_over(walk: &mut Walk, m: &Machines) {
    let heading = "A standby that every COMMIT waits for";
    walk.one(m, heading);
    m.db1.server().sql("postgres", &format!("ALTER ROLE replicator PASSWORD '{PASSWORD}'"));
    for _ in 0..3 {
        walk.one(m, heading);
    }
    let state = "SELECT application_name, sync_state FROM pg_stat_replication";
    until("the standby is waited for", || m.db1.server().sql("postgres", state) == "standby|sync");
    assert_eq!(walk.one(m, heading), "standby|sync");

    m.ask_as(&m.db1, "strongroom_run", "INSERT INTO kept VALUES (4)").unwrap();
    m.db1.kill_9();
    walk.all(m, "When the primary dies");
    m.ask_as(&m.db2, "strongroom_run", "INSERT INTO kept VALUES (5)").unwrap();

    walk.all(m, "The old primary comes back");
    until("the old primary is waited for", || m.db2.server().sql("postgres", state) == "standby|sync");
    m.ask_as(&m.db2, "strongroom_run", "INSERT INTO kept VALUES (6)").unwrap();
    until("it has all rows", || m.db1.server().sql("strongroom", ROWS) == "4 5 6");

    m.db1.kill_9();
    // Nobody is answered, until nobody is waited for any more.
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| m.ask_as(&m.db2, "strongroom_run", "INSERT INTO kept VALUES (7)"));
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        until("it waits for the standby", || m.db2.server().sql("postgres", waiting) == "1");
        assert!(!waits.is_finished());
        walk.all(m, "When the standby dies");
        waits.join().unwrap().unwrap();
    });
    assert_eq!(m.db2.server().sql("strongroom", ROWS), "4 5 6 7");
}
