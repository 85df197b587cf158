"""Find what calls pass to the parameters of a function, in any file.

Calls are looked up by the names under which the function may be called, and resolved
then, once for all functions of a name (passing_sites.py). What a site's callee means,
and what the binding of an argument is, only the data flow knows: `Reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple, Protocol

from repobuild.code.facts.element_row import Binding, Parameter, name_of
from repobuild.code.resolve.binding_marks import DECORATED
from repobuild.code.resolve.python.data_flow.fixed_point import NAMED, FixedPoint
from repobuild.code.resolve.python.data_flow.landing import Landing, landing
from repobuild.code.resolve.python.data_flow.passing_sites import (
    SUBCLASS,
    CallSite,
    names_of_function,
)
from repobuild.code.resolve.python.data_flow.value_sets import Values
from repobuild.code.resolve.python.expressions import ResolverContext
from repobuild.code.resolve.symbol import Symbol

# What more calls pass to a parameter is not followed further back: of sympy a fifth
# less CPU, and 0.1 % of the edges through data less.
_MOST_FOLLOWED = 50
_RECEIVERS = (0, 1)  # how many arguments a function may get besides those of a call
FindSites = Callable[[str], Iterable[CallSite]]


class Target(NamedTuple):
    """A function that a call runs."""

    function: Symbol
    receivers: int  # arguments that it gets besides those of the call: 1 of a method


class Passed(NamedTuple):
    """What a call passes as one parameter of what it calls."""

    site: CallSite
    receivers: int  # as of the target
    binding: Binding


class Given(NamedTuple):
    """Values that calls give a parameter, or an element of what it holds."""

    keys: str  # "" the parameter itself
    values: Values


class Reader(Protocol):
    """What the data flow knows of a call site."""

    def targets_at(self, site: CallSite, binding: Binding) -> Iterable[Target]:
        """Return what a site calls that passes this."""

    def values_at(self, site: CallSite, binding: Binding, hops: int) -> Values:
        """Return the values of an argument, passed on `hops` times at most before."""


Passing = dict[tuple[str, str], list[Passed]]  # by (path, qual) of what is called
Sites = dict[str, list[tuple[CallSite, Binding]]]  # by the index or keyword


class Arguments:
    """The arguments of all calls of one run."""

    def __init__(
        self,
        context: ResolverContext,
        solver: FixedPoint,
        find_sites: FindSites,
        reader: Reader,
    ) -> None:
        self._modules = context.modules
        self._note = context.lookups.note
        self._solver = solver
        self._find_sites = find_sites
        self._reader = reader
        self._sites_by_name: dict[str, Sites] = {}

    def of_function(
        self, path: str, qual: str, parameters: list[Parameter], index: int, hops: int
    ) -> list[Given]:
        """Return what calls pass to a parameter, and to the elements that it holds."""
        names = self._names_of(path, qual)
        return self.under(names, (path, qual), parameters, index, hops)

    def under(
        self,
        names: Iterable[str],
        definition: tuple[str, str],
        parameters: list[Parameter],
        index: int,
        hops: int,
    ) -> list[Given]:
        """Return the same of what is called under some names."""
        named = [one.name for one in parameters]
        land = partial(landing, parameters[index], index, named)
        found: list[tuple[Landing, Passed]] = []
        for name in names:
            self._note(f"to:{name}")
            for which in self._sites(name):
                if which == SUBCLASS or not any(land(which, n) for n in _RECEIVERS):
                    continue
                for one in self._passing(name, which).get(definition, ()):
                    if place := land(which, one.receivers):
                        found.append((place, one))
        passed_on = [one for _, one in found if one.binding[:1] != DECORATED]
        hops = hops if len(passed_on) <= _MOST_FOLLOWED else NAMED
        read = self._reader.values_at
        return [
            Given(place.keys, read(one.site, place.part_of(one.binding), hops))
            for place, one in found
        ]

    def _names_of(self, path: str, qual: str) -> list[str]:
        """Return the names under which calls of a function are found.

        A class passes what it is called with to its bases, so calls of subclasses count
        as calls of their bases' methods.
        """
        found: dict[str, None] = {}
        module = self._modules.get(path)
        for name, is_class in names_of_function(module, qual):
            waiting = [name]
            while waiting:
                one = waiting.pop(0)
                if one in found:
                    continue
                found[one] = None
                if is_class:
                    self._note(f"to:{one}")
                    sites = self._sites(one).get(SUBCLASS, ())
                    waiting += [name_of(site.scope) for site, _ in sites]
        return list(found)

    def _sites(self, name: str) -> Sites:
        """Return what calls of a name pass, by the parameter's index or keyword."""
        known = self._sites_by_name.get(name)
        if known is None:
            known = self._sites_by_name[name] = {}
            for site in self._find_sites(name):
                if site.passed[0] == SUBCLASS:
                    known.setdefault(SUBCLASS, []).append((site, ""))
                    continue
                for which, binding in zip(
                    site.passed[::2], site.passed[1::2], strict=True
                ):
                    known.setdefault(which, []).append((site, binding))
        return known

    def _passing(self, name: str, which: str) -> Passing:
        """Return what calls of a name pass as one parameter, by what they call."""
        # Not monotone: levels above NAMED alone read it, when that one is solved.
        return self._solver.read(
            NAMED, ("S", name, which), partial(self._resolve, name, which), {}
        )

    def _resolve(self, name: str, which: str) -> Passing:
        found: Passing = {}
        for site, binding in self._sites(name)[which]:
            for function, receivers in self._reader.targets_at(site, binding):
                passed = Passed(site, receivers, binding)
                found.setdefault(function.definition, []).append(passed)
        return found
