//! placeholder
use clap::Args;
use super::{Context, Exit};
use crate::ground::Problem;
/// What `bench` takes.
#[derive(Debug, Args)]
pub struct BenchArgs {}
pub(super) async fn run(_args: BenchArgs, _context: &Context) -> Result<Exit, Problem> { Ok(Exit::Done) }
