# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a MONAI Label server on the loopback interface, as a process in its own environment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STUBS = Path(__file__).parent / "stubs"
START_SECONDS = 120.0  # it takes 5 to 8 on an idle machine
_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # ignores proxies of the environment
EXTENSIONS = ["*.nii.gz", "*.nii", "*.png", "*.mat"]


@dataclass(frozen=True)
class LabelServer:
    """Address and log of a running server."""

    url: str
    log: Path

    def info(self) -> dict[str, Any]:
        """Answer of ``GET /info/``."""
        with _LOOPBACK.open(f"{self.url}/info/", timeout=30) as answer:
            return json.load(answer)

    def infer(self, model: str, image: str, params: Mapping[str, Any], target: Path) -> Path:
        """Write the file that ``POST /infer/MODEL?image=ID&output=image`` returns to ``target``."""
        try:
            with _LOOPBACK.open(self._request(model, image, params), timeout=120) as answer:
                target.write_bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{model} on {image}: {error} {error.read()!r}\n{self.tail()}") from error
        return target

    def refusal(self, model: str, image: str, params: Mapping[str, Any]) -> tuple[int, str]:
        """Status and reason of the answer to a request that is refused."""
        try:
            with _LOOPBACK.open(self._request(model, image, params), timeout=120):
                raise AssertionError(f"{model} on {image} was answered: {params}")
        except urllib.error.HTTPError as error:
            return error.code, str(json.loads(error.read())["detail"])

    def _request(self, model: str, image: str, params: Mapping[str, Any]) -> urllib.request.Request:
        query = urllib.parse.urlencode({"image": image, "output": "image"})
        form = urllib.parse.urlencode({"params": json.dumps(params)}).encode()
        return urllib.request.Request(f"{self.url}/infer/{model}?{query}", data=form, method="POST")

    def tail(self) -> str:
        """The end of the log, for error messages."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]


@contextmanager
def running_server(python: Path, app: Path, studies: Path, work: Path, **conf: str) -> Iterator[LabelServer]:
    """Start a server, wait until it answers, and stop it with all its processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    work.mkdir(parents=True, exist_ok=True)
    command = [str(python), "-m", "monailabel.main", "start_server", "--app", str(app), "--studies", str(studies)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    for name, value in conf.items():
        command += ["--conf", name, value]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(STUBS), str(ROOT))),
        "MONAI_LABEL_SESSION_PATH": str(work / "sessions"),
        "MONAI_LABEL_DATASTORE_FILE_EXT": json.dumps(EXTENSIONS),
    }
    log = work / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=work, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            server = LabelServer(f"http://127.0.0.1:{port}", log)
            _wait_until_it_answers(server, process)
            yield server
        finally:
            for end in (signal.SIGTERM, signal.SIGKILL):  # the second for processes that ignore the first
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, end)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(20)


def _wait_until_it_answers(server: LabelServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}:\n{server.tail()}")
        try:
            server.info()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer within {START_SECONDS:g} s:\n{server.tail()}") from error
            time.sleep(0.25)
