//! Does what was built run with nothing around it? In an empty folder, without a libc, without a network.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell::{self, answers, program, say};

/// The program serves within this time.
const SERVING: Duration = Duration::from_secs(5);
/// The walk-through ends within so many seconds.
const WALKING: &str = "120";
/// systemd's own measure of how exposed a service is: 0 is best, 100 worst.
const EXPOSURE: &str = "15";

/// Looks at a program: alone in a folder it must start and serve; a twin that needs a libc must not.
///
/// Gives: what could not be looked at here, and why.
pub(crate) fn check(strongroom: &Path) -> Result<Vec<String>> {
    if let Some(needed) = needs(&std::fs::read(strongroom)?)? {
        bail!("{} is not static: it needs {needed}", strongroom.display());
    }
    say("static: no interpreter, no shared library");
    let mut skipped = Vec::new();
    match lacking() {
        Some(why) => skipped.push(format!("the program alone in an empty folder: {why}")),
        None => alone(strongroom)?,
    }
    match unit(strongroom)? {
        Some(why) => skipped.push(why),
        None => say(format!("systemd finds nothing in the unit, and an exposure below {EXPOSURE} of 100")),
    }
    Ok(skipped)
}

/// What else is needed to look.
fn lacking() -> Option<String> {
    for (tool, package) in [("unshare", "util-linux"), ("nsenter", "util-linux"), ("ip", "iproute2")] {
        let flag = if tool == "ip" { "-Version" } else { "--version" };
        if !answers(tool, &[flag]) {
            return Some(format!("`{tool}` is not here (Debian: apt-get install {package})"));
        }
    }
    let may = answers("unshare", &["--net", "true"]);
    (!may).then(|| String::from("only root may make a network namespace"))
}

/// Runs the program in a folder that holds it and an empty `tmp`, on a network of its own that leads nowhere.
fn alone(strongroom: &Path) -> Result<()> {
    let folder = shell::root().join("target/alone");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("tmp"))?;
    std::fs::copy(strongroom, folder.join("strongroom"))?;

    // The twin first: were the folder not empty, or the root not changed, it would start, and nothing below would say anything.
    let twin = std::env::current_exe()?;
    if needs(&std::fs::read(&twin)?)?.is_none() {
        bail!("the twin is static itself, so that it does not start would say nothing");
    }
    std::fs::copy(twin, folder.join("twin"))?;
    let started =
        inside(&folder, &["/twin", "--help"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if started.success() {
        bail!(
            "a program that needs a libc starts there: the folder is not empty, or the root was not changed"
        );
    }
    std::fs::remove_file(folder.join("twin"))?;
    say("a program that needs a libc does not start there");

    let begin = Instant::now();
    let mut demo = Serving(
        inside(&folder, &["/strongroom", "demo", "--customers", "30"]).stdout(Stdio::piped()).spawn()?,
    );
    let data = vault_of(&mut demo.0, begin)?;
    let mut ask = program("nsenter", &["--net", "--target", &demo.0.id().to_string(), "chroot"]);
    let asked = ask.arg(&folder).args(["/strongroom", "health", "--data", &data]);
    let health = shell::output(asked)?;
    let took = begin.elapsed();
    if took > SERVING {
        bail!("it served after {:.1} s; {} s are allowed", took.as_secs_f64(), SERVING.as_secs());
    }
    say(format!("alone it serves after {:.2} s, and says: {}", took.as_secs_f64(), health.trim()));
    drop(demo);

    // The whole walk-through, every step of which is an answer over HTTP.
    let begin = Instant::now();
    let demo = inside(&folder, &["/strongroom", "demo", "--once", "--quiet", "--customers", "30"]);
    let mut walk = program("timeout", &[WALKING]);
    walk.arg(demo.get_program()).args(demo.get_args()).stdout(Stdio::null());
    shell::run(&mut walk).context("the walk-through of the demo")?;
    say(format!("alone it walks through the whole demo in {:.1} s", begin.elapsed().as_secs_f64()));
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// A program in the folder, which it takes for the root, in a network that has a loopback and nothing else.
fn inside(folder: &Path, arguments: &[&str]) -> Command {
    let mut command =
        program("unshare", &["--net", "sh", "-c", "ip link set lo up && exec chroot \"$0\" \"$@\""]);
    command.arg(folder).args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// Waits until the demo says where it serves. Gives its data folder, as it stands in its own root.
fn vault_of(demo: &mut Child, begin: Instant) -> Result<String> {
    let out = demo.stdout.take().context("the demo has no stdout")?;
    let (says, said) = mpsc::channel();
    // The thread reads on to the end: a full pipe would hold the demo up.
    std::thread::spawn(move || {
        let mut text = String::new();
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            text.push_str(line.trim());
            text.push(' ');
            if let Some(folder) = folder_in(&text) {
                let _ = says.send(folder);
            }
        }
    });
    let left = SERVING.saturating_sub(begin.elapsed());
    let folder = said
        .recv_timeout(left)
        .ok()
        .with_context(|| format!("the demo does not say within {} s where it serves", SERVING.as_secs()))?;
    Ok(format!("{folder}/vault"))
}

/// The demo's folder, once the text that names it has come whole.
fn folder_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("/tmp/strongroom-demo-")?;
    let (name, _) = rest.split_once([' ', '.', '。'])?;
    Some(format!("/tmp/strongroom-demo-{name}"))
}

/// A process that is killed when it is dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What systemd says about the unit. Gives why it was not asked, if it was not.
fn unit(strongroom: &Path) -> Result<Option<String>> {
    if !answers("systemd-analyze", &["--version"]) {
        return Ok(Some(String::from(
            "systemd's checks of the unit: systemd-analyze is not here (Debian: apt-get install systemd)",
        )));
    }
    let text = std::fs::read_to_string(shell::root().join("packaging/strongroom.service"))?;
    // Where it is installed there is nothing yet; the checks want a program.
    let folder = shell::root().join("target/unit");
    std::fs::create_dir_all(&folder)?;
    let file: PathBuf = folder.join("strongroom.service");
    std::fs::write(&file, text.replace("/usr/local/bin/strongroom", &strongroom.to_string_lossy()))?;
    let verified = program("systemd-analyze", &["verify"]).arg(&file).output()?;
    // It says what it does not know, ignores it, and calls that a success.
    let said = String::from_utf8_lossy(&verified.stderr);
    let about_us: Vec<&str> = said.lines().filter(|line| line.contains("strongroom.service")).collect();
    if !verified.status.success() || !about_us.is_empty() {
        bail!("systemd finds fault with the unit: {}", about_us.join("; "));
    }
    let mut security = program("systemd-analyze", &["security", "--offline=true", "--no-pager"]);
    security.arg(format!("--threshold={EXPOSURE}")).arg(&file);
    let measured = security.output()?;
    if !measured.status.success() {
        let all = String::from_utf8_lossy(&measured.stdout).into_owned();
        bail!("the unit is too exposed: {}", all.lines().last().unwrap_or_default());
    }
    Ok(None)
}

/// What a program needs to start besides the kernel: an interpreter, or shared libraries. `None` for a static one.
///
/// SOURCE: the ELF format, System V ABI.
pub(crate) fn needs(elf: &[u8]) -> Result<Option<&'static str>> {
    const INTERPRETER: u32 = 3;
    const DYNAMIC: u32 = 2;
    const NEEDED: u64 = 1;
    let damaged = || anyhow::anyhow!("this is no 64-bit little-endian ELF file");
    if elf.get(..6) != Some(b"\x7fELF\x02\x01") {
        return Err(damaged());
    }
    let number = |at: usize, size: usize| -> Result<u64> {
        let bytes = elf.get(at..at.saturating_add(size)).ok_or_else(damaged)?;
        Ok(bytes.iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)))
    };
    let place = |at: usize| -> Result<usize> { Ok(usize::try_from(number(at, 8)?)?) };
    let (table, size, count) =
        (place(0x20)?, usize::try_from(number(0x36, 2)?)?, usize::try_from(number(0x38, 2)?)?);
    for header in (0..count).map(|one| table.saturating_add(one.saturating_mul(size))) {
        match u32::try_from(number(header, 4)?)? {
            INTERPRETER => return Ok(Some("an interpreter")),
            DYNAMIC => {
                let (from, length) =
                    (place(header.saturating_add(0x08))?, place(header.saturating_add(0x20))?);
                for entry in (from..from.saturating_add(length)).step_by(16) {
                    if number(entry, 8)? == NEEDED {
                        return Ok(Some("shared libraries"));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file with one program header of a type, and behind it one entry of a dynamic section.
    fn elf(kind: u32, tag: u64) -> Vec<u8> {
        let mut file = vec![0; 0x40 + 0x38 + 16];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[0x20] = 0x40;
        file[0x36] = 0x38;
        file[0x38] = 1;
        file[0x40..0x44].copy_from_slice(&kind.to_le_bytes());
        file[0x48] = 0x78;
        file[0x60] = 16;
        file[0x78..0x80].copy_from_slice(&tag.to_le_bytes());
        file
    }

    #[test]
    fn what_a_program_needs_is_read_from_its_headers() {
        assert_eq!(needs(&elf(1, 0)).unwrap(), None);
        assert_eq!(
            needs(&elf(2, 5)).unwrap(),
            None,
            "a static program that can be moved has a dynamic section"
        );
        assert_eq!(needs(&elf(2, 1)).unwrap(), Some("shared libraries"));
        assert_eq!(needs(&elf(3, 0)).unwrap(), Some("an interpreter"));
        needs(b"#!/bin/sh\n").unwrap_err();
        needs(&elf(2, 1)[..0x44]).unwrap_err();
    }

    #[test]
    fn this_very_test_needs_a_libc() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(needs(&own).unwrap().is_some());
    }

    #[test]
    fn the_demo_s_folder_is_read_once_it_stands_there_whole() {
        assert_eq!(folder_in("on a vault in /tmp/strongroom-demo-ejnz"), None);
        let whole = "in /tmp/strongroom-demo-ejnzmI. The shop";
        assert_eq!(folder_in(whole).as_deref(), Some("/tmp/strongroom-demo-ejnzmI"));
    }
}
