"""Problem 6.3: where the parameters and the work of a ConvNet are, and how much of the image it sees."""

from __future__ import annotations

from dataclasses import dataclass

from coursework.explorable import Drawing, Explorable, frames
from cs7643.plots.marks import label
from cs7643.plots.style import BLUE, GREEN

SIDE, CHANNELS, CLASSES = 32, 3, 10  # of the images
WIDE, ROW, TOP = 412, 46, 46  # units of the picture
BARS = (150, 288)  # where those of the parameters and of the products begin
LONGEST = 116


@dataclass(frozen=True)
class Layer:
    """A convolution with ReLU and 2 x 2 pooling, or the affine layer.

    Attributes:
        name: of the layer.
        shape: of what it returns for one image, after the pooling.
        parameters: weights and biases.
        products: of a weight and a number, for one image.
        sees: the height and width of the part of the image on which a number of the result depends.
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    products: int
    sees: int


def layers_of(size: int, filters: int, convolutions: int) -> list[Layer]:
    """Return the layers of a ConvNet in which each convolution has ``filters`` filters of size x size."""
    side, channels, sees, apart = SIDE, CHANNELS, 1, 1
    layers = []
    for k in range(1, convolutions + 1):
        weights = filters * channels * size * size
        products = weights * side * side
        sees += (size - 1) * apart + apart  # the window of the convolution, then that of the pooling
        side, apart, channels = side // 2, 2 * apart, filters
        layers.append(Layer(f"convolution {k}", (filters, side, side), weights + filters, products, min(sees, SIDE)))
    weights = filters * side * side * CLASSES
    return [*layers, Layer("affine", (CLASSES,), weights + CLASSES, weights, SIDE)]


def network_sizes() -> Explorable:
    """Show the layers of ConvNets with their shares of the parameters and of the products."""

    def draw(convolutions: int, size: int, filters: int) -> Drawing:
        layers = layers_of(size, filters, convolutions)
        parameters, products = sum(each.parameters for each in layers), sum(each.products for each in layers)
        marks = [
            label(x, 20, text, 12, more='font-weight="bold"')
            for x, text in zip(BARS, ("parameters", "products"), strict=True)
        ]
        marks.append(label(8, 20, "layer", 12, more='font-weight="bold"'))
        for k, each in enumerate(layers):
            y = TOP + k * ROW
            shape = " × ".join(map(str, each.shape))
            marks += [label(8, y, each.name, 12), label(8, y + 16, shape, 12)]
            for x, own, whole, colour in zip(
                BARS, (each.parameters, each.products), (parameters, products), (BLUE, GREEN), strict=True
            ):
                width = f"{max(1.0, LONGEST * own / whole):.1f}"
                marks.append(f'<rect x="{x}" y="{y - 10}" width="{width}" height="11" fill="{colour}"/>')
                marks.append(label(x, y + 16, f"{own:,}", 12))
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {TOP + 4 * ROW - 20}">'
        layered = "One convolution" if convolutions == 1 else f"{convolutions} convolutions"
        sees = layers[-2].sees
        part = "the whole image" if sees == SIDE else f"{sees} × {sees} pixels"
        words = f"{layered} with {filters} filters of {size} × {size}: {parameters:,} parameters, "
        words += f"{layers[-1].parameters / parameters:.0%} of them in the affine layer; {products:,} products. "
        return Drawing(f"{svg}{''.join(marks)}</svg>", f"{words}A number of the last maps depends on {part}.")

    values = {"convolutions": (1, 2, 3), "filter size": (3, 5, 7, 9, 11), "filters": (8, 16, 32, 64)}
    return frames(draw, values, start=(0, 2, 2))
