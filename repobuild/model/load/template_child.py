"""Render a chat template in a process of its own: `python template_child.py`.

Standard input is {"template": ..., "renders": [variables, ...], "limits": {...}}, the
answer on standard output {"texts": [...]} or {"error": ...}. The environment is the
one that transformers renders with, but for the clock: a template that asks for today's
date gets the same one every day, else equal inputs would train another adapter.

The process limits itself before it compiles the template: CPU seconds, address space,
and no byte in any file.
"""

from __future__ import annotations

import json
import resource
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace


class GenerationTag(jinja2.ext.Extension):
    """Renders `{% generation %}`, a mark around answers, as its content."""

    tags = {"generation"}

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class PlainNamespace(Namespace):
    """A namespace without attributes that begin with an underscore."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            raise jinja2.TemplateError(f"attribute {name!r} of a namespace")
        super().__setitem__(name, value)


class PlainDict:
    """`dict` as a function: the class itself has attributes that a template may use."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)


def render(template: str, renders: list[dict[str, Any]], date: str) -> list[str]:
    """Return the rendered template for each set of variables."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[GenerationTag, jinja2.ext.loopcontrols],
    )

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    def to_json(value: Any, **options: Any) -> str:
        return json.dumps(value, **{"ensure_ascii": False, **options})

    def strftime_now(form: str) -> str:
        return datetime.strptime(date, "%d %b %Y").strftime(form)

    environment.filters["tojson"] = to_json
    environment.globals |= {
        "raise_exception": raise_exception,
        "strftime_now": strftime_now,
        "dict": PlainDict(),
        "namespace": PlainNamespace,
    }
    compiled = environment.from_string(template)
    return [compiled.render(**variables) for variables in renders]


def limit_process(seconds: int, memory: int) -> None:
    """Bound CPU time and address space (bytes); forbid writing files."""
    for kind, amount in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]  # may be lower, and cannot be raised
        if hard == resource.RLIM_INFINITY or hard > amount:
            with suppress(ValueError, OSError):  # macOS bounds no address space
                resource.setrlimit(kind, (amount, amount))


def main() -> None:
    """Answer the one request on standard input."""
    request = json.load(sys.stdin)
    limits = request["limits"]
    limit_process(limits["seconds"], limits["memory"])
    try:
        texts = render(request["template"], request["renders"], request["date"])
        size = sum(map(len, texts))
        answer: dict[str, Any] = {"texts": texts}
        if size > limits["characters"]:
            answer = {"error": f"it makes {size:,} characters"}
    except MemoryError:
        answer = {"error": f"it takes more than {limits['memory'] >> 20} MiB"}
    except Exception as error:  # whatever a template may raise
        answer = {"error": f"{type(error).__name__}: {error}"[:300]}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
