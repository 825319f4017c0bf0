"""Threads share one network; those that wait are gathered into one batch."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.inference.batching import Batcher
from core.types import RGBImage


def images(*values: int) -> RGBImage:
    """One 1 x 1 image per value."""
    return np.array(values, np.uint8).reshape(-1, 1, 1, 1).repeat(3, axis=3)


class SlowNetwork:
    """Answers the first pixel of every image, once `go` is set; keeps the sizes of its batches."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.started = threading.Event()
        self.sizes: list[int] = []

    def __call__(self, batch: RGBImage) -> np.ndarray:
        self.sizes.append(len(batch))
        self.started.set()
        assert self.go.wait(10)
        return batch[:, 0, 0, :1].astype(np.float32)


def test_one_caller_is_answered_in_order_and_in_batches() -> None:
    network = SlowNetwork()
    network.go.set()
    assert Batcher(network, max_batch=2)(images(1, 2, 3, 4, 5)).ravel().tolist() == [1, 2, 3, 4, 5]
    assert network.sizes == [2, 2, 1]


def test_waiting_callers_run_together_and_each_gets_its_own_answer() -> None:
    network = SlowNetwork()
    batcher = Batcher(network, max_batch=8)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batcher, images(100))
        assert network.started.wait(10)
        others = [pool.submit(batcher, images(value, value + 1)) for value in (10, 20, 30)]
        while len(batcher._waiting) < 3:
            pass
        network.go.set()
        assert first.result(10).ravel().tolist() == [100]
        assert [other.result(10).ravel().tolist() for other in others] == [[10, 11], [20, 21], [30, 31]]
    assert network.sizes == [1, 6]


def test_an_error_reaches_every_caller_and_the_next_call_works() -> None:
    def network(batch: RGBImage) -> np.ndarray:
        if batch[0, 0, 0, 0] == 13:
            raise ValueError("unlucky")
        return batch[:, 0, 0, :1].astype(np.float32)

    batcher = Batcher(network, max_batch=4)
    with pytest.raises(ValueError, match="unlucky"):
        batcher(images(13))
    assert batcher(images(7)).tolist() == [[7]]
