//! The demo: services on loopback in every state that a checker meets, and the definitions that watch them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_checker::Clock as _;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::clock::FastClock;

/// A minute in three seconds: an outage is opened, told and closed within half a minute.
pub(crate) const SPEED: u32 = 20;
/// How long a check in the demo may take; below the three seconds of a fast minute.
const TIMEOUT: &str = "2s";
/// Long enough for a connect on loopback that is answered at all.
const PROMPTLY: Duration = Duration::from_millis(100);
/// The dying service is gone in these minutes of every ten.
const GONE: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(90), SignedDuration::from_secs(270));
const ROUND: SignedDuration = SignedDuration::from_mins(10);

/// What the healthy service says of itself.
const GREETING: &str = "Portpulse's demo, at your service";

/// The services, each on a port of its own that it keeps.
pub(crate) struct Demo {
    healthy: TcpListener,
    refused: TcpSocket,
    closed: TcpSocket,
    silent: Full,
    slow: Full,
    dying: Dying,
}

impl Demo {
    /// Opens their ports.
    pub(crate) async fn open() -> io::Result<Self> {
        Ok(Self {
            healthy: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
            refused: unheard()?,
            closed: unheard()?,
            silent: Full::open().await?,
            slow: Full::open().await?,
            dying: Dying::open()?,
        })
    }

    /// The definitions file that watches them.
    pub(crate) fn definitions(&self) -> io::Result<String> {
        let mut text = format!("defaults: {{ tier: critical, timeout: {TIMEOUT} }}\nmonitors:\n");
        let greeted = format!(", script: [{{ expect: \"{GREETING}\" }}]");
        for (id, address, more) in [
            ("healthy", self.healthy.local_addr()?, greeted.as_str()),
            ("refused", self.refused.local_addr()?, ""),
            ("silent", self.silent.listener.local_addr()?, ""),
            ("slow", self.slow.listener.local_addr()?, ", slow_after: 500ms"),
            ("expected-closed", self.closed.local_addr()?, ", expect: closed"),
            ("dies-and-returns", self.dying.address, ""),
        ] {
            let port = address.port();
            text.push_str(&format!("  {id}: {{ host: 127.0.0.1, port: {port}{more} }}\n"));
        }
        Ok(text)
    }

    /// Behaves as each service should; never ends by itself unless a port is lost.
    pub(crate) async fn run(self, clock: FastClock) -> io::Result<()> {
        let Self {
            healthy,
            refused,
            closed,
            silent,
            slow,
            dying,
        } = self;
        let ended = tokio::try_join!(greet(&healthy), slow.run(clock), dying.run(clock));
        drop((refused, closed, silent));
        ended.map(drop)
    }
}

/// A port that is bound, so that nobody else can take it, and refuses: nobody listens there.
fn unheard() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(socket)
}

/// Takes connections and lets them go.
async fn accept(listener: &TcpListener) -> io::Result<()> {
    loop {
        listener.accept().await?;
    }
}

/// Says to each who it is, and lets it go.
async fn greet(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        // Who hung up already is not greeted.
        drop(stream.write_all(format!("{GREETING}\r\n").as_bytes()).await);
    }
}

/// A listener whose queue is full: the kernel drops what else wants to connect.
struct Full {
    listener: TcpListener,
    queued: Vec<TcpStream>,
}

impl Full {
    async fn open() -> io::Result<Self> {
        let listener = unheard()?.listen(0)?;
        let mut full = Self {
            listener,
            queued: Vec::new(),
        };
        full.fill().await?;
        Ok(full)
    }

    /// Connects until nothing more gets in.
    async fn fill(&mut self) -> io::Result<()> {
        let address = self.listener.local_addr()?;
        while let Ok(stream) = timeout(PROMPTLY, TcpStream::connect(address)).await {
            self.queued.push(stream?);
        }
        Ok(())
    }

    /// Takes all that waits and whatever comes until then, so that others get in.
    async fn drain(&mut self, until: Instant) -> io::Result<()> {
        self.queued.clear();
        match timeout_at(until, accept(&self.listener)).await {
            Ok(lost) => lost,
            Err(_) => Ok(()),
        }
    }

    /// Is full when a tick begins and free soon after: a SYN is lost, and the one that the kernel sends a second
    /// later gets in. That makes a connect of a second, as over a lossy line.
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

/// A service that dies and comes back, on a port that it keeps while it is dead.
struct Dying {
    address: SocketAddr,
    listener: Option<TcpListener>,
    _kept: TcpSocket,
}

impl Dying {
    fn open() -> io::Result<Self> {
        let kept = TcpSocket::new_v4()?;
        kept.set_reuseaddr(true)?;
        kept.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = kept.local_addr()?;
        let mut dying = Self {
            address,
            listener: None,
            _kept: kept,
        };
        dying.live()?;
        Ok(dying)
    }

    fn live(&mut self) -> io::Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        self.listener = Some(socket.listen(16)?);
        Ok(())
    }

    async fn run(mut self, clock: FastClock) -> io::Result<()> {
        let mut round = clock.now();
        loop {
            let at = |after: SignedDuration| {
                clock.instant_of(round.saturating_add(after).unwrap_or(Timestamp::MAX))
            };
            if let Some(listener) = self.listener.take() {
                let death = sleep_until(at(GONE.0));
                tokio::select! {
                    lost = accept(&listener) => lost?,
                    () = death => {}
                }
            }
            sleep_until(at(GONE.1)).await;
            self.live()?;
            round = round.saturating_add(ROUND).unwrap_or(Timestamp::MAX);
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
    async fn each_service_is_in_its_state() {
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
        drop(timeout(PROMPTLY, accept(slow_listener)).await);
        assert!(connects(slow).await.unwrap().is_ok());
        demo.slow.fill().await.unwrap();
        assert!(connects(slow).await.is_none());

        let address = demo.dying.address;
        for _ in 0..2 {
            assert!(connects(address).await.unwrap().is_ok());
            demo.dying.listener = None;
            let error = connects(address).await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            demo.dying.live().unwrap();
        }
    }

    #[tokio::test]
    async fn its_definitions_are_valid() {
        let text = Demo::open().await.unwrap().definitions().unwrap();
        let file = portpulse_monitors_file::read(&text, NetworkAccess::OwnNetwork).unwrap();
        assert_eq!(file.monitors().len(), 6);
    }
}
