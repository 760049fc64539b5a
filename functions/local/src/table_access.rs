//! Opens the table of a command: in AWS, or in the data directory of `portpulse local`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_sns::Client as Sns;
use jiff::Timestamp;
use portpulse_local_aws::dynamodb::TABLE;
use portpulse_local_aws::{LocalAws, Route};
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::meter::Meter;
use portpulse_store::standby::StandbyTable;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::data_dir::{DataDir, RunningWatch, RunningWatchDir, WatchClock};
use crate::local::backend::{Backend, BackendAccess};
use crate::local::temp_dir::TempDir;
use crate::output::{CommandError, print_note};

/// The default data directory.
pub(crate) const DEFAULT_DATA_DIR: &str = ".portpulse";

/// The options that select the table. Options take precedence over the environment, which takes precedence over the
/// default data directory.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct TableArgs {
    /// The name of the table in AWS [env: PORTPULSE_TABLE]
    ///
    /// Credentials come from the environment, the AWS configuration files or the role of the machine. IAM Identity Center
    /// (SSO) is not supported; run `eval "$(aws configure export-credentials --format env)"` first.
    #[arg(long, value_name = "NAME", help_heading = "Table")]
    pub(crate) table: Option<String>,

    /// The AWS region of the table [env: PORTPULSE_HOME_REGION; default: the region of the AWS configuration]
    #[arg(long, value_name = "REGION", help_heading = "Table", conflicts_with = "data")]
    pub(crate) region: Option<String>,

    /// The data directory of `portpulse local`, which may be running or not [default: .portpulse, without a table]
    #[arg(long, value_name = "DIR", help_heading = "Table", conflicts_with = "table")]
    pub(crate) data: Option<PathBuf>,
}

/// The selected table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TableSource {
    /// A table in AWS. The default region is that of the AWS configuration.
    Aws { table: String, region: Option<String> },
    /// That of `portpulse local` in this folder.
    DataDir(PathBuf),
}

impl TableSource {
    /// Selects the table by the options, then by the environment.
    pub(crate) fn choose(
        args: &TableArgs,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, CommandError> {
        let set = |name| lookup(name).filter(|value: &String| !value.trim().is_empty());
        if let Some(folder) = &args.data {
            return Ok(Self::DataDir(folder.clone()));
        }
        let region = || args.region.clone().or_else(|| set("PORTPULSE_HOME_REGION"));
        match args.table.clone().or_else(|| set("PORTPULSE_TABLE")) {
            Some(table) => Ok(Self::Aws {
                table,
                region: region(),
            }),
            None if args.region.is_some() => {
                let help = "add --table, or set PORTPULSE_TABLE";
                Err(CommandError::usage_with_help("--region requires --table", help))
            }
            None => Ok(Self::DataDir(DEFAULT_DATA_DIR.into())),
        }
    }
}

/// What to do if the data directory contains no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingData {
    /// Fail.
    Refuse,
    /// Create a new table.
    Create,
    /// Use an empty table in memory. Data are read from a copy, so that nothing is written.
    Empty,
}

/// An open table, with the client of its topic.
pub(crate) struct OpenTable {
    pub(crate) store: Store<DynamoTable>,
    pub(crate) sns: Sns,
    pub(crate) kind: TableKind,
    name: String,
    meter: Meter,
    clock: Option<WatchClock>,
    /// The configuration of AWS; `None` for the table of `portpulse local`.
    aws: Option<SdkConfig>,
    standby: OnceCell<Option<Store<DynamoTable>>>,
    _guard: TableGuard,
}

/// Values that must live while the table is open.
enum TableGuard {
    None,
    Watch { _dir: RunningWatchDir },
    Backend { _backend: Backend },
    Copy { _dir: TempDir },
}

/// The kind of an open table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableKind {
    /// In AWS.
    Aws,
    /// Of a running `portpulse local`.
    LocalRunning,
    /// Of a `portpulse local` that is not running.
    LocalStopped,
}

impl fmt::Display for OpenTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl OpenTable {
    /// The current time of the clock that the table uses.
    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        self.clock.map_or(now, |clock| clock.time_at(now))
    }

    /// The DynamoDB read units consumed since the last call.
    pub(crate) fn read_units(&self) -> f64 {
        self.meter.take().read_units
    }

    /// The table of the standby region, as this table names it; `None` without one.
    pub(crate) async fn standby(&self) -> Result<Option<Store<DynamoTable>>, portpulse_store::Error> {
        let Some(aws) = &self.aws else {
            return Ok(None);
        };
        // One read for a command that changes many monitors.
        let standby = self.standby.get_or_try_init(async || {
            let standby = self.store.standby().await?;
            Ok(standby.map(|StandbyTable { region, table }| {
                let config = aws_sdk_dynamodb::config::Builder::from(aws).region(Region::new(region));
                store(DynamoDb::from_conf(config.build()), table)
            }))
        });
        standby.await.cloned()
    }

    async fn open(source: TableSource, missing_data: MissingData) -> Result<Self, CommandError> {
        match source {
            TableSource::Aws { table, region } => Self::in_aws(table, region).await,
            TableSource::DataDir(path) => Self::in_data_dir(&path, missing_data).await,
        }
    }

    async fn in_aws(table: String, region: Option<String>) -> Result<Self, CommandError> {
        let loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts());
        let loader = match region {
            Some(region) => loader.region(Region::new(region)),
            None => loader,
        };
        let config = loader.load().await;
        let Some(region) = config.region() else {
            let message = format_args!("--table {table} requires a region");
            let help = "add --region, or set PORTPULSE_HOME_REGION";
            return Err(CommandError::usage_with_help(message, help));
        };
        let name = format!("{table} in {region}");
        let meter = Meter::default();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&config).interceptor(meter.clone());
        Ok(Self {
            store: store(DynamoDb::from_conf(dynamodb.build()), table),
            sns: Sns::new(&config),
            kind: TableKind::Aws,
            name,
            meter,
            clock: None,
            aws: Some(config),
            standby: OnceCell::new(),
            _guard: TableGuard::None,
        })
    }

    /// An empty table, in place of one that a data directory does not contain.
    fn in_memory(path: &Path) -> Result<Self, CommandError> {
        let aws = LocalAws::in_memory();
        let aws = aws.map_err(|error| CommandError::failed("start the embedded DynamoDB", error))?;
        let name = format!("{} (no data yet)", path.display());
        Ok(Self::in_process(aws, name, TableGuard::None))
    }

    /// A copy of the table in a data directory; `None` if a process uses the directory.
    fn of_copy(path: &Path) -> Result<Option<Self>, CommandError> {
        let failed = |error| CommandError::failed(format!("copy the data in {}", path.display()), error);
        let dir = TempDir::create().map_err(failed)?;
        let Some(database) = DataDir::copy_database(path, dir.path()).map_err(failed)? else {
            return Ok(None);
        };
        let opened = LocalAws::open(&database);
        let (aws, _) = opened.map_err(|error| CommandError::failed("start the embedded DynamoDB", error))?;
        let name = format!("{} (portpulse local is not running)", path.display());
        let guard = TableGuard::Copy { _dir: dir };
        Ok(Some(Self::in_process(aws, name, guard)))
    }

    /// A table of embedded services in this process.
    fn in_process(aws: LocalAws, name: String, guard: TableGuard) -> Self {
        let route = Route::InProcess(aws);
        let meter = Meter::default();
        let dynamodb = route.dynamodb().config().to_builder().interceptor(meter.clone());
        Self {
            store: store(DynamoDb::from_conf(dynamodb.build()), TABLE.to_owned()),
            sns: route.sns(),
            kind: TableKind::LocalStopped,
            name,
            meter,
            clock: None,
            aws: None,
            standby: OnceCell::new(),
            _guard: guard,
        }
    }

    async fn in_data_dir(path: &Path, missing_data: MissingData) -> Result<Self, CommandError> {
        if missing_data == MissingData::Refuse && !DataDir::has_data(path) {
            let help = "start `portpulse local`, set its data directory with --data, or select a table in AWS with \
                        --table and --region";
            let message = format_args!("no data in {}", path.display());
            return Err(CommandError::usage_with_help(message, help));
        }
        if missing_data == MissingData::Empty {
            if !DataDir::has_data(path) {
                return Self::in_memory(path);
            }
            if let Some(copy) = Self::of_copy(path)? {
                return Ok(copy);
            }
        }
        let (route, kind, clock, guard) = match Backend::reach(path).await? {
            BackendAccess::Running(RunningWatch { clock }, dir) => {
                let route = Route::Socket(dir.socket().into());
                let guard = TableGuard::Watch { _dir: dir };
                (route, TableKind::LocalRunning, Some(clock), guard)
            }
            BackendAccess::Started(backend) => (
                backend.route(),
                TableKind::LocalStopped,
                None,
                TableGuard::Backend { _backend: backend },
            ),
        };
        let state = match kind {
            TableKind::LocalRunning => "portpulse local is running",
            TableKind::Aws | TableKind::LocalStopped => "portpulse local is not running",
        };
        let meter = Meter::default();
        let dynamodb = route.dynamodb().config().to_builder().interceptor(meter.clone());
        Ok(Self {
            store: store(DynamoDb::from_conf(dynamodb.build()), TABLE.to_owned()),
            sns: route.sns(),
            kind,
            name: format!("{} ({state})", path.display()),
            meter,
            clock,
            aws: None,
            standby: OnceCell::new(),
            _guard: guard,
        })
    }
}

/// Opens the table, prints its name on standard error, and runs the command.
pub(crate) fn with_table<R>(
    args: &TableArgs,
    missing_data: MissingData,
    work: impl AsyncFnOnce(&OpenTable) -> Result<R, CommandError>,
) -> Result<R, CommandError> {
    let source = TableSource::choose(args, |name| std::env::var(name).ok())?;
    runtime()?.block_on(async {
        let table = OpenTable::open(source, missing_data).await?;
        print_note(&format!("Table: {table}"));
        work(&table).await
    })
}

/// A runtime on this thread.
pub(crate) fn runtime() -> Result<Runtime, CommandError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| CommandError::failed("start the runtime", error))
}

fn store(client: DynamoDb, table: String) -> Store<DynamoTable> {
    Store::new(DynamoTable::new(client, table))
}

/// Short timeouts, because a person waits for the command.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(30))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &TableArgs, environment: &[(&str, &str)], expected: &str) {
        let lookup = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let found = match TableSource::choose(args, lookup) {
            Ok(TableSource::Aws { table, region }) => {
                format!("{table} in {}", region.as_deref().unwrap_or("?"))
            }
            Ok(TableSource::DataDir(folder)) => folder.display().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{args:?} {environment:?}");
    }

    #[test]
    fn options_override_the_environment_and_the_default_dir() {
        let typed = |table: Option<&str>, region: Option<&str>, data: Option<&str>| TableArgs {
            table: table.map(str::to_owned),
            region: region.map(str::to_owned),
            data: data.map(PathBuf::from),
        };
        let nothing: &[(&str, &str)] = &[];
        let environment = &[("PORTPULSE_TABLE", "e"), ("PORTPULSE_HOME_REGION", "eu-west-1")][..];
        let empty = &[("PORTPULSE_TABLE", " "), ("PORTPULSE_HOME_REGION", "eu-west-1")][..];
        check(&typed(None, None, None), nothing, ".portpulse");
        check(&typed(None, None, None), empty, ".portpulse");
        check(&typed(None, None, None), environment, "e in eu-west-1");
        check(&typed(None, None, Some("here")), environment, "here");
        check(&typed(Some("t"), None, None), nothing, "t in ?");
        check(&typed(Some("t"), None, None), environment, "t in eu-west-1");
        check(
            &typed(Some("t"), Some("us-east-1"), None),
            environment,
            "t in us-east-1",
        );
        check(
            &typed(None, Some("us-east-1"), None),
            environment,
            "e in us-east-1",
        );
        let message = "--region requires --table\n  help: add --table, or set PORTPULSE_TABLE";
        check(&typed(None, Some("us-east-1"), None), nothing, message);
    }
}
