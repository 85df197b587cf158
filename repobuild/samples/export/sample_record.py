"""Make the record of one sample: its text, what it is about, and its provenance.

Every export format is a rendering of this record. Provenance (path, blob and lines of
every source) is joined from `graph` and `files` here and in `show`, and never stored in
the sample: a sample is not remade because its file changed elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from repobuild.code.graph.graph import PROJECT, node, split_id
from repobuild.engine.contract import Table, Value
from repobuild.samples.dataset.secret_detection import redact
from repobuild.samples.dataset.summary import KeptSample

Record = dict[str, Value]
_SEARCHED = ("question", "answer")  # the dataset holds none that shows a secret
_AROUND_MASK = ("prefix", "suffix")  # the code around the masked code of a fim sample


def make_record(kept: KeptSample, graph: Table, files: Table) -> Record:
    """Return a sample's record; secrets in names and paths are replaced."""
    sample, element = kept.sample, kept.sample["element"]
    path, _, qual = element.partition("::")
    record = {
        **dict.fromkeys(_SEARCHED, ""),  # the first columns, filled in below
        "task_type": sample["task"],
        "element_name": qual or path,
        "filepath": path if path in files else "",
        "id": kept.id,
        "element": element,
        "language": sample["language"],
        "difficulty": sample["difficulty"],
        "form": sample["form"],
        "split": kept.row["split"],
        "track": kept.row["track"],
        "importance": kept.row.get("importance", 0.0),
        "licence": kept.licence,
        "provenance": provenance(sample["sources"], graph, files),
    }
    texts = {name: sample[name] for name in _AROUND_MASK if name in sample}
    shown: Record = redact(record)
    return shown | texts | {name: sample[name] for name in _SEARCHED}


def provenance(sources: Iterable[str], graph: Table, files: Table) -> list[Value]:
    """Return one entry for each source that exists; the project's has no path."""
    return [entry for id in sources if (entry := _source_entry(id, graph, files))]


def _source_entry(id: str, graph: Table, files: Table) -> Value | None:
    if id == PROJECT:
        return {"id": id}
    path, _ = split_id(id)
    file, lines = files.get(path), node(graph, id)
    if file is None or lines is None:
        return None
    return {
        "id": id,
        "path": path,
        "blob": file["blob"],
        "start_line": lines["start_line"],
        "end_line": lines["end_line"],
    }
