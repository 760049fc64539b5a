//! A port that fails and recovers.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

const BACKLOG: i32 = 128;
/// How long a connect may take that the kernel does not drop.
const CONNECT: Duration = Duration::from_millis(200);

#[derive(Clone, Copy)]
pub(crate) enum Failure {
    /// Nothing listens.
    Refused,
    /// The kernel drops packets, because the backlog is full.
    Dropped,
}

/// One target: a port that fails and recovers.
pub(crate) struct Target {
    address: SocketAddr,
    failure: Failure,
    listener: Option<TcpListener>,
    queued: Vec<TcpStream>,
}

impl Target {
    pub(crate) fn open(address: SocketAddr, failure: Failure) -> Self {
        let mut target = Self {
            address,
            failure,
            listener: None,
            queued: Vec::new(),
        };
        target.recover();
        target
    }

    /// Accepts connections until `end`.
    async fn accept_until(&self, end: Instant) {
        let accept = async {
            while let Some(listener) = &self.listener {
                drop(listener.accept().await.unwrap());
            }
        };
        drop(timeout_at(end, accept).await);
    }

    async fn fail(&mut self) {
        match (self.failure, &self.listener) {
            (Failure::Dropped, Some(listener)) => {
                // Without a free place in the queue, the kernel drops further packets.
                SockRef::from(listener).listen(0).unwrap();
                while let Ok(stream) = timeout(CONNECT, TcpStream::connect(self.address)).await {
                    self.queued.push(stream.unwrap());
                }
            }
            (Failure::Refused | Failure::Dropped, _) => self.listener = None,
        }
    }

    fn recover(&mut self) {
        self.queued.clear();
        match &self.listener {
            Some(listener) => SockRef::from(listener).listen(BACKLOG).unwrap(),
            None => {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                socket.set_reuse_address(true).unwrap();
                socket.set_nonblocking(true).unwrap();
                socket.bind(&self.address.into()).unwrap();
                socket.listen(BACKLOG).unwrap();
                self.listener = Some(TcpListener::from_std(socket.into()).unwrap());
            }
        }
    }

    /// Fails at `begin` until it is notified. Sends the time of the failure.
    pub(crate) async fn outage(
        mut self,
        begin: Instant,
        notified: oneshot::Receiver<()>,
        failed: oneshot::Sender<Instant>,
    ) {
        self.accept_until(begin).await;
        failed.send(Instant::now()).unwrap();
        self.fail().await;
        drop(notified.await);
        self.recover();
        self.accept_until(Instant::now() + Duration::from_secs(3_600))
            .await;
    }

    /// Fails for a while, again and again.
    pub(crate) async fn blips(mut self, blips: Vec<(Instant, Instant)>) {
        for (begin, end) in blips {
            self.accept_until(begin).await;
            self.fail().await;
            sleep_until(end).await;
            self.recover();
        }
        self.accept_until(Instant::now() + Duration::from_secs(3_600))
            .await;
    }
}
