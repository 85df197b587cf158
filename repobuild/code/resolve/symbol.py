"""What a name can mean: an entity, and how sure that is.

An entity is (kind, path, qualified name, confidence). Kinds: `m` a module, `c` a class,
`f` a function, `i` an instance of a class, `s` what `super()` gives, `w` an awaitable
of an instance; `l` something that holds or gives instances of a class one by one, `d` a
mapping to them, `G` and `V` a container's methods that give one of them, or all. None
is everything else: a builtin, another project's, or unknown; it is never guessed.

Confidence is the least of its steps:

    1.0    a name or an attribute of a module, as defined, imported or assigned
    0.95   through a star import
    0.9    self, cls or super(), through the class and its bases
    0.8    a method of what a constructor made (`x = Foo(); x.m()`); a name that is
           defined more than once; a method found behind a base from elsewhere
    0.75   of what an annotation declares (parameters, variables, attributes)
    0.7    of what a function's return annotation declares; calling an instance
    0.6    of what a function without one is seen to return
    0.5    one of several things that a name may be bound to; a parameter's default
"""

from __future__ import annotations

Entity = tuple[str, str, str, float]


def at_most(entity: Entity, confidence: float) -> Entity:
    return entity if entity[3] <= confidence else (*entity[:3], confidence)


def identity(entity: Entity) -> str:
    """Return an entity's id in the graph."""
    return f"{entity[1]}::{entity[2]}" if entity[2] else entity[1]
