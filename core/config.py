"""Settings of the installation, read from the environment (and `.env`) when first asked for."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What an operator may set; the administrator's page holds what can change while running.

    Attributes:
        data_dir: database, history pictures, uploaded weights, runs.
        database_url: SQLAlchemy URL; empty means SQLite in `data_dir`.
        weights_dir: bundled weights and their manifest.
        upload_limit_mb: largest upload until the administrator sets another.
        max_pixels: largest decoded image.
        dataset_limit_gb: largest data set that an uploaded ZIP may unpack to.
        session_idle_minutes, session_days: idle and absolute life of a sign-in.
        device: "auto", "cpu" or "cuda".
        backend: "auto", "openvino" or "torch".
        secure_cookie: send the session cookie over HTTPS only.
        argon2_memory_kib, argon2_passes: cost of a password hash; the minima are OWASP's.
        runs_per_device: trainings at once on a GPU, or on the processor where there is none.
        training_nice: how far a training steps back behind analyses for the processor, from 0 (not at all) to 19.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    data_dir: Path = ROOT / "data"
    database_url: str = ""
    weights_dir: Path = ROOT / "weights"
    upload_limit_mb: int = Field(default=500, ge=1)
    max_pixels: int = Field(default=150_000_000, ge=1)
    dataset_limit_gb: int = Field(default=20, ge=1)
    session_idle_minutes: int = Field(default=8 * 60, ge=1)
    session_days: int = Field(default=7, ge=1)
    device: str = "auto"
    backend: str = "auto"
    secure_cookie: bool = False
    argon2_memory_kib: int = Field(default=64 * 1024, ge=19 * 1024)
    argon2_passes: int = Field(default=3, ge=2)
    runs_per_device: int = Field(default=1, ge=1, le=64)
    training_nice: int = Field(default=5, ge=0, le=19)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the one settings object of this process; tests clear it with `get_settings.cache_clear()`."""
    return Settings()
