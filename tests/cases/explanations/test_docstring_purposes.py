"""A purpose is a sentence of the author: no heading, field, licence or date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repobuild.cli.claim_audit import audit_tree
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.samples.text.summary.purpose import has_fields_alone, summarise
from repobuild.truth.audit import audit
from repobuild.truth.claims.prose_match import is_beginning, is_purpose
from tests.repository import Repository
from tests.standard import Standard

AREA = '''# -*- coding: utf-8 -*-
"""
Created on Mon Jan  1 10:00:00 2024

@author: somebody
"""


def area(width, height):
    """
    Parameters
    ----------
    width : int
        How wide the thing is.
    height : int
        How high the thing is.

    Returns
    -------
    int
        The area that it covers.
    """
    return width * height


def ratio(width, height):
    """
    @param width: how wide the thing is
    @param height: how high the thing is
    @return: the one by the other
    """
    return width / height


def size(x):
    """Give |x| for a number, and |a - b| for two of them."""
    return abs(x)


class Box:
    """
    Attributes
    ----------
    width : int
        How wide the box is.
    """

    def open(self):
        """
        See Also
        --------
        area : what it covers
        """
        return area(1, 2)
'''
LICENCE = '''"""
Copyright (c) 2024 Somebody Inc. All rights reserved.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
"""
'''


@pytest.mark.parametrize(
    "docstring",
    [
        "Parameters\n----------\nx : int\n    It.",
        "Returns\n-------\nint\n    It.",
        "See Also\n--------\narea : it",
        "Other Parameters\n----------------\nx : int",
        "=======\nExamples\n=======\n\n>>> f()",
        "Args:\n    x: It.",
        "args:\n    x: It.",
        "## Parameters\n\n- x: it",
        "**Returns:**\n\nIt.",
        "Raises",
        "@param x: it\n@return: it",
        "@param {string} x the name",
        "@author: somebody",
        ":param x: it",
        ":Parameters:\n    x : int",
        "Copyright (c) 2024 Somebody",
        "Internal function",
        "For internal use only.",
        "*******************\n  Copyright (c) 2017, 2019 Somebody Corp.",
        "(c) 2024 Somebody",
        "Created on Mon Jan 1 2024",
        "Created by: Somebody",
        "Author: Somebody\n\nOther words.",
        "License: MIT",
        "Licensed under the Apache License.",
        "SPDX-License-Identifier: MIT",
        "try :\n    1/0\nexcept Exception as e:\n    logged(e)",
        "with open(path) as file:\n    read(file)",
        "Permission is hereby granted, free of charge, to any person",
        "This program is free software: you can redistribute it",
        "This file is part of Shop.",
        "$Id: area.py 12 somebody $",
        "",
    ],
)
def test_what_is_no_purpose_gives_none(docstring: str) -> None:
    assert summarise(docstring) == ""


@pytest.mark.parametrize(
    "docstring",
    [
        "Parameters of a run.",
        "Returns the area.",
        "Notes are kept here.",
        "Examples that run.",
        "try to draw a line.",
        "with a pen: draws a line.",
        "Copyright line of a page.",
        "Created on demand by the pool.",
        "Created by the browser, closed by its owner.",
        "Author of a book.",
        "This program is slow.",
        "@cached property of a class.",
        "Licence of a file.",
        "websocket鉴权",
        "Client的状态处理",
    ],
)
def test_a_sentence_that_begins_like_a_section_is_a_purpose(docstring: str) -> None:
    assert summarise(docstring) == docstring
    assert is_purpose(docstring)


@pytest.mark.parametrize(
    ("docstring", "is_fields_alone"),
    [
        (":param x: it\n:return: that", True),
        ("Args:\n    x: it", True),
        ("Parameters\n----------\nx : int\n    It.", True),
        ("Inputs:\n    x: it\n公式:\n(rank(x) - 1)", False),
        ("Formula:\n    x ** 2", False),
        ("Class initializer.\n\n:param x: it", False),
        ("TODO: say what it is for.", False),
    ],
)
def test_that_no_purpose_is_given_is_said_of_fields_alone(
    docstring: str, is_fields_alone: bool
) -> None:
    assert has_fields_alone(docstring) is is_fields_alone


def test_a_section_right_below_a_sentence_ends_it() -> None:
    assert summarise("Read a file.\nParameters\n----------\nx : int") == "Read a file."
    assert summarise("Read a file.\n@param x: it") == "Read a file."


def test_epytext_fields_are_read() -> None:
    found = parse_docstring(
        "Divide.\n\n@param width: how wide\n    the thing is\n@type width: int\n"
        "@param height: how high\n@return: the one by the other"
    )
    assert found.parameters == {"width": "how wide the thing is", "height": "how high"}
    assert (found.summary, found.returns) == ("Divide.", "the one by the other")


def test_bars_are_kept() -> None:
    text = "Give |x| for a number, and |a - b| for two of them."
    assert summarise(text) == text
    assert summarise("Write one turn<|im_end|> <|im_start|>system") == (
        "Write one turn<|im_end|> <|im_start|>system"
    )


def test_a_purpose_after_a_title_that_is_a_name_is_told_once(
    repository: Repository, tmp_path: Path
) -> None:
    """Two definitions that begin with the same name have purposes of their own."""
    texts = {
        "first": "Visit a node.",
        "second": "Leave a node.\n\n    Its parent is next.",
    }
    code = "\n\n".join(
        f'def {name}(node):\n    """visit\n\n    {text}\n    """\n'
        for name, text in texts.items()
    )
    repository.commit({"walk.py": code})
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("contexts")
    rows = dict(standard.table("contexts").items())
    standard.close()
    summaries = [rows[f"walk.py::{name}"]["summary"] for name in texts]
    assert summaries == ["Visit a node.", "Leave a node."]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the contexts, the samples and the tree that they are checked against."""
    folder: Path = tmp_path_factory.mktemp("docstrings")
    repository = Repository(folder / "repository")
    repository.commit({"geo/area.py": AREA, "geo/__init__.py": LICENCE})
    standard = Standard(repository.git, folder / "state")
    standard.build("samples")
    build = standard.open()
    samples = dict(AllSamples.of(build).entries())
    contexts = dict(standard.table("contexts").items())
    yield contexts, samples, audit_tree(build)
    standard.close()


def test_contexts_have_purposes_only_where_the_author_wrote_one(built: Any) -> None:
    contexts, _, _ = built
    for name in ("area", "ratio", "Box", "Box.open"):
        assert "summary" not in contexts[f"geo/area.py::{name}"], name
    size = contexts["geo/area.py::size"]
    assert size["summary"] == "Give |x| for a number, and |a - b| for two of them."
    texts = [one[3] for one in contexts["geo/area.py::ratio"]["params"]]
    assert texts == ["how wide the thing is", "how high the thing is"]
    assert not any("module_summary" in row for row in contexts.values())
    assert "summary" not in contexts["geo/__init__.py"]


def test_every_claim_holds(built: Any) -> None:
    _, samples, tree = built
    assert audit(samples.items(), tree).wrong == []


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ("geo/area.py::area", "Parameters"),
        ("geo/area.py::Box", "Attributes"),
        ("geo/area.py::Box.open", "See Also"),
        ("geo/area.py::ratio", "@param width: how wide the thing is"),
        ("geo/area.py::size", "Give x for a number, and a - b for two of them."),
    ],
)
def test_a_purpose_that_is_none_is_noticed(built: Any, element: str, said: str) -> None:
    """A sample that tells a heading or loses the bars is called wrong."""
    _, samples, tree = built
    text = "Give |x| for a number, and |a - b| for two of them."
    key, sample = next(
        (key, sample)
        for key, sample in samples.items()
        if sample["element"] == "geo/area.py::size"
        and text in sample["answer"]
        and sample["task"] == "code_explanation"
    )
    changed = {**sample, "answer": sample["answer"].replace(text, said)}
    changed = _about(changed, element)
    moved = key.replace("geo/area.py::size", element)
    wrong = audit([(moved, changed)], tree).wrong
    assert any(one.claimed == said for one in wrong), wrong


def _about(sample: dict[str, Any], element: str) -> dict[str, Any]:
    """Return the sample as if it were about another element."""
    name = element.partition("::")[2]
    texts = {
        part: sample[part].replace("`size`", f"`{name}`")
        for part in ("question", "answer")
    }
    return {**sample, **texts, "element": element}


def test_a_short_rule_below_a_title_is_no_part_of_the_text() -> None:
    docstring = "API\n---\n\nServe what is asked for."
    assert is_beginning(summarise(docstring), docstring)


def test_a_text_may_end_before_its_example() -> None:
    docstring = "Tell whether to write a line, e.g.\n\n    tell(3)"
    assert is_beginning("Tell whether to write a line", docstring)
    assert not is_beginning("Tell whether to write", docstring)
