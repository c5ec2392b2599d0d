"""The server beside FastAPI: the same answers to the same requests, sound OpenAPI and metrics, no request lost at the end."""

import json
import re
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import Annotated

import numpy as np
import pytest
import requests

import program

DIGITS = program.ROOT / "examples/digits"
REQUEST = json.loads((DIGITS / "request.json").read_text())
BODIES = {
    "no body": b"",
    "no JSON": b"{",
    "a list": b"[1, 2]",
    "null": b"null",
    "no data": b"{}",
    "data is null": b'{"data": null}',
    "data is a string": b'{"data": "x"}',
    "data is a number": b'{"data": 3}',
    "a row is a number": b'{"data": [3]}',
    "a value is a string": b'{"data": [[[["x"]]]]}',
    "a value is an object": b'{"data": [[[[{}]]]]}',
    "truncated": b'{"data": [[[[1, 2',
    "garbage after": b'{"data": [[[[1]]]]} x',
}


@contextmanager
def serving(*arguments):
    command = [program.lanthorn(), "serve", *map(str, arguments), "--http", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    printed = []
    try:
        for line in process.stdout:
            printed.append(line)
            if match := re.match(r"lanthorn: ready (http://\S+)", line):
                break
        else:
            raise AssertionError(f"the server did not start: {''.join(printed)}")
        yield match[1], process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=60)[0]
        assert "Sanitizer" not in rest and "runtime error:" not in rest, rest
        assert process.returncode == 0, f"exit {process.returncode}: {rest}"


@pytest.fixture(scope="module")
def url():
    with serving(DIGITS / "digits_traced.pt") as (address, _):
        yield address


@pytest.fixture(scope="module")
def fastapi_client():
    """What people write today for this model."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from pydantic import BaseModel, Field

    app = FastAPI()

    class Request(BaseModel):
        data: Annotated[list[list[list[list[float]]]], Field(min_length=1)]

    @app.post("/predict")
    def predict(request: Request):
        return {"prediction": [0] * len(request.data)}

    return TestClient(app, raise_server_exceptions=False)


def test_ten_pictures_are_named(url):
    answer = requests.post(f"{url}/predict", json=REQUEST, timeout=30)
    assert answer.status_code == 200 and answer.json() == {"prediction": list(range(10))}


def test_the_scores_are_pytorchs(url):
    golden = program.arrays(DIGITS / "golden.npz")
    answer = requests.post(f"{url}/predict", json={"data": golden["in0"].tolist(), "output": True}, timeout=30).json()
    program.assert_same({"out0": np.asarray(answer["output"], np.float32)}, {"out0": golden["out0"]})


def test_labels_name_the_classes():
    words = (DIGITS / "labels.txt").read_text().split()
    with serving(DIGITS / "digits_traced.pt", "--labels", DIGITS / "labels.txt") as (address, _):
        answer = requests.post(f"{address}/predict", json=REQUEST, timeout=30).json()
        described = requests.get(f"{address}/openapi.json", timeout=30).json()["paths"]["/predict"]["post"]["responses"]["200"]
    assert answer == {"prediction": list(range(10)), "labels": words}
    assert "labels" in described["content"]["application/json"]["schema"]["properties"]


@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_does_not_fit_is_answered_as_fastapi_answers_it(what, url, fastapi_client):
    headers = {"Content-Type": "application/json"}
    ours = requests.post(f"{url}/predict", data=BODIES[what], headers=headers, timeout=30)
    theirs = fastapi_client.post("/predict", content=BODIES[what], headers=headers)
    assert ours.status_code == theirs.status_code == 422
    shape = lambda answer: [(detail["type"], detail["loc"]) for detail in answer.json()["detail"]]  # noqa: E731
    assert shape(ours) == shape(theirs)


@pytest.mark.parametrize("method, path, body, kind, status", [
    ("GET", "/predict", b"", "application/json", 405),
    ("POST", "/nowhere", b"{}", "application/json", 404),
    ("GET", "/healthz", b"", "", 200),
    ("GET", "/readyz", b"", "", 200),
    ("GET", "/docs", b"", "", 200),
    ("DELETE", "/healthz", b"", "", 405),
])
def test_routes_answer_with_their_status(method, path, body, kind, status, url):
    answer = requests.request(method, url + path, data=body, headers={"Content-Type": kind} if kind else {}, timeout=30)
    assert answer.status_code == status


def test_metrics_count_requests(url):
    from prometheus_client.parser import text_string_to_metric_families

    def total():
        families = text_string_to_metric_families(requests.get(f"{url}/metrics", timeout=30).text)
        return sum(s.value for family in families for s in family.samples if s.name == "lanthorn_requests_total" and s.labels == {"model": "digits_traced", "status": "200"})

    before = total()
    requests.post(f"{url}/predict", json=REQUEST, timeout=30)
    assert total() == before + 1


def test_openapi_is_valid(url):
    from openapi_spec_validator import validate

    document = requests.get(f"{url}/openapi.json", timeout=30).json()
    validate(document)
    assert "/predict" in document["paths"]


def test_many_clients_at_once_get_their_own_answers(url):
    golden = program.arrays(DIGITS / "golden.npz")
    wrong = []

    def client(digit):
        body = {"data": golden["in0"][digit:digit + 1].tolist()}
        with requests.Session() as session:
            for _ in range(20):
                answer = session.post(f"{url}/predict", json=body, timeout=60)
                if answer.status_code != 200 or answer.json() != {"prediction": [digit]}:
                    wrong.append((digit, answer.status_code, answer.text[:200]))

    threads = [threading.Thread(target=client, args=(digit,)) for digit in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("raw", [b"\x00" * 100, b"GET\r\n\r\n", b"POST /predict HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                                 b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 200000 + b"\r\n\r\n", b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])
def test_broken_http_gets_an_answer_or_is_cut_off(raw, url):
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.settimeout(30)
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            head = connection.recv(4096)
        except ConnectionError:
            head = b""
    assert head == b"" or re.match(rb"HTTP/1\.[01] [45]\d\d", head), head[:100]
    assert requests.get(f"{url}/healthz", timeout=30).status_code == 200


def test_sigterm_lets_running_requests_finish():
    golden = program.arrays(DIGITS / "golden.npz")
    body = json.dumps({"data": np.tile(golden["in0"], (200, 1, 1, 1)).tolist()}).encode()
    with serving(DIGITS / "digits_traced.pt") as (url, process):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.settimeout(60)
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
            connection.sendall(body[:len(body) // 2])
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            connection.sendall(body[len(body) // 2:])
            answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"prediction": list(range(10)) * 200}
