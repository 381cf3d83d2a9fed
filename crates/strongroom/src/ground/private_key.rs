//! Files with a private key that signs under a name, in the one form that Go's signed notes have: `PRIVATE+KEY+name+hash+base64`.

use std::path::Path;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::keys_folder::{self, folder_of, sync_folder, write_new};
use super::problem::Problem;
use super::random::SystemRandom;

const BEGINS: &str = "PRIVATE+KEY+";

/// Makes a key out of a new seed and writes it into a new file, 0600.
///
/// Takes: the type of its signatures; its name; what makes a key of a seed, with the key's id. Fails: `SR-KEYS-003` when the file is there; as
/// the making does, for what is no name; then nothing is written.
pub fn make<K>(
    file: &Path,
    kind: u8,
    name: &str,
    key_of: impl FnOnce(&[u8; 32]) -> Result<(K, u32), Problem>,
) -> Result<K, Problem> {
    let mut bytes = Zeroizing::new([kind; 33]);
    let mut seed = Zeroizing::new([0_u8; 32]);
    seal::Random::fill(&mut SystemRandom::new(), seed.as_mut())?;
    if let Some((_, rest)) = bytes.split_first_mut() {
        rest.copy_from_slice(seed.as_ref());
    }
    let (key, id) = key_of(&seed)?;
    let encoded = Zeroizing::new(BASE64.encode(bytes.as_ref()));
    let text = Zeroizing::new(format!("{BEGINS}{name}+{id:08x}+{}\n", *encoded));
    write_new(file, text.as_bytes())?;
    sync_folder(folder_of(file))?;
    Ok(key)
}

/// Reads a key of this type; `None` when the file holds none. Fails: `SR-KEYS-001` when others can read the file.
pub fn read<K>(
    file: &Path,
    kind: u8,
    key_of: impl FnOnce(&str, &[u8; 32]) -> Option<(K, u32)>,
) -> Result<Option<K>, Problem> {
    let bytes = keys_folder::read_private(file)?;
    Ok(std::str::from_utf8(&bytes).ok().and_then(|text| parse(text, kind, key_of)))
}

fn parse<K>(text: &str, kind: u8, key_of: impl FnOnce(&str, &[u8; 32]) -> Option<(K, u32)>) -> Option<K> {
    let (name, rest) = text.trim_end().strip_prefix(BEGINS)?.split_once('+')?;
    let (id, encoded) = rest.split_once('+')?;
    let bytes = Zeroizing::new(BASE64.decode(encoded.as_bytes()).ok()?);
    let seed = bytes.strip_prefix(&[kind])?;
    let (key, key_id) = key_of(name, seed.try_into().ok()?)?;
    (format!("{key_id:08x}") == id).then_some(key)
}
