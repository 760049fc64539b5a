//! `portpulse import`: converts the configuration of other monitoring tools to a definitions file.

mod files;
mod kuma_database;
mod report;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use portpulse_convert::{Changes, Format, Import, ImportError, Options, Pings, Report, Source, import};
use portpulse_core::definition::AWS_REGIONS;
use portpulse_core::id::{InvalidName, Location};
use rustix::fs::OFlags;

use crate::ExitStatus;
use crate::output::{CommandError, Output, print_note, with_help};

pub(crate) use report::print_report;

/// Convert the configuration of another monitoring tool to a definitions file; every difference is listed
///
/// The definitions go to standard output, or to the file of --output. The report goes to standard error: how many monitors
/// were imported, what was not carried over, what behaves differently, and what was not needed. Secrets in the files reach
/// neither. If the output file exists, the report shows which of its monitors are new, changed or gone, and the file stays
/// as it is without --force.
///
/// Exit status: 0 everything was carried over or behaves as listed, 1 something was not carried over, or the output file
/// is not up to date, 2 a file cannot be read or written.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The tool that the files belong to
    #[arg(long, value_enum)]
    from: SourceFormat,

    /// The configuration files, or folders with them; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,

    /// Write the definitions to this file
    #[arg(short, long)]
    output: Option<PathBuf>,

    /// Overwrite the output file if it exists
    #[arg(long, requires = "output")]
    force: bool,

    /// The host of published ports (docker-compose), or a node (kubernetes) [default for docker-compose: localhost]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,

    /// Check hosts that the tool pings with `check: ping` from these agents [default: a connect to port 443, because AWS
    /// regions cannot send ICMP]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = agent)]
    agents: Vec<Location>,

    /// Check hosts that the tool pings with `check: ping` from this machine, which runs `portpulse local`
    #[arg(long, conflicts_with = "agents")]
    local: bool,

    /// Fill placeholders such as ${HOST} from the environment variables; those that look like secrets stay
    #[arg(long)]
    env: bool,

    /// Print one JSON object with the report, and with the definitions unless --output is given
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SourceFormat {
    /// Gatus: its configuration (YAML), or its folder of files
    Gatus,
    /// Uptime Kuma: its database kuma.db (1.x and 2.x), or the backup of 1.x (JSON)
    UptimeKuma,
    /// Prometheus with its blackbox exporter: both configurations, and targets files
    Prometheus,
    /// UptimeFlare: the exports of its uptime.config.ts (JSON)
    #[value(name = "uptimeflare")]
    UptimeFlare,
    /// Upptime: its .upptimerc.yml
    Upptime,
    /// cloudprober: its configuration (text format, YAML or JSON)
    Cloudprober,
    /// Terraform: the output of `terraform show -json`
    TerraformState,
    /// Docker Compose: its files; published ports are checked on --host
    DockerCompose,
    /// Kubernetes: manifests, or the output of `kubectl get -o json`
    Kubernetes,
}

impl SourceFormat {
    fn format(self) -> Format {
        match self {
            Self::Gatus => Format::Gatus,
            Self::UptimeKuma => Format::UptimeKuma,
            Self::Prometheus => Format::Prometheus,
            Self::UptimeFlare => Format::UptimeFlare,
            Self::Upptime => Format::Upptime,
            Self::Cloudprober => Format::Cloudprober,
            Self::TerraformState => Format::Terraform,
            Self::DockerCompose => Format::Compose,
            Self::Kubernetes => Format::Kubernetes,
        }
    }
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let format = args.from.format();
    let texts = files::read(format, &args.files)?;
    let sources: Vec<_> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    let environment = |name: &str| std::env::var(name).ok();
    let mut agents = args.agents.clone();
    agents.sort();
    agents.dedup();
    let options = Options {
        environment: args.env.then_some(&environment),
        host: args.host.as_deref(),
        pings: match args.local {
            true => Pings::FromLocal,
            false if agents.is_empty() => Pings::Connect,
            false => Pings::FromAgents(&agents),
        },
    };
    match import(format, &sources, &options) {
        Ok(import) => {
            let written = match &args.output {
                Some(path) => write(path, &import, args.force)?,
                None => Written::Nowhere,
            };
            if args.json {
                let definitions = args.output.is_none().then_some(import.text.as_str());
                output.line(report::json(&import.report, definitions, written.changes()))?;
            } else {
                if args.output.is_none() {
                    output.line(import.text.trim_end())?;
                }
                print_report(&import.report);
                print_note(&report::summary(&import.report, &format));
                if let (Some(path), Written::New | Written::Changed(_)) = (&args.output, &written) {
                    print_note(&format!(
                        "Validate them with: portpulse validate {}",
                        shell_word(path)
                    ));
                }
            }
            if let (Some(changes), Some(path)) = (written.changes(), &args.output) {
                if !args.json {
                    report::print_changes(changes, path);
                }
                if let Written::Kept(_) = written
                    && !changes.is_empty()
                {
                    print_note(&with_help(
                        format_args!("{} was not changed", path.display()),
                        "add --force to overwrite it",
                    ));
                    return Ok(ExitStatus::Failure);
                }
            }
            Ok(status(&import.report))
        }
        Err(ImportError::NoMonitors { report }) => {
            if args.json {
                output.line(report::json(&report, None, None))?;
            } else {
                print_report(&report);
                print_note("error: the files contain nothing that can be monitored");
            }
            Ok(ExitStatus::Failure)
        }
        Err(
            error @ (ImportError::Unreadable { .. }
            | ImportError::Foreign { .. }
            | ImportError::Invalid { .. }),
        ) => Err(CommandError::failed(format!("import from {format}"), error)),
    }
}

/// The name of an agent.
fn agent(text: &str) -> Result<Location, String> {
    let name: Location = text.parse().map_err(|error: InvalidName| error.to_string())?;
    if AWS_REGIONS.contains(&name.as_str()) {
        return Err("is an AWS region, which cannot send ICMP".to_owned());
    }
    Ok(name)
}

fn status(report: &Report) -> ExitStatus {
    if report.lost.is_empty() {
        ExitStatus::Success
    } else {
        ExitStatus::Failure
    }
}

/// What became of the definitions.
enum Written {
    /// There is no output file.
    Nowhere,
    /// The output file is new, or its content could not be compared.
    New,
    /// The output file was overwritten, with these changes.
    Changed(Changes),
    /// The output file exists, and would change like this.
    Kept(Changes),
}

impl Written {
    fn changes(&self) -> Option<&Changes> {
        match self {
            Self::Nowhere | Self::New => None,
            Self::Changed(changes) | Self::Kept(changes) => Some(changes),
        }
    }
}

fn write(path: &Path, import: &Import, force: bool) -> Result<Written, CommandError> {
    let known = std::fs::read_to_string(path)
        .ok()
        .filter(|_| !path.is_symlink())
        .and_then(|text| portpulse_convert::changes(&text, &import.text));
    if let (Some(known), false) = (known.clone(), force) {
        return Ok(Written::Kept(known));
    }
    write_file(path, &import.text, force).map_err(|error| {
        let (problem, help) = if error.kind() == io::ErrorKind::AlreadyExists {
            ("already exists", "add --force to overwrite it")
        } else if path.is_symlink() {
            ("is a symbolic link", "use the path of its target")
        } else {
            return CommandError::failed(format!("write {}", path.display()), error);
        };
        CommandError::usage_with_help(format_args!("{} {problem}", path.display()), help)
    })?;
    Ok(known.map_or(Written::New, Written::Changed))
}

/// A path as a shell reads it as one word.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(is_plain) && !text.starts_with('-') {
        return text;
    }
    let prefix = if text.starts_with('-') { "./" } else { "" };
    format!("{prefix}'{}'", text.replace('\'', "'\\''"))
}

fn write_file(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        // Another user may have created a link to a file of this user.
        let nofollow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
        options.create(true).truncate(true).custom_flags(nofollow);
    } else {
        options.create_new(true);
    }
    options.open(path)?.write_all(text.as_bytes())
}
