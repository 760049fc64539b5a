//! A loopback HTTP server that lives as long as its handle.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A server on a port of its own; dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Serves `router` in a task of the current runtime.
    pub(crate) async fn start(router: Router) -> io::Result<Self> {
        Self::spawn(|listener, stopped| async move {
            let server = axum::serve(listener, router).with_graceful_shutdown(dropped(stopped));
            // Only accepting could fail, and axum tries that again.
            drop(server.await);
        })
        .await
    }

    /// Runs what serves on a port of 127.0.0.1 that nobody else has, until the other end of `stopped` is dropped.
    pub(crate) async fn spawn<F>(
        serve: impl FnOnce(TcpListener, oneshot::Receiver<()>) -> F,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(serve(listener, stopped));
        Ok(Self { address, _stop: stop })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Resolves when the other end is dropped.
pub(crate) async fn dropped(stopped: oneshot::Receiver<()>) {
    drop(stopped.await);
}
