"""multipart/form-data, as curl and clients send it, and as nobody should."""

import httpx2
import pytest
from starlette.requests import Request

from lazulite.core.errors import ArmError
from lazulite.dataplane.multipart import open_form

SENT = httpx2.Request(
    "POST",
    "https://localhost/",
    headers={"content-type": "multipart/form-data; boundary=lazulite-boundary"},
    files={"zip": ("a.zip", b"PK\x00\r\n--not the boundary\r\n"), "empty": ("e", b"")},
    data={"note": "ünïcode"},
)
BODY, TYPE = SENT.read(), SENT.headers["content-type"]


def sending(body, content_type=TYPE, chunk=7):
    """A request whose body comes in small chunks."""
    chunks = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]

    async def receive():
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    headers = [(b"content-type", content_type.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def test_every_part_comes_out_as_it_went_in(tmp_path):
    async with open_form(sending(BODY)) as form:
        assert form["zip"].filename == "a.zip"
        assert form["zip"].read() == b"PK\x00\r\n--not the boundary\r\n"
        assert form["note"].read().decode() == "ünïcode"
        assert (form["empty"].size, form["empty"].read()) == (0, b"")
        form["zip"].save(tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == b"PK\x00\r\n--not the boundary\r\n"


async def test_a_boundary_that_the_header_lacks_is_read_from_the_body():
    async with open_form(sending(BODY, "multipart/form-data")) as form:
        assert form.keys() == {"zip", "empty", "note"}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", TYPE, 400),
        (b"{}", "application/json", 415),
        (b"{}", "multipart/form-data", 400),
        (BODY[:-30], TYPE, 400),
        (BODY.replace(b'name="', b'nome="'), TYPE, 400),
        (BODY.replace(b"\r\n\r\n", b"\r\n"), TYPE, 400),
        (BODY * 20, TYPE, 413),
        (b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 101 + b"--b--",
         "multipart/form-data; boundary=b", 400),
    ],
)  # fmt: skip
async def test_what_cannot_be_taken_apart_is_refused(body, content_type, status):
    with pytest.raises(ArmError) as refused:
        async with open_form(sending(body, content_type, 4096), largest=6000):
            pass
    assert refused.value.status == status
