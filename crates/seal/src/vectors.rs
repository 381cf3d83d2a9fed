//! The vectors of docs/spec/seal.md: a stranger who follows the document gets the same bytes.

use serde_json::{Value as Json, json};

use crate::secret::counting::Counting;
use crate::tests::{PLACE, bench};
use crate::{
    Destroyed, DestroyedList, Fields, FilePlace, FileSealer, Group, Holder, IdKey, KeyId, Keyring, Lock,
    Personal, Sealing, Secret, Suite, Value, join, seal, split,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/seal-vectors.json");

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Everything that the document describes, made from bytes that count up from 0: with suite 1, and beside it what is another
/// with suite 2.
fn made() -> Json {
    let (mut one, mut two) = (made_with(Suite::Aes256Gcm), made_with(Suite::Sm4Gcm));
    let (first, second) = (one.as_object_mut().unwrap(), two.as_object_mut().unwrap());
    second.retain(|name, value| first.get(name) != Some(&*value));
    first.insert(Suite::Sm4Gcm.name().to_owned(), two);
    one
}

fn made_with(suite: Suite) -> Json {
    let bench = bench(suite);
    let values = [
        (0_u8, Personal::new(Value::Text("安安".into()))),
        (3, Personal::new(Value::Text("+8613812345678".into()))),
        (9, Personal::new(Value::Decimal("12.50".into()))),
        (255, Personal::new(Value::Text("SO43659".into()))),
    ];
    let fields: Vec<_> = values.iter().map(|(field, value)| (*field, value)).collect();
    let groups = [
        Group { subject: &bench.main, term: &bench.term, fields: Fields::of([0, 3, 255]) },
        Group { subject: &bench.retained, term: &bench.later, fields: Fields::of([9]) },
    ];
    let message_id: [u8; 32] = std::array::from_fn(|n| 0xa0 ^ u8::try_from(n).unwrap());
    let to = Sealing { suite, place: PLACE, clear: b"clear columns" };
    let envelope = seal(&to, &groups, &fields, &message_id).unwrap();
    let digest = crate::Envelope::parse(&envelope).unwrap().digest();

    let mut sealer = FileSealer::new(suite, FilePlace { shop: 1, file: 42 }, &mut Counting(0x80)).unwrap();
    let mut rest: &[u8] = b"a file of one chunk";
    while !rest.is_empty() {
        assert!(sealer.take(&mut rest).unwrap().is_none());
    }
    let (chunk, file, file_seal) = sealer.finish("text/plain").unwrap();
    let file_value = file.plain().encoded().unwrap();

    let ids = IdKey::new(&Secret::new([0x11; 32]));
    let random = &mut Counting(0);
    let keyring = Keyring {
        ledger_seeds: vec![(1, Secret::new([0x22; 32]))],
        ..Keyring::new(1_763_769_600_000_000, random).unwrap()
    };
    let (by_file, _) = keyring.lock(&Lock::KeyFile(vec![0x33; 32].into()), random).unwrap();
    let words = "海港 and seven quiet harbours";
    let (by_words, _) = keyring.lock(&Lock::Passphrase(words.to_owned().into()), random).unwrap();
    let secret = Secret::new(std::array::from_fn(|n| 0x60 | u8::try_from(n).unwrap()));
    let shares = split(&secret, 2, 3, random).unwrap();
    let (_, of_shares) = join(&shares[1..]).unwrap();
    let by_shares = Lock::Shared { secret: Secret::new(*secret.expose()), split: of_shares };
    let (by_shares, _) = keyring.lock(&by_shares, random).unwrap();
    let held = Lock::Held {
        by: Holder::OpenBao,
        key: Secret::new([0x77; 32]),
        wrapped: b"vault:v1:of a vector".into(),
    };
    let (by_holder, _) = keyring.lock(&held, random).unwrap();
    let (mut list, _, _) = DestroyedList::read(&Secret::new([0x44; 32]), b"").unwrap();
    let list = list.append(&[Destroyed { at: 1_763_769_600_000_000, id: KeyId([0x55; 16]) }]);

    let outer_locks = json!({
        "shares_secret": hex(secret.expose()),
        "shares": shares.iter().map(|share| share.to_text().to_string()).collect::<Vec<_>>(),
        "keyring_of_shares": hex(&by_shares),
        "holder_key": hex(&[0x77; 32]),
        "keyring_of_holder": hex(&by_holder),
    });

    json!({
        "place": { "shop": 1, "subject": 7, "kind": 2, "record": 99, "version": 3, "encoded": hex(&PLACE.encode()) },
        "clear": hex(b"clear columns"),
        "epoch_key": hex(Secret::<32>::random(&mut Counting(0)).unwrap().expose()),
        "shop_wrap_key_row": hex(&bench.rows.wraps[0].1.encode()),
        "shop_index_key_row": hex(&bench.rows.index.encode()),
        "shop_row_key_row": hex(&bench.rows.row.encode()),
        "shop_request_key_row": hex(&bench.rows.request.encode()),
        "main_key_row": hex(&bench.main_row.encode()),
        "main_key": hex(bench.main.secret()),
        "main_key_id": bench.main.id().to_string(),
        "retained_key": hex(bench.retained.secret()),
        "retained_key_id": bench.retained.id().to_string(),
        "term_key": hex(bench.term.secret()),
        "term_key_id": bench.term.id().to_string(),
        "later_term_key": hex(bench.later.secret()),
        "later_term_key_id": bench.later.id().to_string(),
        "message_id": hex(&message_id),
        "plain": { "0": "text 安安", "3": "text +8613812345678", "9": "decimal 12.50", "255": "text SO43659" },
        "envelope": hex(&envelope),
        "record_digest": hex(&digest),
        "alias": hex(&bench.main.alias()),
        "record_alias_of_99": hex(&bench.main.record_alias(99)),
        "salt": hex(&bench.main.salt(1_763_769_600_000_000, b"opening")),
        "blind_index_kind_2_field_3": hex(&bench.keys.blind(2, 3, &values[1].1).unwrap()),
        "token_sf-express_phone": hex(&bench.main.token(b"sf-express", b"phone", &values[1].1).unwrap()),
        "row_mac_of_table_t_columns_ab_c": hex(&bench.keys.row_mac("t", &[b"ab", b"c"]).unwrap()),
        "file": { "shop": 1, "file": 42, "media": "text/plain", "plain": "a file of one chunk" },
        "file_value": hex(&file_value),
        "file_chunk_0": hex(&chunk.sealed),
        "file_commitment": hex(&file_seal.commitment),
        "file_digest": hex(&file_seal.digest),
        "request_hash_of_domain_d_parts_ab_c": hex(&bench.keys.request_hash("d", &[b"ab", b"c"]).unwrap()),
        "id_key": hex(&[0x11; 32]),
        "id_of_kind_1_number_42": ids.show(1, 42),
        "keyring_key_file": hex(&[0x33; 32]),
        "keyring": hex(&by_file),
        "keyring_passphrase": words,
        "keyring_of_passphrase": hex(&by_words),
        "outer_locks": outer_locks,
        "list_key": hex(&[0x44; 32]),
        "list": String::from_utf8(list).unwrap(),
    })
}

#[test]
fn the_documents_vectors_are_what_this_code_makes() {
    let made = made();
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    let written: Json = serde_json::from_str(&written).unwrap_or(Json::Null);
    if written != made {
        let beside = std::env::temp_dir().join("seal-vectors.json");
        std::fs::write(&beside, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
        panic!("docs/spec/seal-vectors.json is not what this code makes; see {}", beside.display());
    }
}
