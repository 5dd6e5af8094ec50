"""From what is asked of a picture to its scene: all is read, and what a kind does not take is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nn2eq.domain import domain_of, parse_domain
from nn2eq.errors import BadRequest
from nn2eq.forms.arguments import read_arguments
from nn2eq.show.pictures import shaping
from nn2eq.show.pictures.scene import Scene, data_of
from nn2eq.show.pictures.theme import theme as theme_named
from nn2eq.show.pictures.truth import truth

if TYPE_CHECKING:
    from nn2eq.network import Network
    from nn2eq.show.pictures import Kind

CHOICES: Mapping[str, tuple[str, ...]] = {"view": ("units", "layers"), "colour": ("map", "pattern")}


def scene_of(kind: Kind, networks: tuple[Network, ...], theme: str, given: Mapping[str, Any]) -> Scene:
    """Return the scene of a picture from the keywords of `plot`; None and "" count as not given. Raises BadRequest."""
    told = {
        name: value
        for name, value in given.items()
        if value is not None and not (isinstance(value, str) and not value)
    }
    _require_models(kind, networks)
    shape = {name: told.pop(name) for name in [*told] if name in shaping()}
    _require_taken(kind, [*told, *(["shape"] if shape else [])], shape)
    if shape and "form" not in told:
        raise BadRequest(f"{_spoken(shape)} shapes a form", code="option-form", way_out="name a --form")
    network = networks[0]
    names = network.input_labels
    domain = told.get("domain")
    return Scene(
        networks,
        theme_named(theme),
        domain=None if domain is None
        else parse_domain(domain, names) if isinstance(domain, str) else domain_of(domain, network.inputs),
        data=data_of(told["data"], network) if "data" in told else None,
        truth=truth(told["true"], names) if "true" in told else None,
        form=told.get("form", ""),
        shape=read_arguments(shape, names),
        digits=int(told.get("digits", 0)),
        path=_names(told.get("path", ())),
        view=_choice("view", told),
        colour=_choice("colour", told),
        threshold=None if "threshold" not in told else float(told["threshold"]),
        units=_names(told.get("units", ())),
    )  # fmt: skip


def _require_models(kind: Kind, networks: tuple[Network, ...]) -> None:
    least, most = kind.models
    if len(networks) < least or (most and len(networks) > most):
        wanted = f"{least}" if least == most else f"{least} or more"
        raise BadRequest(
            f"--kind {kind.name} is of {wanted} network{'s' * (least > 1)}",
            code="kind-model", where=f"{len(networks)} are given", way_out="name as many models",
        )  # fmt: skip
    if len({network.inputs for network in networks}) > 1 and "domain" in kind.takes and most != 2:
        raise BadRequest(
            "the networks differ in their number of inputs", code="kind-model", way_out="draw them one by one"
        )


def _require_taken(kind: Kind, told: list[str], shape: Mapping[str, Any]) -> None:
    if idle := [name for name in told if name not in kind.takes]:
        words = [word for name in idle for word in (shape if name == "shape" else [name])]
        raise BadRequest(
            f"{_spoken(words)} does not apply to --kind {kind.name}",
            code="option-kind",
            way_out="leave it out",
        )


def _spoken(names: Mapping[str, Any] | list[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def _names(given: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    parts = given.split(",") if isinstance(given, str) else given
    return tuple(part.strip() for part in parts if part.strip())


def _choice(name: str, told: Mapping[str, Any]) -> str:
    chosen = told.get(name, CHOICES[name][0])
    if chosen not in CHOICES[name]:
        raise BadRequest(
            f"--{name} {chosen!r:.40}", code="usage", way_out=f"one of {', '.join(CHOICES[name])}"
        )
    return str(chosen)
