"""Which PyPI package stands for a conda package. Names that are not here are the same on both.

conda-forge's own table (regro/cf-graph-countyfair, mappings) is far longer; these are the names
that machine learning environments use and for which the plain name is wrong, absent, or harmful.
"""

from __future__ import annotations

from types import MappingProxyType

PYPI_NAMES = MappingProxyType(
    {
        "dask-core": "dask",
        "faiss": "faiss-cpu",
        "fbprophet": "prophet",
        "geopandas-base": "geopandas",
        "keras-gpu": "keras",
        "lightgbm-gpu": "lightgbm",
        "matplotlib-base": "matplotlib",
        "msgpack-python": "msgpack",
        # Servers have no display: the conda build with GUI parts would need libGL from the host.
        "opencv": "opencv-python-headless",
        "py-opencv": "opencv-python-headless",
        "psycopg2": "psycopg2-binary",  # the sdist of psycopg2 needs PostgreSQL's headers
        "py-xgboost": "xgboost",
        "py-xgboost-cpu": "xgboost",
        "py-xgboost-gpu": "xgboost",
        "pyqt": "pyqt5",
        "pytables": "tables",
        "python-blosc": "blosc",
        "python-flatbuffers": "flatbuffers",
        "python-graphviz": "graphviz",
        "python-kaleido": "kaleido",
        "python-lmdb": "lmdb",
        "pytorch": "torch",
        "pytorch-cpu": "torch",
        "pytorch-gpu": "torch",
        "ray-core": "ray",
        "ray-data": "ray[data]",
        "ray-default": "ray[default]",
        "ray-serve": "ray[serve]",
        "ray-train": "ray[train]",
        "ray-tune": "ray[tune]",
        "ruamel-yaml": "ruamel.yaml",
        "tensorflow-base": "tensorflow",
        "tensorflow-gpu": "tensorflow",
        "tensorflow-mkl": "tensorflow",
        "torchvision-cpu": "torchvision",
    }
)
"""By canonical conda name (lower case, dashes)."""

BUNDLED = frozenset(
    {
        "blas", "bzip2", "ca-certificates", "cpuonly", "cuda", "cuda-runtime", "cuda-toolkit",
        "cudatoolkit", "cudnn", "icu", "intel-openmp", "libblas", "libcblas", "libcurl", "libffi",
        "libgcc", "libgcc-ng", "libgfortran-ng", "libgomp", "liblapack", "libopencv",
        "libopenblas", "libpng", "libprotobuf", "libsqlite", "libstdcxx-ng", "libtiff", "libuuid",
        "libxgboost", "libxml2", "libzlib", "llvm-openmp", "mkl", "mkl-devel", "nccl", "ncurses",
        "nomkl", "openblas", "openmp", "openssl", "pytorch-cuda", "pytorch-mutex", "python-abi",
        "readline", "sqlite", "tk", "xz", "zlib", "zstd", "-libgcc-mutex", "-openmp-mutex",
        "-py-xgboost-mutex",
    }
)  # fmt: skip
"""Libraries that PyPI wheels carry inside themselves, or that come with the interpreter."""

PROGRAMS = frozenset(
    {
        "bash", "binutils", "cmake", "compilers", "curl", "ffmpeg", "gcc", "gcc-linux-64", "git",
        "git-lfs", "graphviz", "gxx", "gxx-linux-64", "java-jdk", "make", "mpi", "mpich", "ninja",
        "nodejs", "openjdk", "openmpi", "poppler", "r-base", "rust", "tesseract", "unzip", "wget",
    }
)  # fmt: skip
"""Programs rather than Python packages: a venv uses the machine's own."""
