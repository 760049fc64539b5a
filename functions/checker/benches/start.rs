//! The start of the Lambda's program, from the process to its first request for work, with the clients built; and its
//! size. `cargo bench -p portpulse-checker --bench start --profile lambda` measures it as it is deployed.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and ends when something is wrong"
)]

use std::process::Stdio;
use std::time::{Duration, Instant};

use portpulse_testkit::function::program;
use portpulse_testkit::runtime_api::{Heard, RuntimeApi};
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
    println!("The Lambda's program, {RUNS} starts to the first request for work:");
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
    let heard = tokio::time::timeout(Duration::from_secs(60), api.heard()).await;
    let took = began.elapsed();
    assert_eq!(heard.unwrap(), Some(Heard::Ready));
    child.kill().unwrap();
    child.wait().unwrap();
    took
}
