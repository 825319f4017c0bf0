"""The backend follows what is asked for and what the computer has."""

import pytest

from core.devices import Backend, choose_backend, cores, describe, has_bf16, has_cuda
from core.errors import InvalidOptionError


def test_torch_on_the_processor_can_be_asked_for() -> None:
    assert choose_backend("cpu", "torch") is Backend.TORCH_CPU


def test_openvino_is_as_precise_as_the_processor_is_fast() -> None:
    expected = Backend.OPENVINO_BF16 if has_bf16() else Backend.OPENVINO_F32
    assert choose_backend("cpu", "auto") is choose_backend("auto", "openvino") is expected


@pytest.mark.parametrize("backend", Backend)
def test_a_backend_can_be_named(backend: Backend) -> None:
    assert choose_backend("auto", backend.value) is backend


def test_absent_cuda_is_said() -> None:
    if has_cuda():
        pytest.skip("there is a CUDA device")
    with pytest.raises(InvalidOptionError, match="no CUDA device"):
        choose_backend("cuda", "auto")


def test_the_processor_is_described_by_its_cores() -> None:
    assert describe(Backend.TORCH_CPU) == f"CPU, {cores()} cores"
