"""The images: CIFAR-10 if it is available, otherwise an embedded default of the same form."""

from cs7643.data.dataset import Dataset, DatasetError, Splits
from cs7643.data.preprocess import preprocess
from cs7643.data.sources import Source, find, load
