//! How a connection ends, as the service sees it.

use std::io::{ErrorKind, Read};

use portpulse_core::choice::CloseMode;
use portpulse_core::target::{Check, Target};

use crate::{asking, codes, peers, probe, target_at};

#[tokio::test]
async fn fin_is_an_orderly_end_and_quiet_is_never_seen() {
    let peer = peers::open();
    peer.held.set_nonblocking(true).unwrap();

    let fin = target_at(peer.address);
    let quiet = Target {
        check: Check::Connect(CloseMode::Quiet),
        ..fin.clone()
    };

    assert_eq!(
        codes(&probe(asking(peer.address), &[quiet.clone(), quiet]).await),
        ["open"; 2]
    );
    assert_eq!(peer.held.accept().unwrap_err().kind(), ErrorKind::WouldBlock);

    assert_eq!(codes(&probe(asking(peer.address), &[fin]).await), ["open"]);
    let (mut stream, _) = peer.held.accept().unwrap();
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0, "an orderly end");
}
