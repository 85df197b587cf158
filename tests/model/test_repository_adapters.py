"""The benchmark of repository adapters: tasks, splits, stop rule and statistics."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pygit2
import pytest
import torch

from repobuild.model.bundled.corpus import read_text
from repobuild.model.hypernet.lora_weights import overlap
from repobuild.model.hypernet.shapes import ModelShape
from tests.benchmarks.repository_adapters import (
    battery,
    completion,
    evo,
    evolution,
    gradient,
    lora,
    networks,
    results,
    vectors,
)
from tests.benchmarks.repository_adapters.exam import asked_windows, choose_tasks
from tests.benchmarks.repository_adapters.repositories import (
    LIST,
    Repository,
    at_revision,
    is_test_path,
    read_list,
)
from tests.benchmarks.repository_adapters.tasks import (
    Kind,
    Stratum,
    find_places,
    repository_windows,
)

SOURCE = """
LIMIT = 3

class Box:
    def __init__(self):
        self.shelf = []

    def fetch_all(self):
        return self.shelf

class BoxError(Exception):
    pass
"""
TEST = """
import pytest
from box import Box, BoxError

def test_fetch(box):
    assert box.fetch_all() == []
    assert len("a") == 1
    with pytest.raises(BoxError):
        box.open("x")

class TestMore:
    def test_one(self):
        self.assertEqual(make(), Box())
"""


def repository(**texts: str) -> Repository:
    files = {path.replace("__", "/") + ".py": text for path, text in texts.items()}
    found = [read_text(text.encode(), path) for path, text in files.items()]
    assert None not in found
    source = tuple(f for f in found if f and not is_test_path(f.path))
    return Repository(
        "a/b", source, tuple(f for f in found if f and is_test_path(f.path))
    )


BOX = repository(box__base=SOURCE, tests__test_box=TEST)


def test_tasks_are_assertions_imports_and_calls():
    tasks = repository_windows(BOX).tasks
    found = {(task.kind, task.target.strip()) for task in tasks}
    assert found == {
        (Kind.ASSERTION, "[]"), (Kind.ASSERTION, "1"), (Kind.ASSERTION, "BoxError"),
        (Kind.ASSERTION, "Box()"), (Kind.IMPORT, "Box"), (Kind.IMPORT, "BoxError"),
        (Kind.CALL, ".fetch_all"), (Kind.CALL, ".open"),
    }  # fmt: skip
    forms = {t.target.strip(): t.stratum for t in tasks if t.kind is Kind.ASSERTION}
    assert forms["1"] is Stratum.NUMBER
    assert forms["Box()"] is Stratum.CALL


def test_a_prompt_ends_where_its_target_begins():
    windows = repository_windows(BOX)
    for task in windows.tasks:
        text = windows.texts[task.window]
        assert text.startswith(windows.prompt(task) + task.target)


def test_a_task_needs_the_repository_for_names_that_the_prompt_lacks():
    windows = repository_windows(BOX)
    needed = {
        windows.texts[task.window][a:b]
        for task in windows.tasks
        for a, b in task.needed
    }
    # `Box()` and `raises(BoxError)` come after the import that names them.
    assert needed == {"Box", "BoxError", "fetch_all"}
    for task in windows.tasks:
        for a, b in task.needed:
            name = windows.texts[task.window][a:b]
            assert name in BOX.defined
            assert name not in windows.prompt(task).replace(".", " ").split()


def test_a_name_inside_a_string_is_not_needed():
    made = repository(
        box__base=SOURCE, tests__test_x="def test_x():\n    assert f() == 'fetch_all'\n"
    )
    assert not any(task.needed for task in repository_windows(made).tasks)


def test_an_insertion_above_makes_no_task_another():
    before = {t.identity for t in repository_windows(BOX).tasks}
    moved = TEST.replace(
        "def test_fetch", "def helper():\n    return 1\n\ndef test_fetch"
    )
    after = {
        t.identity
        for t in repository_windows(
            repository(box__base=SOURCE, tests__test_box=moved)
        ).tasks
    }
    assert before <= after


def test_every_task_of_a_file_has_an_identity_of_its_own():
    text = "def test_a():\n    assert f() == 1\n    assert f() == 1\n    a.b(a.b())\n"
    file = read_text(text.encode(), "tests/test_a.py")
    assert file is not None
    found = [
        (place.kind, identity) for identity, place in find_places(file, frozenset())
    ]
    assert len(found) == len(set(found)) == 4


@pytest.mark.parametrize(
    "path",
    ["tests/a.py", "pkg/test_a.py", "pkg/a_test.py", "conftest.py", "pkg/testing/a.py",
     "testsuite/x.py", "pkg/_tests/deep/a.py"],
)  # fmt: skip
def test_no_test_is_source(path):
    assert is_test_path(path)


def test_source_and_tests_share_no_file(tmp_path: Path):
    git = tmp_path / "git"
    subprocess.run(["git", "init", "-q", str(git)], check=True)
    for path, text in {
        "box/base.py": SOURCE,
        "tests/test_box.py": TEST,
        "docs/conf.py": "x = 1\n",
        "setup.py": "import os\n",
    }.items():
        (git / path).parent.mkdir(exist_ok=True)
        (git / path).write_text(text)
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["add", "."], [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(git), *arguments], check=True)
    made = at_revision(pygit2.Repository(str(git)), "a/b", "HEAD")
    assert [file.path for file in made.source] == ["box/base.py"]
    assert [file.path for file in made.tests] == ["tests/test_box.py"]


def test_the_list_holds_each_repository_once_at_a_commit():
    listed = read_list()
    names = [one.name for one in listed]
    assert len(set(names)) == len(names)
    assert all(len(one.commit) == 40 for one in listed)
    assert sum(one.held_out for one in listed) >= 24
    assert sum(not one.held_out for one in listed) >= 60


def test_no_listed_repository_was_trained_on_by_the_embedded_base():
    import json

    from repobuild.model.base import bundled_model

    folder, _ = bundled_model()
    recipe = json.loads((Path(folder) / "recipe.json").read_text("utf-8"))
    trained = {p["name"] for p in recipe["packages"] if not p["held_out"]}
    named = {
        one.name.split("/")[1].lower().replace("_", "-") for one in read_list(LIST)
    }
    assert named & trained == set()


def many_tests() -> Repository:
    functions = "".join(
        f"def test_{n}():\n    assert value_{n}.fetch_all({n}) == {n}\n"
        + "    # " + "x" * 900 + "\n\n"
        for n in range(60)
    )  # fmt: skip
    return repository(box__base=SOURCE, tests__test_many=functions)


def test_the_two_sides_of_the_within_split_share_nothing():
    windows = repository_windows(many_tests())
    trained, measured = asked_windows(windows)
    assert trained and measured
    assert not trained & measured

    def of(numbers: frozenset[int]) -> set[tuple[str, str, str]]:
        return {
            (t.identity.function, t.identity.statement, t.target)
            for t in windows.tasks
            if t.window in numbers
        }

    assert not of(trained) & of(measured)
    assert not {f for f, _, _ in of(trained)} & {f for f, _, _ in of(measured)}


def test_what_is_asked_depends_on_no_model_and_is_the_same_each_time():
    windows = repository_windows(many_tests())
    first = choose_tasks(windows, needed=False)
    assert first == choose_tasks(windows, needed=False)
    assert len({task.window for task in first}) <= 6


def test_a_choice_among_new_tasks_takes_no_other():
    windows = repository_windows(many_tests())
    new = [task for task in windows.tasks if task.window < 3]
    chosen = choose_tasks(windows, needed=False, of=new)
    assert chosen and set(chosen) <= set(new)


class History:
    """A git repository whose commits are whole trees."""

    def __init__(self, folder: Path) -> None:
        subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
        self.folder = folder

    def commit(self, **texts: str) -> str:
        for old in self.folder.rglob("*.py"):
            old.unlink()
        for path, text in texts.items():
            file = self.folder / f"{path.replace('__', '/')}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        for arguments in (["add", "-A"], [*who, "commit", "-qm", "x"]):
            subprocess.run(["git", "-C", str(self.folder), *arguments], check=True)
        return str(pygit2.Repository(str(self.folder)).head.target)

    def new_targets(self) -> list[list[str]]:
        git = pygit2.Repository(str(self.folder))
        commits = evolution.history(git, "HEAD", 100)
        return [
            [task.target.strip() for task in found.tasks]
            for found in evolution.evolution(git, "a/b", commits)
        ]


def test_a_commit_asks_only_what_no_commit_asked_before(tmp_path: Path):
    made = History(tmp_path)
    one = "def test_a():\n    assert f(1) == 1\n"
    two = one + "\ndef test_b():\n    assert f(2) == 2\n"
    made.commit(box=SOURCE, tests__test_box=one)
    made.commit(box=SOURCE, tests__test_box="import os\n\n" + one)  # a line above
    made.commit(box=SOURCE, tests__test_moved="import os\n\n" + one)  # renamed
    made.commit(box=SOURCE, tests__test_moved=two)  # test_b is new
    made.commit(box=SOURCE, tests__test_moved=one)
    made.commit(box=SOURCE, tests__test_moved=two)  # it comes back
    made.commit(box=SOURCE, tests__test_moved=two.replace("== 2", "== 3"))
    assert made.new_targets() == [["2"], ["3"]]


def test_a_diff_that_moves_a_state_has_no_test_in_it(tmp_path: Path):
    made = History(tmp_path)
    made.commit(box=SOURCE, tests__test_a="def test_a():\n    assert f(1) == 1\n")
    made.commit(
        box=SOURCE.replace("LIMIT = 3", "LIMIT = 4"),
        tests__test_a="def test_a():\n    assert f(2) == 2\n",
        docs__conf="x = 1\n",
    )
    git = pygit2.Repository(str(tmp_path))
    (commit,) = evolution.history(git, "HEAD", 100)
    text = evo.source_diff(git, commit)
    assert "+LIMIT = 4" in text
    assert "f(2)" not in text and "x = 1" not in text


@pytest.fixture(scope="module")
def bench() -> lora.Bench:
    return lora.Bench.load()


def test_tasks_of_one_window_are_measured_as_if_each_were_alone(bench):
    windows = repository_windows(BOX)
    exam = lora.make_exam(bench, windows, windows.tasks, needed=False)
    together = lora.task_losses(bench, exam, None).tasks
    for number, (window, counted) in enumerate(exam.places):
        ids = exam.ids[window][: counted[-1] + 1]  # nothing after the target
        with torch.no_grad():
            logits = bench.model(input_ids=ids[None]).logits[0].float()
        at = torch.tensor(counted)
        alone = torch.nn.functional.cross_entropy(logits[at - 1], ids[at])
        assert together[number] == pytest.approx(float(alone), abs=0.03)


def test_counted_tokens_are_of_needed_identifiers_alone(bench):
    windows = repository_windows(BOX)
    tasks = [task for task in windows.tasks if task.needs_repository]
    exam = lora.make_exam(bench, windows, tasks)
    texts = {
        bench.tokenizer.decode(exam.ids[window][list(counted)]).strip(" .")
        for window, counted in exam.places
    }
    assert texts == {"Box", "BoxError", "fetch_all"}
    for window, others in enumerate(exam.others):
        assert not set(others) & {i for w, at in exam.places if w == window for i in at}


def test_a_change_leaves_the_base_bit_for_bit_as_it_was(bench):
    before = {n: p.clone() for n, p in bench.model.named_parameters()}
    name = next(n for n in before if n.endswith("down_proj.weight"))
    with lora.Changed(bench, {name: torch.ones_like(before[name], dtype=torch.float)}):
        assert not torch.equal(dict(bench.model.named_parameters())[name], before[name])
    for other, parameter in bench.model.named_parameters():
        assert torch.equal(parameter, before[other])


def test_the_mean_of_adapters_is_the_mean_of_their_changes():
    one = {"w.A": torch.tensor([[1.0, 0.0]]), "w.B": torch.tensor([[1.0], [0.0]])}
    other = {"w.A": torch.tensor([[0.0, 1.0]]), "w.B": torch.tensor([[0.0], [1.0]])}
    changes = [lora.change_of(one), lora.change_of(other)]
    assert lora.mixture(changes, [0.5, 0.5])["w"].tolist() == [[0.5, 0.0], [0.0, 0.5]]


def test_matrices_by_target_become_factors_by_weight_and_back(bench):
    shape = ModelShape.read(bench.folder)
    torch.manual_seed(0)
    shared = networks.Shared(shape)
    for high in shared.b.values():
        torch.nn.init.normal_(high)
    made = shared.weights("")
    again = networks.as_weights(networks.as_factors(made, shape), shape)
    assert overlap(made, again).cosine == pytest.approx(1)
    assert again.scale == 1
    one, other = (networks.change_of_weights(x, shape) for x in (made, again))
    assert all(torch.allclose(one[name], other[name]) for name in one)


def test_a_margin_changes_nothing_of_what_is_shown_and_when(bench, monkeypatch):
    shown: list[tuple[str, tuple[int, ...]]] = []

    def loss(_, lora, exam, rows):
        shown.append((exam.repository, tuple(rows)))
        return lora.b["q_proj"].sum()

    monkeypatch.setattr(networks, "counted_loss", loss)
    windows = tuple(torch.zeros(1) for _ in range(9))
    places = [(number, (0,)) for number in range(8)]  # the last window counts nothing
    exams = {
        name: SimpleNamespace(repository=name, ids=windows, places=places)
        for name in ("a", "b", "c")
    }
    orders = []
    for weight in (0.0, 0.5):
        shown.clear()
        recipe = networks.NetworkRecipe(steps=7, margin_weight=weight)
        network = networks.Shared(ModelShape.read(bench.folder))
        networks.train_network(bench, network, exams, recipe, print)
        orders.append(shown[:: 2 if weight else 1])
    assert orders[0] == orders[1] and len(orders[0]) == 7
    assert not any(8 in rows for _, rows in orders[0])


def test_names_as_an_input_are_near_for_near_frequencies():
    torch.manual_seed(0)
    one, far = torch.rand(500), torch.rand(500)
    near = one + 0.01 * torch.rand(500)
    read = [networks.names_input(f, 64).vector for f in (one, near, far)]
    assert read[0].shape == (128,)
    assert (read[0] - read[1]).norm() < 0.2 * (read[0] - read[2]).norm()


def test_a_snapshot_encodes_only_what_changed(bench):
    known: vectors.Known = {}
    first = vectors.encode(bench, BOX, known)
    assert list(known) == [BOX.source[0].text]
    again = vectors.encode(bench, BOX, known)
    assert len(known) == 1
    assert torch.equal(first.files, again.files)


def test_the_rows_of_one_seed_are_read_alone(tmp_path: Path):
    found = results.Results(tmp_path / "x.jsonl")
    for seed in (1, 2):
        found.add(results.Row("own", "a", ("call",), (float(seed),), seed=seed))
    assert found.means("own") == {"a": 1.5}
    assert found.of_seed(2).means("own") == {"a": 2.0}
    assert len(found.rows) == 2


def test_the_spread_sees_adapters_that_are_all_one():
    one = {"w": torch.ones(2, 2)}
    assert lora.spread([one, one, one]) == pytest.approx((1, 0))
    other = {"w": torch.tensor([[1.0, 1.0], [-1.0, -1.0]])}
    assert lora.spread([one, other]) == pytest.approx((0, 0.5**0.5))


def test_a_step_of_the_gradient_has_rank_8_and_lowers_the_loss_of_its_source(bench):
    made = many_tests()
    factors = gradient.gradient_factors(bench, made)
    assert {tensor.shape[0] for n, tensor in factors.items() if n.endswith(".A")} == {8}
    windows = repository_windows(made)
    # The source as its own exam: what is learnt is measured where it was learnt.
    texts = tuple(lora.source_documents(made))
    ids = tuple(torch.tensor(bench.tokens(text)) for text in texts)
    others = tuple(tuple(range(1, len(row))) for row in ids)
    exam = lora.Exam("a/b", windows, (), ids, (), others)
    before = lora.task_losses(bench, exam, None).other
    change = gradient.at_rate(lora.change_of(factors), 0.025)
    assert lora.task_losses(bench, exam, change).other < before
    assert not any(p.requires_grad for p in bench.model.parameters())


@pytest.mark.parametrize(
    ("kind", "text", "over"),
    [
        (Kind.CALL, ".fetch_all(x)", ".fetch_all"),
        (Kind.CALL, ".fetch", None),
        (Kind.IMPORT, " Box, Other", " Box"),
        (Kind.IMPORT, "(\n", "(\n"),
        (Kind.ASSERTION, " 3\n", " 3"),
        (Kind.ASSERTION, " [1, 2], 'why'", " [1, 2]"),
        (Kind.ASSERTION, " f(a, ')'))", " f(a, ')')"),
        (Kind.ASSERTION, " '#1, 2'  # no", " '#1, 2'  "),
        (Kind.ASSERTION, " {1: '", None),
        (Kind.ASSERTION, " [1,\n 2]", None),
        (Kind.ASSERTION, ' """a\n"""\n', ' """a\n"""'),
        (Kind.ASSERTION, " 'a\\'b'\n", " 'a\\'b'"),
    ],
)
def test_the_stop_rule(kind, text, over):
    assert completion.stopped(text, kind) == over


def test_the_stop_rule_is_blind_to_the_target():
    """It is given no target, and a longer text never moves the end."""
    texts = {
        Kind.CALL: (".name(1)\n", ".a.b"),
        Kind.IMPORT: (" Box as B\n", " Box)\n"),
        Kind.ASSERTION: (" [a, (b)] + c\n x", " 'x, y' % z, 3", " f() == g())\n"),
    }
    for kind, some in texts.items():
        for text in some:
            found = [completion.stopped(text[:n], kind) for n in range(len(text) + 1)]
            assert len({over for over in found if over is not None}) == 1, text


def test_exact_match_compares_syntax_and_similarity_texts():
    assert completion.score(" 'a'", ' "a"').exact
    assert completion.score("[1,2]", "[1, 2]").exact
    assert not completion.score(" 1", " 2").exact
    assert not completion.score(" (", " (1)").exact
    assert completion.score(".fetch_one", ".fetch_all").similarity > 0.5


def test_the_bootstrap_is_paired_and_over_repositories():
    rng = np.random.default_rng(1)
    level = {f"r{n}": float(x) for n, x in enumerate(rng.normal(3, 1, 24))}
    lower = {name: x - 0.1 + 0.01 * rng.normal() for name, x in level.items()}
    found = results.paired_bootstrap(lower, level)
    # Repositories differ by 1 nat, and yet 0.1 nats in each are seen.
    assert -0.11 < found.low < found.mean < found.high < -0.09
    assert found.better == found.count == 24
    none = results.paired_bootstrap(level, level)
    assert none.low == none.high == 0


def test_results_continue_after_a_cut_at_every_byte(tmp_path: Path):
    whole = tmp_path / "whole.jsonl"
    kept = results.Results(whole)
    for name in ("a/a", "b/b"):
        kept.add(results.Row("own", name, ("call", "import"), (1.0, 2.5)))
    data = whole.read_bytes()
    for size in range(len(data) + 1):
        part = tmp_path / "part.jsonl"
        part.write_bytes(data[:size])
        again = results.Results(part)
        for name in ("a/a", "b/b"):
            if not again.has("own", name):
                again.add(results.Row("own", name, ("call", "import"), (1.0, 2.5)))
        assert results.Results(part).means("own") == {"a/a": 1.75, "b/b": 1.75}, size


def test_draws_are_of_other_repositories_and_repeat_none_early():
    names = [f"r{n}" for n in range(21)]
    for name in names:
        found = [battery.drawn(name, names, draw) for draw in range(20)]
        assert name not in found
        assert len(set(found)) == 20
