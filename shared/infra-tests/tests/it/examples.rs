//! Applies the configurations of `infra/examples/` that use `infra/` as a module to an AWS emulator.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;

use portpulse_infra_tests::aws::{Emulator, Operation, call};
use portpulse_infra_tests::terraform::{Change, Terraform};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::copy_of_example;

const ZIP: &str = "../../tests/fixtures/checker.bin";

/// The monitor of a database, whose address is known only after apply.
fn orders_db(port: u32) -> Value {
    json!({ "orders-db": { "host": "${aws_db_instance.orders.address}", "port": port, "tier": "critical" } })
}

/// The item of a monitor, as the state has it.
fn item(terraform: &Terraform, id: &str) -> Value {
    let state = terraform.show().unwrap();
    let address = format!("module.portpulse.module.table.aws_dynamodb_table_item.this[\"{id}\"]");
    let found = crate::outage::resource(&state, &address);
    serde_json::from_str(found["item"].as_str().unwrap()).unwrap()
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn monitors_of_variable_have_addresses_of_resources() {
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("own-root", "own-root");
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    let arguments =
        |monitors: Value| json!({ "zip": ZIP, "deletion_protection": false, "monitors": monitors });

    // A mistake fails the first plan, although the address is unknown.
    let error = terraform
        .plan(&arguments(orders_db(70_000)))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("monitors.orders-db.port: 70000 is invalid"),
        "{error}"
    );

    let example = json!({ "zip": ZIP, "deletion_protection": false });
    terraform.apply(&example).unwrap();
    assert_eq!(
        terraform.plan(&example).unwrap(),
        [],
        "a second plan must have no changes"
    );
    let shown = item(&terraform, "orders-db");
    let host = shown["host"]["S"].as_str().unwrap();
    assert!(
        host.starts_with("orders.") && host.ends_with(".rds.amazonaws.com"),
        "{shown}"
    );
    assert_eq!(shown["port"], json!({ "N": "5432" }));
    assert_eq!(
        item(&terraform, "shop-oslo")["host"],
        json!({ "S": "oslo.shop.example.com" })
    );

    // One field of one monitor.
    let one = arguments(orders_db(5432));
    terraform.apply(&one).unwrap();
    assert_eq!(
        terraform.plan(&arguments(orders_db(5433))).unwrap(),
        [Change {
            address: "module.portpulse.module.table.aws_dynamodb_table_item.this[\"orders-db\"]".to_owned(),
            action: "update".to_owned(),
        }]
    );
    let lines = terraform.printed_changes().unwrap();
    assert_eq!(lines.last().unwrap(), r#"~ N = "5432" -> "5433""#, "{lines:?}");
    terraform.destroy(&one).unwrap();
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn checker_with_provider_of_other_region_fails_plan() {
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("three-regions", "other-region");
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    let regions = |regions: &[&str]| json!({ "zip": ZIP, "regions": regions });
    let error = terraform
        .plan(&regions(&["eu-west-1", "eu-north-1"]))
        .unwrap_err()
        .to_string();
    let expected = "The provider of eu-north-1 has the region eu-west-1";
    assert!(error.contains(expected), "{error}");
    let other_home = json!({ "zip": ZIP, "home_region": "us-east-1" });
    let error = terraform.plan(&other_home).unwrap_err().to_string();
    assert!(
        error.contains("pass a provider of the home region as `aws`"),
        "{error}"
    );
}

/// An HTTP server on 127.0.0.1 that answers every request with `body`. Returns its URL.
fn serve(body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // The client may have gone.
            let _ = stream.write_all(&[head.as_bytes(), body].concat());
        }
    });
    url
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn zips_of_release_are_downloaded_and_verified() {
    const BODY: &[u8] = b"a zip of a release";
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("three-regions", "release");
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    let sum = Sha256::digest(BODY).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let release = |sum: &str| {
        let release = json!({ "url": serve(BODY), "sha256": { "checker-arm64.zip": sum } });
        json!({ "release": release, "deletion_protection": false })
    };
    let error = terraform
        .apply(&release(&sum.replace(|c: char| c.is_ascii_digit(), "0")))
        .unwrap_err();
    assert!(error.to_string().contains("does not have the SHA-256"), "{error}");

    let good = release(&sum);
    terraform.apply(&good).unwrap();
    assert_eq!(
        terraform.plan(&good).unwrap(),
        [],
        "a second plan must have no changes"
    );
    // Another machine does not have the file, and needs it only when the code changes.
    fs::remove_dir_all(directory.join(".portpulse")).unwrap();
    assert_eq!(terraform.plan(&good).unwrap(), [], "without the downloaded file");

    let missing =
        json!({ "release": { "url": "https://example.com", "sha256": {} }, "deletion_protection": false });
    let error = terraform.plan(&missing).unwrap_err().to_string();
    assert!(
        error.contains("`release` has no SHA-256 for the file of"),
        "{error}"
    );
    terraform.destroy(&good).unwrap();
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn home_region_leaves_and_joins_regions_with_relay() {
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("three-regions", "home-leaves");
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    let arguments = |regions: &[&str]| {
        json!({
            "zip": ZIP,
            "relay_zip": ZIP,
            "relay_file": "../../tests/fixtures/relay.yaml",
            "regions": regions,
            "deletion_protection": false,
        })
    };
    for regions in [
        &["eu-west-1", "us-east-1"][..],
        &["us-east-1"],
        &["eu-west-1", "us-east-1"],
    ] {
        let arguments = arguments(regions);
        terraform.apply(&arguments).unwrap();
        assert_eq!(terraform.plan(&arguments).unwrap(), [], "{regions:?}");
        // A topic that another resource deleted would still be in the state.
        let list = Operation::Query("Action=ListTopics&Version=2010-03-31");
        let topics = call(moto.endpoint(), "eu-west-1", "sns", &list).unwrap();
        assert!(topics.contains(":portpulse-relay-watchdog<"), "{topics}");
        let has_checker = topics.contains(":portpulse-watchdog<");
        assert_eq!(has_checker, regions.contains(&"eu-west-1"), "{topics}");
    }
}
