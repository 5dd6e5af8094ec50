"""What is particular about a programming language: words, signs and templates. A new one fills in a row of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.emit.code.helpers import Helper
from nn2eq.emit.printing import Infix, decimals
from nn2eq.forms.program import Program
from nn2eq.forms.size import Spelling

Lines = list["str | Lines"]
"""Lines of a text; a list within is one step further in."""


@dataclass(frozen=True)
class Routine:
    """A function of numbers: its name and arguments, what it names on the way, and the formula of its answer.

    Of a group of numbers z, where `size` says how many it gives; indices: what its formulas count units with.
    """

    name: str
    arguments: tuple[str, ...]
    lets: tuple[tuple[str, str], ...]
    answer: str
    size: str = ""
    indices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Body:
    """The lines that compute an answer, and what they need.

    names: of numbers, that they give. routines: functions that they call, besides those of single numbers.
    """

    lines: Lines
    names: tuple[str, ...] = ()
    routines: tuple[Lines, ...] = ()


def by_name(name: str, shape: tuple[int, ...]) -> str:
    """Write an array as it is."""
    return name


def in_places(name: str, shape: tuple[int, ...], parts: tuple[str, ...], x: str) -> str:
    """Write nothing, where each number is put into its place."""
    return ""


@dataclass(frozen=True)
class Several:
    """How a language writes a function with several results: y, and derivatives row by row.

    opening    like `predict` of a dialect, () if it is the same; {results} are their names, {stated} what `result`
               says of each: {0} its name, {1} how many numbers it has, {2} its shape
    said       what the comment above says
    group      (name, shape, numbers, x) → what stands for one result; place: or else where one number of {0} is put,
               at {1} by its axes, at {2} in one row
    whole      (name, shape) → what stands for one result that is an array already
    returned   the line that gives all, {0} separated by commas; statements: or else each group is a line
    declared   the line that declares what `result` says, where the opening does not
    end        of the function, if it is another than usual
    """

    said: str
    opening: tuple[str, ...] = ()
    result: str = ""
    group: Callable[[str, tuple[int, ...], tuple[str, ...], str], str] = in_places
    whole: Callable[[str, tuple[int, ...]], str] = by_name
    place: str = ""
    returned: str = ""
    statements: bool = False
    declared: str = ""
    end: str = ""


class Words(Protocol):
    """What loops over arrays of numbers take of a language besides its dialect; see `nn2eq.emit.code.loops.Loops`."""

    @property
    def variable(self) -> str:
        """A number {0} that starts as {1}."""

    @property
    def add(self) -> str:
        """Add {1} to {0}."""

    @property
    def loop(self) -> str:
        """The line that opens a loop for {0} from {1} to before {2}."""

    @property
    def lowest(self) -> str:
        """The least number there is."""

    @property
    def entry(self) -> str:
        """Row {1}, column {2} of {0}, "" if its rows stand one behind the other."""

    @property
    def widened(self) -> str:
        """A float32 number {0} of a table as one that is computed with."""

    @property
    def cast(self) -> str:
        """The same where it may meet another one, "" if it is no matter."""


class Layers(Protocol):
    """How a language writes whole layers."""

    @property
    def returned(self) -> str:
        """The line that gives the answer {0}, "" if it was put into an array of the caller's."""

    @property
    def looks_up(self) -> bool:
        """Whether it writes cases as tables in which they are looked up."""

    def tables(self, program: Program) -> Lines:
        """Write what stands above all functions: their arrays of numbers, each once."""

    def body(self, dialect: Dialect, program: Program, spelling: Spelling, called: Mapping[str, str]) -> Body:
        """Write every step; called: the arrays of the caller's, by the values that they take."""


@dataclass(frozen=True)
class Dialect:
    """How a language writes numbers, names and statements. Templates take what they need as {0} {1} ... or by name.

    name           as on the command line; suffix: of its files; comment: what starts a comment line
    reserved       what no name may be: words of the language, and what its texts use besides their own names
    standing       what no function, class or module may be called besides
    infix          its formulas
    routine        how it writes a function of numbers
    let            a number {1} under a name {0} of its own; set: under a name that is there
    item           {0} at {1} of an array; first: the index of its first number
    said           what the comment above the function of {name} says, {answers} and what is {given}: how many {inputs}
                   and {outputs} in {x} and {y}
    predict        the line that opens the function, and its first lines
    returned       the line that gives the answers, {0} separated by commas, "" if each is put into {y}
    layers         how it writes whole layers
    before, after  the text around all functions, of {name} {Name} {inputs} {outputs}; inside: how deep they stand in it
    indent         one step of indentation; continuation: what a broken line ends with
    helpers        the functions of formulas that it lacks
    narrow         a float32 number {0} in a formula, "" where it is written as what it widens to
    single         whether it computes in float32
    numbers        how it writes numbers so that they read back, where that takes more than a template
    constant       a number {0} that is no sum, beside samples in the rows of {1}
    declared       how names {0} are declared in front, where `let` does not
    prefix         what the tables of numbers and the functions of a text are called before their own names
    between        what stands between the tables of numbers and the functions
    leading        whether the function that answers stands in front of the others
    imported       what stands in front ({imported}), second, if a text holds the first
    most           numbers that a function of scalars may hold, 0 for any number
    longest        characters that a statement may have, 0 for any number
    caseless       whether T and t are one name
    joint          what stands between the cases of a formula, where a long one is broken, "" if nothing does
    several        how it writes a function with derivatives beside its answer; merged: with all of them in one
    further        what stands in front ({further}) of each function beside the first, of its opening {0}
    unused         the line that says that {0} is not used, where compilers ask
    """

    name: str
    suffix: str
    comment: str
    reserved: frozenset[str]
    infix: Infix
    routine: Callable[[Routine], Lines]
    let: str
    set: str
    said: str
    predict: tuple[str, ...]
    returned: str
    layers: Layers
    item: str = "{0}[{1}]"
    first: int = 0
    end: str = "}"
    before: str = ""
    after: str = ""
    inside: int = 0
    indent: str = "    "
    continuation: str = ""
    helpers: Mapping[str, Helper] = field(default_factory=dict)
    narrow: str = ""
    single: bool = False
    numbers: Callable[[NDArray[Any]], list[str]] | None = None
    constant: str = ""
    declared: str = ""
    standing: frozenset[str] = frozenset()
    prefix: str = ""
    between: str = ""
    leading: bool = False
    imported: tuple[str, str] | tuple[()] = ()
    most: int = 0
    longest: int = 0
    caseless: bool = False
    joint: str = ""
    several: Several | None = None
    further: str = ""
    merged: bool = False
    unused: str = ""

    def coefficients(self, data: NDArray[Any]) -> list[str]:
        """Write the numbers of a vector (n,), each as a term of a formula."""
        if self.numbers is not None:
            return self.numbers(data)
        data = data.astype(np.float32) if self.single else data
        if data.dtype == np.float32 and self.narrow:
            return [self.narrow.format(text) for text in decimals(data)]
        return decimals(data, wide=True)

    def at(self, array: str, index: int) -> str:
        """Write one number of an array, counted from 0."""
        return self.item.format(array, index + self.first)

    def called(self, activation: Activation) -> str:
        """Return the name of the function that a text defines for a row: the row's, unless that means another thing."""
        name = self.prefix + activation.row.name
        return f"{name}_" if name in {*self.reserved, *self.standing, *activation.parameters} else name


def braced(head: str, argument: str, let: str, answer: str) -> Callable[[Routine], Lines]:
    """Return how a language with braces writes a function of numbers; head takes {0} the name, {1} the arguments."""

    def routine(of: Routine) -> Lines:
        arguments = ", ".join(argument.format(name) for name in of.arguments)
        body: Lines = [let.format(name, text) for name, text in of.lets]
        return [head.format(of.name, arguments), [*body, answer.format(of.answer)], "}"]

    return routine
