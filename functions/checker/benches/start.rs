//! Startup time of the checker, from process start to the first request for an invocation, and the size of the program.
//! `cargo bench -p portpulse-checker --bench start --profile lambda` measures the program as deployed.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and panics on errors"
)]

use std::process::Stdio;
use std::time::{Duration, Instant};

use portpulse_testkit::function::program;
use portpulse_testkit::runtime_api::{FunctionMessage, RuntimeApi};
use portpulse_testkit::sns::TOPIC_ARN;

const RUNS: usize = 20;
const PROGRAM: &str = env!("CARGO_BIN_EXE_portpulse-checker");

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut times: Vec<_> = (0..RUNS).map(|_| runtime.block_on(start())).collect();
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("Time from process start to the first request for an invocation, {RUNS} runs:");
    println!(
        "median {:.1} ms, fastest {:.1} ms, slowest {:.1} ms; binary {:.1} MB",
        ms(times[RUNS / 2]),
        ms(times[0]),
        ms(times[RUNS - 1]),
        std::fs::metadata(PROGRAM).unwrap().len() as f64 / 1e6
    );
}

async fn start() -> Duration {
    let mut api = RuntimeApi::start().await.unwrap();
    let url = api.url();
    let began = Instant::now();
    let environment = [
        ("AWS_LAMBDA_RUNTIME_API", url.as_str()),
        ("AWS_REGION", "eu-west-1"),
        ("PORTPULSE_TABLE", "portpulse"),
        ("PORTPULSE_HOME_REGION", "us-east-1"),
        ("PORTPULSE_TOPIC_ARN", TOPIC_ARN),
    ];
    let mut child = program(PROGRAM, &environment)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let message = tokio::time::timeout(Duration::from_secs(60), api.next_message()).await;
    let took = began.elapsed();
    assert_eq!(message.unwrap(), Some(FunctionMessage::Ready));
    child.kill().unwrap();
    child.wait().unwrap();
    took
}
