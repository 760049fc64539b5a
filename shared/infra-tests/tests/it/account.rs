//! What people do with a deployment over time, on an AWS emulator: who may read the status page changes, a checker leaves its VPC, a
//! standby comes and goes, and the home region moves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use portpulse_infra_tests::aws::{Emulator, Operation, call, tool};
use portpulse_infra_tests::terraform::Terraform;
use serde_json::{Value, json};

use crate::copy_of_example;

const HOME: &str = "eu-west-1";
const ZIP: &str = "../../tests/fixtures/checker.bin";

/// The arguments of a deployment with one checker.
fn arguments(more: &Value) -> Value {
    let mut arguments = json!({
        "zip": ZIP,
        "relay_zip": ZIP,
        "status_zip": ZIP,
        "regions": [HOME],
        "deletion_protection": false,
        "dashboard": false,
    });
    for (name, value) in more.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

/// The actions that anybody may perform on the Lambda of the status page, in order.
fn public_actions(moto: &Emulator) -> Vec<String> {
    let get = Operation::Get("/2015-03-31/functions/portpulse-status/policy");
    // Without any statement, there is no policy.
    let Ok(found) = call(moto.endpoint(), HOME, "lambda", &get) else {
        return Vec::new();
    };
    let found: Value = serde_json::from_str(&found).unwrap();
    let policy: Value = serde_json::from_str(found["Policy"].as_str().unwrap()).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let public = statements
        .iter()
        .filter(|statement| statement["Principal"].to_string().contains('*'));
    let mut actions: Vec<_> = public
        .map(|statement| statement["Action"].as_str().unwrap().to_owned())
        .collect();
    actions.sort();
    actions
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn permissions_of_status_page_follow_its_readers() {
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("three-regions", "readers");
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    let both = ["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"];
    // The first page is private: moto, unlike Lambda, would accept the provider's permission beside the one of the same name.
    for (access, token, expected) in [
        ("private", None, &[][..]),
        ("private", Some("ssm:/portpulse/status"), &both),
        ("public", None, &both),
        ("private", None, &[]),
    ] {
        let status = json!({ "access": access, "token": token, "reserved_concurrency": -1 });
        let arguments = arguments(&json!({ "status": status }));
        terraform.apply(&arguments).unwrap();
        let mut found = public_actions(&moto);
        let stack = Operation::Query("Action=DescribeStacks&Version=2010-05-15");
        let stack = call(moto.endpoint(), HOME, "cloudformation", &stack).unwrap();
        if !stack.contains("portpulse-status-address") {
            // moto deletes the stack, and not the permission in it.
            found.retain(|action| action != "lambda:InvokeFunction");
        }
        assert_eq!(found, expected, "{access}, {token:?}");
        assert_eq!(terraform.plan(&arguments).unwrap(), [], "{access}, {token:?}");
    }
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn status_page_runs_in_another_region() {
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("three-regions", "page-region");
    let main = directory.join("main.tf");
    let text = fs::read_to_string(&main).unwrap();
    let moved = text.replace(
        "aws.status         = aws\n",
        "aws.status         = aws.us-east-1\n",
    );
    assert_ne!(moved, text);
    fs::write(&main, moved).unwrap();
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    let status = json!({ "access": "private", "region": "us-east-1" });
    let page = arguments(&json!({ "status": status }));
    terraform.apply(&page).unwrap();
    assert_eq!(terraform.plan(&page).unwrap(), []);
    let functions = |region| {
        call(
            moto.endpoint(),
            region,
            "lambda",
            &Operation::Get("/2015-03-31/functions"),
        )
        .unwrap()
    };
    assert!(functions("us-east-1").contains("portpulse-status"));
    assert!(!functions(HOME).contains("portpulse-status"));
}

/// An error of Terraform without its line breaks and its frame.
fn one_line(error: &str) -> String {
    let error = error.replace(['\n', '│'], " ");
    error.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The items of a table in `region`, by their sort keys; none without the table.
fn items(moto: &Emulator, region: &str, table: &str) -> BTreeMap<String, Value> {
    let scan = Operation::Json {
        target: "DynamoDB_20120810.Scan",
        body: &json!({ "TableName": table }).to_string(),
    };
    let found = call(moto.endpoint(), region, "dynamodb", &scan).unwrap_or_default();
    let found: Value = serde_json::from_str(&found).unwrap_or_default();
    let items = found["Items"].as_array().into_iter().flatten();
    items
        .map(|item| (item["sk"]["S"].as_str().unwrap().to_owned(), item.clone()))
        .collect()
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn standby_comes_and_goes_with_its_setting() {
    const STANDBY: &str = "us-east-1";
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("three-regions", "standby");
    let main = directory.join("main.tf");
    let text = fs::read_to_string(&main).unwrap();
    let passed = text.replace(
        "aws.standby        = aws\n",
        "aws.standby        = aws.us-east-1\n",
    );
    assert_ne!(passed, text);
    fs::write(&main, passed).unwrap();
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    let subscribers = json!({ "phone": { "protocol": "sms", "endpoint": "+447700900123" } });
    let without = arguments(&json!({ "subscribers": subscribers }));
    let mut with = without.clone();
    with["standby"] = json!({ "region": STANDBY });
    let list = |region: &str, action: &str| {
        let form = format!("Action={action}&Version=2010-03-31");
        call(moto.endpoint(), region, "sns", &Operation::Query(&form)).unwrap()
    };

    terraform.apply(&with).unwrap();
    assert_eq!(
        terraform.plan(&with).unwrap(),
        [],
        "a second plan must have no changes"
    );
    let home = items(&moto, HOME, "portpulse");
    let copies = items(&moto, STANDBY, "portpulse-standby");
    assert!(copies.len() > 1, "{copies:?}");
    for (id, copy) in &copies {
        assert_eq!(home.get(id), Some(copy), "{id}");
    }
    let definitions = |items: &BTreeMap<String, Value>| {
        let keys = items.values().map(|item| item["pk"]["S"].as_str().unwrap());
        keys.filter(|key| key.starts_with("monitors#")).count()
    };
    assert_eq!(definitions(&copies), definitions(&home));
    let topic = home["standby"]["topic_arn"]["S"].as_str().unwrap();
    assert!(list(STANDBY, "ListTopics").contains(topic), "{topic}");
    assert!(list(STANDBY, "ListSubscriptions").contains(topic), "{topic}");

    // Another region at once would leave the first standby behind.
    let mut moved = with.clone();
    moved["standby"] = json!({ "region": "ap-southeast-1" });
    let error = one_line(&terraform.plan(&moved).unwrap_err().to_string());
    assert!(
        error.contains("the standby is in us-east-1. To move it, set `standby = null`"),
        "{error}"
    );

    terraform.apply(&without).unwrap();
    assert_eq!(terraform.plan(&without).unwrap(), [], "without a standby");
    assert_eq!(items(&moto, STANDBY, "portpulse-standby"), BTreeMap::new());
    assert!(!items(&moto, HOME, "portpulse").contains_key("standby"));
    for action in ["ListTopics", "ListSubscriptions"] {
        let left = list(STANDBY, action);
        assert!(!left.contains("standby"), "{left}");
    }
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn role_outlives_network_interfaces_of_checker() {
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("three-regions", "leaves-vpc");
    let mut environment = moto.environment();
    // The AWS CLI asks the emulator, which has no network interfaces of a function.
    let tools = tool("aws").unwrap().parent().unwrap().to_owned();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    environment.push(("PATH", path.into()));
    let terraform = Terraform::init(&directory, environment).unwrap();
    let vpc = json!({ HOME: { "subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"] } });
    let inside = arguments(&json!({ "vpc": vpc }));
    let policy = || {
        let form = "Action=GetRolePolicy&Version=2010-05-08&RoleName=portpulse-checker-eu-west-1&PolicyName=function";
        call(moto.endpoint(), HOME, "iam", &Operation::Query(form)).unwrap()
    };
    terraform.apply(&inside).unwrap();
    assert!(policy().contains("DeleteNetworkInterface"));
    // Leaving the VPC keeps the permissions, because Lambda deletes the interfaces later.
    terraform.apply(&arguments(&json!({}))).unwrap();
    assert!(policy().contains("DeleteNetworkInterface"));

    terraform.apply(&inside).unwrap();
    let printed = terraform.destroy(&inside).unwrap();
    let at = |what: &str| {
        let line = format!("module.function.{what}");
        let found = printed.lines().position(|found| found.contains(&line));
        assert!(found.is_some(), "`{line}` is missing in:\n{printed}");
        found.unwrap()
    };
    let order = [
        at("aws_lambda_function.this: Destruction complete"),
        at("terraform_data.network_interfaces[0]: Destroying..."),
        at("terraform_data.network_interfaces[0]: Destruction complete"),
        at("aws_iam_role_policy.this: Destroying..."),
    ];
    assert!(order.is_sorted(), "{order:?}:\n{printed}");
}

#[test]
#[ignore = "needs Terraform, its AWS provider and moto: .ci/infra runs it"]
fn home_region_moves_by_second_deployment() {
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("three-regions", "home-moves");
    let main = directory.join("main.tf");
    let first = fs::read_to_string(&main).unwrap();
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    let old = arguments(&json!({ "regions": ["ap-southeast-1"] }));
    terraform.apply(&old).unwrap();

    // A changed home region with its provider is refused.
    let swapped = first
        .replace(HOME, "HOME")
        .replace("us-east-1", HOME)
        .replace("HOME", "us-east-1");
    fs::write(&main, swapped).unwrap();
    let mut other = old.clone();
    other["home_region"] = json!("us-east-1");
    let error = one_line(&terraform.plan(&other).unwrap_err().to_string());
    assert!(
        error.contains("A deployment cannot change its home region. To move, create a second deployment"),
        "{error}"
    );

    // A second deployment beside it.
    let block = first.split("module \"portpulse\" {").nth(1).unwrap();
    let block = block.split("\n}\n").next().unwrap();
    let second = format!("module \"moved\" {{{block}\n}}\n")
        .replace(
            "home_region   = \"eu-west-1\"",
            &format!(
                "home_region   = \"us-east-1\"\n  name = \"portpulse-2\"\n  zip = \"{ZIP}\"\n  deletion_protection = false\n  dashboard = false"
            ),
        )
        .replace(
            r#"["eu-west-1", "us-east-1", "ap-southeast-1"]"#,
            r#"["ap-southeast-1"]"#,
        )
        .replace("aws                = aws\n", "aws                = aws.us-east-1\n")
        .replace("aws.status         = aws\n", "aws.status         = aws.us-east-1\n");
    fs::write(&main, format!("{first}\n{second}")).unwrap();
    // A new module block is installed by another init.
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    terraform.apply(&old).unwrap();

    // The first deployment is removed: its block goes, and its providers stay.
    let providers = first.split("module \"portpulse\" {").next().unwrap();
    fs::write(&main, format!("{providers}\n{second}")).unwrap();
    fs::remove_file(directory.join("test_override.tf.json")).unwrap();
    terraform.apply(&Value::Null).unwrap();
    let tables = |region| {
        let list = Operation::Json {
            target: "DynamoDB_20120810.ListTables",
            body: "{}",
        };
        call(moto.endpoint(), region, "dynamodb", &list).unwrap()
    };
    assert!(!tables(HOME).contains("portpulse"), "{}", tables(HOME));
    assert!(tables("us-east-1").contains("portpulse-2"));
    let list = Operation::Query("Action=ListTopics&Version=2010-03-31");
    let topics = call(moto.endpoint(), HOME, "sns", &list).unwrap();
    assert!(!topics.contains("portpulse"), "{topics}");
    let functions = Operation::Get("/2015-03-31/functions");
    let functions = call(moto.endpoint(), "ap-southeast-1", "lambda", &functions).unwrap();
    assert!(!functions.contains("\"portpulse-checker\""), "{functions}");
    assert!(functions.contains("\"portpulse-2-checker\""), "{functions}");
}

/// Runs the AWS CLI on the emulator, and returns its output as JSON.
fn aws(moto: &Emulator, arguments: &[&str]) -> Value {
    let output = Command::new(tool("aws").unwrap())
        .args(arguments)
        .args(["--region", HOME, "--output", "json"])
        .envs(moto.environment())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "aws {arguments:?}: {stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
#[ignore = "needs Terraform, its AWS provider, the AWS CLI and moto: .ci/infra runs it"]
fn state_in_s3_is_locked_by_an_object() {
    let moto = Emulator::moto().unwrap();
    aws(
        &moto,
        &[
            "s3api",
            "create-bucket",
            "--bucket",
            "states",
            "--create-bucket-configuration",
            "LocationConstraint=eu-west-1",
        ],
    );
    let directory = copy_of_example("plain", "backend");
    // The whole deployment is applied elsewhere; here, one value suffices.
    let example = fs::read_to_string(directory.join("backend.tf.example")).unwrap();
    let alone = directory.join("alone");
    fs::create_dir(&alone).unwrap();
    fs::write(alone.join("backend.tf"), example.replace("BUCKET", "states")).unwrap();
    fs::write(alone.join("main.tf"), "output \"one\" { value = 1 }\n").unwrap();
    let mut environment = moto.environment();
    let options = [
        "use_path_style",
        "skip_credentials_validation",
        "skip_requesting_account_id",
        "skip_region_validation",
    ];
    let options = options
        .map(|option| format!("-backend-config={option}=true"))
        .join(" ");
    environment.push(("TF_CLI_ARGS_init", options.into()));
    let terraform = Terraform::init(&alone, environment).unwrap();
    terraform.apply(&Value::Null).unwrap();
    let list = || {
        aws(
            &moto,
            &[
                "s3api",
                "list-objects-v2",
                "--bucket",
                "states",
                "--query",
                "Contents[].Key",
            ],
        )
    };
    assert_eq!(list(), json!(["portpulse/terraform.tfstate"]));

    // Somebody else holds the lock.
    let lock = json!({ "ID": "1", "Operation": "OperationTypeApply", "Who": "somebody", "Created": "2026-11-29T00:00:00Z" });
    fs::write(alone.join("lock"), lock.to_string()).unwrap();
    let put = [
        "s3api",
        "put-object",
        "--bucket",
        "states",
        "--key",
        "portpulse/terraform.tfstate.tflock",
        "--body",
    ];
    aws(
        &moto,
        &[&put[..], &[alone.join("lock").to_str().unwrap()]].concat(),
    );
    let error = terraform.apply(&Value::Null).unwrap_err().to_string();
    assert!(error.contains("Error acquiring the state lock"), "{error}");
}

/// Runs `script` of `infra/` with Bash, and returns its status and its output.
pub(crate) fn script(
    path: &Path,
    arguments: &[&str],
    environment: Vec<(&'static str, std::ffi::OsString)>,
) -> (i32, String) {
    let output = Command::new("bash")
        .arg(path)
        .args(arguments)
        .envs(environment)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&printed).into_owned(),
    )
}
