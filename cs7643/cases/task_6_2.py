"""Cases of task 6.2: the layers, forward and backward, in a module for each kind of layer.

A backward function gets the cache that its forward function documents, made here, so that neither depends on the
other. The oracles are the given fast layers (which the repository's tests hold against PyTorch), finite differences
of them, and stored facts. The predictions of mistakes come from the fast layers with changed inputs.
"""

from cs7643.cases import affine, convolution, pooling, relu

__all__ = ["affine", "convolution", "pooling", "relu"]
