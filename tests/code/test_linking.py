"""Edges between the files of every language other than Python."""

from __future__ import annotations

import random

import pytest

from tests.code_world import World

JAVASCRIPT = {
    "src/a.js": """
import d, {f as g, h} from './b.js';
import * as ns from './c';
const {k} = require('./lib');
export class A extends Base {
  m() { this.n(); g(); ns.q(); k(); h(); d(); }
  n() { const g = 1; g(); unknown(); }
}
class Base { z() {} }
const a = new A();
a.z();
""",
    "src/b.ts": """
export function f(): void {}
export { inner as h } from './c';
export default class D { constructor() {} }
""",
    "src/c/index.js": """
export * from '../d';
function inner() {}
export { inner };
""",
    "src/d.mjs": "export function q() {}\n",
    "src/lib.js": "exports.k = function (a) { return l(a) };\nfunction l() {}\n",
}
GO = {
    "go.mod": "module example.com/p\n\ngo 1.21\n",
    "main.go": """package main

import (
	"fmt"
	st "example.com/p/store"
)

func main() {
	s := st.New()
	s.Put(1)
	fmt.Println(helper())
}
""",
    "util.go": "package main\n\nfunc helper() int { return 1 }\n",
    "store/a.go": """package store

type Base struct{}

type Store struct {
	Base
	q *Queue
}

func New() *Store { return &Store{} }
""",
    "store/b.go": """package store

type Queue struct{}

func (q *Queue) Push(x int) {}
func (b Base) Get() {}
func (s *Store) Put(x int) { s.q.Push(x); s.Get() }
""",
}
JAVA = {
    "src/a/b/A.java": """package a.b;
import a.c.C;
import static a.c.C.util;
public class A extends Base implements I {
  private C c = new C(1);
  void run(D d) {
    c.go(); d.dee(); help(); base(); util(); C.make(); this.over(1); d.missing();
  }
  void help() {}
  void over(int a) {}
  void over(String s) {}
}
interface I {}
class Base { void base() {} }
""",
    "src/a/b/D.java": "package a.b;\nclass D { void dee() {} }\n",
    "src/a/c/C.java": """package a.c;
public class C {
  public C(int x) {}
  public void go() {}
  static void make() {}
  static void util() {}
}
""",
}
RUST = {
    "Cargo.toml": '[package]\nname = "my-crate"\nversion = "0.1.0"\n',
    "src/lib.rs": """pub mod a;
mod b;
use a::{Thing, go as run};
macro_rules! mac { () => {} }
pub fn top() {
    run();
    crate::b::deep::f();
    let t = Thing::new();
    t.act();
    mac!();
    println!("");
}
#[cfg(test)]
mod tests { use super::*; fn t() { top(); } }
""",
    "src/a.rs": """pub struct Thing { n: u8 }
pub trait Act { fn act(&self) { self.base() } fn base(&self); }
impl Thing {
    pub fn new() -> Self { Self::make() }
    fn make() -> Thing { Thing { n: 1 } }
}
impl Act for Thing { fn base(&self) {} }
pub fn go() {}
""",
    "src/b/mod.rs": "pub mod deep { pub fn f() { super::g() } }\npub fn g() {}\n",
    "tests/it.rs": "use my_crate::a::Thing;\nfn x() { Thing::new(); }\n",
}
C = {
    "inc/a.h": "static inline int small(int x) { return x; }\nint big(int);\n",
    "src/a.c": """#include "a.h"
static int hid(void) { return 1; }
int big(int x) { return small(x) + hid(); }
""",
    "src/b.c": """#include "../inc/a.h"
#include <stdio.h>
static int hid(void) { return 2; }
int main(void) { printf(""); return big(1) + hid(); }
""",
    "x/s.hpp": """namespace n {
class S : public T {
 public:
  S(int a);
  void f() { g(); }
  void g();
};
class T {};
}
""",
    "x/s.cpp": """#include "s.hpp"
namespace n {
S::S(int a) : b(a) { f(); }
void S::g() { helper(); }
void helper() {}
}
void use() { n::S s(1); s.g(); auto p = new n::S(2); p->f(); }
""",
}


@pytest.mark.parametrize(
    ("files", "source", "calls"),
    [
        (JAVASCRIPT, "src/a.js", {"src/a.js::A": 1.0, "src/a.js::Base.z": 0.8}),
        (
            JAVASCRIPT,
            "src/a.js::A.m",
            {
                "src/a.js::A.n": 0.9,
                "src/b.ts::f": 1.0,
                "src/b.ts::D": 1.0,
                "src/b.ts::D.constructor": 1.0,
                "src/c/index.js::inner": 1.0,
                "src/d.mjs::q": 1.0,
                "src/lib.js::k": 1.0,
            },
        ),
        (JAVASCRIPT, "src/a.js::A.n", {}),
        (JAVASCRIPT, "src/lib.js::k", {"src/lib.js::l": 1.0}),
        (
            GO,
            "main.go::main",
            {
                "util.go::helper": 1.0,
                "store/a.go::New": 1.0,
                "store/b.go::Store.Put": 0.7,
            },
        ),
        (
            GO,
            "store/b.go::Store.Put",
            {"store/b.go::Queue.Push": 0.75, "store/b.go::Base.Get": 0.75},
        ),
        (
            JAVA,
            "src/a/b/A.java::A.run",
            {
                "src/a/c/C.java::C.go": 0.75,
                "src/a/b/D.java::D.dee": 0.75,
                "src/a/b/A.java::A.help": 0.9,
                "src/a/b/A.java::Base.base": 0.9,
                "src/a/c/C.java::C.util": 1.0,
                "src/a/c/C.java::C.make": 1.0,
                "src/a/b/A.java::A.over": 0.4,
                "src/a/b/A.java::A.over#2": 0.4,
            },
        ),
        (
            JAVA,
            "src/a/b/A.java::A",
            {"src/a/c/C.java::C": 1.0, "src/a/c/C.java::C.C": 1.0},
        ),
        (
            RUST,
            "src/lib.rs::top",
            {
                "src/a.rs::go": 1.0,
                "src/b/mod.rs::deep.f": 1.0,
                "src/a.rs::Thing.new": 1.0,
                "src/a.rs::Act.act": 0.7,
                "src/lib.rs::mac": 1.0,
            },
        ),
        (RUST, "src/lib.rs::tests.t", {"src/lib.rs::top": 1.0}),
        (RUST, "src/b/mod.rs::deep.f", {"src/b/mod.rs::g": 1.0}),
        (RUST, "tests/it.rs::x", {"src/a.rs::Thing.new": 1.0}),
        (C, "src/a.c::big", {"inc/a.h::small": 0.95, "src/a.c::hid": 1.0}),
        (C, "src/b.c::main", {"src/a.c::big": 0.7, "src/b.c::hid": 1.0}),
        (C, "x/s.cpp::n.S.g", {"x/s.cpp::n.helper": 1.0}),
        (C, "x/s.hpp::n.S.f", {"x/s.cpp::n.S.g": 0.7}),
        (
            C,
            "x/s.cpp::use",
            {
                "x/s.hpp::n.S": 0.95,
                "x/s.cpp::n.S.S": 0.7,
                "x/s.cpp::n.S.g": 0.7,
                "x/s.hpp::n.S.f": 0.8,
            },
        ),
    ],
)
def test_calls(files: dict[str, str], source: str, calls: dict[str, float]) -> None:
    edges = World(files).edges("calls")
    assert {dst: sure for (src, dst), sure in edges.items() if src == source} == calls


@pytest.mark.parametrize(
    ("files", "edge"),
    [
        (JAVASCRIPT, ("src/a.js::A", "src/a.js::Base")),
        (GO, ("store/a.go::Store", "store/a.go::Base")),
        (JAVA, ("src/a/b/A.java::A", "src/a/b/A.java::Base")),
        (JAVA, ("src/a/b/A.java::A", "src/a/b/A.java::I")),
        (RUST, ("src/a.rs::Thing", "src/a.rs::Act")),
        (C, ("x/s.hpp::n.S", "x/s.hpp::n.T")),
    ],
)
def test_base_types_are_inherited(files: dict[str, str], edge: tuple[str, str]) -> None:
    assert edge in World(files).edges("inherits")


@pytest.mark.parametrize(
    ("files", "edge"),
    [
        (JAVASCRIPT, ("src/a.js", "src/b.ts::D")),
        (GO, ("main.go", "store/a.go")),
        (JAVA, ("src/a/b/A.java", "src/a/c/C.java::C")),
        (RUST, ("src/lib.rs", "src/a.rs::Thing")),
        (RUST, ("src/lib.rs", "src/b/mod.rs")),
        (C, ("x/s.cpp", "x/s.hpp")),
    ],
)
def test_imports(files: dict[str, str], edge: tuple[str, str]) -> None:
    assert edge in World(files).edges("imports")


def test_a_type_contains_its_methods_only_in_the_file_that_defines_it() -> None:
    contained = World(GO).edges("contains")
    assert ("store/b.go::Queue", "store/b.go::Queue.Push") in contained
    assert ("store/b.go", "store/b.go::Base.Get") in contained


def test_of_two_classes_with_one_name_neither_is_resolved() -> None:
    copy = {"other/D.java": JAVA["src/a/b/D.java"]}
    calls = World(JAVA | copy).calls("src/a/b/A.java::A.run")
    assert [dst for dst in calls if "D.java" in dst] == []


def _edited(dice: random.Random, text: str) -> str:
    """Delete a line, repeat one, or rename a word, whatever the language is."""
    lines = text.split("\n")
    index = dice.randrange(len(lines))
    action = dice.random()
    if action < 0.3:
        del lines[index]
    elif action < 0.5:
        lines.insert(index, lines[dice.randrange(len(lines))])
    else:
        words = "f g A Thing Store New D C S T Base a".split()
        old, new = dice.sample(words, 2)
        return " ".join(new if part == old else part for part in text.split(" "))
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(20))
def test_updates_after_random_edits_give_the_rows_of_a_full_build(seed: int) -> None:
    dice = random.Random(seed)
    files = {**JAVASCRIPT, **GO, **JAVA, **RUST, **C}
    world = World(files)
    removed: dict[str, str] = {}
    for _ in range(12):
        path = dice.choice(sorted(files))
        action = dice.random()
        if action < 0.5:
            files[path] = _edited(dice, files[path])
        elif action < 0.65:
            removed[path] = files.pop(path)
        elif action < 0.8 and removed:
            files.update([removed.popitem()])
        else:
            folder = dice.choice(sorted(files)).rpartition("/")[0]
            name = path.rpartition("/")[2]
            files[f"{folder}/{name}" if folder else name] = files[path]
        world.put(files)
        clean = World(files)
        assert world.rows == clean.rows
        terms, fresh = world.view.own.index.terms, clean.view.own.index.terms
        assert {k: v for k, v in terms.items() if v} == {
            k: v for k, v in fresh.items() if v
        }


def test_types_that_star_import_each_other_are_each_looked_up_once() -> None:
    # Every base may come through every star import: 12! paths without a memo.
    names = [f"T{number}" for number in range(12)]
    stars = "".join(f"use self::{name}::*;\n" for name in names)
    traits = "".join(
        f"impl {other}x for {name} {{}}\n" for name in names for other in names
    )
    types = "".join(f"pub struct {name};\n" for name in names)
    files = {"src/lib.rs": stars + types + traits + "fn f() { unknown(); T1::g(); }\n"}
    assert World(files).calls("src/lib.rs::f") == []
