"""Programming languages: what their texts have in common, written from a table of particulars for each.

`dialect.py` is what a row of that table holds; each language's own file fills one in. `scalars.py` writes one
number a name, `loops.py` whole layers as loops over arrays, `arrays.py` as operations on arrays; `routines.py`
the functions that a text defines; `text.py` puts it all together.
"""
