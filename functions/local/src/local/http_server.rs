//! An HTTP/1.1 server with limits for slow or hostile clients: one request per connection, bounded in number, size and
//! time.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use portpulse_status::network;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{Id, JoinSet};
use tokio::time::{sleep, timeout};

/// The maximum size of the request line and headers, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1_024;
/// The pause after a failed accept.
const PAUSE: Duration = Duration::from_millis(100);

/// The limits of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The maximum concurrent connections. Further ones wait in the kernel's backlog, where they use no file descriptor of
    /// this process, until one ends, at the latest after `exchange`.
    pub(crate) connections: usize,
    /// The maximum concurrent connections from one address; further ones are closed at once.
    pub(crate) per_address: usize,
    /// The same for loopback, the address of all clients behind a proxy on this machine.
    pub(crate) from_loopback: usize,
    /// The time limit to send the request line and headers.
    pub(crate) head: Duration,
    /// The time limit of a connection: to send the request, to handle it, and to read the response.
    pub(crate) exchange: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            per_address: 16,
            from_loopback: 64,
            head: Duration::from_secs(5),
            exchange: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The maximum number of file descriptors: connections, the listener and those of the runtime.
    pub(crate) const fn descriptors(&self) -> usize {
        self.connections + 4
    }

    /// Whether another connection from `address` is accepted beside those of `readers`.
    fn admits<'a>(&self, address: IpAddr, readers: impl Iterator<Item = &'a IpAddr>) -> bool {
        let limit = match address.is_loopback() {
            true => self.from_loopback,
            false => self.per_address,
        };
        let same_network = readers.filter(|reader| network(**reader) == network(address));
        same_network.count() < limit
    }
}

/// Serves requests until the future is dropped, which closes all connections.
///
/// A connection carries one request, so that `Limits::exchange` bounds its time.
pub(crate) async fn serve<F>(
    listener: TcpListener,
    limits: Limits,
    answer: impl Fn(IpAddr, Request<Incoming>) -> F + Clone + Send + 'static,
) -> Infallible
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let mut exchanges = JoinSet::new();
    let mut readers: HashMap<Id, IpAddr> = HashMap::new();
    loop {
        tokio::select! {
            Some(ended) = exchanges.join_next_with_id() => {
                readers.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
            }
            accepted = listener.accept(), if readers.len() < limits.connections => match accepted {
                Ok((stream, peer)) => {
                    let address = peer.ip().to_canonical();
                    if limits.admits(address, readers.values()) {
                        let exchange = exchange(stream, limits, {
                            let answer = answer.clone();
                            move |request| answer(address, request)
                        });
                        readers.insert(exchanges.spawn(exchange).id(), address);
                    }
                }
                // The client closed the connection, or no file descriptor is left.
                Err(_) => sleep(PAUSE).await,
            },
        }
    }
}

async fn exchange<F>(stream: TcpStream, limits: Limits, answer: impl Fn(Request<Incoming>) -> F)
where
    F: Future<Output = Response<Full<Bytes>>>,
{
    let service = service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(MAX_HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // Errors of the client need no report.
    drop(timeout(limits.exchange, connection).await);
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::{Ipv4Addr, SocketAddr, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};

    use http_body_util::BodyExt as _;
    use tokio::sync::Semaphore;

    use super::*;

    /// A time limit that no test reaches.
    const NEVER: Duration = Duration::from_secs(3_600);
    const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /// Starts a server on a thread that ends with the tests.
    fn start<F>(
        limits: Limits,
        answer: impl Fn(IpAddr, Request<Incoming>) -> F + Clone + Send + 'static,
    ) -> SocketAddr
    where
        F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                serve(listener, limits, answer).await;
            });
        });
        address
    }

    type Answer = std::pin::Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>;

    /// Reads the request, and responds with `size` bytes.
    fn bytes(size: usize) -> impl Fn(IpAddr, Request<Incoming>) -> Answer + Clone + Send + 'static {
        let body = Bytes::from(vec![b'x'; size]);
        move |_, request| {
            let body = body.clone();
            Box::pin(async move {
                drop(request.into_body().collect().await);
                Response::new(Full::new(body))
            })
        }
    }

    fn ask(address: SocketAddr, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Reads the response until the connection is closed.
    fn read(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}"),
        }
        String::from_utf8(answer).unwrap()
    }

    /// Asserts that a request is served although twice as many slow clients as allowed have connected before it.
    fn assert_served_behind_slow_clients(limits: Limits, size: usize, slow: &str) {
        let address = start(limits, bytes(size));
        let _slow: Vec<_> = (0..2 * limits.connections).map(|_| ask(address, slow)).collect();
        let mut behind = ask(address, GET);
        let mut status = [0; 12];
        behind.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
    }

    #[test]
    fn incomplete_head_is_dropped_after_its_time_limit() {
        let limits = Limits {
            connections: 4,
            head: Duration::from_millis(200),
            exchange: NEVER,
            ..Limits::default()
        };
        for slow in ["", "GET / HTTP/1.1\r\nHost: local"] {
            assert_served_behind_slow_clients(limits, 5, slow);
        }
    }

    #[test]
    fn incomplete_body_and_unread_response_are_dropped() {
        /// More than the socket buffers hold.
        const LARGE: usize = 32 << 20;
        let limits = Limits {
            connections: 4,
            head: NEVER,
            exchange: Duration::from_millis(500),
            ..Limits::default()
        };
        let half = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf";
        assert_served_behind_slow_clients(limits, 5, half);
        assert_served_behind_slow_clients(limits, LARGE, GET);
    }

    #[test]
    fn connection_carries_one_http_1_request() {
        let address = start(Limits::default(), bytes(5));
        let answer = read(ask(address, &format!("{GET}{GET}")));
        assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 1, "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        let answer = read(ask(address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        assert!(!answer.contains(" 200 "), "{answer}");
    }

    #[test]
    fn oversized_head_is_refused() {
        let address = start(Limits::default(), bytes(5));
        let long = "x".repeat(MAX_HEAD_BYTES);
        let answer = read(ask(address, &GET.replace("localhost", &long)));
        // Unread data can make the kernel discard the response.
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
            "{answer}"
        );
    }

    #[test]
    fn concurrent_connections_stay_within_the_limit() {
        let limits = Limits {
            connections: 2,
            ..Limits::default()
        };
        let (begun, begins) = mpsc::channel();
        let (may_end, at_once) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::clone(&may_end);
        let address = start(limits, move |_, _| {
            let (begun, gate, at_once) = (begun.clone(), Arc::clone(&gate), Arc::clone(&at_once));
            async move {
                begun.send(at_once.fetch_add(1, Ordering::SeqCst) + 1).unwrap();
                gate.acquire().await.unwrap().forget();
                at_once.fetch_sub(1, Ordering::SeqCst);
                Response::new(Full::default())
            }
        });
        let readers: Vec<_> = (0..6).map(|_| ask(address, GET)).collect();
        for number in 0..readers.len() {
            let count = begins.recv().unwrap();
            assert!(count <= limits.connections, "{count} at once");
            // Two requests run before the first may finish.
            may_end.add_permits(usize::from(number > 0));
        }
        may_end.add_permits(1);
        for reader in readers {
            assert!(read(reader).starts_with("HTTP/1.1 200 "));
        }
    }

    #[test]
    fn connections_per_address_are_limited_except_for_loopback() {
        let limits = Limits::default();
        let held = |address: &str, count| {
            limits.admits(
                address.parse().unwrap(),
                vec![address.parse().unwrap(); count].iter(),
            )
        };
        for (address, count, admitted) in [
            ("192.0.2.1", limits.per_address - 1, true),
            ("192.0.2.1", limits.per_address, false),
            ("2001:db8::1", limits.per_address, false),
            ("127.0.0.1", limits.per_address, true),
            ("::1", limits.per_address, true),
            ("127.0.0.1", limits.from_loopback, false),
        ] {
            assert_eq!(held(address, count), admitted, "{address} {count}");
        }
        let others = vec!["192.0.2.1".parse().unwrap(); limits.per_address];
        assert!(limits.admits("192.0.2.2".parse().unwrap(), others.iter()));
        let neighbours = vec!["2001:db8::1".parse().unwrap(); limits.per_address];
        assert!(!limits.admits("2001:db8::2".parse().unwrap(), neighbours.iter()));
        assert!(limits.admits("2001:db8:0:1::1".parse().unwrap(), neighbours.iter()));
    }

    #[test]
    fn connection_beyond_limit_of_address_is_closed() {
        let limits = Limits {
            from_loopback: 1,
            ..Limits::default()
        };
        let (begun, begins) = mpsc::channel();
        let requests = Arc::new(AtomicUsize::new(0));
        let address = start(limits, move |_, _| {
            let is_first = requests.fetch_add(1, Ordering::SeqCst) == 0;
            begun.send(()).unwrap();
            async move {
                if is_first {
                    std::future::pending::<()>().await;
                }
                Response::new(Full::default())
            }
        });
        let _held = ask(address, GET);
        begins.recv().unwrap();
        assert_eq!(read(ask(address, GET)), "");
    }
}
