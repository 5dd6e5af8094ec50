"""A stranger's config: every value is asked for by name and type, and refused by name if it is another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import DamagedFile
from nn2eq.reading.names import quoted

LARGEST = 1 << 31
"""No size or axis in a model is larger."""

_MISSING: Any = object()

_WRAPPERS = {"__tuple__", "__list__", "__numpy__", "__tensor__", "TensorShape", "ListWrapper"}


def plain(value: Any) -> Any:
    """Unwrap what Keras wraps: `{"class_name": "__tuple__", "items": […]}`, TensorShape, NumPy values."""
    while isinstance(value, dict) and value.get("class_name") in _WRAPPERS:
        inner = value.get("config", value)
        value = inner.get("value", inner.get("items")) if isinstance(inner, dict) else inner
    return [plain(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True, eq=False)
class Fields:
    """The fields of a config, and of what; several keys are one thing's names in several versions."""

    values: Mapping[str, Any]
    where: str

    def get(self, *keys: str) -> Any:
        """Return the first of these fields that is there, unwrapped; None if none is."""
        return next((plain(self.values[key]) for key in keys if key in self.values), None)

    def whole(self, *keys: str, least: int = 1, default: int = _MISSING) -> int:
        """Return a whole number."""
        value = self._value(keys, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < LARGEST:
            self.refuse(keys[0], value, f"a whole number from {least} on")
        return value

    def number(self, *keys: str, default: float = _MISSING) -> float:
        """Return a number."""
        value = self._value(keys, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.refuse(keys[0], value, "a number")
        return float(value)

    def flag(self, *keys: str, default: bool = _MISSING) -> bool:
        """Return true or false; the text "false" is neither."""
        value = self._value(keys, default)
        if not isinstance(value, bool):
            self.refuse(keys[0], value, "true or false")
        return value

    def axes(self, *keys: str, default: int | None = -1) -> tuple[int, ...]:
        """Return one axis or a list of them, () for null."""
        value = self._value(keys, default)
        items = value if isinstance(value, list) else [] if value is None else [value]
        if not all(
            isinstance(item, int) and not isinstance(item, bool) and abs(item) < 100 for item in items
        ):
            self.refuse(keys[0], value, "an axis or a list of axes")
        return tuple(items)

    def array(self, key: str, default: float = _MISSING) -> NDArray[np.float64]:
        """Return a number or a regular list of (lists of) numbers."""
        value = self._value((key,), default)
        try:
            found = np.asarray(value)
        except ValueError:
            found = np.asarray(None)
        if found.dtype.kind not in "if" or not np.isfinite(found).all():
            self.refuse(key, value, "a number or a list of numbers")
        return found.astype(np.float64)

    def shape(self, *keys: str) -> tuple[int | None, ...] | None:
        """Return a shape with its batch axis, None where the field is missing or null."""
        value = self.get(*keys)
        if value is None:
            return None
        if not isinstance(value, list) or not value or not all(_is_size(size) for size in value):
            self.refuse(keys[0], value, "one shape (a model has one input here)")
        return tuple(value)

    def refuse(self, key: str, value: Any, wanted: str) -> NoReturn:
        """Refuse a field's value."""
        shown = (
            "missing"
            if value is _MISSING
            else quoted(str(value))
            if isinstance(value, str)
            else str(value)[:60]
        )
        raise DamagedFile(f"{self.where}: {key} is {shown}", code="config", way_out=f"it must be {wanted}")

    def _value(self, keys: tuple[str, ...], default: Any) -> Any:
        """Return a field's value; null counts as missing where there is a default."""
        found = next((plain(self.values[key]) for key in keys if key in self.values), _MISSING)
        return default if found is _MISSING or (found is None and default is not _MISSING) else found


def _is_size(size: Any) -> bool:
    return size is None or (isinstance(size, int) and not isinstance(size, bool) and 0 < size < LARGEST)
