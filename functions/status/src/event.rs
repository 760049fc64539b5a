//! Request and response of function URLs: payload format 2.0.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>
//!
//! `lambda_http` would read these events too, but it panics on a body that is not Base64 and on a path that is no URI.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_ENCODING, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::{Method, Response};
use portpulse_status::{Request, Signature, Transport};
use serde::Deserialize;
use serde_json::{Value, json};

/// Error: the event is not a valid function URL request.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEvent {
    /// The event has another format.
    #[error("the event is not a function URL request: invoke this function through its URL")]
    Form {
        /// The parse error.
        source: serde_json::Error,
    },
    /// The name of the method is invalid.
    #[error("the method of the request is invalid")]
    Method {
        /// The parse error.
        source: http::method::InvalidMethod,
    },
    /// `isBase64Encoded` is set, but the body is not Base64.
    #[error("the body of the request is not valid Base64")]
    Body {
        /// The decoding error.
        source: base64::DecodeError,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    /// Header names are in lower case.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: Context,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct Context {
    http: Http,
    authorizer: Option<Authorizer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    source_ip: Option<String>,
}

/// Present with `AuthType: AWS_IAM`, after AWS has verified the signature.
#[derive(Deserialize)]
struct Authorizer {
    iam: Option<Value>,
}

/// Converts an event to a request.
///
/// # Errors
/// If the event is not a function URL request.
pub fn request(event: &Value) -> Result<Request, InvalidEvent> {
    let event = Event::deserialize(event).map_err(|source| InvalidEvent::Form { source })?;
    let body = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded {
        STANDARD
            .decode(body)
            .map_err(|source| InvalidEvent::Body { source })?
    } else {
        body.into_bytes()
    };
    let (context, authorizer) = (event.request_context.http, event.request_context.authorizer);
    let mut headers: HeaderMap = event.headers.iter().filter_map(header).collect();
    if let Ok(cookies) = HeaderValue::try_from(event.cookies.join("; ")) {
        headers.insert(COOKIE, cookies);
    }
    Ok(Request {
        method: context
            .method
            .parse()
            .map_err(|source| InvalidEvent::Method { source })?,
        path: event.raw_path,
        query: event.raw_query_string,
        transport: Transport::Tls,
        sender: context.source_ip.and_then(|address| address.parse().ok()),
        body,
        signature: match authorizer.and_then(|authorizer| authorizer.iam) {
            Some(Value::Null) | None => Signature::None,
            Some(_) => Signature::Verified,
        },
        ..Request::with_headers(&headers)
    })
}

fn header((name, value): (&String, &String)) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}

/// Converts a response to the result of the function. Cookies are separate from other headers; `HEAD` has no body; a
/// compressed body is in Base64.
pub fn response(response: &Response<Vec<u8>>, method: &Method) -> Value {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = response.headers();
    let is_compressed = headers.contains_key(CONTENT_ENCODING);
    let body = match is_compressed {
        true => STANDARD.encode(response.body()),
        false => String::from_utf8_lossy(response.body()).into_owned(),
    };
    let others = headers.iter().filter(|(name, _)| *name != SET_COOKIE);
    json!({
        "statusCode": response.status().as_u16(),
        "headers": others.map(|(name, value)| (name.to_string(), text(value))).collect::<BTreeMap<_, _>>(),
        "cookies": headers.get_all(SET_COOKIE).iter().map(text).collect::<Vec<_>>(),
        "body": if *method == Method::HEAD { "" } else { &body },
        "isBase64Encoded": is_compressed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_status::{CachePolicy, ContentType, Initiator};
    use portpulse_testkit::event::sample;

    #[test]
    fn sample_events_are_parsed() {
        let open = request(&sample("status-overview.json")).unwrap();
        assert_eq!(
            (&open.method, open.path.as_str(), open.query.as_str()),
            (&Method::GET, "/", "by=tag&q=orders%20db")
        );
        assert_eq!(open.query_value("q").as_deref(), Some("orders db"));
        assert_eq!(open.cookies, "__Host-portpulse=1.00; other=2");
        assert_eq!(open.host.as_deref(), Some("abcdefg.lambda-url.eu-west-1.on.aws"));
        assert_eq!(open.signature, Signature::None);

        let signed = request(&sample("status-signed.json")).unwrap();
        assert_eq!(signed.signature, Signature::Verified);
        assert_eq!(signed.path, "/monitors/orders-db");
        assert!(signed.authorization.unwrap().starts_with("AWS4-HMAC-SHA256 "));

        let sign_in = request(&sample("status-sign-in.json")).unwrap();
        assert_eq!(
            (&sign_in.method, sign_in.path.as_str()),
            (&Method::POST, "/sign-in")
        );
        assert_eq!(sign_in.body, b"token=not-the-token");
        assert_eq!(sign_in.sender, Some([198, 51, 100, 7].into()));
    }

    #[test]
    fn form_from_another_site_has_its_initiator() {
        let mut event = sample("status-sign-in.json");
        event["headers"]["sec-fetch-site"] = "cross-site".into();
        assert_eq!(request(&event).unwrap().initiator, Initiator::OtherOrigin);
        event["headers"]["sec-fetch-site"] = "same-origin".into();
        assert_eq!(request(&event).unwrap().initiator, Initiator::OwnPageOrProgram);
    }

    #[test]
    fn other_events_are_rejected() {
        let error = request(&json!({ "time": "now" })).unwrap_err().to_string();
        assert_eq!(
            error,
            "the event is not a function URL request: invoke this function through its URL"
        );
        let mut event = sample("status-sign-in.json");
        event["body"] = "?".into();
        assert!(matches!(request(&event), Err(InvalidEvent::Body { .. })));
        let mut event = sample("status-overview.json");
        event["requestContext"]["http"]["method"] = "G E T".into();
        assert!(matches!(request(&event), Err(InvalidEvent::Method { .. })));
        // Without `iam` in the context there is no verified signature.
        let mut event = sample("status-signed.json");
        event["requestContext"]["authorizer"] = json!({ "iam": null });
        assert_eq!(request(&event).unwrap().signature, Signature::None);
    }

    #[test]
    fn cookies_are_separate_and_head_has_no_body() {
        let answer = |method| {
            let mut answer =
                portpulse_status::Response::new(200, ContentType::Text, CachePolicy::NoStore, "text");
            answer.headers.push(("set-cookie", "a=1".to_owned()));
            response(&answer.answering(&Request::default()), &method)
        };
        let got = answer(Method::GET);
        assert_eq!((&got["statusCode"], &got["body"]), (&json!(200), &json!("text")));
        assert_eq!(got["cookies"], json!(["a=1"]));
        assert_eq!(got["headers"]["cache-control"], "no-store");
        assert_eq!(got["headers"]["set-cookie"], Value::Null);
        assert_eq!(answer(Method::HEAD)["body"], "");
    }
}
