"""Figures that move without a kernel: a picture for each state, and a small script that changes from one to the next.

    from coursework.explorable import frames

    frames(draw, {"lambda": [4.0, 2.0, 1.0]})                    # one slider; the last expression of a cell
    frames(draw, {"w": ws, "eta": etas}, start=(3, 1), drag=box)   # two sliders, and the picture itself can be dragged
    frames(draw, {"step": range(1, 13)}, still=strip(figures))   # what is shown where no script runs
    frames(draw, {"size": [2, 3], "pad": [0, 1], "place": range(9)})   # up to four; None for a place that is not there

``draw`` takes one value of each parameter, and returns a Matplotlib figure whose label is its text alternative, or a
:class:`Drawing`, which is SVG that you wrote and its words. It is called at once for every state, so that all numbers
in the picture come from Python, and later cells cannot change them. The words stand below the picture and are read
aloud when it changes: keep them to the numbers of the state.

The output holds everything: text/html with a script that loads nothing, and beside it a still picture with a text
alternative, which the PDF takes. Where scripts are not run, the HTML shows the still picture, too. The states share
what they have in common and are packed, so that one costs what differs in it; the HTML should stay under ``LIMIT``
bytes. The still picture is in the output twice: let it be one state, unless a strip says more.

A state that differs from the others in a few marks is fast and small: ``base = drawing_of(figure)`` once, and for each
state ``base.under('<circle cx=... cy=... r="4" fill="#D55E00"/>', words)``, where ``place(axis, x, y)`` returns the
coordinates; ``drag=(*place(...), ...)`` likewise.

Draw every state on the same scale, with the same texts around it: what differs from state to state is what moves. A
figure of about 6 by 3.6 inches with ``rc_context({"font.size": 11})`` is legible on a phone. Write colours as
hexadecimal numbers, for a light page: their dark counterparts are computed.
"""

from coursework.explorable.drawing import Drawing, drawing_of, place, png, strip
from coursework.explorable.frames import LIMIT, Explorable, frames

__all__ = ["LIMIT", "Drawing", "Explorable", "drawing_of", "frames", "place", "png", "strip"]
