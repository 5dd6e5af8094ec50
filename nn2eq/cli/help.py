"""How a command's options are listed in its help: in sections, what people ask for first in front."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import click

from nn2eq.forms import SYMBOLS
from nn2eq.forms.arguments import ARGUMENTS

FIRST = "Options"
"""The section of all that is named nowhere else."""
OF_FORMS = "Forms"
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "LaTeX": ("standalone", "numbers", "latex_names"),
    "Symbols": (*SYMBOLS, "dense"),
    OF_FORMS: tuple(name for name in ARGUMENTS if name not in SYMBOLS),
    "Code": ("name", "expression", "dtype", "header"),
    "SQL": ("dialect", "table", "keep"),
    "Checks and proofs": ("ask", "run", "data", "certificate"),
    "The model": (
        "weights", "inputs", "outputs", "scale_input", "scale_output", "transform_input", "threshold", "decide_on",
        "fold",
    ),
}  # fmt: skip
"""THE table of sections, and the names of the parameters in each."""
_SECTION_OF = {name: section for section, names in SECTIONS.items() for name in names}
FEW = 12
"""Options that need no sections."""


class Sectioned(click.Command):
    """A command whose help has sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section after section."""
        listed: dict[str, list[tuple[str, str]]] = {section: [] for section in (FIRST, *SECTIONS)}
        parameters = self.get_params(ctx)
        names = {parameter.name or "" for parameter in parameters}
        for parameter in parameters:
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                listed[_section(parameter.name or "", names)].append(record)
        for section, records in listed.items():
            if records:
                with formatter.section(section):
                    formatter.write_dl(records)


def _section(name: str, names: Collection[str]) -> str:
    """Return the section of an option among all of a command's; the options of forms where a form can be named."""
    found = _SECTION_OF.get(name, FIRST) if len(names) > FEW else FIRST
    return FIRST if found == OF_FORMS and "form" not in names else found


def words(known: Iterable[str]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return what completes an option's value to one of some words."""
    return lambda ctx, parameter, incomplete: [word for word in known if word.startswith(incomplete)]
