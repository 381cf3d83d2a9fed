//! Files as shops have them: workbooks, and what spreadsheets and marketplaces make of CSV. Those that are read here were made by
//! LibreOffice, XlsxWriter and iconv (`tests/fixtures/make.sh`); those that are refused, by hand.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value as Json, json};

const POLICY: &str = r#"
format = 1
[shop]
id = "sheets"
name = { zh = "表格", en = "Sheets" }
languages = ["zh", "en"]
zone = "Asia/Shanghai"
region = "cn"
serves = ["cn"]
kept_in = "cn"
officer = { name = "Privacy", contact = "privacy@sheets.example" }
reviewed = 2026-11-01
review = "12mo"
[record.customer]
label = { zh = "顾客", en = "Customer" }
fields = ["name", "phone", "birthday", "balance", "postcode"]
events = ["active"]
[field.name]
category = "user.name"
label = { zh = "姓名", en = "Name" }
normalise = "text"
[field.phone]
category = "user.contact.phone_number"
label = { zh = "手机", en = "Telephone" }
normalise = "phone"
[field.birthday]
kind = "date"
category = "user.demographic.date_of_birth"
label = { zh = "生日", en = "Birthday" }
[field.balance]
kind = "decimal"
category = "user.payment"
label = { zh = "余额", en = "Balance" }
[field.postcode]
category = "user.contact.address.postal_code"
label = { zh = "邮编", en = "Postcode" }
normalise = "text"
[purpose.account]
use = "essential.service"
basis = "contract"
says = { zh = "为您管理账户", en = "To run your account" }
fields = ["name", "phone", "birthday", "balance", "postcode"]
keep = "3y after customer.active"
[purpose.marketing]
use = "marketing.communications"
basis = "consent"
says = { zh = "给您发消息", en = "To write to you" }
fields = ["phone"]
keep = "until withdrawn"
"#;

/// What the customers' workbooks are read by.
const CUSTOMERS: &str = r#"
[time]
zone = "Asia/Shanghai"
format = "%d/%m/%Y"
[fields]
name = "name"
phone = "mobile"
birthday = "birthday"
balance = { from = "balance", bad = "drop" }
postcode = "postcode"
[events]
active = "joined"
[choice.marketing]
column = "newsletter"
granted = ["true"]
refused = ["false"]
notice = { version = 1, language = "zh" }
"#;

/// What the orders are read by: whoever receives a parcel is a customer here.
const ORDERS: &str = r#"
kind = "customer"
external_id = "订单编号"
[fields]
name = "收货人姓名"
phone = "联系手机"
"#;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

struct Vault {
    folder: tempfile::TempDir,
}

impl Vault {
    fn new() -> Vault {
        let vault = Vault { folder: tempfile::tempdir().unwrap() };
        let policy = vault.write("policy.toml", POLICY);
        vault.done(&[
            "init",
            "--policy",
            policy.to_str().unwrap(),
            "--keys",
            "keys",
            "--credential-out",
            "admin.txt",
        ]);
        vault
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command.args(args).args(["--data", "vault", "--json"]).current_dir(self.folder.path());
        command
    }

    fn done(&self, args: &[&str]) -> Json {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or(Json::Null)
    }

    fn run(&self, file: &Path, mapping: &str, flags: &[&str]) -> Output {
        let mapping = self.write("mapping.toml", mapping);
        let args = [
            "import",
            file.to_str().unwrap(),
            "--mapping",
            mapping.to_str().unwrap(),
            "--rejects",
            "rejects.csv",
        ];
        self.command(&[&args, flags].concat()).output().unwrap()
    }

    /// What an import counted. Every row is in one outcome.
    fn import(&self, file: &Path, mapping: &str, flags: &[&str]) -> Json {
        let output = self.run(file, mapping, flags);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let counts = serde_json::from_slice::<Json>(&output.stdout).unwrap()["counts"].clone();
        let outcomes = ["created", "updated", "unchanged", "skipped", "past_end", "nothing_kept", "rejected"];
        let sum: u64 = outcomes.iter().map(|outcome| counts[outcome].as_u64().unwrap()).sum();
        assert_eq!(counts["rows"], sum, "{counts}");
        counts
    }

    /// The code of the problem of an import, which took nothing in.
    fn refused(&self, file: &Path, mapping: &str, flags: &[&str]) -> String {
        let output = self.run(file, mapping, flags);
        assert!(!output.status.success());
        let talk = String::from_utf8(output.stderr).unwrap();
        assert!(!self.folder.path().join("rejects.csv").exists(), "{talk}");
        let problem: Json = serde_json::from_str(talk.lines().last().unwrap()).unwrap();
        problem["code"].as_str().unwrap().to_owned()
    }

    /// Rejected rows as `line,column,code`.
    fn rejects(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("rejects.csv")).unwrap();
        text.lines().skip(1).map(|line| line.splitn(4, ',').take(3).collect::<Vec<_>>().join(",")).collect()
    }

    /// What is kept of a customer.
    fn kept(&self, id: &str) -> Json {
        let path = self.folder.path().join("clerk.txt");
        if !path.exists() {
            let add = ["credentials", "add", "--role", "service", "--purpose", "account", "--label", "clerk"];
            self.done(&[&add[..], &["--out", "clerk.txt"]].concat());
        }
        let reveal = ["reveal", "--purpose", "account", "--subject", id, "--credential-file", "clerk.txt"];
        self.done(&reveal)["records"][0]["fields"].clone()
    }

    fn verifies(&self) {
        assert_eq!(self.done(&["ledger", "verify"])["verified"], true);
    }
}

fn customers(head: &str) -> String {
    format!("kind = \"customer\"\nexternal_id = \"customer_no\"\n{head}\n{CUSTOMERS}")
}

#[test]
fn a_workbook_is_taken_in_as_its_user_sees_it() {
    let vault = Vault::new();
    let (file, mapping) = (fixture("customers.xlsx"), customers("sheet = \"顾客\""));
    let counts = vault.import(&file, &mapping, &[]);
    assert_eq!(
        (&counts["rows"], &counts["created"], &counts["rejected"], &counts["choices"]),
        (&json!(9), &json!(5), &json!(4), &json!(3)),
        "{counts}"
    );
    assert_eq!((&counts["hidden_rows"], &counts["other_sheets"]), (&json!(1), &json!(2)));
    assert_eq!(counts["dropped_columns"], json!({ "note": 1 }));
    assert_eq!(
        vault.rejects(),
        [
            "4,customer_no,SR-IMPORT-024",
            "5,mobile,SR-IMPORT-025",
            "6,customer_no,SR-IMPORT-028",
            "7,birthday,SR-IMPORT-027",
            "9,balance,SR-IMPORT-025",
        ]
    );
    let first = json!({ "name": "陈玉珍", "phone": "+8615326541554", "birthday": "1937-01-13", "balance": "0.3", "postcode": "012345" });
    assert_eq!(vault.kept("1001"), first);
    let second = json!({ "name": "宋晨", "phone": "+8615264276848", "birthday": "1900-03-01", "balance": "12.5", "postcode": "012345" });
    assert_eq!(vault.kept("202611220000000002"), second);
    let formulas =
        json!({ "name": "周杰", "phone": "+8615264276853", "birthday": "1988-02-03", "postcode": "200000" });
    assert_eq!(vault.kept("1008"), formulas);
    let again = vault.import(&file, &mapping, &[]);
    assert_eq!(
        (&again["unchanged"], &again["created"], &again["choices"]),
        (&json!(5), &json!(0), &json!(0))
    );
    vault.verifies();
}

#[test]
fn rejects_of_a_workbook_name_no_value_of_it() {
    let vault = Vault::new();
    vault.import(&fixture("customers.xlsx"), &customers("sheet = \"顾客\""), &[]);
    let told = std::fs::read_to_string(vault.folder.path().join("rejects.csv")).unwrap();
    for value in ["20261122", "2.02", "刘雷", "王芳", "46024", "32176", "1526427", "2026"] {
        assert!(!told.contains(value), "{value} is told: {told}");
    }
}

#[test]
fn days_counted_from_1904_are_the_same_days() {
    let vault = Vault::new();
    let counts = vault.import(&fixture("customers-1904.xlsx"), &customers(""), &[]);
    assert_eq!((&counts["created"], &counts["rejected"]), (&json!(2), &json!(0)), "{counts}");
    assert_eq!(vault.kept("1001")["birthday"], "1937-01-13");
    assert_eq!(vault.kept("1002")["birthday"], "1988-02-29");
    let shown = vault.done(&["subject", "show", "1001"]);
    // The same instant and three years: 1 October 2026, half past eight in Shanghai.
    assert!(shown.to_string().contains("2029-10-01"), "{shown}");
}

#[test]
fn a_merged_cell_stands_in_all_of_its_rows() {
    let vault = Vault::new();
    let mapping = "kind = \"customer\"\nexternal_id = \"订单编号\"\nheader_row = 2\n[fields]\nname = \"收货人\"\nphone = \"手机\"\n";
    let counts = vault.import(&fixture("merged.xlsx"), mapping, &[]);
    assert_eq!(
        (&counts["created"], &counts["unchanged"], &counts["rejected"]),
        (&json!(2), &json!(2), &json!(1)),
        "three rows of one order, another, and one without a number: {counts}"
    );
    assert_eq!(vault.rejects(), ["7,订单编号,SR-COLLECT-003"]);
    assert_eq!(vault.kept("SO-1"), json!({ "name": "陈玉珍", "phone": "+8615326541554" }));
}

#[test]
fn texts_that_stand_in_their_cells_are_read_and_a_hidden_sheet_is_not_the_first() {
    let vault = Vault::new();
    let mapping = "kind = \"customer\"\nexternal_id = \"customer_no\"\n[fields]\nname = \"name\"\nphone = \"mobile\"\nbirthday = \"birthday\"\n";
    let counts = vault.import(&fixture("inline.xlsx"), mapping, &[]);
    assert_eq!((&counts["created"], &counts["other_sheets"]), (&json!(1), &json!(1)), "{counts}");
    assert_eq!(vault.rejects(), ["3,customer_no,SR-IMPORT-024"]);
    let kept = json!({ "name": "陈玉珍", "phone": "+8615326541554", "birthday": "1937-01-13" });
    assert_eq!(vault.kept("202611220000000001"), kept);
}

#[test]
fn a_sheet_that_is_not_there_and_a_file_that_is_no_workbook_are_refused() {
    let vault = Vault::new();
    let refused = |file: &Path, head: &str, flags: &[&str]| vault.refused(file, &customers(head), flags);
    assert_eq!(refused(&fixture("customers.xlsx"), "sheet = \"Kunden\"", &[]), "SR-IMPORT-032");
    assert_eq!(
        refused(&fixture("customers.xlsx"), "", &[]),
        "SR-IMPORT-005",
        "the first sheet has other columns"
    );
    assert_eq!(refused(&fixture("orders.csv"), "", &["--format", "xlsx"]), "SR-IMPORT-030");
    assert_eq!(refused(&fixture("customers.xlsx"), "", &["--format", "csv"]), "SR-IMPORT-030");
    let old = vault.write("old.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest");
    assert_eq!(refused(&old, "", &[]), "SR-IMPORT-030");
    assert_eq!(refused(&vault.write("old.xls", b"\xd0\xcf"), "", &[]), "SR-IMPORT-006");
    let twice = vault
        .write("twice.csv", "customer_no,name,mobile,birthday,balance,postcode,joined,newsletter,name\n");
    assert_eq!(refused(&twice, "", &[]), "SR-IMPORT-033");
}

#[test]
fn orders_as_a_chinese_marketplace_exports_them_keep_their_numbers() {
    let vault = Vault::new();
    let file = fixture("orders.gb18030.csv");
    let said = format!("encoding = \"gbk\"\n{ORDERS}");
    let counts = vault.import(&file, &said, &[]);
    assert_eq!((&counts["created"], &counts["rejected"]), (&json!(3), &json!(2)), "{counts}");
    assert_eq!(vault.rejects(), ["6,订单编号,SR-IMPORT-024", "7,联系手机,SR-IMPORT-024"]);
    for (id, name, phone) in [
        ("2231958349000000001", "陈玉珍", "+8615326541554"),
        ("2231958349000000002", "宋晨", "+8615264276848"),
        ("2231958349000000003", "刘雷𠀀", "+8615264276849"),
    ] {
        assert_eq!(vault.kept(id), json!({ "name": name, "phone": phone }));
    }
    let again = vault.import(&file, &said, &[]);
    assert_eq!((&again["unchanged"], &again["rejected"]), (&json!(3), &json!(2)));
    // The same rows in UTF-8 are the same people.
    let same = vault.import(&fixture("orders.csv"), ORDERS, &[]);
    assert_eq!((&same["unchanged"], &same["rejected"]), (&json!(3), &json!(2)));
    vault.verifies();
}

#[test]
fn an_encoding_is_never_guessed_and_never_believed_against_the_bytes() {
    let vault = Vault::new();
    let (gb, utf8) = (fixture("orders.gb18030.csv"), fixture("orders.csv"));
    let said = format!("encoding = \"gb18030\"\n{ORDERS}");
    assert_eq!(vault.refused(&gb, ORDERS, &[]), "SR-IMPORT-020");
    assert_eq!(vault.refused(&utf8, &said, &[]), "SR-IMPORT-021");
    assert_eq!(vault.refused(&utf8, ORDERS, &["--encoding", "latin1"]), "SR-IMPORT-022");
    assert_eq!(vault.refused(&gb, &format!("encoding = \"latin1\"\n{ORDERS}"), &[]), "SR-IMPORT-001");
    let by_flag = vault.import(&gb, ORDERS, &["--encoding", "GB18030"]);
    assert_eq!(by_flag["created"], 3);
    let before_the_mapping = vault.import(&utf8, &said, &["--encoding", "utf-8"]);
    assert_eq!(before_the_mapping["unchanged"], 3);
}

#[test]
fn bytes_that_do_not_decode_cost_their_row_and_no_other() {
    let vault = Vault::new();
    let whole = std::fs::read(fixture("orders.gb18030.csv")).unwrap();
    // The first byte of the family name of the first receiver.
    let at = whole.windows(4).position(|bytes| bytes == b"\xb3\xc2\xd3\xf1").unwrap();
    let mut file = whole.clone();
    file[at] = 0xff;
    let file = vault.write("broken.csv", file);
    let counts = vault.import(&file, ORDERS, &["--encoding", "gb18030"]);
    assert_eq!((&counts["created"], &counts["rejected"]), (&json!(2), &json!(3)), "{counts}");
    assert_eq!(vault.rejects()[0], "2,收货人姓名,SR-IMPORT-015");
    // Text that was broken elsewhere, and says so.
    let file = vault.write("lost.csv", "订单编号,收货人姓名,联系手机\n1,\u{fffd}玉珍,\n");
    vault.import(&file, ORDERS, &[]);
    assert_eq!(vault.rejects(), ["2,收货人姓名,SR-IMPORT-023"]);
}

#[test]
fn utf_16_is_read_by_its_mark() {
    let vault = Vault::new();
    let first = vault.import(&fixture("orders.utf-16le.tsv"), ORDERS, &[]);
    assert_eq!((&first["created"], &first["rejected"]), (&json!(2), &json!(0)), "{first}");
    assert_eq!(vault.kept("2231958349000000002"), json!({ "name": "宋晨𠀀", "phone": "+8615264276848" }));
    for same in ["orders.utf-16be.tsv", "orders.tsv"] {
        assert_eq!(vault.import(&fixture(same), ORDERS, &[])["unchanged"], 2, "{same}");
    }
    let unmarked = std::fs::read(fixture("orders.utf-16le.tsv")).unwrap().split_off(2);
    let unmarked = vault.write("unmarked.tsv", unmarked);
    assert_eq!(vault.import(&unmarked, ORDERS, &["--encoding", "utf-16le"])["unchanged"], 2);
}

#[test]
fn a_file_of_rejects_holds_no_formula() {
    let vault = Vault::new();
    let file = vault.write("formula.csv", "id,\"=HYPERLINK(\"\"http://x.example\"\")\",@b\n1,5,\n2,,none\n");
    let mapping = "kind = \"customer\"\nexternal_id = \"id\"\n[fields]\nphone = '=HYPERLINK(\"http://x.example\")'\nbirthday = \"@b\"\n";
    vault.import(&file, mapping, &[]);
    let told = std::fs::read_to_string(vault.folder.path().join("rejects.csv")).unwrap();
    let lines: Vec<&str> = told.lines().skip(1).collect();
    assert!(lines[0].starts_with("2,\"'=HYPERLINK(\"\"http://x.example\"\")\",SR-KEEP-016,"), "{told}");
    assert!(lines[1].starts_with("3,'@b,SR-KEEP-016,"), "{told}");
}

#[test]
fn numbers_in_csv_are_days_only_where_the_mapping_says_so() {
    let vault = Vault::new();
    let file =
        vault.write("days.csv", "sep=;\nid;born;seen\n1;32176;46296,5\n2;1988-02-03;46296.5\n3;;20261001\n");
    let mapping = |time: &str| {
        format!(
            "kind = \"customer\"\nexternal_id = \"id\"\n[time]\nformat = \"%Y%m%d\"\n{time}\n[fields]\nbirthday = \"born\"\n[events]\nactive = \"seen\"\n"
        )
    };
    vault.import(&file, &mapping(""), &[]);
    assert_eq!(vault.rejects(), ["3,born,SR-KEEP-016", "4,seen,SR-IMPORT-016"]);
    let counts = vault.import(&file, &mapping("serials = \"1900\""), &[]);
    assert_eq!(vault.rejects(), ["3,seen,SR-IMPORT-016"], "a comma is no point: {counts}");
    assert_eq!(vault.kept("2"), json!({ "birthday": "1988-02-03" }));
}

// ── What is refused ─────────────────────────────────────────────────────────────────────────────────────────────────────

/// A part of a workbook: name, method, what lies in the file, and how much it says it unfolds to.
type Part<'a> = (&'a str, u16, &'a [u8], usize);

/// A zip. Sizes and check sums are those that are said, true or not.
fn zip(parts: &[Part<'_>]) -> Vec<u8> {
    let two = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    let four = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, method, bytes, size) in parts {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut head = Vec::new();
        for field in [20_u16, 0, *method, 0, 0] {
            head.extend(field.to_le_bytes());
        }
        head.extend(crc.sum().to_le_bytes());
        head.extend(four(bytes.len()));
        head.extend(four(*size));
        head.extend(two(name.len()));
        head.extend([0; 2]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&head);
        directory.extend([0; 10]);
        directory.extend(four(file.len()));
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&head);
        file.extend(name.as_bytes());
        file.extend(*bytes);
    }
    let at = file.len();
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([two(parts.len()); 2].concat());
    file.extend(four(directory.len()));
    file.extend(four(at));
    file.extend([0; 2]);
    file
}

const RELATIONS: &[u8] =
    b"<Relationships><Relationship Id=\"a\" Type=\"x/officeDocument\" Target=\"w.xml\"/></Relationships>";
const OF_WORKBOOK: &[u8] =
    b"<Relationships><Relationship Id=\"s\" Type=\"x/worksheet\" Target=\"s.xml\"/></Relationships>";
const WORKBOOK: &[u8] = b"<workbook><sheets><sheet name=\"a\" id=\"s\"/></sheets></workbook>";

/// A workbook of one sheet.
fn workbook(method: u16, sheet: &[u8]) -> Vec<u8> {
    let size = sheet.len();
    let parts = [("_rels/.rels", RELATIONS), ("w.xml", WORKBOOK), ("_rels/w.xml.rels", OF_WORKBOOK)];
    let mut parts: Vec<Part<'_>> =
        parts.iter().map(|(name, bytes)| (*name, 0, *bytes, bytes.len())).collect();
    parts.push(("s.xml", method, sheet, size));
    zip(&parts)
}

/// Deflates a beginning, and then the same piece so many times: what is the same is deflated once.
fn deflated(begin: &[u8], piece: &[u8], times: usize) -> Vec<u8> {
    let mut deflating = flate2::Compress::new(flate2::Compression::best(), false);
    let mut all = |bytes: &[u8]| {
        let mut out = Vec::with_capacity(bytes.len() + 1_024);
        deflating.compress_vec(bytes, &mut out, flate2::FlushCompress::Full).unwrap();
        out
    };
    let (mut file, piece) = (all(begin), all(piece));
    file.extend(piece.repeat(times));
    file
}

const HEADER: &str = "<worksheet><sheetData><row><c t=\"str\"><v>订单编号</v></c><c t=\"str\"><v>收货人姓名</v></c><c t=\"str\"><v>联系手机</v></c></row>";

#[test]
fn a_sheet_of_a_thousand_million_cells_and_a_text_without_end_are_refused_before_anything_is_taken_in() {
    let vault = Vault::new();
    // More than are written at once.
    let rows = "<row><c t=\"str\"><v>SO-1</v></c><c t=\"str\"><v>陈玉珍</v></c></row>".repeat(1_100);
    let bomb = |name: &str, begin: &str, piece: &str, times: usize| {
        let sheet =
            deflated(format!("{HEADER}{rows}{begin}").as_bytes(), piece.repeat(1_000_000).as_bytes(), times);
        assert!(sheet.len() < 10 << 20, "{name} is {} bytes large", sheet.len());
        vault.write(name, workbook(8, &sheet))
    };
    for file in [
        bomb("cells.xlsx", "<row>", "<c/>", 1_000),
        bomb("rows.xlsx", "", "<row/>", 1_000),
        bomb("text.xlsx", "<row><c t=\"str\"><v>", "x", 5_000),
        bomb("blanks.xlsx", "", " ", 5_000),
    ] {
        assert_eq!(vault.refused(&file, ORDERS, &[]), "SR-IMPORT-031", "{}", file.display());
    }
    let output = vault.command(&["subject", "show", "SO-1"]).output().unwrap();
    assert!(!output.status.success(), "no row before the bomb was taken in");
}

#[test]
fn an_import_of_a_workbook_that_is_killed_goes_on_and_loses_no_row_and_no_reject() {
    const ROWS: u64 = 6_000;
    let vault = Vault::new();
    let mut sheet = HEADER.to_owned();
    for row in 1..=ROWS {
        let phone = if row % 10 == 0 { "none".to_owned() } else { format!("138{row:08}") };
        sheet.push_str(&format!(
            "<row><c><v>{row}</v></c><c t=\"str\"><v>顾客</v></c><c t=\"str\"><v>{phone}</v></c></row>"
        ));
    }
    sheet.push_str("</sheetData></worksheet>");
    let file = vault.write("many.xlsx", workbook(0, sheet.as_bytes()));
    let mapping = vault.write("mapping.toml", ORDERS);
    let args = [
        "import",
        file.to_str().unwrap(),
        "--mapping",
        mapping.to_str().unwrap(),
        "--rejects",
        "rejects.csv",
    ];
    // A chunk has 102 rejects or 103. Once some of the next are told, the chunk counts as done.
    let told = || {
        std::fs::read_to_string(vault.folder.path().join("rejects.csv")).unwrap_or_default().lines().count()
    };
    let mut child = vault.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while told() < 110 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = vault.run(&file, ORDERS, &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("going on behind"), "{output:?}");
    let counts = serde_json::from_slice::<Json>(&output.stdout).unwrap()["counts"].clone();
    assert_eq!((&counts["rows"], &counts["rejected"]), (&json!(ROWS), &json!(600)));
    let lines: Vec<u64> =
        vault.rejects().iter().map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(lines, (1..=600).map(|n| n * 10 + 1).collect::<Vec<u64>>());
    vault.verifies();
}
