"""What an author leaves to a comment, or writes in roles, is shown as it would run."""

from __future__ import annotations

import ast
import re

from repobuild.code.usage.document_text import plain_markup
from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.truth.claims.prose_match import plain
from tests.cases.sampled import Sampled, answers, sampled_fixture

KILN = '''"""Fire pots."""


def fired(name, heat=900):
    """Decorate a function that is given a fired pot.

    .. code-block:: python

        from kiln import fired

        @fired('vase', heat=1000)
        def show(pot):
            # look at the pot
    """
    return lambda function: function


class Oven:
    """Hold what is fired."""

    def open(self):
        """Open the door."""
        return self

    async def cool(self):
        """Wait until it is cold."""

'''
GUIDE = """Guide
=====

.. code-block:: python

    from kiln import Oven

    oven = Oven()

.. code-block:: python

    async def main():
        oven.open()

Wait at the end:

.. code-block:: python

    await oven.cool()
"""
kiln = sampled_fixture({"kiln.py": KILN, "docs/guide.rst": GUIDE})


def test_an_example_whose_body_is_a_comment_is_valid(kiln: Sampled) -> None:
    told = answers(kiln, "usage", "kiln.py::fired")
    assert told
    for one in told:
        code = re.search(r"```python\n(.*?)\n```", one, re.S)
        assert code and code[1].endswith("    # look at the pot\n    ...")
        ast.parse(code[1])


def test_a_call_within_a_coroutine_of_another_block_holds(kiln: Sampled) -> None:
    assert any("oven.cool()" in one["answer"] for one in kiln.samples.values())
    assert not kiln.audit().wrong


def test_a_role_of_a_method_keeps_its_class_in_what_documents_say() -> None:
    text = "Call :meth:`~pool.Pool.close` or :func:`~pool.close_all`."
    assert plain_markup(text) == "Call `Pool.close` or `close_all`."
    assert plain(text) == plain(plain_markup(text))


def test_a_role_right_after_the_name_of_a_parameter_is_its_description() -> None:
    told = parse_docstring("Make it.\n\n:param given :class:`Rule <oss.models.Rule>`")
    assert told.parameters == {"given": "Rule"}


def test_a_description_that_is_the_name_of_the_parameter_says_nothing() -> None:
    told = parse_docstring("Send.\n\n:param request request: the request\n:param x: it")
    assert told.parameters == {"x": "it"}
