"""Forward mode with lists; Dual, Traced, apply, jvp and so on are those of the homework's own file."""

import numpy as np


def apply(primitive, *arguments):
    # a variable on a tape takes over
    for argument in arguments:
        if isinstance(argument, Traced) and argument.rank > Dual.rank:
            return apply(primitive, *arguments)

    # the newest derivative comes first, the older ones count as values
    levels = []
    for argument in arguments:
        if isinstance(argument, Dual):
            levels.append(argument.level)
    level = max(levels)
    values, tangents = _split(arguments, level, len(primitive.forward))

    result = apply(primitive, *values)
    contributions = []
    for k in range(len(primitive.forward)):
        rule = primitive.forward[k]
        tangent = tangents[k]
        if tangent is not None:
            contributions.append(rule(tangent, result, *values))

    total = contributions[0]
    for contribution in contributions[1:]:
        total = total + contribution
    return _dual(result, total, level)


def forward_jacobian(f, w):
    w = point("forward_jacobian: w", w)
    n = len(w)
    columns = []
    for j in range(n):
        direction = np.zeros(n)
        direction[j] = 1.0
        value, tangent = jvp(f, w, direction)
        column = outputs(tangent)
        columns.append(column)
    return np.column_stack(columns)
