//! A name server on loopback with a configurable behavior for each name.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The behavior for a name. Unknown names do not exist.
#[derive(Debug, Clone)]
pub(crate) enum Zone {
    Has(Vec<IpAddr>),
    /// Answers for IPv4 after a delay, and never for IPv6.
    Slow(Duration, Vec<IpAddr>),
    /// Answers for IPv4 immediately, and never for IPv6.
    SilentForV6(Vec<IpAddr>),
    Fails,
    Refuses,
    Silent,
    /// Answers over UDP that the answer is too long, and over TCP in full.
    Truncated(Vec<IpAddr>),
    /// SRV records: priority, weight, port and host.
    Srv(Vec<(u16, u16, u16, String)>),
}

/// Parses addresses.
pub(crate) fn has(addresses: &[&str]) -> Zone {
    Zone::Has(addresses.iter().map(|text| text.parse().unwrap()).collect())
}

pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl NameServer {
    /// The number of queries for a name, both families together.
    pub(crate) fn asked(&self, name: &str) -> usize {
        self.asked.lock().unwrap().get(name).copied().unwrap_or_default()
    }
}

const A: u16 = 1;
const AAAA: u16 = 28;
const SRV: u16 = 33;

impl Drop for NameServer {
    fn drop(&mut self) {
        // An empty packet stops the thread.
        UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .send_to(&[], self.address)
            .unwrap();
    }
}

/// Starts a server for these names; dropping it stops it.
pub(crate) fn serve<N: Into<String>>(zones: impl IntoIterator<Item = (N, Zone)>) -> NameServer {
    let zones: HashMap<String, Zone> = zones
        .into_iter()
        .map(|(name, zone)| (name.into(), zone))
        .collect();
    // The same port for both transports.
    let (socket, listener) = loop {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(listener) = TcpListener::bind(socket.local_addr().unwrap()) {
            break (Arc::new(socket), listener);
        }
    };
    let address = socket.local_addr().unwrap();
    let long: HashMap<String, Vec<IpAddr>> = zones
        .iter()
        .filter_map(|(name, zone)| {
            if let Zone::Truncated(addresses) = zone {
                Some((name.clone(), addresses.clone()))
            } else {
                None
            }
        })
        .collect();
    if !long.is_empty() {
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer_over_tcp(stream.unwrap(), &long);
            }
        });
    }
    let asked: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let counted = Arc::clone(&asked);
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length @ 1.., from)) = socket.recv_from(&mut buffer) {
            let query = buffer[..length].to_vec();
            let (name, kind) = question(&query);
            *counted.lock().unwrap().entry(name.clone()).or_default() += 1;
            match zones.get(&name) {
                None => send(&socket, from, &reply(&query, 3, &[])),
                Some(Zone::Fails) => send(&socket, from, &reply(&query, 2, &[])),
                Some(Zone::Refuses) => send(&socket, from, &reply(&query, 5, &[])),
                Some(Zone::Truncated(_)) => {
                    let mut answer = reply(&query, 0, &[]);
                    // The bit TC (RFC 1035, section 4.1.1).
                    answer[2] |= 2;
                    send(&socket, from, &answer);
                }
                Some(Zone::Silent) => {}
                Some(Zone::Srv(records)) if kind == SRV => send(&socket, from, &srv_reply(&query, records)),
                Some(Zone::Srv(_)) => send(&socket, from, &reply(&query, 0, &[])),
                Some(Zone::Has(addresses)) => {
                    send(&socket, from, &reply(&query, 0, &of_kind(addresses, kind)));
                }
                Some(Zone::SilentForV6(_) | Zone::Slow(..)) if kind == AAAA => {}
                Some(Zone::SilentForV6(addresses)) => {
                    send(&socket, from, &reply(&query, 0, &of_kind(addresses, kind)));
                }
                Some(Zone::Slow(delay, addresses)) => {
                    let (delay, answer) = (*delay, reply(&query, 0, &of_kind(addresses, kind)));
                    let socket = Arc::clone(&socket);
                    thread::spawn(move || {
                        thread::sleep(delay);
                        send(&socket, from, &answer);
                    });
                }
            }
        }
    });
    NameServer { address, asked }
}

/// Answers the queries of one connection, each with its length before it (RFC 1035, section 4.2.2).
fn answer_over_tcp(mut stream: TcpStream, zones: &HashMap<String, Vec<IpAddr>>) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query).unwrap();
        let (name, kind) = question(&query);
        let answer = reply(&query, 0, &of_kind(&zones[&name], kind));
        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length, answer.as_slice()].concat()).unwrap();
    }
}

fn send(socket: &UdpSocket, to: SocketAddr, packet: &[u8]) {
    socket.send_to(packet, to).unwrap();
}

fn of_kind(addresses: &[IpAddr], kind: u16) -> Vec<IpAddr> {
    addresses
        .iter()
        .copied()
        .filter(|address| kind == if address.is_ipv4() { A } else { AAAA })
        .collect()
}

/// The end of the question section, which starts at byte 12 (RFC 1035, section 4.1.2).
fn question_end(query: &[u8]) -> usize {
    let mut at = 12;
    while query[at] != 0 {
        at += usize::from(query[at]) + 1;
    }
    at + 5
}

/// The name without its final dot, and the queried type.
fn question(query: &[u8]) -> (String, u16) {
    let mut labels = Vec::new();
    let mut at = 12;
    while query[at] != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    (
        labels.join("."),
        u16::from_be_bytes([query[at + 1], query[at + 2]]),
    )
}

/// A reply with SRV records, whose names are not compressed (RFC 2782).
fn srv_reply(query: &[u8], records: &[(u16, u16, u16, String)]) -> Vec<u8> {
    let mut packet = reply(query, 0, &[]);
    packet[6..8].copy_from_slice(&u16::try_from(records.len()).unwrap().to_be_bytes());
    for (priority, weight, port, host) in records {
        let mut data: Vec<u8> = [*priority, *weight, *port]
            .iter()
            .flat_map(|number| number.to_be_bytes())
            .collect();
        for label in host.split('.').filter(|label| !label.is_empty()) {
            data.push(u8::try_from(label.len()).unwrap());
            data.extend(label.as_bytes());
        }
        data.push(0);
        packet.extend([0xc0, 12]);
        packet.extend(SRV.to_be_bytes());
        packet.extend([0, 1, 0, 0, 0, 60]);
        packet.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        packet.extend(data);
    }
    packet
}

/// A reply with the query's id and question (RFC 1035, section 4.1). Names are pointers to byte 12.
fn reply(query: &[u8], response_code: u8, addresses: &[IpAddr]) -> Vec<u8> {
    let mut packet = query[..2].to_vec();
    packet.extend([0x81, 0x80 | response_code, 0, 1]);
    packet.extend(u16::try_from(addresses.len()).unwrap().to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(&query[12..question_end(query)]);
    for address in addresses {
        let (kind, bytes) = match address {
            IpAddr::V4(v4) => (A, v4.octets().to_vec()),
            IpAddr::V6(v6) => (AAAA, v6.octets().to_vec()),
        };
        packet.extend([0xc0, 12]);
        packet.extend(kind.to_be_bytes());
        packet.extend([0, 1, 0, 0, 0, 60]);
        packet.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
        packet.extend(bytes);
    }
    packet
}
