"""All pictures in the notebooks. Each function returns its figure; titles state what the picture shows.

The colours are those of Okabe and Ito, which people with any kind of colour vision can distinguish.
"""

from cs7643.plots.bugs import live_bugs
from cs7643.plots.code import side_by_side
from cs7643.plots.convolution import convolution_backward, convolution_forward, turned_filter, windows_as_rows
from cs7643.plots.descent import (
    attacks,
    noise_floors,
    raising_steps,
    rates,
    regret_sides,
    sgd_runs,
    square_or_not,
    step_sizes,
)
from cs7643.plots.differences import difference_errors
from cs7643.plots.explorables import last_iterates, proximal_plane, regret_ledger, running_average, sgd_region
from cs7643.plots.filters import filters_and_maps
from cs7643.plots.images import (
    captioned_images,
    class_examples,
    draw_scene,
    filtered_picture,
    visualize_grid,
    weight_images,
)
from cs7643.plots.learning import learning_network, leaving_the_saddle
from cs7643.plots.optimisers import optimiser_paths
from cs7643.plots.pairs import paired_differences
from cs7643.plots.pooling import pooling_routes
from cs7643.plots.runs import (
    accuracy_curves,
    calibration,
    filter_evolution,
    filters_side_by_side,
    loss_curve,
    rate_ramp,
    running_mean,
    same_curves,
)
from cs7643.plots.scores import outer_products, score_pushes
from cs7643.plots.sizes import network_sizes
from cs7643.plots.speed import roofline, speed_bars
from cs7643.plots.steps import both_sweeps
from cs7643.plots.together import two_processes_step
from cs7643.plots.training import accuracy_map, compare_losses, confusion_matrix, training_curves
