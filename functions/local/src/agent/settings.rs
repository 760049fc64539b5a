//! The settings of an agent: from options, then from environment variables, then from a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portpulse_checker::StandbySettings;
use portpulse_core::definition::{AWS_REGIONS, Diagnostic, FieldPath};
use portpulse_core::id::Location;
use portpulse_core::page_url::PageUrl;
use portpulse_core::text::quoted;
use serde_json::Value;

use super::endpoint::Listen;
use crate::output::{CommandError, invalid_file, read_text, with_help};

/// A setting: its name in the file, its option and its environment variable.
struct Setting {
    key: &'static str,
    option: &'static str,
    variable: &'static str,
}

const LOCATION: Setting = Setting {
    key: "location",
    option: "--location",
    variable: "PORTPULSE_LOCATION",
};
const TABLE: Setting = Setting {
    key: "table",
    option: "--table",
    variable: "PORTPULSE_TABLE",
};
const HOME_REGION: Setting = Setting {
    key: "home_region",
    option: "--home-region",
    variable: "PORTPULSE_HOME_REGION",
};
const TOPIC: Setting = Setting {
    key: "topic",
    option: "--topic",
    variable: "PORTPULSE_TOPIC_ARN",
};
const LISTEN: Setting = Setting {
    key: "listen",
    option: "--listen",
    variable: "PORTPULSE_LISTEN",
};
const PAGE: Setting = Setting {
    key: "page_url",
    option: "--page-url",
    variable: "PORTPULSE_PAGE_URL",
};
const STANDBY_REGION: Setting = Setting {
    key: "standby_region",
    option: "--standby-region",
    variable: "PORTPULSE_STANDBY_REGION",
};
const STANDBY_TABLE: Setting = Setting {
    key: "standby_table",
    option: "--standby-table",
    variable: "PORTPULSE_STANDBY_TABLE",
};
const STANDBY_TOPIC: Setting = Setting {
    key: "standby_topic",
    option: "--standby-topic",
    variable: "PORTPULSE_STANDBY_TOPIC_ARN",
};
const ALL: [Setting; 9] = [
    LOCATION,
    TABLE,
    HOME_REGION,
    TOPIC,
    LISTEN,
    PAGE,
    STANDBY_REGION,
    STANDBY_TABLE,
    STANDBY_TOPIC,
];

/// The options. Each may come from the environment or from the file instead.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct SettingArgs {
    /// The name of this location, as declared for the deployment [env: PORTPULSE_LOCATION]
    #[arg(long, value_name = "NAME")]
    location: Option<String>,

    /// The name of the table in AWS [env: PORTPULSE_TABLE]
    #[arg(long, value_name = "NAME")]
    table: Option<String>,

    /// The AWS region of the table and the topic [env: PORTPULSE_HOME_REGION]
    #[arg(long, value_name = "REGION")]
    home_region: Option<String>,

    /// The ARN of the topic for notifications [env: PORTPULSE_TOPIC_ARN]
    #[arg(long, value_name = "ARN")]
    topic: Option<String>,

    /// The address of the status page, which notifications link to [env: PORTPULSE_PAGE_URL]
    #[arg(long, value_name = "URL")]
    page_url: Option<String>,

    /// The standby region, whose topic receives a message if the home region cannot be reached [env: PORTPULSE_STANDBY_REGION]
    #[arg(long, value_name = "REGION")]
    standby_region: Option<String>,

    /// The name of the table in the standby region [env: PORTPULSE_STANDBY_TABLE]
    #[arg(long, value_name = "NAME")]
    standby_table: Option<String>,

    /// The ARN of the topic in the standby region [env: PORTPULSE_STANDBY_TOPIC_ARN]
    #[arg(long, value_name = "ARN")]
    standby_topic: Option<String>,

    /// A YAML file with `location`, `table`, `home_region`, `topic`, `listen`, `page_url`, `standby_region`, `standby_table` and
    /// `standby_topic`, as the Terraform output `agents` prints it; options and environment variables take precedence
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The settings of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) location: Location,
    pub(super) table: String,
    pub(super) home_region: String,
    pub(super) topic_arn: String,
    /// The address of the loopback endpoint, unless the option sets it.
    pub(super) listen: Option<Listen>,
    /// The address of the status page; `None` without one.
    pub(super) page: Option<PageUrl>,
    /// The standby region; `None` without one.
    pub(super) standby: Option<StandbySettings>,
}

impl Settings {
    /// Reads all settings; `lookup` returns the value of an environment variable. The error lists all missing and invalid
    /// settings.
    pub(super) fn read(
        args: &SettingArgs,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, CommandError> {
        let file = args.config.as_deref().map_or(Ok(BTreeMap::new()), read_file)?;
        let value = |option: Option<&String>, setting: &Setting| {
            let values = [
                option.cloned(),
                lookup(setting.variable),
                file.get(setting.key).cloned(),
            ];
            let mut values = values.into_iter().flatten().map(|value| value.trim().to_owned());
            values.find(|value| !value.is_empty())
        };
        let mut problems = Vec::new();
        let mut required = |option: Option<&String>, setting: &Setting| {
            let found = value(option, setting);
            if found.is_none() {
                problems.push(missing(setting));
            }
            found
        };
        let location = required(args.location.as_ref(), &LOCATION);
        let table = required(args.table.as_ref(), &TABLE);
        let home_region = required(args.home_region.as_ref(), &HOME_REGION);
        let topic_arn = required(args.topic.as_ref(), &TOPIC);
        let mut valid = |setting: &Setting, checked: Result<(), String>| {
            problems.extend(checked.err().map(|what| format!("{}: {what}", setting.option)));
        };
        let mut parsed = None;
        if let Some(name) = &location {
            valid(
                &LOCATION,
                parse_location(name).map(|location| parsed = Some(location)),
            );
        }
        if let Some(region) = &home_region {
            valid(&HOME_REGION, check_region(region));
        }
        if let Some(arn) = &topic_arn {
            valid(&TOPIC, check_arn(arn));
        }
        let mut listen = None;
        if let Some(address) = value(None, &LISTEN) {
            valid(&LISTEN, address.parse().map(|address| listen = Some(address)));
        }
        let mut page = None;
        if let Some(url) = value(args.page_url.as_ref(), &PAGE) {
            let parsed = url.parse::<PageUrl>().map_err(|error| error.to_string());
            valid(&PAGE, parsed.map(|url| page = Some(url)));
        }
        let standby = [
            (args.standby_region.as_ref(), &STANDBY_REGION),
            (args.standby_table.as_ref(), &STANDBY_TABLE),
            (args.standby_topic.as_ref(), &STANDBY_TOPIC),
        ];
        let found = standby.map(|(option, setting)| value(option, setting));
        let is_set = found.iter().any(Option::is_some);
        if is_set {
            let unset = standby.iter().zip(&found).filter(|(_, value)| value.is_none());
            problems.extend(unset.map(|((_, setting), _)| missing(setting)));
        }
        let mut valid = |setting: &Setting, checked: Result<(), String>| {
            problems.extend(checked.err().map(|what| format!("{}: {what}", setting.option)));
        };
        let [region, standby_table, topic] = found;
        if let Some(region) = &region {
            valid(&STANDBY_REGION, check_region(region));
        }
        if let Some(arn) = &topic {
            valid(&STANDBY_TOPIC, check_arn(arn));
        }
        let standby = match (region, standby_table, topic) {
            (Some(region), Some(table), Some(topic_arn)) => Some(StandbySettings {
                region,
                table,
                topic_arn,
            }),
            _ => None,
        };
        match (parsed, table, home_region, topic_arn) {
            (Some(location), Some(table), Some(home_region), Some(topic_arn)) if problems.is_empty() => {
                Ok(Self {
                    location,
                    table,
                    home_region,
                    topic_arn,
                    listen,
                    page,
                    standby,
                })
            }
            _ => Err(CommandError::usage(problems.join("\n"))),
        }
    }
}

fn missing(setting: &Setting) -> String {
    let Setting {
        key,
        option,
        variable,
    } = setting;
    with_help(
        format_args!("{option} is missing"),
        format_args!("add {option}, set {variable}, or write `{key}` in the file of --config"),
    )
}

fn parse_location(name: &str) -> Result<Location, String> {
    let location = name.parse::<Location>().map_err(|error| error.to_string())?;
    match AWS_REGIONS.contains(&name) {
        true => Err(with_help(
            format_args!("`{name}` is an AWS region, which a Lambda function checks"),
            "use another name for an agent",
        )),
        false => Ok(location),
    }
}

fn check_region(region: &str) -> Result<(), String> {
    match AWS_REGIONS.contains(&region) {
        true => Ok(()),
        false => Err(with_help(
            format_args!("`{}` is not an AWS region", quoted(region)),
            "use the region of the table, such as eu-west-1",
        )),
    }
}

fn check_arn(arn: &str) -> Result<(), String> {
    let mut parts = arn.split(':');
    let is_topic = parts.next() == Some("arn") && parts.nth(1) == Some("sns") && parts.count() == 3;
    match is_topic {
        true => Ok(()),
        false => Err(with_help(
            format_args!("`{}` is not the ARN of a topic", quoted(arn)),
            "use an ARN such as arn:aws:sns:eu-west-1:123456789012:portpulse-alerts",
        )),
    }
}

fn read_file(path: &Path) -> Result<BTreeMap<&'static str, String>, CommandError> {
    let text = read_text(path)?;
    portpulse_monitors_file::read_as(&text, values)
        .map_err(|mistakes| invalid_file(path.display(), &mistakes))
}

/// The values of a file, by key.
fn values(file: &Value) -> Result<BTreeMap<&'static str, String>, Vec<Diagnostic>> {
    let root = FieldPath::root();
    let help = "write `location: office-berlin`, and `table`, `home_region` and `topic` likewise";
    let Some(fields) = file.as_object() else {
        return Err(vec![Diagnostic::new(root, "is not a map of settings", help)]);
    };
    let (mut values, mut diagnostics) = (BTreeMap::new(), Vec::new());
    for (name, value) in fields {
        let at = root.field(name);
        let known = ALL.iter().find(|setting| setting.key == name);
        match (known, value) {
            (Some(setting), Value::String(text)) => drop(values.insert(setting.key, text.clone())),
            (Some(_), Value::Null) => {}
            (Some(_), _) => diagnostics.push(Diagnostic::new(at, "is not text", "write it in quotes")),
            (None, _) => {
                let keys: Vec<_> = ALL.iter().map(|setting| setting.key).collect();
                let help = format!("the settings are {}", keys.join(", "));
                diagnostics.push(Diagnostic::new(at, "unknown setting", help));
            }
        }
    }
    match diagnostics.is_empty() {
        true => Ok(values),
        false => Err(diagnostics),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: [(&str, &str); 4] = [
        ("PORTPULSE_LOCATION", "office"),
        ("PORTPULSE_TABLE", "t"),
        ("PORTPULSE_HOME_REGION", "eu-west-1"),
        ("PORTPULSE_TOPIC_ARN", "arn:aws:sns:eu-west-1:1:t"),
    ];

    fn read(args: &SettingArgs, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let lookup = |name: &str| {
            let found = variables.iter().rev().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::read(args, lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn options_override_the_environment() {
        let args = SettingArgs {
            location: Some("home".to_owned()),
            ..SettingArgs::default()
        };
        let settings = read(&args, &FULL).unwrap();
        assert_eq!(
            (
                settings.location.as_str(),
                settings.table.as_str(),
                settings.listen
            ),
            ("home", "t", None)
        );
        let settings = read(&SettingArgs::default(), &FULL).unwrap();
        assert_eq!(settings.location.as_str(), "office");
    }

    #[test]
    fn all_missing_and_invalid_settings_are_reported_together() {
        let error = read(&SettingArgs::default(), &[("PORTPULSE_TABLE", " ")]).unwrap_err();
        assert_eq!(error.matches("is missing").count(), 4, "{error}");
        let wrong = [
            ("PORTPULSE_LOCATION", "eu-west-1"),
            ("PORTPULSE_HOME_REGION", "Europe"),
            ("PORTPULSE_TOPIC_ARN", "alerts"),
            ("PORTPULSE_LISTEN", "8080"),
        ];
        let error = read(&SettingArgs::default(), &[&FULL[..], &wrong].concat()).unwrap_err();
        for part in [
            "--location: `eu-west-1` is an AWS region",
            "--home-region: `Europe` is not an AWS region",
            "--topic: `alerts` is not the ARN of a topic",
            "--listen: expected an address",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn standby_is_set_completely_or_not_at_all() {
        const STANDBY: [(&str, &str); 3] = [
            ("PORTPULSE_STANDBY_REGION", "eu-central-1"),
            ("PORTPULSE_STANDBY_TABLE", "s"),
            (
                "PORTPULSE_STANDBY_TOPIC_ARN",
                "arn:aws:sns:eu-central-1:123456789012:s",
            ),
        ];
        let read = |some: &[_]| read(&SettingArgs::default(), &[&FULL[..], some].concat());
        assert_eq!(read(&[]).unwrap().standby, None);
        let standby = read(&STANDBY).unwrap().standby.unwrap();
        assert_eq!((&*standby.region, &*standby.table), ("eu-central-1", "s"));
        let error = read(&STANDBY[1..]).unwrap_err();
        assert!(error.contains("--standby-region is missing"), "{error}");
        let wrong = [STANDBY[1], STANDBY[2], ("PORTPULSE_STANDBY_REGION", "Europe")];
        let error = read(&wrong).unwrap_err();
        assert!(error.contains("--standby-region: `Europe` is not"), "{error}");
    }

    #[test]
    fn file_has_known_settings_as_text() {
        let read = |text| {
            portpulse_monitors_file::read_as(text, values).map_err(|mistakes| {
                mistakes
                    .iter()
                    .map(|mistake| mistake.diagnostic.to_string())
                    .collect::<Vec<_>>()
                    .join("; ")
            })
        };
        let found = read("location: office\nlisten: \"off\"\ntable:\n").unwrap();
        assert_eq!(found["location"], "office");
        assert_eq!((found.len(), found["listen"].as_str()), (2, "off"));
        let error = read("locaton: office\ntable: 7\n").unwrap_err();
        assert!(
            error.contains("unknown setting") && error.contains("is not text"),
            "{error}"
        );
    }
}
