//! The walk: one step after the other, each asked of the real server and held against what it must be.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ledger::checkpoint::Checkpoint;
use ledger::hash::{Hash, leaf_hash};
use ledger::note::Verifier;
use ledger::opening::Tag;
use ledger::receipt::Receipt;
use ledger::tile::TilePath;
use ledger::tree::{
    Tiles, consistency_proof, inclusion_proof, row_length, tile_width, verify_consistency, verify_inclusion,
};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::made_up::customers;
use super::paper::{Language, both};
use super::stage::{Stage, Stop, Who, order, text, texts};
use super::{DemoArgs, POLICY, end};
use crate::ground::clock::instant;
use crate::ground::keys_folder::write_new;
use crate::ground::{Problem, RecordId, hex};
use crate::keep;

/// What the shop's form asks for, and nothing needs.
const BIRTH_DATE: &str = "1990-05-17";
/// Records in one request.
const BATCH: usize = 500;

pub(super) async fn walk(args: &DemoArgs, stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let (api, folder) = (stage.listening.api, stage.folder.display().to_string());
    stage.paper.title(
        &both!(speaks, "Strongroom: the privacy policy that runs", "Strongroom：会运行的隐私政策"),
        &both!(
            speaks,
            "A server is running at http://{api}, on a vault made a moment ago in {folder}. The shop, Harbour & Hill, sells tea. \
             Its customers are made up; all else is real: every value below comes from an answer of the server, and is checked.",
            "服务器正在 http://{api} 运行，数据库是刚刚在 {folder} 中建立的。店铺“海港与山”卖茶。顾客是虚构的，其余都是真的：下面每个值都来自服务器的应答，并且都核对过。"
        ),
    );
    house(args, stage).await?;
    pause(args).await;
    collect(stage).await?;
    pause(args).await;
    on_disk(stage).await?;
    pause(args).await;
    reveal(stage).await?;
    pause(args).await;
    refusal(stage).await?;
    pause(args).await;
    choice(stage).await?;
    pause(args).await;
    clock(stage).await?;
    pause(args).await;
    search(stage).await?;
    pause(args).await;
    erasure(stage).await?;
    pause(args).await;
    afterwards(stage).await?;
    pause(args).await;
    proof(stage).await?;
    let steps = stage.number();
    stage.paper.end_step();
    stage.paper.gap();
    stage.paper.gap();
    stage.paper.say(&both!(
        speaks,
        "All {steps} steps were as they must be.",
        "全部 {steps} 步都与预期一致。"
    ));
    if !args.once {
        end::look_around(stage).await?;
    }
    Ok(())
}

async fn pause(args: &DemoArgs) {
    if args.pace > 0 {
        tokio::time::sleep(Duration::from_secs(u64::from(args.pace))).await;
    }
}

/// The policy in force, the callers, the customers.
async fn house(args: &DemoArgs, stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    stage.step(&both!(speaks, "One file says what the shop promises", "店铺的承诺写在一个文件里"));
    stage.paper.say(&both!(
        speaks,
        "The policy is one file: which fields are kept, for which purposes, on what ground, for how long, and who receives them. \
         It was checked as a compiler checks a program, and published.",
        "政策就是一个文件：保存哪些字段，用于什么目的，依据是什么，保存多久，谁会收到。它像程序一样经过检查，然后发布。"
    ));
    let answer = stage.get(Who::Admin, "/v1/policy", 200).await?;
    let digest = hex(&Sha256::digest(POLICY.as_bytes()));
    stage.must(
        text(&answer, "/digest") == digest,
        both!(
            speaks,
            "the policy in force is this file, byte for byte: its SHA-256 is the one that the server answers",
            "生效的政策与该文件逐字节相同：SHA-256 与服务器的应答一致"
        ),
    )?;
    let report = policy::check(text(&answer, "/text"), "shop.toml", crate::cli::check::today());
    let read = report.policy.ok_or_else(|| {
        Stop::Wrong(both!(speaks, "the published policy has no errors", "已发布的政策没有错误"))
    })?;
    let (kinds, purposes, recipients) = (read.kinds.len(), read.purposes.len(), read.recipients.len());
    let by_consent = read.purposes.iter().filter(|purpose| purpose.basis == policy::Basis::Consent).count();
    stage.must(
        kinds > 0 && purposes > by_consent,
        both!(
            speaks,
            "it has {kinds} kinds of record, {purposes} purposes, {by_consent} of them by consent, and {recipients} recipients",
            "其中有 {kinds} 类记录、{purposes} 个目的（{by_consent} 个须经同意）、{recipients} 个接收方"
        ),
    )?;
    stage.policy = Some(read);

    let mut rows = Vec::new();
    for (who, role, purposes) in Who::HIRED {
        let wanted = json!({ "role": role, "label": who.label(), "purposes": purposes });
        let made = stage.quietly(Who::Admin, "/v1/credentials", &wanted).await?;
        let credential = text(&made, "/credential").to_owned();
        if !credential.starts_with("srk_") {
            return Err(Stop::Wrong(both!(speaks, "everybody has a credential", "每个调用方都有凭证")));
        }
        stage.hire(who, credential);
        let purposes = if purposes.is_empty() { String::from("–") } else { purposes.join(", ") };
        rows.push(vec![who.name(speaks).to_owned(), role.to_owned(), purposes]);
    }
    stage.paper.gap();
    let head = match speaks {
        Language::En => ["who calls", "role", "may use data for"],
        Language::Zh => ["调用方", "角色", "可用于的目的"],
    };
    stage.paper.table(&head.map(str::to_owned), &rows);
    stage.paper.gap();

    let count = usize::try_from(args.customers).unwrap_or(usize::MAX);
    stage.customers = customers(count, args.seed, speaks, stage.now);
    // One phone, two people: a family. The third customer types it another way.
    let phone = stage.hero()?.phone;
    let shared: String = phone.chars().filter(|letter| letter.is_ascii_digit() || *letter == '+').collect();
    if let Some(third) = stage.customers.get_mut(2) {
        third.phone = shared;
    }
    let others = stage.customers.get(1..).unwrap_or_default().to_vec();
    let (mut written, mut sent) = (0, 0);
    for records in [
        others.iter().map(super::made_up::Customer::customer_record).collect::<Vec<_>>(),
        others.iter().map(super::made_up::Customer::order_record).collect::<Vec<_>>(),
    ] {
        for items in records.chunks(BATCH) {
            let answer =
                stage.quietly(Who::Checkout, "/v1/records:batch", &json!({ "items": items })).await?;
            written += answer.get("written").and_then(Json::as_u64).unwrap_or(0);
            sent += items.len() as u64;
        }
    }
    let people = others.len();
    stage.head_kept = String::from_utf8(stage.fetch(Who::Stranger, "/ledger/checkpoint").await?.to_vec())
        .unwrap_or_default();
    let verifier = Verifier::parse(&stage.verifier_key).map_err(Problem::from)?;
    let entries =
        Checkpoint::open(&stage.head_kept, &verifier, verifier.name()).map_err(Problem::from)?.size();
    stage.must(
        written == sent && sent == people as u64 * 2 && entries >= written,
        both!(
            speaks,
            "{people} customers with an order each came in through the API, half of them English and half Chinese: {written} records; the ledger has {entries} entries now",
            "{people} 位顾客（中英各半）及其订单经接口写入：共 {written} 条记录；账本现有 {entries} 个条目"
        ),
    )?;
    stage.paper.why(&both!(
        speaks,
        "The notice that people read and the rules that run are the same text. Neither can change without the other, and each \
         published version has its digest in the ledger.",
        "人们读到的告知与系统执行的规则是同一份文本，改一个就是改另一个；每个已发布版本的摘要都在账本里。"
    ));
    Ok(())
}

async fn collect(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let hero = stage.hero()?;
    stage.step(&both!(
        speaks,
        "Collect: what no purpose needs is dropped at the door",
        "收集：没有目的需要的，进门就丢弃"
    ));
    stage.paper.say(&both!(
        speaks,
        "A customer buys tea. The shop's form asks for more than the policy has a reason to keep.",
        "一位顾客买茶。店铺的表单问得比政策有理由保存的更多。"
    ));
    let mut sent = hero.customer_record();
    if let Some(fields) = sent.get_mut("fields").and_then(Json::as_object_mut) {
        fields.insert(String::from("birth_date"), json!(BIRTH_DATE));
        fields.insert(String::from("monthly_income"), json!(18_000));
    }
    let answer = stage.ask(Who::Checkout, "/v1/records", &sent, 201).await?;
    text(&answer, "/subject").clone_into(&mut stage.subject);
    stage.must(
        sorted(texts(&answer, "/kept")) == ["email", "name", "phone"],
        both!(
            speaks,
            "kept: name, email, phone. Each of them serves the purpose account",
            "保存：name、email、phone，都用于目的 account"
        ),
    )?;
    stage.must(
        sorted(texts(&answer, "/unknown")) == ["birth_date", "monthly_income"],
        both!(
            speaks,
            "dropped: birth_date and monthly_income. No purpose of the policy uses them, so there is no place to keep them",
            "丢弃：birth_date 和 monthly_income。政策中没有任何目的使用它们，也就无处保存"
        ),
    )?;
    stage.paper.gap();
    let answer = stage.ask(Who::Checkout, "/v1/records", &hero.order_record(), 201).await?;
    text(&answer, "/record").clone_into(&mut stage.record);
    stage.must(
        text(&answer, "/subject") == stage.subject
            && texts(&answer, "/kept").len() == 6
            && texts(&answer, "/missing").is_empty(),
        both!(
            speaks,
            "the order belongs to the same person; all 6 fields serve a purpose",
            "订单属于同一个人；6 个字段都有用途"
        ),
    )?;
    let entry = text(&answer, "/entry");
    let proof = stage.fetch(Who::Checkout, &format!("/v1/ledger/proof?entry={entry}")).await?;
    let proof: Json = serde_json::from_slice(&proof).unwrap_or_default();
    let index = proof.get("index").and_then(Json::as_u64).unwrap_or(u64::MAX);
    stage.must(
        is_proven(stage, &proof)?,
        both!(
            speaks,
            "the ledger has the entry of this act: entry {index}, proven under its signed head",
            "账本已有这次操作的条目：第 {index} 条，可在签名头下证明"
        ),
    )?;
    stage.paper.why(&both!(
        speaks,
        "What is not kept cannot leak, be demanded or be misused. The answer tells the engineer at once which fields had no reason.",
        "没有保存的东西不会泄露，不会被索取，也不会被滥用。应答当场告诉工程师哪些字段没有理由。"
    ));
    Ok(())
}

/// Does a proof of the API lead from its leaf to the root that the ledger's key signed?
fn is_proven(stage: &Stage, proof: &Json) -> Result<bool, Stop> {
    let verifier = Verifier::parse(&stage.verifier_key).map_err(Problem::from)?;
    let head =
        Checkpoint::open(text(proof, "/checkpoint"), &verifier, verifier.name()).map_err(Problem::from)?;
    let hashes: Vec<Hash> = texts(proof, "/proof").into_iter().filter_map(hash_of).collect();
    let index = proof.get("index").and_then(Json::as_u64).unwrap_or(u64::MAX);
    let leaf = hash_of(text(proof, "/leaf"));
    Ok(leaf.is_some_and(|leaf| verify_inclusion(&leaf, index, head.size(), &hashes, head.root()).is_ok()))
}

/// A hash out of its hex.
fn hash_of(hex: &str) -> Option<Hash> {
    let bytes: Option<Vec<u8>> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    Hash::from_slice(&bytes?).ok()
}

/// Looks into the files as a thief would.
async fn on_disk(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let hero = stage.hero()?;
    let vault = stage.folder.join("vault");
    stage.step(&both!(speaks, "On disk: the same order as a thief finds it", "磁盘上：小偷看到的同一份订单"));
    let record: RecordId = stage.desk.house.ids.read(&stage.record).map_err(Problem::from)?;
    let shop = stage
        .desk
        .house
        .shop(None)
        .ok_or_else(|| Stop::Wrong(both!(speaks, "there is one shop", "有一个店铺")))?;
    let row = stage.desk.house.look(move |view| keep::find_record(view, &shop, record)).await?;
    let sealed = row.map(|row| row.sealed).unwrap_or_default();
    let length = sealed.len();
    let shown = sealed.get(..96).unwrap_or(&sealed);
    let first = shown.len();
    stage.paper.say(&both!(
        speaks,
        "These are the first {first} of the {length} bytes in which the order stands in the database.",
        "这是该订单在数据库中的 {length} 个字节里的前 {first} 个。"
    ));
    stage.paper.bytes(shown);
    stage.paper.gap();

    let files = read_files(&vault)?;
    let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
    let count = |needle: &[u8]| files.iter().map(|(_, content)| occurrences(content, needle)).sum::<usize>();
    // The search is worth something only if it finds what is there.
    let part = sealed.get(..64).unwrap_or(&sealed);
    let place =
        files.iter().find(|(_, content)| occurrences(content, part) > 0).map(|(name, _)| name.clone());
    let file = place.clone().unwrap_or_default();
    stage.must(
        place.is_some() && length > 96,
        both!(
            speaks,
            "these bytes stand in {file}: looking through the files finds what is in them",
            "这些字节在 {file} 里：在文件中查找确实能找到存在的内容"
        ),
    )?;
    let digits: String = hero.phone.chars().filter(char::is_ascii_digit).collect();
    let needles = [
        BIRTH_DATE,
        hero.name.as_str(),
        hero.email.as_str(),
        hero.phone.as_str(),
        digits.as_str(),
        hero.address.as_str(),
    ];
    let found: usize = needles.iter().map(|needle| count(needle.as_bytes())).sum();
    let (kib, names) = (bytes / 1_024, files.len());
    stage.must(
        found == 0,
        both!(
            speaks,
            "name, e-mail, phone, address, and the birth date that was dropped, stand in none of the {names} files of the vault ({kib} KiB): found {found} times",
            "姓名、邮箱、手机、地址，以及被丢弃的生日，在数据库的 {names} 个文件（{kib} KiB）中都不存在：找到 {found} 次"
        ),
    )?;
    stage.paper.why(&both!(
        speaks,
        "Every person has a key of their own. A copied disk or backup is worth nothing without the keyring, which stands apart, \
         and nothing at all, from the date in their certificate on, about those who were erased.",
        "每个人有自己的密钥。没有单独存放的密钥环，被复制的磁盘或备份毫无价值；对已删除的人，自证明所载日期起，什么也读不出。"
    ));
    Ok(())
}

fn read_files(folder: &std::path::Path) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        if file.file_type()?.is_file() {
            files.push((file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path())?));
        }
    }
    Ok(files)
}

fn occurrences(content: &[u8], needle: &[u8]) -> usize {
    if needle.is_empty() {
        0
    } else {
        content.windows(needle.len()).filter(|window| *window == needle).count()
    }
}

fn sorted(mut texts: Vec<&str>) -> Vec<&str> {
    texts.sort_unstable();
    texts
}

async fn reveal(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let hero = stage.hero()?;
    stage.step(&both!(
        speaks,
        "Reveal: the warehouse gets what delivery needs",
        "使用：仓库拿到配送所需的内容"
    ));
    stage.paper.say(&both!(
        speaks,
        "Data comes out for a named purpose only. The warehouse names it; it does not have to know which fields that means.",
        "数据只为一个写明的目的而取出。仓库只需说出目的，不必知道涉及哪些字段。"
    ));
    let asked = json!({ "purpose": "delivery", "record": order(&hero) });
    let answer = stage.ask(Who::Warehouse, "/v1/records:reveal", &asked, 200).await?;
    let fields = answer.pointer("/records/0/fields").cloned().unwrap_or_default();
    stage.must(
        text(&fields, "/recipient_name") == hero.name && text(&fields, "/address") == hero.address,
        both!(speaks, "recipient and address are what the customer wrote", "收货人和地址与顾客填写的一致"),
    )?;
    let phone = text(&fields, "/phone");
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    stage.must(
        phone.contains('*')
            && digits(phone).len() < digits(&hero.phone).len()
            && texts(&answer, "/records/0/masked") == ["phone"],
        both!(
            speaks,
            "the phone is masked: {phone}. The policy says that delivery sees it so",
            "手机号已遮盖：{phone}。政策规定配送只能这样看到"
        ),
    )?;
    let names = fields.as_object().map_or(0, serde_json::Map::len);
    stage.must(
        names == 3 && fields.get("amount").is_none(),
        both!(
            speaks,
            "{names} of 6 fields came out; what was bought and paid is not the warehouse's business",
            "6 个字段只取出 {names} 个；买了什么、付了多少与仓库无关"
        ),
    )?;
    stage.paper.why(&both!(
        speaks,
        "The entry in the ledger is committed before the first byte leaves. No credential reads without leaving a trace.",
        "第一个字节离开之前，账本条目已经提交。任何凭证的读取都会留下痕迹。"
    ));
    Ok(())
}

async fn refusal(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let hero = stage.hero()?;
    stage.step(&both!(
        speaks,
        "Refused: the answer says why, and where that is written",
        "拒绝：应答说明理由，也能查到依据"
    ));
    stage.paper.say(&both!(
        speaks,
        "Now the warehouse would like to know what the customer paid, and how.",
        "现在仓库想知道顾客付了多少钱、怎么付的。"
    ));
    let asked =
        json!({ "purpose": "delivery", "record": order(&hero), "fields": ["amount", "payment_reference"] });
    let answer = stage.ask(Who::Warehouse, "/v1/records:reveal", &asked, 403).await?;
    let reason = answer.pointer("/reasons/0").cloned().unwrap_or_default();
    stage.must(
        text(&reason, "/name") == "outside_purpose"
            && sorted(texts(&reason, "/fields")) == ["amount", "payment_reference"],
        both!(
            speaks,
            "the gate says no, names the reason, and names the fields",
            "闸门拒绝，并指出理由和字段"
        ),
    )?;
    let lines = cite(stage, "delivery", &["fields", "basis"])?;
    stage.must(
        lines > 0,
        both!(speaks, "the reason stands in the policy, in the lines above", "理由就在政策的上面几行"),
    )?;
    stage.paper.gap();
    stage.paper.say(&both!(
        speaks,
        "Marketing tries the same purpose. It was never given it, so it does not even learn whether there is such an order.",
        "市场部试图使用同一个目的。它没有被授予这个目的，所以连这份订单是否存在都不会知道。"
    ));
    let asked = json!({ "purpose": "delivery", "record": order(&hero) });
    let refused = stage.ask(Who::Marketing, "/v1/records:reveal", &asked, 404).await?;
    let guessed = json!({ "purpose": "delivery", "record": { "kind": "order", "external_id": "HH-0" } });
    let answer = stage.send(Who::Marketing, "POST", "/v1/records:reveal", Some(&guessed)).await?;
    let guessed: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    stage.must(
        refused == guessed,
        both!(
            speaks,
            "a guessed order that does not exist gets exactly the same answer",
            "猜一个不存在的订单，得到的应答完全相同"
        ),
    )?;
    stage.paper.why(&both!(
        speaks,
        "Nobody has to remember the policy: it is enforced where data is used. A no is entered in the ledger as a yes is.",
        "不需要有人记住政策：它在使用数据的地方执行。拒绝和允许一样都会记入账本。"
    ));
    Ok(())
}

/// Shows lines of the policy: the head of a purpose, and the keys that an answer rests on. Gives how many.
fn cite(stage: &mut Stage, purpose: &str, keys: &[&str]) -> Result<usize, Stop> {
    let speaks = stage.language();
    let policy = stage
        .policy
        .as_ref()
        .ok_or_else(|| Stop::Wrong(both!(speaks, "the policy was read", "已读取政策")))?;
    let Some(said) = policy.purposes.iter().find(|said| said.name.as_str() == purpose) else { return Ok(0) };
    let start = usize::try_from(said.line.0).unwrap_or(0);
    let mut cited = Vec::new();
    for (number, line) in POLICY.lines().enumerate().skip(start.saturating_sub(1)) {
        let is_head = number + 1 == start;
        if !is_head && line.starts_with('[') {
            break;
        }
        if is_head || keys.iter().any(|key| line.split_once('=').is_some_and(|(name, _)| name.trim() == *key))
        {
            cited.push((number + 1, line));
        }
    }
    stage.paper.gap();
    for (number, line) in &cited {
        stage.paper.quote(&format!("shop.toml:{number:<4} {line}"));
    }
    Ok(cited.len())
}

async fn choice(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let hero = stage.hero()?;
    let language = if speaks == Language::En { "en" } else { "zh" };
    stage.step(&both!(speaks, "A choice: granted, then withdrawn", "选择：先同意，再撤回"));
    stage.paper.say(&both!(
        speaks,
        "The customer agrees to letters about new things, under version 1 of the notice, and gets a receipt.",
        "顾客同意接收新品邮件，依据的是第 1 版告知，并得到一份回执。"
    ));
    let choose = |said: &str| {
        json!({ "subject": { "external_id": hero.id }, "purpose": "marketing_email", "choice": said,
                "notice": { "version": 1, "language": language } })
    };
    let kept = stage.ask(Who::Checkout, "/v1/choices", &choose("granted"), 201).await?;
    let proved = verified(stage, kept.get("receipt"))?;
    stage.must(
        proved.opening.text(Tag::Choice) == Some("granted")
            && proved.opening.text(Tag::Purpose) == Some("marketing_email"),
        both!(
            speaks,
            "the receipt proves, offline and with the ledger's key alone, that marketing_email was granted",
            "仅凭账本公钥、无需联网，回执即可证明 marketing_email 已获同意"
        ),
    )?;
    stage.paper.gap();
    let asked = json!({ "purpose": "marketing_email", "subject": { "external_id": hero.id } });
    let answer = stage.ask(Who::Marketing, "/v1/records:reveal", &asked, 200).await?;
    stage.must(
        text(&answer, "/records/0/fields/email") == hero.email,
        both!(speaks, "marketing gets the address, and nothing else", "市场部拿到邮箱地址，仅此而已"),
    )?;
    stage.paper.gap();
    stage.paper.say(&both!(
        speaks,
        "Then the customer thinks better of it. Withdrawing takes one step, as granting did.",
        "随后顾客改变了主意。撤回和同意一样，只需一步。"
    ));
    stage.ask(Who::Checkout, "/v1/choices", &choose("withdrawn"), 201).await?;
    stage.paper.gap();
    let answer = stage.ask(Who::Marketing, "/v1/records:reveal", &asked, 403).await?;
    let reasons: Vec<&str> = names_of_reasons(&answer);
    stage.must(
        reasons.contains(&"objected"),
        both!(
            speaks,
            "the same request is refused: the person has withdrawn",
            "同样的请求被拒绝：当事人已撤回同意"
        ),
    )?;
    cite(stage, "marketing_email", &["basis", "keep"])?;
    stage.paper.why(&both!(
        speaks,
        "The choice is read in the transaction that would release the data. There is no minute in which a withdrawn consent still works.",
        "选择是在放行数据的同一个事务里读取的。撤回之后，没有任何一刻同意仍然有效。"
    ));
    Ok(())
}

fn names_of_reasons(answer: &Json) -> Vec<&str> {
    answer
        .get("reasons")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .map(|reason| text(reason, "/name"))
        .collect()
}

/// What a receipt proves to somebody who has the ledger's key and nothing else.
fn verified(stage: &Stage, receipt: Option<&Json>) -> Result<ledger::receipt::VerifiedReceipt, Stop> {
    let verifier = Verifier::parse(&stage.verifier_key).map_err(Problem::from)?;
    let receipt = receipt.map(Json::to_string).unwrap_or_default();
    let receipt = Receipt::from_json(&receipt).map_err(Problem::from)?;
    Ok(receipt.verify(&verifier, verifier.name()).map_err(Problem::from)?)
}

async fn clock(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let hero = stage.hero()?;
    stage.step(&both!(speaks, "Delivered: the clock starts", "已送达：期限开始计算"));
    stage.paper.say(&both!(
        speaks,
        "The policy counts from events. Until they happen, the longest time it allows holds; when they happen, each purpose gets its end.",
        "政策从事件起算。事件发生前按政策允许的最长期限；事件发生后，每个目的都有自己的到期时间。"
    ));
    let before = kept_until(stage).await?;
    for event in ["delivered", "completed"] {
        let happened = json!({ "record": order(&hero), "event": event });
        let answer = stage.ask(Who::Checkout, "/v1/records:event", &happened, 200).await?;
        stage.must(
            text(&answer, "/outcome") == "updated",
            both!(
                speaks,
                "noted, and the record is laid out again by its new ends",
                "已记录，并按新的到期时间重新密封"
            ),
        )?;
        stage.paper.gap();
    }
    let after = kept_until(stage).await?;
    let head = match speaks {
        Language::En => ["field of the order", "kept until", "before", "purposes, each until (+08:00)"],
        Language::Zh => ["订单字段", "保存至", "事件前", "各目的及其期限（+08:00）"],
    };
    let mut rows = Vec::new();
    for field in &after {
        let was = before.iter().find(|old| old.name == field.name).map_or("", |old| old.until.as_str());
        let purposes: Vec<String> =
            field.purposes.iter().map(|(name, until)| format!("{name} {}", day(until))).collect();
        rows.push(vec![field.name.clone(), day(&field.until), day(was), purposes.join(", ")]);
    }
    stage.paper.table(&head.map(str::to_owned), &rows);
    stage.paper.gap();
    let end_of = |fields: &[KeptField], name: &str| {
        fields.iter().find(|field| field.name == name).map(|field| field.until.clone())
    };
    stage.must(
        after.len() == 6 && after.iter().all(|field| !field.until.is_empty()),
        both!(speaks, "every field has an end, in the shop's time zone", "每个字段都有到期时间（店铺时区）"),
    )?;
    let now = instant(stage.now);
    let delivery = after
        .iter()
        .find(|field| field.name == "address")
        .and_then(|field| field.purposes.iter().find(|(name, _)| name == "delivery"));
    let delivery = delivery.map(|(_, until)| until.clone()).unwrap_or_default();
    let until = day(&delivery);
    stage.must(
        days_between(&now, &delivery) == Some(90),
        both!(
            speaks,
            "delivery may use the address until {until}: 90 days after order.delivered",
            "配送可使用地址至 {until}：order.delivered 之后 90 天"
        ),
    )?;
    stage.must(
        end_of(&after, "address") < end_of(&before, "address") && end_of(&after, "address") < end_of(&after, "items"),
        both!(
            speaks,
            "the address goes with after-sales, a year from now; what was bought and paid stays as long as the tax law demands",
            "地址随售后期限一年后到期；买了什么、付了多少，则按税法要求保存"
        ),
    )?;
    cite(stage, "after_sales", &["keep", "at_most"])?;
    cite(stage, "tax", &["keep", "must_keep", "law"])?;
    stage.paper.why(&both!(
        speaks,
        "Nobody has to remember to delete. From the end on the gate refuses; then the key of that term is destroyed, in one act, \
         for everything that ends with it.",
        "不需要有人记得删除。到期即被闸门拒绝；随后该期限的密钥被销毁，同期到期的数据一次全部失效。"
    ));
    Ok(())
}

/// A field and until when it is kept.
struct KeptField {
    name: String,
    until: String,
    /// Each with its own end.
    purposes: Vec<(String, String)>,
}

/// Until when each field of the order is kept: as long as the purpose that keeps it longest.
async fn kept_until(stage: &Stage) -> Result<Vec<KeptField>, Stop> {
    let found = stage
        .quietly(Who::Officer, "/v1/subjects:find", &json!({ "subject": { "id": stage.subject } }))
        .await?;
    let records = found.get("records").and_then(Json::as_array).cloned().unwrap_or_default();
    let record =
        records.iter().find(|record| text(record, "/record") == stage.record).cloned().unwrap_or_default();
    let purposes: Vec<(&str, &str)> = record
        .get("purposes")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .map(|purpose| (text(purpose, "/purpose"), text(purpose, "/until")))
        .filter(|(_, until)| !until.is_empty())
        .collect();
    let Some(policy) = stage.policy.as_ref() else { return Ok(Vec::new()) };
    let uses = |purpose: &str, field: &str| {
        let said = policy.purposes.iter().find(|said| said.name.as_str() == purpose);
        said.is_some_and(|said| {
            said.fields.iter().any(|used| used.kind.as_str() == "order" && used.field.as_str() == field)
        })
    };
    let kept = |name: &str| {
        let of_field: Vec<&(&str, &str)> =
            purposes.iter().filter(|(purpose, _)| uses(purpose, name)).collect();
        KeptField {
            name: name.to_owned(),
            until: of_field.iter().map(|(_, until)| (*until).to_owned()).max().unwrap_or_default(),
            purposes: of_field
                .iter()
                .map(|(purpose, until)| ((*purpose).to_owned(), (*until).to_owned()))
                .collect(),
        }
    };
    let mut fields: Vec<KeptField> = texts(&record, "/fields").into_iter().map(kept).collect();
    fields.sort_by(|one, two| one.until.cmp(&two.until).then_with(|| one.name.cmp(&two.name)));
    Ok(fields)
}

/// An instant as the shop's clock shows it.
fn local(instant: &str) -> String {
    shown(instant, "%Y-%m-%d %H:%M %:z")
}

/// The day of an instant by the shop's clock.
fn day(instant: &str) -> String {
    shown(instant, "%Y-%m-%d")
}

fn shown(instant: &str, form: &str) -> String {
    let Ok(at) = instant.parse::<Timestamp>() else { return String::from("–") };
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime(form).to_string()
}

async fn search(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let hero = stage.hero()?;
    stage.step(&both!(speaks, "Search: a phone number finds its orders", "检索：凭手机号找到订单"));
    stage.paper.say(&both!(
        speaks,
        "A customer calls. Customer service types the number as it hears it; the database holds only a keyed hash of its one form.",
        "顾客来电。客服按听到的输入号码；数据库里只有规范号码的带密钥哈希。"
    ));
    let typed = hero.phone.replace(['(', ')', '-', ' '], ".").replace("..", ".");
    let asked = json!({ "purpose": "after_sales", "field": "phone", "value": typed });
    let answer = stage.ask(Who::Support, "/v1/records:search", &asked, 200).await?;
    let matches = answer.get("matches").and_then(Json::as_array).cloned().unwrap_or_default();
    let subjects: std::collections::BTreeSet<&str> =
        matches.iter().map(|found| text(found, "/subject")).collect();
    stage.must(
        matches.iter().any(|found| text(found, "/external_id") == hero.order),
        both!(
            speaks,
            "the order is found, although the number is written another way",
            "号码写法不同，仍然找到了订单"
        ),
    )?;
    let (people, sharing) = (subjects.len(), sharing(stage, &hero.phone));
    stage.must(
        people >= 2 && people == sharing && subjects.contains(stage.subject.as_str()),
        both!(
            speaks,
            "{people} people share this phone, and they stay {people} people",
            "{people} 个人共用这个号码，他们仍然是 {people} 个人"
        ),
    )?;
    stage.must(
        matches.iter().all(|found| found.get("fields").is_none()),
        both!(
            speaks,
            "the answer holds no personal data; reading it takes a reveal, for a purpose",
            "应答不含个人信息；要读取，须为某个目的另行请求"
        ),
    )?;
    stage.paper.why(&both!(
        speaks,
        "A search is a use of data, too: it takes a purpose, asks the gate, and is entered under every person it found.",
        "检索也是使用数据：要有目的，要经过闸门，并记入每个被找到的人名下。"
    ));
    Ok(())
}

/// How many of the made-up customers have this phone.
fn sharing(stage: &Stage, phone: &str) -> usize {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    stage.customers.iter().filter(|customer| digits(&customer.phone) == digits(phone)).count()
}

async fn erasure(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    stage.step(&both!(
        speaks,
        "Erase: one key dies, and with it the person's data",
        "删除：一把密钥销毁，数据随之消失"
    ));
    stage.paper.say(&both!(
        speaks,
        "The customer asks to be erased. The privacy officer does it, and hands over the certificate.",
        "顾客要求删除。隐私负责人执行删除，并交付证明。"
    ));
    let path = format!("/v1/subjects/{}:erase", stage.subject);
    let certificate = stage.ask(Who::Officer, &path, &json!({}), 200).await?;
    let body: Json = serde_json::from_str(text(&certificate, "/body")).unwrap_or_default();
    let (here, everywhere) = (
        text(&body, "/unreadable_here_since").to_owned(),
        text(&body, "/unreadable_everywhere_by").to_owned(),
    );
    let keys = texts(&body, "/destroyed_keys");
    stage.paper.gap();
    let head = match speaks {
        Language::En => ["the certificate says", ""],
        Language::Zh => ["证明内容", ""],
    };
    let retained = body.pointer("/retained/0").cloned().unwrap_or_default();
    let (fields, purpose) = (texts(&retained, "/fields").join(", "), text(&retained, "/purpose"));
    let (long, law) = (text(&retained, "/must_keep"), law_in(speaks, text(&retained, "/law")));
    let kept = both!(
        speaks,
        "{fields}, for the purpose {purpose}, `{long}`. Law: {law}",
        "{fields}，用于目的 {purpose}，`{long}`。法律依据：{law}"
    );
    let rows = match speaks {
        Language::En => {
            ["unreadable here since", "unreadable everywhere by", "destroyed key", "what a law keeps"]
        }
        Language::Zh => ["自此在本地不可读", "至此在任何地方不可读", "已销毁的密钥", "法律要求保留"],
    };
    let values = [local(&here), local(&everywhere), keys.join(", "), kept];
    let rows: Vec<Vec<String>> =
        rows.iter().zip(values).map(|(name, value)| vec![(*name).to_owned(), value]).collect();
    stage.paper.table(&head.map(str::to_owned), &rows);
    stage.paper.gap();

    let proved = verified(stage, certificate.get("receipt"))?;
    let digest: [u8; 32] = Sha256::digest(text(&certificate, "/body").as_bytes()).into();
    stage.must(
        proved.opening.digest() == Some(digest)
            && proved.opening.text(Tag::Subject) == Some(stage.subject.as_str()),
        both!(
            speaks,
            "the ledger's entry commits to exactly this text, and to this person",
            "账本条目所承诺的正是这段文字、这个人"
        ),
    )?;
    let named: Vec<String> = proved.entry.destroyed.iter().map(|id| hex(id)).collect();
    stage.must(
        keys.len() == 1 && named == keys,
        both!(
            speaks,
            "the entry names the destroyed key, so that it can never be accepted again",
            "条目写明被销毁的密钥，它再也不会被接受"
        ),
    )?;
    let days = stage.desk.house.epoch_days;
    stage.must(
        days_between(&here, &everywhere) == Some(i64::from(days)),
        both!(
            speaks,
            "two dates: here at once; in every backup, replica and archive when this epoch's key is overwritten, {days} days at the latest",
            "两个日期：本地立即生效；所有备份、副本和归档在本期密钥被覆盖时失效，最迟 {days} 天"
        ),
    )?;
    stage.certificate = certificate;
    stage.paper.why(&both!(
        speaks,
        "Deleting rows leaves copies in backups for years. Here every copy goes dark, and the certificate says by when.",
        "删除数据行会在备份里留下多年的副本。在这里所有副本都会失效，证明写明了最迟日期。"
    ));
    Ok(())
}

/// The law as the policy cites it: in Chinese, and in brackets for those who read English.
fn law_in(language: Language, law: &str) -> String {
    match (language, law.split_once(" (")) {
        (Language::Zh, Some((chinese, _))) => chinese.to_owned(),
        (Language::En, Some((_, english))) => english.trim_end_matches(')').to_owned(),
        (_, None) => law.to_owned(),
    }
}

fn days_between(from: &str, to: &str) -> Option<i64> {
    let (from, to): (Timestamp, Timestamp) = (from.parse().ok()?, to.parse().ok()?);
    Some(to.duration_since(from).as_hours() / 24)
}

async fn afterwards(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let hero = stage.hero()?;
    stage.step(&both!(
        speaks,
        "Afterwards: the same question, another answer",
        "删除之后：同样的问题，不同的回答"
    ));
    let asked = json!({ "purpose": "delivery", "record": order(&hero) });
    let answer = stage.ask(Who::Warehouse, "/v1/records:reveal", &asked, 403).await?;
    stage.must(
        names_of_reasons(&answer).contains(&"erased"),
        both!(speaks, "the warehouse gets nothing: the person is erased", "仓库什么也拿不到：此人已删除"),
    )?;
    stage.paper.gap();
    let search = json!({ "purpose": "after_sales", "field": "phone", "value": hero.phone });
    let answer = stage.ask(Who::Support, "/v1/records:search", &search, 200).await?;
    let matches = answer.get("matches").and_then(Json::as_array).cloned().unwrap_or_default();
    stage.must(
        matches.len() + 1 == sharing(stage, &hero.phone)
            && matches.iter().all(|found| text(found, "/subject") != stage.subject),
        both!(speaks, "the phone number finds only those who share it", "凭手机号只能找到共用它的人"),
    )?;
    stage.paper.gap();
    stage.paper.say(&both!(
        speaks,
        "The tax law keeps the books for ten years. That part opens for this one purpose, without name, phone or address.",
        "税法要求账簿保存十年。这部分只为这一个目的打开，不含姓名、手机和地址。"
    ));
    let tax = json!({ "purpose": "tax", "record": stage.record });
    let answer = stage.ask(Who::Finance, "/v1/records:reveal", &tax, 200).await?;
    let fields = answer.pointer("/records/0/fields").cloned().unwrap_or_default();
    let names: Vec<&str> = fields.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    stage.must(
        names == ["amount", "items"],
        both!(
            speaks,
            "finance sees what was sold and for how much; name, phone and address are gone",
            "财务看到卖了什么、多少钱；姓名、手机、地址都已不在"
        ),
    )?;
    stage.paper.why(&both!(
        speaks,
        "Erasing is not hiding. What a law keeps stands under a key of its own, and the rest cannot be opened here by anybody.",
        "删除不是隐藏。法律要求保留的部分另有密钥，其余内容在这里任何人都无法打开。"
    ));
    Ok(())
}

/// Tiles that were fetched, held for the arithmetic.
struct Fetched(Vec<((u8, u64), Vec<u8>)>);

impl Tiles for Fetched {
    type Error = Problem;

    fn tile(&mut self, level: u8, index: u64, _width: u16) -> Result<Vec<u8>, Problem> {
        let found = self.0.iter().find(|(place, _)| *place == (level, index));
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(crate::ground::web::no_route)
    }
}

/// What a stranger can check, with the key and what is public.
async fn proof(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    stage.step(&both!(
        speaks,
        "Prove it: as a stranger would, with a key and public files",
        "证明：像陌生人一样，只用公钥和公开文件"
    ));
    let key = stage.verifier_key.clone();
    stage.paper.say(&both!(
        speaks,
        "A stranger has no credential. All they trust is the key that was printed when the vault was made:",
        "陌生人没有凭证。唯一信任的，是建库时打印的公钥："
    ));
    stage.paper.quote(&key);
    stage.paper.gap();
    let verifier = Verifier::parse(&key).map_err(Problem::from)?;
    let origin = verifier.name().to_owned();
    let note = stage.fetch(Who::Stranger, "/ledger/checkpoint").await?;
    let note = String::from_utf8(note.to_vec()).unwrap_or_default();
    stage.paper.asked(Who::Stranger.name(speaks), "GET", "/ledger/checkpoint", None);
    for line in note.lines() {
        stage.paper.quote(line);
    }
    let head = Checkpoint::open(&note, &verifier, &origin).map_err(Problem::from)?;
    let (size, root) = (head.size(), *head.root());
    stage.must(
        size > 0,
        both!(
            speaks,
            "the signature is the key's: the log had {size} entries, and this root",
            "签名与公钥相符：账本共 {size} 个条目，根哈希如上"
        ),
    )?;

    let (mut tiles, mut paths) = (Vec::new(), Vec::new());
    for level in 0..8_u8 {
        for index in 0..row_length(size, level).div_ceil(256) {
            let path =
                TilePath::hashes(level, index, tile_width(size, level, index)).map_err(Problem::from)?;
            tiles.push((
                (level, index),
                stage.fetch(Who::Stranger, &format!("/ledger/{path}")).await?.to_vec(),
            ));
            paths.push(path.to_string());
        }
    }
    let mut tiles = Fetched(tiles);
    stage.paper.gap();
    stage.paper.asked(Who::Stranger.name(speaks), "GET", &format!("/ledger/{{{}}}", paths.join(", ")), None);
    let receipt = stage.certificate.get("receipt").cloned().unwrap_or_default();
    let held = Receipt::from_json(&receipt.to_string()).map_err(Problem::from)?;
    let path = inclusion_proof(&mut tiles, held.entry_index, size).map_err(of_tiles)?;
    let leaf = leaf_hash(&held.entry);
    let (index, steps) = (held.entry_index, path.len());
    stage.must(
        verify_inclusion(&leaf, index, size, &path, &root).is_ok(),
        both!(
            speaks,
            "the entry of the erasure is in the log: entry {index}, {steps} hashes up to the signed root",
            "删除条目在账本中：第 {index} 条，经 {steps} 个哈希到达已签名的根"
        ),
    )?;
    let mut forged = held.entry.clone();
    if let Some(byte) = forged.last_mut() {
        *byte ^= 1;
    }
    stage.must(
        verify_inclusion(&leaf_hash(&forged), index, size, &path, &root).is_err(),
        both!(
            speaks,
            "with one bit of the entry changed, the same proof is refused",
            "条目改动一个比特，同样的证明就不成立"
        ),
    )?;
    let before = Checkpoint::open(&stage.head_kept, &verifier, &origin).map_err(Problem::from)?;
    let grown = consistency_proof(&mut tiles, before.size(), size).map_err(of_tiles)?;
    let old = before.size();
    stage.must(
        old < size && verify_consistency(old, before.root(), size, &root, &grown).is_ok(),
        both!(
            speaks,
            "the log only grew since the head that was kept in step 1: from {old} to {size} entries, none lost, none changed",
            "自第 1 步留存的签名头以来，账本只增不减：从 {old} 到 {size} 个条目，没有丢失，没有改动"
        ),
    )?;
    let entries = stage.send(Who::Stranger, "GET", "/ledger/tile/entries/000", None).await?;
    let status = entries.status;
    stage.must(
        status == 401,
        both!(
            speaks,
            "the entries themselves are not the stranger's to read ({status}); hashes are enough",
            "条目本身陌生人无权读取（{status}）；有哈希就够了"
        ),
    )?;
    write_new(&stage.folder.join("receipt.json"), receipt.to_string().as_bytes()).map_err(Problem::from)?;
    stage.paper.gap();
    stage.paper.say(&both!(
        speaks,
        "The same without this program, while the server is up. The receipt of the erasure is what the customer keeps; the auditor takes the whole log:",
        "服务运行期间，不用本程序也能验证。删除回执由顾客保存；审计人员取走整个账本："
    ));
    let folder = stage.folder.display().to_string();
    let key = format!("--key '{key}'");
    stage.paper.command(&[&format!("ledger-verify receipt {folder}/receipt.json"), &key]);
    stage.paper.command(&[&format!("strongroom ledger export --data {folder}/vault"), "--to audit"]);
    stage.paper.command(&["ledger-verify whole audit", &key]);
    stage.paper.why(&both!(
        speaks,
        "The shop cannot rewrite what it did: an entry removed, edited or back-dated breaks a root that others have kept.",
        "店铺无法改写自己做过的事：删除、修改或倒填任何条目，都会与别人留存的根不符。"
    ));
    Ok(())
}

fn of_tiles(error: ledger::tree::ReadError<Problem>) -> Problem {
    match error {
        ledger::tree::ReadError::Tiles(problem) => problem,
        ledger::tree::ReadError::Ledger(error) => Problem::from(error),
    }
}
