//! The command line: one binary, verbs. Results on stdout, talk on stderr, `--json` everywhere.

mod account;
mod answers;
mod approvals;
mod bench;
mod changes;
mod check;
mod client;
mod copies;
mod credentials;
mod data;
mod demo;
mod diff;
mod doctor;
mod ending;
mod files;
mod health;
mod init;
mod interchange;
mod interview;
mod keys;
mod law;
mod ledger;
mod moving;
mod notice;
mod policy;
mod print;
mod record;
mod selftest;
mod serve;
mod verify;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use print::{Bar, Voice};

use crate::config::Flags;
use crate::ground::Problem;
use crate::process::{self, Logged};

/// How a command ended. `docs/reference/cli.md` tells people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// Refused: no credential, no role, no purpose, or the gate said no.
    Refused = 3,
    /// It looked, and found something wrong.
    Found = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The privacy policy that runs.
///
/// A shop writes what it promises its customers in one file; Strongroom checks it, enforces it on every use of
/// customer data, erases on time, and proves it kept its word.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    everywhere: Everywhere,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  strongroom demo                                        see it work, in a temporary folder
  strongroom interview --out shop.toml                   ten questions, and a policy
  strongroom check shop.toml                             check a policy, also against the law
  strongroom init --policy shop.toml --data vault --keys keys
  strongroom serve --data vault
  strongroom import customers.csv.gz --mapping customers.toml --data vault

Exit codes: 0 done · 1 failed · 2 wrong usage · 3 refused · 4 found something wrong";

/// What every command takes.
#[derive(Debug, Args)]
struct Everywhere {
    /// The data folder
    #[arg(long, global = true, value_name = "DIR", default_value = "vault", help_heading = "Everywhere")]
    data: PathBuf,
    /// The configuration file, instead of strongroom.toml in the data folder
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    config: Option<PathBuf>,
    /// The keys folder
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    keys: Option<PathBuf>,
    /// A key file that unlocks the keyring, instead of unlock.key in the keys folder
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    key_file: Option<PathBuf>,
    /// A file whose first line is the passphrase that unlocks the keyring
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "key_file",
        help_heading = "Everywhere"
    )]
    passphrase_file: Option<PathBuf>,
    /// The address of a PostgreSQL database that has the rows, instead of the data folder
    #[arg(long, global = true, value_name = "ADDRESS", help_heading = "Everywhere")]
    store: Option<String>,
    /// A file whose first line is the password of the database's user
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    store_password_file: Option<PathBuf>,
    /// An officer's share of the key that unlocks the keyring; once for each share
    #[arg(
        long = "share",
        global = true,
        value_name = "FILE",
        conflicts_with_all = ["key_file", "passphrase_file"],
        help_heading = "Everywhere"
    )]
    shares: Vec<PathBuf>,
    /// The shop, when the vault has several
    #[arg(long, global = true, value_name = "NAME", help_heading = "Everywhere")]
    shop: Option<String>,
    /// Results as JSON
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    /// No talk and no progress on stderr
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    quiet: bool,
}

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context {
    flags: Flags,
    data: PathBuf,
    shop: Option<String>,
    voice: Voice,
}

impl Context {
    async fn reach(&self) -> Result<client::Client, Problem> {
        client::Client::reach(&self.flags, &self.data, self.shop.clone()).await
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a vault: keyring, ledger key, shop, and the first admin
    Init(init::InitArgs),
    /// Answer ten questions, and have a policy written in Chinese and English
    Interview(interview::InterviewArgs),
    /// Serve the API
    Serve(serve::ServeArgs),
    /// See it work: a server with made-up customers in a temporary folder, and a walk through it
    Demo(demo::DemoArgs),
    /// Check a policy file, as a compiler checks a program
    Check(check::CheckArgs),
    /// Say what a new policy says otherwise: what people must be told, whose choices become void
    Diff(diff::DiffArgs),
    /// Draw up the record of processing activities from a policy: GDPR 30, or 个人信息处理活动台账
    Record(record::RecordArgs),
    /// Write a policy in the words of other tools: the W3C Data Privacy Vocabulary, or Fides
    Interchange(interchange::InterchangeArgs),
    /// Ask what laws and marketplaces want: rules, clocks and steps, with their articles
    #[command(subcommand)]
    Law(law::LawCommand),
    /// Make the notice into what storefronts of marketplaces can show, and see whether what hangs there is in force
    #[command(subcommand)]
    Notice(notice::NoticeCommand),
    /// See, plan, apply and publish policies
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Take in a file of records: CSV or JSONL, plain or gzip, or an Excel workbook
    Import(data::ImportArgs),
    /// See what is kept about a subject, without values
    #[command(subcommand)]
    Subject(data::SubjectCommand),
    /// Open fields for a purpose, with a credential that has it
    Reveal(data::RevealArgs),
    /// Send and open files that records hold
    #[command(subcommand)]
    Files(files::FilesCommand),
    /// Erase a subject for good
    Erase(data::EraseArgs),
    /// Verify, prove and export the ledger
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Say whether a receipt is true, and what it proves; needs no vault
    Verify(verify::VerifyArgs),
    /// See the epoch, begin a new one, change the lock
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Make, list, freeze and revoke credentials
    #[command(subcommand)]
    Credentials(credentials::CredentialsCommand),
    /// Let a credential reach more persons for a while: one asks, another approves
    #[command(subcommand)]
    Approvals(approvals::ApprovalsCommand),
    /// Say whom a credential reached
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// List and add shops of one vault
    #[command(subcommand)]
    Shops(credentials::ShopsCommand),
    /// Copy the vault while it serves
    Backup(copies::BackupArgs),
    /// Bring a backup back; the ledger stays the newest, erased people stay erased
    Restore(copies::RestoreArgs),
    /// Move the rows to a server's database, or back to the data folder
    Move(moving::MoveArgs),
    /// Bring the database to this release's schema
    Migrate(copies::MigrateArgs),
    /// Look whether everything is as it should be
    Doctor(doctor::DoctorArgs),
    /// Ask whether the server of a data folder serves, for containers and supervisors
    Health(health::HealthArgs),
    /// Prove that a page obeys what visitors choose: a real browser looks before a choice and after each
    Selftest(selftest::SelftestArgs),
    /// Be a witness of other people's ledgers: keep their heads, and cosign what only grew
    Witness(witness::WitnessArgs),
    /// Measure this machine, each figure as a ratio to a baseline of the same run
    Bench(bench::BenchArgs),
}

/// Runs the command line. Gives the exit code.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    process::log_to_stderr(if matches!(cli.command, Command::Demo(_)) { Logged::Wrong } else { Logged::All });
    let everywhere = cli.everywhere;
    let context = Context {
        flags: Flags {
            data: Some(everywhere.data.clone()),
            config: everywhere.config,
            keys: everywhere.keys,
            key_file: everywhere.key_file,
            passphrase_file: everywhere.passphrase_file,
            shares: everywhere.shares,
            store: everywhere.store,
            store_password_file: everywhere.store_password_file,
        },
        data: everywhere.data,
        shop: everywhere.shop,
        voice: Voice { json: everywhere.json, quiet: everywhere.quiet },
    };
    let threads = match &cli.command {
        Command::Serve(_) => serve::ServeArgs::threads(&context),
        Command::Bench(args) => args.threads(&context),
        _ => 1,
    };
    if let Err(problem) = process::has_enough_handles() {
        context.voice.problem(&problem);
        return Exit::Failed.into();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            context.voice.problem(&Problem::from(error));
            return Exit::Failed.into();
        }
    };
    let outcome = runtime.block_on(dispatch(cli.command, &context));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(exit) => exit.into(),
        Err(problem) => {
            context.voice.problem(&problem);
            exit_of(&problem).into()
        }
    }
}

fn exit_of(problem: &Problem) -> Exit {
    if matches!(problem.status, 401 | 403 | 404 | 410) { Exit::Refused } else { Exit::Failed }
}

async fn dispatch(command: Command, context: &Context) -> Result<Exit, Problem> {
    match command {
        Command::Init(args) => init::init(args, context).await,
        Command::Serve(args) => serve::run(args, context).await,
        Command::Demo(args) => demo::run(args, context).await,
        Command::Check(args) => check::run(&args, context),
        Command::Diff(args) => diff::run(&args, context),
        Command::Interview(args) => interview::run(&args, context),
        Command::Record(args) => record::run(&args, context),
        Command::Interchange(args) => interchange::run(&args, context),
        Command::Law(command) => law::run(&command, context),
        Command::Notice(command) => notice::run(command, context).await,
        Command::Policy(command) => policy::run(command, context).await,
        Command::Import(args) => data::import(args, context).await,
        Command::Subject(command) => data::subject(command, context).await,
        Command::Reveal(args) => data::reveal(args, context).await,
        Command::Files(command) => files::run(command, context).await,
        Command::Erase(args) => data::erase(args, context).await,
        Command::Ledger(command) => ledger::run(command, context).await,
        Command::Verify(args) => verify::run(&args, context),
        Command::Keys(command) => keys::run(command, context).await,
        Command::Credentials(command) => credentials::run(command, context).await,
        Command::Approvals(command) => approvals::run(command, context).await,
        Command::Account(command) => account::run(command, context).await,
        Command::Shops(command) => credentials::shops(command, context).await,
        Command::Backup(args) => copies::backup(args, context).await,
        Command::Restore(args) => copies::restore(args, context).await,
        Command::Move(args) => moving::run(args, context).await,
        Command::Migrate(args) => copies::migrate(args, context).await,
        Command::Doctor(args) => doctor::run(args, context).await,
        Command::Health(args) => health::run(args, context).await,
        Command::Selftest(args) => selftest::run(args, context).await,
        Command::Witness(args) => witness::run(args, context).await,
        Command::Bench(args) => bench::run(args, context).await,
    }
}

/// Runs something that blocks, on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(act).await.map_err(|_| Problem::from(store::Error::Panicked))?
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_whole() {
        Cli::command().debug_assert();
    }
}
