"""The scores of the first reports, including their known weakness."""

from __future__ import annotations

from repobuild.evaluate.scoring import first_scores
from repobuild.evaluate.scoring.first_scores import ScoredElement

ELEMENTS = [
    ScoredElement(name, "core/agent_runtime.py")
    for name in ("AgentRuntime", "run_loop", "MessageBus", "setup_tools")
]


def test_project_knowledge_gives_points_for_each_keyword() -> None:
    def points(response: str) -> float:
        return first_scores.repo_specific(response, "Laddr", ELEMENTS)

    assert points("nothing to see") == 0
    assert points("Laddr") == 30
    assert points("core/agent_runtime.py") == 20 + 15  # `core` is architecture
    assert points("MessageBus") == 5
    assert points("AgentRuntime run_loop MessageBus setup_tools") == 20
    assert points("```python\n```") == 15
    assert points("架构") == 15


def test_code_understanding_gives_points_for_each_keyword() -> None:
    assert first_scores.code_understanding("作用") == 0  # too short
    assert first_scores.code_understanding("作用" + "。" * 100) == 40
    assert first_scores.code_understanding("Parameter x") == 15
    assert first_scores.code_understanding("返回") == 15
    assert first_scores.code_understanding("```x```") == 30


def test_an_answer_of_nothing_but_keywords_scores_100() -> None:
    """This is why the report labels these scores and adds strict ones."""
    empty_talk = (
        "Laddr core module 功能 参数 返回 AgentRuntime run_loop MessageBus setup_tools "
        "core/agent_runtime.py and much more of what anybody could say of anything.\n"
        "```python\npass\n```"
    )
    assert first_scores.score_response(empty_talk, "Laddr", ELEMENTS).total == 100


def test_the_total_weighs_60_30_10() -> None:
    assert first_scores.FirstScores(95.0, 85.0, 80.0).total == 90.5


def test_repetition_and_an_open_code_block_cost_general_points() -> None:
    assert (
        first_scores.general("A unit test checks one small part of a program.") == 100
    )
    assert first_scores.general("") == 0
    assert first_scores.general("the same line\n" * 10) < 50
    assert (
        first_scores.general("An example of the call follows here:\n```python\nf()")
        < 100
    )
