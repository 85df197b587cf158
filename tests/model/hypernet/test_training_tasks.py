"""Tasks ask for what only the repository knows, and keep their identity."""

from __future__ import annotations

import pytest

from repobuild.errors import UsageError
from repobuild.model.hypernet.sources import diff_text, is_encoded, read_sources
from repobuild.model.hypernet.training.training_set import read_list
from repobuild.model.hypernet.training.training_tasks import make_tasks
from tests.repository import Repository

FILES = {
    "shop/cart.py": (
        "from shop.price import price_of\n\n"
        "def total(names):\n    return sum(price_of(n) for n in names)\n"
    ),
    "shop/price.py": "def price_of(name):\n    return len(name)\n",
    "tests/test_cart.py": (
        "from shop.cart import total\n\n"
        "def test_total():\n    assert total(['ab']) == 2\n"
    ),
}


def tasks(files: dict[str, str], tmp_path) -> dict[str, tuple[str, str]]:
    repository = Repository(tmp_path / "shop")
    repository.commit(files)
    return {
        f"{task.kind} {task.path}": (task.prompt, task.target)
        for task in make_tasks(read_sources(repository.path))
    }


def test_names_are_asked_where_the_prompt_does_not_have_them(tmp_path):
    made = tasks(FILES, tmp_path)
    assert made["import shop/cart.py"] == ("from shop.price import ", "price_of")
    assert "call shop/cart.py" not in made  # it was imported above
    prompt, target = made["assert tests/test_cart.py"]
    assert prompt.endswith("assert total(['ab']) == ")
    assert target == "2"


def test_a_task_stays_the_same_when_lines_move(tmp_path):
    def identities(name: str, head: str) -> set[tuple[str, ...]]:
        repository = Repository(tmp_path / name)
        test = {"tests/test_cart.py": head + FILES["tests/test_cart.py"]}
        repository.commit({**FILES, **test})
        return {t.identity for t in make_tasks(read_sources(repository.path))}

    assert identities("one", "") == identities("two", "# more\nimport os\n\n")


def test_no_test_is_encoded(tmp_path):
    repository = Repository(tmp_path / "shop")
    first = repository.commit(FILES)
    sources = read_sources(repository.path)
    assert sorted(sources.encoded) == ["shop/cart.py", "shop/price.py"]
    assert sorted(sources.tests) == ["tests/test_cart.py"]
    assert not is_encoded("pkg/tests/data.py")
    blobs = {entry.name: str(entry.id) for entry in repository.git[first].tree / "shop"}
    changes = [
        ["A", "", "", "shop/cart.py", blobs["cart.py"]],
        ["A", "", "", "tests/test_cart.py", blobs["price.py"]],
    ]
    text = diff_text(changes, lambda blob: repository.git[blob].data)
    assert "+from shop.price import price_of" in text
    assert "test_cart" not in text


def test_a_folder_without_git_is_read_too(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "plain" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "plain/shop/broken.py").write_text("def (:\n")
    assert len(make_tasks(read_sources(tmp_path / "plain"))) >= 2


def test_a_list_names_folders_and_tasks(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("# mine\none\n\ntwo\ttwo.jsonl\n")
    with pytest.raises(UsageError, match=r'two\.jsonl" cannot be read: no such file'):
        read_list(path)
    (tmp_path / "two.jsonl").write_text("")
    one, two = read_list(path)
    assert (one.place, one.tasks) == (tmp_path / "one", None)
    assert two.tasks == tmp_path / "two.jsonl"
    path.write_text("one\n")
    with pytest.raises(UsageError, match="2 at least"):
        read_list(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_list(tmp_path / "nowhere")
