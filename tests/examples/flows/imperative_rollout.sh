# Managed online endpoints of May 2021, rolled out by options instead of the file.
source "$EXPECT"
cd azureml-examples/cli
FLOW=endpoints/online/managed/simple-flow
export ENDPOINT_NAME=by-options

# Deploy without waiting
az ml endpoint create -n $ENDPOINT_NAME -f $FLOW/1-create-endpoint-with-blue.yml --no-wait > /dev/null
until [ "$(az ml endpoint show -n $ENDPOINT_NAME --query 'deployments[0].provisioning_status' -o tsv)" = Succeeded ]; do sleep 0.2; done

# Assets on their own: the model and the environment are registered, and named in the file of green
az ml model create --name rollout-model --version 1 --local-path endpoints/online/model-1/model/regression.json > /dev/null
printf 'name: rollout-env\nversion: 1\nconda_file: ../../model-1/environment/conda.yml\nimage: mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:20210301.v1\n' > $FLOW/environment.yml
az ml environment create --file $FLOW/environment.yml > /dev/null
cat > $FLOW/green.yml <<'YAML'
name: green
model: azureml: rollout-model:1
code_configuration:
  code:
    local_path: ../../model-1/onlinescoring/
  scoring_script: score.py
environment: azureml:rollout-env:1
instance_type: Standard_F2s_v2
scale_settings:
  scale_type: manual
  instance_count: 1
YAML
az ml endpoint update -n $ENDPOINT_NAME --deployment green --deployment-file $FLOW/green.yml --traffic "blue:100,green:0" > endpoint.json
equals "$(jq -r '.traffic.blue' endpoint.json)" 100
equals "$(az ml endpoint invoke -n $ENDPOINT_NAME --deployment green --request-file endpoints/online/model-1/sample-request.json -o tsv)" '[485, 320]'

# Move the traffic
az ml endpoint update -n $ENDPOINT_NAME --traffic "blue:90,green:10" > endpoint.json
equals "$(jq -r '.traffic.green' endpoint.json)" 10
az ml endpoint update -n $ENDPOINT_NAME --deployment green --instance-count 2 > endpoint.json
equals "$(az ml endpoint show -n $ENDPOINT_NAME --query "deployments[?name=='green'].scale_settings.instance_count" -o tsv)" 2
az ml endpoint update -n $ENDPOINT_NAME --traffic "blue:0,green:100" > endpoint.json
az ml endpoint delete -n $ENDPOINT_NAME --deployment blue --yes
equals "$(az ml endpoint show -n $ENDPOINT_NAME --query 'deployments[].name' -o tsv)" green
equals "$(az ml endpoint invoke -n $ENDPOINT_NAME --request-file endpoints/online/model-1/sample-request.json -o tsv)" '[485, 320]'
az ml endpoint delete -n $ENDPOINT_NAME --yes --no-wait
echo 'the flow has ended well'
