"""Task 5c, with comprehensions and sum."""

import numpy as np


def apply(primitive, *arguments):
    if any(isinstance(a, Traced) and a.rank > Dual.rank for a in arguments):
        return apply(primitive, *arguments)
    level = max(a.level for a in arguments if isinstance(a, Dual))
    values, tangents = _split(arguments, level, len(primitive.forward))
    result = apply(primitive, *values)
    # chain rule: what every argument adds to the tangent (constants add nothing)
    pairs = [(rule, dx) for rule, dx in zip(primitive.forward, tangents) if dx is not None]
    return _dual(result, sum(rule(dx, result, *values) for rule, dx in pairs), level)


def forward_jacobian(f, w):
    w = point("forward_jacobian: w", w)
    # one direction of the identity gives one column
    return np.array([outputs(jvp(f, w, e)[1]) for e in np.eye(w.size)]).T
