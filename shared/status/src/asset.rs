//! The files that are part of the program: the style sheet, the script and the icon, each named by its content.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

use crate::response::{Content, Keep, Response};

/// A file that is part of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asset {
    /// The style sheet.
    Style,
    /// The script: nothing needs it.
    Script,
    /// The icon.
    Icon,
}

/// The paths, in the order of [`Asset::ALL`].
static PATHS: LazyLock<[String; 3]> = LazyLock::new(|| Asset::ALL.map(Asset::named));

impl Asset {
    const ALL: [Self; 3] = [Self::Style, Self::Script, Self::Icon];

    const fn parts(self) -> (&'static str, &'static str, Content, &'static str) {
        match self {
            Self::Style => ("style", "css", Content::Css, include_str!("asset/style.css")),
            Self::Script => ("script", "js", Content::Script, include_str!("asset/script.js")),
            Self::Icon => ("icon", "svg", Content::Svg, include_str!("asset/icon.svg")),
        }
    }

    /// The path: it changes with the content, so that what is kept for ever is never stale.
    fn named(self) -> String {
        let (name, ending, _, text) = self.parts();
        let digest = Sha256::digest(text);
        let mark: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("/{name}-{mark}.{ending}")
    }

    /// Where it is.
    pub(crate) fn path(self) -> &'static str {
        let [style, script, icon] = &*PATHS;
        match self {
            Self::Style => style,
            Self::Script => script,
            Self::Icon => icon,
        }
    }

    /// The file at this path.
    pub(crate) fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|asset| asset.path() == path)
    }

    /// It, as a response.
    pub(crate) fn response(self) -> Response {
        let (_, _, content, text) = self.parts();
        Response::new(200, content, Keep::Forever, text)
    }
}
