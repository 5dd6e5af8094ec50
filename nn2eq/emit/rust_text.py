"""Rust: one file without crates; its function takes and gives arrays of known sizes."""

from __future__ import annotations

from nn2eq.emit.code.dialect import Dialect, Several, braced
from nn2eq.emit.code.helpers import ERF
from nn2eq.emit.code.loops import Loops
from nn2eq.emit.code.tables import Tables
from nn2eq.emit.code.text import emitter_of
from nn2eq.emit.printing import Infix

RESERVED = frozenset(
    """
    Self abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if
    impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true try type
    typeof union unsafe unsized use virtual where while yield f32 f64 i32 u32 usize main
    """.split()
)
FUNCTIONS = {
    **{name: f"f64::{name}({{0}})" for name in ("exp", "log10", "tanh", "sqrt", "abs")},
    "expm1": "f64::exp_m1({0})", "log": "f64::ln({0})", "log1p": "f64::ln_1p({0})", "erf": "erf({0})",
    "max": "f64::max({0}, {1})", "min": "f64::min({0}, {1})",
}  # fmt: skip
DIALECT = Dialect(
    name="rust",
    suffix=".rs",
    comment="//",
    reserved=RESERVED,
    infix=Infix(FUNCTIONS, loose=("where",), chain=("", "if {0} {{ {1} }} else ", "{{ {0} }}")),
    routine=braced("fn {0}({1}) -> f64 {{", "{0}: f64", "let {0} = {1};", "{0}"),
    let="let {0} = {1};",
    set="{0} = {1};",
    said="Return [{answers}] of [{given}].",
    predict=("#[allow(non_snake_case)]\npub fn {name}({x}: &[f64; {inputs}]) -> [f64; {outputs}] {{",),
    returned="[{0}]",
    joint=" else ",
    layers=Loops(
        vector="let mut {0} = [0.0_f64; {1}];",
        variable="let mut {0} = {1};",
        add="{0} += {1};",
        loop="for {0} in {1}..{2} {{",
        strided="for {0} in ({1}..{2}).step_by({3}) {{",
        lowest="f64::NEG_INFINITY",
        widened="f64::from({0})",
        returned="{0}",
        constants=Tables(
            vector="#[allow(non_upper_case_globals)]\nstatic {name}: [{type}; {size}] = [",
            matrix="#[allow(non_upper_case_globals)]\nstatic {name}: [[{type}; {columns}]; {rows}] = [",
            row="[{0}],",
            closing="];",
            types=("f32", "f64"),
        ),
    ),
    helpers={"erf": ERF},
    unused="let _ = {0};",
    several=Several(
        opening=("#[allow(non_snake_case)]\npub fn {name}({x}: &[f64; {inputs}]) -> ({stated}) {{",),
        said="Return ({results}) of [{given}], matrices row by row.",
        result="[f64; {1}]",
        group=lambda name, shape, parts, x: f"[{', '.join(parts)}]",
        returned="({0})",
    ),
)

EMITTER = emitter_of(DIALECT)
