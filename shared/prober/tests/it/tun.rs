//! A simulated network behind a TUN device, with a configurable behavior and delay for every host.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tappers::{Interface, Tun};

/// The behavior of a host on a SYN or an echo (RFC 792, RFC 4443).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Accepts,
    /// Ignores the first packet.
    AcceptsTheSecond,
    AcceptsThenResets,
    Refuses,
    /// A router reports the host as unreachable with this code, in ICMP type 3 (RFC 792, RFC 1812) or ICMPv6 type 1
    /// (RFC 4443).
    Unreachable(u8),
    /// A router reports a better route in ICMP type 5 (RFC 792), and the host accepts.
    AcceptsAfterRedirect,
}

/// The times at which a SYN arrived and its answer was sent, at this end of the network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    pub(crate) syn: Instant,
    pub(crate) answer: Instant,
}

/// The simulated hosts, which answer in a thread until they are stopped.
pub(crate) struct Network {
    stop: Arc<AtomicBool>,
    hosts: JoinHandle<HashMap<IpAddr, Answered>>,
}

impl Network {
    /// Creates the device, with 10.99.0.0/16 and 2001:db8:99::/64 behind it. Hosts that are not listed accept
    /// connections.
    pub(crate) fn start(delay: Duration, named: HashMap<IpAddr, Host>) -> Self {
        let mut tun = Tun::new_named(Interface::new("portpulse0").unwrap()).unwrap();
        tun.set_nonblocking(true).unwrap();
        for arguments in [
            "link set lo up",
            "addr add 10.99.0.1/16 dev portpulse0",
            "addr add 2001:db8:99::1/64 dev portpulse0 nodad",
            "link set portpulse0 up",
        ] {
            let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
            assert!(status.success(), "ip {arguments}");
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stop_flag = Arc::clone(&stop);
        Self {
            stop,
            hosts: thread::spawn(move || answer(&tun, delay, &named, &stop_flag)),
        }
    }

    /// Stops the hosts and returns the answered SYNs.
    pub(crate) fn stop(self) -> HashMap<IpAddr, Answered> {
        self.stop.store(true, Ordering::Relaxed);
        self.hosts.join().unwrap()
    }
}

struct Pending {
    due: Instant,
    syn: Instant,
    host: IpAddr,
    packets: Vec<Vec<u8>>,
}

fn answer(
    tun: &Tun,
    delay: Duration,
    named: &HashMap<IpAddr, Host>,
    stop: &AtomicBool,
) -> HashMap<IpAddr, Answered> {
    let mut answered = HashMap::new();
    let mut seen: HashMap<IpAddr, usize> = HashMap::new();
    let mut pending: VecDeque<Pending> = VecDeque::new();
    let mut buffer = [0; 2048];
    while !stop.load(Ordering::Relaxed) {
        let next = pending
            .front()
            .map(|pending| pending.due.saturating_duration_since(Instant::now()));
        let wait = next.unwrap_or(Duration::MAX).min(Duration::from_millis(50));
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: wait.subsec_nanos().into(),
        };
        poll(&mut [PollFd::new(tun, PollFlags::IN)], Some(&wait)).unwrap();
        while let Ok(length) = tun.recv(&mut buffer) {
            let now = Instant::now();
            let Some(segment) = Segment::parse(&buffer[..length]) else {
                continue;
            };
            if segment.flags & FIN != 0 {
                tun.send(&segment.reply(RST | ACK)).unwrap();
            }
            if segment.flags & (SYN | ACK) != SYN {
                continue;
            }
            let times = seen.entry(segment.to).or_default();
            *times += 1;
            let packets = match named.get(&segment.to).unwrap_or(&Host::Accepts) {
                Host::AcceptsTheSecond if *times == 1 => continue,
                Host::Accepts | Host::AcceptsTheSecond => vec![segment.accept()],
                Host::AcceptsAfterRedirect => vec![segment.redirect(), segment.accept()],
                Host::AcceptsThenResets => vec![segment.reply(SYN | ACK), segment.reset_after_accept()],
                Host::Refuses => vec![segment.reply(RST | ACK)],
                Host::Unreachable(code) => vec![segment.unreachable(*code)],
            };
            pending.push_back(Pending {
                due: now + delay,
                syn: now,
                host: segment.to,
                packets,
            });
        }
        while pending
            .front()
            .is_some_and(|pending| pending.due <= Instant::now())
        {
            let Some(Pending {
                syn, host, packets, ..
            }) = pending.pop_front()
            else {
                break;
            };
            for packet in packets {
                tun.send(&packet).unwrap();
            }
            answered.insert(
                host,
                Answered {
                    syn,
                    answer: Instant::now(),
                },
            );
        }
    }
    answered
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// A TCP segment (RFC 9293), datagram or echo, over IPv4 (RFC 791) or IPv6 (RFC 8200), sent by the machine under test.
struct Segment {
    from: IpAddr,
    to: IpAddr,
    ports: [u8; 4],
    sequence: u32,
    flags: u8,
    start: Vec<u8>,
    /// What follows the checksum of an echo.
    echo: Option<Vec<u8>>,
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

impl Segment {
    fn parse(packet: &[u8]) -> Option<Self> {
        let (header, protocol, from, to) = match packet.first()? >> 4 {
            4 => (
                usize::from(packet[0] & 0x0f) * 4,
                packet[9],
                IpAddr::from(*packet[12..].first_chunk::<4>()?),
                IpAddr::from(*packet[16..].first_chunk::<4>()?),
            ),
            6 => (
                40,
                packet[6],
                IpAddr::from(*packet[8..].first_chunk::<16>()?),
                IpAddr::from(*packet[24..].first_chunk::<16>()?),
            ),
            _ => return None,
        };
        let tcp = packet.get(header..header + 20)?;
        let (flags, echo) = match (protocol, tcp[0]) {
            (TCP, _) => (tcp[13], None),
            // A datagram or an echo starts a conversation, as a SYN does.
            (UDP, _) => (SYN, None),
            (ICMP, 8) | (ICMPV6, 128) => (SYN, Some(packet[header + 4..].to_vec())),
            _ => return None,
        };
        Some(Self {
            from,
            to,
            ports: *tcp.first_chunk()?,
            sequence: u32::from_be_bytes(*tcp[4..].first_chunk()?),
            flags,
            start: packet[..header + 20].to_vec(),
            echo,
        })
    }

    /// SYN-ACK, or the reply to an echo.
    fn accept(&self) -> Vec<u8> {
        match &self.echo {
            None => self.reply(SYN | ACK),
            Some(rest) => self.icmp((0, 129), 0, rest),
        }
    }

    fn reply(&self, flags: u8) -> Vec<u8> {
        self.tcp(1_000, flags)
    }

    fn reset_after_accept(&self) -> Vec<u8> {
        self.tcp(1_001, RST | ACK)
    }

    fn tcp(&self, sequence: u32, flags: u8) -> Vec<u8> {
        let [from_high, from_low, to_high, to_low] = self.ports;
        let mut tcp = vec![to_high, to_low, from_high, from_low];
        tcp.extend(sequence.to_be_bytes());
        tcp.extend(self.sequence.wrapping_add(1).to_be_bytes());
        tcp.extend([5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
        let sum = checksum(&[self.pseudo_header(TCP, tcp.len()), tcp.clone()].concat());
        tcp[16..18].copy_from_slice(&sum);
        self.ip(TCP, &tcp)
    }

    /// An ICMP destination unreachable message, which quotes the packet.
    fn unreachable(&self, code: u8) -> Vec<u8> {
        let mut rest = vec![0; 4];
        rest.extend(&self.start);
        self.icmp((3, 1), code, &rest)
    }

    /// An ICMP redirect of IPv4 for the host, which quotes the packet. The host itself is the better gateway.
    fn redirect(&self) -> Vec<u8> {
        let rest = [octets(self.to), self.start.clone()].concat();
        self.icmp((5, 0), 1, &rest)
    }

    /// A message of the type in ICMP or ICMPv6.
    fn icmp(&self, (v4, v6): (u8, u8), code: u8, rest: &[u8]) -> Vec<u8> {
        let (protocol, kind) = match self.from {
            IpAddr::V4(_) => (ICMP, v4),
            IpAddr::V6(_) => (ICMPV6, v6),
        };
        let mut icmp = vec![kind, code, 0, 0];
        icmp.extend(rest);
        let covered = match self.from {
            IpAddr::V4(_) => icmp.clone(),
            IpAddr::V6(_) => [self.pseudo_header(ICMPV6, icmp.len()), icmp.clone()].concat(),
        };
        icmp[2..4].copy_from_slice(&checksum(&covered));
        self.ip(protocol, &icmp)
    }

    /// The pseudo header that checksums of a returned packet cover.
    fn pseudo_header(&self, protocol: u8, length: usize) -> Vec<u8> {
        let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
        [octets(self.to), octets(self.from), vec![0, protocol, high, low]].concat()
    }

    fn ip(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap();
        let mut packet = match self.from {
            IpAddr::V4(_) => {
                let [high, low] = (20 + length).to_be_bytes();
                vec![0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0]
            }
            IpAddr::V6(_) => {
                let [high, low] = length.to_be_bytes();
                vec![0x60, 0, 0, 0, high, low, protocol, 64]
            }
        };
        packet.extend(octets(self.to));
        packet.extend(octets(self.from));
        if self.from.is_ipv4() {
            let sum = checksum(&packet);
            packet[10..12].copy_from_slice(&sum);
        }
        packet.extend(payload);
        packet
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let sum: u32 = bytes
        .chunks(2)
        .map(|pair| {
            u32::from(u16::from_be_bytes([
                pair[0],
                pair.get(1).copied().unwrap_or_default(),
            ]))
        })
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    (!u16::try_from(folded & 0xffff).unwrap()).to_be_bytes()
}
