"""Words become the terms by which code is found."""

import pytest

from repobuild.locate.words import split_identifier, stem, terms_of


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
