"""Which stored array is which weight of which layer: as Keras pairs them, and never by a guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from nn2eq.errors import DamagedFile
from nn2eq.reading.archive import Archive, Array, Group
from nn2eq.reading.keras_layers import KERAS_LAYERS, NON_TRAINABLE
from nn2eq.reading.model_config import LayerConfig, ModelConfig
from nn2eq.reading.names import quoted
from nn2eq.reading.origins import INPUT_LAYER

Weights = dict[int, dict[str, Array]]
"""By the layer's identity, then by the weight's Keras name, in Keras' order."""

Item = LayerConfig | ModelConfig

ALIASES: Mapping[str, tuple[str, ...]] = {
    "kernel": ("W",),
    "bias": ("b",),
    "alpha": ("alphas",),
    "moving_mean": ("running_mean",),
    "moving_variance": ("running_std", "running_var"),
    "mean": ("adapt_mean",),
    "variance": ("adapt_variance",),
}
"""What Keras 1 called its weights (its running_std holds the variance), and what attributes are called."""

_ANONYMOUS = re.compile(r"param_\d+")


def pair(model: ModelConfig, archive: Archive) -> Weights:
    """Give every layer its weights."""
    return _LAYOUTS[archive.layout](model, archive.groups)


def weight_names(layer: LayerConfig) -> tuple[str, ...]:
    """The weights that a layer of this config has."""
    return () if layer.class_name == INPUT_LAYER else KERAS_LAYERS[layer.class_name].weights(layer.fields)


def _leaves(item: Item) -> list[LayerConfig]:
    leaves = item.leaves() if isinstance(item, ModelConfig) else (item,)
    return [leaf for leaf in leaves if weight_names(leaf)]


def _weighted(model: ModelConfig) -> list[Item]:
    """The layers and models in a model that have weights."""
    return [item for item in model.layers if _leaves(item)]


# ----------------------------------------------------------------------------------- legacy HDF5: by position


def _by_order(model: ModelConfig, groups: Sequence[Group]) -> Weights:
    """Match groups with weights and layers with weights one after the other; names only confirm it."""
    items = _weighted(model)
    if len(items) != len(groups):
        raise DamagedFile(
            f"layer_names lists {len(groups)} with weights ({_labels(group.label for group in groups)}), "
            f"the config has {len(items)} ({_labels(item.name for item in items)})",
            code="weight-count",
        )
    weights: Weights = {}
    for item, group in zip(items, groups, strict=True):
        expected = _legacy_order(item)
        if len(expected) != len(group.weights):
            raise DamagedFile(
                f"{item.fields.where}: it has the weights {_labels(name for _, name in expected)}, "
                f"the file holds {_labels(name for name, _ in group.weights)}",
                code="weight-count",
            )
        for (leaf, name), (stored, array) in zip(expected, group.weights, strict=True):
            _confirm(leaf, name, stored)
            weights.setdefault(id(leaf), {})[name] = array
    return {key: _in_order(leaf, weights[key]) for leaf in _leaves(model) for key in (id(leaf),)}


def _legacy_order(item: Item) -> list[tuple[LayerConfig, str]]:
    """Keras' legacy order: of all layers in it what is trained, then of all layers what is not."""
    pairs = [(leaf, name) for leaf in _leaves(item) for name in weight_names(leaf)]
    return sorted(pairs, key=lambda pair: not pair[0].trainable or pair[1] in NON_TRAINABLE)


def _in_order(leaf: LayerConfig, weights: Mapping[str, Array]) -> dict[str, Array]:
    return {name: weights[name] for name in weight_names(leaf)}


def _confirm(leaf: LayerConfig, name: str, stored: str) -> None:
    """Check that a stored name, `scope/dense_1/kernel_1:0` or Keras 1's `dense_1_W`, means this weight."""
    last = stored.rsplit("/", 1)[-1].removesuffix(":0")
    known = "|".join((name, *ALIASES.get(name, ())))
    if not _ANONYMOUS.fullmatch(last) and not re.fullmatch(rf"(.*_)?({known})(_\d+)?", last, re.DOTALL):
        raise DamagedFile(
            f"{leaf.fields.where}: {quoted(stored)} stands where its {name} should", code="weight-names"
        )


# -------------------------------------------------------- Keras 3's store: by class and counter in each model


def _by_class(model: ModelConfig, groups: Sequence[Group]) -> Weights:
    """Match `dense`, `dense_1`, … with the layers of that class, in each model by itself."""
    weights: Weights = {}
    stored = {group.path: group for group in groups}
    members = _members(stored)
    places: list[tuple[ModelConfig, tuple[str, ...]]] = [(model, ())]
    while places:
        place, path = places.pop()
        if path in stored:
            raise _unknown(place.name or "the model")
        for item, name in _matched(place, members.get(path, set())):
            if isinstance(item, ModelConfig):
                places.append((item, (*path, name)))
            else:
                weights[id(item)] = _numbered(item, stored.get((*path, name), Group((*path, name), ())))
    return weights


def _members(paths: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], set[str]]:
    """List what lies directly in each place."""
    members: dict[tuple[str, ...], set[str]] = {}
    for path in paths:
        for depth, name in enumerate(path):
            members.setdefault(path[:depth], set()).add(name)
    return members


def _matched(model: ModelConfig, names: set[str]) -> list[tuple[Item, str]]:
    """Match the layers of a model that have weights with the groups stored for it."""
    matched: list[tuple[Item, str]] = []
    left = set(names)
    for base in dict.fromkeys(map(_base, model.layers)):
        items = [item for item in model.layers if _base(item) == base]
        exact = {f"{base}_{n}" if n else base: item for n, item in enumerate(items) if _leaves(item)}
        counters = {name: _counter(base, name) for name in left}
        found = sorted(name for name, counter in counters.items() if counter is not None)
        found.sort(key=lambda name: counters[name] or 0)
        if len(found) != len(exact):
            first = next((item for name, item in exact.items() if name not in found), items[0])
            raise DamagedFile(
                f"{first.fields.where}: weights are stored for {len(found)} layers of its class, "
                f"the config has {len(exact)}",
                code="weight-count",
            )
        # Keras 2.12 and 2.13 skip counters: then the order alone counts.
        matched += zip(exact.values(), exact if exact.keys() == set(found) else found, strict=True)
        left -= set(found)
    if left:
        raise _unknown(min(left))
    return matched


def _unknown(place: str) -> DamagedFile:
    return DamagedFile(
        f"weights are stored for {quoted(place)}, of which the config knows nothing", code="weight-count"
    )


def _numbered(leaf: LayerConfig, group: Group) -> dict[str, Array]:
    names = weight_names(leaf)
    if len(names) != len(group.weights):
        raise DamagedFile(
            f"{leaf.fields.where}: it has the weights {_labels(names)}, {len(group.weights)} are stored",
            code="weight-count",
        )
    return {name: array for name, (_, array) in zip(names, group.weights, strict=True)}


def _base(item: Item) -> str:
    """A class name as Keras writes it in snake case."""
    name = re.sub(r"\W+", "", item.class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _counter(base: str, name: str) -> int | None:
    """Return the counter in a group's name, 0 where it has none; None if it is not of this class."""
    found = re.fullmatch(rf"{base}(?:_([1-9][0-9]{{0,8}}))?", name)
    return int(found[1] or 0) if found else None


# ----------------------------------------------- SavedModel and live models: by a name on the way to a layer


def _by_path(
    model: ModelConfig,
    groups: Sequence[Group],
    *,
    step: Callable[[int, Item], str],
    take: Callable[[LayerConfig, Group], dict[str, Array]],
) -> Weights:
    """Go down from model to model; STEP names the n-th layer with weights in its model."""
    weights: Weights = {}
    stored = {group.path: group for group in groups}
    places: list[tuple[ModelConfig, tuple[str, ...]]] = [(model, ())]
    while places:
        place, path = places.pop()
        for number, item in enumerate(_weighted(place)):
            here = (*path, step(number, item))
            if isinstance(item, ModelConfig):
                places.append((item, here))
            else:
                weights[id(item)] = take(item, stored.pop(here, Group(here, ())))
    if stored:
        raise _unknown(next(iter(stored.values())).label)
    return weights


def _named(leaf: LayerConfig, group: Group) -> dict[str, Array]:
    stored = dict(group.weights)
    names = weight_names(leaf)
    found = {
        name: stored.pop(key) for name in names for key in (name, *ALIASES.get(name, ())) if key in stored
    }
    if stored or len(found) < len(names):
        raise DamagedFile(
            f"{leaf.fields.where}: it has the weights {_labels(names)}, "
            f"the checkpoint holds {_labels(name for name, _ in group.weights)}",
            code="weight-count",
        )
    return found


_LAYOUTS: Mapping[str, Callable[[ModelConfig, Sequence[Group]], Weights]] = {
    "order": _by_order,
    "classes": _by_class,
    "graph": partial(_by_path, step=lambda number, item: f"layer_with_weights-{number}", take=_named),
    "names": partial(_by_path, step=lambda number, item: item.name, take=_numbered),
}


def _labels(names: Iterable[str]) -> str:
    """Quote names for a message, the first few of them."""
    shown = [quoted(name) for name in names]
    return ", ".join(shown[:6] + ["…"] * (len(shown) > 6)) or "none"
