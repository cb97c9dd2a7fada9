"""Forward mode with sums over lists; Dual, Traced, apply, jvp and so on are those of the homework's own file."""

import numpy as np


def apply(primitive, *arguments):
    if max(getattr(argument, "rank", 0) for argument in arguments) > Dual.rank:
        return apply(primitive, *arguments)  # there is a variable on a tape among them
    level = max(argument.level for argument in arguments if isinstance(argument, Dual))
    values, tangents = _split(arguments, level, len(primitive.forward))
    result = apply(primitive, *values)
    active = [k for k in range(len(primitive.forward)) if tangents[k] is not None]
    first, *others = [primitive.forward[k](tangents[k], result, *values) for k in active]
    return _dual(result, sum(others, start=first), level)


def forward_jacobian(f, w):
    w = point("forward_jacobian: w", w)
    tangents = [jvp(f, w, direction)[1] for direction in np.eye(len(w))]
    return np.transpose([outputs(tangent) for tangent in tangents])
