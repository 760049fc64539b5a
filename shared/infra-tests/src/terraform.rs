//! Runs `terraform` on one configuration: arguments, state, and commands.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde_json::{Value, json};

/// A Terraform command failed.
#[derive(Debug, thiserror::Error)]
pub enum TerraformError {
    /// `terraform` cannot be started.
    #[error("cannot run `terraform` (install Terraform 1.11 or newer)")]
    Start(#[source] io::Error),
    /// The file of variables cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// `terraform` returned an error.
    #[error("`terraform {command}` failed:\n{output}")]
    Failed {
        /// The command.
        command: String,
        /// The standard output and the standard error.
        output: String,
    },
    /// The output of a command is not JSON.
    #[error("`terraform {command}` did not print JSON")]
    Json {
        /// The command.
        command: String,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}

/// The file of the plan, in the directory of the configuration.
const PLAN: &str = "plan";

/// The module block of the configurations in `infra/examples/`.
const MODULE: &str = "portpulse";

/// A configuration in its own directory, which also holds its state and providers.
#[derive(Debug)]
pub struct Terraform {
    directory: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

/// A planned change of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The address of the resource, such as `module.table.aws_dynamodb_table.this`.
    pub address: String,
    /// `create`, `update`, `delete`, or `delete,create` for a replacement.
    pub action: String,
}

impl Terraform {
    /// Initializes the configuration in `directory`.
    ///
    /// Providers come from the directory in `PORTPULSE_TF_PLUGINS`, or by default from Terraform's own sources.
    ///
    /// # Errors
    /// If `terraform init` fails.
    pub fn init(
        directory: &Path,
        environment: Vec<(&'static str, OsString)>,
    ) -> Result<Self, TerraformError> {
        let terraform = Self {
            directory: directory.to_owned(),
            environment,
        };
        let mut arguments = vec!["init".to_owned(), "-input=false".to_owned()];
        if directory.join(".terraform.lock.hcl").exists() {
            arguments.push("-lockfile=readonly".to_owned());
        }
        if let Some(plugins) = std::env::var_os("PORTPULSE_TF_PLUGINS") {
            arguments.push(format!("-plugin-dir={}", plugins.to_string_lossy()));
        }
        terraform.run(&arguments)?;
        Ok(terraform)
    }

    /// Applies the configuration with these arguments of its module, without approval. Without arguments, those of the last call
    /// or of the configuration apply.
    ///
    /// # Errors
    /// If Terraform cannot be run, or fails.
    pub fn apply(&self, arguments: &Value) -> Result<(), TerraformError> {
        self.set_arguments(arguments)?;
        self.run(&[
            "apply".to_owned(),
            "-input=false".to_owned(),
            "-auto-approve".to_owned(),
        ])?;
        Ok(())
    }

    /// Destroys all resources, without approval, and returns the output.
    ///
    /// # Errors
    /// If Terraform cannot be run, or fails.
    pub fn destroy(&self, arguments: &Value) -> Result<String, TerraformError> {
        self.set_arguments(arguments)?;
        self.run(&[
            "destroy".to_owned(),
            "-input=false".to_owned(),
            "-auto-approve".to_owned(),
        ])
    }

    /// Plans an apply and returns its changes.
    ///
    /// # Errors
    /// If Terraform cannot be run, or fails.
    pub fn plan(&self, arguments: &Value) -> Result<Vec<Change>, TerraformError> {
        self.set_arguments(arguments)?;
        self.run(&[
            "plan".to_owned(),
            "-input=false".to_owned(),
            format!("-out={PLAN}"),
        ])?;
        let shown = self.json(&["show".to_owned(), "-json".to_owned(), PLAN.to_owned()])?;
        let resources = shown.get("resource_changes").and_then(Value::as_array);
        let changes = resources.into_iter().flatten().filter_map(|resource| {
            let actions = resource.pointer("/change/actions")?.as_array()?;
            let action = actions
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(",");
            let address = resource.get("address")?.as_str()?.to_owned();
            (action != "no-op" && action != "read").then_some(Change { address, action })
        });
        Ok(changes.collect())
    }

    /// The changed lines of the last plan, as Terraform prints them.
    ///
    /// # Errors
    /// If Terraform cannot be run, or there is no plan.
    pub fn printed_changes(&self) -> Result<Vec<String>, TerraformError> {
        let shown = self.run(&["show".to_owned(), PLAN.to_owned()])?;
        let lines = shown.lines().map(str::trim);
        let changes = lines.filter(|line| ["~ ", "+ ", "- "].iter().any(|sign| line.starts_with(sign)));
        Ok(changes.map(str::to_owned).collect())
    }

    /// The value of an output.
    ///
    /// # Errors
    /// If Terraform cannot be run, or the output does not exist.
    pub fn output(&self, name: &str) -> Result<Value, TerraformError> {
        self.json(&["output".to_owned(), "-json".to_owned(), name.to_owned()])
    }

    /// The addresses of all resources in the state.
    ///
    /// # Errors
    /// If Terraform cannot be run.
    pub fn resources(&self) -> Result<Vec<String>, TerraformError> {
        let listed = self.run(&["state".to_owned(), "list".to_owned()])?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// The state as JSON, with every attribute of every resource.
    ///
    /// # Errors
    /// If Terraform cannot be run.
    pub fn show(&self) -> Result<Value, TerraformError> {
        self.json(&["show".to_owned(), "-json".to_owned()])
    }

    /// Writes the arguments of the module into an override file. <https://developer.hashicorp.com/terraform/language/files/override>
    fn set_arguments(&self, arguments: &Value) -> Result<(), TerraformError> {
        if arguments.as_object().is_none_or(serde_json::Map::is_empty) {
            return Ok(());
        }
        let path = self.directory.join("test_override.tf.json");
        let text = json!({ "module": { MODULE: arguments } }).to_string();
        fs::write(&path, text).map_err(|source| TerraformError::Write { path, source })
    }

    fn json(&self, arguments: &[String]) -> Result<Value, TerraformError> {
        let output = self.run(arguments)?;
        serde_json::from_str(&output).map_err(|source| TerraformError::Json {
            command: arguments.join(" "),
            source,
        })
    }

    fn run(&self, arguments: &[String]) -> Result<String, TerraformError> {
        let output = Command::new("terraform")
            .args(arguments)
            .current_dir(&self.directory)
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_CLI_ARGS", "-no-color")
            .env("CHECKPOINT_DISABLE", "1")
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .output()
            .map_err(TerraformError::Start)?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(stdout);
        }
        Err(TerraformError::Failed {
            command: arguments.join(" "),
            output: stdout + &String::from_utf8_lossy(&output.stderr),
        })
    }
}
