"""Task `code_location`: where something is, and what is where."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repobuild.code.scan.file_roles import is_form, is_test_data, tells_of_past
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope
from repobuild.samples.text.summary.purpose import lead

# A heading that only one document has: not "Options", not "Version 8.1".
_SPECIFIC_HEADING = re.compile(
    r"(?i)^(?!version\b|v?\d|indices and tables$|table of contents$)"
    r"(?=.*[^\W\d]{3}.*\s.*[^\W\d]{3}|[^\x00-\x7f]{4})"
)
# Only the build of a document in reStructuredText knows what it stands for.
_SUBSTITUTION = re.compile(r"\|[\w-]+\|")
# A README below the folder of tests is of some data; one in it says how to run them.
_OF_TEST_DATA = re.compile(r"(?:^|/)tests?/.+/[^/]+$")
# What any document may have, and not the one that is meant alone.
_ANY_HEADING = re.compile(
    r"(?:使用|安装|快速|常见|更新|贡献|参考|相关|项目|代码|运行|环境|配置|联系|开源|致谢|免责"
    r"|版权|功能|接口|其他|注意|版本|依赖|基本|简单|高级|示例|下载|支持|数据|效果|目录)"
    r"(?:示例|说明|方法|方式|教程|指南|开始|入门|上手|问题|日志|记录|资料|文献|链接|结构|代码"
    r"|要求|依赖|配置|我们|协议|声明|特性|介绍|列表|文档|事项|步骤|流程|用法|使用|安装|准备"
    r"|历史|展示|概述|简介|演示|作者|感谢)"
)
# Who uses it is no description of what it does.
_TELLS_USERS = re.compile(r"(?i)(?:used|called|invoked|needed) (?:by|in|from|when)\b")
SHORTEST_CLUE = 24  # characters; "Return the name." fits any element


def facts(scope: FactScope) -> Iterator[Fact]:
    kind = scope.get("kind")
    path = str(scope.get("path"))
    if is_test_data(path) or is_form(path):
        return
    if kind == "lines":
        start, end = str(scope.get("start")), str(scope.get("end"))
        if start != end:  # a range; code on one line is hardly asked for
            answer = scope.answer("lines", start=start, end=end)
            yield Fact("lines", answer, (scope.id,))
    elif kind in ("function", "method", "class"):
        yield from _element(scope)
    elif kind == "section":
        is_current = not tells_of_past(path)
        title = str(scope.get("label"))
        is_current &= not scope.get("titles_readme")  # it is the project's own
        is_current &= not _ANY_HEADING.fullmatch(title.strip(" :：。"))
        is_current &= not _SUBSTITUTION.search(title)
        is_current &= not _OF_TEST_DATA.search(path)
        if is_current and _SPECIFIC_HEADING.search(title):
            answer, repeated = scope.answer("heading"), bool(scope.get("repeated"))
            yield Fact("heading", answer, (scope.id,), ambiguous=repeated)
    elif kind == "document":
        yield from _sections(scope)
    elif kind in ("module", "file") and not _is_cut(scope):
        yield from _contents(scope)


def _contents(scope: FactScope) -> Iterator[Fact]:
    """What a file defines; of one without functions and classes its other names."""
    if scope.get("brief"):
        return
    members = scope.get("members") or ()
    if not members and (constants := answer_parts.list_constants(scope)):
        text = scope.phrases.words["only_constants"].format(items=constants)
        answer = scope.answer("contents", members=text)
        answer += answer_parts.render_other_names(scope)
        yield Fact("contents", answer, (scope.id,))
        return
    # A file with too many is cut.
    text, ids = answer_parts.list_field(scope, "members", len(members))
    largest = map(strip_counts, scope.get("largest") or ())
    # A list that is cut has to name at least what the file is there for.
    if text and all(f"`{name}`" in text for name in largest):
        answer = scope.answer("contents", members=text)
        answer += answer_parts.render_constants(scope)
        yield Fact("contents", answer, (scope.id, *ids))


def _element(scope: FactScope) -> Iterator[Fact]:
    # Tests are not located: users do not ask for it, and their names are hard to learn.
    # After one training on both, 62 % of the paths of code were right in a trained
    # phrasing, and 17 % of the paths of tests.
    if scope.get("brief"):
        return
    # A shared label names the module, so the question would hold its answer.
    # Nobody asks where `__iter__` is, nor where the `__init__` of a class is.
    is_bare_dunder = str(scope.get("name")).startswith("__")
    if scope.get("label") and not scope.get("shared") and not is_bare_dunder:
        is_ambiguous = bool(scope.get("variable"))  # which is asked for, too
        yield Fact(
            "location", scope.answer("location"), (scope.id,), ambiguous=is_ambiguous
        )
    clue = lead(scope.get("summary"))
    is_clue = len(clue) >= SHORTEST_CLUE and not _is_named_in(scope, clue)
    is_clue &= not _TELLS_USERS.match(clue)
    if is_clue and not scope.get("name").startswith("__"):
        yield Fact(
            "reverse",
            scope.answer("reverse"),
            (scope.id,),
            "medium",
            {"summary": clue},
            ambiguous=bool(scope.get("repeated")),
        )
    is_method = scope.get("kind") == "method" and not scope.is_property
    # Where a file has one class, or every class the method, nobody asks which it is.
    is_method = is_method and not scope.get("name").startswith("__")
    if is_method and scope.get("sole") and not scope.get("only_class"):
        yield Fact("container", scope.answer("container"), (scope.id,))


def _is_named_in(scope: FactScope, clue: str) -> bool:
    """Return whether a description has the name that it is to lead to.

    A name that is a word, `open`, may well be there by chance.
    """
    bare = str(scope.get("name")).strip("_")
    is_word = bare.islower() and "_" not in bare
    return not is_word and bool(re.search(rf"(?<!\w)_*{re.escape(bare)}\b", clue))


def _sections(scope: FactScope) -> Iterator[Fact]:
    quoted = scope.phrases.words["quoted"]
    titles = [quoted.format(text=title) for title in scope.get("titles") or []]
    is_plain = not any(map(_SUBSTITUTION.search, titles))
    if len(titles) > 1 and is_plain:  # one is its title
        text = scope.phrases.listed(titles)
        sources = (scope.id, *scope.get("members"))
        yield Fact("sections", scope.answer("sections", members=text), sources)


def _is_cut(scope: FactScope) -> bool:
    """Return whether a file defines more than anybody wants to be listed."""
    return "members" in (scope.get("more") or ())
