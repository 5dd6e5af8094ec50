"""The ES module that node runs is run by Chromium as well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from latex_networks import dense

from nn2eq.emit import emit
from nn2eq.forms.straight import layered, matrix

PAGE = """<!doctype html><meta charset="utf-8"><pre id="answers"></pre><script type="module">
{module}
document.getElementById("answers").textContent = JSON.stringify({rows}.map((row) => predict(row)));
</script>"""


@pytest.mark.slow
@pytest.mark.parametrize("layout", [layered, matrix], ids=lambda layout: layout.__name__)
def test_chromium_runs_the_module(
    layout: Callable[..., object], tmp_path: Path, opened: Callable[[Path], str]
) -> None:
    network = dense(2, 20, 3, hidden="gelu", last="softmax")
    x = np.random.default_rng(0).normal(size=(20, 2))
    page = tmp_path / "page.html"
    module = emit(layout(network), "javascript")
    page.write_text(PAGE.format(module=module, rows=json.dumps(x.tolist())), encoding="utf-8")
    shown = re.search(r'<pre id="answers">(.*?)</pre>', opened(page))
    assert shown is not None
    np.testing.assert_allclose(json.loads(shown[1]), network.evaluate(x), rtol=1e-12)
