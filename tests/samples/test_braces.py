"""Quoted code and signatures of languages other than Python."""

from __future__ import annotations

import pytest

from repobuild.code.facts.element_row import row_of
from repobuild.code.facts.parse import facts_of
from repobuild.samples.text.braces import BracedSource

JAVASCRIPT = b"""class A {
  /** Sums. */
  sum(a, b) { // both
    const text = "// no comment";

    return a + b + text;
  }
}
export const f = async (x) => {
  /* why */ return x;
};
"""
JAVA = b"""class A {
  /** Gives {@code x}. */
  @Override
  public int get(
      int x) throws E {
    // as it is
    return x;
  }
}
"""
GO = b"""package a

// Get gives it.
func (s *S) Get(x int) (int, error) {
	return x, nil // done
}
"""
RUST = b"""impl A {
    /// Gives.
    #[inline]
    pub fn get(&self) -> Option<&B> {
        // look
        self.b.as_ref()
    }
}
"""
CPP = b"""class API A : public B {
 public:
  A(int x) : x_(x) {
    /* nothing */ init();
  }
};
"""


@pytest.mark.parametrize(
    ("language", "source", "qual", "signature", "head", "body"),
    [
        (
            "javascript",
            JAVASCRIPT,
            "A.sum",
            "sum(a, b)",
            "sum(a, b) {",
            '  const text = "// no comment";\n  return a + b + text;\n}',
        ),
        (
            "javascript",
            JAVASCRIPT,
            "f",
            "export const f = async (x)",
            "export const f = async (x) => {",
            "   return x;\n};",
        ),
        (
            "java",
            JAVA,
            "A.get",
            "public int get(int x) throws E",
            "@Override\npublic int get(\n    int x) throws E {",
            "  return x;\n}",
        ),
        (
            "go",
            GO,
            "S.Get",
            "func (s *S) Get(x int) (int, error)",
            "func (s *S) Get(x int) (int, error) {",
            "\treturn x, nil\n}",
        ),
        (
            "rust",
            RUST,
            "A.get",
            "pub fn get(&self) -> Option<&B>",
            "#[inline]\npub fn get(&self) -> Option<&B> {",
            "    self.b.as_ref()\n}",
        ),
        ("cpp", CPP, "A.A", "A(int x)", "A(int x) : x_(x) {", "   init();\n}"),
    ],
)
def test_code_is_quoted_without_comments_and_signatures_as_written(
    language: str, source: bytes, qual: str, signature: str, head: str, body: str
) -> None:
    rows = {item[0]: row_of(item) for item in facts_of(source, language)["elements"]}
    row = rows[qual]
    start = source.rfind(b"\n", 0, row.start) + 1
    quoted = BracedSource(language, source).quote(start, row.start + row.length)
    assert quoted is not None
    assert (row.head, quoted.head, quoted.body) == (signature, head, body)


def test_a_macro_before_a_class_name_hides_no_class() -> None:
    (first, *_) = facts_of(CPP, "cpp")["elements"]
    assert (row_of(first).qual, row_of(first).bases) == ("A", ["B"])


def test_thread_safety_annotations_are_no_methods_and_no_errors() -> None:
    text = b"class A {\n  int f() LOCKS_EXCLUDED(mu_) {\n    return 1;\n  }\n"
    text += b"  int x GUARDED_BY(mu_);\n};\n"
    facts = facts_of(text, "cpp")
    assert [item[0] for item in facts["elements"]] == ["A", "A.f"]
    assert "problem" not in facts


def test_javadoc_is_read_without_its_marks() -> None:
    rows = {item[0]: row_of(item) for item in facts_of(JAVA, "java")["elements"]}
    assert rows["A.get"].doc == "Gives `x`."


def test_a_body_on_one_line_is_not_quoted() -> None:
    source = b"function f(a) { return a }\n"
    assert BracedSource("javascript", source).quote(0, len(source) - 1) is None
