"""A warning is quoted, a condition is kept, and what a class passes on is shown."""

from __future__ import annotations

import pytest

from repobuild.code.usage.call_example import call_example
from repobuild.samples.text.deprecation import is_deprecated
from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.truth.tree.python_reader import PythonFile
from tests.cases.sampled import (
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

SCALES = '''"""Scales of a shop."""

import warnings


class Scale:
    """A scale."""

    def __init__(self, unit="kg"):
        self.unit = unit
        self.loads = []

    @property
    def total(self):
        return sum(self.loads)

    def weigh(self, load: float):
        """Return a load.

        .. warning::

           What this does is kept for older callers, but it will change
           in the next version.

           Nobody knows when.

        >>> scale.weigh(-1)
        -1

        This scale rounds nothing.
        """
        warnings.warn("The behavior of weigh will change", DeprecationWarning)
        return load

    def report(self, name):
        # The name of the scale comes first.
        text = [name, self.unit]
        if self.total:
            text.append(check(self.total))
        return text

    def check(self, load):
        return check(load)


class Balance(Scale):
    """subclass of :class:`Scale`

    It compares two loads.
    """

    def weigh(self, load: float):
        """Return a load.

        :param load: the load

        This one compares it first.
        """
        return load - 1

    def settle(self, *args: float, **kwargs: float):
        """Settle the balance."""
        return args, kwargs


class Shape:
    def __init__(self, name, *rest):
        self.name = name
        self.rest = rest

    def draw(self):
        """Draw a shape."""
        raise NotImplementedError


class Mean(Shape):
    def __init__(self, rest, **more):
        super().__init__("MEAN", rest, **more)


def check(load):
    if load < 0:
        raise ValueError(load)
    return load


def load_handler(loads: List[str], most: int):
    """load handler
    Args:
        loads: List[str]
        most: how many
    """
    return loads[:most]


class Ledger:
    """What has been weighed."""

    def __init__(self, client: str = None, path: str = "loads"):
        self.client = client
        self.path = path


def start():
    """Start one scale."""
    return Shape


def start_all():
    """Start all scales."""
    start()


class LoadError(Exception):
    """Raised for a load that is too heavy."""

    def __init__(self, load: float):
        self.load = load


def port_of(name):
    """The port of a name. {cases}"""
    return name
'''
CASES = (
    "If the name has a port after its colon, then that port is the one that is"
    " returned, as a number, and nothing else is looked at. If it has none, and the"
    " name begins with the scheme of a secure connection, the usual port of that"
    " scheme is returned. If neither holds, the port of the environment is, which is"
    " always there."
)
USES = """from scales.scale import Scale


def weigh_all(loads):
    scale = Scale()
    scale.loads.append(1)
    return scale.weigh(2.0)
"""
FILES = {
    "scales/__init__.py": '"""Scales and what they weigh."""\n',
    "scales/scale.py": SCALES.replace("{cases}", CASES),
    "scales/uses.py": USES,
    "scales/only.py": 'class Pan:\n    """A pan of a scale."""\n',
}
HOME = "scales/scale.py::"
scales = sampled_fixture(FILES, **{"samples.min_code_lines": 2})


def test_every_claim_of_these_samples_holds(scales: Sampled) -> None:
    assert scales.audit().wrong == []


@pytest.mark.parametrize(
    "message, expected",
    [
        ('"f is deprecated"', True),
        ('"use g"', True),
        ("MESSAGE", True),
        ('"f will be deprecated in the next version"', False),
        ('"f is kept for older callers, but "\n        "will change"', False),
        ('"The behaviour of f is not as documented"', False),
    ],
)
def test_a_warning_of_what_comes_deprecates_nothing(
    message: str, expected: bool
) -> None:
    code = f"def f():\n    warnings.warn(\n        {message}, DeprecationWarning)\n"
    assert is_deprecated(code, "", ()) is expected


def test_a_docstring_that_says_so_of_itself_deprecates() -> None:
    assert is_deprecated("", "Do it.\n\nThis method is deprecated.", ())
    assert is_deprecated("", "Do it.\n\n.. deprecated:: 2.0\n", ())
    assert not is_deprecated("", "Do it.\n\nIt will be deprecated.", ())
    assert not is_deprecated("", "Do it.\n\nThe option `a` is deprecated.", ())


def test_what_a_docstring_warns_of_is_quoted(scales: Sampled) -> None:
    warning = (
        "**Its docstring warns**: What this does is kept for older callers, but it will"
        " change in the next version."
    )
    for kind in ("explain", "usage"):
        for text in answers(scales, kind, f"{HOME}Scale.weigh"):
            assert warning in text and "deprecated" not in text
            assert "weigh(-1)" not in text  # the example may show what it warns of


def test_a_false_warning_is_noticed(scales: Sampled) -> None:
    changed = {
        key: {**one, "answer": one["answer"].replace("older callers", "new callers")}
        for key, one in scales.samples.items()
        if "docstring warns" in one["answer"]
    }
    assert changed
    assert {one.claim for one in scales.audit(changed).wrong} == {"warning"}


def test_a_paragraph_tells_docstrings_apart_that_begin_alike(scales: Sampled) -> None:
    (one,) = answers(scales, "explain", f"{HOME}Scale.weigh")
    assert "**Purpose**: Return a load. This scale rounds nothing.\n" in one
    (other,) = answers(scales, "explain", f"{HOME}Balance.weigh")
    assert "**Purpose**: Return a load. This one compares it first.\n" in other


def test_the_base_class_is_no_purpose(scales: Sampled) -> None:
    (text,) = answers(scales, "explain", f"{HOME}Balance")
    assert "**Purpose**: It compares two loads.\n" in text


def test_one_of_several_cases_is_not_told_as_the_rule(scales: Sampled) -> None:
    (text,) = answers(scales, "explain", f"{HOME}port_of")
    assert "**Purpose**: The port of a name.\n" in text
    # Cases that all fit are told, and so is a first sentence that is one.
    assert "If b" in parse_docstring("Do it. If a, b. If b, c.").summary
    assert parse_docstring("If a, b. " + "If c, d. " * 50).summary.startswith("If a")


def test_a_description_does_not_end_with_what_it_announces() -> None:
    text = "Do it.\n\n:param a: How. One of:\n\n    x\n:param b: 可选, 取值有：\n"
    text += ":param c: one of:"
    assert parse_docstring(text).parameters == {"a": "How.", "b": "可选"}
    assert (
        parse_docstring("主模块").summary
        == parse_docstring("Main class.").summary
        == ""
    )
    assert parse_docstring("Main class of a game.").summary


def test_what_repeats_a_name_or_a_type_says_nothing(scales: Sampled) -> None:
    assert parse_docstring(":return loads").summary == ""
    (text,) = answers(scales, "written", f"{HOME}load_handler")
    assert "repeats its name" in text
    assert "- `loads` (`List[str]`)\n" in text and "- `most` (`int`): how many" in text


def test_an_exception_is_not_used_by_a_call(scales: Sampled) -> None:
    assert answers(scales, "usage", f"{HOME}LoadError") == set()


def test_a_docstring_is_no_code_that_is_left_out() -> None:
    for doc in (['"""Do it."""'], ['"""', "Do it.", '"""']):
        lines = [
            "def f(box):",
            *(f"    {one}" for one in doc),
            "    return box.get(1)",
        ]
        found = call_example(lines, len(lines) - 1, "get")
        assert found and found.code == "def f(box):\n    return box.get(1)"


def test_no_call_is_made_up_of_what_stands_for_any_arguments(scales: Sampled) -> None:
    assert answers(scales, "usage", f"{HOME}Balance.settle") == set()
    assert not any("*args" in one["answer"] for one in of_kind(scales, "usage"))


def test_a_call_that_repeats_defaults_or_a_name_alone_is_no_example(
    scales: Sampled,
) -> None:
    assert answers(scales, "usage", f"{HOME}Ledger") == set()
    assert answers(scales, "usage", f"{HOME}start_all") == set()
    assert answers(scales, "usage", f"{HOME}start") == set()


def test_what_is_raised_is_told_with_its_condition(scales: Sampled) -> None:
    (text,) = answers(scales, "written", f"{HOME}check")
    assert "**It raises**: `ValueError`" in text and "if load < 0:" in text
    for one in [*of_kind(scales, "written"), *of_kind(scales, "sketch")]:
        assert "**It raises**" not in one["answer"] or "code**" in one["answer"]


def test_a_module_is_told_by_its_only_class(scales: Sampled) -> None:
    (text,) = answers(scales, "package_parts", "scales/__init__.py")
    assert "- `scales/only.py`: A pan of a scale.\n" in f"{text}\n"


def test_a_class_that_is_only_inherited_from_is_not_created(scales: Sampled) -> None:
    assert answers(scales, "construct", f"{HOME}Shape") == set()
    assert not any("Shape(" in one["answer"] for one in of_kind(scales, "usage"))


def test_a_short_class_is_shown_with_what_it_passes_on(scales: Sampled) -> None:
    (text,) = answers(scales, "written", f"{HOME}Mean")
    assert 'super().__init__("MEAN", rest, **more)' in text
    assert "**Created with**" not in text


def test_properties_that_a_method_reads_are_told(scales: Sampled) -> None:
    (text,) = answers(scales, "written", f"{HOME}Scale.report")
    assert "**Properties of its class that it reads**: `Scale.total`" in text
    changed = {
        key: {
            **one,
            "answer": one["answer"].replace(
                "reads**: `Scale.total", "reads**: `Scale.weigh"
            ),
        }
        for key, one in scales.samples.items()
        if "that it reads**" in one["answer"]
    }
    assert "property reads" in {one.claim for one in scales.audit(changed).wrong}


def test_a_function_is_told_from_the_method_of_its_name(scales: Sampled) -> None:
    (text,) = answers(scales, "written", f"{HOME}Scale.check")
    assert "**It calls**: the function `check` (in `scales/scale.py`)" in text


def test_a_source_of_python_2_is_read_by_the_checker() -> None:
    text = 'def f(a):\n try:\n  print "%s" % a\n except KeyError, e:\n  g(e)\n'
    assert PythonFile(text).definitions["f"].end == 5
    with pytest.raises(SyntaxError):
        PythonFile("def f(:\n")


def test_a_trace_says_under_which_condition_a_line_runs(scales: Sampled) -> None:
    (text,) = answers(scales, "trace", f"{HOME}Scale.report")
    lines = SCALES.split("\n")
    at = lines.index("        if self.total:") + 1
    assert f"Line {at + 1}, under the `if` of line {at}, calls `check`: " in text
    assert f"Line {at + 2}: `return text`" in text
    for old, new in (
        (f" of line {at},", f" of line {at - 1},"),
        ("the `if`", "the `for`"),
    ):
        changed = {
            key: {**one, "answer": one["answer"].replace(old, new)}
            for key, one in scales.samples.items()
            if old in one["answer"]
        }
        wrong = {one.claim for one in scales.audit(changed).wrong}
        assert wrong == {"line under a head"}
