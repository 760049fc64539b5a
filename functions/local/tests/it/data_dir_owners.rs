//! `--data` is refused where another user owns or can replace the directory, its parents or its files.

use std::fs;
use std::os::unix::fs::symlink;

use crate::data_dir::{chmod, mode, one_monitor, run_with_data};

#[test]
fn data_dir_below_parent_of_others_is_refused() {
    let (workspace, _open) = one_monitor("data-dir-ancestors");
    let above = workspace.0.join("above");
    let data = above.join("between/data");
    fs::create_dir_all(&data).unwrap();
    chmod(&data, 0o700);
    let refused = |why: &str| {
        run_with_data(&workspace, &data).assert_refused(why);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
    };
    // Requires root. The group of root is its private group.
    let is_root = std::os::unix::fs::chown(&above, None, Some(65_534)).is_ok();
    for writable in [0o777, 0o770, 0o702] {
        if writable == 0o770 && !is_root {
            continue;
        }
        chmod(&above, writable);
        let why = format!(
            "other users can write to its parent {}\n  help: run `chmod go-w` ",
            above.display()
        );
        refused(&why);
    }
    chmod(&above, 0o755);
    if is_root {
        std::os::unix::fs::chown(&above, Some(65_534), None).unwrap();
        refused(&format!("another user owns its parent {}\n", above.display()));
        std::os::unix::fs::chown(&above, Some(0), Some(0)).unwrap();
        chmod(&above, 0o775);
        let run = run_with_data(&workspace, &data);
        assert_eq!(run.status, 0, "private group: {}", run.err);
        fs::remove_dir_all(&data).unwrap();
    }
    // The mode of /tmp.
    chmod(&above, 0o1777);
    let run = run_with_data(&workspace, &data);
    assert_eq!(run.status, 0, "{}", run.err);
}

#[test]
fn empty_readable_dir_is_used_and_restricted() {
    let (workspace, _open) = one_monitor("data-dir-empty");
    let data = workspace.0.join("data");
    fs::create_dir(&data).unwrap();
    chmod(&data, 0o755);
    let run = run_with_data(&workspace, &data);
    assert_eq!(run.status, 0, "{}", run.err);
    assert_eq!(mode(&data), 0o700);
}

#[test]
fn link_with_trailing_separator_is_refused() {
    let (workspace, _open) = one_monitor("data-dir-separator");
    let (target, link) = (workspace.0.join("target"), workspace.0.join("link"));
    fs::create_dir(&target).unwrap();
    chmod(&target, 0o700);
    symlink(&target, &link).unwrap();
    let run = run_with_data(&workspace, &link.join(""));
    run.assert_refused("symbolic links are not supported");
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn file_of_another_user_in_data_dir_is_refused() {
    let (workspace, _open) = one_monitor("data-dir-file");
    let data = workspace.0.join("data");
    fs::create_dir(&data).unwrap();
    chmod(&data, 0o700);
    fs::write(data.join("lock"), "").unwrap();
    // Requires root.
    if std::os::unix::fs::chown(data.join("lock"), Some(65_534), None).is_err() {
        return;
    }
    let run = run_with_data(&workspace, &data);
    run.assert_refused("its file lock is owned by another user");
}
