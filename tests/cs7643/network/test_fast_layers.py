"""The fast layers equal the naive ones, in blocks of any size and on any number of threads, alone and fused."""

from __future__ import annotations

import threading
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits
from tolerances import assert_within, layer

from cs7643 import layers
from cs7643.fast import blocks, patches, threads
from cs7643.fast import layers as fast_layers


@st.composite
def problems(draw, dtype=None, whole=True):
    """Draw x, w, b, conv_param, pool_param that fit.

    ``whole`` numbers are small: every sum is exact in either precision, whatever its order, and maxima often tie.
    """
    size = st.integers(1, 3)
    N, C, F, pad, stride = draw(st.integers(1, 7)), draw(size), draw(size), draw(st.integers(0, 3)), draw(size)
    HH, WW = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    H, W = draw(st.integers(max(1, HH - 2 * pad), 8)), draw(st.integers(max(1, WW - 2 * pad), 8))
    H_out, W_out = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    if draw(st.booleans()):  # windows side by side, which are fused with the convolution
        edge = draw(st.integers(1, min(3, H_out, W_out)))
        pool_param = {"pool_height": edge, "pool_width": edge, "stride": edge}
    else:
        window = draw(st.integers(1, min(4, H_out))), draw(st.integers(1, min(4, W_out)))
        pool_param = {"pool_height": window[0], "pool_width": window[1], "stride": draw(size)}
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = (N, C, H, W), (F, C, HH, WW), (F,)
    arrays = [rng.integers(-2, 3, shape) if whole else rng.standard_normal(shape) for shape in shapes]
    dtype = dtype or draw(st.sampled_from([np.float32, np.float64]))
    return *(array.astype(dtype) for array in arrays), {"stride": stride, "pad": pad}, pool_param


def upstream(out, whole=True):
    rng = np.random.default_rng(out.size)
    return (rng.integers(-2, 3, out.shape) if whole else rng.standard_normal(out.shape)).astype(out.dtype)


def naive_results(x, w, b, conv_param, pool_param, whole=True):
    """Return outputs and gradients of convolution, pooling, convolution - ReLU, convolution - ReLU - pooling."""
    maps, conv_cache = layers.conv_forward_naive(x, w, b, conv_param)
    pooled_x = layers.max_pool_forward_naive(maps, pool_param)
    rectified, relu_cache = layers.relu_forward(maps)
    pooled, pool_cache = layers.max_pool_forward_naive(rectified, pool_param)

    def through_relu(dout):
        return layers.conv_backward_naive(layers.relu_backward(dout, relu_cache), conv_cache)

    return [
        [maps, *layers.conv_backward_naive(upstream(maps, whole), conv_cache)],
        [pooled_x[0], layers.max_pool_backward_naive(upstream(pooled_x[0], whole), pooled_x[1])],
        [rectified, *through_relu(upstream(rectified, whole))],
        [pooled, *through_relu(layers.max_pool_backward_naive(upstream(pooled, whole), pool_cache))],
    ]


def fast_results(x, w, b, conv_param, pool_param, whole=True):
    """Return the same as :func:`naive_results`; the convolution's output is what its pooling is tried on."""
    found = []
    for forward, backward, params in (
        (fast_layers.conv_forward_fast, fast_layers.conv_backward_fast, (conv_param,)),
        (None, None, ()),
        (blocks.conv_relu_forward, blocks.conv_relu_backward, (conv_param,)),
        (blocks.conv_relu_pool_forward, blocks.conv_relu_pool_backward, (conv_param, pool_param)),
    ):
        if forward is None:
            out, cache = fast_layers.max_pool_forward_fast(found[0][0], pool_param)
            found.append([out, fast_layers.max_pool_backward_fast(upstream(out, whole), cache)])
        else:
            out, cache = forward(x, w, b, *params)
            found.append([out, *backward(upstream(out, whole), cache)])
    return found


def in_blocks(block_bytes, num_threads, function, *arguments):
    """Call ``function`` with blocks and pieces of other sizes, and other threads, which share even the least work."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(num_threads, user_api="blas"):
        patch.setattr(threads, "BLOCK_BYTES", block_bytes)
        patch.setattr(threads, "WORTH_SHARING", 0)
        patch.setattr(patches, "ROWS_BYTES", block_bytes // 3)
        patch.setattr(patches, "FEWEST", 2)
        patch.setattr(patches, "SMALL", block_bytes // 10)
        patches._rows_at_once.cache_clear()
        try:
            return function(*arguments)
        finally:
            patches._rows_at_once.cache_clear()


BLOCK_BYTES = st.sampled_from([1, 2_000, 20_000, 10**9])


@given(problem=problems(), block_bytes=BLOCK_BYTES, num_threads=st.integers(1, 4))
@settings(max_examples=200)
def test_fast_layers_equal_the_naive_ones_exactly_on_whole_numbers(problem, block_bytes, num_threads):
    fast = in_blocks(block_bytes, num_threads, fast_results, *problem)
    for found, expected in zip(fast, naive_results(*problem), strict=True):
        for actual, right in zip(found, expected, strict=True):
            assert actual.dtype == problem[0].dtype
            np.testing.assert_array_equal(actual, right)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(data=st.data(), block_bytes=BLOCK_BYTES, num_threads=st.integers(1, 3))
@settings(max_examples=60)
def test_a_fast_convolution_equals_the_naive_one(dtype, data, block_bytes, num_threads):
    problem = data.draw(problems(dtype, whole=False))
    fast = in_blocks(block_bytes, num_threads, fast_results, *problem, False)
    bounds = layer(*problem[:3], upstream(fast[0][0], False), dtype)
    for actual, right, bound in zip(fast[0], naive_results(*problem, False)[0], bounds, strict=True):
        assert_within(actual, right, bound)


@given(problem=problems(whole=False), block_bytes=BLOCK_BYTES)
@settings(max_examples=60)
def test_the_number_of_threads_changes_no_bit(problem, block_bytes):
    alone, *others = [in_blocks(block_bytes, n, fast_results, *problem, False) for n in (1, 2, 3)]
    for other in others:
        for one, same in zip(chain(*alone), chain(*other), strict=True):
            assert one.tobytes() == same.tobytes()


def test_the_number_of_threads_changes_no_bit_in_a_real_layer():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((50, 3, 32, 32), np.float32), rng.standard_normal((32, 3, 7, 7), np.float32)
    pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}
    results = []
    for n in (1, 2):
        with threadpool_limits(n, user_api="blas"):
            found = fast_results(x, w, w[:, 0, 0, 0], {"stride": 1, "pad": 3}, pool_param, False)
            results.append([array.tobytes() for array in chain(*found)])
    assert results[0] == results[1]


@given(problem=problems())
@settings(max_examples=30)
def test_the_gradient_of_the_images_is_left_out_where_nobody_asks(problem):
    x, w, b, conv_param, pool_param = problem
    for forward, backward, params in (
        (blocks.conv_relu_forward, blocks.conv_relu_backward, (conv_param,)),
        (blocks.conv_relu_pool_forward, blocks.conv_relu_pool_backward, (conv_param, pool_param)),
    ):
        out, cache = forward(x, w, b, *params)
        nothing, *rest = backward(upstream(out), cache, need_dx=False)
        _, *expected = backward(upstream(out), cache)
        assert nothing is None
        assert [array.tobytes() for array in rest] == [array.tobytes() for array in expected]


@given(problem=problems())
@settings(max_examples=30)
def test_arrays_may_lie_in_memory_in_any_way_and_stay_as_they_are(problem):
    *arrays, conv_param, pool_param = problem
    odd = [np.repeat(array[::-1], 2, axis=-1)[..., ::2][::-1].view() for array in arrays]  # strides that fit no BLAS
    for array in odd:
        array.flags.writeable = False
    for found, expected in zip(
        fast_results(*odd, conv_param, pool_param), fast_results(*arrays, conv_param, pool_param), strict=True
    ):
        for actual, right in zip(found, expected, strict=True):
            np.testing.assert_array_equal(actual, right)


@given(count=st.integers(0, 600), bytes_each=st.integers(1, 2**24))
@settings(max_examples=200)
def test_blocks_cover_all_images_once_and_are_of_nearly_one_size(count, bytes_each):
    parts = threads.divide(count, bytes_each)
    assert [n for part in parts for n in range(count)[part]] == list(range(count))
    sizes = {part.stop - part.start for part in parts}
    assert not sizes or max(sizes) - min(sizes) <= 1
    assert not sizes or 0 not in sizes
    assert not sizes or (max(sizes) - 1) * bytes_each <= threads.BLOCK_BYTES


@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_blocks_and_buffers_belong_to_one_thread(num_threads):
    owners: dict[int, set[int]] = {}

    def work(own, block):
        owners.setdefault(id(own), set()).add(threading.get_ident())
        return block.start

    parts = [slice(start, start + 2) for start in range(0, 80, 2)]
    kept = []
    with threadpool_limits(num_threads, user_api="blas"):
        found = threads.share(work, parts, lambda images: kept.append([images]) or kept[-1])
    assert found == list(range(0, 80, 2))
    assert kept == [[2]] * num_threads
    assert all(len(idents) == 1 for idents in owners.values())


@pytest.mark.parametrize("num_threads", [1, 3])
def test_an_error_in_a_block_arrives_and_leaves_blas_as_it_was(num_threads):
    def work(own, block):
        if block.start == 7:
            raise ZeroDivisionError("block 7")

    with threadpool_limits(num_threads, user_api="blas"):
        with pytest.raises(ZeroDivisionError, match="block 7"):
            threads.share(work, [slice(n, n + 1) for n in range(12)], lambda images: None)
        assert threads.num_threads() == num_threads


def test_layers_may_be_called_from_several_threads_at_once():
    rng = np.random.default_rng(1)
    x, w, b = rng.standard_normal((24, 3, 16, 16)), rng.standard_normal((8, 3, 3, 3)), rng.standard_normal(8)
    conv_param = {"stride": 1, "pad": 1}
    expected = fast_layers.conv_forward_fast(x, w, b, conv_param)[0].tobytes()
    found = []

    def call():
        for _ in range(5):
            found.append(fast_layers.conv_forward_fast(x, w, b, conv_param)[0].tobytes())

    with threadpool_limits(2, user_api="blas"):
        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert threads.num_threads() == 2
    assert found == [expected] * 20
