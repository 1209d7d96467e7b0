# Batch endpoints of June 2021: one file, jobs over local and registered data, a second deployment.
set -euo pipefail

equals() { [ "$1" = "$2" ] || { echo "expected '$2', got '$1'" >&2; exit 1; }; }

mkdir -p autolog mnist/model mnist/code images
printf 'flavors: {python_function: {}}\n' > autolog/MLmodel
printf 'name: plain\ndependencies:\n  - python\n' | tee autolog/conda.yaml > conda.yml
echo w > mnist/model/weights.txt
for number in 1 2 3 4; do echo $number > images/$number.txt; done
cat > mnist/code/digits.py <<'PYTHON'
import os


def init():
    global weight
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "weights.txt")) as file:
        weight = file.read().strip()


def run(mini_batch):
    return [f"{os.path.basename(path)} {weight}" for path in mini_batch]
PYTHON
cat > create.yml <<'YAML'
name: mybatchedp
type: batch
auth_mode: aad_token
traffic:
  autolog-deployment: 100
deployments:
  - name: autolog-deployment
    model:
      name: flow-autolog
      version: 1
      local_path: ./autolog
    compute:
      target: azureml:flow-cluster
      instance_count: 1
YAML
cat > add.yml <<'YAML'
name: mnist-deployment
model:
  name: flow-mnist
  version: 1
  local_path: ./mnist/model/
code_configuration:
  code:
    local_path: ./mnist/code/
  scoring_script: digits.py
environment:
  name: flow-mnist
  version: 1
  path: .
  conda_file: file:./conda.yml
  docker:
    image: mcr.microsoft.com/azureml/intelmpi2018.3-ubuntu16.04:20210301.v1
mini_batch_size: 2
output_file_name: predictions.csv
compute:
  target: azureml:flow-cluster
  instance_count: 1
YAML
printf 'name: flow-images\nversion: 1\nlocal_path: images\n' > images.yml

az version > /dev/null
az upgrade --yes
az extension add -n ml
az ml compute create --name flow-cluster --type AmlCompute --min-instances 0 --max-instances 2 > /dev/null
az ml endpoint create --type batch --file create.yml > /dev/null
equals "$(az ml endpoint show --name mybatchedp --type batch --query 'traffic."autolog-deployment"' -o tsv)" 100
az ml endpoint update --name mybatchedp --type batch --deployment-file add.yml > /dev/null
az ml endpoint update --name mybatchedp --type batch --traffic mnist-deployment:100 > /dev/null
az ml dataset create --file images.yml > /dev/null

job_name=$(az ml endpoint invoke --name mybatchedp --type batch --input-local-path images --set output_file_name=mine.csv --query name -o tsv)
az ml job stream --name $job_name > log
equals "$(az ml job show --name $job_name --query status -o tsv)" Completed
az ml job download --name $job_name --all --download-path fetched > /dev/null
equals "$(sort "$(find fetched -name mine.csv)" | head -n 1)" '1.txt w'
job_name=$(az ml endpoint invoke --name mybatchedp --type batch --input-data azureml:flow-images:1 --mini-batch-size 1 --instance-count 2 --query name -o tsv)
az ml job stream --name $job_name > log
equals "$(az ml job show --name $job_name --query status -o tsv)" Completed

scoring_uri=$(az ml endpoint show --name mybatchedp --type batch --query scoring_uri -o tsv)
auth_token=$(az account get-access-token --resource https://ml.azure.com --query accessToken -o tsv)
curl -sSf --cacert "$CA_FILE" --request POST "$scoring_uri" --header "Authorization: Bearer $auth_token" \
  --header 'Content-Type: application/json' --data-raw "{\"properties\": {\"dataset\": {
    \"dataInputType\": \"DatasetVersion\", \"datasetName\": \"flow-images\", \"datasetVersion\": \"1\"}}}" > started
grep -q '"name"' started
equals "$(az ml endpoint list-jobs --type batch --name mybatchedp --query 'length(@)' -o tsv)" 3
az ml endpoint delete --name mybatchedp --type batch --yes
az ml compute delete --name flow-cluster --yes --no-wait
echo 'the flow has ended well'
