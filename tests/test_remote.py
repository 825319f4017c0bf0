"""Inference on another workbench: the same result comes back, and every failure says what to do."""

import contextlib
import hashlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest
from results_by_hand import hand_made_nuclei, hand_made_result

from core.errors import InvalidImageError, InvalidOptionError, RemoteError, TooLargeError
from core.labels import Marker, NucleiMethod, StainChoice
from core.remote import RemoteWorkbench
from core.remote_transport import check_url
from core.reports.answer import encode_json, to_json
from core.types import Options, Result, RGBImage

pytestmark = pytest.mark.usefixtures("settings")

HEALTH = {
    "status": "ok",
    "version": "0.1.0",
    "device": "cpu",
    "backend": "torch-cpu",
    "models": {"ihcnet": "a" * 64, "pspstain": None},
}


@dataclass
class OtherWorkbench:
    """A server in a thread that answers what a test tells it to, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    delay_s: float = 0.0
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def other() -> Iterator[OtherWorkbench]:
    known = OtherWorkbench()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            known.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(known.delay_s)
            self.send_response(known.status)
            for name, value in {"content-length": str(len(known.body)), **known.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # a client that waited no longer
                self.wfile.write(known.body)

        do_POST = do_GET

        def log_message(self, *_args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def image() -> RGBImage:
    noise = np.random.default_rng(3).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    return np.ascontiguousarray(cv2.resize(noise, (384, 256), interpolation=cv2.INTER_CUBIC))


@pytest.fixture(scope="module")
def upload(image: RGBImage) -> bytes:
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def computed_there(image: RGBImage, upload: bytes, **options: object) -> Result:
    result = hand_made_result(image, **options)  # type: ignore[arg-type]
    provenance = replace(result.analysis.provenance, image_sha256=hashlib.sha256(upload).hexdigest())
    return replace(result, analysis=replace(result.analysis, provenance=provenance))


def test_health_says_what_runs_there(other: OtherWorkbench) -> None:
    other.body = json.dumps(HEALTH).encode()
    health = RemoteWorkbench(other.url + "/api/", "secret").health()
    assert (health.version, health.backend, health.models["pspstain"]) == ("0.1.0", "torch-cpu", None)
    assert health.seconds > 0
    path, headers, _ = other.asked[0]
    assert (path, "authorization" in headers) == ("/api/health", False)


@pytest.mark.parametrize("virtual", [False, True])
def test_rebuilds_the_whole_result(other: OtherWorkbench, image: RGBImage, upload: bytes, virtual: bool) -> None:
    there = computed_there(image, upload, virtual=virtual)
    other.body = encode_json(to_json(there, raw=True))
    here = RemoteWorkbench(other.url, "secret").analyze(upload, "a.png", Options())
    assert here.analysis.provenance.backend == "remote"
    assert here.analysis.provenance.seconds.keys() == {*there.analysis.provenance.seconds, "waiting and transfer"}
    same = replace(here.analysis, name=there.analysis.name, provenance=there.analysis.provenance)
    assert same == there.analysis
    assert np.array_equal(here.pictures.ihc, there.pictures.ihc)
    assert here.pictures.heatmaps.keys() == there.pictures.heatmaps.keys()
    assert here.pictures.dab is not None and there.pictures.dab is not None
    assert np.abs(here.pictures.dab - there.pictures.dab).max() < 0.01


@pytest.mark.parametrize("patterns", [False, True])
def test_rebuilds_the_nuclei(other: OtherWorkbench, image: RGBImage, upload: bytes, patterns: bool) -> None:
    nuclei = hand_made_nuclei((0, 1, 2, 3) * 20, size=(384, 256), patterns=patterns)
    there = computed_there(image, upload, nuclei=nuclei)
    other.body = encode_json(to_json(there, raw=True))
    here = RemoteWorkbench(other.url, "secret").analyze(upload, "a.png", Options())
    assert here.nuclei is not None
    assert np.array_equal(here.nuclei.dab_od, nuclei.dab_od)
    assert (here.nuclei.membranes is None) is (nuclei.membranes is None)
    assert here.analysis.measurements == there.analysis.measurements


@pytest.mark.parametrize("found", ["no base64!", "bm8gbnVjbGVp", 7])
def test_damaged_nuclei_are_told(other: OtherWorkbench, image: RGBImage, upload: bytes, found: object) -> None:
    other.body = encode_json(to_json(computed_there(image, upload), raw=True) | {"nuclei": found})
    with pytest.raises(RemoteError, match="cannot be read"):
        RemoteWorkbench(other.url, "secret").analyze(upload, "a.png", Options())


def test_an_answer_of_a_version_without_nuclei_has_none(other: OtherWorkbench, image: RGBImage, upload: bytes) -> None:
    answer = to_json(computed_there(image, upload), raw=True)
    del answer["nuclei"]
    other.body = encode_json(answer)
    assert RemoteWorkbench(other.url, "secret").analyze(upload, "a.png", Options()).nuclei is None


def test_sends_token_file_and_options(other: OtherWorkbench, image: RGBImage, upload: bytes) -> None:
    other.body = encode_json(to_json(computed_there(image, upload, marker=Marker.PR, outcome="PR+"), raw=True))
    options = Options(marker=Marker.PR, stain=StainChoice.IHC, insist=True, nuclei=NucleiMethod.CLASSICAL)
    RemoteWorkbench(other.url, " secret ").analyze(upload, "../ü.png", options)
    path, headers, body = other.asked[0]
    assert (path, headers["authorization"]) == ("/api/predict-pr", "Bearer secret")
    assert upload in body
    for name, value in {
        "stain": "ihc",
        "insist": "true",
        "raw": "true",
        "store": "false",
        "layers": "",
        "nuclei": "classical",
    }.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in body


@pytest.mark.parametrize(
    ("status", "detail", "error", "sentence"),
    [
        (401, "x", RemoteError, "refused the token"),
        (403, "x", RemoteError, "refused the token"),
        (404, "x", RemoteError, "too old"),
        (413, "Only 5 MB.", TooLargeError, "Only 5 MB."),
        (415, "This is text.", InvalidImageError, "This is text."),
        (503, "IHCNet is unavailable.", RemoteError, "IHCNet is unavailable."),
        (500, "", RemoteError, "status 500"),
    ],
)
def test_says_what_a_refusal_means(
    other: OtherWorkbench, upload: bytes, status: int, detail: str, error: type, sentence: str
) -> None:
    other.status, other.body = status, json.dumps({"detail": detail}).encode()
    with pytest.raises(error, match=sentence):
        RemoteWorkbench(other.url, "secret").analyze(upload, "a.png", Options())


def test_follows_no_redirect(other: OtherWorkbench, upload: bytes) -> None:
    other.status, other.headers = 307, {"location": "https://elsewhere.example/api/predict-her2"}
    with pytest.raises(RemoteError, match="elsewhere.example"):
        RemoteWorkbench(other.url, "secret").analyze(upload, "a.png", Options())
    assert len(other.asked) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"confidence": NaN}', b"[" * 100_000])
def test_other_servers_are_recognised(other: OtherWorkbench, body: bytes) -> None:
    other.body = body
    with pytest.raises(RemoteError, match="not like a workbench"):
        RemoteWorkbench(other.url, "").health()


def test_an_old_version_is_told_from_a_damaged_answer(other: OtherWorkbench, image: RGBImage, upload: bytes) -> None:
    there = computed_there(image, upload)
    remote = RemoteWorkbench(other.url, "secret")
    other.body = encode_json(to_json(there, pictures=False))
    with pytest.raises(RemoteError, match="Update the workbench there"):
        remote.analyze(upload, "a.png", Options())
    for damage in ({"heatmaps": {"conv0": {"png": "AAAA", "max": 1}}}, {"dab": {"png": "%", "max": 1}}, {"dab": 3}):
        other.body = encode_json(to_json(there, raw=True) | damage)
        with pytest.raises(RemoteError, match="cannot be read"):
            remote.analyze(upload, "a.png", Options())


def test_refuses_the_answer_to_another_image(other: OtherWorkbench, image: RGBImage, upload: bytes) -> None:
    other.body = encode_json(to_json(hand_made_result(image), raw=True))
    with pytest.raises(RemoteError, match="another image"):
        RemoteWorkbench(other.url, "secret").analyze(upload, "a.png", Options())


def test_an_unreachable_server_is_named() -> None:
    with pytest.raises(RemoteError, match="127.0.0.1:9 cannot be reached"):
        RemoteWorkbench("http://127.0.0.1:9", "").health()


def test_waits_no_longer_than_asked(other: OtherWorkbench, upload: bytes) -> None:
    other.delay_s = 0.6
    with pytest.raises(RemoteError, match="did not finish within"):
        RemoteWorkbench(other.url, "secret", timeout_s=0.2).analyze(upload, "a.png", Options())


def test_a_bad_image_never_travels(other: OtherWorkbench) -> None:
    with pytest.raises(InvalidImageError):
        RemoteWorkbench(other.url, "secret").analyze(b"text", "a.png", Options())
    assert other.asked == []


@pytest.mark.parametrize(
    "url",
    ["", "ftp://host", "host:8501", "http://", "file:///etc/passwd", "http://a:b@host", "http://h:x", "http://h?q"],
)
def test_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(InvalidOptionError):
        RemoteWorkbench(url, "")


def test_refuses_a_token_with_odd_characters() -> None:
    with pytest.raises(InvalidOptionError, match="token"):
        RemoteWorkbench("http://host", "a\r\nX: y")


def test_accepts_the_address_in_usual_forms() -> None:
    assert check_url(" https://host.example:8501/api/ ") == "https://host.example:8501"
    assert check_url("http://host/workbench/") == "http://host/workbench"
