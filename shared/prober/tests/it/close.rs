//! The end of a connection as seen by the service.

use std::io::{ErrorKind, Read};

use portpulse_core::choice::CloseMode;
use portpulse_core::target::{Check, Target};

use crate::{codes, peers, probe, target_at, with_name_server};

#[tokio::test]
async fn fin_closes_orderly_and_quiet_is_never_accepted() {
    let peer = peers::open();
    peer.guard.set_nonblocking(true).unwrap();

    let fin = target_at(peer.address);
    let quiet = Target {
        check: Check::Connect(CloseMode::Quiet),
        ..fin.clone()
    };

    assert_eq!(
        codes(&probe(with_name_server(peer.address), &[quiet.clone(), quiet]).await),
        ["open"; 2]
    );
    assert_eq!(peer.guard.accept().unwrap_err().kind(), ErrorKind::WouldBlock);

    assert_eq!(
        codes(&probe(with_name_server(peer.address), &[fin]).await),
        ["open"]
    );
    let (mut stream, _) = peer.guard.accept().unwrap();
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0, "closed with a FIN");
}
