//! The AWS SDK with the local DynamoDB and SNS, through both transports.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_alert::{MAX_BYTES, Message, Publish, SnsTopic};
use portpulse_local_aws::dynamodb::TABLE;
use portpulse_local_aws::sns::{Published, TOPIC_ARN};
use portpulse_local_aws::{LocalAws, Route, socket};
use portpulse_store::chain;
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::table::{Condition, Put, Read, Table};
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;

/// A temporary folder of one test. Removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("portpulse-local-aws-{name}-{}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    fn open(&self) -> (LocalAws, UnboundedReceiver<Published>) {
        LocalAws::open(&self.0.join("db")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn message() -> Message {
    Message {
        ids: vec!["x".to_owned()],
        subject: "DOWN: orders-db".to_owned(),
        body: "orders-db is down: \"a & b\" ü\n".to_owned(),
        sms: "DOWN: orders-db".to_owned(),
        json: json!({}),
        attributes: BTreeMap::new(),
    }
}

async fn exchange(route: &Route, published: &mut UnboundedReceiver<Published>) {
    let table = DynamoTable::new(route.dynamodb(), TABLE);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    // Larger than the buffer of a socket.
    let large = text(&"é".repeat(150_000));
    let item = HashMap::from([
        ("pk".to_owned(), text("p")),
        ("sk".to_owned(), text("s")),
        ("large".to_owned(), large),
    ]);
    let current = table.get("p", "s", Read::Strong).await.unwrap();
    assert_eq!(current, None);
    assert_eq!(
        table.put(item.clone(), Condition::Absent).await.unwrap(),
        Put::Done
    );
    let refused = table.put(item.clone(), Condition::Absent).await.unwrap();
    let current = Some(item.clone());
    assert_eq!(refused, Put::Refused { current });
    assert_eq!(table.query("p", Read::Strong).await.unwrap(), [item]);

    let topic = SnsTopic::new(route.sns(), TOPIC_ARN);
    topic.publish(&message()).await.unwrap();
    assert_eq!(published.try_recv().unwrap().text("email"), message().body);
    let subject = "a\nb".to_owned();
    let invalid = Message { subject, ..message() };
    assert!(topic.publish(&invalid).await.is_err());
    assert!(published.try_recv().is_err());
}

#[tokio::test]
async fn sdk_works_in_process() {
    let folder = Folder::new("process");
    let (aws, mut published) = folder.open();
    exchange(&Route::InProcess(aws), &mut published).await;
}

#[tokio::test]
async fn sdk_works_over_socket() {
    let folder = Folder::new("socket");
    let (aws, mut published) = folder.open();
    let path = folder.0.join("socket");
    let listener = socket::listen(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let serving = tokio::spawn(socket::serve(listener, aws));
    let route = Route::Socket(path.as_path().into());
    exchange(&route, &mut published).await;
    serving.abort();
    drop(serving.await);
    std::fs::remove_file(&path).unwrap();
    let table = DynamoTable::new(route.dynamodb(), TABLE);
    let error = table.get("p", "s", Read::Strong).await.unwrap_err();
    let error = chain(&error);
    assert!(error.contains("No such file"), "{error}");
}

#[tokio::test]
async fn items_persist_when_file_is_reopened() {
    let folder = Folder::new("again");
    let key = HashMap::from(["pk", "sk"].map(|name| (name.to_owned(), AttributeValue::S("x".to_owned()))));
    let table = |aws| DynamoTable::new(Route::InProcess(aws).dynamodb(), TABLE);
    let first = table(folder.open().0);
    first.put(key.clone(), Condition::Absent).await.unwrap();
    drop(first);
    let second = table(folder.open().0);
    assert_eq!(second.get("x", "x", Read::Strong).await.unwrap(), Some(key));
}

#[tokio::test]
async fn unsupported_operation_is_named_in_error() {
    let folder = Folder::new("operation");
    let client = Route::InProcess(folder.open().0).dynamodb();
    let error = client.list_tables().send().await.unwrap_err();
    let message = error.as_service_error().unwrap().meta().message();
    assert_eq!(
        message,
        Some("`ListTables` is not supported by the local DynamoDB")
    );
}

#[tokio::test]
async fn message_of_the_maximum_size_is_published() {
    let folder = Folder::new("size");
    let (aws, _published) = folder.open();
    let client = Route::InProcess(aws).sns();
    for (bytes, is_published) in [(MAX_BYTES, true), (MAX_BYTES + 1, false)] {
        let publish = client.publish().topic_arn(TOPIC_ARN).message("x".repeat(bytes));
        assert_eq!(publish.send().await.is_ok(), is_published, "{bytes}");
    }
}
