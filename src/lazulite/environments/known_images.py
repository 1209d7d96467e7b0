"""What well-known images hold, for providers that cannot run images.

An image counts only where nothing else says what to install: packages of a conda file go into an
environment of their own, beside the image's Python.
"""

from __future__ import annotations

import re

from lazulite.environments.curated import of_image
from lazulite.environments.definition import Definition
from lazulite.environments.written import Written

PYTHONS = (
    (r"mcr\.microsoft\.com/azureml/(intelmpi|openmpi)[^:]*-ubuntu1[68]\.04", "3.7"),
    (r"mcr\.microsoft\.com/azureml/openmpi[^:]*-ubuntu2[02]\.04", "3.8"),
    (r"(?:docker\.io/)?(?:library/)?python:(3\.\d+)\b.*", r"\1"),
    (r"(?:.*/)?[^:]*-py(3)(\d{1,2})\b[^:]*", r"\1.\2"),
)
"""Names of images, without their tags unless the pattern has one, and the Python in them.

Source: the Dockerfiles of Azure/AzureML-Containers (MINICONDA_VERSION) and the images' own names.
"""


def with_image(definition: Definition) -> Definition:
    """The definition with what its image is known to hold, if only the image says what to run.

    The Python of an image is a wish: what is here takes its place where that version is not.
    """
    if not definition.image or definition.conda or definition.pip or definition.builds_image:
        return definition
    image = definition.image
    if (curated := of_image(image)) is not None:
        return Definition(
            conda=(Written(f"python={curated.python}", f"image {image}"),),
            pip=tuple(Written(line, f"image {image}") for line in curated.packages),
            image=image,
            notes=(*definition.notes, f"image {image}: taken for {curated.name}"),
        )
    if (python := python_of_image(image)) is None:
        return definition
    return Definition(
        conda=(Written(f"python={python}", f"image {image}"),),
        image=image,
        notes=(*definition.notes, f"image {image}: has Python {python}"),
        is_python_a_wish=True,
    )


def python_of_image(image: str) -> str | None:
    """The minor version of the Python in an image, as "3.8"; None if the name does not tell."""
    for pattern, python in PYTHONS:
        found = re.fullmatch(pattern, image, re.IGNORECASE)
        found = found or re.fullmatch(pattern, re.sub(r"(:[^/:]*|@.*)$", "", image), re.IGNORECASE)
        if found is not None:
            return found.expand(python)
    return None
