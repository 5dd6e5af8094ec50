"""Reading a saved Keras network: a container's bytes in a limited child, what they mean here.

`read` is `start` and `finish` in one; between the two the caller can do other work while the child reads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nn2eq.errors import Nn2eqError
from nn2eq.reading import child

if TYPE_CHECKING:  # the child starts before the mathematics is imported
    from nn2eq.network import Network

__all__ = ["Started", "read", "start"]


@dataclass(frozen=True, eq=False)
class Started:
    """A model that is being read."""

    file: str
    reading: child.Reading

    def finish(self, *, symbols: bool = False) -> Network:
        """Wait for the child and build the network; `symbols`: an architecture without weights will do."""
        from nn2eq.reading.build import build

        try:
            return build(self.reading.finish(), self.file, symbols=symbols)
        except Nn2eqError as error:
            raise error.in_file(self.file) from None

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        """End the child, whether its answer was taken or nobody wants it any more."""
        self.reading.kill()
        self.reading.wait()
        self.reading.stream.close()


def start(path: str | os.PathLike[str], *, weights: str | os.PathLike[str] | None = None) -> Started:
    """Start to read a model; "-" is standard input."""
    file = os.fspath(path)
    return Started(file, child.start(file, None if weights is None else os.fspath(weights)))


def read(
    model: str | os.PathLike[str] | Any,
    *,
    weights: str | os.PathLike[str] | None = None,
    symbols: bool = False,
) -> Network:
    """Read a saved network, whatever its container is, or a live keras.Model.

    weights: the file with the weights, for an architecture in JSON. symbols: or it comes without, and is good for
    texts of symbols alone. Raises UnsupportedModel for what nn2eq
    does not read and DamagedFile for what is broken, naming file, layer and field.
    """
    if all(hasattr(model, name) for name in ("to_json", "get_weights", "layers")):
        from nn2eq.reading.live import read_live

        return read_live(model)
    return start(model, weights=weights).finish(symbols=symbols)
