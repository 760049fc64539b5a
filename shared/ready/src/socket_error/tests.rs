use super::*;

fn code(socket_error: &SocketError) -> &'static str {
    match socket_error {
        SocketError::Target { class, .. } => class.code(),
        SocketError::Local(no_data) => no_data.code(),
    }
}

/// The known errors, and their codes: immediately over IPv4 and IPv6, later over IPv4 and IPv6.
const KNOWN: [(Errno, &str, &str, &str, &str); 25] = {
    const NO_ROUTE: &str = NoData::NoRoute.code();
    const RESOURCES: &str = NoData::OutOfResources.code();
    const INTERNAL: &str = NoData::Internal.code();
    const PATH: &str = FailureClass::Unreachable.code();
    [
        (Errno::CONNREFUSED, "refused", "refused", "refused", "refused"),
        (Errno::TIMEDOUT, "timeout", "timeout", "timeout", "timeout"),
        (Errno::CONNRESET, "reset", "reset", "reset", "reset"),
        (Errno::PIPE, "reset", "reset", "reset", "reset"),
        (Errno::NETUNREACH, NO_ROUTE, NO_ROUTE, PATH, PATH),
        (Errno::HOSTUNREACH, NO_ROUTE, NO_ROUTE, PATH, PATH),
        (Errno::ACCESS, NO_ROUTE, NO_ROUTE, PATH, PATH),
        (Errno::MSGSIZE, NO_ROUTE, NO_ROUTE, PATH, PATH),
        (Errno::NOPROTOOPT, PATH, PATH, PATH, PATH),
        (Errno::HOSTDOWN, PATH, PATH, PATH, PATH),
        (Errno::NONET, PATH, PATH, PATH, PATH),
        (Errno::OPNOTSUPP, PATH, PATH, PATH, PATH),
        (Errno::PROTO, PATH, PATH, PATH, PATH),
        (Errno::PERM, NO_ROUTE, NO_ROUTE, NO_ROUTE, NO_ROUTE),
        (Errno::NETDOWN, NO_ROUTE, NO_ROUTE, NO_ROUTE, NO_ROUTE),
        (Errno::AFNOSUPPORT, NO_ROUTE, NO_ROUTE, INTERNAL, INTERNAL),
        (Errno::INVAL, NO_ROUTE, NO_ROUTE, INTERNAL, INTERNAL),
        (Errno::ADDRNOTAVAIL, RESOURCES, NO_ROUTE, RESOURCES, NO_ROUTE),
        (Errno::ADDRINUSE, RESOURCES, RESOURCES, RESOURCES, RESOURCES),
        (Errno::AGAIN, RESOURCES, RESOURCES, RESOURCES, RESOURCES),
        (Errno::MFILE, RESOURCES, RESOURCES, RESOURCES, RESOURCES),
        (Errno::NFILE, RESOURCES, RESOURCES, RESOURCES, RESOURCES),
        (Errno::NOBUFS, RESOURCES, RESOURCES, RESOURCES, RESOURCES),
        (Errno::NOMEM, RESOURCES, RESOURCES, RESOURCES, RESOURCES),
        (Errno::NOSPC, RESOURCES, RESOURCES, RESOURCES, RESOURCES),
    ]
};

#[test]
fn errno_class_depends_on_when_error_occurs() {
    let v4: SocketAddr = "192.0.2.1:1".parse().unwrap();
    let v6: SocketAddr = "[2001:db8::1]:1".parse().unwrap();
    // Linux numbers its errors from 1 to 133 (errno(3)).
    for number in 1..=133 {
        let errno = Errno::from_raw_os_error(number);
        let internal = NoData::Internal.code();
        let (_, at_once_v4, at_once_v6, later_v4, later_v6) = KNOWN
            .into_iter()
            .find(|(known, ..)| *known == errno)
            .unwrap_or((errno, internal, internal, internal, internal));
        let error = io::Error::from(errno);
        let read = [
            SocketError::from_call(&error, v4),
            SocketError::from_call(&error, v6),
            SocketError::from_network(&error, v4),
            SocketError::from_network(&error, v6),
        ];
        assert_eq!(
            read.each_ref().map(code),
            [at_once_v4, at_once_v6, later_v4, later_v6],
            "{error}: at once over IPv4, over IPv6, later over IPv4, over IPv6"
        );
    }
}

/// The errors that `icmp_err_convert` and `icmpv6_err_convert` return for ICMP messages, and those of TCP segments.
#[test]
fn network_errors_are_never_local_errors() {
    let from_packets = [
        Errno::NETUNREACH,
        Errno::HOSTUNREACH,
        Errno::NOPROTOOPT,
        Errno::CONNREFUSED,
        Errno::MSGSIZE,
        Errno::OPNOTSUPP,
        Errno::HOSTDOWN,
        Errno::NONET,
        Errno::ACCESS,
        Errno::PROTO,
        Errno::CONNRESET,
        Errno::PIPE,
        Errno::TIMEDOUT,
    ];
    for errno in from_packets {
        for address in ["192.0.2.1:1", "[2001:db8::1]:1"] {
            let socket_error = SocketError::from_network(&errno.into(), address.parse().unwrap());
            assert!(
                matches!(socket_error, SocketError::Target { .. }),
                "{errno} from {address}"
            );
        }
    }
}

#[test]
fn error_without_errno_is_target_reset() {
    let error = io::Error::new(io::ErrorKind::UnexpectedEof, "unexpected end");
    let SocketError::Target { class, detail } =
        SocketError::from_network(&error, "192.0.2.1:1".parse().unwrap())
    else {
        panic!("local error")
    };
    assert_eq!(
        (class, detail.unwrap().as_str()),
        (FailureClass::Reset, "unexpected end")
    );
}
