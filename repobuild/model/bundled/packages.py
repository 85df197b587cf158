"""Make git repositories of the permissively licensed packages on this machine.

    python -m repobuild.model.bundled.packages CORPUS SITE_PACKAGES...

Packages are read where an installer put them; nothing is downloaded, imported or run.
`CORPUS/repositories/NAME` then has, without a work tree:

    its Python files              as RECORD lists them; of a large package some folders
    README.md, pyproject.toml     from its METADATA
    LICENSE                       the largest of its licence files
    invented_history.py           the commits before the last one

One package in sixteen is held out, by a hash of its name: its repositories are for
measuring the model. A quarter of the repositories have an invented name, so that a name
never tells a model where things are. `CORPUS/packages.json` records name, version,
licence and the SHA-256 of RECORD, which holds the SHA-256 of every file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path

from repobuild.model.bundled.corpus import library_root, source_files
from repobuild.model.bundled.invented_history import invent_history, write_commits
from repobuild.model.bundled.invented_names import invent_name

PERMISSIVE = re.compile(r"\b(MIT|BSD|Apache|ISC|PSF|Python Software|0BSD)", re.I)
RESTRICTED = re.compile(r"GPL|MPL|Mozilla|General Public|CDDL|EUPL|Proprietary", re.I)
# They are the exam: adapters of them are measured, and the base may not know them.
# typer has a copy of click.
LEFT_OUT_PACKAGES = frozenset({"click", "itsdangerous", "repobuild", "typer"})
COPIED = frozenset({"distro"})  # pip has a copy, so it cannot be held out

LIBRARY = "python"  # the name of the standard library's repositories
HELD_OUT_SHARE = 16  # one package in sixteen
INVENTED_SHARE = 4  # one repository in four
LEAST_BYTES = 8_000  # of code in a package
LARGEST_PACKAGE_FILE = 120_000  # bytes
MOST_FILES = 60  # of a repository
MOST_BYTES = 600_000  # of a repository
MOST_PARTS = 4  # repositories of one large package
UNASKED = re.compile(r"(^|/)(test|tests|idlelib|lib2to3|turtledemo)/")


@dataclass(frozen=True, slots=True)
class Package:
    """A package whose licence lets us train on it."""

    name: str
    version: str
    licence: str
    record_sha256: str
    held_out: bool


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The files of one repository: text by path."""

    name: str
    package: Package
    files: dict[str, str]


def find_distributions(folders: Iterable[Path]) -> Iterator[Distribution]:
    """Yield each distribution of the folders once, sorted by name."""
    found: dict[str, Distribution] = {}
    for folder in folders:
        for distribution in distributions(path=[str(folder)]):
            found.setdefault(_name(distribution), distribution)
    yield from (found[name] for name in sorted(found) if name)


def _name(distribution: Distribution) -> str:
    name = _message(distribution).get("Name", "")
    return re.sub(r"[-_.]+", "-", name).lower()


def _message(distribution: Distribution) -> Message:
    metadata = distribution.metadata
    assert isinstance(metadata, Message)
    return metadata


def licence_of(metadata: Message) -> str:
    """Return a permissive licence as the metadata gives it; "" for any other."""
    classifiers = metadata.get_all("Classifier") or []
    given = [
        metadata.get("License-Expression", ""),
        metadata.get("License", "").strip().split("\n")[0][:80],
        *(c.split("::")[-1].strip() for c in classifiers if c.startswith("License")),
    ]
    texts = [text for text in given if text and text != "UNKNOWN"]
    if any(RESTRICTED.search(text) for text in texts):
        return ""
    return next((text for text in texts if PERMISSIVE.search(text)), "")


def read_package(distribution: Distribution) -> Package | None:
    """Return the record of a package; None when we may or should not train on it."""
    name = _name(distribution)
    licence = licence_of(_message(distribution))
    record = distribution.read_text("RECORD")
    if name in LEFT_OUT_PACKAGES or not licence or not record:
        return None
    digest = hashlib.sha256(record.encode()).hexdigest()
    version = distribution.version
    return Package(name, version, licence, digest, is_package_held_out(name))


def is_package_held_out(name: str) -> bool:
    """Return whether a package is held out, by a hash of its name."""
    digest = hashlib.sha256(name.encode()).digest()
    return digest[0] % HELD_OUT_SHARE == 0 and name not in COPIED


def source_trees(distribution: Distribution, package: Package) -> Iterator[SourceTree]:
    """Yield the repositories of a package: one, or some parts of a large one."""
    files = dict(_python_files(distribution))
    if sum(map(len, files.values())) < LEAST_BYTES:
        return
    parts = list(_parts(files))
    order = random.Random(package.name)
    chosen = parts if len(parts) <= MOST_PARTS else order.sample(parts, MOST_PARTS)
    for number, part in enumerate(chosen):
        name = package.name if len(chosen) == 1 else f"{package.name}.{number}"
        yield SourceTree(name, package, {**_documents(distribution), **part})


def _python_files(distribution: Distribution) -> Iterator[tuple[str, str]]:
    for file in sorted(distribution.files or (), key=str):
        path = Path(str(distribution.locate_file(file)))
        outside = ".." in file.parts or file.is_absolute()
        if file.suffix != ".py" or outside or not path.is_file():
            continue
        if path.stat().st_size <= LARGEST_PACKAGE_FILE:
            try:
                yield file.as_posix(), path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


def _parts(files: dict[str, str]) -> Iterator[dict[str, str]]:
    """Cut the files, in the order of their paths, into parts below both limits."""
    part: dict[str, str] = {}
    size = 0
    for path, text in files.items():
        if part and (len(part) == MOST_FILES or size + len(text) > MOST_BYTES):
            yield part
            part, size = {}, 0
        part[path] = text
        size += len(text)
    yield part


def _documents(distribution: Distribution) -> dict[str, str]:
    metadata = _message(distribution)
    body = metadata.get_payload()
    description = metadata.get("Description") or (body if isinstance(body, str) else "")
    documents = {"pyproject.toml": _manifest(distribution)}
    if description.strip():
        markdown = "markdown" in metadata.get("Description-Content-Type", "")
        documents["README.md" if markdown else "README.rst"] = description[:30_000]
    licences = [
        path.read_text("utf-8", "replace")
        for file in distribution.files or ()
        if re.search(r"(?i)dist-info/.*(licen[cs]e|copying)", file.as_posix())
        and (path := Path(str(distribution.locate_file(file)))).is_file()
    ]
    if licences:
        documents["LICENSE"] = max(licences, key=len)
    return documents


def _manifest(distribution: Distribution) -> str:
    metadata = _message(distribution)
    needed = [n for n in distribution.requires or () if "extra ==" not in n]
    lines = [
        "[project]",
        f"name = {json.dumps(metadata['Name'])}",
        f"version = {json.dumps(distribution.version)}",
        f"description = {json.dumps(metadata.get('Summary', ''))}",
    ]
    if python := metadata.get("Requires-Python"):
        lines.append(f"requires-python = {json.dumps(python)}")
    if needed:
        lines.append(f"dependencies = {json.dumps(needed)}")
    commands = [e for e in distribution.entry_points if e.group == "console_scripts"]
    if commands:
        lines.append("\n[project.scripts]")
        lines += [f"{json.dumps(e.name)} = {json.dumps(e.value)}" for e in commands]
    return "\n".join(lines) + "\n"


def library_trees() -> Iterator[SourceTree]:
    """Yield the standard library in parts, without its tests and its held-out files."""
    files = {
        source.path: source.text
        for source in source_files(library_root(), held_out=False)
        if not UNASKED.search(source.path)
    }
    version = platform.python_version()
    digest = hashlib.sha256(json.dumps(files).encode()).hexdigest()
    package = Package(LIBRARY, version, "PSF-2.0", digest, held_out=False)
    manifest = f'[project]\nname = "python"\nversion = "{version}"\n'
    for number, part in enumerate(_parts(files)):
        tree = {"pyproject.toml": manifest, **part}
        yield SourceTree(f"{LIBRARY}.{number}", package, tree)


def rename_project(tree: SourceTree, rng: random.Random) -> SourceTree:
    """Return the tree under an invented name, in its paths and in all of its texts."""
    code = [path for path in tree.files if path.endswith(".py")]
    old = {path.partition("/")[0].removesuffix(".py") for path in code}
    old.add(tree.package.name)
    new = invent_name(rng, words=1)
    renamed = re.compile(rf"\b({'|'.join(map(re.escape, sorted(old)))})\b", re.I)
    files = {
        renamed.sub(new, path, count=1): renamed.sub(new, text)
        if path != "LICENSE"
        else text
        for path, text in tree.files.items()
    }
    return SourceTree(tree.name, tree.package, files)


def write_repository(tree: SourceTree, folder: Path) -> None:
    """Write a bare repository with the tree as its last commit."""
    rng = random.Random(f"history {tree.name}")
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    write_commits(folder, invent_history(tree.files, rng))


def all_trees(folders: Iterable[Path]) -> Iterator[SourceTree]:
    """Yield every repository of the corpus."""
    yield from library_trees()
    for distribution in find_distributions(folders):
        package = read_package(distribution)
        if package is not None:
            yield from source_trees(distribution, package)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the repositories and their list."""
    parser = argparse.ArgumentParser(prog="python -m repobuild.model.bundled.packages")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folders", type=Path, nargs="+", metavar="SITE_PACKAGES")
    options = parser.parse_args(arguments)
    counts: Counter[Package] = Counter()
    for tree in all_trees(options.folders):
        rng = random.Random(f"name {tree.name}")
        if rng.randrange(INVENTED_SHARE) == 0:
            tree = rename_project(tree, rng)
        write_repository(tree, options.corpus / "repositories" / tree.name)
        counts[tree.package] += 1
    rows = [{**asdict(one), "repositories": count} for one, count in counts.items()]
    listed = json.dumps(rows, indent=1)
    (options.corpus / "packages.json").write_text(listed + "\n", "utf-8")


if __name__ == "__main__":
    main()
