//! Applies `infra/` to an AWS emulator: the created resources, the plan of a change, and the resources left after a destroy.

use std::collections::BTreeSet;
use std::fs;

use portpulse_infra_tests::aws::{Emulator, Operation, call};
use portpulse_infra_tests::terraform::{Change, Terraform};
use serde_json::{Value, json};

use crate::copy_of_example;

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
        "zip": "../../tests/fixtures/checker.bin",
        "relay_zip": "../../tests/fixtures/checker.bin",
        "relay_file": "../../tests/fixtures/relay.yaml",
        "status_zip": "../../tests/fixtures/checker.bin",
        // The emulator has no quotas.
        "status": { "access": "private", "token": "ssm:/portpulse/status", "reserved_concurrency": -1 },
        "monitors_file": "test-monitors.yaml",
        "deletion_protection": false,
        "subscribers": {
            "team": { "protocol": "email", "endpoint": "team@example.com" },
            "phone": { "protocol": "sms", "endpoint": "+447700900123" },
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

/// The changes of all resources of a region, for these monitors and subscribers.
fn changes_of_region(region: &str, action: &str) -> Vec<Change> {
    const RESOURCES: [&str; 21] = [
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
        "terraform_data.deployed",
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
    let address = |resource: &str| format!("module.portpulse.module.{region}[0].{resource}");
    RESOURCES
        .map(|resource| change(&address(resource), action))
        .into()
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn three_region_deployment_applies_changes_and_destroys() {
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("plain", "plain");
    fs::write(directory.join("test-monitors.yaml"), MONITORS).unwrap();
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    let three = variables(&["eu-west-1", "us-east-1", "ap-southeast-1"]);

    terraform.apply(&three).unwrap();
    assert_eq!(
        terraform.plan(&three).unwrap(),
        [],
        "a second plan must have no changes"
    );

    let everything: BTreeSet<_> = LISTINGS.iter().map(|(service, ..)| *service).collect();
    assert_eq!(
        services_in_use(&moto, "eu-west-1"),
        everything,
        "the home region must have resources of each service"
    );

    // One field of one monitor.
    fs::write(
        directory.join("test-monitors.yaml"),
        MONITORS.replace("timeout: 2s", "timeout: 3s"),
    )
    .unwrap();
    assert_eq!(
        terraform.plan(&three).unwrap(),
        [change(
            "module.portpulse.module.table.aws_dynamodb_table_item.this[\"queue\"]",
            "update"
        )]
    );
    assert_eq!(
        terraform.printed_changes().unwrap(),
        [
            "~ update in-place",
            r#"~ resource "aws_dynamodb_table_item" "this" {"#,
            "~ item       = jsonencode(",
            "~ {",
            "~ timeout = {",
            r#"~ S = "2s" -> "3s""#,
        ],
        "the plan must show the changed field only"
    );

    // Adding and removing a region changes only the resources of that region.
    fs::write(directory.join("test-monitors.yaml"), MONITORS).unwrap();
    let four = variables(&["eu-west-1", "us-east-1", "ap-southeast-1", "sa-east-1"]);
    assert_eq!(
        terraform.plan(&four).unwrap(),
        changes_of_region("sa-east-1", "create")
    );
    terraform.apply(&four).unwrap();
    assert_eq!(terraform.plan(&four).unwrap(), [], "after adding a region");
    let moved = variables(&["eu-west-1", "us-east-1", "sa-east-1"]);
    assert_eq!(
        terraform.plan(&moved).unwrap(),
        changes_of_region("ap-southeast-1", "delete")
    );
    terraform.apply(&moved).unwrap();
    assert_eq!(terraform.plan(&moved).unwrap(), [], "after removing a region");

    terraform.destroy(&moved).unwrap();
    assert_eq!(terraform.resources().unwrap(), Vec::<String>::new());
    for region in ["eu-west-1", "us-east-1", "ap-southeast-1", "sa-east-1"] {
        assert_eq!(
            services_in_use(&moto, region),
            BTreeSet::new(),
            "{region} has resources after the destroy"
        );
    }
}

/// The operation that lists the resources of each service.
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

/// The services that have resources of Portpulse in `region`.
fn services_in_use(moto: &Emulator, region: &str) -> BTreeSet<&'static str> {
    let in_use = LISTINGS.iter().filter(|(service, operation)| {
        call(moto.endpoint(), region, service, operation)
            .unwrap()
            .contains("portpulse")
    });
    in_use.map(|(service, _)| *service).collect()
}
