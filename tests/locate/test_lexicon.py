"""The lexicon follows the files, and equals one that was built from nothing."""

import hashlib
import random

import pytest

from repobuild.code.graph.graph import PROJECT
from repobuild.locate.lexicon import Lexicon, lexicon
from tests.code_world import World, snapshot_of
from tests.fakes import MemoryView

FILES = {
    "pkg/a.py": '"""Open doors."""\nfrom pkg.b import close\n\n\n'
    "class Door:\n    width = 3\n\n    def open_wide(self):\n        return close()\n",
    "pkg/b.py": "def close():\n    def inner():\n        return 'slam'\n"
    "    return inner\n",
    "tests/test_a.py": "from pkg.a import Door\n\n\ndef test_door():\n    Door()\n",
    "README.md": "# Doors\n\nAll about doors.\n",
}


class Built:
    """Files, and the lexicon of them, brought up to date step by step."""

    def __init__(self, files):
        self.world = World()
        self.view = MemoryView()
        self.put(files)

    def put(self, files):
        snapshot, facts = snapshot_of(files)
        rows = {p: {**row, "blob": blob_of(files[p])} for p, row in snapshot.items()}
        self.view.blobs |= {blob_of(text): text.encode() for text in files.values()}
        graph = self.world.put(files).rows
        lexicon(self.view.advance(files=rows, facts=facts, graph=graph))
        return self

    @property
    def rows(self):
        return dict(sorted(self.view.own.rows.items()))

    @property
    def terms(self):
        return {k: v for k, v in sorted(self.view.own.index.terms.items()) if v}


def blob_of(text):
    return hashlib.sha1(text.encode()).hexdigest()


def units_with(built, term):
    reader = Lexicon(built.view.own)
    found, postings = reader.find(term)
    units = {}
    for unit, name, rest in zip(found, postings.names, postings.rest, strict=True):
        file = int(reader.file_of[unit])
        qual, _ = reader.quals(file)[unit - int(reader.first[file])]
        units[f"{reader.paths[file]}::{qual}"] = (int(name), int(rest))
    return units


def test_a_term_is_counted_where_it_is_named_and_where_it_is_used():
    built = Built(FILES)
    assert units_with(built, "clos") == {
        "pkg/a.py::": (0, 1),
        "pkg/a.py::Door.open_wide": (0, 1),
        "pkg/b.py::close": (1, 1),
    }


def test_a_class_has_not_the_words_of_its_methods_and_a_function_those_within_it():
    built = Built(FILES)
    assert units_with(built, "width") == {"pkg/a.py::Door": (0, 1)}
    assert units_with(built, "slam") == {"pkg/b.py::close": (0, 1)}


def test_documents_have_no_units():
    assert "README.md" not in Built(FILES).rows[PROJECT]["paths"]


def test_no_source_text_is_stored():
    assert "return inner" not in str(Built(FILES).rows)


@pytest.mark.parametrize("seed", range(6))
def test_after_any_edits_it_equals_a_clean_build(seed):
    chance = random.Random(seed)
    files = dict(FILES)
    built = Built(files)
    for step in range(12):
        path = chance.choice([*files, f"pkg/new{step}.py"])
        kind = chance.choice(("edit", "edit", "drop", "move"))
        if path not in files or kind == "edit":
            name = chance.choice(("open", "close", "door", "lid"))
            files[path] = (
                files.get(path, "") + f"\n\ndef {name}{step}():\n    {name}()\n"
            )
        elif kind == "drop" and len(files) > 1:
            del files[path]
        elif kind == "move":
            files[f"pkg/moved{step}.py"] = files.pop(path)
        built.put(files)
        clean = Built(files)
        assert built.rows == clean.rows
        assert built.terms == clean.terms


def test_a_commit_writes_only_the_buckets_of_terms_that_differ():
    built = Built(FILES)
    before = built.rows
    edited = FILES["pkg/b.py"].replace("slam", "bang")
    after = built.put({**FILES, "pkg/b.py": edited}).rows
    changed = {key for key in after if after[key] != before.get(key)}
    assert {"pkg/b.py", PROJECT} >= {key for key in changed if "#" not in key}
    assert len({key for key in changed if "#" in key}) <= 2  # slam went, bang came


def test_a_blob_that_is_gone_is_taken_out_all_the_same():
    built = Built(FILES)
    gone = blob_of(FILES["pkg/b.py"])
    files = {**FILES, "pkg/b.py": "def close():\n    return 1\n"}
    built.view.blobs = Gone(built.view.blobs, gone)
    assert built.put(files).rows == Built(files).rows


class Gone(dict):
    """Blobs, one of which cannot be read."""

    def __init__(self, blobs, gone):
        super().__init__(blobs)
        self.gone = gone

    def __or__(self, other):
        return Gone({**self, **other}, self.gone)

    __ior__ = __or__

    def __getitem__(self, blob):
        from repobuild.errors import MissingObjectError

        if blob == self.gone:
            raise MissingObjectError(blob)
        return super().__getitem__(blob)
