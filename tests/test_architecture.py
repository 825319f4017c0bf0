"""Imports run one way; the rules of the layout are checked here, not in prose."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEURAL = ("models", "inference", "explain", "quantify", "quality", "stains", "phantoms", "training", "slides")
GROUND = ("labels", "types", "errors", "config", "images", "image_formats", "image_scale", "image_tiff", "devices")


def imported(path: Path) -> set[str]:
    """Names of all modules a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def offenders(files: list[Path], *forbidden: str) -> list[str]:
    """ "file imports module" for every import of a forbidden package."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in sorted(imported(path))
        for bad in forbidden
        if name == bad or name.startswith(f"{bad}.")
    ]


def python_files(*folders: str) -> list[Path]:
    """All Python files in folders (or single files) below the root."""
    found: list[Path] = []
    for folder in folders:
        path = ROOT / folder
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.exists() else []
    return found


def test_core_never_imports_streamlit() -> None:
    assert offenders(python_files("core"), "streamlit") == []


def test_only_the_api_imports_fastapi() -> None:
    files = [path for path in python_files("core", "pages") if ROOT / "core" / "api" not in path.parents]
    assert offenders(files, "fastapi", "starlette") == []


def test_only_the_database_package_imports_sqlalchemy() -> None:
    files = [path for path in python_files("core", "pages") if ROOT / "core" / "db" not in path.parents]
    assert offenders(files, "sqlalchemy", "sqlite3") == []


def test_the_database_knows_no_networks() -> None:
    assert offenders(python_files("core/db", "core/auth", "core/history"), "torch", "openvino", "core.models") == []


def test_the_neural_half_knows_no_database_and_no_faces() -> None:
    files = python_files(*(f"core/{name}" for name in NEURAL))
    assert (
        offenders(files, "core.db", "core.auth", "core.history", "core.jobs", "core.api", "core.reports", "pages") == []
    )


def test_the_launcher_knows_trainings_by_their_folders() -> None:
    assert (
        offenders(python_files("core/jobs"), "lightning", "core.training.loop", "core.models", "core.inference") == []
    )
    assert offenders(python_files("core/db", "core/auth", "core/history"), "core.jobs", "core.training") == []


def test_the_ground_floor_imports_nothing_above_it() -> None:
    files = python_files(*(f"core/{name}.py" for name in GROUND))
    above = [f"core.{path.stem}" for path in (ROOT / "core").iterdir() if path.stem not in (*GROUND, "__init__")]
    assert offenders(files, *above) == []


def test_core_never_imports_the_pages() -> None:
    assert offenders(python_files("core"), "pages", "app") == []


def test_pages_import_neither_networks_nor_tables() -> None:
    assert offenders(python_files("pages"), "torch", "openvino", "sqlalchemy", "cv2") == []


@pytest.mark.parametrize("page", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.name)
def test_a_page_is_short_and_defines_nothing(page: Path) -> None:
    source = page.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 100
    assert not [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.ClassDef)]


@pytest.mark.parametrize("page", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.name)
def test_every_page_but_the_entrance_starts_with_its_guard(page: Path) -> None:
    if page.name in ("router.py", "sign_in.py"):
        return
    statements = [
        node
        for node in ast.parse(page.read_text(encoding="utf-8")).body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert "guard.require" in ast.unparse(statements[0])


def test_no_unsafe_loading_anywhere() -> None:
    forbidden = ("weights_only=False", "pickle.load", "allow_pickle=True", "unsafe_allow_html=True")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in python_files("core", "pages", "app.py")
        for word in forbidden
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []
