"""The environment variables that point clients at a server.

With these, Microsoft's libraries need nothing patched. Source: spec/CLIENTS.md 1, 2 and 3.3.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from lazulite.core.clouds import ADFS, CLOUD

_PATIENCE_S = 5.0


def client_variables(
    state: Mapping[str, Any], credentials: Mapping[str, str], data_dir: str
) -> dict[str, str]:
    """Variables for clients of the server whose server.json and credentials.json these are.

    The tenant is called `adfs`, which is the server's only one by another name: of a tenant of its
    own MSAL asks login.microsoftonline.com first. Source: spec/CLIENTS.md 3.3.
    """
    url = state["url"]
    return {
        "LAZULITE_URL": url,
        "LAZULITE_HTTP_URL": state["http_url"],
        "LAZULITE_DATA_DIR": data_dir,
        "LAZULITE_RESOURCE_GROUP": state["resource_group"],
        "LAZULITE_WORKSPACE": state["workspace"],
        "AZURE_TENANT_ID": ADFS,
        "AZURE_CLIENT_ID": credentials["client_id"],
        "AZURE_CLIENT_SECRET": credentials["client_secret"],
        "AZURE_AUTHORITY_HOST": url,
        "AZURE_SUBSCRIPTION_ID": state["subscription_id"],
        "ARM_CLOUD_METADATA_URL": f"{url}/metadata/endpoints?api-version=2019-05-01",
        "AZUREML_CURRENT_CLOUD": CLOUD,
        "REQUESTS_CA_BUNDLE": state["ca_bundle"],
        "SSL_CERT_FILE": state["ca_bundle"],
        **_tracking(state),
    }


def _tracking(state: Mapping[str, Any]) -> dict[str, str]:
    """MLflow's variable, if the server has a tracking server."""
    path = f"/mlflow/v1.0{state['workspace_id']}"
    if not _is_served(f"{state['http_url']}{path}/api/2.0/mlflow/experiments/search"):
        return {}
    return {"MLFLOW_TRACKING_URI": f"{state['url']}{path}"}


def _is_served(url: str) -> bool:
    """Whether there is such a route: a refusal without a token is an answer, too."""
    plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        plain.open(url, timeout=_PATIENCE_S).close()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code not in {404, 501}
    except OSError:
        return False
    return True
