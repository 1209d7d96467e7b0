"""Models of NVIDIA's Triton: without an image that serves them they are refused, by name.

Azure runs them without a script, in Triton's own container; no such server is here. An environment
whose inferenceConfig names the routes of an image with one is served like any other image.
Source: spec/REST.md 7.4; Azure documentation, "Deploy models with Triton".
"""

from __future__ import annotations

from lazulite.arm.references import find_asset
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import workspace_of
from lazulite.deployments.asset_references import names_files, reference_text
from lazulite.store.resources import Json, Resources


async def refuse_bare_triton(resources: Resources, deployment_id: str, properties: Json) -> None:
    """Raise ArmError 400 for a deployment that would need a Triton server of ours.

    A model or environment that is not there is not spoken of: the deployment will fail for it.
    """
    reference = reference_text(properties.get("model"))
    code = properties.get("codeConfiguration") or {}
    if reference is None or names_files(reference) or code.get("scoringScript"):
        return
    workspace = workspace_of(deployment_id)
    try:
        model = await find_asset(resources, workspace, "models", reference)
        if model.properties["modelType"] != "triton_model":
            return
        if environment := properties.get("environmentId"):
            image = await find_asset(resources, workspace, "environments", environment)
            if image.properties.get("inferenceConfig"):
                return
    except SpecError:
        return
    raise ArmError(
        "TritonNotSupported",
        f"The model {reference!r} is of type triton_model, and there is no Triton server here: "
        "name an environmentId whose image brings one, with its routes and port in "
        "inferenceConfig, or a codeConfiguration whose script scores the model.",
        target="model",
    )
