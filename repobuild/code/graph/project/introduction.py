"""Say what a project is as its maintainers do: in its manifests and its README.

Only the top of the tree speaks for the project: a manifest there, else the only one
that names a project below it, and the README beside it. READMEs further down describe
parts.

A paragraph of the README introduces the project when the project, or "this package", is
the subject of its first sentence. Then it is the description: maintainers write more
and better there than in the one line that a manifest has. Otherwise the manifest's line
is taken, and without one the first paragraph that is a whole sentence.

A paragraph that introduces and ends with a colon goes on in a list or an example, and
the paragraphs below go on from those. None of them is an introduction by itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from repobuild.code.graph.python_files import import_name

README_NAMES = (
    "readme.md",
    "readme.markdown",
    "readme.rst",
    "readme.rest",
    "readme",
    "readme.txt",
)
# Where several manifests of a folder say something, the first one is taken.
_MANIFEST_ORDER = (
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "Cargo.toml",
    "package.json",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
)
_PLAIN_REQUIREMENTS = "requirements.txt"
_NO_LETTER = re.compile(r"[\W_]+")
_VERB = re.compile(
    r"\s(?:is|are|was|provides?|lets|allows?|helps|makes?|implements?|offers?|gives?"
    r"|adds?|contains?|aims?|enables?|brings?|builds?|supports?|extends?|wraps?"
    r"|generates?|converts?|parses|simplifies|includes?|comes|can|does|turns|runs|uses"
    r"|consists|reads|writes|checks|manages|creates|automates|defines|serves|measures"
    r"|tries|takes|combines|stands|exposes|has)\s"
)
_THIS = re.compile(
    r"(?:this|the)\w{0,20}(?:package|library|module|project|tool|program|repository|crate|app"
    r"|application|plugin|extension|distribution|framework|script|utility|gem|repo)"
)
_DEFINITION = re.compile(r"an? (?!new |list |few |lot )", re.IGNORECASE)
_STATE = re.compile(
    r"\s(?:is|are|was|were|has|have|can|will|may|might|must|should|would)\s"
)
# "This package is maintained by ..." says nothing of what it does.
_STATUS = re.compile(
    r"(?:is|are|was|can|has)\s+(?:(?:also|currently|now|not|be|been|being|successfully"
    r"|widely|heavily) )*(?:intended|used (?:in production|by\b|at\b|since)"
    r"|maintained|licensed|available|distributed|developed|tested|hosted|no longer"
    r"|based on the|found|published|released|installed|written by|archived|deprecated"
    r"|in (?:beta|alpha|maintenance)|part of)\b",
    re.IGNORECASE,
)
# "sh is not a collection of commands" tells what it is not.
_NEGATION = re.compile(
    r"(?:is|are|was|does|do|can|has)(?: not|n't)\b(?! (?:just|only|merely|simply)\b)",
    re.IGNORECASE,
)
# Who wrote it first tells nothing of it.
_CREDIT = re.compile(
    r"(?<=[.!?])\s+(?:[^.!?]{0,60}\s)?(?:written|created|developed|authored|designed)"
    r" by (?:the )?[@\[A-Z]"
)
# What begins the list that follows: "a set of utilities, including:".
_LIST_BEGUN = re.compile(r"[,;]?\s+(?:including|such as|like|among others)\s*[:：]$")
_REST_LINK = re.compile(r"`([^`<>]+?)\s*<[^`<>]+>`__?")
# A number alone explains it to those who know it already.
_STANDARD_ALONE = re.compile(
    r"(?:an? )?(?:[\w-]+ ){0,4}(?:of|for) (?:the )?(?:RFC|PEP|ISO|IEEE|ECMA)"
    r"[ -]?[\d.-]+\W*",
    re.IGNORECASE,
)
_THIS_IS = re.compile(
    r"this is an? (?!list\b|guide|documentation|document|page|short|brief|quick|work in"
    r"|release|beta|mirror|collection of links)",
    re.IGNORECASE,
)
# Chinese has no spaces around its verbs: "WeRoBot 是一个微信公众号开发框架".
_CHINESE_VERB = re.compile(r"(?:是|为|用于|提供|实现|支持|旨在|致力于|基于)")
_CHINESE_DEFINITION = re.compile(r"一[个款种套]")
_CHINESE_LABEL = re.compile(
    r"([\w .-]{1,60}?)\s*(?:：|——|--|[-–—:,，]\s)\s*(?=一[个款种套])"
)
_CHINESE_THIS = re.compile(r"(?:本|这|该)(?:项目|库|包|工具|模块|框架|程序|软件)?")
# "Current status: X is stable", "**Why?** I no longer use X": no introduction follows.
_LABEL = re.compile(r"([\w' -]{1,40})(?::|\?) ")
_BEFORE_NAME = 16  # letters of the subject: "the purpose of the"
_OPENING = 160  # characters, about a sentence
_SHORT = 3  # letters; a shorter name may be part of any text
# What a name has beside the project's own: `python-dateutil` is called dateutil.
_ANY_NAME = frozenset("python py lib js rs project package the".split())
_NAME_PART = re.compile(r"[\W_]+")
_TITLE_STOP = re.compile(r"\s*(?::|\s[-–—|]|[(,：（，])")  # a tagline follows the name
# "Python client for X": where X is the subject, another project is told of.
_FOR_ANOTHER = re.compile(r"\b(?:for|of|to) (.+)")
_SUBJECT = 60  # characters before the verb
# What stands in a README and introduces nothing: pointers, warnings, installation.
_ASIDE = re.compile(
    r"\W*(?:documentation|docs|homepage|home page|see|read|please|note|warning"
    r"|important|tip|for more|for (?:the )?(?:full|complete|latest)|install|to install"
    r"|requires|requirements|supported|status|download|copyright|licen[cs]e|sponsor"
    r"|thanks|build|the (?:full |complete |latest )?(?:documentation|docs)|source"
    r"|changelog|contents|table of contents|version|author|maintainer|looking for"
    r"|new to|we(?:'re| are)"
    r"|check out|visit|join|click here|translations?|language|english)\b",
    re.IGNORECASE,
)
_NO_INTRODUCTION = re.compile(
    r"\b(?:licen[cs]ed under|all rights reserved|no longer maintained|deprecated"
    r"|derives from|abbreviation (?:of|for)|named after|unmaintained|sponsored by"
    r"|looking for maintainers|is archived|is now part of)\b"
    r"|码云|gitee|镜像站|同步更新|交流群|QQ\s?群|欢迎(?:关注|加入|star)|求\s?star"
    r"|\A[^.!?。！？]*(?:文档(?:较|比较|很|有点)长|本文(?![件本字])"
    r"|(?:本|这个|该) ?README|\bthis (?:README|documentation|document|page)\b)"
    r"|\A[^.!?。！？]*(?:不知道|不懂|不了解|搞不清|分不清)"
    r"|右上角|点个\s?star|喜欢(?:本|这个)项目|\bgive (?:it|us|this \w+) a star",
    re.IGNORECASE,
)
# "This is a Python version of Ruby's VCR library." says it to who knows that one.
_COMPARISON = re.compile(
    r"(?:this|it|[\w.-]{1,40}) is (?:an? |the )?(?:[\w.-]+ ){0,3}"
    r"(?:version|port|clone|fork|rewrite|translation|equivalent|counterpart"
    r"|analog(?:ue)?|re-?implementation|adaptation) (?:of|to|for)\s"
    r"(?!.*\s(?:that|which|to|for|with|and)\s)[^.!?]{1,80}[.!]?",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?:add (?:your )?description.*|todo.*|description|a short description.*|unknown"
    r"|your project.*|fill .*|n/?a)\W*",
    re.IGNORECASE,
)
_FEWEST_WORDS = 3  # that introduce a project, fewer in a sentence with a full stop
_STOPS = tuple(".!。！")
_INNER_STOP = re.compile(r"[.!?。！？](?:\s|$)")
# "In addition to X, it ..." continues something.
_CONTINUATION = re.compile(
    r"(?:in|with|for|to|by|if|when|as|since|because|unlike|using|on|at|from|while"
    r"|although|also|besides|however|but|and|or|so|then|note)\b",
    re.IGNORECASE,
)
# A paragraph that goes on saying what the one before it names.
_GOES_ON = re.compile(r"(?:It|They|With it)\s|它|(?:该|本)(?:项目|库|工具|框架)")
_SHORT_LEAD = 80  # characters of an introduction that may say little more than a kind
_WORDS_OF_LINK = 4  # a paragraph of hardly more than a link points elsewhere
_LETTERS_SPACED = re.compile(r"[一-鿿]{6}")


class Description(NamedTuple):
    """What a project is, and the file that says so."""

    text: str = ""
    path: str = ""


class Declared(NamedTuple):
    """The value of a manifest's field, and the manifest's path."""

    value: Any
    path: str


class Manifests:
    """The manifests that speak for the project, in the order of their authority."""

    def __init__(self, manifests: Mapping[str, Mapping[str, Any]]) -> None:
        self._all = manifests
        self.folder = self._speaking_folder()
        paths = [f"{self.folder}{name}" for name in _MANIFEST_ORDER]
        self._paths = [path for path in paths if path in manifests]
        kinds = [self._kind(path) for path in self._paths if self._kind(path)]
        named = [self._kind(p) for p in self._paths if manifests[p].get("name")]
        self.kind = next(iter([*named, *kinds]), "")  # of the main manifest, or ""

    def get(self, field: str) -> Declared:
        """Return the first value of a field; the path is "" where nothing has it."""
        for path in self._paths:
            value = self._all[path].get(field)
            if value and self._kind(path) == self.kind:
                return Declared(value, path)
        return Declared(None, "")

    def dependencies(self) -> Declared:
        """Return {package: specifier}, also of a `requirements.txt` that stands alone.

        An empty table says that the manifest is complete and needs nothing.
        """
        found, complete = self.get("dependencies"), self.get("complete")
        if found.path:
            return found
        if complete.path:  # a `requirements.txt` beside it is for developers
            return Declared({}, complete.path)
        path = self.folder + _PLAIN_REQUIREMENTS
        if self.kind in ("", "python") and path in self._all:
            if listed := self._all[path].get("dependencies"):
                return Declared(listed, path)
        return Declared(None, "")

    def distributions(self) -> dict[str, str]:
        """Return {folder: manifest that names a project}, the top not included."""
        found: dict[str, str] = {}
        for path in sorted(self._all, key=_authority):
            folder = path.rpartition("/")[0]
            if folder and self._all[path].get("name"):
                found.setdefault(folder, path)
        return dict(sorted(found.items()))

    def _kind(self, path: str) -> str:
        return str(self._all[path].get("kind", ""))

    def _speaking_folder(self) -> str:
        """Return "" for the top, or the only folder whose manifest names a project."""
        tops = [one for path, one in self._all.items() if "/" not in path]
        # One that is built, too, is a project, whose name its `setup.py` may compute.
        if any(one.get("name") or one.get("backend") for one in tops):
            return ""
        folders = {
            path.rpartition("/")[0]
            for path, one in self._all.items()
            if path.count("/") == 1 and one.get("name")
        }
        return folders.pop() + "/" if len(folders) == 1 else ""


def _authority(path: str) -> tuple[int, str]:
    name = path.rpartition("/")[2]
    known = name in _MANIFEST_ORDER
    return (_MANIFEST_ORDER.index(name) if known else len(_MANIFEST_ORDER), path)


def main_readme(readmes: Mapping[str, Any]) -> str:
    """Return the path of the README at the top, "" without one."""
    ranked = sorted(readmes, key=lambda path: README_NAMES.index(path.lower()))
    return next(iter(ranked), "")


def describe(
    name: str, readmes: Mapping[str, Mapping[str, Any]], manifests: Manifests
) -> Description:
    """Return the best description of the project; see the module's docstring."""
    path = main_readme(readmes)
    readme = readmes.get(path, {})
    written = (_REST_LINK.sub(r"\1", one) for one in readme.get("leads", ()))
    every = [_LIST_BEGUN.sub(".", _without_credit(one)) for one in written]
    leads = [one for one in every if _is_prose(one)]
    names = _names_of(name, readme.get("title", ""))
    line, manifest = manifests.get("description")
    is_told = bool(line) and letters(line) != letters(name)
    for lead in every:
        if is_told and _announces(lead) and _introduces(lead, names):
            break
        if lead not in leads:
            continue
        is_alone = _continued(lead, every) == lead
        if is_told and is_alone and _COMPARISON.fullmatch(lead):
            continue
        if is_told and _STANDARD_ALONE.fullmatch(lead):
            continue
        repeats = line and letters(lead).startswith(letters(line))
        if repeats or _introduces(lead, names):
            return Description(_continued(lead, every), path)
    for lead in leads:  # a README in Chinese says more to its readers than such a line
        if line and _is_chinese(lead) and not _is_chinese(line) and _names(lead, names):
            return Description(lead, path)
    # Its title may be all that a README says of the project, and tells what it is.
    if line and not _PLACEHOLDER.fullmatch(line) and letters(line) != letters(name):
        return Description(" ".join(line.split()), manifest)
    plain = (one for one in leads if not _LABEL.match(one))
    return Description(next(plain, leads[0]), path) if leads else Description()


def _names_of(name: str, title: str) -> set[str]:
    """Return what the project is called in its README, as `letters`.

    That is not each part of a name: Flask is another project than `flask-cors`, and
    toolz than `cytoolz`.
    """
    found = {letters(name), letters(title), letters(_TITLE_STOP.split(title)[0])}
    for one in (name, title):
        parts = _NAME_PART.split(one.lower())
        found.add("".join(part for part in parts if part not in _ANY_NAME))
    other = _FOR_ANOTHER.search(title)
    served = letters(other[1]) if other else ""
    if served and not letters(title).startswith(letters(name)):
        # A client for Cloud Storage is not what Google Cloud Storage is.
        found = {one for one in found if not one.endswith(served)}
    return found - {""}


def _announces(text: str) -> bool:
    """Return whether a paragraph only begins a list or an example."""
    return text.endswith((":", "：")) and not _INNER_STOP.search(text)


def _without_credit(text: str) -> str:
    """Return a paragraph up to a sentence that says who wrote it."""
    credit = _CREDIT.search(text)
    return text[: credit.start()] if credit else text


def _continued(lead: str, leads: Sequence[str]) -> str:
    """Return a short introduction with the next paragraph, where that goes on."""
    after = leads[leads.index(lead) + 1 :][:1]
    goes_on = len(lead) <= _SHORT_LEAD and lead.endswith(_STOPS)
    if goes_on and after and _GOES_ON.match(after[0]) and _is_prose(after[0]):
        return f"{lead} {after[0]}"
    return lead


def _is_chinese(text: str) -> bool:
    return bool(_LETTERS_SPACED.search(text))


def _names(text: str, names: Collection[str]) -> bool:
    found = letters(text)
    return any(len(name) > _SHORT and name in found for name in names)


def letters(text: str) -> str:
    """Return a name without case, separators and markup."""
    return _NO_LETTER.sub("", text.lower())


def import_letters(packages: Iterable[str]) -> set[str]:
    """Return what packages are called and imported by, as `letters`."""
    return {letters(one) for name in packages for one in (name, import_name(name))}


def _is_prose(text: str) -> bool:
    """Return whether a paragraph can be the description: whole, and no aside."""
    if _ASIDE.match(text) or _NO_INTRODUCTION.search(text[:_OPENING]):
        return False
    if _announces(text):
        return False
    if _is_chinese(text):
        return True
    words = text.split()
    links = sum("://" in word for word in words)
    fewest = _FEWEST_WORDS - text.endswith(_STOPS)
    return len(words) - _WORDS_OF_LINK * links >= fewest


def _introduces(text: str, names: Collection[str]) -> bool:
    """Return whether a paragraph begins with what the project is.

    It defines ("A library that ..."), or the project is its subject.
    """
    if _DEFINITION.match(text) and not _STATE.search(text[:_SUBJECT]):
        return True
    if _THIS_IS.match(text):
        return True
    chinese_label = _CHINESE_LABEL.match(text)
    if _CHINESE_DEFINITION.match(text):
        return True
    if chinese_label and letters(chinese_label[1]) in names:
        return True
    label = _LABEL.match(text)
    if label and letters(label[1]) not in names:
        return False
    if chinese := _CHINESE_VERB.search(text[:_SUBJECT]):
        subject = text[: chinese.start()].strip()
        if _CHINESE_THIS.fullmatch(subject) or letters(subject) in names:
            return True
    verb = _VERB.search(text[: _SUBJECT * 2])
    if verb is None or verb.start() > _SUBJECT or _CONTINUATION.match(text):
        return False
    after = verb.start() + 1
    if _STATUS.match(text, after) or _NEGATION.match(text, after):
        return False
    subject = letters(text[: verb.start()])
    return bool(_THIS.match(subject)) or any(
        0 <= subject.find(name) <= _BEFORE_NAME for name in names
    )


def find_install(name: str, commands: Iterable[str]) -> str:
    """Return the first of a README's commands that installs the project itself.

    One without what it depends on is the way out of some trouble.
    """
    for command in commands:
        if "--no-deps" in command.split():
            continue
        for word in command.split()[2:]:
            package = word.strip("'\"").partition("[")[0].partition("==")[0]
            if letters(package.rpartition("/")[2].partition("@")[0]) == letters(name):
                return command
    return ""
