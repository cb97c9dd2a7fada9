"""Problem 6.3: the filters of a ConvNet and what they respond to, while it is trained."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from coursework.explorable import Drawing, Explorable, frames
from cs7643.fast.blocks import conv_relu_pool_forward
from cs7643.plots.marks import label

Array = NDArray[Any]
SHOWN = 5  # filters: those that have changed most
SIDE, GAP, LEFT, TOP, BELOW = 58, 6, 92, 30, 20  # of the small pictures, in units of the whole; below: a number
# That of classifiers.convnet, which imports what a student writes: no picture may depend on that.
POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}


def filters_and_maps(
    recorded: Mapping[int, tuple[Array, Array]], inputs: Array, images: Array, names: Sequence[str]
) -> Explorable:
    """Show at some steps the filters that change most, and below each what is left of its map after ReLU and pooling.

    Args:
        recorded: for each step W1 (F, C, K, K) and b1 (F,).
        inputs: (N, C, H, W), what the network sees of N images.
        images: the images themselves, uint8 (N, C, H, W).
        names: of what they show.
    """
    steps = sorted(recorded)
    (first, _), (last, _) = recorded[steps[0]], recorded[steps[-1]]
    chosen = np.argsort(-np.linalg.norm((last - first).reshape(len(last), -1), axis=1))[:SHOWN]
    pad = (last.shape[2] - 1) // 2
    maps = {
        step: conv_relu_pool_forward(inputs, W1[chosen], b1[chosen], {"stride": 1, "pad": pad}, POOL)[0]
        for step, (W1, b1) in recorded.items()
    }

    def draw(name: str, step: int) -> Drawing:
        k = list(names).index(name)
        weights, responses = recorded[step][0][chosen], maps[step][k]
        marks = [
            label(8, TOP + 34, "filters", 12),
            label(8, TOP + SIDE + GAP + 14, name, 12),
            _picture(images[k].transpose(1, 2, 0), 8, TOP + SIDE + GAP + 20, 44),
            label(LEFT, 20, f"step {step}", 13, more='font-weight="bold"'),
        ]
        for n, (weight, response) in enumerate(zip(weights, responses, strict=True)):
            x = LEFT + n * (SIDE + GAP)
            marks.append(_picture(_stretched(weight).transpose(1, 2, 0), x, TOP))
            marks.append(_picture(_stretched(response, low=0.0, levels=16), x, TOP + SIDE + GAP))
            marks.append(label(x + SIDE / 2, TOP + 2 * SIDE + GAP + 15, f"{response.max():.2g}", 12, "middle"))
        height = TOP + 2 * SIDE + GAP + BELOW
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + SHOWN * (SIDE + GAP)} {height}">'
        strongest = ", ".join(f"≈ {value:.2g}" for value in responses.max(axis=(1, 2)))
        size = np.sqrt(np.mean(weights**2))
        words = f"{name}, step {step}: the root mean square of the weights is ≈ {size:.2g}. "
        words += f"The largest response of each filter: {strongest}."
        return Drawing(f"{svg}{''.join(marks)}</svg>", words)

    return frames(draw, {"image": list(names), "step": steps}, start=(0, len(steps) - 1))


def _stretched(values: Array, low: float | None = None, levels: int = 32) -> NDArray[np.uint8]:
    """Return values as brightness from 0 to 255, with few levels, which are short to write."""
    bottom = float(values.min()) if low is None else low
    spread = max(float(values.max()) - bottom, 1e-30)
    return (np.round((values - bottom) / spread * (levels - 1)) * (255 // (levels - 1))).astype(np.uint8)


def _picture(pixels: NDArray[np.uint8], x: float, y: float, side: float = SIDE) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    data = base64.b64encode(stream.getvalue()).decode()
    size = f'x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}"'
    return f'<image {size} style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
