//! Where a command finds its table: in AWS, or in the folder of a watch on this machine, running or not.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_sns::Client as Sns;
use jiff::Timestamp;
use portpulse_local_aws::Route;
use portpulse_local_aws::dynamodb::TABLE;
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::meter::Meter;

use crate::folder::{Face, Folder, Neighbour, Running};
use crate::local::stand_ins::{Reached, StandIns};
use crate::output::{Stopped, notify};

/// The folder where nothing else is said.
pub(crate) const FOLDER: &str = ".portpulse";

/// Which table, as one types it. What is typed goes before the environment, that before the folder.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Which {
    /// The table in AWS; credentials are those of the environment, of AWS's files, or of the machine's role, but not of a
    /// single sign-on (`aws configure export-credentials --format env` turns one into the environment) [env: PORTPULSE_TABLE]
    #[arg(long, value_name = "NAME", help_heading = "Which table")]
    pub(crate) table: Option<String>,

    /// The home region, where that table is [env: PORTPULSE_HOME_REGION; default: AWS's own]
    #[arg(
        long,
        value_name = "REGION",
        help_heading = "Which table",
        conflicts_with = "data"
    )]
    pub(crate) region: Option<String>,

    /// The data of `portpulse local`, running or not [default: .portpulse, unless a table is named]
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Which table",
        conflicts_with = "table"
    )]
    pub(crate) data: Option<PathBuf>,
}

/// Which table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// One in AWS; in the region of the AWS configuration unless one is named.
    Aws { table: String, region: Option<String> },
    /// That of `portpulse local` in this folder.
    Folder(PathBuf),
}

impl Place {
    /// Chooses by what is typed, then by the environment.
    pub(crate) fn choose(args: &Which, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Stopped> {
        let given = |name| lookup(name).filter(|value: &String| !value.trim().is_empty());
        if let Some(folder) = &args.data {
            return Ok(Self::Folder(folder.clone()));
        }
        let region = || args.region.clone().or_else(|| given("PORTPULSE_HOME_REGION"));
        match args.table.clone().or_else(|| given("PORTPULSE_TABLE")) {
            Some(table) => Ok(Self::Aws {
                table,
                region: region(),
            }),
            None if args.region.is_some() => {
                let complaint = "--region: of which table? (add --table, or set PORTPULSE_TABLE)".to_owned();
                Err(Stopped::Usage { complaint })
            }
            None => Ok(Self::Folder(FOLDER.into())),
        }
    }
}

/// What to do where there are no data yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// Say so.
    Refused,
    /// Begin.
    Made,
}

/// A table that can be read and written, and the topic beside it.
pub(crate) struct Opened {
    pub(crate) store: Store<DynamoTable>,
    pub(crate) sns: Sns,
    pub(crate) kind: Kind,
    shown: String,
    meter: Meter,
    clock: Option<Face>,
    _held: Held,
}

/// What must live for as long as a table is open.
enum Held {
    Nothing,
    Neighbour { _folder: Neighbour },
    StandIns { _ours: StandIns },
}

/// What an open table is, where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In AWS.
    Aws,
    /// Of a watch that runs on this machine.
    Running,
    /// Of a watch on this machine that does not run now.
    Resting,
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Opened {
    /// The time there.
    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        self.clock.map_or(now, |clock| clock.shows(now))
    }

    /// What was read since this was asked last, in DynamoDB's units.
    pub(crate) fn read_units(&self) -> f64 {
        self.meter.take().read_units
    }

    async fn open(place: Place, fresh: Fresh) -> Result<Self, Stopped> {
        match place {
            Place::Aws { table, region } => Self::in_aws(table, region).await,
            Place::Folder(path) => Self::in_folder(&path, fresh).await,
        }
    }

    async fn in_aws(table: String, region: Option<String>) -> Result<Self, Stopped> {
        let loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts());
        let loader = match region {
            Some(region) => loader.region(Region::new(region)),
            None => loader,
        };
        let config = loader.load().await;
        let Some(region) = config.region() else {
            let complaint = format!(
                "--table {table}: in which region is it? (add --region, or set PORTPULSE_HOME_REGION)"
            );
            return Err(Stopped::Usage { complaint });
        };
        let shown = format!("{table} in {region}");
        let meter = Meter::default();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&config).interceptor(meter.clone());
        Ok(Self {
            store: store(DynamoDb::from_conf(dynamodb.build()), table),
            sns: Sns::new(&config),
            kind: Kind::Aws,
            shown,
            meter,
            clock: None,
            _held: Held::Nothing,
        })
    }

    async fn in_folder(path: &Path, fresh: Fresh) -> Result<Self, Stopped> {
        if fresh == Fresh::Refused && !Folder::has_data(path) {
            let complaint = format!(
                "there are no data in {} (start `portpulse local`, choose its folder with --data, or name a table in \
                 AWS with --table and --region)",
                path.display()
            );
            return Err(Stopped::Usage { complaint });
        }
        let (route, kind, clock, held) = match StandIns::reach(path).await? {
            Reached::Running(Running { clock }, folder) => {
                let route = Route::Socket(folder.socket().into());
                let held = Held::Neighbour { _folder: folder };
                (route, Kind::Running, Some(clock), held)
            }
            Reached::Started(ours) => (ours.route(), Kind::Resting, None, Held::StandIns { _ours: ours }),
        };
        let how = match kind {
            Kind::Running => "portpulse runs",
            Kind::Aws | Kind::Resting => "portpulse does not run now",
        };
        let meter = Meter::default();
        let dynamodb = route.dynamodb().config().to_builder().interceptor(meter.clone());
        Ok(Self {
            store: store(DynamoDb::from_conf(dynamodb.build()), TABLE.to_owned()),
            sns: route.sns(),
            kind,
            shown: format!("{}, where {how}", path.display()),
            meter,
            clock,
            _held: held,
        })
    }
}

/// Does a command's work on its table, once it has said on standard error which one that is.
pub(crate) fn with_table<R>(
    args: &Which,
    fresh: Fresh,
    work: impl AsyncFnOnce(&Opened) -> Result<R, Stopped>,
) -> Result<R, Stopped> {
    let place = Place::choose(args, |name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stopped::unable("start", error))?;
    runtime.block_on(async {
        let opened = Opened::open(place, fresh).await?;
        notify(&format!("Table: {opened}"));
        work(&opened).await
    })
}

fn store(client: DynamoDb, table: String) -> Store<DynamoTable> {
    Store::new(DynamoTable::new(client, table))
}

/// Somebody waits: what does not answer is told within seconds.
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

    fn check(args: &Which, environment: &[(&str, &str)], expected: &str) {
        let lookup = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let found = match Place::choose(args, lookup) {
            Ok(Place::Aws { table, region }) => format!("{table} in {}", region.as_deref().unwrap_or("?")),
            Ok(Place::Folder(folder)) => folder.display().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{args:?} {environment:?}");
    }

    #[test]
    fn what_is_typed_goes_before_the_environment_and_that_before_the_folder() {
        let typed = |table: Option<&str>, region: Option<&str>, data: Option<&str>| Which {
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
        let help = "--region: of which table? (add --table, or set PORTPULSE_TABLE)";
        check(&typed(None, Some("us-east-1"), None), nothing, help);
    }
}
