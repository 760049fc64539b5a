//! A network of a test's own behind a TUN device, where every host answers just when and as it is told.

use std::collections::{HashMap, VecDeque};
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tappers::{Interface, Tun};

/// What a host does with a SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Accepts,
    /// Takes no notice of the first SYN.
    AcceptsTheSecond,
    AcceptsThenResets,
    Refuses,
    /// A router says that it is unreachable.
    Unreachable,
}

/// When a SYN came and when its answer went out, as this end of the wire saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    pub(crate) syn: Instant,
    pub(crate) answer: Instant,
}

/// The hosts, answering from a thread until they are told to stop.
pub(crate) struct Network {
    stop: Arc<AtomicBool>,
    hosts: JoinHandle<HashMap<Ipv4Addr, Answered>>,
}

impl Network {
    /// Makes the device, with 10.99.0.0/16 behind it; hosts that are not named accept.
    pub(crate) fn start(delay: Duration, named: HashMap<Ipv4Addr, Host>) -> Self {
        let mut tun = Tun::new_named(Interface::new("portpulse0").unwrap()).unwrap();
        tun.set_nonblocking(true).unwrap();
        for arguments in [
            "link set lo up",
            "addr add 10.99.0.1/16 dev portpulse0",
            "link set portpulse0 up",
        ] {
            let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
            assert!(status.success(), "ip {arguments}");
        }
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Self {
            stop,
            hosts: thread::spawn(move || answer(&tun, delay, &named, &told)),
        }
    }

    /// Ends it, and tells what was answered.
    pub(crate) fn stop(self) -> HashMap<Ipv4Addr, Answered> {
        self.stop.store(true, Ordering::Relaxed);
        self.hosts.join().unwrap()
    }
}

struct Pending {
    due: Instant,
    syn: Instant,
    host: Ipv4Addr,
    packets: Vec<Vec<u8>>,
}

fn answer(
    tun: &Tun,
    delay: Duration,
    named: &HashMap<Ipv4Addr, Host>,
    stop: &AtomicBool,
) -> HashMap<Ipv4Addr, Answered> {
    let mut answered = HashMap::new();
    let mut seen: HashMap<Ipv4Addr, usize> = HashMap::new();
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
                Host::Accepts | Host::AcceptsTheSecond => vec![segment.reply(SYN | ACK)],
                Host::AcceptsThenResets => vec![segment.reply(SYN | ACK), segment.reset_after_accept()],
                Host::Refuses => vec![segment.reply(RST | ACK)],
                Host::Unreachable => vec![segment.host_unreachable()],
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

/// A TCP segment over IPv4 (RFC 791, RFC 9293) that the machine under test sent.
struct Segment {
    from: Ipv4Addr,
    to: Ipv4Addr,
    ports: [u8; 4],
    sequence: u32,
    flags: u8,
    start: Vec<u8>,
}

impl Segment {
    fn parse(packet: &[u8]) -> Option<Self> {
        let header = usize::from(packet.first()? & 0x0f) * 4;
        let tcp = packet.get(header..header + 20)?;
        if packet[0] >> 4 != 4 || packet[9] != 6 {
            return None;
        }
        Some(Self {
            from: Ipv4Addr::from(*packet[12..].first_chunk()?),
            to: Ipv4Addr::from(*packet[16..].first_chunk()?),
            ports: *tcp.first_chunk()?,
            sequence: u32::from_be_bytes(*tcp[4..].first_chunk()?),
            flags: tcp[13],
            start: packet[..header + 8].to_vec(),
        })
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
        let mut pseudo = [self.to.octets(), self.from.octets()].concat();
        pseudo.extend([0, 6, 0, 20]);
        pseudo.extend(&tcp);
        tcp[16..18].copy_from_slice(&checksum(&pseudo));
        self.ip(6, &tcp)
    }

    /// ICMP type 3, code 1 (RFC 792), which quotes what could not be delivered.
    fn host_unreachable(&self) -> Vec<u8> {
        let mut icmp = vec![3, 1, 0, 0, 0, 0, 0, 0];
        icmp.extend(&self.start);
        let sum = checksum(&icmp);
        icmp[2..4].copy_from_slice(&sum);
        self.ip(1, &icmp)
    }

    fn ip(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0];
        packet.extend(u16::try_from(20 + payload.len()).unwrap().to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
        packet.extend(self.to.octets());
        packet.extend(self.from.octets());
        let sum = checksum(&packet);
        packet[10..12].copy_from_slice(&sum);
        packet.extend(payload);
        packet
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
