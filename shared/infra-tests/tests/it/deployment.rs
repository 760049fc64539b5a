//! The whole of `infra/`, applied to a stand-in of AWS: what is made, what a change touches, what is left behind.

use std::collections::BTreeSet;
use std::fs;

use portpulse_infra_tests::aws::{Operation, StandIn, ask};
use portpulse_infra_tests::terraform::{Change, Terraform};
use serde_json::{Value, json};

use crate::copy_of_infra;

const MONITORS: &str = "
monitors:
  orders-db: { host: db.example.com, service: postgres, tier: critical }
  bastion: { host: bastion.example.com, service: ssh }
  queue: { host: queue.example.com, port: 9000, timeout: 2s }
";

fn variables(regions: &[&str]) -> Value {
    json!({
        "home_region": "eu-west-1",
        "regions": regions,
        "zip": "tests/fixtures/checker.bin",
        "relay_zip": "tests/fixtures/checker.bin",
        "relay_file": "tests/fixtures/relay.yaml",
        "status_zip": "tests/fixtures/checker.bin",
        // The stand-in knows no quotas.
        "status": { "access": "private", "token": "ssm:/portpulse/status", "reserved_concurrency": -1 },
        "monitors_file": "test-monitors.yaml",
        "deletion_protection": false,
        "subscribers": {
            "team": { "protocol": "email", "endpoint": "team@example.com" },
            "phone": { "protocol": "sms", "endpoint": "+15555550100" },
            "orders": { "protocol": "https", "endpoint": "https://127.0.0.1:9/hook", "tags": ["team=orders"] },
        },
    })
}

fn change(address: &str, action: &str) -> Change {
    Change {
        address: address.to_owned(),
        action: action.to_owned(),
    }
}

/// All that there is of a region for these monitors and subscribers, with what becomes of it.
fn per_location(region: &str, action: &str) -> Vec<Change> {
    const PER_LOCATION: [&str; 20] = [
        r#"aws_cloudwatch_event_rule.interval["1m-0"]"#,
        r#"aws_cloudwatch_event_rule.interval["5m-0"]"#,
        r#"aws_cloudwatch_event_target.shard["1m#0"]"#,
        r#"aws_cloudwatch_event_target.shard["5m#0"]"#,
        "aws_cloudwatch_metric_alarm.failing",
        "aws_cloudwatch_metric_alarm.silent",
        r#"aws_dynamodb_table_item.expected["1m#0"]"#,
        r#"aws_dynamodb_table_item.expected["5m#0"]"#,
        r#"aws_lambda_permission.schedule["1m-0"]"#,
        r#"aws_lambda_permission.schedule["5m-0"]"#,
        "aws_sqs_queue_policy.schedule",
        "module.function.aws_cloudwatch_log_group.this",
        "module.function.aws_iam_role.this",
        "module.function.aws_iam_role_policy.this",
        "module.function.aws_lambda_function.this",
        "module.function.aws_lambda_function_event_invoke_config.this[0]",
        "module.function.aws_sqs_queue.dead_letters[0]",
        "module.watchdog.aws_sns_topic.this",
        r#"module.watchdog.aws_sns_topic_subscription.this["orders"]"#,
        r#"module.watchdog.aws_sns_topic_subscription.this["team"]"#,
    ];
    let address = |of_it: &str| format!("module.{region}[0].{of_it}");
    PER_LOCATION.map(|of_it| change(&address(of_it), action)).into()
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn three_locations_are_applied_changed_and_destroyed() {
    let moto = StandIn::moto().unwrap();
    let folder = copy_of_infra("three-regions");
    fs::write(folder.join("test-monitors.yaml"), MONITORS).unwrap();
    let terraform = Terraform::init(&folder, moto.environment()).unwrap();
    let three = variables(&["eu-west-1", "us-east-1", "ap-southeast-1"]);

    terraform.apply(&three).unwrap();
    assert_eq!(
        terraform.plan(&three).unwrap(),
        [],
        "a second plan changes nothing"
    );

    let everything: BTreeSet<_> = LISTINGS.iter().map(|(service, ..)| *service).collect();
    assert_eq!(
        holds(&moto, "eu-west-1"),
        everything,
        "at home there is something of each"
    );

    // One field of one monitor.
    fs::write(
        folder.join("test-monitors.yaml"),
        MONITORS.replace("timeout: 2s", "timeout: 3s"),
    )
    .unwrap();
    assert_eq!(
        terraform.plan(&three).unwrap(),
        [change(
            "module.table.aws_dynamodb_table_item.this[\"queue\"]",
            "update"
        )]
    );
    assert_eq!(
        terraform.shown_changes().unwrap(),
        [
            "~ update in-place",
            r#"~ resource "aws_dynamodb_table_item" "this" {"#,
            "~ item       = jsonencode(",
            "~ {",
            "~ timeout = {",
            r#"~ S = "2s" -> "3s""#,
        ],
        "the one field is shown"
    );

    // A region more, and then a region less: neither touches anything but what is that region's.
    fs::write(folder.join("test-monitors.yaml"), MONITORS).unwrap();
    let four = variables(&["eu-west-1", "us-east-1", "ap-southeast-1", "sa-east-1"]);
    assert_eq!(
        terraform.plan(&four).unwrap(),
        per_location("sa-east-1", "create")
    );
    terraform.apply(&four).unwrap();
    assert_eq!(terraform.plan(&four).unwrap(), [], "after a region came");
    let moved = variables(&["eu-west-1", "us-east-1", "sa-east-1"]);
    assert_eq!(
        terraform.plan(&moved).unwrap(),
        per_location("ap-southeast-1", "delete")
    );
    terraform.apply(&moved).unwrap();
    assert_eq!(terraform.plan(&moved).unwrap(), [], "after a region went");

    // A faulty file stops the plan, and says where.
    fs::write(
        folder.join("test-monitors.yaml"),
        MONITORS.replace("9000", "90000"),
    )
    .unwrap();
    let refused = terraform.plan(&moved).unwrap_err().to_string();
    assert!(
        refused.contains("monitors.queue.port: 90000 cannot be used"),
        "{refused}"
    );
    fs::write(folder.join("test-monitors.yaml"), MONITORS).unwrap();

    // A zip that is not there stops it, and says how to build it.
    let mut without_zip = moved.clone();
    without_zip["zip"] = Value::Null;
    let refused = terraform.plan(&without_zip).unwrap_err().to_string();
    assert!(refused.contains("infra/build arm64"), "{refused}");

    terraform.destroy(&moved).unwrap();
    assert_eq!(terraform.resources().unwrap(), Vec::<String>::new());
    for region in ["eu-west-1", "us-east-1", "ap-southeast-1", "sa-east-1"] {
        assert_eq!(holds(&moto, region), BTreeSet::new(), "left behind in {region}");
    }
}

/// How each service is asked for all that it holds.
const LISTINGS: [(&str, Operation<'_>); 11] = [
    (
        "dynamodb",
        Operation::Json {
            target: "DynamoDB_20120810.ListTables",
            body: "{}",
        },
    ),
    ("sns", Operation::Query("Action=ListTopics&Version=2010-03-31")),
    (
        "sns",
        Operation::Query("Action=ListSubscriptions&Version=2010-03-31"),
    ),
    (
        "sqs",
        Operation::Json {
            target: "AmazonSQS.ListQueues",
            body: "{}",
        },
    ),
    ("lambda", Operation::Get("/2015-03-31/functions")),
    (
        "events",
        Operation::Json {
            target: "AWSEvents.ListRules",
            body: "{}",
        },
    ),
    ("iam", Operation::Query("Action=ListRoles&Version=2010-05-08")),
    (
        "logs",
        Operation::Json {
            target: "Logs_20140328.DescribeLogGroups",
            body: "{}",
        },
    ),
    (
        "monitoring",
        Operation::Query("Action=DescribeAlarms&Version=2010-08-01"),
    ),
    (
        "monitoring",
        Operation::Query("Action=ListDashboards&Version=2010-08-01"),
    ),
    (
        "cloudformation",
        Operation::Query("Action=DescribeStacks&Version=2010-05-15"),
    ),
];

/// The services in which the stand-in holds something of ours in `region`.
fn holds(moto: &StandIn, region: &str) -> BTreeSet<&'static str> {
    let ours = LISTINGS.iter().filter(|(service, operation)| {
        ask(moto.endpoint(), region, service, operation)
            .unwrap()
            .contains("portpulse")
    });
    ours.map(|(service, _)| *service).collect()
}
