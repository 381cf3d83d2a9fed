//! placeholder
use clap::Args;
use super::{Context, Exit};
use crate::ground::Problem;
#[derive(Debug, Args)]
pub(super) struct DemoArgs {}
pub(super) async fn run(_args: DemoArgs, _context: &Context) -> Result<Exit, Problem> { Ok(Exit::Done) }
