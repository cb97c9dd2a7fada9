"""What is right in the toy homework."""

import numpy as np

from coursework.check.case import case
from coursework.check.comparison import compare
from coursework.check.diagnosis import mistake
from toy.points import Point

mistake("total", "a mean", "the sum is divided by the number of terms.")


@case("total", "some numbers", "Return the sum of the numbers.")
def adds(total, rng):
    """Compare with NumPy."""
    numbers = rng.standard_normal(5)
    yield compare("the sum", total(numbers), np.sum(numbers), 1e-12, mistakes={"a mean": np.mean(numbers)})


@case("mirrored", "a point", "Return the point with both signs changed.")
def mirrors(mirrored, rng):
    """Compare both coordinates."""
    x, y = rng.standard_normal(2)
    found = mirrored(Point(x, y))
    yield compare("x", found.x, -x, 1e-12)
    yield compare("y", found.y, -y, 1e-12)
