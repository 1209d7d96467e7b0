# Managed online endpoints of May 2021: tried without a server, deployed, rolled out, deleted.
set -euo pipefail

equals() { [ "$1" = "$2" ] || { echo "expected '$2', got '$1'" >&2; exit 1; }; }

mkdir -p model-1/model model-1/onlinescoring model-1/environment
echo 3 > model-1/model/weights.json
echo '{"data": [1, 2]}' > model-1/sample-request.json
printf 'name: model-env\ndependencies:\n  - python\n' > model-1/environment/conda.yml
cat > model-1/onlinescoring/score.py <<'PYTHON'
import json
import logging
import os


def init():
    global weight
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "weights.json")) as file:
        weight = json.load(file)
    logging.info("Init complete")


def run(body):
    logging.info("Request received")
    return [weight * value for value in json.loads(body)["data"]]
PYTHON
deployment() {
  cat <<YAML
  - name: $1
    model:
      name: flow-online
      version: 1
      local_path: ./model-1/model/weights.json
    code_configuration:
      code:
        local_path: ./model-1/onlinescoring/
      scoring_script: score.py
    environment:
      name: flow-online
      version: 1
      path: .
      conda_file: file:./model-1/environment/conda.yml
      docker:
        image: mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:20210301.v1
    instance_type: Standard_F2s_v2
    scale_settings:
      scale_type: manual
      instance_count: 1
YAML
}
endpoint() { printf 'name: my-endpoint\ntype: online\nauth_mode: key\ntraffic:\n  %s\ndeployments:\n' "$1"; }
{ endpoint 'blue: 100'; deployment blue; } > blue.yml

az version > /dev/null
az extension add -n ml -y
az account set --subscription "$(az account show --query id -o tsv)"
export ENDPOINT_NAME=flow-online

az ml endpoint create --local -n $ENDPOINT_NAME -f blue.yml > /dev/null
az ml endpoint get-logs --local -n $ENDPOINT_NAME --deployment blue > log
grep -q 'Init complete' log
equals "$(az ml endpoint invoke --local -n $ENDPOINT_NAME --request-file model-1/sample-request.json -o tsv)" '[3, 6]'
local_uri=$(az ml endpoint show --local -n $ENDPOINT_NAME --query scoring_uri -o tsv)
equals "$(curl -sS --data @model-1/sample-request.json "$local_uri")" '[3, 6]'
az ml endpoint delete --local -n $ENDPOINT_NAME --yes

az ml endpoint create -n $ENDPOINT_NAME -f blue.yml > /dev/null
equals "$(az ml endpoint show -n $ENDPOINT_NAME --query 'deployments[0].provisioning_status' -o tsv)" Succeeded
az ml endpoint list --output table > table
grep -q $ENDPOINT_NAME table
az ml endpoint get-logs -n $ENDPOINT_NAME --deployment blue > log
grep -q 'Init complete' log
equals "$(az ml endpoint invoke -n $ENDPOINT_NAME --request-file model-1/sample-request.json -o tsv)" '[3, 6]'
uri=$(az ml endpoint show -n $ENDPOINT_NAME --query scoring_uri -o tsv)
key=$(az ml endpoint get-credentials -n $ENDPOINT_NAME --query primaryKey -o tsv)
answer=$(curl -sS --cacert "$CA_FILE" -H "Authorization: Bearer $key" --data @model-1/sample-request.json "$uri")
equals "$answer" '[3, 6]'

sed -i 's/"Init complete")/"Init complete")\n    logging.info("Updated successfully")/' model-1/onlinescoring/score.py
az ml endpoint update -n $ENDPOINT_NAME -f blue.yml > /dev/null
az ml endpoint get-logs -n $ENDPOINT_NAME --deployment blue > log
grep -q 'Updated successfully' log

{ endpoint 'blue: 90
  green: 10'; deployment blue; deployment green; } > both.yml
if az ml endpoint update -n $ENDPOINT_NAME -f both.yml --set deployments[0].scale_settings.instance_count=2 2> refused; then exit 1; fi
grep -q SeveralChanges refused
az ml endpoint update -n $ENDPOINT_NAME -f both.yml > /dev/null
az ml endpoint update -n $ENDPOINT_NAME --traffic 'blue:0,green:100' > /dev/null
az ml endpoint delete -n $ENDPOINT_NAME --deployment blue --yes
equals "$(az ml endpoint show -n $ENDPOINT_NAME --query 'deployments[].name' -o tsv)" green
az ml endpoint delete -n $ENDPOINT_NAME --yes --no-wait
echo 'the flow has ended well'
