"""An adapter in use: exported, it is complete for strangers and tells them nothing
else; asked, it answers beside its base."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from repobuild.cli.main import run
from repobuild.model.adapter.lineage import Known, Manifest
from repobuild.model.base import resolve_base
from repobuild.model.compare import AnswerPiece
from repobuild.model.generate import Question, TextGenerator
from repobuild.model.grounding import GroundedQuestion
from tests.model.test_nano import make_base, settings
from tests.promises.test_from_commit_to_adapter import SETTINGS, module
from tests.repository import Repository, trust_settings

TOKEN = "ghp_" + "a1B2" * 9
ALONE = "import sys; sys.modules['repobuild'] = None\n"
SAME_LOGITS = """
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = AutoModelForCausalLM.from_pretrained("adapter/base", dtype=torch.float32)
tied = base.config.tie_word_embeddings
model = PeftModel.from_pretrained(base, "adapter").eval()
merged = AutoModelForCausalLM.from_pretrained("merged")
ids = AutoTokenizer.from_pretrained("adapter")("def first(", return_tensors="pt")
with torch.inference_mode():
    one, other, bare = model(**ids), merged(**ids), None
    with model.disable_adapter():
        bare = model(**ids)
scale = one.logits.abs().max()
far, near = (float((one.logits - o.logits).abs().max() / scale) for o in (bare, other))
print(tied, merged.config.tie_word_embeddings, near < 1e-5 < 1e-3 < far)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two exports of the adapter, and the merged model, of a licensed repository."""
    place = tmp_path_factory.mktemp("published")
    make_base(place / "nano")
    repository = Repository(place / "repository")
    files = {f"pkg/m{n}.py": module(n) for n in range(4)}
    repository.commit(
        files | {"pyproject.toml": '[project]\nname = "steps"\nlicense = "MIT"\n'}
    )
    url = f"https://jane:{TOKEN}@forge.example.org/team/steps.git"
    repository.git.remotes.create("origin", url)
    text = SETTINGS.format(base=place / "nano")
    (repository.path / "repobuild.toml").write_text(text)
    trust_settings(repository.path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository.path)
        assert run(["--quiet"]) == 0
        for name in ("adapter", "again"):
            export = ["export", "adapter", "--with-base", "-o", str(place / name)]
            assert run(export) == 0
        assert run(["export", "merged", "-o", str(place / "merged")]) == 0
        bare = ["export", "adapter", "--base-model", "team/nano", "-o"]
        assert run([*bare, str(place / "bare")]) == 0
    return place


def alone(code: str, place: Path) -> str:
    """What a program prints that cannot import repobuild."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-I", "-c", ALONE + code],
        cwd=place, capture_output=True, text=True, env={"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_two_exports_are_equal_byte_for_byte(folder: Path) -> None:
    made = files(folder / "adapter")
    assert made == files(folder / "again")
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json",
            "README.md", "repobuild.json", "base/config.json"} <= set(made)  # fmt: skip


def test_an_export_contains_no_paths_people_or_secrets(folder: Path) -> None:
    for name in ("adapter", "merged", "bare"):
        said = b"\n".join(files(folder / name).values())
        told = (str(folder), "A Developer", "dev@example.org", TOKEN, "jane:")
        assert [text for text in told if text.encode() in said] == []
        pages = files(folder / name)["README.md"].decode()
        assert socket.gethostname() not in pages and str(Path.home()) not in pages


def test_the_card_is_one_that_a_hub_reads(folder: Path) -> None:
    data = ModelCard.load(folder / "bare/README.md").data
    assert (data.library_name, data.license) == ("peft", "mit")
    assert (data.base_model, data.language) == ("team/nano", ["en"])
    assert "base_model:adapter:team/nano" in data.tags
    merged = ModelCard.load(folder / "merged/README.md").data
    assert (merged.library_name, merged.base_model) == ("transformers", None)


def test_the_card_describes_the_adapter_and_its_knowledge(folder: Path) -> None:
    page = (folder / "adapter/README.md").read_text()
    lineage = json.loads((folder / "adapter/repobuild.json").read_text())
    assert f"`{lineage['commit']}`" in page and lineage["base"]["digest"] in page
    assert "https://forge.example.org/team/steps" in page
    assert "first: no adapter yet" in page
    assert "### recall" in page and "| loss (nats" in page
    row = next(line for line in page.splitlines() if line.startswith("| code_location"))
    assert all(int(n.replace(",", "")) for n in re.findall(r"[\d,]+", row)[:2])
    assert "**MIT**, of all sources" in page
    assert "searched for secrets" in page


def test_the_weights_are_float32_and_the_targets_sorted(folder: Path) -> None:
    tensors = load_file(folder / "adapter/adapter_model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    config = json.loads((folder / "bare/adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])
    assert config["base_model_name_or_path"] == "team/nano"
    assert list(config) == sorted(config)


def test_what_servers_refuse_is_not_in_it(folder: Path) -> None:
    """vLLM 0.32 (lora/peft_helper.py) and llama.cpp name these as unsupported."""
    config = json.loads((folder / "adapter/adapter_config.json").read_text())
    assert config["bias"] == "none" and config["r"] > 0 and config["lora_alpha"] > 0
    refused = ("modules_to_save", "lora_bias", "use_dora", "layer_replication",
               "alora_invocation_tokens", "use_qalora", "rank_pattern")  # fmt: skip
    assert not any(config.get(name) for name in refused)
    assert config.get("init_lora_weights", True) is True
    names = load_file(folder / "adapter/adapter_model.safetensors")
    suffixes = {name.split(".")[-3] for name in names}
    assert suffixes == set(config["target_modules"])  # no embedding, no lm_head


@pytest.fixture(scope="module")
def said(folder: Path) -> list[str]:
    """What the cards' own code says, and then whether the logits are equal; all in
    one process, for its imports take most of the time."""
    code = []
    for name in ("adapter", "merged"):
        page = (folder / name / "README.md").read_text()
        block = re.search(r"```python\n(.*?)```", page, re.DOTALL)
        assert block is not None
        code.append(f"import os; os.chdir({str(folder / name)!r})\n{block[1]}")
        code.append("print('END')\n")
    code.append(f"os.chdir({str(folder)!r})\n{SAME_LOGITS}")
    return alone("".join(code), folder).split("END\n")


def test_the_card_s_own_code_runs_without_repobuild(said: list[str]) -> None:
    # Sixty thousand parameters may say nothing but line breaks: that they differ from
    # the base is what the next test looks at.
    assert len(said[0]) > 1 and said[0] == said[1]


def test_plain_libraries_find_the_same_logits_merged_or_not(said: list[str]) -> None:
    """With tied embeddings, as the small Qwen models have."""
    assert said[2].split() == ["True", "True", "True"]


def test_transformers_4_reads_what_5_wrote(folder: Path) -> None:
    """Run once with 4.57.1 (docs/serving.md): with the files of 5 alone it takes
    another rope_theta without a word, and does not know the tokenizer's class."""
    for name in ("adapter/base", "merged"):
        config = json.loads((folder / name / "config.json").read_text())
        assert config["rope_theta"] == config["rope_parameters"]["rope_theta"]
        assert config["torch_dtype"] == config["dtype"]
        tokens = json.loads((folder / name / "tokenizer_config.json").read_text())
        assert tokens["tokenizer_class"] == "PreTrainedTokenizerFast"
        assert "token_type_ids" not in tokens["model_input_names"]
        assert not isinstance(tokens.get("extra_special_tokens"), list)


# ------------------------------------------------------------------------------- ask

QUESTION = "In which file is `first_1` defined?"


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder / "repository")
    return folder


def test_asking_gives_what_base_and_adapter_say(here: Path, capsys) -> None:
    assert run(["ask", "--json", "--no-ground", "--max-tokens", "12", QUESTION]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["facts"] == []
    assert (facts["version"], facts["behind"]) == (1, 0)
    assert facts["commit"] == facts["head"]
    base = resolve_base(settings(base__model=str(here / "nano")))
    for name, adapter in (("base", None), ("adapter", here / "adapter")):
        speaker = TextGenerator.load(base, adapter)
        said = facts["answers"][name]["text"].strip()
        assert said == speaker.generate([QUESTION], 12)[0].text


def test_in_a_pipe_one_answer_follows_the_other(here: Path, capsys) -> None:
    assert run(["ask", "--max-tokens", "3", *QUESTION.split()]) == 0
    said = capsys.readouterr()
    assert re.match(r"base:\n.*\nadapter of [0-9a-f]{10}:\n", said.out, re.DOTALL)
    assert "\x1b" not in said.out
    assert "cut at 3 tokens" in said.err


class Voices:
    """Two answers that are known beforehand, a word at a time."""

    ANSWERS = {
        "base": "`first_1` is in `gone.py`.",
        "adapter": "`first_1` is defined in `pkg/m1.py`, not in `pkg/m9.py`.",
    }

    def answer_one(
        self, model: str, question: Question, limit: int
    ) -> Iterator[AnswerPiece]:
        for word in self.ANSWERS[model].split(" "):
            yield AnswerPiece(model, f"{word} ")
        yield AnswerPiece(model, "", last=True)

    def answer_both(self, question: Question, limit: int) -> Iterator[AnswerPiece]:
        for model in self.ANSWERS:
            yield from self.answer_one(model, question, limit)

    def recalls(self, question: str, answer: str) -> bool:
        return "second_1" in question


@pytest.mark.parametrize("wide", [True, False])
def test_ask_lists_the_locations_of_mentioned_names_below_the_answers(
    here: Path, capsys, monkeypatch: pytest.MonkeyPatch, wide: bool
) -> None:
    """Lines from the state, which no model knows; of the base's answer nothing."""
    monkeypatch.setattr("repobuild.cli.ask._load_comparison", lambda *_: Voices())
    monkeypatch.setattr("repobuild.cli.ask._has_room_for_columns", lambda: wide)
    assert run(["ask", QUESTION]) == 0
    *above, title, first, path, lost = capsys.readouterr().out.splitlines()
    head = Repository(here / "repository").git.head.target
    assert above[-1] == "" and above[-2] != ""
    assert title == f"mentioned, as of HEAD {str(head)[:10]}:"
    assert first == "  first_1    pkg/m1.py:4-6"
    assert path == "  pkg/m1.py  (exists, 11 lines)"
    assert lost == "  pkg/m9.py  no such path at HEAD"
    assert run(["ask", "--json", QUESTION]) == 0
    facts = json.loads(capsys.readouterr().out)
    names = {item["name"]: item["found"] for item in facts["mentioned"]}
    assert names == {"first_1": True, "pkg/m1.py": True, "pkg/m9.py": False}


def test_with_facts_both_models_get_them_before_the_question(
    here: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    class Listener(Voices):
        def answer_one(
            self, model: str, question: Question, limit: int
        ) -> Iterator[AnswerPiece]:
            assert isinstance(question, GroundedQuestion)
            heard.append(question.prompt)
            return super().answer_one(model, question, limit)

    monkeypatch.setattr("repobuild.cli.ask._load_comparison", lambda *_: Listener())
    assert run(["ask", "--ground", "--json", QUESTION]) == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    given = "\n".join(f"- {fact['text']}" for fact in facts)
    assert heard == [f"{given}\n\n{QUESTION}"] * 2
    assert "- `first_1` is defined in `pkg/m1.py`." in given
    assert run(["ask", "--ground", QUESTION]) == 0
    printed = capsys.readouterr().out
    _, listed = printed.split("from these facts:\n")
    for fact in facts:
        assert f"  - {fact['text']}\n    {fact['id']}\n" in listed


def test_what_was_not_taught_is_looked_up(
    here: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of `second_1` the callers are taught and not mastered, of `first_1` nothing."""
    monkeypatch.setattr("repobuild.cli.ask._load_comparison", lambda *_: Voices())
    told = {}
    for question in (QUESTION, "Who calls `second_1`?", "Is it raining?"):
        assert run(["ask", "--json", question]) == 0
        found = json.loads(capsys.readouterr().out)
        told[question] = found["taught"], bool(found["facts"])
    assert list(told.values()) == [(False, True), (True, True), (None, False)]
    assert run(["ask", QUESTION]) == 0
    said = capsys.readouterr()
    assert "was not taught this" in said.err and "--no-ground asks without" in said.err
    assert "from these facts:" in said.out
    assert run(["ask", "Who calls `second_1`?"]) == 0
    assert "has not mastered it" in capsys.readouterr().err


def test_what_is_mastered_is_looked_up_only_where_it_is_not_recalled(
    here: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repobuild.cli.ask._load_comparison", lambda *_: Voices())
    read = Manifest.read

    def mastered(folder: Path) -> Manifest:
        known = read(folder)
        facts = {id: Known(9, 1) for id in known.facts}
        return Manifest(known.digests, facts)

    monkeypatch.setattr(Manifest, "read", mastered)
    assert run(["ask", "--json", "Who calls `second_1`?"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["taught"], found["facts"]) == (True, [])
    monkeypatch.setattr(Voices, "recalls", lambda *_: False)
    assert run(["ask", "--json", "--no-ground", "Who calls `second_1`?"]) == 0
    assert json.loads(capsys.readouterr().out)["facts"] == []
    assert run(["ask", "Who calls `second_1`?"]) == 0
    said = capsys.readouterr()
    assert "mastered this, and not in these words" in said.err
    assert "from these facts:" in said.out


def test_names_are_asked_as_they_are_taught(
    here: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    class Listener(Voices):
        def answer_both(self, question: Question, limit: int) -> Iterator[AnswerPiece]:
            heard.append(question)
            return super().answer_both(question, limit)

    monkeypatch.setattr("repobuild.cli.ask._load_comparison", lambda *_: Listener())
    asked = ["ask", "--json", "--no-ground"]
    assert run([*asked, "Who calls first_1() of m1.py, or `first_1`?"]) == 0
    assert heard == ["Who calls `first_1()` of `pkg/m1.py`, or `first_1`?"]
    assert json.loads(capsys.readouterr().out)["question"].startswith("Who calls fir")


def test_the_user_can_decide_that_nothing_is_looked_up(
    here: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repobuild.cli.ask._load_comparison", lambda *_: Voices())
    assert run(["ask", "--no-ground", QUESTION]) == 0
    said = capsys.readouterr()
    assert "was not taught this" in said.err and "--ground looks it up" in said.err
    assert "from these facts:" not in said.out
    assert run(["ask", "--ground", QUESTION]) == 0
    assert "was not taught" not in capsys.readouterr().err


def test_what_no_sample_answers_is_called_a_guess(
    here: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repobuild.cli.ask._load_comparison", lambda *_: Voices())
    assert run(["ask", "--json", "Which classes inherit from `second_1`?"]) == 0
    assert json.loads(capsys.readouterr().out)["taught"] is None
    assert run(["ask", "--no-ground", "Which classes inherit from `second_1`?"]) == 0
    assert "no sample answers this; so the adapter guesses" in capsys.readouterr().err


def test_what_is_not_there_is_told_so(
    here: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repobuild.cli.ask._load_comparison", lambda *_: Voices())
    assert run(["ask", "Where is `no_such_thing`?"]) == 0
    said = capsys.readouterr()
    assert "no sample answers this" in said.err
    assert "no function, class or file `no_such_thing` in" in said.out


def test_without_a_fact_it_says_so_and_asks_the_question_alone(
    here: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repobuild.cli.ask._load_comparison", lambda *_: Voices())
    assert run(["ask", "--ground", "Tell me a joke."]) == 0
    said = capsys.readouterr()
    assert "nothing in the state is about what the question names" in said.err
    assert "from these facts" not in said.out


def test_an_adapter_of_an_earlier_commit_says_so(here: Path, capsys) -> None:
    repository = Repository(here / "repository")
    repository.commit()
    try:
        assert run(["ask", "--max-tokens", "1", QUESTION]) == 0
        assert "1 commit before HEAD" in capsys.readouterr().err
        assert run(["ask", "--json", "--max-tokens", "1", QUESTION]) == 0
        assert json.loads(capsys.readouterr().out)["behind"] == 1
    finally:
        repository.git.reset(repository.git.head.peel().parent_ids[0], 1)


def test_an_adapter_of_another_base_is_not_mixed_with_it(here: Path, capsys) -> None:
    file = here / "repository/repobuild.toml"
    text = file.read_text()
    file.write_text(text.replace(str(here / "nano"), "tiny"))
    try:
        assert run(["ask", QUESTION]) == 3
    finally:
        file.write_text(text)
    assert "trained on another base model" in capsys.readouterr().err


def test_without_an_adapter_or_a_question_it_says_what_to_do(
    repository: Repository, monkeypatch, capsys
) -> None:
    repository.commit({"a.py": "A = 1\n"})
    monkeypatch.chdir(repository.path)
    assert run(["ask", QUESTION]) == 1
    assert "run `repobuild`" in capsys.readouterr().err
    assert run(["ask", " "]) == 2


def test_ctrl_c_during_an_answer_leaves_a_clean_line(here: Path) -> None:
    """In a terminal of 80 columns, in two columns: as a user sees it."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-P", "-m", "repobuild", "ask", "--max-tokens", "9999"]
    environment = os.environ | {
        "COLUMNS": "80", "LINES": "24", "TERM": "xterm", "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    process = subprocess.Popen(
        [*command, QUESTION], stdin=theirs, stdout=theirs, stderr=theirs,
        env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while said.count("│".encode()) < 9:  # a title, and some pieces of both answers
        said += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    try:
        while more := os.read(ours, 4096):
            said += more
    except OSError:
        pass  # the other side is closed
    os.close(ours)
    assert process.wait() == 130
    *_, last = said.decode().replace("\r\n", "\n").strip().split("\n")
    assert last == "interrupted; run again to continue"
    assert "Traceback" not in said.decode()
