# Managed online endpoints of May 2021, second part: deployed, called, updated, rolled out by file.
source "$EXPECT"
cd azureml-examples/cli
YAML=endpoints/online/managed/simple-flow/1-create-endpoint-with-blue.yml
REQUEST=endpoints/online/model-1/sample-request.json

# Prerequisites
az account set --subscription "$(az account show --query id -o tsv)"
az configure --defaults workspace="$WORKSPACE" group="$RESOURCE_GROUP"
export ENDPOINT_NAME=by-file

# Deploy to Azure
az ml endpoint create -n $ENDPOINT_NAME -f $YAML > /dev/null

# Check the status of the deployment
az ml endpoint show -n $ENDPOINT_NAME > endpoint.json
equals "$(jq -r '.provisioning_status, .deployments[0].provisioning_status' endpoint.json | xargs)" 'Succeeded Succeeded'
holds "$(az ml endpoint list --output table)" $ENDPOINT_NAME

# Check if the cloud deployment succeeded. The document says --local here, which would be another one.
holds "$(az ml endpoint get-logs -n $ENDPOINT_NAME --deployment blue)" 'Init complete'
az ml endpoint get-logs -n $ENDPOINT_NAME --deployment blue --container storage-initializer > log

# Invoke the endpoint to score data with your model
equals "$(az ml endpoint invoke -n $ENDPOINT_NAME --request-file $REQUEST -o tsv)" '[485, 320]'
scoring_uri=$(az ml endpoint show -n $ENDPOINT_NAME --query "scoring_uri" -o tsv)
az ml endpoint get-credentials -n $ENDPOINT_NAME > keys.json
key=$(jq -r .primaryKey keys.json)
equals "$(az ml endpoint list-keys -n $ENDPOINT_NAME --query primaryKey -o tsv)" "$key"
score() { curl --header "Authorization: Bearer $1" --header 'Content-Type: application/json' --data @$REQUEST "${@:2}" "$scoring_uri"; }
equals "$(score "$key")" '[485, 320]'
equals "$(score other --output /dev/null --write-out '%{http_code}')" 401

# Update the deployment: a new line of the script
sed -i 's/logging.info("Init complete")/&\n    logging.info("Updated successfully")/' endpoints/online/model-1/onlinescoring/score.py
az ml endpoint update -n $ENDPOINT_NAME -f $YAML > /dev/null
holds "$(az ml endpoint get-logs -n $ENDPOINT_NAME --deployment blue)" 'Updated successfully'

# Without the file, one value at a time
az ml endpoint update -n $ENDPOINT_NAME --set deployments[0].scale_settings.instance_count=2 > /dev/null
equals "$(az ml endpoint show -n $ENDPOINT_NAME --query deployments[0].scale_settings.instance_count -o tsv)" 2

# The file is declarative: a second deployment comes, gets traffic, and the first one goes with its lines
blue=$(sed -n '/^  - name: blue$/,$p' $YAML)
above=$(sed '/^traffic:$/,$d' $YAML)
says() { # traffic, deployments
  printf '%s\ntraffic:\n%s\ndeployments:\n%s\n' "$above" "$1" "$2" > $YAML
  az ml endpoint update -n $ENDPOINT_NAME -f $YAML > endpoint.json
}
blue=${blue/instance_count: 1/instance_count: 2}
says '  blue: 100' "$blue
${blue/blue/green}"
equals "$(jq -r '.traffic.blue, .deployments[].name' endpoint.json | xargs)" '100 blue green'
equals "$(score "$key" --header 'azureml-model-deployment: green')" '[485, 320]'
says '  blue: 90
  green: 10' "$blue
${blue/blue/green}"
equals "$(jq -r '.traffic.blue, .traffic.green' endpoint.json | xargs)" '90 10'
says '  green: 100' "${blue/blue/green}"
equals "$(jq -r '.traffic.green, .deployments[].name' endpoint.json | xargs)" '100 green'
equals "$(score "$key")" '[485, 320]'

# Log Analytics
az monitor log-analytics query --analytics-query "AmlOnlineEndpointConsoleLog | where EndpointName == '$ENDPOINT_NAME' | take 5" > rows.json
holds "$(jq -r '.[].DeploymentName' rows.json)" blue

# Several changes at once are refused
cp endpoints/online/model-1/onlinescoring/score.py endpoints/online/model-1/onlinescoring/other.py
refused az ml endpoint update -n $ENDPOINT_NAME -f $YAML --set deployments[0].scale_settings.instance_count=1 --set deployments[0].code_configuration.scoring_script=other.py
holds "$(cat refused.err)" SeveralChanges

# Delete a deployment, the endpoint and its deployments
refused az ml endpoint delete -n $ENDPOINT_NAME --deployment green --yes
az ml endpoint delete -n $ENDPOINT_NAME --yes
refused az ml endpoint show -n $ENDPOINT_NAME
echo 'the flow has ended well'
