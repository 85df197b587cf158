"""Invent identifiers that no package has, in the style of a name.

A model that has seen a name often says what it has seen with it. An invented name has
to be copied.
"""

from __future__ import annotations

import random

_STARTS = (
    "ba be bi bo bra bri ca ce chi co cra da de di do dra du fa fe fi fla fo fre ga "
    "ge gi glo gra ha he hi ho ja jo ka ke ki ko kra la le li lo lu ma me mi mo mu "
    "na ne ni no nu o pa pe pi pla po pra que ra re ri ro ru sa se sha si sla so sta "
    "su ta te ti to tra tu u va ve vi vo wa we wi ya yo za ze zo"
).split()
_ENDS = (
    "b ck d del den der f g k l lar len ler lin lo m mer min mon n na nd ner nk nt p "
    "per r ra rd rel ren rin rk ro rt s sh sk st t ta tel ter tis ton tra v x"
).split()
_WORDS = (
    "add align apply array batch bind block bound buffer build bytes cache call "
    "check child chunk clean client clock close code color column config context "
    "copy count cursor data date decode default delta depth diff digest draw edge "
    "encode entry error event fetch field file filter find flag flush format frame "
    "graph group guard handle hash head header host index info inner input item join "
    "key label layer leaf length level limit line link list load local lock log loop "
    "map mark match matrix merge message mode model name node number offset open "
    "option order outer output owner page parse part patch path peer plan point pool "
    "port prefix queue range rank rate read record ref region render reply report "
    "reset result retry role root route row rule run sample scale scan scope score "
    "seek send shape shift sign size slice sort source span split stack stage start "
    "state step store stream sum swap sync table tag target task text time token "
    "trace track tree type unit update user value vector version view visit wait "
    "walk watch weight window word worker write zone"
).split()


def invent_name(rng: random.Random, words: int = 0) -> str:
    """Return a snake_case name of so many words, by default of one to three.

    Half of the words are made of syllables, half are words that programs use.
    """
    count = words or rng.choice((1, 2, 2, 2, 3))
    parts = [_invent_word(rng) for _ in range(count)]
    if all(part in _WORDS for part in parts):  # it might be somebody's name
        parts[rng.randrange(count)] = _syllables(rng)
    return "_".join(parts)


def _invent_word(rng: random.Random) -> str:
    return rng.choice(_WORDS) if rng.random() < 0.5 else _syllables(rng)


def _syllables(rng: random.Random) -> str:
    middle = rng.choice(_STARTS) if rng.random() < 0.6 else ""
    return rng.choice(_STARTS) + middle + rng.choice(_ENDS)


def in_style_of(name: str, invented: str) -> str:
    """Return an invented snake_case name, written as `name` is.

    CamelCase, UPPER_CASE, lower case without underscores, leading underscores.
    """
    bare = name.lstrip("_")
    lead = name[: len(name) - len(bare)]
    if bare.isupper() and len(bare) > 1:
        return lead + invented.upper()
    if bare[:1].isupper():
        return lead + "".join(part.capitalize() for part in invented.split("_"))
    if "_" not in bare:
        return lead + invented.split("_")[-1]
    return lead + invented
