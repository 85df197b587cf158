"""The tools that repobuild is timed against, in an environment of their own.

    python -m tests.benchmarks.peers [FOLDER]

Makes a virtual environment with doit, dvc, snakemake and networkx (pinned below) and
looks for git, make, ninja and Universal Ctags on the machine; prints what is there, and
why a peer is absent. Nothing of it enters repobuild's own dependencies.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

PINNED = {
    "doit": "0.37.0",
    "dvc": "3.67.1",
    "snakemake": "9.27.1",
    "networkx": "3.6.1",
}
# of the machine's own packages: where to get it, how it tells its version
MACHINE = {
    "git": "git",
    "make": "make",
    "ninja": "ninja-build",
    "ctags": "universal-ctags",
}


@dataclass
class Peers:
    """What there is: `versions` by name; `absent` says why a peer takes no part."""

    place: Path
    versions: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.versions

    def program(self, name: str) -> str:
        """Return the program to start; `python` is the environment's own."""
        return name if name in MACHINE else str(self.place / "bin" / name)


def standard_place() -> Path:
    """Return where the environment is kept between benchmarks."""
    return Path(tempfile.gettempdir()) / "repobuild-peers"


def gathered(place: Path | None = None) -> Peers:
    """Return the peers, installed if they are not yet; an absent one is no error."""
    peers = Peers(place or standard_place())
    if not (peers.place / "bin" / "python").exists():
        _run([sys.executable, "-m", "venv", str(peers.place)])
    for name, version in PINNED.items():
        trouble = "" if _installed(peers, name) == version else _install(peers, name)
        if trouble:
            peers.absent[name] = trouble
        else:
            peers.versions[name] = version
    for name, package in MACHINE.items():
        if shutil.which(name):
            peers.versions[name] = _own_version(name)
        else:
            peers.absent[name] = f"not on the path (apt-get install {package})"
    if "Universal" not in peers.versions.get("ctags", "Universal"):
        peers.absent["ctags"] = f"is {peers.versions.pop('ctags')}, not Universal Ctags"
    return peers


def _install(peers: Peers, name: str) -> str:
    """Install one peer; return why it could not be, or nothing."""
    pip = [peers.program("python"), "-m", "pip", "install", "--quiet"]
    done = _run([*pip, f"{name}=={PINNED[name]}"])
    said = done.stderr.strip().splitlines() or ["pip failed"]
    return said[-1] if done.returncode else ""


def _installed(peers: Peers, name: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    return _run([peers.program("python"), "-c", code]).stdout.strip()


def _own_version(name: str) -> str:
    said = _run([name, "--version"]).stdout.splitlines()[0].split(",")[0]
    return said.strip().removeprefix("git version ")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True)


def main() -> None:
    peers = gathered(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    for name, version in sorted(peers.versions.items()):
        print(f"{name:10} {version}")
    for name, reason in sorted(peers.absent.items()):
        print(f"{name:10} absent: {reason}")


if __name__ == "__main__":
    main()
