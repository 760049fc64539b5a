//! Latency of the status page of `portpulse local` with 100 concurrent readers, while it checks 50 monitors from 3
//! locations. Prints a table; run `cargo bench -p portpulse-local`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking, and prints its results"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const READERS: usize = 100;
const REQUESTS: usize = 20;
const MONITORS: usize = 50;

struct Served {
    child: Child,
    address: String,
    folder: std::path::PathBuf,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn main() {
    // The target of all checks.
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = open.local_addr().unwrap().port();
    std::thread::spawn(move || open.incoming().for_each(drop));
    let served = serve(port);
    println!("{READERS} readers at once, {REQUESTS} requests each, {MONITORS} monitors, 3 locations");
    println!("| page | p50 | p95 | slowest | requests/s | bytes |");
    println!("|---|---|---|---|---|---|");
    for path in ["/", "/incidents", "/monitors/m07"] {
        let began = Instant::now();
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                let address = served.address.clone();
                std::thread::spawn(move || read(&address, path))
            })
            .collect();
        let (mut times, mut bytes) = (Vec::new(), 0);
        for reader in readers {
            let (took, size) = reader.join().unwrap();
            times.extend(took);
            bytes = size;
        }
        let whole = began.elapsed();
        times.sort();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        let rate = times.len() as u128 * 1_000 / whole.as_millis().max(1);
        println!(
            "| `{path}` | {:.1?} | {:.1?} | {:.1?} | {rate} | {bytes} |",
            at(50),
            at(95),
            at(100)
        );
    }
}

/// Starts the program, and waits until every location has checked all monitors once.
fn serve(port: u16) -> Served {
    let folder = std::env::temp_dir().join(format!("portpulse-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut definitions = "defaults: { tier: critical }\nmonitors:\n".to_owned();
    for number in 0..MONITORS {
        definitions.push_str(&format!(
            "  m{number:02}: {{ host: 127.0.0.1, port: {port}, tags: [bench] }}\n"
        ));
    }
    let file = folder.join("monitors.yaml");
    std::fs::write(&file, definitions).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_portpulse"))
        .args([
            "local",
            "--locations",
            "a,b,c",
            "--listen",
            "127.0.0.1:0",
            "--monitors",
        ])
        .arg(&file)
        .arg("--data")
        .arg(folder.join("data"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.find_map(|line| Some(line.unwrap().strip_prefix("Status page: http://")?.to_owned()));
    let address = url.unwrap().trim_end_matches('/').to_owned();
    let mut ticks = 0;
    while ticks < 3 {
        ticks += usize::from(lines.next().unwrap().unwrap().contains("as expected"));
    }
    std::thread::spawn(move || lines.for_each(drop));
    Served {
        child,
        address,
        folder,
    }
}

/// Requests a page repeatedly, each time over a new connection. Returns the times and the size of the page.
fn read(address: &str, path: &str) -> (Vec<Duration>, usize) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let (mut times, mut size) = (Vec::new(), 0);
    for _ in 0..REQUESTS {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}");
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        size = answer.len() - head - 4;
        times.push(began.elapsed());
    }
    (times, size)
}
