//! `strongroom health`: does the server of this data folder serve? For containers and whoever restarts; opens nothing.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use clap::Args;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tokio::net::UnixStream;

use super::answers::{text, texts};
use super::client::send_over;
use super::{Context, Exit};
use crate::desk::SOCKET;
use crate::ground::Problem;

/// What `health` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Asks the server over the socket in the data folder, so it needs no address, no certificate and no credential.
Exit code 0 when it serves, also when something needs attention; 4 when it does not serve; 1 when nobody answers."
)]
pub(super) struct HealthArgs {
    /// Wait so long for the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    patience: u32,
}

pub(super) async fn run(args: HealthArgs, context: &Context) -> Result<Exit, Problem> {
    let patience = Duration::from_secs(u64::from(args.patience));
    let (status, health) = tokio::time::timeout(patience, ask(context)).await.map_err(|_| nobody())??;
    if context.voice.json {
        context.voice.print_json(&health);
    } else {
        let attention = texts(&health, "attention");
        let what = if attention.is_empty() { String::new() } else { format!(": {}", attention.join(", ")) };
        context.voice.print(format!("{}{what}", text(&health, "status")));
    }
    Ok(if status.is_success() { Exit::Done } else { Exit::Found })
}

async fn ask(context: &Context) -> Result<(StatusCode, Json), Problem> {
    let stream = UnixStream::connect(context.data.join(SOCKET)).await.map_err(|_| nobody())?;
    let request = Request::builder()
        .method(Method::GET)
        .uri("/health/ready")
        .header("host", "strongroom")
        .body(Body::empty())
        .map_err(|_| nobody())?;
    let response = send_over(TokioIo::new(stream), request).await?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|_| nobody())?.to_bytes();
    Ok((status, serde_json::from_slice(&body).map_err(|_| nobody())?))
}

fn nobody() -> Problem {
    Problem::new("SR-CLI-007", 500, "no server of this data folder answers")
        .help("`--data` says which folder; look into the server's log, and whether it runs")
}
