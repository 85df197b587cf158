"""Claims that several files make together hold in the checker's reading, too."""

from __future__ import annotations

from pathlib import Path

from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, of_kind, sampled_fixture

VIEW = '''"""waits.{name}
    ---------------

    {purpose}
"""


def show_{name}(waits):
    """Show waits with {name}."""
    return [str(one) for one in waits]


def save_{name}(waits):
    """Save waits with {name}."""
    return [repr(one) for one in waits]
'''
# Two modules have both sentences in common, two more only the first of them.
_DRAWN = "Diagrams by Graphviz are drawn here. Partial views are drawn as well."
PURPOSES = {
    "graphviz": _DRAWN,
    "pygraphviz": _DRAWN,
    "texts": "Waits are written as plain text. Each line holds one wait of many.",
    "pages": "Waits are written as plain text. Each page holds a table of waits.",
}
FILES = {
    "pyproject.toml": '[project]\nname = "waits"\nversion = "1"\n',
    "waits/__init__.py": '''"""Wait for a call until it succeeds."""

from abc import ABC, abstractmethod


class BaseWait(ABC):
    """Wait for something, as each kind of it does."""

    def __init__(self, seconds):
        self.seconds = seconds

    @abstractmethod
    def begin(self, call):
        """Begin to wait for a call."""


class Wait(BaseWait):
    """Wait without doing anything else."""

    def begin(self, call):
        """Begin to wait for a call, and block."""
        return call(self.seconds)


def wait_for(call, kind):
    """Return what waits for a call, by the kind of the wait."""
    if kind == "async":
        return AsyncWait(call)
    if kind == "thread":
        return ThreadWait(call)
    return Wait(call)


from waits.loop import AsyncWait  # noqa: E402
from waits.thread import ThreadWait  # noqa: E402

__all__ = [
    "AsyncWait",
    "BaseWait",
    "Wait",
    "wait_for",
]
''',
    "waits/loop.py": '''"""Wait in a loop of events."""

from waits import BaseWait


class AsyncWait(BaseWait):
    """Wait in a loop of events, beside others."""

    def begin(self, call):
        """Begin to wait for a call, and go on."""
        return call(self.seconds, "loop")
''',
    "waits/thread.py": '''"""Wait in a thread."""

from waits import BaseWait


class ThreadWait(BaseWait):
    """Wait in a thread of its own, beside others."""

    def begin(self, call):
        """Begin to wait for a call, in a thread."""
        return call(self.seconds, "thread")
''',
    "waits/retry.py": '''"""Call something again after it failed."""


def retried(times):
    """Return a decorator that calls a function some times."""

    def decorate(function):
        def call_again(*given):
            for _ in range(times):
                result = function(*given)
            return result

        return call_again

    return decorate
''',
    "waits/sender.py": '''"""Send messages, and send those again that were lost."""

from waits.retry import retried


def marked(text):
    """Return a text with the mark of its end."""
    return text and text + "."


class Sender:
    """Send messages to somebody."""

    def __init__(self, target):
        self.target = target
        self.send_again = retried(times=3)(self.send)

    def send(self, message):
        """Send a message once."""
        return self.target.put(message)

    def count_sent(self, started, message):
        """Count a message that was sent."""
        self.counts[message] = started
''',
    "waits/queue_sender.py": '''"""Send messages through a queue."""

import time

from waits.sender import Sender, marked


class Plain:
    """Keep a message as it is given."""

    def __init__(self, message):
        self.message = message


class Packed:
    """Keep a message in a small form."""

    def __init__(self, message):
        self.message = message


Kept = Plain if time.daylight else Packed


class QueueSender(Sender):
    """Send messages through a queue of them."""

    def push(self, message, kind="async"):
        """Push a message, again where it was lost."""
        text = marked(message)
        if not text:
            raise ValueError("there is no text")
        sent = self.send_again(text)
        self.target.flush()
        return sent, kind

    def push_counted(self, message):
        """Push a message, and count how often that took long."""
        started = time.time()
        sent = self.send_again(message.text)
        self.count_sent(started, message)
        return sent
''',
    "waits/keep.py": '''"""Keep messages for later."""

from waits.queue_sender import Kept
from waits.sender import marked


def kept_message(message, kept):
    """Keep a message for later, beside others."""
    if message in kept:
        raise ValueError("it is kept")
    one = Kept(marked(message))
    kept.append(one)
    return one
''',
    "waits/remote.py": '''"""Send messages to another machine."""

from waits.generated import messages_pb2
from waits.retry import retried
from waits.sender import marked


def send_remote(stub, text):
    """Send a text to another machine, three times at most."""
    request = messages_pb2.Request(text=marked(text))
    if not request.text:
        raise ValueError("there is no text")
    send = retried(3)(stub.Send)
    answer = send(request)
    stub.close()
    return answer


def send_near(stub, text):
    """Send a text to a machine that is near, three times at most."""
    request = stub.Request(text=marked(text))
    if not request.text:
        raise ValueError("there is no text")
    send = retried(3)(stub.Send)
    answer = send(request)
    stub.close()
    return answer
''',
    "waits/views/__init__.py": '"""Show what is waited for."""\n',
    **{
        f"waits/views/{name}.py": VIEW.format(name=name, purpose=purpose)
        for name, purpose in PURPOSES.items()
    },
}
waits = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(waits: Sampled) -> None:
    assert waits.audit().wrong == []


def test_a_list_and_the_imports_of_one_file_name_different_siblings(
    waits: Sampled,
) -> None:
    steps = [
        one["answer"] for key, one in waits.samples.items() if key.startswith("plans//")
    ]
    (step, *_) = (one for one in steps if "which imports 2 of 3 siblings" in one)
    assert "which lists 2 of 3 siblings" in step


def test_a_sentence_that_two_modules_have_is_the_purpose_of_neither(
    waits: Sampled,
) -> None:
    (answer, *_) = [
        one["answer"]
        for one in of_kind(waits, "package_parts", "waits/views/__init__.py")
    ]
    assert "- `waits/views/graphviz.py`\n" in answer
    assert "- `waits/views/pygraphviz.py`\n" in answer
    assert "`waits/views/texts.py`: Each line holds one wait of many." in answer


def test_code_is_not_asked_for_its_imports_where_the_tree_lacks_a_module(
    waits: Sampled,
) -> None:
    asked = {
        one["element"]
        for one in waits.samples.values()
        if one["task"] == "import_completion"
    }
    assert "waits/remote.py::send_near" in asked
    assert "waits/remote.py::send_remote" not in asked


def test_a_call_of_an_attribute_runs_what_the_base_class_assigned(
    waits: Sampled,
) -> None:
    told = waits.answers("waits/queue_sender.py::QueueSender.push_counted")
    assert any("call_again" in one for one in told)


def test_a_call_of_a_name_for_either_class_is_told_as_none_of_them(
    waits: Sampled,
) -> None:
    told = waits.answers("waits/keep.py::kept_message")
    assert told and not any("`Plain`" in one for one in told)


def test_what_calls_itself_by_a_partial_of_itself_is_told_so(tmp_path: Path) -> None:
    code = (
        "from functools import partial\n\n\n"
        "def holds(tree, known):\n"
        '    """Return whether a tree holds."""\n'
        "    inner = partial(holds, known=known)\n"
        "    return tree in known or any(inner(one) for one in tree)\n\n\n"
        "def judge(tree):\n"
        '    """Judge a tree."""\n'
        "    return holds(tree, {})\n"
    )
    sampled = Sampled(tmp_path, {"trees.py": code}, **ALL_IN_ENGLISH)
    told = sampled.answers("trees.py::holds")
    assert any("It also calls itself." in one for one in told)
    assert sampled.audit().wrong == []
