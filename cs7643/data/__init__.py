"""The images: CIFAR-10 where it is there, and an embedded default, of the same form, where it is not."""

from cs7643.data.dataset import Dataset, DatasetError, Splits
from cs7643.data.preprocess import preprocess
from cs7643.data.sources import Source, find, load

__all__ = ["Dataset", "DatasetError", "Source", "Splits", "find", "load", "preprocess"]
