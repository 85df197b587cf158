"""Code that would end its own Markdown fence is not quoted; what is, is whole."""

from __future__ import annotations

from pathlib import Path

from repobuild.samples.dataset.all_samples import AllSamples
from tests.repository import Repository
from tests.standard import Standard

PAGE = '''

def page_{n}(title):
    """Make page number {n} of a manual."""
    text = """
# {{title}} {n}

{fence}
run {n}
{fence}
"""
    text = text.format(title=title)
    return text.strip()
'''
TEST = '''from tpl import page_0


def test_page():
    """Check that a page is as it was."""
    page = page_0("""
```
run
```
""")
    assert page == "something that is longer"
'''


def test_code_that_holds_a_fence_at_the_margin_is_not_quoted(tmp_path: Path) -> None:
    pages = "".join(PAGE.format(n=n, fence="```") for n in range(6))
    others = "".join(PAGE.format(n=n, fence="    ```") for n in range(6, 9))
    repository = Repository(tmp_path / "repository")
    head = '"""Make pages."""\n'
    repository.commit({"tpl.py": head + pages + others, "tests/test_tpl.py": TEST})
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("samples")
    samples = dict(AllSamples.of(standard.open()).entries())
    quoted = set()
    for key, sample in samples.items():
        for text in (sample["question"], sample["answer"]):
            if "text.format(title=title)" in text and "```" in text:
                quoted.add(key.partition("#")[0])
                assert text.count("\n```") + text.startswith("```") <= 2
    # An indented fence ends nothing; not every element gets such a question.
    assert quoted and quoted <= {f"tpl.py::page_{n}" for n in range(6, 9)}
    standard.close()
