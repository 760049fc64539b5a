//! Static files compiled into the program: style sheet, script and icon. Each path contains a hash of the content.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

use crate::response::{CachePolicy, ContentType, Response};

/// A static file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asset {
    /// The style sheet.
    Style,
    /// The optional script.
    Script,
    /// The icon.
    Icon,
}

/// Paths in the order of [`Asset::ALL`].
static PATHS: LazyLock<[String; 3]> = LazyLock::new(|| Asset::ALL.map(Asset::hashed_path));

impl Asset {
    const ALL: [Self; 3] = [Self::Style, Self::Script, Self::Icon];

    const fn parts(self) -> (&'static str, &'static str, ContentType, &'static str) {
        match self {
            Self::Style => ("style", "css", ContentType::Css, include_str!("asset/style.css")),
            Self::Script => (
                "script",
                "js",
                ContentType::Script,
                include_str!("asset/script.js"),
            ),
            Self::Icon => ("icon", "svg", ContentType::Svg, include_str!("asset/icon.svg")),
        }
    }

    /// The path. It changes with the content, so that responses can be cached forever.
    fn hashed_path(self) -> String {
        let (name, extension, _, text) = self.parts();
        let digest = Sha256::digest(text);
        let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("/{name}-{hash}.{extension}")
    }

    /// The path in links.
    pub(crate) fn path(self) -> &'static str {
        let [style, script, icon] = &*PATHS;
        match self {
            Self::Style => style,
            Self::Script => script,
            Self::Icon => icon,
        }
    }

    /// The file at `path`, if there is one.
    pub(crate) fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|asset| asset.path() == path)
    }

    /// The response with the file.
    pub(crate) fn response(self) -> Response {
        let (_, _, content, text) = self.parts();
        Response::new(200, content, CachePolicy::Immutable, text)
    }
}
