"""Which PyPI package stands for a conda package. Names that are not here are the same on both.

conda-forge's own table (regro/cf-graph-countyfair, mappings) is far longer; these are the names
that machine learning environments use and for which the plain name is wrong, absent, or harmful.
"""

from __future__ import annotations

from types import MappingProxyType

PYPI_NAMES = MappingProxyType(
    {
        "brotli-python": "brotli",
        "cuda-python": "cuda-python",  # its beginning says library
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
        "torchtriton": "triton",
        "torchvision-cpu": "torchvision",
    }
)
"""By canonical conda name (lower case, dashes)."""

BUNDLED = frozenset(
    {
        "abseil-cpp", "arrow-cpp", "backports", "blas", "boost-cpp", "bzip2", "c-ares",
        "ca-certificates", "cpuonly", "cuda", "cudatoolkit", "cudnn", "dbus", "double-conversion",
        "expat", "fontconfig", "freetype", "geos", "gflags", "giflib", "glib", "glog", "gmp",
        "grpc-cpp", "gst-plugins-base", "gstreamer", "hdf5", "icu", "intel-openmp", "jpeg",
        "kernel-headers-linux-64", "krb5", "lcms2", "ld-impl-linux-64", "lerc", "libarrow",
        "libblas", "libcblas", "libcurl", "libdeflate", "libedit", "libev", "libffi", "libgcc",
        "libgcc-ng", "libgfortran", "libgfortran-ng", "libgomp", "libjpeg-turbo", "liblapack",
        "libnghttp2", "libnsl", "libopenblas", "libopencv", "libpng", "libpq", "libprotobuf",
        "libsodium", "libspatialindex", "libsqlite", "libssh2", "libstdcxx", "libstdcxx-ng",
        "libtiff", "libtorch", "libuuid", "libwebp", "libwebp-base", "libxcb", "libxcrypt",
        "libxgboost", "libxml2", "libzlib", "llvm-openmp", "lz4-c", "mkl", "mkl-devel", "mkl-fft",
        "mkl-random", "mkl-service", "mpc", "mpfr", "nccl", "ncurses", "nomkl", "numpy-base",
        "openblas", "openjpeg", "openmp", "openssl", "orc", "parquet-cpp", "pcre", "pcre2",
        "pixman", "proj", "pthread-stubs", "python-abi", "pytorch-cuda", "pytorch-mutex", "qt",
        "qt-main", "re2", "readline", "snappy", "sqlite", "sysroot-linux-64", "tbb", "thrift-cpp",
        "tk", "utf8proc", "vc", "vs2015-runtime", "wincertstore", "xz", "yaml", "zeromq", "zlib",
        "zstd", "-libgcc-mutex", "-openmp-mutex", "-py-xgboost-mutex",
    }
)  # fmt: skip
"""Libraries that PyPI wheels carry inside themselves, or that come with the interpreter.

Some of these names are on PyPI, too, as something else: snappy, geos, mpc.
"""

BUNDLED_PREFIXES = ("cuda-", "libcu", "libnv", "libnpp", "magma-cuda", "xorg-", "m2w64-", "msys2-")
"""What families of such libraries begin with."""

PROGRAMS = frozenset(
    {
        "bash", "binutils", "cmake", "compilers", "curl", "ffmpeg", "gcc", "gcc-linux-64", "git",
        "git-lfs", "graphviz", "gxx", "gxx-linux-64", "java-jdk", "make", "mpi", "mpich", "ninja",
        "nodejs", "openjdk", "openmpi", "pandoc", "poppler", "postgresql", "r-base", "rust",
        "tesseract", "unzip", "wget",
    }
)  # fmt: skip
"""Programs rather than Python packages: a venv uses the machine's own."""

_METAPACKAGE = "it stands for hundreds of packages: name those that you import"
_GDAL = "it needs GDAL's own library: rasterio, fiona and pyogrio carry it inside"
CONDA_ONLY = MappingProxyType(
    {
        "anaconda": _METAPACKAGE,
        "conda": "it is conda itself, which a venv does not have: leave it out",
        "conda-build": "it is a part of conda, which a venv does not have: leave it out",
        "gdal": _GDAL,
        "libgdal": _GDAL,
        "mamba": "it is a part of conda, which a venv does not have: leave it out",
        "pythonocc-core": "cadquery-ocp is on PyPI and has the same library",
        "unixodbc": "install unixODBC on the machine, and name pyodbc in the pip section",
    }
)
"""What a venv cannot have under that name, and what would work. All of `r-...` is of this sort."""
R_PACKAGES = "packages of R are not on PyPI: run the script in an image that has R"
