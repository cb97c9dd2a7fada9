"""Points of the plane."""

from dataclasses import dataclass


@dataclass
class Point:
    """A point."""

    x: float
    y: float


def mirrored(point):
    """Return the point on the other side of the origin."""
    # BEGIN SOLUTION 2 mirrored
    return Point(-point.x, -point.y)
    # END SOLUTION
