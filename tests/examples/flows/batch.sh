# Batch endpoints of October 2021: an endpoint, its default deployment, jobs, a second deployment.
set -euo pipefail

equals() { [ "$1" = "$2" ] || { echo "expected '$2', got '$1'" >&2; exit 1; }; }

mkdir -p model code images autolog
echo w > model/weights.txt
printf 'flavors: {python_function: {}}\n' > autolog/MLmodel
printf 'name: plain\ndependencies:\n  - python\n' | tee autolog/conda.yaml > conda.yml
for number in 1 2 3 4; do echo $number > images/$number.txt; done
cat > code/digits.py <<'PYTHON'
import os


def init():
    pass


def run(mini_batch):
    return [os.path.basename(path) for path in mini_batch]
PYTHON
cat > nonmlflow.yml <<'YAML'
name: nonmlflowdp
endpoint_name: flow-batch
model:
  local_path: ./model/
code_configuration:
  code:
    local_path: ./code/
  scoring_script: digits.py
environment:
  conda_file: ./conda.yml
  image: mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:latest
compute: azureml:batch-flow
resources:
  instance_count: 1
max_concurrency_per_instance: 2
mini_batch_size: 2
output_action: append_row
output_file_name: predictions.csv
retry_settings:
  max_retries: 3
  timeout: 30
error_threshold: -1
logging_level: info
YAML
printf 'name: mlflowdp\nendpoint_name: flow-batch\nmodel:\n  local_path: ./autolog\n  type: mlflow_model\ncompute: azureml:batch-flow\n' > mlflow.yml

export ENDPOINT_NAME=flow-batch
az ml compute create -n batch-flow --type amlcompute --min-instances 0 --max-instances 2 > /dev/null
az ml batch-endpoint create --name $ENDPOINT_NAME > /dev/null
az ml batch-deployment create --name nonmlflowdp --endpoint-name $ENDPOINT_NAME --file nonmlflow.yml --set-default > /dev/null
equals "$(az ml batch-endpoint show --name $ENDPOINT_NAME --query defaults.deployment_name -o tsv)" nonmlflowdp
output_path="folder:azureml://datastores/workspaceblobstore/paths/$ENDPOINT_NAME"
job=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --input-local-path images --output-path $output_path \
  --set output_file_name=mine.csv --mini-batch-size 1 --instance-count 2 --query name -o tsv)
az ml job stream -n $job > log
equals "$(az ml job show -n $job --query status -o tsv)" Completed
az ml job show -n $job --web 2> page > /dev/null
grep -q http page
az ml batch-deployment create --name mlflowdp --endpoint-name $ENDPOINT_NAME --file mlflow.yml > /dev/null
equals "$(az ml batch-endpoint show --name $ENDPOINT_NAME --query defaults.deployment_name -o tsv)" nonmlflowdp
az ml batch-endpoint update --name $ENDPOINT_NAME --defaults deployment_name=mlflowdp > /dev/null
az ml batch-endpoint update --name $ENDPOINT_NAME --defaults deployment_name=nonmlflowdp > /dev/null
az ml batch-deployment delete --name mlflowdp --endpoint-name $ENDPOINT_NAME --yes
equals "$(az ml batch-endpoint list-jobs --name $ENDPOINT_NAME --query '[].name' -o tsv)" $job
az ml batch-endpoint delete --name $ENDPOINT_NAME --yes
az ml compute delete -n batch-flow --yes --no-wait
echo 'the flow has ended well'
