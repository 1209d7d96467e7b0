# What every flow begins with: it stops at the first surprise, and says what it was.
set -Eeuo pipefail
trap 'echo "line ${BASH_LINENO[0]} or $LINENO: $BASH_COMMAND" >&2' ERR
export CURL_HOME=$PWD # no .curlrc of whoever runs the tests
printf 'silent\nshow-error\n' > .curlrc

equals() { [ "$1" = "$2" ] || { echo "expected '$2', got '$1'" >&2; return 1; }; }
holds() { [[ "$1" == *"$2"* ]] || { echo "expected '$2' in '$1'" >&2; return 1; }; }
refused() { if "$@" > refused.out 2> refused.err; then echo "not refused: $*" >&2; return 1; fi; }

# The MLflow model with Python alone: batch_mlflow.sh has its packages installed.
without_packages() { printf 'name: taxi\ndependencies:\n  - python\n' > "$1/autolog_nyc_taxi/conda.yaml"; }

# The lines of the output file of a job, in order.
rows() {
  az ml job download --name "$1" --all --download-path "fetched/$1" > /dev/null
  sort "$(find "fetched/$1" -name "$2")"
}
