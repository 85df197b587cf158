"""Who follows a plan ends with what works: all that knows its siblings is named."""

from __future__ import annotations

import pytest

from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    assert_families_follow,
    of_kind,
)

SIGNERS = '''"""Ways to sign a token."""

from abc import ABC, abstractmethod

try:
    import secure

    has_secure = True
except ImportError:
    has_secure = False

needs_secure = {"RS256", "ES256", "HS256"}


def default_signers():
    """Return the ways by their names."""
    signers = {
        "none": PlainSigner(),
        "HS256": HashSigner(),
    }
    if has_secure:
        signers.update(
            {
                "RS256": PrimeSigner(),
                "ES256": CurveSigner(),
            }
        )
    return signers


class Signer(ABC):
    """One way to sign."""

    @abstractmethod
    def sign(self, text):
        """Sign a text."""

    def check(self, text):
        """Check a text, where there is a way."""
        if not text:
            raise NotImplementedError
        return text


class PlainSigner(Signer):
    """Sign nothing at all, for tests."""

    def sign(self, text):
        return text


class HashSigner(Signer):
    """Sign by a hash of the text."""

    def sign(self, text):
        return hash(text)

    def check(self, text):
        return text


if has_secure:

    class PrimeSigner(Signer):
        """Sign by prime numbers."""

        bits = 2048

        def sign(self, text):
            return secure.prime(text, self.bits)

    class CurveSigner(Signer):
        """Sign by a curve of points."""

        bits = 256

        def sign(self, text):
            return secure.curve(text, self.bits)


class SignerMixin(Signer):
    """What some ways share."""

    def sign(self, text):
        return text * 2
'''
KEYS = '''"""Guess how a key signs."""

from .signers import CurveSigner


def guess(kind):
    """Return the name of the way for a key."""
    if kind == "EC":
        name = "ES256"
    elif kind == "RSA":
        name = "RS256"
    elif kind == "oct":
        name = "HS256"
    else:
        raise ValueError(kind)
    return name


def is_curve(signer):
    return isinstance(signer, CurveSigner)
'''
STORES = ("Disk", "Memory", "Web")


def store(name: str) -> str:
    low = name.lower()
    return f'''"""Keep things: {low}."""

from .base import Store
from .registry import announce, known


@known.install
class {name}Store(Store):
    """Keep things where others do."""

    def load(self, key):
        return "{low}", key


announce({name}Store, "{low}")
'''


def queue(name: str, kind: str) -> str:
    return f'''"""Talk to {name}: {kind}."""

from .base import {kind}


class {name}{kind}({kind}):
    """{kind} for {name}."""

    def run(self):
        return "{name}"
'''


QUEUES = ("Amber", "Birch", "Cedar", "Dogwood")
FILES = {
    "setup.cfg": "[metadata]\nname = desk\ndescription = Sign and keep letters\n",
    "desk.egg-info/entry_points.txt": "".join(
        f"{name.lower()} = desk.stores.{name.lower()}:{name}Store\n" for name in STORES
    ),
    "docs/ways.rst": "Ways to sign\n============\n\n* HS256 - by a hash\n"
    "* RS256 - by primes\n* ES256 - by a curve\n",
    "desk/__init__.py": '"""Sign letters."""\n\nfrom .keys import guess\n'
    "from .signers import CurveSigner, HashSigner, PlainSigner, PrimeSigner\n\n"
    '__all__ = [\n    "guess",\n    "CurveSigner",\n    "HashSigner",\n'
    '    "PlainSigner",\n    "PrimeSigner",\n    "Zebra",\n    "Ape",\n]\n',
    "desk/signers.py": SIGNERS,
    "desk/keys.py": KEYS,
    "tests/test_signers.py": "from desk.signers import CurveSigner, HashSigner\n"
    "from desk.signers import PlainSigner, PrimeSigner\n\n\ndef test_all():\n"
    "    for one in (CurveSigner(), HashSigner(), PlainSigner(), PrimeSigner()):\n"
    "        assert one.sign('a')\n",
    "desk/stores/__init__.py": '"""Keep things."""\n\n'
    "from . import disk, memory, web\nfrom .base import Store\n",
    "desk/stores/base.py": '"""The base of stores."""\n\n\nclass Store:\n'
    '    """Keep things."""\n\n    def load(self, key):\n'
    '        """Load one."""\n        raise NotImplementedError(\n'
    '            "no way to load"\n        )\n',
    "desk/stores/registry.py": '"""Know the stores."""\n\n\nclass Registry:\n'
    '    """All stores."""\n\n    def install(self, store):\n        return store\n\n\n'
    "known = Registry()\n\n\ndef announce(store, name):\n    print(store, name)\n",
    **{f"desk/stores/{name.lower()}.py": store(name) for name in STORES},
    "desk/facade.py": '"""Ask the stores."""\n\n'
    + "".join(f"from .stores.{name.lower()} import {name}Store\n" for name in STORES)
    + '\n\nclass Keeper:\n    """Ask what answers."""\n\n    def __init__(self):\n'
    + "".join(f"        self.{name.lower()} = {name}Store()\n" for name in STORES)
    + "\n    def first(self, key):\n"
    "        return self.disk.load(key) or self.web.load(key)\n\n"
    "    def all(self, key):\n"
    "        return [self.disk, self.memory, self.web]\n\n"
    '    def name(self):\n        return "keeper"\n',
    "desk/queues/__init__.py": '"""Queues of letters."""\n',
    "desk/queues/kinds.py": '"""Names of queues."""\n\n\nclass Kind:\n'
    '    """Which queue."""\n\n'
    + "".join(f'    {name.upper()} = "{name.lower()}"\n' for name in QUEUES),
    "desk/queues/base.py": '"""Bases of queues."""\n\n\n'
    + "\n\n".join(
        f'class {kind}:\n    """A {kind.lower()}."""\n\n    def run(self):\n'
        '        """Run it."""\n        raise NotImplementedError\n'
        for kind in ("Writer", "Reader")
    ),
    **{
        f"desk/queues/{name.lower()}_{kind.lower()}.py": queue(name, kind)
        for name in QUEUES
        for kind in ("Writer", "Reader")
    },
    "desk/queues/table.py": '"""Which class is which."""\n\n'
    + "".join(
        f"from .{name.lower()}_{kind.lower()} import {name}{kind}\n"
        for name in QUEUES
        for kind in ("Writer", "Reader")
    )
    + "from .kinds import Kind\n\nQUEUES = {\n"
    + "".join(
        f"    Kind.{name.upper()}: ({name}Writer, {name}Reader),\n" for name in QUEUES
    )
    + "}\n",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Sampled:
    settings = {**ALL_IN_ENGLISH, "samples.max_answer": 3000}
    return Sampled(tmp_path_factory.mktemp("desk"), FILES, **settings)


def plans_for(desk: Sampled, base: str) -> list[str]:
    """Return the plans for a new subclass, with their questions."""
    kinds = ("plan", "plan_like", "plan_need")
    every = [one for kind in kinds for one in of_kind(desk, kind)]
    found = [
        f"{one['question']}\n{one['answer']}"
        for one in every
        if f"subclass of `{base}`" in one["question"]
    ]
    assert found
    return found


def test_every_claim_of_these_samples_holds(desk: Sampled):
    assert desk.audit().wrong == []


def test_a_plan_names_the_sets_and_branches_that_know_siblings_by_their_keys(desk):
    for text in plans_for(desk, "Signer"):
        assert "`needs_secure` of `desk/signers.py` (3 of 4)" in text
        assert "`guess` of `desk/keys.py` (3 of 4)" in text


def test_a_plan_names_the_document_that_lists_the_keys_of_siblings(desk):
    for text in plans_for(desk, "Signer"):
        assert "`docs/ways.rst` (3 of 4)" in text


def test_a_plan_says_which_siblings_are_registered_under_a_condition(desk):
    for text in plans_for(desk, "Signer"):
        assert "`CurveSigner`, `PrimeSigner` are there under `if has_secure:`" in text


def test_a_method_that_raises_in_one_branch_is_not_left_to_subclasses(desk):
    for text in plans_for(desk, "Signer"):
        line = next(one for one in text.split("\n") if "leaves open" in one)
        assert "`sign` (4 of 4)" in line and "check" not in line


def test_a_mixin_is_no_sibling(desk):
    for text in plans_for(desk, "Signer"):
        assert "4 public siblings" in text and "SignerMixin" not in text


def test_siblings_in_alphabetical_order_are_told_so_though_the_list_has_others(desk):
    for text in plans_for(desk, "Signer"):
        assert "; its siblings are in alphabetical order there" in text
        assert "after its sibling" not in text


def test_the_attributes_of_a_class_within_an_if_are_told(desk):
    texts = [one for one in plans_for(desk, "Signer") if "`PrimeSigner` defines" in one]
    assert texts and all("`bits`" in text for text in texts)


def test_a_plan_has_the_decorator_the_call_and_the_import_of_each_module(desk):
    for text in plans_for(desk, "Store"):
        assert "Decorate it with `@known.install`, as 3 of 3 siblings are." in text
        assert "top level of its module that 3 of 3 siblings make: `announce(" in text
        assert (
            "Import its module in `desk/stores/__init__.py`, which imports those of"
            " all 3 siblings." in text
        )


def test_a_plan_has_the_methods_that_ask_the_siblings(desk):
    for text in plans_for(desk, "Store"):
        line = next(one for one in text.split("\n") if "of `Keeper`" in one)
        assert line.endswith("where it can answer: `first`, `all`.")


def test_what_is_made_from_the_manifest_is_no_document(desk):
    assert all("egg-info" not in text for text in plans_for(desk, "Store"))


def test_a_docstring_of_two_siblings_is_no_need(desk):
    needs = [one["question"] for one in of_kind(desk, "plan_need")]
    assert needs and all("Keep things where others do" not in one for one in needs)


def test_a_plan_has_the_key_and_the_companion_that_siblings_are_registered_with(desk):
    for base, other in (("Writer", "Reader"), ("Reader", "Writer")):
        for text in plans_for(desk, base):
            assert "Add an attribute for it to `Kind` in `desk/queues/kinds.py`" in text
            assert f"Write its companion, a subclass of `{other}`, as 4 of 4" in text


SHAPES = {
    "setup.cfg": "[metadata]\nname = shapes\ndescription = Draw shapes\n",
    "shapes/__init__.py": '"""Draw shapes."""\n',
    "shapes/base.py": '"""The base."""\n\n\nclass Shape:\n    """A shape."""\n\n'
    '    def draw(self):\n        """Draw it."""\n        raise NotImplementedError\n',
    **{
        f"shapes/{name.lower()}.py": f'"""A {name}."""\n\nfrom .base import Shape\n\n\n'
        f'class {name}(Shape):\n    """Draw a {name.lower()} on paper."""\n\n'
        f'    def draw(self):\n        return "{name}"\n'
        for name in ("Arc", "Box", "Cone", "Dot", "Egg", "Fan")
    },
    "shapes/table.py": '"""Some shapes."""\n\nfrom .arc import Arc\n'
    "from .box import Box\nfrom .cone import Cone\n\n"
    'SHAPES = {"arc": Arc, "box": Box, "cone": Cone}\n',
}


def test_there_is_no_plan_where_half_of_the_siblings_are_registered_nobody_knows_how(
    tmp_path,
):
    sampled = Sampled(tmp_path / "some", SHAPES, **ALL_IN_ENGLISH)
    assert of_kind(sampled, "plan") == []
    table = SHAPES["shapes/table.py"].replace("\n\nSHAPES", "\nfrom .dot import Dot\n")
    table = table.replace('"""Some shapes."""', '"""Most shapes."""')
    table = table.replace(' = {"arc"', '\nfrom .egg import Egg\n\nSHAPES = {"arc"')
    table = table.replace("Cone}", 'Cone, "dot": Dot, "egg": Egg}')
    most = Sampled(tmp_path / "most", {**SHAPES, "shapes/table.py": table})
    assert any(key.startswith("plans//") for key in most.samples)


def edited(path: str, old: str, new: str) -> dict[str, str]:
    assert old in FILES[path]
    return {path: FILES[path].replace(old, new)}


@pytest.mark.parametrize(
    "files",
    [
        edited("docs/ways.rst", "ES256", "another one"),
        {"docs/more.rst": "More\n====\n\n* RS256, ES256 and HS256\n"},
        edited("desk/keys.py", '"HS256"', '"other"'),
        edited("desk/queues/kinds.py", "AMBER", "AMBERS"),
        edited("desk/queues/cedar_reader.py", "(Reader)", "(object)"),
        edited("desk/stores/__init__.py", "disk, memory, web", "disk"),
        edited("desk/facade.py", "self.disk.load(key) or", ""),
        edited("desk/stores/web.py", "announce(", "known.install("),
    ],
    ids=lambda files: next(iter(files)),
)
def test_what_knows_the_siblings_is_read_again_when_it_changes(files, tmp_path):
    assert_families_follow(tmp_path, FILES, files)


SHADES = ("Dark", "Light", "Grey")
STYLES = {
    "setup.cfg": "[metadata]\nname = paint\ndescription = Paint charts\n",
    "paint/__init__.py": '"""Paint charts."""\n',
    "paint/colors.py": '"""Change colors."""\n\n'
    + "\n".join(
        f'\ndef {name.lower()}(color):\n    """Change a color."""\n    return color\n'
        for name in SHADES
    ),
    "paint/styles.py": '"""Styles."""\n\nfrom . import colors\n\n\n'
    'class Style:\n    """A style."""\n\n    change = None\n\n'
    "    def paint(self, color):\n"
    "        return getattr(colors, self.change)(color)\n\n\n"
    + "\n\n".join(
        f'class {name}Style(Style):\n    """Paint {name.lower()} lines."""\n\n'
        f'    change = "{name.lower()}"\n'
        for name in SHADES
    )
    + "\n\nclass Grid:\n    STYLES = [DarkStyle, LightStyle, GreyStyle]\n\n\n"
    "class Dots:\n    STYLES = [Style]\n",
    "paint/opener.py": '"""Open styles."""\n\n\ndef open_style(name):\n'
    "    from . import styles\n\n    known = {\n"
    + "".join(f'        "{n.lower()}": styles.{n}Style,\n' for n in SHADES)
    + "    }\n    return known[name]()\n\n\n"
    'class Opener:\n    names = ["dark", "light", "grey"]\n',
    "paint/steps.py": '"""Steps of painting."""\n\nfrom .visit import Visitor\n'
    + "".join(
        f'\n\nclass {name}(Visitor):\n    """{name} all lines."""\n\n'
        f'    def visit(self, line):\n        return line, "{name}"\n'
        for name in ("Erase", "Frame", "Glue", "Hide")
    )
    + "\n\ndef paint(line):\n    for one in (Erase, Frame, Glue):\n"
    "        line = one().visit(line)\n    return line\n",
    "paint/visit.py": '"""Visitors."""\n\n\nclass Visitor:\n    """Visit lines."""\n\n'
    '    def visit(self, line):\n        """Visit one."""\n'
    "        raise NotImplementedError\n",
    "paint/bars.py": '"""Bars."""\n\nfrom .flat import Flat\n\n\nclass Bar:\n'
    '    """A bar."""\n\n    def plot(self):\n        raise NotImplementedError\n'
    + "".join(
        f'\n\nclass {name}({bases}):\n    """A {name.lower()} of bars."""\n\n'
        f'    def plot(self):\n        return "{name}"\n'
        for name, bases in (
            ("Aflat", "Flat, Bar"),
            ("Stack", "Bar"),
            ("Histogram", "Bar"),
        )
    )
    + "\n\nBARS = [Stack, Histogram, Aflat]\n",
    "paint/flat.py": '"""Flat things."""\n\n\nclass Flat:\n    """It is flat."""\n\n'
    "    flat = True\n",
}


@pytest.fixture(scope="module")
def paint(tmp_path_factory) -> Sampled:
    return Sampled(tmp_path_factory.mktemp("paint"), STYLES, **ALL_IN_ENGLISH)


def test_every_claim_of_these_plans_holds(paint: Sampled):
    assert paint.audit().wrong == []


def test_a_plan_names_the_file_that_defines_what_siblings_are_called_after(paint):
    for text in plans_for(paint, "Style"):
        assert "a definition in `paint/colors.py` (3 of 3)" in text


def test_a_table_within_a_function_is_a_registration(paint):
    for text in plans_for(paint, "Style"):
        assert "Handle it in `open_style` of `paint/opener.py`, which names all" in text
        assert "`Opener.names` of `paint/opener.py` (3 of 3)" in text


def test_a_table_of_a_class_is_named_with_its_class(paint):
    for text in plans_for(paint, "Style"):
        assert "Enter it in `Grid.STYLES` of `paint/styles.py`" in text


def test_there_is_no_plan_where_a_new_one_is_needed_nowhere_for_certain(paint):
    every = [one for key, one in paint.samples.items() if key.startswith("plans//")]
    assert every and not [one for one in every if "`Visitor`" in one["question"]]


def test_the_model_of_a_plan_has_the_bases_that_most_siblings_have(paint):
    plans = [one for one in of_kind(paint, "plan") if "`Bar`" in one["question"]]
    assert plans
    for one in plans:
        assert "Inherit from `Bar`." in one["answer"]


KEEPERS = {
    "setup.cfg": "[metadata]\nname = keep\ndescription = Keep jobs\n",
    "keep/__init__.py": '"""Keep jobs."""\n\nfrom .jobs import '
    + ", ".join(f"{name}Jobs" for name in STORES)
    + "\n",
    "keep/names.py": '"""Names of jobs."""\n\n'
    + "".join(f'KEEP_{name.upper()} = "{name.lower()}"\n' for name in STORES)
    + "\nNAMES = ("
    + ", ".join(f"KEEP_{name.upper()}" for name in STORES)
    + ")\n",
    "keep/places.py": '"""Places."""\n\n\nclass Place:\n    """Where jobs are."""\n'
    + "".join(
        f'\n\nclass {name}Place(Place):\n    """The {name.lower()}."""\n\n'
        f'    size = "{name}"\n'
        for name in STORES
    ),
    "keep/jobs.py": '"""Jobs."""\n\n'
    + "from .names import "
    + ", ".join(f"KEEP_{name.upper()}" for name in STORES)
    + "\nfrom .places import "
    + ", ".join(f"{name}Place" for name in STORES)
    + '\n\n\nclass Jobs:\n    """Some jobs."""\n\n    place_class = None\n'
    + "".join(
        f'\n\nclass {name}Jobs(Jobs):\n    """Jobs in the {name.lower()}."""\n\n'
        f"    place_class = {name}Place\n\n\n"
        f'def {name.lower()}_jobs():\n    """Return such jobs."""\n'
        f"    return {name}Jobs()\n"
        for name in STORES
    )
    + "\n\nKINDS = {\n"
    + "".join(f"    KEEP_{name.upper()}: {name}Jobs,\n" for name in STORES)
    + "}\n",
}


@pytest.fixture(scope="module")
def keep(tmp_path_factory) -> Sampled:
    settings = {**ALL_IN_ENGLISH, "samples.max_answer": 3000}
    return Sampled(tmp_path_factory.mktemp("keep"), KEEPERS, **settings)


def test_every_claim_of_plans_with_companions_holds(keep: Sampled):
    assert keep.audit().wrong == []


def test_a_plan_names_the_class_that_each_sibling_has_in_an_attribute(keep):
    for text in plans_for(keep, "Jobs"):
        assert "Write its companion, a subclass of `Place`, as 3 of 3" in text


def test_a_plan_names_the_function_that_makes_each_sibling(keep):
    for text in plans_for(keep, "Jobs"):
        assert "Write a function for it in `keep/jobs.py`, as 3 of 3" in text


def test_a_constant_is_a_key_with_its_definition(keep):
    for text in plans_for(keep, "Jobs"):
        assert "a definition in `keep/names.py` (3 of 3)" in text
        assert "`NAMES` of `keep/names.py` (3 of 3)" in text


def part(name: str, base: str) -> str:
    return (
        f'"""A {name}."""\n\nfrom box.base import {base}\n\n\n'
        f'class {name}({base}):\n    """A {name} of boxes."""\n\n'
        f'    def load(self):\n        return "{name}"\n'
    )


SCATTERED = {
    "setup.cfg": "[metadata]\nname = box\ndescription = Fill boxes\n",
    "box/__init__.py": '"""Fill boxes."""\n\nfrom .a.one import One\n'
    "from .a.two import Two\nfrom .b.three import Three\nfrom .b.four import Four\n\n"
    '__all__ = ["Four", "One", "Three", "Two"]\n',
    "box/base.py": '"""Bases."""\n\n\nclass Base:\n    """A base."""\n\n'
    "    def load(self):\n        raise NotImplementedError\n",
    "box/a/__init__.py": "",
    "box/b/__init__.py": "",
    "box/a/one.py": part("One", "Base"),
    "box/a/two.py": part("Two", "Base"),
    "box/b/three.py": part("Three", "Base"),
    "box/b/four.py": part("Four", "Base"),
}


def test_there_is_no_plan_where_siblings_share_no_folder(tmp_path):
    spread = Sampled(tmp_path / "spread", SCATTERED, **ALL_IN_ENGLISH)
    assert of_kind(spread, "plan") == []
    moved = {
        path.replace("/b/", "/a/"): text.replace(".b.", ".a.")
        for path, text in SCATTERED.items()
    }
    assert of_kind(Sampled(tmp_path / "one", moved, **ALL_IN_ENGLISH), "plan")
