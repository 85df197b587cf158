"""Functions of C are documented and named in other ways than those of Python."""

from __future__ import annotations

import pytest

from repobuild.code.facts.generic import is_group_heading
from tests.cases.sampled import Sampled, sampled_fixture

POOL = """#include "pool.h"

/*
 * __init__, destructor, __iter__ and __next__
 */
static int pool_fill(Pool *self, int size)
{
  self->size = size;
  self->used = 0;
  self->top = start_of(self);
  return 0;
}

static void pool_drop(Pool *self)
{
  self->size = 0;
  self->used = 0;
  give_back(self->top);
}

/* pool_take, pool_give: both count */
int pool_take(Pool *self, int count)
{
  int left = self->size - self->used;
  if (count > left) {
    return -1;
  }
  self->used += count;
  return room_left(self);
}

static int room_left(Pool *self)
{
  int left = self->size - self->used;
  if (left < 0) {
    return 0;
  }
  return left;
}

/* pool_open, pool_shut and pool_wipe */
int pool_open(Pool *self, int size)
{
  int failed = pool_fill(self, size);
  if (failed) {
    return failed;
  }
  return pool_take(self, 1);
}

/* Opens, reads and closes */
int pool_scan(Pool *self)
{
  int failed = pool_open(self, 3);
  if (failed) {
    return failed;
  }
  return room_left(self);
}

int pool_grow(Pool *self, int count)
{
  int failed = pool_fill(self, count);
  if (failed) {
    return failed;
  }
  return room_left(self);
}

static int reset(Pool *self)
{
  int size = room_left(self);
  return pool_fill(self, size);
}
"""
OTHER = """#include "pool.h"

static int reset(Pool *self)
{
  int size = pool_take(self, 2);
  return pool_scan(self) + size;
}
"""
FILES = {
    "pyproject.toml": '[project]\nname = "pools"\n',
    "src/pools/__init__.py": '"""Pools."""\n',
    "src/pools/ext/pool.c": POOL,
    "src/pools/ext/other.c": OTHER,
    "src/pools/ext/pool.h": """
typedef struct { int size; int used; char *top; } Pool;

/**
 * Takes some of a pool.
 */
int pool_take(Pool *self, int count);

/** Makes a pool larger. */
int pool_grow(Pool *self, int count);

/** Opens a pool of a size. */
int pool_open(Pool *self, int size);
""",
}
HOME = "src/pools/ext/pool.c::"
UNDOCUMENTED = "No comment documents it"
pools = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(pools: Sampled) -> None:
    assert pools.audit().wrong == []


@pytest.mark.parametrize("name", ["pool_fill", "pool_open"])
def test_the_heading_of_a_group_is_no_purpose_of_its_first_function(
    pools: Sampled, name: str
) -> None:
    told = " ".join(pools.answers(HOME + name))
    assert f"`{name}`" in told
    assert "destructor" not in told
    assert "pool_wipe" not in told
    assert UNDOCUMENTED not in told, "a comment is above it, whatever it says"


@pytest.mark.parametrize(
    ("comment", "is_heading"),
    [
        ("__init__, destructor, __iter__ and __next__", True),
        ("__init__ and what else the object needs", True),
        ("pool_take(), pool_give(): both count", True),
        ("tp_new, tp_dealloc methods", True),
        ("Opens, reads and closes", False),
        ("Calls pool_take and pool_give.", False),
        ("pool_take and pool_give share what this counts.", False),
        ("pool_take", False),
        ("", False),
    ],
)
def test_a_heading_is_a_list_of_names(comment: str, is_heading: bool) -> None:
    assert is_group_heading(comment) == is_heading


def test_a_list_of_words_is_a_purpose(pools: Sampled) -> None:
    assert any(
        "Opens, reads and closes" in one for one in pools.answers(HOME + "pool_scan")
    )


def test_what_a_header_may_document_is_not_said_to_be_undocumented(
    pools: Sampled,
) -> None:
    """`static` functions are of their file alone: no header declares them."""
    of_all = {
        name: " ".join(pools.answers(HOME + name))
        for name in ("pool_grow", "room_left")
    }
    assert UNDOCUMENTED not in of_all["pool_grow"]
    assert UNDOCUMENTED in of_all["room_left"]


@pytest.mark.parametrize("path", ["src/pools/ext/pool.c", "src/pools/ext/other.c"])
def test_a_function_of_c_is_named_with_its_file(pools: Sampled, path: str) -> None:
    samples = [
        one for one in pools.samples.values() if one["element"] == f"{path}::reset"
    ]
    questions = [one["question"] for one in samples]
    assert any(f"`{path}::reset`" in one for one in questions)
    assert not any("pools.ext" in one for one in questions)
