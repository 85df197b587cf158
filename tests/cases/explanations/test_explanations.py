"""What has no docstring is explained by what is certain, and by what others wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repobuild.truth.answer_template import answer_templates
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, sampled_fixture

STORE = '''"""Stores of values."""


class Store:
    """A place for values by name."""

    def read(self, name, default=None):
        """Return the value of a name."""
        raise NotImplementedError


class FileStore(Store):
    suffix = ".txt"

    def __init__(self, folder: str, limit: int = 10) -> None:
        self.folder = folder
        self.limit = limit
        self._opened = 0

    def read(self, name, default=None):
        if not name:
            raise KeyError(name)
        self._opened = self._opened + 1
        found = self.locate(name)
        text = found.strip()
        if not text:
            raise LookupError("empty")
        return text or default

    def locate(self, name):
        """Return where the value of a name lies."""
        return self.folder + "/" + name + self.suffix

    def close(self):
        self.folder = ""


# Names are compared without their case, as on most disks.
def plain_name(name):
    text = name.strip()
    parts = text.split("/")
    last = parts[-1]
    lowered = last.lower()
    short = lowered[:80]
    return short.replace(" ", "_")


def copy_values(source: Store, target, names):
    done = []
    for name in names:
        value = source.read(plain_name(name))
        target.append((name, value))
        done.append(name)
    total = len(done)
    return total


def tidy(value):
    """
    :param value: what is made tidy
    """
    text = str(value)
    lines = text.split()
    first = lines[0]
    rest = lines[1:]
    whole = first + " ".join(rest)
    return whole
'''
GUIDE = """# Guide

Some words about stores.

## Copying

`copy_values()` moves what one store holds into a list. See also `plain_name`.

```python
from stores.store import FileStore, copy_values

store = FileStore("values", limit=3)
copy_values(store, [], names=["one"])
```
"""
TESTS = """from stores.store import FileStore


def test_a_store_reads_what_is_there():
    store = FileStore("here")
    assert store.read("one") == "text"
"""
FILES = {
    "pyproject.toml": '[project]\nname = "stores"\ndescription = "Stores of values"\n',
    "docs/guide.md": GUIDE,
    "stores/__init__.py": "",
    "stores/store.py": STORE,
    "tests/test_store.py": TESTS,
}
HOME = "stores/store.py::"
stores = sampled_fixture(FILES)


def of_kind(sampled: Sampled, kind: str, id: str) -> dict[str, Any]:
    found = {}
    for key, sample in sampled.samples.items():
        task, language, number = key.rpartition("#")[2].split(".")
        if key.rpartition("#")[0] == HOME + id:
            if answer_templates(language).kind(task, int(number)) == kind:
                found[key] = sample
    return found


def explanation(sampled: Sampled, id: str, kind: str = "sketch") -> str:
    (answer,) = {one["answer"] for one in of_kind(sampled, kind, id).values()}
    return str(answer)


def test_every_claim_of_these_samples_holds(stores: Sampled):
    assert stores.audit().wrong == []


def test_a_class_without_a_docstring_is_explained_by_its_parts(stores: Sampled):
    text = explanation(stores, "FileStore")
    assert "It has no docstring" in text
    assert "FileStore(folder, limit=10)" in text and "- `folder` (`str`)" in text
    assert "**Attributes**: `suffix`, `folder`, `limit`" in text
    assert "- `locate`: Return where the value of a name lies." in text
    assert "test_a_store_reads_what_is_there" in text


def test_the_comment_above_is_the_purpose(stores: Sampled):
    text = explanation(stores, "plain_name")
    assert (
        "**The comment above it says**: Names are compared without their case,"
        " as on most disks." in text
    )


def test_what_a_document_says_is_quoted_with_its_path(stores: Sampled):
    text = explanation(stores, "copy_values")
    said = "**`docs/guide.md` says**: `copy_values()` moves what one store holds"
    assert said in text


def test_an_overriding_method_has_the_purpose_of_what_it_overrides(stores: Sampled):
    text = explanation(stores, "FileStore.read")
    assert "**It overrides** `Store.read`" in text
    assert "says: Return the value of a name." in text
    assert "**It raises**: `KeyError`, `LookupError`" in text


def test_a_docstring_without_a_purpose_is_not_called_missing(stores: Sampled):
    text = explanation(stores, "tidy", "written")
    assert "has no docstring" not in text and "gives no purpose" in text


def test_a_short_method_is_explained_by_its_code(tmp_path: Path):
    files = {
        "a.py": "class A:\n    def close(self):\n        x = 1\n        return x\n"
    }
    settings = {**ALL_IN_ENGLISH, "samples.min_code_lines": 2}
    sampled = Sampled(tmp_path, files, **settings)
    answers = sampled.answers("a.py::A.close")
    assert any(
        "**Its code**, without docstring and comments:\n```python\ndef close" in one
        for one in answers
    )
    assert sampled.audit().wrong == []


CHANGED = [
    ("FileStore", "no docstring", "a docstring"),
    ("FileStore", "`suffix`", "`prefix`"),
    ("FileStore", "limit=10", "limit=11"),
    ("FileStore", "where the value", "what the value"),
    ("FileStore", "- `locate`", "- `close`"),
    ("plain_name", "without their case", "with their case"),
    ("copy_values", "docs/guide.md", "stores/store.py"),
    ("copy_values", "into a list", "into a file"),
    ("FileStore.read", "Return the value", "Set the value"),
    ("FileStore.read", "`Store.read`", "`Store.write`"),
    ("FileStore.read", "`LookupError`", "`ValueError`"),
]


@pytest.mark.parametrize(("id", "old", "new"), CHANGED)
def test_a_changed_fact_of_an_explanation_is_noticed(stores: Sampled, id, old, new):
    samples = {
        key: {**sample, "answer": sample["answer"].replace(old, new, 1)}
        for key, sample in of_kind(stores, "sketch", id).items()
    }
    assert samples and all(new in one["answer"] for one in samples.values())
    assert {wrong.key for wrong in stores.audit(samples).wrong} == samples.keys()


def test_a_purpose_that_is_claimed_to_be_missing_is_noticed(stores: Sampled):
    ((key, sample), *_) = of_kind(stores, "written", "tidy").items()
    part = answer_templates("en").parts
    answer = sample["answer"].replace(part["no_purpose"], part["no_docstring"])
    wrong = stores.audit({key: {**sample, "answer": answer}}).wrong
    assert [one.claim for one in wrong] == ["undocumented"]


# ------------------------------------------------------------------- how it is called


def call(sampled: Sampled, id: str) -> str:
    (answer,) = {one["answer"] for one in of_kind(sampled, "usage", id).values()}
    return str(answer)


def test_a_call_in_a_document_is_preferred(stores: Sampled):
    text = call(stores, "copy_values")
    assert "**A call from** `docs/guide.md`:" in text
    assert (
        'store = FileStore("values", limit=3)\ncopy_values(store, [], names=["one"])'
        in text
    )


def test_a_call_in_a_test_comes_with_the_line_that_makes_the_object(stores: Sampled):
    text = call(stores, "FileStore.read")
    assert "**A call from** `tests/test_store.py`:" in text
    assert 'store = FileStore("here")\nstore.read("one")  # == "text"' in text


def test_without_a_real_call_the_answer_says_that_it_is_made_up(stores: Sampled):
    text = call(stores, "tidy")
    assert "**A call by its signature**, not taken from the project:" in text
    assert "tidy(value)" in text


def test_an_instance_is_not_named_like_the_package(tmp_path: Path):
    app = (
        "class Star:\n    def host(self, host: str, app, name=None):\n"
        '        """Serve an application at a host."""\n        return host\n'
    )
    files = {"star/__init__.py": "", "star/app.py": app}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    answers = "\n".join(sampled.answers("star/app.py::Star.host"))
    assert "\nmy_star.host(host, app)\n" in answers
    assert sampled.audit().wrong == []


@pytest.mark.parametrize(
    ("id", "old", "new"),
    [
        ("copy_values", 'names=["one"]', 'names=["two"]'),
        ("copy_values", "docs/guide.md", "tests/test_store.py"),
        ("copy_values", "copy_values(store", "move_values(store"),
        ("FileStore.read", 'FileStore("here")', 'FileStore("there")'),
        ("FileStore.read", "tests/test_store.py", "stores/store.py"),
        ("tidy", "tidy(value)", "tidy(values)"),
    ],
)
def test_a_call_that_nobody_wrote_is_noticed(stores: Sampled, id, old, new):
    samples = {
        key: {**sample, "answer": sample["answer"].replace(old, new)}
        for key, sample in of_kind(stores, "usage", id).items()
    }
    assert samples and all(new in one["answer"] for one in samples.values())
    assert {wrong.key for wrong in stores.audit(samples).wrong} == samples.keys()
