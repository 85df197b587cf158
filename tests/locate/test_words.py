"""Words become the terms by which code is found."""

import pytest

from repobuild.locate.words import Field, split_identifier, stem, terms_of, unit_terms


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("parse_HTMLPage", ("pars", "html", "pag", "parse_htmlpage")),
        ("HelpFormatter", ("help", "formatter", "helpformatter_")),
        ("_private", ("privat",)),
        ("utf8", ("utf", "utf8_")),
        ("self", ()),
        ("x" * 500, ()),
    ],
)
def test_an_identifier_gives_its_parts_and_itself(word, terms):
    assert split_identifier(word) == terms


@pytest.mark.parametrize(
    "forms",
    [
        ("create", "creates", "created", "creating", "creation"),
        ("stop", "stops", "stopped", "stopping"),
        ("query", "queries"),
        ("class", "classes"),
        ("axis",),
    ],
)
def test_forms_of_a_word_have_one_stem(forms):
    assert len({stem(form) for form in forms}) == 1


def test_words_that_tell_no_file_from_another_are_left_out():
    assert terms_of("def the_thing(self): return None") == {"thing": 1, "the_thing": 1}


def test_a_unit_counts_its_terms_by_where_they_are():
    source = '''def open_file(path):
    """Open a window."""
    # quickly
    raise Error("no such door")
'''
    terms = unit_terms(source, ["open_file"], "python")
    assert terms["open_file"] == [1, 0, 0, 1]
    assert terms["window"][Field.PROSE] == 1
    assert terms["quickly"][Field.PROSE] == 1
    assert terms["door"] == [0, 0, 1, 0]
    assert terms["path"][Field.CODE] == 1


def test_comments_of_other_languages_are_prose():
    source = '/* the lid */ func Open() { // and more\n fail("door") }'
    terms = unit_terms(source, ["Open"], "go")
    assert terms["lid"][Field.PROSE] == 1
    assert terms["door"][Field.STRING] == 1
