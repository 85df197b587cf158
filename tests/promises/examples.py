"""How many random examples a test tries: few and always the same, or more by request.

The number of examples keeps the suite short and its seed is fixed. More, another seed:

    REPOBUILD_EXAMPLES=2000 pytest tests/promises/test_incremental_equals_clean.py \\
        --hypothesis-seed=7
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def examples(usual: int) -> settings:
    """Return the settings of a test that usually tries so many examples."""
    return settings(
        max_examples=int(os.environ.get("REPOBUILD_EXAMPLES", usual)),
        deadline=None,
        derandomize="REPOBUILD_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
