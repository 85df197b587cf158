"""What a text names outright is read from it."""

from repobuild.locate.issue_text import QuotedFrame, read_issue

TEXT = """Group.command ignores `short_help`
<!-- please fill in -->
When I call `Group.command`, the help is lost, see src/click/core.py and
https://github.com/pallets/click/blob/main/src/click/parser.py#L20.

```python
from click import Group, echo as say
import click.testing
```

Traceback (most recent call last):
  File "/home/me/venv/site-packages/click/core.py", line 20, in command
    raise Trouble
src/click/decorators.py:7: in option
"""


def test_the_first_line_is_the_title():
    assert read_issue(TEXT).title == "Group.command ignores `short_help`"
    assert read_issue("only a title").body == ""


def test_frames_of_tracebacks_are_in_order_of_the_calls():
    assert read_issue(TEXT).frames == (
        QuotedFrame("/home/me/venv/site-packages/click/core.py", 20, "command"),
        QuotedFrame("src/click/decorators.py", 7, "option"),
    )


def test_paths_are_found_in_prose_and_in_links():
    paths = read_issue(TEXT).paths
    assert "src/click/core.py" in paths
    assert "src/click/parser.py" in paths


def test_names_are_those_in_backticks_and_those_written_like_code():
    text = read_issue(TEXT)
    assert text.quoted == ("short_help", "Group.command")
    assert "Group.command" in text.names
    assert "ignores" not in text.names


def test_what_an_html_comment_says_is_not_read():
    assert "please" not in read_issue(TEXT).prose


def test_hostile_texts_are_read_in_bounded_time():
    for piece in ("`", "```\n", "a.", 'File "', "/a", "from a import (", "\t", "<!--"):
        read_issue(piece * 40_000)
