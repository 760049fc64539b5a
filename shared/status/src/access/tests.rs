use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn now() -> Timestamp {
    "2026-11-22T05:41:00Z".parse().unwrap()
}

fn token() -> Token {
    Token::new(&format!(" {TOKEN}\n"), Transport::Tls).unwrap()
}

/// The `name=value` pair of a `Set-Cookie` header.
fn set_by(header: &str) -> String {
    header.split(';').next().unwrap().to_owned()
}

#[test]
fn loopback_access_requires_loopback_host() {
    let authorized = |host: Option<&str>| {
        let request = Request {
            host: host.map(str::to_owned),
            ..Request::default()
        };
        Access::Loopback.authorize(&SignInGuard::default(), &request, now())
    };
    for host in [
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1:8080",
        "127.8.8.8",
        "[::1]:80",
        "[::1]",
    ] {
        assert_eq!(authorized(Some(host)), Ok(Audience::Private), "{host}");
    }
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "[::1].evil.example",
        "localhost.evil.example:8080",
        "192.0.2.1",
        "",
        "[::2]",
    ] {
        assert_eq!(authorized(Some(host)), Err(Refusal::ForeignHost), "{host}");
    }
    assert_eq!(authorized(None), Err(Refusal::ForeignHost));
}

#[test]
fn public_access_is_public_and_signed_access_requires_signature() {
    let (guard, mut request) = (SignInGuard::default(), Request::default());
    assert_eq!(
        Access::Public.authorize(&guard, &request, now()),
        Ok(Audience::Public)
    );
    assert_eq!(
        Access::Signed.authorize(&guard, &request, now()),
        Err(Refusal::Unsigned)
    );
    request.signature = Signature::Verified;
    assert_eq!(
        Access::Signed.authorize(&guard, &request, now()),
        Ok(Audience::Private)
    );
    assert_eq!(
        Access::Public.authorize(&guard, &request, now()),
        Ok(Audience::Public)
    );
}

#[test]
fn only_bearer_token_is_accepted() {
    let authorized = |authorization: &str| {
        let request = Request {
            authorization: Some(authorization.to_owned()),
            ..Request::default()
        };
        Access::Token(token()).authorize(&SignInGuard::default(), &request, now())
    };
    for right in [format!("Bearer {TOKEN}"), format!("bearer  {TOKEN} ")] {
        assert_eq!(authorized(&right), Ok(Audience::Private), "{right}");
    }
    for wrong in [
        TOKEN.to_owned(),
        format!("Basic {TOKEN}"),
        format!("Bearer {TOKEN}0"),
        format!("Bearer {}", &TOKEN[1..]),
        "Bearer ".to_owned(),
        String::new(),
    ] {
        assert_eq!(authorized(&wrong), Err(Refusal::SignInRequired), "{wrong}");
    }
    let in_query = Request {
        query: format!("token={TOKEN}"),
        ..Request::default()
    };
    assert_eq!(
        Access::Token(token()).authorize(&SignInGuard::default(), &in_query, now()),
        Err(Refusal::SignInRequired)
    );
}

#[test]
fn session_cookie_is_signed_expires_and_omits_token() {
    let header = token().session(now());
    assert!(!header.contains(TOKEN), "{header}");
    assert!(header.starts_with("__Host-portpulse="), "{header}");
    assert!(
        header.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"),
        "{header}"
    );
    let authorized = |token: &Token, cookies: String, now| {
        let request = Request {
            cookies,
            ..Request::default()
        };
        Access::Token(token.clone()).authorize(&SignInGuard::default(), &request, now)
    };
    let (cookie, end) = (set_by(&header), now() + SESSION);
    assert_eq!(authorized(&token(), cookie.clone(), now()), Ok(Audience::Private));
    assert_eq!(
        authorized(&token(), cookie.clone(), end - SignedDuration::from_secs(1)),
        Ok(Audience::Private)
    );
    let refused = Err(Refusal::SignInRequired);
    assert_eq!(
        authorized(&token(), cookie.clone(), end),
        refused,
        "the session has expired"
    );
    let other = Token::new(&TOKEN.replace('0', "1"), Transport::Tls).unwrap();
    assert_eq!(
        authorized(&other, cookie.clone(), now()),
        refused,
        "the token was changed"
    );
    let restarted = token().bound_to("another run");
    assert_eq!(
        authorized(&restarted, cookie.clone(), now()),
        refused,
        "the program was restarted"
    );
    let began = now().as_nanosecond();
    let longer = cookie.replacen(&began.to_string(), &(began + 9).to_string(), 1);
    assert_ne!(longer, cookie);
    for forged in [
        longer,
        cookie[..cookie.len() - 2].to_owned(),
        format!("{cookie}0"),
        "__Host-portpulse=".to_owned(),
    ] {
        assert_eq!(authorized(&token(), forged.clone(), now()), refused, "{forged}");
    }
}

/// A request with a session cookie.
fn with_session(token: &Token, began: Timestamp) -> Request {
    Request {
        cookies: set_by(&token.session(began)),
        ..Request::default()
    }
}

/// A request with a bearer token, from the given address.
fn with_bearer(text: &str, sender: &str) -> Request {
    Request {
        authorization: Some(format!("Bearer {text}")),
        sender: Some(sender.parse().unwrap()),
        ..Request::default()
    }
}

#[test]
fn signing_out_ends_only_that_session() {
    let (guard, token) = (SignInGuard::default(), token());
    let later = now() + SignedDuration::from_nanos(1);
    let (ended, other) = (with_session(&token, now()), with_session(&token, later));
    let authorized = |request: &Request| guard.authorize(&token, request, later);
    assert_eq!(
        (authorized(&ended), authorized(&other)),
        (Ok(Audience::Private), Ok(Audience::Private))
    );
    guard.end(&token, &ended, later);
    assert_eq!(authorized(&ended), Err(Refusal::SignInRequired));
    assert_eq!(authorized(&other), Ok(Audience::Private));
    // A forged session ends no session.
    let mut forged = other.clone();
    forged.cookies.push('0');
    guard.end(&token, &forged, later);
    assert_eq!(authorized(&other), Ok(Audience::Private));
}

#[test]
fn wrong_tokens_are_limited_per_network_and_minute() {
    let (guard, token) = (SignInGuard::default(), token());
    let authorized = |text: &str, sender: &str, second| {
        guard.authorize(
            &token,
            &with_bearer(text, sender),
            now() + SignedDuration::from_secs(second),
        )
    };
    let (wrong, too_many) = (Err(Refusal::SignInRequired), Err(Refusal::TooManyAttempts));
    for (sender, neighbour, other) in [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
    ] {
        for second in 0..10 {
            assert_eq!(authorized("wrong", sender, second), wrong, "{second}");
        }
        for sender in [sender, neighbour] {
            assert_eq!(authorized("wrong", sender, 59), too_many);
            assert_eq!(authorized(TOKEN, sender, 59), too_many);
        }
        assert_eq!(authorized(TOKEN, other, 59), Ok(Audience::Private));
        assert_eq!(
            authorized(TOKEN, sender, 60),
            Ok(Audience::Private),
            "a minute has passed"
        );
    }
    // A signed-in reader stays signed in while others on the same network guess.
    for _ in 0..20 {
        assert_ne!(authorized("wrong", "192.0.2.9", 0), Ok(Audience::Private));
    }
    let mut signed_in = with_session(&token, now());
    signed_in.sender = Some("192.0.2.9".parse().unwrap());
    assert_eq!(guard.authorize(&token, &signed_in, now()), Ok(Audience::Private));
}

#[test]
fn number_of_counted_networks_is_bounded() {
    let (guard, token) = (SignInGuard::default(), token());
    for number in 0..3_000_u32 {
        let sender = std::net::Ipv4Addr::from_bits(number).to_string();
        let authorized = guard.authorize(&token, &with_bearer("wrong", &sender), now());
        assert_eq!(authorized, Err(Refusal::SignInRequired));
    }
    assert!(guard.networks() <= 1_024, "{}", guard.networks());
}

#[test]
fn plain_http_cookie_is_not_secure_only() {
    let plain = Token::new(TOKEN, Transport::Plain).unwrap();
    let header = plain.session(now());
    assert!(
        header.starts_with("portpulse=") && !header.contains("Secure"),
        "{header}"
    );
}

#[test]
fn short_token_is_rejected_and_debug_hides_token() {
    assert_eq!(Token::new(&TOKEN[1..], Transport::Tls), Err(ShortToken));
    assert!(!ShortToken.to_string().contains(TOKEN));
    assert_eq!(format!("{:?}", Access::Token(token())), "Token(Token(…))");
}

#[test]
fn attempts_after_clock_moved_back_are_examined() {
    let (guard, token) = (SignInGuard::default(), token());
    for _ in 0..10 {
        let wrong = guard.authorize(&token, &with_bearer("wrong", "192.0.2.1"), now());
        assert_eq!(wrong, Err(Refusal::SignInRequired));
    }
    let authorized = |at| guard.authorize(&token, &with_bearer(TOKEN, "192.0.2.1"), at);
    assert_eq!(authorized(now()), Err(Refusal::TooManyAttempts));
    let earlier = now() - SignedDuration::from_hours(1);
    assert_eq!(authorized(earlier), Ok(Audience::Private));
}

#[test]
fn ended_sessions_are_bounded_and_removed_when_expired() {
    let (guard, token) = (SignInGuard::default(), token());
    let end = |began: Timestamp| guard.end(&token, &with_session(&token, began), began);
    end(now());
    let later = now() + SESSION;
    end(later);
    assert_eq!(guard.ended_sessions(), 1, "the first has expired");
    for number in 0..10_000 {
        end(later + SignedDuration::from_nanos(number));
    }
    assert_eq!(guard.ended_sessions(), 10_000);
    end(later + SignedDuration::from_secs(1));
    assert_eq!(guard.ended_sessions(), 10_000);
    let newest = with_session(&token, later + SignedDuration::from_secs(1));
    let at = later + SignedDuration::from_secs(2);
    assert_eq!(guard.authorize(&token, &newest, at), Err(Refusal::SignInRequired));
}
