"""Drop samples that show a secret. The reason names its kind, never its value.

`secret_detection.py` finds secrets in a text. A secret that one sample of a context
gives away is searched for in all samples of the context, because only
`password = "..."` shows that the value is a secret; the bare value does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from repobuild.samples.dataset.secret_detection import find_secrets, is_suspect
from repobuild.samples.tasks.facts import Sample


def secrets_of(samples: Mapping[str, Sample]) -> dict[str, str]:
    """Return {secret: kind} of all secrets that a context's samples show.

    A secret never spans lines, and phrasings in two languages repeat most lines:
    searching each distinct line once takes the standard library a third of the time.
    """
    lines = {
        line for sample in samples.values() for line in full_text(sample).split("\n")
    }
    if not is_suspect("\n".join(lines)):  # nearly always, and not worth sorting
        return {}
    return dict(sorted(find_secrets("\n".join(sorted(lines))).items()))


def secret_reason(sample: Sample, known: Mapping[str, str]) -> str:
    """Return "secret: KIND" if the sample shows a secret of its context, else ""."""
    if not known:
        return ""
    text = full_text(sample)
    kind = next((kind for secret, kind in known.items() if secret in text), "")
    return f"secret: {kind}" if kind else ""


def full_text(sample: Sample) -> str:
    """Return all text of a sample, with masked code filled in between its sides."""
    whole = (sample.get(name) or "" for name in ("prefix", "answer", "suffix"))
    return f"{sample.get('question') or ''}\n{''.join(whole)}"
