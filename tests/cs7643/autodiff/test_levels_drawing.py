"""The picture of ranks and levels: what it says is what happens, and every word is inside it."""

from __future__ import annotations

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np

from cs7643 import autodiff
from cs7643.autodiff import Dual, Tape, Variable, primitives
from cs7643.autodiff.levels_drawing import LAYERS, draw_levels


def test_the_layers_are_handled_in_the_order_of_the_picture(monkeypatch):
    handled = []

    def seen(kind, apply):
        def noted(primitive, *arguments):
            levels = [argument.level for argument in arguments if isinstance(argument, Dual)]
            handled.append((kind, kind.rank, max(levels, default=None)))
            return apply(primitive, *arguments)

        return noted

    number = Tape().variable(Dual(Dual(3.0, 1.0, level=1), 1.0, level=2))
    for kind in (Variable, Dual):
        monkeypatch.setattr(kind, "apply", staticmethod(seen(kind, kind.apply)))
    product = primitives.apply(primitives.MULTIPLY, number, number)
    first = [(Variable, 2, None), (Dual, 1, 2), (Dual, 1, 1)]
    assert handled[:3] == first
    assert [(rank, handler) for _, rank, _, handler, _ in LAYERS[:3]] == [
        (rank, f"{kind.__name__}.apply") for kind, rank, _ in first
    ]
    assert autodiff.plain(product) == 9.0
    product.backward()
    np.testing.assert_allclose(autodiff.plain(number.adjoint), 6.0)


def test_every_word_is_inside_the_picture_and_covers_no_other():
    figure = draw_levels()
    assert plt.get_fignums() == []
    spots = [text.get_window_extent() for text in figure.axes[0].texts]
    for spot in spots:
        assert figure.bbox.x0 < spot.x0 < spot.x1 < figure.bbox.x1
        assert figure.bbox.y0 < spot.y0 < spot.y1 < figure.bbox.y1
    assert not any(first.overlaps(second) for first, second in combinations(spots, 2))
    assert all(name in figure.get_label() and does in figure.get_label() for name, _, _, _, does in LAYERS)
