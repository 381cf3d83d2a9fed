//! What an earlier release wrote is read by this one: its ledger verifies, every row is whole, what lives is revealed, and who
//! was erased stays erased.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

#[test]
fn a_vault_of_every_release_opens_verifies_and_reveals() {
    let releases = releases();
    assert!(!releases.is_empty(), "there is no vault of any release");
    for release in releases {
        let name = release.file_name().unwrap().to_string_lossy().into_owned();
        let vault = Vault::copy_of(&release);
        let expected: Json =
            serde_json::from_slice(&std::fs::read(release.join("expected.json")).unwrap()).unwrap();

        let verified = vault.json(&["ledger", "verify"], 0);
        assert_eq!(verified["verified"], true, "{name}: {verified}");
        assert!(verified["report"]["entries"].as_u64() >= expected["entries"].as_u64(), "{name}: {verified}");

        let ann = vault.json(&["reveal", "--purpose", "account", "--subject", "1"], 0);
        let fields = &ann["records"][0]["fields"];
        assert_eq!(
            (&fields["name"], &fields["email"]),
            (&"Ann Example".into(), &"ann@old-friend.example".into()),
            "{name}"
        );
        let parcel = vault.json(&["reveal", "--purpose", "delivery", "--record", "order:100"], 0);
        assert_eq!(parcel["records"][0]["fields"]["address"], "1 Sample Street", "{name}: {parcel}");

        let erased = vault.run(&["reveal", "--purpose", "account", "--subject", "2"]);
        assert_eq!(erased.status.code(), Some(3), "{name}: {}", String::from_utf8_lossy(&erased.stderr));

        // The clock is in doubt for a vault that nobody used for a month; rows and ledger are looked at all the same.
        let looks: Json = serde_json::from_slice(&vault.run(&["doctor", "--deep"]).stdout).unwrap();
        for what in ["schema", "ledger", "rows"] {
            let look = looks.as_array().unwrap().iter().find(|look| look["what"] == what);
            assert_eq!(look.map(|look| &look["well"]), Some(&Json::Bool(true)), "{name}: {looks}");
        }
    }
}

#[test]
fn a_vault_of_every_release_still_has_its_verifier_key() {
    for release in releases() {
        let vault = Vault::copy_of(&release);
        let expected: Json =
            serde_json::from_slice(&std::fs::read(release.join("expected.json")).unwrap()).unwrap();
        let exported = vault.json(&["ledger", "export", "--to", "exported"], 0);
        assert_eq!(exported["verifier_key"], expected["verifier_key"]);
    }
}

fn releases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/releases");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

/// A copy of a release's vault, with the modes that git does not keep.
struct Vault(tempfile::TempDir);

impl Vault {
    fn copy_of(release: &Path) -> Vault {
        let copy = tempfile::tempdir().unwrap();
        private_copy(release, copy.path());
        Vault(copy)
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command
            .args(words)
            .args(["--quiet", "--json", "--data", "data", "--keys", "keys"])
            .current_dir(self.0.path());
        if words.first() == Some(&"reveal") {
            command.args(["--credential-file", "credential"]);
        }
        command.output().unwrap()
    }

    fn json(&self, words: &[&str], code: i32) -> Json {
        let output = self.run(words);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn private_copy(from: &Path, to: &Path) {
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir(&copy).unwrap();
            private_copy(&path, &copy);
        } else {
            std::fs::write(&copy, std::fs::read(&path).unwrap()).unwrap();
            std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}
