//! One Terraform configuration in use: its variables, its state, and the commands run on it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde_json::Value;

/// Terraform could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum TerraformError {
    /// The program could not be started.
    #[error("cannot run `terraform` (install Terraform 1.11 or newer)")]
    Start(#[source] io::Error),
    /// A file of ours could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A command failed.
    #[error("`terraform {command}` failed:\n{output}")]
    Failed {
        /// The command.
        command: String,
        /// What it said, on both streams.
        output: String,
    },
    /// A command's output was not JSON.
    #[error("`terraform {command}` did not answer in JSON")]
    Json {
        /// The command.
        command: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Where a plan is kept, in the configuration's folder.
const PLAN: &str = "plan";

/// A configuration in a folder of the test's own, which takes its state and plug-ins too.
#[derive(Debug)]
pub struct Terraform {
    folder: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

/// What a plan would do, as resource addresses with what becomes of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The resource, such as `module.table.aws_dynamodb_table.this`.
    pub address: String,
    /// `create`, `update`, `delete`, or `delete,create` for a replacement.
    pub action: String,
}

impl Terraform {
    /// Prepares the configuration in `folder` for use.
    ///
    /// Providers come from the folder that `PORTPULSE_TF_PLUGINS` names, or else from where Terraform looks by itself.
    ///
    /// # Errors
    /// When `terraform init` fails.
    pub fn init(folder: &Path, environment: Vec<(&'static str, OsString)>) -> Result<Self, TerraformError> {
        let terraform = Self {
            folder: folder.to_owned(),
            environment,
        };
        let mut arguments = vec!["init".to_owned(), "-input=false".to_owned()];
        if folder.join(".terraform.lock.hcl").exists() {
            arguments.push("-lockfile=readonly".to_owned());
        }
        if let Some(plugins) = std::env::var_os("PORTPULSE_TF_PLUGINS") {
            arguments.push(format!("-plugin-dir={}", plugins.to_string_lossy()));
        }
        terraform.run(&arguments)?;
        Ok(terraform)
    }

    /// Applies without asking.
    ///
    /// # Errors
    /// When Terraform cannot be run, or refuses.
    pub fn apply(&self, variables: &Value) -> Result<(), TerraformError> {
        let variables = self.variables(variables)?;
        self.run(&[
            "apply".to_owned(),
            "-input=false".to_owned(),
            "-auto-approve".to_owned(),
            variables,
        ])?;
        Ok(())
    }

    /// Destroys without asking.
    ///
    /// # Errors
    /// When Terraform cannot be run, or refuses.
    pub fn destroy(&self, variables: &Value) -> Result<(), TerraformError> {
        let variables = self.variables(variables)?;
        self.run(&[
            "destroy".to_owned(),
            "-input=false".to_owned(),
            "-auto-approve".to_owned(),
            variables,
        ])?;
        Ok(())
    }

    /// What an apply would change.
    ///
    /// # Errors
    /// When Terraform cannot be run, or refuses.
    pub fn plan(&self, variables: &Value) -> Result<Vec<Change>, TerraformError> {
        let variables = self.variables(variables)?;
        self.run(&[
            "plan".to_owned(),
            "-input=false".to_owned(),
            format!("-out={PLAN}"),
            variables,
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

    /// The lines by which the last plan shows a person what it would change, without what stays.
    ///
    /// # Errors
    /// When Terraform cannot be run, or nothing was planned yet.
    pub fn shown_changes(&self) -> Result<Vec<String>, TerraformError> {
        let shown = self.run(&["show".to_owned(), PLAN.to_owned()])?;
        let lines = shown.lines().map(str::trim);
        let changes = lines.filter(|line| ["~ ", "+ ", "- "].iter().any(|sign| line.starts_with(sign)));
        Ok(changes.map(str::to_owned).collect())
    }

    /// One output's value.
    ///
    /// # Errors
    /// When Terraform cannot be run, or there is no such output.
    pub fn output(&self, name: &str) -> Result<Value, TerraformError> {
        self.json(&["output".to_owned(), "-json".to_owned(), name.to_owned()])
    }

    /// The addresses of all resources in the state.
    ///
    /// # Errors
    /// When Terraform cannot be run.
    pub fn resources(&self) -> Result<Vec<String>, TerraformError> {
        let listed = self.run(&["state".to_owned(), "list".to_owned()])?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// The state as Terraform shows it, with every attribute of every resource.
    ///
    /// # Errors
    /// When Terraform cannot be run.
    pub fn show(&self) -> Result<Value, TerraformError> {
        self.json(&["show".to_owned(), "-json".to_owned()])
    }

    fn variables(&self, variables: &Value) -> Result<String, TerraformError> {
        let path = self.folder.join("test.tfvars.json");
        fs::write(&path, variables.to_string()).map_err(|source| TerraformError::Write {
            path: path.clone(),
            source,
        })?;
        Ok(format!("-var-file={}", path.display()))
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
            .current_dir(&self.folder)
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_CLI_ARGS", "-no-color")
            .env("CHECKPOINT_DISABLE", "1")
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .output()
            .map_err(TerraformError::Start)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        Err(TerraformError::Failed {
            command: arguments.join(" "),
            output: said + &String::from_utf8_lossy(&output.stderr),
        })
    }
}
