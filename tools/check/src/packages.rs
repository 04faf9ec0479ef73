// SPDX-License-Identifier: BSD-2-Clause
//! The crates of the workspace, as cargo sees them.

use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Which top folder a crate lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Libraries of the image.
    Libs,
    /// Protection domains.
    Pds,
    /// Programs of the host, and the SDK.
    Tools,
}

/// A dependency on another crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Name of the other crate.
    pub name: String,
    /// Whether only tests, examples and benchmarks use it.
    pub dev: bool,
}

/// One crate of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Path of its manifest, relative to the repository.
    pub manifest: String,
    /// Where it lies.
    pub part: Part,
    /// What it depends on, with all features.
    pub dependencies: Vec<Dependency>,
    /// Root files of its library and programs, relative to the repository; no tests, no build
    /// script.
    pub roots: Vec<String>,
}

/// All crates of the workspace at `root`.
pub fn packages(root: &Path) -> Result<Vec<Package>, String> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let relative = |path: &Path| -> Result<String, String> {
        path.strip_prefix(&metadata.workspace_root)
            .map(|path| path.display().to_string())
            .map_err(|_| format!("{} lies outside the repository", path.display()))
    };
    metadata
        .packages
        .iter()
        .map(|package| {
            let manifest = relative(package.manifest_path.as_std_path())?;
            let part = match manifest.split('/').next() {
                Some("libs") => Part::Libs,
                Some("pds") => Part::Pds,
                Some("tools") => Part::Tools,
                _ => return Err(format!("{manifest}: crates lie in libs, pds or tools")),
            };
            let dependencies = package.dependencies.iter().map(|dependency| Dependency {
                name: dependency.name.clone(),
                dev: dependency.kind == DependencyKind::Development,
            });
            let targets = package.targets.iter();
            let roots = targets
                .filter(|target| {
                    target.is_lib()
                        || target.is_staticlib()
                        || target.is_bin()
                        || target.is_proc_macro()
                })
                .map(|target| relative(target.src_path.as_std_path()));
            Ok(Package {
                name: package.name.to_string(),
                manifest,
                part,
                dependencies: dependencies.collect(),
                roots: roots.collect::<Result<_, _>>()?,
            })
        })
        .collect()
}
