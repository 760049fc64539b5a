//! The demo: services on loopback in typical states, and the definitions that monitor them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_checker::Clock as _;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::clock::FastClock;

/// One minute takes three seconds, so that an outage opens, is reported and closes within half a minute.
pub(crate) const SPEED: u32 = 20;
/// The timeout of a check; less than the three seconds of a demo minute.
const TIMEOUT: &str = "2s";
/// Long enough for a successful connect on loopback.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(100);
/// The restarting service is down between these times of each cycle.
const DOWN_BETWEEN: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(90), SignedDuration::from_secs(270));
const CYCLE: SignedDuration = SignedDuration::from_mins(10);

/// The banner of the healthy service.
const BANNER: &str = "Portpulse demo service";

/// The demo services, each on its own reserved port.
pub(crate) struct Demo {
    healthy: TcpListener,
    refused: TcpSocket,
    closed: TcpSocket,
    silent: FullListener,
    slow: FullListener,
    restarting: RestartingService,
}

impl Demo {
    /// Opens the ports.
    pub(crate) async fn open() -> io::Result<Self> {
        Ok(Self {
            healthy: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
            refused: bound_socket()?,
            closed: bound_socket()?,
            silent: FullListener::open().await?,
            slow: FullListener::open().await?,
            restarting: RestartingService::open()?,
        })
    }

    /// The definitions file that monitors the services.
    pub(crate) fn definitions(&self) -> io::Result<String> {
        // A demo minute has no time for retries.
        let mut text = format!("defaults: {{ tier: critical, timeout: {TIMEOUT}, retries: 0 }}\nmonitors:\n");
        let script = format!(", script: [{{ expect: \"{BANNER}\" }}]");
        for (id, address, more) in [
            ("healthy", self.healthy.local_addr()?, script.as_str()),
            ("refused", self.refused.local_addr()?, ""),
            ("silent", self.silent.listener.local_addr()?, ""),
            ("slow", self.slow.listener.local_addr()?, ", slow_after: 500ms"),
            ("expected-closed", self.closed.local_addr()?, ", expect: closed"),
            ("dies-and-returns", self.restarting.address, ""),
        ] {
            let port = address.port();
            text.push_str(&format!("  {id}: {{ host: 127.0.0.1, port: {port}{more} }}\n"));
        }
        Ok(text)
    }

    /// Runs the services; returns only on an error.
    pub(crate) async fn run(self, clock: FastClock) -> io::Result<()> {
        let Self {
            healthy,
            refused,
            closed,
            silent,
            slow,
            restarting,
        } = self;
        let ended = tokio::try_join!(greet(&healthy), slow.run(clock), restarting.run(clock));
        drop((refused, closed, silent));
        ended.map(drop)
    }
}

/// A bound port without a listener: it is reserved, and refuses connections.
fn bound_socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(socket)
}

/// Accepts connections and closes them.
async fn accept(listener: &TcpListener) -> io::Result<()> {
    loop {
        listener.accept().await?;
    }
}

/// Sends the banner on each connection and closes it.
async fn greet(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        // The peer may have closed the connection.
        drop(stream.write_all(format!("{BANNER}\r\n").as_bytes()).await);
    }
}

/// A listener with a full backlog: the kernel drops further SYNs.
struct FullListener {
    listener: TcpListener,
    queued: Vec<TcpStream>,
}

impl FullListener {
    async fn open() -> io::Result<Self> {
        let listener = bound_socket()?.listen(0)?;
        let mut full = Self {
            listener,
            queued: Vec::new(),
        };
        full.fill().await?;
        Ok(full)
    }

    /// Connects until the backlog is full.
    async fn fill(&mut self) -> io::Result<()> {
        let address = self.listener.local_addr()?;
        while let Ok(stream) = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            self.queued.push(stream?);
        }
        Ok(())
    }

    /// Accepts all connections until the deadline, so that new ones succeed.
    async fn drain(&mut self, deadline: Instant) -> io::Result<()> {
        self.queued.clear();
        match timeout_at(deadline, accept(&self.listener)).await {
            Ok(lost) => lost,
            Err(_) => Ok(()),
        }
    }

    /// Fills the backlog before each tick and drains it soon after: the first SYN is dropped, and the retransmission one
    /// second later succeeds. The connect takes one second, as on a lossy network.
    async fn run(mut self, clock: FastClock) -> io::Result<()> {
        const MARGIN: Duration = Duration::from_millis(600);
        let mut tick = Instant::now();
        loop {
            sleep_until(tick + MARGIN).await;
            tick = clock.instant_of(next_minute(clock.now()));
            self.drain(tick - MARGIN).await?;
            self.fill().await?;
        }
    }
}

/// The whole minute after `now`.
fn next_minute(now: Timestamp) -> Timestamp {
    let second = now.as_second() - now.as_second().rem_euclid(60) + 60;
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// A service that stops and restarts, on a port that stays reserved.
struct RestartingService {
    address: SocketAddr,
    listener: Option<TcpListener>,
    _reserved: TcpSocket,
}

impl RestartingService {
    fn open() -> io::Result<Self> {
        let reserved = TcpSocket::new_v4()?;
        reserved.set_reuseaddr(true)?;
        reserved.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = reserved.local_addr()?;
        let mut restarting = Self {
            address,
            listener: None,
            _reserved: reserved,
        };
        restarting.listen()?;
        Ok(restarting)
    }

    fn listen(&mut self) -> io::Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        self.listener = Some(socket.listen(16)?);
        Ok(())
    }

    async fn run(mut self, clock: FastClock) -> io::Result<()> {
        let mut cycle_start = clock.now();
        loop {
            let at = |after: SignedDuration| {
                clock.instant_of(cycle_start.saturating_add(after).unwrap_or(Timestamp::MAX))
            };
            if let Some(listener) = self.listener.take() {
                let stop = sleep_until(at(DOWN_BETWEEN.0));
                tokio::select! {
                    lost = accept(&listener) => lost?,
                    () = stop => {}
                }
            }
            sleep_until(at(DOWN_BETWEEN.1)).await;
            self.listen()?;
            cycle_start = cycle_start.saturating_add(CYCLE).unwrap_or(Timestamp::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_core::definition::NetworkAccess;
    use std::io::ErrorKind;

    async fn connects(address: SocketAddr) -> Option<io::Result<TcpStream>> {
        timeout(Duration::from_millis(300), TcpStream::connect(address))
            .await
            .ok()
    }

    #[tokio::test]
    async fn each_demo_service_has_its_state() {
        let mut demo = Demo::open().await.unwrap();
        assert!(
            connects(demo.healthy.local_addr().unwrap())
                .await
                .unwrap()
                .is_ok()
        );
        for socket in [&demo.refused, &demo.closed] {
            let error = connects(socket.local_addr().unwrap()).await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        }
        assert!(
            connects(demo.silent.listener.local_addr().unwrap())
                .await
                .is_none()
        );

        let slow = demo.slow.listener.local_addr().unwrap();
        assert!(connects(slow).await.is_none());
        demo.slow.queued.clear();
        let slow_listener = &demo.slow.listener;
        drop(timeout(CONNECT_TIMEOUT, accept(slow_listener)).await);
        assert!(connects(slow).await.unwrap().is_ok());
        demo.slow.fill().await.unwrap();
        assert!(connects(slow).await.is_none());

        let address = demo.restarting.address;
        for _ in 0..2 {
            assert!(connects(address).await.unwrap().is_ok());
            demo.restarting.listener = None;
            let error = connects(address).await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            demo.restarting.listen().unwrap();
        }
    }

    #[tokio::test]
    async fn demo_definitions_are_valid() {
        let text = Demo::open().await.unwrap().definitions().unwrap();
        let file = portpulse_monitors_file::read(&text, NetworkAccess::OwnNetwork).unwrap();
        assert_eq!(file.monitors().len(), 6);
    }
}
