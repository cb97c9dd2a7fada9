"""Every picture that a notebook shows. Each function returns its figure; titles state what is to be seen.

The colours are those of Okabe and Ito, which people with any colour vision tell apart.
"""

from cs7643.plots.convolution import convolution_example, convolution_gradient_example
from cs7643.plots.images import (
    captioned_images,
    class_examples,
    draw_scene,
    filtered_picture,
    visualize_grid,
    weight_images,
)
from cs7643.plots.training import accuracy_map, compare_losses, confusion_matrix, speed_bars, training_curves

__all__ = [
    "accuracy_map",
    "captioned_images",
    "class_examples",
    "compare_losses",
    "confusion_matrix",
    "convolution_example",
    "convolution_gradient_example",
    "draw_scene",
    "filtered_picture",
    "speed_bars",
    "training_curves",
    "visualize_grid",
    "weight_images",
]
