"""The port on loopback that answers /metrics without a token."""

import asyncio
import dataclasses
import socket

import pytest


@pytest.fixture
async def port(plane):
    """A free port on which the plane's metrics are served."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    telemetry = plane.server.telemetry
    settings = dataclasses.replace(telemetry.settings, metrics_port=number)
    stop = asyncio.Event()
    opened = dataclasses.replace(telemetry, settings=settings)
    serving = asyncio.create_task(opened.serve_metrics(stop))
    yield number
    stop.set()
    await serving


async def asked(port, request):
    """What is answered to a request, once somebody listens."""
    for _ in range(500):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_this_machine_reads_metrics_and_nothing_else(port):
    head = b"Host: localhost:%d\r\n\r\n" % port
    answer = await asked(port, b"GET /metrics HTTP/1.1\r\n" + head)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4")
    assert b"\nlazulite_access_lines_lost_total 0\n" in answer
    for line in (b"GET / HTTP/1.1", b"POST /metrics HTTP/1.1", b"nonsense"):
        assert (await asked(port, line + b"\r\n" + head)).startswith(b"HTTP/1.1 404 ")


async def test_a_page_of_another_site_gets_nothing(port):
    for hosts in (b"Host: evil.example\r\n", b"", b"Host: localhost\r\nHost: x\r\n"):
        answer = await asked(port, b"GET /metrics HTTP/1.1\r\n" + hosts + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 404 ")


async def test_without_a_setting_there_is_no_port(plane):
    await plane.server.telemetry.serve_metrics(asyncio.Event())
