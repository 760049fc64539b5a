//! What stands in for AWS on this machine, on a thread of its own, so that no write there delays a check here:
//! an embedded DynamoDB, kept in a file, and an SNS topic; both are spoken to with the real SDK.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::SnsTopic;
use portpulse_checker::Clock as _;
use portpulse_store::dynamo::DynamoTable;
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::sns::{Published, SnsServer, TOPIC_ARN};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use super::clock::FastClock;
use crate::folder::{Claimed, Endpoints, Face, Folder, Running};
use crate::output::Stopped;

/// How often items that have expired are removed.
const SWEEP: Duration = Duration::from_secs(3_600);

/// The stand-ins.
pub(crate) struct StandIns {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
    endpoints: Endpoints,
    /// Held while the data are in use.
    folder: Folder,
}

/// Stand-ins that a command has found.
pub(crate) enum Reached {
    /// Those of a running watch.
    Running(Running),
    /// Our own, which stop when they are dropped.
    Started(StandIns, Endpoints),
}

/// How to reach them.
pub(crate) struct Ways {
    pub(crate) table: DynamoTable,
    pub(crate) topic: SnsTopic,
    pub(crate) endpoints: Endpoints,
    /// What is published to the topic.
    pub(crate) published: mpsc::UnboundedReceiver<Published>,
}

impl StandIns {
    /// Starts them on the data in this folder; nobody else may use it meanwhile.
    pub(crate) async fn start(path: &Path) -> Result<(Self, Ways), Stopped> {
        match Folder::claim(path).await? {
            Claimed::Ours(folder) => Self::spawn(folder).await,
            Claimed::Running(_) => {
                let what = format!("use the data in {}", path.display());
                let mend = "another portpulse is using them (end it, or choose another --data)";
                Err(Stopped::unable(what, mend))
            }
        }
    }

    /// Finds those of the watch that uses the folder, or starts some on its data.
    pub(crate) async fn reach(path: &Path) -> Result<Reached, Stopped> {
        Ok(match Folder::claim(path).await? {
            Claimed::Running(running) => Reached::Running(running),
            Claimed::Ours(folder) => {
                let (stand_ins, ways) = Self::spawn(folder).await?;
                Reached::Started(stand_ins, ways.endpoints)
            }
        })
    }

    async fn spawn(folder: Folder) -> Result<(Self, Ways), Stopped> {
        let file = folder.database();
        let (tell_ways, ways) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let unable = |error| Stopped::unable("start a thread for the stand-ins of AWS", error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(unable)?;
        let serve = move || runtime.block_on(serve(file, tell_ways, stopped));
        let thread = std::thread::Builder::new()
            .name("stand-ins".to_owned())
            .spawn(serve)
            .map_err(unable)?;
        let gone = |_| Stopped::unable("start the stand-ins of AWS", "their thread is gone");
        let ways = ways.await.map_err(gone)??;
        let stand_ins = Self {
            stop,
            thread,
            endpoints: ways.endpoints.clone(),
            folder,
        };
        Ok((stand_ins, ways))
    }

    /// Says in the folder where they are to be reached, and what the clock of their watch shows.
    pub(crate) fn announce(&self, clock: &FastClock) -> Result<(), Stopped> {
        let clock = Face {
            shown: clock.now(),
            at: Timestamp::now(),
            speed: clock.speed(),
        };
        let endpoints = self.endpoints.clone();
        self.folder.announce(&Running { endpoints, clock })
    }

    /// Stops them and closes the file.
    pub(crate) fn stop(self) -> Result<(), Stopped> {
        // Who comes now waits until the folder is free.
        drop(self.folder.withdraw());
        drop(self.stop);
        let gone = |_| Stopped::unable("end cleanly", "the thread of the stand-ins of AWS is gone");
        self.thread.join().map_err(gone)
    }
}

/// Serves until the other end of `stopped` is dropped.
async fn serve(
    file: PathBuf,
    tell_ways: oneshot::Sender<Result<Ways, Stopped>>,
    stopped: oneshot::Receiver<()>,
) {
    let (dynamodb, _sns) = match open(file).await {
        Ok((dynamodb, sns, published)) => {
            let topic = SnsTopic::new(sns.client(), TOPIC_ARN);
            let ways = Ways {
                table: dynamodb.table(),
                topic,
                endpoints: Endpoints {
                    dynamodb: dynamodb.endpoint_url(),
                    sns: sns.endpoint_url(),
                },
                published,
            };
            // If nobody waits for them any more, `stopped` resolves at once.
            drop(tell_ways.send(Ok(ways)));
            (dynamodb, sns)
        }
        Err(error) => {
            drop(tell_ways.send(Err(error)));
            return;
        }
    };
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let sweeping = async {
        loop {
            sweep.tick().await;
            // What cannot be removed now is removed the next time.
            drop(dynamodb.remove_expired());
        }
    };
    tokio::select! {
        () = sweeping => {}
        // An error is how it ends: the other end was dropped.
        _ = stopped => {}
    }
}

type Opened = (EmbeddedDynamo, SnsServer, mpsc::UnboundedReceiver<Published>);

async fn open(file: PathBuf) -> Result<Opened, Stopped> {
    let dynamodb = EmbeddedDynamo::open(&file).await;
    let dynamodb = dynamodb.map_err(|error| Stopped::unable("start the embedded DynamoDB", error))?;
    let sns = SnsServer::start().await;
    let (sns, published) = sns.map_err(|error| Stopped::unable("start the stand-in for SNS", error))?;
    Ok((dynamodb, sns, published))
}
