"""What a run tells other tools while it trains: a TensorBoard log always, an MLflow server where one is named.

Neither may end a training: whatever fails is said once in the log and left alone from then on.
"""

import importlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from core.training.config import TrainConfig
from core.training.run_folder import RunFolder
from core.types import RGBImage

logger = logging.getLogger(__name__)

FLUSH_S = 10
"""TensorBoard shows nothing younger than this."""

MLFLOW_FILE = "mlflow.json"
"""In the run folder: which MLflow run it is, so that a resumed training goes on with the same one."""

_MLFLOW_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""An unreachable server would otherwise hold the training for minutes; what the user has set goes first."""


class _Sink(Protocol):
    name: str
    failures: tuple[type[Exception], ...]

    def numbers(self, values: Mapping[str, float], step: int) -> None: ...

    def picture(self, name: str, image: RGBImage, step: int) -> None: ...

    def close(self) -> None: ...


class Tracker:
    """Passes the numbers and pictures of one run on to TensorBoard and MLflow."""

    def __init__(self, run: RunFolder, config: TrainConfig) -> None:
        """Open the logs; a resumed run goes on with its own."""
        self._sinks: list[_Sink] = []
        try:
            self._sinks.append(_TensorBoard(run, config))
        except OSError as error:
            logger.warning("There will be no TensorBoard log (%s).", error)
        if os.environ.get("MLFLOW_TRACKING_URI"):
            self._open_mlflow(run, config)

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Log numbers by name; `step` counts batches over all epochs."""
        self._tell(lambda sink: sink.numbers(values, step))

    def picture(self, name: str, image: RGBImage, step: int) -> None:
        """Log a picture, (H, W, 3) uint8 RGB."""
        self._tell(lambda sink: sink.picture(name, image, step))

    def close(self) -> None:
        """Write what is pending; nothing may be logged afterwards."""
        self._tell(lambda sink: sink.close())
        self._sinks.clear()

    def _open_mlflow(self, run: RunFolder, config: TrainConfig) -> None:
        for key, value in _MLFLOW_DEFAULTS.items():
            os.environ.setdefault(key, value)
        try:
            mlflow = importlib.import_module("mlflow")
        except ImportError:
            logger.warning("MLFLOW_TRACKING_URI is set, but MLflow is not installed: pip install mlflow.")
            return
        failures = (mlflow.exceptions.MlflowException, OSError, ValueError, RuntimeError, ImportError)
        try:
            self._sinks.append(_MlFlow(mlflow, failures, run, config))
        except failures as error:
            logger.warning("MLflow cannot be reached and will not be told of this run (%s).", _short(error))

    def _tell(self, write: Callable[[_Sink], None]) -> None:
        for sink in tuple(self._sinks):
            try:
                write(sink)
            except sink.failures as error:
                self._sinks.remove(sink)
                logger.warning("%s failed and is told nothing more of this run (%s).", sink.name, _short(error))


class _TensorBoard:
    name = "TensorBoard"
    failures: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, run: RunFolder, config: TrainConfig) -> None:
        self._writer = SummaryWriter(str(run.tensorboard), flush_secs=FLUSH_S)
        text = json.dumps(config.model_dump(mode="json"), indent=1)
        self._writer.add_text("config", f"```\n{text}\n```")

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, float(value), step)

    def picture(self, name: str, image: RGBImage, step: int) -> None:
        self._writer.add_image(name, image, step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()


class _MlFlow:
    name = "MLflow"

    def __init__(
        self, package: Any, failures: tuple[type[Exception], ...], run: RunFolder, config: TrainConfig
    ) -> None:
        self.failures = failures
        self._entities = package.entities
        self._client = package.MlflowClient()
        self._run_id = _known_run(run) or self._begin(run, config)
        self._client.update_run(self._run_id, status="RUNNING")

    def _begin(self, run: RunFolder, config: TrainConfig) -> str:
        settings = config.model_dump(mode="json")
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or f"ihc-workbench-{settings.get('recipe', 'training')}"
        experiment = self._client.get_experiment_by_name(name)
        experiment_id = experiment.experiment_id if experiment else self._client.create_experiment(name)
        run_id = str(self._client.create_run(experiment_id, run_name=run.path.name).info.run_id)
        params = [self._entities.Param(key, str(value)[:500]) for key, value in settings.items()]
        self._client.log_batch(run_id, params=params)
        run.write_json(MLFLOW_FILE, {"run_id": run_id})
        return run_id

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        finite = {name: float(value) for name, value in values.items() if np.isfinite(value)}
        metrics = [self._entities.Metric(name, value, now, step) for name, value in finite.items()]
        self._client.log_batch(self._run_id, metrics=metrics)  # one request, however many numbers

    def picture(self, name: str, image: RGBImage, step: int) -> None:
        self._client.log_image(self._run_id, image, artifact_file=f"{name}/{step:06}.png")

    def close(self) -> None:
        self._client.set_terminated(self._run_id)


def _known_run(run: RunFolder) -> str | None:
    try:
        values = json.loads((run.path / MLFLOW_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = values.get("run_id") if isinstance(values, dict) else None
    return found if isinstance(found, str) else None


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
