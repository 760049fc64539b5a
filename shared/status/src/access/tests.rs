use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn now() -> Timestamp {
    "2026-11-22T05:41:00Z".parse().unwrap()
}

fn token() -> Token {
    Token::new(&format!(" {TOKEN}\n"), Transport::Tls).unwrap()
}

/// The cookie that a `Set-Cookie` header sets.
fn set_by(header: &str) -> String {
    header.split(';').next().unwrap().to_owned()
}

#[test]
fn only_a_loopback_host_reads_what_loopback_shows() {
    let admitted = |host: Option<&str>| {
        let request = Request {
            host: host.map(str::to_owned),
            ..Request::default()
        };
        Access::Loopback.admit(&Door::default(), &request, now())
    };
    for host in [
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1:8080",
        "127.8.8.8",
        "[::1]:80",
        "[::1]",
    ] {
        assert_eq!(admitted(Some(host)), Ok(Audience::Private), "{host}");
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
        assert_eq!(admitted(Some(host)), Err(Refusal::ForeignHost), "{host}");
    }
    assert_eq!(admitted(None), Err(Refusal::ForeignHost));
}

#[test]
fn a_public_page_shows_the_public_view_and_a_signed_one_wants_a_signature() {
    let (door, mut request) = (Door::default(), Request::default());
    assert_eq!(Access::Public.admit(&door, &request, now()), Ok(Audience::Public));
    assert_eq!(
        Access::Signed.admit(&door, &request, now()),
        Err(Refusal::Unsigned)
    );
    request.signature = Signature::Verified;
    assert_eq!(
        Access::Signed.admit(&door, &request, now()),
        Ok(Audience::Private)
    );
    assert_eq!(Access::Public.admit(&door, &request, now()), Ok(Audience::Public));
}

#[test]
fn the_token_opens_as_bearer_and_nothing_else_does() {
    let admitted = |authorization: &str| {
        let request = Request {
            authorization: Some(authorization.to_owned()),
            ..Request::default()
        };
        Access::Token(token()).admit(&Door::default(), &request, now())
    };
    for right in [format!("Bearer {TOKEN}"), format!("bearer  {TOKEN} ")] {
        assert_eq!(admitted(&right), Ok(Audience::Private), "{right}");
    }
    for wrong in [
        TOKEN.to_owned(),
        format!("Basic {TOKEN}"),
        format!("Bearer {TOKEN}0"),
        format!("Bearer {}", &TOKEN[1..]),
        "Bearer ".to_owned(),
        String::new(),
    ] {
        assert_eq!(admitted(&wrong), Err(Refusal::SignInFirst), "{wrong}");
    }
    let in_query = Request {
        query: format!("token={TOKEN}"),
        ..Request::default()
    };
    assert_eq!(
        Access::Token(token()).admit(&Door::default(), &in_query, now()),
        Err(Refusal::SignInFirst)
    );
}

#[test]
fn a_session_is_signed_ends_and_holds_no_token() {
    let header = token().session(now());
    assert!(!header.contains(TOKEN), "{header}");
    assert!(header.starts_with("__Host-portpulse="), "{header}");
    assert!(
        header.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"),
        "{header}"
    );
    let admitted = |token: &Token, cookies: String, now| {
        let request = Request {
            cookies,
            ..Request::default()
        };
        Access::Token(token.clone()).admit(&Door::default(), &request, now)
    };
    let (cookie, end) = (set_by(&header), now() + SESSION);
    assert_eq!(admitted(&token(), cookie.clone(), now()), Ok(Audience::Private));
    assert_eq!(
        admitted(&token(), cookie.clone(), end - SignedDuration::from_secs(1)),
        Ok(Audience::Private)
    );
    let refused = Err(Refusal::SignInFirst);
    assert_eq!(admitted(&token(), cookie.clone(), end), refused, "it has ended");
    let other = Token::new(&TOKEN.replace('0', "1"), Transport::Tls).unwrap();
    assert_eq!(
        admitted(&other, cookie.clone(), now()),
        refused,
        "the token was changed"
    );
    let restarted = token().bound_to("another run");
    assert_eq!(
        admitted(&restarted, cookie.clone(), now()),
        refused,
        "the program was started anew"
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
        assert_eq!(admitted(&token(), forged.clone(), now()), refused, "{forged}");
    }
}

/// A request with this session.
fn with_session(token: &Token, began: Timestamp) -> Request {
    Request {
        cookies: set_by(&token.session(began)),
        ..Request::default()
    }
}

/// A request with this token, from this address.
fn with_bearer(text: &str, sender: &str) -> Request {
    Request {
        authorization: Some(format!("Bearer {text}")),
        sender: Some(sender.parse().unwrap()),
        ..Request::default()
    }
}

#[test]
fn a_session_that_was_ended_is_over_and_no_other_is() {
    let (door, token) = (Door::default(), token());
    let later = now() + SignedDuration::from_nanos(1);
    let (ended, other) = (with_session(&token, now()), with_session(&token, later));
    let admitted = |request: &Request| door.admit(&token, request, later);
    assert_eq!(
        (admitted(&ended), admitted(&other)),
        (Ok(Audience::Private), Ok(Audience::Private))
    );
    door.end(&token, &ended, later);
    assert_eq!(admitted(&ended), Err(Refusal::SignInFirst));
    assert_eq!(admitted(&other), Ok(Audience::Private));
    // What is no session of ours ends none.
    let mut forged = other.clone();
    forged.cookies.push('0');
    door.end(&token, &forged, later);
    assert_eq!(admitted(&other), Ok(Audience::Private));
}

#[test]
fn wrong_tokens_are_looked_at_a_few_times_a_minute_from_each_network() {
    let (door, token) = (Door::default(), token());
    let admitted = |text: &str, sender: &str, second| {
        door.admit(
            &token,
            &with_bearer(text, sender),
            now() + SignedDuration::from_secs(second),
        )
    };
    let (wrong, too_many) = (Err(Refusal::SignInFirst), Err(Refusal::TooManyAttempts));
    for (sender, neighbour, other) in [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
    ] {
        for second in 0..10 {
            assert_eq!(admitted("wrong", sender, second), wrong, "{second}");
        }
        for sender in [sender, neighbour] {
            assert_eq!(admitted("wrong", sender, 59), too_many);
            assert_eq!(admitted(TOKEN, sender, 59), too_many);
        }
        assert_eq!(admitted(TOKEN, other, 59), Ok(Audience::Private));
        assert_eq!(
            admitted(TOKEN, sender, 60),
            Ok(Audience::Private),
            "a minute has passed"
        );
    }
    // Who is signed in stays so, whoever guesses beside them.
    for _ in 0..20 {
        assert_ne!(admitted("wrong", "192.0.2.9", 0), Ok(Audience::Private));
    }
    let mut signed_in = with_session(&token, now());
    signed_in.sender = Some("192.0.2.9".parse().unwrap());
    assert_eq!(door.admit(&token, &signed_in, now()), Ok(Audience::Private));
}

#[test]
fn what_the_door_remembers_is_bounded() {
    let (door, token) = (Door::default(), token());
    for number in 0..3_000_u32 {
        let sender = std::net::Ipv4Addr::from_bits(number).to_string();
        let admitted = door.admit(&token, &with_bearer("wrong", &sender), now());
        assert_eq!(admitted, Err(Refusal::SignInFirst));
    }
    assert!(door.networks() <= 1_024, "{}", door.networks());
}

#[test]
fn over_plain_http_the_cookie_is_one_that_browsers_send() {
    let plain = Token::new(TOKEN, Transport::Plain).unwrap();
    let header = plain.session(now());
    assert!(
        header.starts_with("portpulse=") && !header.contains("Secure"),
        "{header}"
    );
}

#[test]
fn a_short_token_is_refused_and_none_is_shown() {
    assert_eq!(Token::new(&TOKEN[1..], Transport::Tls), Err(ShortToken));
    assert!(!ShortToken.to_string().contains(TOKEN));
    assert_eq!(format!("{:?}", Access::Token(token())), "Token(Token(…))");
}

#[test]
fn clock_that_was_set_back_holds_no_attempt_up() {
    let (door, token) = (Door::default(), token());
    for _ in 0..10 {
        let wrong = door.admit(&token, &with_bearer("wrong", "192.0.2.1"), now());
        assert_eq!(wrong, Err(Refusal::SignInFirst));
    }
    let admitted = |at| door.admit(&token, &with_bearer(TOKEN, "192.0.2.1"), at);
    assert_eq!(admitted(now()), Err(Refusal::TooManyAttempts));
    let earlier = now() - SignedDuration::from_hours(1);
    assert_eq!(admitted(earlier), Ok(Audience::Private));
}

#[test]
fn ended_sessions_are_forgotten_when_they_expire_or_are_too_many() {
    let (door, token) = (Door::default(), token());
    let end = |began: Timestamp| door.end(&token, &with_session(&token, began), began);
    end(now());
    let later = now() + SESSION;
    end(later);
    assert_eq!(door.ended(), 1, "the first has expired");
    for number in 0..10_000 {
        end(later + SignedDuration::from_nanos(number));
    }
    assert_eq!(door.ended(), 10_000);
    end(later + SignedDuration::from_secs(1));
    assert_eq!(door.ended(), 10_000);
    let newest = with_session(&token, later + SignedDuration::from_secs(1));
    let at = later + SignedDuration::from_secs(2);
    assert_eq!(door.admit(&token, &newest, at), Err(Refusal::SignInFirst));
}
