"""What `lazulite serve` prints before its workers start. Source: spec/ONLINE.md 5.1, 5.2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import lazulite
from lazulite.serving.standalone_settings import AS, StandaloneSettings

MODEL_DIR = (
    "The environment variable 'AZUREML_MODEL_DIR' has not been set.\n"
    "Use the --model_dir command line argument to set it."
)
BAD_KEY = (
    "Invalid Application Insights instrumentation key provided.\n"
    "Application Insights has been disabled."
)
GOOD_KEY = (
    "Valid Application Insights instrumentation key provided.\n"
    "Nothing is sent: this server works without a cloud."
)


def banner(settings: StandaloneSettings) -> str:
    """The notices, the settings and the routes. Keys are not printed."""
    version = AS.partition("/")[2]
    body = "\n".join(f"{label}: {value}" for label, value in _settings(settings).items())
    return "\n".join(
        (
            *_notices(settings.env),
            f"\nAzure ML Inferencing HTTP server v{version} (Lazulite {lazulite.__version__})\n\n",
            f"Server Settings\n---------------\n{body}\n\n",
            "Server Routes\n---------------",
            f"Liveness Probe: GET   127.0.0.1:{settings.health_port}/",
            f"Score:          POST  127.0.0.1:{settings.port}/score\n",
        )
    )


def _notices(env: Mapping[str, str]) -> Iterator[str]:
    if "AZUREML_MODEL_DIR" not in env:
        yield MODEL_DIR
    if env.get("AML_APP_INSIGHTS_KEY"):
        yield GOOD_KEY if env["AML_APP_INSIGHTS_ENABLED"] == "true" else BAD_KEY


def _settings(settings: StandaloneSettings) -> dict[str, object]:
    said = settings.env.get
    origins = said("AML_CORS_ORIGINS")
    return {
        "Entry Script Name": said("AZUREML_ENTRY_SCRIPT"),
        "Model Directory": said("AZUREML_MODEL_DIR"),
        "Config File": settings.config_file,
        "Worker Count": settings.worker_count,
        "Worker Timeout (seconds)": said("WORKER_TIMEOUT"),
        "Server Port": settings.port,
        "Health Port": settings.health_port,
        "Application Insights Enabled": said("AML_APP_INSIGHTS_ENABLED"),
        "Application Insights Key": "AppInsights key provided"
        if said("AML_APP_INSIGHTS_KEY")
        else None,
        "Inferencing HTTP server version": said("HTTP_X_MS_SERVER_VERSION"),
        "CORS for the specified origins": origins and f"Enabling CORS for {origins}",
        "Create dedicated endpoint for health": said("SEPERATE_HEALTH_ENDPOINT"),
    }
