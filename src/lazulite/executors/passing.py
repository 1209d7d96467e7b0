"""What tasks get to know of the environment of the process that starts them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import lazulite

SOURCE = Path(lazulite.__file__).parent.parent
PASSED_ON = frozenset(
    {
        *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER", "LOGNAME"),
        *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "LD_LIBRARY_PATH", "CC", "CXX"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
        *("all_proxy", "http_proxy", "https_proxy", "no_proxy"),
    }
)
PASSED_PREFIXES = ("PIP_", "UV_")


def passed_on(env: Mapping[str, str]) -> dict[str, str]:
    """What tasks may know of the environment that they are started from: no secrets.

    They run the same code as who starts them, wherever it was imported from.
    """
    passed = {
        key: value
        for key, value in env.items()
        if key in PASSED_ON or key.startswith(PASSED_PREFIXES)
    }
    return {**passed, "PYTHONPATH": str(SOURCE)}
