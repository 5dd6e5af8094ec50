"""What was put around a file's network: scalers, transforms, a decision. Said in a text's header, and put there again.

Each is a name of `AROUND` and a text that names no file, so that a stranger's header opens none:

    scale_input=minmax:0:5,none; transform_input=none,log10; scale_output=standard:7:3; threshold=0.5 on z
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from nn2eq.decision import deciding
from nn2eq.errors import BadRequest
from nn2eq.network import Network
from nn2eq.scaling import scaled, spoken_scaler, transformed

Told = tuple[tuple[str, str], ...]
SHORT = 1_000
"""Characters that a text may have to stand in a header; of a longer one its sha256 does."""
_DIGEST = "sha256 "


def _decided(network: Network, text: str) -> Network:
    threshold, _, place = text.partition(" on ")
    try:
        number = float(threshold)
    except ValueError:
        raise BadRequest(f"its header names a threshold {text!r:.40}", code="text-around") from None
    return deciding(network, number, on="z" if place == "z" else "y")


def _scaled_input(network: Network, text: str) -> Network:
    names = [""] * network.inputs
    return scaled(network, "scale_input", spoken_scaler(text, names, "--scale-input"))


def _scaled_output(network: Network, text: str) -> Network:
    names = [""] * network.outputs
    return scaled(network, "scale_output", spoken_scaler(text, names, "--scale-output"))


def _transformed(network: Network, text: str) -> Network:
    functions = text.split(",")
    if len(functions) != network.inputs:
        what = f"its header names transforms of {len(functions)} inputs"
        raise BadRequest(what, code="text-around", way_out=f"this network has {network.inputs}")
    return transformed(network, functions)


AROUND: Mapping[str, Callable[[Network, str], Network]] = {
    "scale_input": _scaled_input,
    "transform_input": _transformed,
    "scale_output": _scaled_output,
    "threshold": _decided,
}
"""How each is put around a network, from its text."""


def in_short(network: Network) -> Told:
    """Return what stands around a network: the name and the text of each, or the text's sha256 where it is long."""
    return tuple((name, _brief(text)) for name, text in network.around)


def _brief(text: str) -> str:
    return text if len(text) <= SHORT else _DIGEST + hashlib.sha256(text.encode()).hexdigest()


def surrounded(network: Network, told: Told) -> Network:
    """Put around a network what a header tells. Raises BadRequest if it tells too little, or what is not to be had."""
    for name, text in told:
        if name not in AROUND or text.startswith(_DIGEST):
            given = " ".join(f"--{name.replace('_', '-')}" for name, _ in told)
            what = f"its header says that {name} stands around the network, by a sha256 alone"
            raise BadRequest(what, code="text-around", way_out=f"give what it was written with: {given}")
        network = AROUND[name](network, text)
    return network


def as_told(network: Network, told: Told) -> tuple[Network, str]:
    """Return the network that a text with this header is about, and what is to be said of it.

    What is put around the network already is meant so, whatever the header tells.
    """
    said = "; ".join(f"{name}={text}" for name, text in told)
    if not network.around and told:
        return surrounded(network, told), f"around the network, as the header says: {said}"
    if told and told != in_short(network):
        return network, f"its header says that other things stand around the network: {said}"
    return network, ""
