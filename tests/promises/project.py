"""Files that have to do with each other: small edits of them concern others."""

from __future__ import annotations

FILES = {
    b"a.py": """\
from pkg import Other, f
from pkg.sub import Child


def g(v):
    return [v, f(v), Other()]


def h(child: Child):
    '''Run a child twice over.'''
    child.run()
    return Child().more().run()
""",
    b"pkg/__init__.py": """\
'''Parts of a whole.'''

from .b import *
from .b import Base as Other

__all__ = ['f', 'Base']
""",
    b"pkg/b.py": """\
def f(x: int) -> int:
    '''Add one to a number.'''
    found = x + 1
    if found < 0:
        raise ValueError(x)
    return found


class Base:
    '''What all have in common.'''

    def run(self):
        '''Do one step of many.'''
        return self.step()

    def step(self):
        return f(1)
""",
    b"pkg/sub/__init__.py": "from .c import Child\n",
    b"pkg/sub/c.py": """\
from ..b import Base
from pkg import f as g


class Child(Base):
    def step(self):
        return super().step() + g(1)

    def more(self) -> 'Child':
        return Child()


class Grandchild(Child):
    def run(self):
        return self.step()
""",
    b"tests/test_a.py": """\
from a import g, h
from pkg.sub.c import Grandchild


def test_g():
    made = Grandchild()
    found = g(made.run())
    assert len(found) == 3
    h(made)
    assert found[0] == made.step()
""",
    b"README.md": "# Title\n\nWhat it is for.\n\n## Part\n\nMore words.\n",
}
